"""What was said on which day, on the page: reached from the history, searched, deleted and brought back, only ever
text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.adapters.language.peers import Asked, Peer
from tests.fakes import LettersEmbedder
from tests.loopback import Reply, loopback
from tests.page.served import HOSTILE, NAME, PASSWORD, Server, Visitor, be_the_first, line, serving

TEXTS = {
    "Anna": "A zigzag in the jazz club.",
    "Bob": "The boat sank in the harbour.",
    HOSTILE: f"Said {HOSTILE} twice.",
}
ROWS = [
    {"id": place, "contact": contact, "sent_at": "2020-05-01T12:00:00Z", "direction": "received", "body": "Hi"}
    for place, contact in enumerate(TEXTS)
]


def ollama(asked: Asked) -> None:
    """What the server takes for Ollama: it has a text for each contact, and the vector of each text's letters."""
    if asked.path == "/api/show":
        asked.answer({"capabilities": ["completion"], "model_info": {}})
    elif asked.path == "/api/embed":
        vectors = LettersEmbedder().embed([text.partition(": ")[2] for text in asked.json["input"]])
        asked.answer({"embeddings": [np.frombuffer(vector, "<f4").tolist() for vector in vectors]})
    else:
        told = asked.json["messages"][1]["content"]
        text = next(text for contact, text in TEXTS.items() if f'"with":"{contact}"' in told)
        asked.lines(line(text), {**line(""), "done": True, "done_reason": "stop"})


@pytest.fixture(scope="module")
def told_server(sample_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has summarised three conversations."""
    folder, data = tmp_path_factory.mktemp("told"), tmp_path_factory.mktemp("told-data")
    shutil.copy(sample_photos / "coffee.png", folder)
    peer = Peer(ollama)
    days = {"DAILY_SUMMARY_FROM": "2020-05-01", "DAILY_SUMMARY_TO": "2020-05-01"}
    with loopback() as service:
        service.answer = Reply(ROWS)
        settings = {"FACE_ENGINE": "off", "OLLAMA_PRIMARY_URL": peer.url, "SMS_API_URL": service.url, **days}
        with serving(folder, data, **settings) as served:
            be_the_first(served)
            served.wait_until("the summaries", probe=lambda: len(served.get("/summaries")["items"]) == len(TEXTS))
            yield served
    peer.close()


@pytest.fixture
def visitor(page: Page, told_server: Server) -> Iterator[Visitor]:
    """Somebody signed in; the browser's console stays silent to the end."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    assert page.request.post(f"{told_server.url}/login", data={"username": NAME, "password": PASSWORD}).ok
    yield Visitor(page, told_server.url, complaints)
    assert not complaints
    assert page.evaluate("window.hurt") is None


def test_the_history_leads_to_what_was_said_which_is_only_text(visitor: Visitor) -> None:
    page = visitor.open("#/history")
    page.get_by_role("link", name="Read").first.click()
    expect(page.locator(".card")).to_have_count(len(TEXTS))
    expect(page.get_by_role("heading", name="May 1, 2020")).to_be_visible()
    expect(page.get_by_text(TEXTS["Anna"])).to_be_visible()
    expect(page.locator(".card b", has_text=HOSTILE)).to_be_visible()
    expect(page.locator(".card img")).to_have_count(0)


def test_a_search_shows_the_likest_first_and_an_empty_one_everything(visitor: Visitor) -> None:
    page = visitor.open("#/summaries")
    expect(page.locator(".card")).to_have_count(len(TEXTS))
    page.get_by_label("Search what was said").fill("jazz zigzag")
    expect(page.locator(".card").first).to_contain_text("jazz club")
    page.get_by_label("Search what was said").fill("boat in the harbour")
    expect(page.locator(".card").first).to_contain_text("The boat sank")
    page.get_by_label("Search what was said").fill("")
    expect(page.locator(".card").last).to_contain_text("twice")


def test_a_summary_is_deleted_and_brought_back(visitor: Visitor) -> None:
    page = visitor.open("#/summaries")
    page.get_by_role("button", name="Delete the summary of 2020-05-01 with Bob").click()
    expect(page.locator(".card")).to_have_count(len(TEXTS) - 1)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(TEXTS["Bob"])).to_be_visible()


def test_a_day_leads_to_its_photos(told_server: Server, visitor: Visitor) -> None:
    page = visitor.open("#/summaries")
    page.get_by_role("link", name="May 1, 2020").click()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("button", name="Show without From").click()
    expect(page.locator(".tile")).to_have_count(1)  # the PNG says that it is of 2013


def test_what_was_said_fits_a_phone(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open("#/summaries")
    expect(page.locator(".card")).to_have_count(len(TEXTS))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
