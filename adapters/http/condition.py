"""How the server is: `/health`, `/ready` and `/jobs`."""

from __future__ import annotations

from typing import Any, Final, Literal

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.declaring import Answer, Call, Routes
from adapters.http.identity import identify
from adapters.http.paging import Page
from adapters.http.parts import Job, Parts
from adapters.http.presence import while_present
from adapters.http.problems import refusal
from adapters.http.times import Moment, moment
from domain.actor import Actor
from domain.errors import ImageApiError, Unavailable
from projections.lookups import Ledger

routes = Routes("Server")

LOOK_SECONDS: Final = 0.5
"""How often the stream looks whether a job changed; a look is a comparison in memory."""
BEAT_SECONDS: Final = 15.0
"""How often the stream says that it is alive and asks whether the session still is."""


class PartHealth(msgspec.Struct):
    """One part of the server; `detail` says what is wrong and is left out for who is not signed in."""

    status: Literal["ok", "degraded", "off"]
    detail: str | None = None


class Health(msgspec.Struct):
    """`ok`, `degraded` where something does not work now, `down` where the database does not answer."""

    status: Literal["ok", "degraded", "down"]
    version: str
    parts: dict[str, PartHealth]


class Ready(msgspec.Struct):
    """Whether requests are answered."""

    ready: bool


class JobRow(msgspec.Struct):
    """One piece of long work: `state` is `running`, `waiting` (`note` says for what) or `done`; `rate` is items a
    second."""

    id: int
    kind: str
    title: str
    state: str
    done: int
    total: int | None
    rate: float | None
    seconds_left: float | None
    note: str | None
    began_at: Moment
    ended_at: Moment | None


@routes("GET", "/health", role=None, answers=Health, also=(503,))
def show_health(call: Call) -> Answer:
    """How the server is, with reasons in words for who is signed in; 503 where the database does not answer."""
    parts = call.parts
    found = {"database": _database(parts.ledger), "faces": _engine(parts)}
    missing = parts.work.missing_roots()
    found["libraries"] = PartHealth("ok")
    if missing:
        count = f"{len(missing)} {'library' if len(missing) == 1 else 'libraries'} cannot be reached"
        found["libraries"] = PartHealth("degraded", "; ".join(missing.values()) if call.actor.is_admin else count)
    for name, trouble in parts.work.troubles().items():
        found[name] = PartHealth("degraded", trouble if call.actor.is_admin else "does not work now")
    if call.user is None:
        found = {name: PartHealth(part.status) for name, part in found.items()}
    down = found["database"].status == "degraded"
    worst: Literal["ok", "degraded"] = "degraded" if any(p.status == "degraded" for p in found.values()) else "ok"
    health = Health("down" if down else worst, parts.version, found)
    return Answer(health, 503 if down else 200, {"Cache-Control": "no-store"})


@routes("GET", "/ready", role=None, answers=Ready)
def show_ready(call: Call) -> Answer:
    """Whether requests are answered: 503 until the read tables of this version are there."""
    if not call.parts.ledger.is_ready():
        raise Unavailable("the read tables of this version are being built")
    return Answer(Ready(ready=True), headers={"Cache-Control": "no-store"})


@routes("GET", "/jobs", answers=Page[JobRow])
def list_jobs(call: Call) -> Answer:
    """What the server does now and what it did last, the newest first."""
    return Answer(Page(rows_of(call.parts.work.progress(), call.actor)))


def rows_of(jobs: Any, actor: Actor) -> list[JobRow]:
    """Jobs as a user sees them: who sees some libraries only is told no title, which may name another."""
    return [_row(job, tells=actor.libraries is None) for job in jobs]


def _row(job: Job, *, tells: bool) -> JobRow:
    return JobRow(
        job.id,
        job.kind,
        job.title if tells else job.kind,
        job.state,
        job.done,
        job.total,
        job.rate,
        job.seconds_left,
        job.note if tells else None,
        moment(job.began_at),
        None if job.ended_at is None else moment(job.ended_at),
    )


def _database(ledger: Ledger) -> PartHealth:
    try:
        ready = ledger.is_ready()
    except Unavailable as error:
        return PartHealth("degraded", str(error))
    return PartHealth("ok") if ready else PartHealth("ok", "the read tables of this version are being built")


def _engine(parts: Parts) -> PartHealth:
    if parts.engine is None:
        return PartHealth("off", parts.engine_absent)
    try:
        return PartHealth("ok", parts.engine.model_version)
    except Unavailable as error:
        return PartHealth("degraded", str(error))


class JobStream:
    """`GET /jobs/stream`: the jobs as server-sent events, one at once and one whenever something changed."""

    def __init__(self, parts: Parts, threads: anyio.CapacityLimiter) -> None:
        self._parts = parts
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client leaves or its session ends."""
        request = Request(scope)
        try:
            actor = await self._actor(request)
        except ImageApiError as error:
            await refusal(error)(scope, receive, send)
            return
        start = Response(
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type="text/event-stream"
        )
        del start.headers["content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": start.raw_headers})

        async def stream() -> None:
            await self._stream(request, actor, send)

        await while_present(receive, stream)

    async def _actor(self, request: Request) -> Actor:
        return (await anyio.to_thread.run_sync(identify, self._parts, request, limiter=self._threads)).actor

    async def _stream(self, request: Request, actor: Actor, send: Send) -> None:
        told: bytes | None = None
        beat = anyio.current_time()
        while True:
            now = msgspec.json.encode(Page(rows_of(self._parts.work.progress(), actor)))
            if now != told:
                told = now
                await _send(send, b"data: " + now + b"\n\n")
            if anyio.current_time() - beat >= BEAT_SECONDS:
                beat = anyio.current_time()
                try:
                    actor = await self._actor(request)
                except ImageApiError:
                    await send({"type": "http.response.body", "body": b""})
                    return
                await _send(send, b": alive\n\n")
            await anyio.sleep(LOOK_SECONDS)


async def _send(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})
