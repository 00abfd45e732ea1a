"""Jobs as clients see them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.background.jobs import Job
from adapters.http.web.times import Moment, moment
from domain.base.actor import Actor


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


def job_rows(jobs: Iterable[Job], actor: Actor) -> list[JobRow]:
    """Jobs as a user sees them: who sees some libraries only is told no title, which may name another."""
    return [_row(job, tells=actor.libraries is None) for job in jobs]


def _row(job: Job, *, tells: bool) -> JobRow:
    shown = job if tells else msgspec.structs.replace(job, title=job.kind, note=None)
    ended_at = None if job.ended_at is None else moment(job.ended_at)
    return JobRow(**{**msgspec.structs.asdict(shown), "began_at": moment(job.began_at), "ended_at": ended_at})
