"""A real model behind Ollama's wire format, through the whole server: written, talked about, gone back in, replayed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from tests.adapters.face_engines.material import serving as app_serving
from tests.adapters.language.llama import NAME, llama
from tests.adapters.language.ollama_facade import Facade
from tests.scenarios.conftest import jpeg
from tests.scenarios.serving import Served, serving
from tests.waiting import until

LAKE: dict[str, Any] = {"path": "lake.jpg"}


@pytest.fixture(scope="module")
def ollama() -> Iterator[str]:
    """What the server takes for Ollama."""
    with llama() as llama_url, app_serving(Facade(llama_url).app) as base_url:
        yield base_url


def said(served: Served, message: str) -> list[tuple[str, Any]]:
    """A turn of the conversation, as it was heard."""
    events, kind = [], ""
    body = {**LAKE, "message": message, "agentic": False}
    with served.client.stream("POST", "/insights/chat/stream", json=body, timeout=110) as stream:
        assert stream.status_code == 200, stream.read()
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                events.append((kind, orjson.loads(value)))
    return events


def test_a_real_model_writes_and_talks_about_a_photo_and_the_log_has_it_all(tmp_path: Path, ollama: str) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "lake.jpg").write_bytes(jpeg("teal"))
    settings = {"FACE_ENGINE": "off", "OLLAMA_PRIMARY_URL": ollama, "OLLAMA_PRIMARY_MODEL": NAME}
    with serving(tmp_path / "data", photos, **settings) as served:
        ask = served.client
        until(lambda: ask.get("/photos").json()["items"])
        answer = ask.post("/insights/generate", json=LAKE, timeout=110)
        assert answer.status_code == 201, answer.text
        written = answer.json()
        assert written["text"]
        assert written["model"] == NAME
        heard = said(served, "Is it a lake?")
        text = "".join(data["text"] for kind, data in heard if kind == "text")
        assert heard[-1][0] == "done"
        assert heard[-1][1]["message"]["text"] == text.strip()
        assert len([kind for kind, _ in heard if kind == "text"]) > 1, "word by word"
        gone = ask.post("/insights/chat/rewind", json={**LAKE, "index": 2})
        assert len(gone.json()["messages"]) == 2
        assert NAME in {model["name"] for model in ask.get("/insights/models").json()["items"]}
        assert ask.get("/insights/openrouter/models").status_code == 503
        until(lambda: ask.get("/operations", params={"kind": "entity.learn"}).json()["items"], seconds=240)
        for entity in ask.get("/entities").json()["items"]:
            assert entity["name"].casefold() in f"{written['title']} {written['text']}".casefold()
    ledger = Ledger(Database(f"sqlite:///{tmp_path / 'data' / 'imageapi.db'}"))
    assert verify(ledger) == []
    ledger.close()


def test_a_server_that_is_away_is_named_with_its_setting(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "lake.jpg").write_bytes(jpeg("teal"))
    with serving(tmp_path / "data", photos, FACE_ENGINE="off", OLLAMA_PRIMARY_URL="http://127.0.0.1:9") as served:
        until(lambda: served.client.get("/photos").json()["items"])
        for path in ("/insights/generate", "/insights/models"):
            answer = served.client.request(
                "POST" if "gen" in path else "GET", path, json=LAKE if "gen" in path else None
            )
            assert answer.status_code == 503
            assert "OLLAMA_PRIMARY_URL" in answer.json()["detail"]
        answer = served.client.post("/insights/generate", json={**LAKE, "backend": "hybrid"})
        assert answer.status_code == 503
        assert "OPENROUTER_API_KEY" in answer.json()["detail"]
