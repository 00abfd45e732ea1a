"""What keeps the server in order: figures for whoever watches it, and the read tables."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from adapters.http.web import Call, Reply, Routes
from adapters.http.web.views.job_rows import JobRow, job_rows
from adapters.store.generation_status import GenerationStatus, State, generation_statuses

routes = Routes("Server")

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class GenerationRow(msgspec.Struct):
    """One generation of read tables: `live` answers requests, `building` is being filled, `other` serves another
    version of imageapi, `old` is dropped soon, `scratch` is of a comparison. `progress` is the part of the log that it
    holds, from 0 to 1; `fingerprint` names the shape of its tables; `rows` counts each of those that will stay."""

    number: int
    state: State
    fingerprint: str
    position: int
    progress: float
    rows: dict[str, int]


class PolicyRow(msgspec.Struct):
    """How far a policy has read the log: `lag` events are left."""

    name: str
    position: int
    lag: int


class Projections(msgspec.Struct):
    """The log's last position, every generation of read tables, and every policy."""

    head: int
    generations: list[GenerationRow]
    policies: list[PolicyRow]


class RebuildWish(msgspec.Struct):
    """`drop_old` also drops the tables of other versions of imageapi, which must not be serving any more."""

    drop_old: bool = False


@routes("GET", "/metrics", role="admin", media_types=("text/plain",))
def show_metrics(call: Call) -> Reply:
    """The server in figures, in Prometheus' text format.

    Prometheus sends an API key of an admin with the scope `admin` as its bearer token.
    """
    text = call.dependencies.metrics.exposition(call.dependencies.figures())
    return Reply(response=Response(text, 200, {"Cache-Control": "no-store", "Content-Type": PROMETHEUS}))


@routes("GET", "/admin/projections", role="admin", answers=Projections)
def show_projections(call: Call) -> Reply:
    """The read tables and how far each has come; counts every row."""
    ledger = call.dependencies.ledger
    head = ledger.head()
    generations = [_generation(each) for each in generation_statuses(ledger)]
    policies = [PolicyRow(name, at, max(0, head - at)) for name, at in sorted(call.dependencies.policies().items())]
    return Reply(Projections(head, generations, policies), headers={"Cache-Control": "no-store"})


@routes(
    "POST", "/admin/rebuild", role="admin", body=RebuildWish, answers=JobRow, status=202, errors=(409,), records=False
)
def start_rebuild(call: Call, body: RebuildWish) -> Reply:
    """Build the read tables anew from the log, beside the live ones, and swap; reads and writes go on.

    The job's progress is in `/jobs`. Where a rebuild or comparison is at it in any process, this answers 409.
    """
    job = call.dependencies.rebuilds.start(body.drop_old)
    return Reply(job_rows([job], call.actor)[0], 202, {"Cache-Control": "no-store"})


def _generation(generation: GenerationStatus) -> GenerationRow:
    return GenerationRow(
        number=generation.number,
        state=generation.state,
        fingerprint=generation.fingerprint,
        position=generation.position,
        progress=round(generation.position / generation.head, 4) if generation.head else 1.0,
        rows=dict(generation.rows),
    )
