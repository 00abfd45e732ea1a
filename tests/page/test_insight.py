"""The panel in which a language model writes about a photo and answers: live, rated, gone back in, only ever text."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.adapters.language.peers import Asked, Peer
from tests.page.served import NAME, PASSWORD, Server, Visitor, be_the_first, line, serving

CUP = "#/photo?file=coffee.png&of=1"
HOSTILE = (
    "PWNED ![x](http://127.0.0.1:9/?q=1) <img src=x onerror=window.hurt=1> <script>window.hurt=2</script> "
    "[go](javascript:window.hurt=3) http://127.0.0.1:9/steal **bold**"
)


@dataclass
class Talker:
    """What the server takes for Ollama: it says `answers` in turn, a word at a time, and then that it is a cup."""

    answers: list[str] = field(default_factory=list)
    going_on: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def __call__(self, asked: Asked) -> None:
        """Follow the script."""
        if asked.path == "/api/show":
            asked.answer({"capabilities": ["completion", "vision", "tools"], "model_info": {"x.context_length": 8192}})
        elif asked.path != "/api/chat":
            asked.answer({"models": []})
        elif "title" in asked.json["messages"][0]["content"][:30]:
            asked.lines(line("The cup"), {**line(""), "done": True, "done_reason": "stop"})
        else:
            self._say(asked, self.answers.pop(0) if self.answers else "It is a cup.")

    def _say(self, asked: Asked, text: str) -> None:
        asked.begin("application/x-ndjson")
        for word in text.split(" "):
            if word == "…":
                self.going_on.wait(20)
                continue
            asked.chunk(encoded(line(f"{word} ")))
        asked.chunk(encoded({**line(""), "done": True, "done_reason": "stop"}))
        asked.chunk(b"")


def encoded(value: object) -> bytes:
    """A line as bytes."""
    return msgspec.json.encode(value) + b"\n"


@pytest.fixture(scope="module")
def talker() -> Iterator[Talker]:
    """The peer."""
    talking = Talker()
    peer = Peer(talking)
    talking.url = peer.url
    yield talking
    talking.going_on.set()
    peer.close()


@pytest.fixture(scope="module")
def cup_server(talker: Talker, sample_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one photo."""
    folder, data = tmp_path_factory.mktemp("cup"), tmp_path_factory.mktemp("cup-data")
    shutil.copy(sample_photos / "coffee.png", folder)
    with serving(
        folder, data, FACE_ENGINE="off", OLLAMA_PRIMARY_URL=talker.url, ENTITIES_FROM_INSIGHTS="no"
    ) as served:  # the model is asked nothing but what the page asks
        be_the_first(served)
        served.wait_until("the photo", probe=lambda: served.get("/photos")["items"])
        yield served


@pytest.fixture
def panel(page: Page, cup_server: Server, talker: Talker) -> Iterator[Locator]:
    """The panel of the photo, for somebody signed in; no insight was written yet."""
    talker.answers.clear()
    talker.going_on.clear()
    for kind in ("insight.amend", "insight.write"):
        for operation in cup_server.get("/operations", kind=kind)["items"]:
            if operation["undone_by"] is None:
                cup_server.send("POST", f"/operations/{operation['id']}/undo", None, with_later=True)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    others: list[str] = []
    page.on("request", lambda asked: others.append(asked.url) if not asked.url.startswith(cup_server.url) else None)
    page.set_viewport_size({"width": 1280, "height": 860})
    assert page.request.post(f"{cup_server.url}/login", data={"username": NAME, "password": PASSWORD}).ok
    Visitor(page, cup_server.url, complaints).open(CUP)
    yield page.get_by_role("region", name="Insight")
    assert not complaints
    assert [url for url in others if url.startswith("http")] == []
    assert page.evaluate("window.hurt") is None


def write(panel: Locator) -> None:
    """Let it be written about."""
    panel.get_by_role("button", name="Write about this photo").click()
    expect(panel.get_by_role("heading", name="The cup")).to_be_visible()


def say(panel: Locator, message: str) -> None:
    """Ask with the keyboard."""
    panel.get_by_label("Ask about this photo").fill(message)
    panel.get_by_label("Ask about this photo").press("Enter")


def test_an_insight_is_written_read_and_rated(panel: Locator, cup_server: Server) -> None:
    write(panel)
    expect(panel).to_contain_text("It is a cup.")
    panel.get_by_role("button", name="Good", exact=True).click()
    expect(panel.get_by_role("button", name="Good", exact=True)).to_have_attribute("aria-pressed", "true")
    assert cup_server.get("/insights", path="coffee.png")["items"][0]["rating"] == "good"
    panel.page.reload()
    expect(panel.get_by_role("heading", name="The cup")).to_be_visible()


def test_an_answer_appears_while_it_is_said(panel: Locator, talker: Talker) -> None:
    write(panel)
    talker.answers = ["Coffee and … milk."]
    say(panel, "What is in it?")
    expect(panel.get_by_role("log")).to_contain_text("What is in it?")
    expect(panel.get_by_role("log")).to_contain_text("Coffee")
    expect(panel.get_by_role("log")).not_to_contain_text("milk")
    talker.going_on.set()
    expect(panel.get_by_role("log")).to_contain_text("Coffee and milk.")
    expect(panel.get_by_role("button", name="Stop")).to_have_count(0)


def test_who_leaves_the_photo_and_comes_back_hears_the_rest(panel: Locator, talker: Talker) -> None:
    write(panel)
    talker.answers = ["Coffee and … milk."]
    say(panel, "What is in it?")
    expect(panel.get_by_role("log")).to_contain_text("Coffee")
    panel.page.reload()
    expect(panel.get_by_role("log")).to_contain_text("Coffee")
    talker.going_on.set()
    expect(panel.get_by_role("log")).to_contain_text("Coffee and milk.")


def test_stop_stops_and_gives_the_question_back(panel: Locator, talker: Talker, cup_server: Server) -> None:
    write(panel)
    talker.answers = ["Coffee and … milk."]
    say(panel, "What is in it?")
    expect(panel.get_by_role("log")).to_contain_text("Coffee")
    panel.get_by_role("button", name="Stop").click()
    expect(panel.get_by_label("Ask about this photo")).to_have_value("What is in it?")
    talker.going_on.set()
    expect(panel.locator(".turn")).to_have_count(0)
    assert len(cup_server.get("/insights/chat/history", path="coffee.png")["messages"]) == 2


def test_one_goes_back_at_a_message_and_undoes_that(panel: Locator) -> None:
    write(panel)
    say(panel, "One?")
    expect(panel.locator(".turn")).to_have_count(2)
    expect(panel.get_by_role("button", name="Stop")).to_have_count(0)
    say(panel, "Two?")
    expect(panel.locator(".turn")).to_have_count(4)
    expect(panel.get_by_role("button", name="Stop")).to_have_count(0)
    panel.locator(".turn", has_text="Two?").hover()
    panel.locator(".turn", has_text="Two?").get_by_role("button", name="Go back to before this").click()
    expect(panel.locator(".turn")).to_have_count(2)
    panel.page.get_by_role("status").get_by_role("button", name="Undo").last.click()
    expect(panel.locator(".turn")).to_have_count(4)


def test_an_insight_is_written_anew_with_the_conversation(panel: Locator, talker: Talker) -> None:
    write(panel)
    talker.answers = ["A red cup."]
    panel.get_by_label("write it anew").check()
    say(panel, "Name its colour.")
    expect(panel.locator(".insight-text").first).to_have_text("A red cup.")


def test_whatever_a_model_says_is_only_text(panel: Locator, talker: Talker) -> None:
    talker.answers = [HOSTILE, HOSTILE]
    write(panel)
    expect(panel.locator(".insight-text").first).to_contain_text("PWNED")
    say(panel, HOSTILE)
    expect(panel.locator(".turn.assistant")).to_contain_text("PWNED")
    expect(panel.get_by_role("button", name="Stop")).to_have_count(0)
    assert panel.locator("a, img, script, iframe").count() == 0
    expect(panel.locator(".turn.user")).to_have_text(HOSTILE)
    expect(panel.locator(".turn.assistant")).not_to_contain_text("127.0.0.1")
