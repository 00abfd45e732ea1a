"""Taking back that a summary was deleted. That one was written is no decision, and stays."""

from __future__ import annotations

from collections.abc import Iterable

from domain.base.errors import Conflict
from domain.events.event import Event, Recorded
from domain.events.summary import SummaryDeleted, SummaryRestored
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_may_read_summaries
from domain.undo.inverses import blocked
from domain.undo.undoable import takes_back


def _require(uow: UnitOfWork, summary_id: int, recorded: Recorded, *, deleted: bool) -> None:
    """Raises where the actor may not read the summary, another one took its place, or it is `deleted` or not."""
    require_may_read_summaries(uow.actor)
    summary = uow.summaries.get(summary_id)
    if summary is None or summary.superseded_by is not None:
        raise Conflict(f"another summary took the place of summary {summary_id}: delete that one")
    if summary.deleted != deleted:
        raise blocked(uow, recorded, recorded.stream, (SummaryDeleted, SummaryRestored), "changed the same summary")


@takes_back(SummaryDeleted)
def _deleted(uow: UnitOfWork, recorded: Recorded, event: SummaryDeleted) -> Iterable[Event]:
    _require(uow, event.summary_id, recorded, deleted=True)
    yield SummaryRestored(event.summary_id)


@takes_back(SummaryRestored)
def _restored(uow: UnitOfWork, recorded: Recorded, event: SummaryRestored) -> Iterable[Event]:
    _require(uow, event.summary_id, recorded, deleted=False)
    yield SummaryDeleted(event.summary_id)
