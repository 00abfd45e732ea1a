"""A client that openapi-python-client makes of the document calls every reading route and understands each answer."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import httpx
import pytest

from domain.base.conversation import ConversationMessage
from tests.fakes import LettersEmbedder
from tests.footage import footage
from tests.http.real import really_served
from tests.http.words import named
from tests.http.world import DOCUMENT, World, face_ids
from tests.waiting import until

pytestmark = pytest.mark.ffmpeg
PACKAGE: Final = "generated_client"
STREAMS: Final = {"event_stream", "job_stream", "listen_again"}
"""Endless: heard by hand, since no generated client hears events."""
READS: Final = {
    operations["get"]["operationId"]: (path, operations["get"])
    for path, operations in DOCUMENT["paths"].items()
    if "get" in operations
}


def content_types() -> set[str]:
    """Every content type that an answer may have."""
    answers = [answer for _, operation in READS.values() for answer in operation["responses"].values()]
    return {kind for answer in answers for kind in answer.get("content", {})}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The client, made anew; pictures and videos are bytes to it."""
    folder = tmp_path_factory.mktemp("client")
    binary = {kind for kind in content_types() if not kind.endswith("json") and not kind.startswith("text/")}
    settings = {
        "package_name_override": PACKAGE,
        "post_hooks": [],
        "content_type_overrides": dict.fromkeys(sorted(binary), "application/octet-stream"),
    }
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    (folder / "settings.json").write_text(json.dumps(settings))
    words = ["generate", "--path", "openapi.json", "--config", "settings.json", "--output-path", PACKAGE]
    tool = Path(sys.executable).with_name("openapi-python-client")
    made = subprocess.run(
        [tool, *words, "--meta", "none", "--fail-on-warning"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture
def lived_in(own_world: World) -> World:
    """A world in which there is something to every route."""
    world = own_world
    footage(world.folder / "family" / "film.mp4", 1.0)
    world.photo_embedder = LettersEmbedder()
    world.scan()
    world.understand()
    ann = world.api("ann")
    bob = face_ids(ann, "bob.jpg")[0]
    named(ann, "Bob", bob)
    ann.post("/image/tags", json={"path": "bob.jpg", "name": "Summer"})
    assert ann.post("/insights/generate", json={"path": "bob.jpg"}).status_code == 201
    assert ann.post("/entities", json={"name": "Bob", "type": "person"}).status_code == 201
    ann.post("/entities/1/facts", json={"text": "Sails."})
    ann.post("/api-keys", json={"name": "phone", "scope": "read"})
    world.talks.append(ConversationMessage("1", "Bob", datetime(2020, 5, 1, 12, tzinfo=UTC), "received", "The boat."))
    while world.summariser.step():
        pass
    for path in ("/video/preview", "/video/gif"):
        assert ann.get(path, params={"path": "film.mp4"}).status_code == 202
    while world.clips.make_next():
        pass
    return world


def arguments(world: World) -> Mapping[str, Mapping[str, Any]]:
    """What each route is asked for, beside those that are asked for nothing."""
    ann = world.api("ann")
    face, photo, film = face_ids(ann, "bob.jpg")[0], {"path": "bob.jpg"}, {"path": "film.mp4"}
    content = ann.get("/photos", params={"kind": "video", "q": "film"}).json()["items"][0]["content_hash"]
    code = ann.post("/invitations", json={}).json()["code"]
    of_photos = ("list_faces", "show_image", "show_metadata", "list_tags_of_photo", "list_insights")
    return {
        **dict.fromkeys((*of_photos, "show_conversation", "list_facts_of_photo", "history_of_photo"), photo),
        **{key: {"id": face} for key in ("suggest", "similar", "crop", "history_of_face")},
        **{key: {"id": 1} for key in ("show_person", "list_faces_of_person", "history_of_person")},
        **{key: {"id": 1} for key in ("show_entity", "list_facts", "history_of_entity")},
        **dict.fromkeys(("stream", "show_preview", "show_gif"), film),
        **{key: {"id": 1} for key in ("show_summary", "list_problems", "show_operation")},
        **{key: {"q": "boat"} for key in ("search_photos", "search_summaries")},
        "show_hls": {"hash_": content, "file": "index.m3u8"},
        "show_welcome": {"code": code},
    }


def test_every_answer_that_is_no_json_says_that_it_is_text_or_bytes() -> None:
    for path, operation in READS.values():
        for answer in operation["responses"].values():
            for kind, content in answer.get("content", {}).items():
                schema = content["schema"]
                if kind.startswith("text/"):
                    assert schema == {"type": "string"}, path
                elif not kind.endswith("json"):
                    assert schema == {"type": "string", "format": "binary"}, path


def test_a_generated_client_understands_what_every_reading_route_answers(lived_in: World, package: ModuleType) -> None:
    given = arguments(lived_in)
    token = lived_in.api("ann").headers["authorization"].removeprefix("Bearer ")
    problem = importlib.import_module(f"{PACKAGE}.models").Problem
    misunderstood = {}
    with really_served(lived_in.app) as base, package.AuthenticatedClient(base_url=base, token=token) as client:
        for name, (path, operation) in READS.items():
            if name in STREAMS:
                continue
            module = importlib.import_module(f"{PACKAGE}.api.{operation['tags'][0].lower()}.{name}")
            answer = module.sync_detailed(client=client, **given.get(name, {}))
            if answer.status_code != 200 or answer.parsed is None or isinstance(answer.parsed, problem):
                misunderstood[path] = (answer.status_code, answer.parsed, answer.content[:300])
    assert not misunderstood


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_stream_is_described_and_tells_events(world: World, name: str) -> None:
    path, operation = READS[name]
    assert operation["responses"]["200"]["content"] == {"text/event-stream": {"schema": {"type": "string"}}}
    headers = dict(world.api("ann").headers)
    query: dict[str, str] = {"after": "0"} if name == "event_stream" else {}
    with really_served(world.app) as base, httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
        if name == "listen_again":
            query = {"turn": _turn(world, client)}
        with client.stream("GET", path, params=query) as stream:
            assert stream.status_code == 200
            told = next(line for line in stream.iter_lines() if line.startswith("data: "))
    assert isinstance(json.loads(told.removeprefix("data: ")), dict)


def _turn(world: World, client: httpx.Client) -> str:
    client.post("/insights/generate", json={"path": "bob.jpg"}).raise_for_status()
    going_on = threading.Event()
    world.model.script = [["One ", going_on, "two."]]
    with client.stream(
        "POST", "/insights/chat/stream", json={"path": "bob.jpg", "message": "x", "linger": 60}
    ) as stream:
        turn: str = stream.headers["turn-id"]
        next(line for line in stream.iter_lines() if line.startswith("data: "))
    going_on.set()
    until(lambda: client.get("/insights/chat/history", params={"path": "bob.jpg"}).json()["turn"] is None)
    return turn


def test_the_names_of_shapes_are_words_and_each_stands_once() -> None:
    names = list(DOCUMENT["components"]["schemas"])
    assert not [name for name in names if not re.fullmatch("(?:[A-Z][a-z]+)+", name)]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(schema["title"] == name for name, schema in DOCUMENT["components"]["schemas"].items())
