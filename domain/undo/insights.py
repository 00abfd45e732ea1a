"""Taking back what was done to insights and their transcripts."""

from __future__ import annotations

from collections.abc import Iterable

from domain.base.errors import Conflict
from domain.events.event import Event, Recorded
from domain.events.insight import (
    Insight,
    InsightDeleted,
    InsightRated,
    InsightRestored,
    InsightWritten,
    TranscriptAppended,
    TranscriptRewound,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_photo_in_sight
from domain.rules.transcripts import folded
from domain.undo.inverses import Kinds, blocked, require_last_write
from domain.undo.undoable import takes_back

TURNS: Kinds = (TranscriptAppended, TranscriptRewound)


def _insight(uow: UnitOfWork, insight_id: int, recorded: Recorded, *, deleted: bool = False) -> Insight:
    insight = uow.insights.get(insight_id)
    if insight is None:
        raise Conflict(f"insight {insight_id} is not there any more")
    require_photo_in_sight(uow, insight.content_hash, "a photo")
    if insight.deleted != deleted:
        raise blocked(uow, recorded, recorded.stream, (InsightDeleted, InsightRestored), "took the insight back")
    return insight


@takes_back(InsightWritten)
def _written(uow: UnitOfWork, recorded: Recorded, event: InsightWritten) -> Iterable[Event]:
    _insight(uow, event.insight_id, recorded)
    yield InsightDeleted(event.insight_id)


@takes_back(InsightDeleted)
def _deleted(uow: UnitOfWork, recorded: Recorded, event: InsightDeleted) -> Iterable[Event]:
    _insight(uow, event.insight_id, recorded, deleted=True)
    yield InsightRestored(event.insight_id)


@takes_back(InsightRestored)
def _restored(uow: UnitOfWork, recorded: Recorded, event: InsightRestored) -> Iterable[Event]:
    _insight(uow, event.insight_id, recorded)
    yield InsightDeleted(event.insight_id)


@takes_back(InsightRated)
def _rated(uow: UnitOfWork, recorded: Recorded, event: InsightRated) -> Iterable[Event]:
    insight = _insight(uow, event.insight_id, recorded)
    require_last_write(uow, recorded, (InsightRated,), "rated the insight", stands=insight.rating == event.rating)
    yield InsightRated(event.insight_id, event.was, event.rating)


@takes_back(TranscriptAppended)
def _appended(uow: UnitOfWork, recorded: Recorded, event: TranscriptAppended) -> Iterable[Event]:
    _insight(uow, event.insight_id, recorded)
    stands = len(uow.transcripts.of(event.insight_id)) == event.start + len(event.messages)
    require_last_write(uow, recorded, TURNS, "changed the conversation", stands=stands)
    yield TranscriptRewound(event.insight_id, event.start)


@takes_back(TranscriptRewound)
def _rewound(uow: UnitOfWork, recorded: Recorded, event: TranscriptRewound) -> Iterable[Event]:
    _insight(uow, event.insight_id, recorded)
    stands = len(uow.transcripts.of(event.insight_id)) == event.kept
    require_last_write(uow, recorded, TURNS, "changed the conversation", stands=stands)
    before = [past.event for past in uow.later_in(recorded.stream, 0) if past.position < recorded.position]
    yield TranscriptAppended(event.insight_id, event.kept, folded(before)[event.kept :])
