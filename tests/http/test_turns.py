"""A turn outlives the connection that began it as long as somebody listens, or said that they come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn

from adapters.http.web.dependencies import StreamPace
from adapters.insights.turns import UNCLAIMED_SECONDS, Turns
from domain.base.actor import Actor
from domain.base.errors import Conflict, NotFound
from tests.http.world import World
from tests.waiting import until

ANN = {"path": "trips/ann.jpg"}
ED = Actor("ed", "editor")
PATIENCE = 20.0


@pytest.fixture
def base(world: World) -> Iterator[str]:
    """The address of the application on a real socket."""
    server = uvicorn.Server(uvicorn.Config(world.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture
def ed(world: World, base: str) -> Iterator[httpx.Client]:
    """The editor, on the real socket, with an insight to talk about."""
    headers = world.api("ed").headers
    with httpx.Client(base_url=base, headers={"Authorization": headers["authorization"]}, trust_env=False) as client:
        client.post("/insights/generate", json=ANN).raise_for_status()
        yield client


def heard(lines: Iterator[str], until_kind: str) -> list[tuple[int, str, Any]]:
    """Events of a stream up to the first of this kind."""
    found = []
    number, kind = 0, ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            number = int(value)
        elif name == "event":
            kind = value
        elif name == "data":
            found.append((number, kind, json.loads(value)))
            if kind == until_kind:
                break
    return found


def test_a_client_that_leaves_stops_the_model_and_nothing_is_recorded(world: World, ed: httpx.Client) -> None:
    head = world.ledger.head()
    world.model.script = [["It ", threading.Event()]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x"}) as stream:
        lines = stream.iter_lines()  # letting go of it would close the connection
        assert heard(lines, "text")[0][2] == {"text": "It "}
        assert not world.model.stopped.is_set()
    assert world.model.stopped.wait(PATIENCE)
    assert world.ledger.head() == head
    until(lambda: ed.post("/insights/chat", json={**ANN, "message": "y"}).status_code == 200)


@pytest.mark.parametrize("path", ["/insights/chat", "/insights/generate"])
def test_who_waits_for_the_whole_answer_and_leaves_stops_the_model(world: World, ed: httpx.Client, path: str) -> None:
    world.model.script = [[threading.Event()]]
    with pytest.raises(httpx.ReadTimeout):
        ed.post(path, json={**ANN, "message": "x"}, timeout=2)
    assert world.model.stopped.wait(PATIENCE)


def test_who_said_to_come_back_hears_the_rest_once(world: World, ed: httpx.Client, base: str) -> None:
    going_on = threading.Event()
    world.model.script = [["One ", "two ", going_on, "three."]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x", "linger": 60}) as stream:
        turn = stream.headers["turn-id"]
        first = heard(stream.iter_lines(), "text")
    shown = ed.get("/insights/chat/history", params=ANN).json()
    assert shown["turn"] == turn
    ann = httpx.Client(base_url=base, headers={"Authorization": world.api("ann").headers["authorization"]})
    assert ann.get("/insights/chat/stream", params={"turn": turn}).status_code == 404, "it is another one's"
    ann.close()
    again = {"Last-Event-ID": str(first[-1][0])}
    with ed.stream("GET", "/insights/chat/stream", params={"turn": turn}, headers=again) as stream:
        going_on.set()
        rest = heard(stream.iter_lines(), "done")
    assert [number for number, _, _ in first + rest] == list(range(1, len(first + rest) + 1))
    assert "".join(data["text"] for _, kind, data in first + rest if kind == "text") == "One two three."
    assert ed.get("/insights/chat/history", params=ANN).json()["messages"][-1] == rest[-1][2]["message"]
    whole = ed.get("/insights/chat/stream", params={"turn": turn})
    assert heard(iter(whole.text.splitlines()), "done")[-1] == rest[-1], "the end can be heard again for a while"
    assert not world.model.stopped.is_set()


def test_who_does_not_come_back_in_time_stops_the_model(world: World, ed: httpx.Client) -> None:
    world.model.script = [["One ", threading.Event()]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x", "linger": 0.2}) as stream:
        turn = stream.headers["turn-id"]
        heard(stream.iter_lines(), "text")
    assert world.model.stopped.wait(PATIENCE)
    until(lambda: ed.get("/insights/chat/history", params=ANN).json()["turn"] is None)
    assert heard(iter(ed.get("/insights/chat/stream", params={"turn": turn}).text.splitlines()), "done")[1:] == []


def test_a_turn_goes_on_while_one_of_two_listens(world: World, ed: httpx.Client) -> None:
    going_on = threading.Event()
    world.model.script = [["One ", going_on, "two."]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x"}) as stream:
        turn, lines = stream.headers["turn-id"], stream.iter_lines()
        heard(lines, "text")
        other = ed.stream("GET", "/insights/chat/stream", params={"turn": turn})
        others = other.__enter__().iter_lines()
        assert heard(others, "text")[0][2] == {"text": "One "}
    going_on.set()
    assert heard(others, "done")[-1][1] == "done"
    other.__exit__(None, None, None)


def test_a_turn_that_lingers_is_stopped_where_the_one_who_asked_says_so(world: World, ed: httpx.Client) -> None:
    world.model.script = [["One ", threading.Event()]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x", "linger": 60}) as stream:
        turn, lines = stream.headers["turn-id"], stream.iter_lines()
        heard(lines, "text")
        assert ed.delete("/insights/chat/stream", params={"turn": "another"}).status_code == 404
        assert ed.delete("/insights/chat/stream", params={"turn": turn}).status_code == 204
        assert heard(lines, "done") == [], "it ends without an end"
    assert world.model.stopped.is_set()
    assert len(ed.get("/insights/chat/history", params=ANN).json()["messages"]) == 2


def test_a_head_request_does_not_listen(world: World, ed: httpx.Client) -> None:
    going_on = threading.Event()
    world.model.script = [["One ", going_on]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x"}) as stream:
        turn, lines = stream.headers["turn-id"], stream.iter_lines()
        heard(lines, "text")
        assert ed.head("/insights/chat/stream", params={"turn": turn}).status_code == 200
        assert not world.model.stopped.is_set()
        going_on.set()


@pytest.fixture
def hurried(world: World) -> None:
    """An application whose streams wait for little."""
    world.dependencies = replace(world.dependencies, pace=StreamPace(beat=0.05, first=0.05))


@pytest.mark.usefixtures("hurried")
def test_a_stream_begins_before_the_first_word_where_that_takes_long(world: World, ed: httpx.Client) -> None:
    going_on = threading.Event()
    world.model.script = [[going_on, "One."]]
    with ed.stream("POST", "/insights/chat/stream", json={**ANN, "message": "x"}) as stream:
        lines = stream.iter_lines()
        assert [next(lines) for _ in range(3)] == [": alive", "", ": alive"]
        going_on.set()
        assert heard(lines, "done")[-1][1] == "done"


async def nothing(_: object) -> None:
    """A turn in which nothing happens."""


def test_a_claim_that_nobody_comes_for_is_free_again() -> None:
    board = Turns()
    first = board.claim("insight-1", ED, nothing, 0)
    with pytest.raises(Conflict):
        board.claim("insight-1", ED, nothing, 0)
    assert board.going_on("insight-1", ED) is first
    first.claimed_at -= UNCLAIMED_SECONDS + 1
    assert board.going_on("insight-1", ED) is None
    second = board.claim("insight-1", ED, nothing, 0)
    first._release(first)
    assert board.going_on("insight-1", ED) is second, "who comes too late does not take another one's place"
    with pytest.raises(NotFound):
        board.find(first.id, ED)
