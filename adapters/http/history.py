"""What happened to one person, one face, one photo; and why a face is whose."""

from __future__ import annotations

from typing import Final

import msgspec

from adapters.http.declaring import Answer, Call, Routes
from adapters.http.operations import EventRow, OperationRow, event_row, is_told, operation_row
from adapters.http.paging import USUAL_LIMIT, AfterId, Cursor, Limit, Page, cursor_of, place_of
from adapters.http.sight import LibraryParam, photo_at, seen_person
from adapters.http.times import Moment, moment
from domain.errors import NotFound
from domain.operation import Operation
from projections import history as told
from projections.faces import FaceView
from projections.lookups import Lookups

routes = Routes("History")

MOST_EVENTS: Final = 1000


class HistoryQuery(msgspec.Struct):
    """How much, and from where on."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class PhotoHistoryQuery(msgspec.Struct):
    """Which photo, how much, and from where on."""

    path: str
    library: LibraryParam | None = None
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class Reason(msgspec.Struct):
    """Why a face is whose: `rule` is `user`, `tag`, `only-face`, `carried` (over to a file that was saved anew) or
    `xmp` (read from what another program wrote); where a model was asked, the cosine `similarity` and the `threshold`
    that it passed. `person_id` is the person that was named then, who may have been merged since: `now` is who that is
    today. `superseded` says that it holds no longer."""

    person_id: int
    person_name: str
    now_id: int | None
    now_name: str | None
    rule: str
    actor: str
    at: Moment
    operation_id: int
    model_version: str | None
    similarity: float | None
    threshold: float | None
    superseded: bool


class FaceHistory(msgspec.Struct):
    """A face, which engine found it or who drew it, every reason it was ever given a person, the newest first, and all
    its events, the oldest first."""

    face: FaceView
    found_by: str
    reasons: list[Reason]
    events: list[EventRow]


@routes("GET", "/persons/{id}/history", query=HistoryQuery, answers=Page[OperationRow], errors=(404,))
def history_of_person(call: Call, id: int, query: HistoryQuery) -> Answer:
    """What was done with a person, and with everyone merged into it, newest first."""
    before = None if query.cursor is None else place_of(query.cursor, AfterId).id
    with call.parts.ledger.reading(call.actor) as tables:
        seen_person(tables, id)
        behind = told.everyone_behind(tables, id)
        rows = tables.operations.latest(query.limit + 1, before, persons=behind)
        return _page(tables, rows, query.limit)


@routes("GET", "/image/history", query=PhotoHistoryQuery, answers=Page[OperationRow], errors=(404,))
def history_of_photo(call: Call, query: PhotoHistoryQuery) -> Answer:
    """What was done with a photo, its copies, its faces, tags and insights, newest first."""
    before = None if query.cursor is None else place_of(query.cursor, AfterId).id
    with call.parts.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        streams = told.streams_of_photo(tables, media)
    ids = call.parts.ledger.operations_on(streams, query.limit + 1, before)
    with call.parts.ledger.reading(call.actor) as tables:
        return _page(tables, tables.operations.these(ids), query.limit)


@routes("GET", "/image/faces/{id}/history", answers=FaceHistory, errors=(404,))
def history_of_face(call: Call, id: int) -> Answer:
    """Why is this Anna: which engine or user, which similarity against which threshold, and what superseded it."""
    events = list(reversed(call.parts.ledger.history([f"face-{id}"], MOST_EVENTS)))
    with call.parts.ledger.reading(call.actor) as tables:
        view = tables.faces.view(id)
        if view is None:
            raise NotFound(f"there is no face {id}")
        reasons = [_reason(each) for each in told.reasons(tables, events)]
        rows = [event_row(each, call.actor) for each in events]
        return Answer(FaceHistory(view, told.found_by(events), reasons, rows))


def _page(tables: Lookups, rows: list[Operation], limit: int) -> Answer:
    kept = rows[:limit]
    cursor = cursor_of(AfterId(kept[-1].id)) if len(rows) > limit else None
    return Answer(Page([operation_row(operation) for operation in kept if is_told(tables, operation)], cursor))


def _reason(reason: told.Reason) -> Reason:
    now = reason.now
    return Reason(
        reason.person_id,
        "" if reason.person is None else reason.person.name,
        None if now is None else now.id,
        None if now is None else now.name,
        reason.rule,
        reason.actor,
        moment(reason.at),
        reason.operation_id,
        reason.model_version,
        reason.similarity,
        reason.threshold,
        reason.superseded,
    )
