"""Insights are read for entities and facts in the background, and what is known of a person is told to the model."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.background.fact_learning import LearnsFacts
from adapters.background.loops import FollowsLog, Loop
from adapters.store.database import Database
from adapters.store.export_import import export_log, import_log
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.base.errors import Rejected, Unavailable
from domain.base.geometry import Box
from domain.commands.entities import create_entity, record_fact
from domain.commands.faces import draw_face
from domain.commands.insights import Writing, write_insight
from domain.commands.persons import PersonChanges, change_person, create_person
from domain.events.entity import InsightExamined, Statement
from domain.events.insight import TranscriptMessage
from projections.queries.graph import FactView
from tests.adapters.face_engines.material import serving as app_serving
from tests.fakes import Scripted
from tests.scenarios.conftest import Place, jpeg
from tests.scenarios.serving import serving
from tests.waiting import until

TEXT = "Anna Lee has a red boat."
FACT = {"subject": "Anna Lee", "text": "Anna Lee has a red boat.", "object": None, "since": None, "until": None}
TOLD = json.dumps({"entities": [{"name": "Anna Lee", "type": "person", "description": ""}], "facts": [FACT]})


@pytest.fixture
def model() -> Scripted:
    """The local model."""
    return Scripted()


@pytest.fixture
def written(place: Place) -> int:
    """An insight about a photo."""
    place.picture("lake.jpg", "teal")
    place.scan()
    return write(place)


def write(place: Place, backend: str = "local") -> int:
    """One more insight."""
    said = (TranscriptMessage("user", "what?"), TranscriptMessage("assistant", TEXT, model="m"))
    content = place.files()["lake.jpg"].content_hash or b""
    with place.ledger.transaction(CLI) as uow:
        return write_insight(uow, content, Writing("A boat", TEXT, "m", backend), said)


def following(ledger: Ledger, model: Scripted) -> FollowsLog:
    """The policy as the server runs it."""
    learns = LearnsFacts(ledger, {"local": model})
    return FollowsLog(ledger, "entities", learns.TOPICS, learns.answer)


def facts(ledger: Ledger) -> list[FactView]:
    """Every fact."""
    with ledger.reading(CLI) as tables:
        return [fact for view, _ in tables.entities.page(100) for fact in tables.entities.facts_of(view.id, 0, 100)]


def examined(ledger: Ledger) -> int:
    """How often a model was asked, as the log has it."""
    return len(ledger.events(0, 1000, [InsightExamined.topic]))


def test_an_insight_is_read_once_and_with_its_text_alone(place: Place, written: int, model: Scripted) -> None:
    model.script = [[TOLD]]
    follow = following(place.ledger, model)
    while follow.step():
        pass
    assert [(fact.text, fact.entity_name, fact.standing) for fact in facts(place.ledger)] == [
        ("Anna Lee has a red boat.", "Anna Lee", "stands")
    ]
    (asked,) = model.asked
    assert asked.shape is not None
    assert asked.tools == ()
    assert [message.images for message in asked.messages] == [(), ()]
    assert TEXT in asked.messages[1].text
    assert TEXT not in asked.messages[0].text, "what others wrote stands apart from what the model is to do"
    following(place.ledger, model).step()
    assert len(model.asked) == 1
    assert verify(place.ledger) == []


@pytest.mark.parametrize("garbage", ["Sorry!", '{"entities": 5}', "<think>", '{"entities": [], "facts": ["no"]}'])
def test_of_garbage_nothing_is_kept_and_nobody_is_asked_for_ever(
    place: Place, written: int, model: Scripted, garbage: str
) -> None:
    model.script = [[garbage]] * 9
    following(place.ledger, model).step()
    assert facts(place.ledger) == []
    assert 1 <= len(model.asked) <= 2
    assert examined(place.ledger) == 1


def test_an_answer_that_is_no_json_gets_a_second_chance(place: Place, written: int, model: Scripted) -> None:
    model.script = [["Sorry!"], [TOLD]]
    following(place.ledger, model).step()
    assert len(facts(place.ledger)) == 1


def test_a_model_that_is_away_is_asked_again_later(place: Place, written: int, model: Scripted) -> None:
    model.script = [[Unavailable("start Ollama")], [TOLD]]
    follow = following(place.ledger, model)
    with pytest.raises(Unavailable):
        follow.step()
    assert examined(place.ledger) == 0
    follow.step()
    assert len(facts(place.ledger)) == 1


def test_a_model_that_refuses_for_good_holds_up_no_other_insight(place: Place, written: int, model: Scripted) -> None:
    write(place)
    model.script = [[Rejected("no credit")], [TOLD]]
    following(place.ledger, model).step()
    assert len(facts(place.ledger)) == 1


def test_an_insight_of_a_backend_that_is_not_there_is_left_alone(place: Place, written: int, model: Scripted) -> None:
    write(place, "hybrid")
    model.script = [[TOLD]]
    following(place.ledger, model).step()
    assert len(model.asked) == 1


def test_a_stop_ends_the_question_under_way(place: Place, written: int, model: Scripted) -> None:
    never = threading.Event()
    model.script = [[never]]
    learns = LearnsFacts(place.ledger, {"local": model})
    follow = FollowsLog(place.ledger, "entities", learns.TOPICS, learns.answer)
    loop = Loop("entities", follow.step, idle_seconds=60, on_stop=learns.ask_to_stop)
    loop.start()
    until(lambda: bool(model.asked))
    loop.stop()
    assert model.stopped.is_set()
    assert examined(place.ledger) == 0


def test_an_import_is_read_for_nothing_that_was_read_before(
    place: Place, written: int, model: Scripted, tmp_path: Path
) -> None:
    model.script = [[TOLD]]
    following(place.ledger, model).step()
    with (tmp_path / "log").open("wb") as out:
        export_log(place.ledger, out, lambda done, total: None)
    other = Ledger(Database(f"sqlite:///{tmp_path}/other.db"))
    with (tmp_path / "log").open("rb") as lines:
        import_log(other, lines, lambda done, total: None)
    following(other, model).step()
    assert len(model.asked) == 1
    assert facts(other) == facts(place.ledger)
    other.close()


class Peer:
    """What the server takes for Ollama: it looks up what is known of the people on a photo, writes that down, and
    answers the question about entities with JSON."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        routes = [("/api/chat", self.chat), ("/api/show", self.show)]
        self.app = Starlette(routes=[Route(path, call, methods=["POST"]) for path, call in routes])

    async def show(self, _: Request) -> Response:
        """What the model can do."""
        return JSONResponse({"capabilities": ["completion", "tools"]})

    async def chat(self, request: Request) -> Response:
        """One line."""
        asked = await request.json()
        self.asked.append(asked)
        last = asked["messages"][-1]
        said: dict[str, Any] = {"role": "assistant", "content": "A boat"}
        if "format" in asked:
            said["content"] = TOLD
        elif last["role"] == "tool":
            said["content"] = f"{TEXT} {json.loads(last['content'])['facts'][0]['fact']}"
        elif asked.get("tools"):
            said |= {"content": "", "tool_calls": [{"function": {"name": "get_facts_about_people", "arguments": {}}}]}
        return Response(json.dumps({"model": "peer", "message": said, "done": True}) + "\n")


def test_what_is_known_of_a_person_on_the_photo_reaches_the_model_and_its_words_reach_the_graph(tmp_path: Path) -> None:
    photos, peer = tmp_path / "photos", Peer()
    photos.mkdir()
    (photos / "lake.jpg").write_bytes(jpeg("teal"))
    settings = {"FACE_ENGINE": "off", "OLLAMA_PRIMARY_MODEL": "peer"}
    with (
        app_serving(peer.app) as ollama,
        serving(tmp_path / "data", photos, OLLAMA_PRIMARY_URL=ollama, **settings) as served,
    ):
        ask = served.client
        until(lambda: bool(ask.get("/photos").json()["items"]))
        ledger = Ledger(Database(f"sqlite:///{tmp_path}/data/imageapi.db"))
        bridge_a_person(ledger, bytes.fromhex(ask.get("/photos").json()["items"][0]["content_hash"]))
        answer = ask.post("/insights/generate", json={"path": "lake.jpg", "agentic": True}).raise_for_status()
        assert answer.json()["text"] == f"{TEXT} Her mother was a sailor."
        until(lambda: len(facts(ledger)) == 2)
        assert [fact.text for fact in facts(ledger)] == ["Her mother was a sailor.", "Anna Lee has a red boat."]
        assert {fact.entity_id for fact in facts(ledger)} == {1}
        assert verify(ledger) == []
        ledger.close()
    assert len([asked for asked in peer.asked if "format" in asked]) == 1


def test_the_server_reads_no_insight_where_that_is_switched_off(tmp_path: Path) -> None:
    photos, peer = tmp_path / "photos", Peer()
    photos.mkdir()
    (photos / "lake.jpg").write_bytes(jpeg("teal"))
    settings = {"FACE_ENGINE": "off", "OLLAMA_PRIMARY_MODEL": "peer", "ENTITIES_FROM_INSIGHTS": "no"}
    with (
        app_serving(peer.app) as ollama,
        serving(tmp_path / "data", photos, OLLAMA_PRIMARY_URL=ollama, **settings) as served,
    ):
        ask = served.client
        until(lambda: bool(ask.get("/photos").json()["items"]))
        ask.post("/insights/generate", json={"path": "lake.jpg"}).raise_for_status()
        time.sleep(0.5)
    assert peer.asked
    assert not any("format" in asked for asked in peer.asked)


def bridge_a_person(ledger: Ledger, content: bytes) -> None:
    """Anna is on the photo, and bridged to an entity of which something is known."""
    with ledger.transaction(CLI) as uow:
        person = create_person(uow, "Anna")
    with ledger.transaction(CLI) as uow:
        draw_face(uow, content, Box(0.2, 0.2, 0.4, 0.4), None, person)
    with ledger.transaction(CLI) as uow:
        entity = create_entity(uow, "Anna Lee", "person")
    with ledger.transaction(CLI) as uow:
        record_fact(uow, entity, Statement("Her mother was a sailor."))
    with ledger.transaction(CLI) as uow:
        change_person(uow, person, PersonChanges(entity_id=entity))
