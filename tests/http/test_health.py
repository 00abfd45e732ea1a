"""How the server says that it is: health, readiness, jobs and their stream."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

import anyio
import pytest

from adapters.face_engines.absent import AbsentEngine
from adapters.http.web.dependencies import StreamPace
from domain.base.actor import CLI
from domain.base.errors import Unavailable
from domain.commands.accounts import set_password
from domain.ports.watching import Watching
from tests.http.painted import paint
from tests.http.words import problem
from tests.http.world import Api, World, user
from tests.waiting import until_async

Message = MutableMapping[str, Any]


def test_a_server_that_is_well_says_so_to_everyone(world: World, ann: Api) -> None:
    told = world.client().get("/health").json()
    assert told["status"] == "ok"
    assert told["parts"]["database"] == {"status": "ok", "detail": None}
    assert ann.get("/health").json()["parts"]["faces"]["detail"] == "painted-1"
    assert world.client().get("/ready").json() == {"ready": True}


def test_an_engine_that_is_off_is_no_trouble_and_says_what_to_set(world: World) -> None:
    world.has_engine = False
    told = world.api("ann").get("/health").json()
    assert (told["status"], told["parts"]["faces"]["status"]) == ("ok", "off")
    assert "FACE_ENGINE" in told["parts"]["faces"]["detail"]


def test_a_model_that_is_not_installed_degrades_the_server_which_says_what_brings_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "The face model is not installed: run `imageapi setup --facenet`."
    monkeypatch.setattr(world, "engine", AbsentEngine(reason))
    ann = world.api("ann")
    told = ann.get("/health").json()
    assert (told["status"], told["parts"]["faces"]) == ("degraded", {"status": "degraded", "detail": reason})
    assert ann.get("/photos").status_code == 200
    assert ann.get("/faces/stats").status_code == 200


def test_what_does_not_work_is_told_in_words_to_who_is_signed_in(world: World, ann: Api) -> None:
    world.watcher.loop.trouble = "the face service at http://faces.local refused"
    told = ann.get("/health").json()
    assert told["status"] == "degraded"
    assert "refused" in json.dumps(told)
    assert "refused" not in world.api("vic").get("/health").text
    stranger = world.client().get("/health").json()
    assert stranger["status"] == "degraded"
    assert {part["detail"] for part in stranger["parts"].values()} == {None}


def test_a_limit_that_keeps_a_library_from_being_watched_is_said_with_what_to_raise(
    world: World, ann: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {1: Watching("polling", "nfs does not tell"), 2: Watching("native")}
    monkeypatch.setattr(world.watcher, "watching", lambda: states)
    assert ann.get("/health").json()["parts"]["watching"] == {"status": "ok", "detail": None}
    states[2] = Watching("polling", "raise fs.inotify.max_user_watches", limited=True)
    assert ann.get("/health").json()["parts"]["watching"] == {
        "status": "degraded",
        "detail": "raise fs.inotify.max_user_watches",
    }
    assert ann.get("/health").json()["status"] == "degraded"
    assert "inotify" not in world.api("vic").get("/health").text


def test_a_database_that_does_not_answer_is_503_everywhere(
    world: World, ann: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise Unavailable("the database cannot answer now: connection refused")

    monkeypatch.setattr(world.ledger.database, "reading", gone)
    health = world.client().get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "down")
    problem(world.client().get("/ready"), 503)
    problem(ann.get("/persons"), 503)


def test_tables_that_are_being_built_answer_503_and_are_not_ready(
    world: World, ann: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.ledger, "is_ready", lambda: False)
    problem(world.client().get("/ready"), 503)
    assert "being built" in ann.get("/health").text


def test_jobs_tell_how_far_they_are(world: World, ed: Api) -> None:
    with world.board.job("scan", "indexing More") as job:
        job.at(3, 10)
        row = ed.get("/jobs").json()["items"][0]
        assert (row["kind"], row["title"], row["state"], row["done"], row["total"]) == (
            "scan",
            "indexing More",
            "running",
            3,
            10,
        )
        assert row["ended_at"] is None
    assert ed.get("/jobs").json()["items"][0]["state"] == "done"


class Listener:
    """A client of the stream, spoken to as a server would."""

    def __init__(self, world: World, headers: dict[str, str]) -> None:
        self._app = world.app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/jobs/stream",
            "raw_path": b"/jobs/stream",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        self.messages: list[Message] = []
        self.left = anyio.Event()

    async def receive(self) -> Message:
        """The request, then nothing until the client leaves."""
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take what the server sends."""
        self.messages.append(message)

    async def listen(self) -> None:
        """Until the stream ends."""
        run: Callable[..., Awaitable[None]] = self._app
        await run(self._scope, self.receive, self.send)

    @property
    def jobs(self) -> list[list[dict[str, Any]]]:
        """The jobs of each event so far."""
        text = b"".join(message.get("body", b"") for message in self.messages[1:]).decode()
        events = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
        return [json.loads(event)["items"] for event in events]


def listener(world: World, name: str = "ed") -> Listener:
    """A listener with the token of a user."""
    row = user(world, name)
    return Listener(world, {"Authorization": f"Bearer {world.tokens.issue(row.id, row.epoch).token}"})


def test_detection_counts_from_the_start_what_a_scan_has_still_to_read(
    own_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint(own_world.folder / "work" / "new.jpg", shade=33)
    own_world.scan()
    board = own_world.board
    totals: list[int | None] = []
    board.begin("scan", "indexing Family", 10).at(4, 10)

    def note() -> None:
        totals.extend(job.total for job in board.progress() if job.kind == "detect" and job.began_at >= began)

    began = time.time_ns() // 1000
    monkeypatch.setattr(board, "changed", note)
    own_world.detect()
    assert (totals[0], totals[-1]) == (7, 1)


@pytest.fixture
def lively(world: World) -> None:
    """Streams that look more often, so that the tests need not wait."""
    world.dependencies = replace(world.dependencies, pace=StreamPace(beat=0.05, look=0.01))


@pytest.mark.usefixtures("lively")
def test_the_stream_tells_each_change_and_ends_when_the_client_leaves(world: World) -> None:
    async def scenario() -> None:
        client = listener(world)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.listen)
            await until_async(lambda: len(client.jobs) == 1)
            job = world.board.begin("scan", "indexing More")
            await until_async(lambda: len(client.jobs) == 2)
            job.at(5, 10)
            await until_async(lambda: client.jobs[-1][0]["done"] == 5)
            client.left.set()

    anyio.run(scenario)


@pytest.mark.usefixtures("lively")
def test_the_stream_begins_with_the_right_headers_and_beats_while_nothing_happens(world: World) -> None:
    async def scenario() -> None:
        client = listener(world)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.listen)
            await until_async(lambda: b": alive\n\n" in [message.get("body") for message in client.messages])
            client.left.set()
        headers = dict(client.messages[0]["headers"])
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert headers[b"cache-control"] == b"no-store"
        assert b"content-length" not in headers
        assert len(client.jobs) == 1

    anyio.run(scenario)


@pytest.mark.usefixtures("lively")
def test_the_stream_ends_with_the_session(world: World) -> None:
    async def scenario() -> None:
        client = listener(world)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.listen)
            await until_async(lambda: len(client.jobs) == 1)
            with world.ledger.transaction(CLI) as uow:
                set_password(uow, user(world, "ed").id, "another hash")
            await until_async(lambda: client.messages[-1] == {"type": "http.response.body", "body": b""})

    anyio.run(scenario)


def test_the_stream_wants_a_token(world: World) -> None:
    problem(world.client().get("/jobs/stream"), 401)
    problem(world.api("ed").post("/jobs/stream"), 405)
