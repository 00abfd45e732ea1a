"""How the server is: `/health`, `/ready` and `/jobs`."""

from __future__ import annotations

from typing import Literal

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request

from adapters.http.web import Call, Dependencies, Page, Reply, Routes
from adapters.http.web.sse import ServerSentEvents, Source
from adapters.http.web.views.job_rows import JobRow, job_rows
from adapters.store.ledger import Ledger
from domain.base.actor import Actor
from domain.base.errors import Unavailable

routes = Routes("Server")


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


@routes("GET", "/health", role=None, answers=Health, also=(503,))
def show_health(call: Call) -> Reply:
    """How the server is, with reasons in words for who is signed in; 503 where the database does not answer."""
    dependencies = call.dependencies
    found = {"database": _database(dependencies.ledger), "faces": _engine(dependencies)}
    missing = dependencies.work.missing_roots()
    found["libraries"] = PartHealth("ok")
    if missing:
        count = f"{len(missing)} {'library' if len(missing) == 1 else 'libraries'} cannot be looked at"
        found["libraries"] = PartHealth("degraded", "; ".join(missing.values()) if call.actor.is_admin else count)
    found["watching"] = _watching(call)
    for name, trouble in dependencies.work.troubles().items():
        found[name] = PartHealth("degraded", trouble if call.actor.is_admin else "does not work now")
    if call.user is None:
        found = {name: PartHealth(part.status) for name, part in found.items()}
    down = found["database"].status == "degraded"
    worst: Literal["ok", "degraded"] = "degraded" if any(p.status == "degraded" for p in found.values()) else "ok"
    health = Health("down" if down else worst, dependencies.version, found)
    return Reply(health, 503 if down else 200, {"Cache-Control": "no-store"})


@routes("GET", "/ready", role=None, answers=Ready)
def show_ready(call: Call) -> Reply:
    """Whether requests are answered: 503 until the read tables of this version are there."""
    if not call.dependencies.ledger.is_ready():
        raise Unavailable("the read tables of this version are being built")
    return Reply(Ready(ready=True), headers={"Cache-Control": "no-store"})


@routes("GET", "/jobs", answers=Page[JobRow])
def list_jobs(call: Call) -> Reply:
    """What the server does now and what it did last, the newest first."""
    return Reply(Page(job_rows(call.dependencies.work.progress(), call.actor)))


def _database(ledger: Ledger) -> PartHealth:
    try:
        ready = ledger.is_ready()
    except Unavailable as error:
        return PartHealth("degraded", str(error))
    return PartHealth("ok") if ready else PartHealth("ok", "the read tables of this version are being built")


def _watching(call: Call) -> PartHealth:
    """Degraded where a limit of the system keeps a library from being watched; that a disk cannot be is no fault."""
    limits = {state.reason or "" for state in call.dependencies.work.watching().values() if state.limited}
    if not limits:
        return PartHealth("ok")
    text = "; ".join(sorted(limits))
    return PartHealth("degraded", text if call.actor.is_admin else "a limit of the system is reached")


def _engine(dependencies: Dependencies) -> PartHealth:
    if dependencies.engine is None:
        return PartHealth("off", dependencies.engine_absent)
    try:
        return PartHealth("ok", dependencies.engine.model_version)
    except Unavailable as error:
        return PartHealth("degraded", str(error))


@routes.stream("/jobs/stream")
class JobStream(ServerSentEvents):
    """`GET /jobs/stream`: the jobs as server-sent events, one at once and one whenever something changed."""

    async def begin(self, request: Request) -> Source:
        """Tell the jobs as they are, and then whatever changes."""
        shown: bytes | None = None

        async def news(actor: Actor) -> bytes:
            nonlocal shown
            if shown is not None:
                await anyio.sleep(self.dependencies.pace.look)
            now = msgspec.json.encode(Page(job_rows(self.dependencies.work.progress(), actor)))
            if now == shown:
                return b""
            shown = now
            return b"data: " + now + b"\n\n"

        return news
