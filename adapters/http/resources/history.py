"""What happened to one person, one face, one photo; and why a face is whose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    Limit,
    Moment,
    Page,
    Reply,
    Routes,
    id_of,
    is_known,
    moment,
    next_cursor,
    person_of,
    photo_at,
)
from adapters.http.web.views.media import PhotoQuery
from adapters.http.web.views.operations import EventRow, OperationRow, event_row, operation_row
from domain.base.errors import NotFound
from domain.events.operation import Operation
from domain.events.person import Person
from domain.rules.access import knows_person
from projections.queries.faces import FaceView
from projections.queries.history import FaceAssignmentReason, everyone_behind, found_by, reasons, streams_of_photo
from projections.queries.reading import Lookups

routes = Routes("History")

MOST_EVENTS: Final = 1000


class HistoryQuery(msgspec.Struct):
    """How much, and from where on."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class PhotoHistoryQuery(PhotoQuery):
    """Which photo, how much, and from where on."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class AssignmentReason(msgspec.Struct):
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
    reasons: list[AssignmentReason]
    events: list[EventRow]


@routes("GET", "/persons/{id}/history", query=HistoryQuery, answers=Page[OperationRow], errors=(404,))
def history_of_person(call: Call, id: int, query: HistoryQuery) -> Reply:
    """What was done with a person, and with everyone merged into it, newest first. Who sees some libraries only is told
    of what others did there without names."""
    before = id_of(query.cursor)
    with call.dependencies.ledger.reading(call.actor) as tables:
        person_of(tables, id)
        behind = everyone_behind(tables, id)
        rows = tables.operations.latest(query.limit + 1, before, persons=behind)

    def is_seen(operation: Operation) -> bool:
        return is_known(call.dependencies.ledger, call.actor, operation, behind)

    return _page(call, rows, query.limit, is_seen)


@routes("GET", "/image/history", query=PhotoHistoryQuery, answers=Page[OperationRow], errors=(404,))
def history_of_photo(call: Call, query: PhotoHistoryQuery) -> Reply:
    """What was done with a photo, its copies, its faces, tags and insights, newest first. Who sees some libraries
    only is told of what others did without names."""
    before = id_of(query.cursor)
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        streams = streams_of_photo(tables, media)
    ids = call.dependencies.ledger.operations_on(streams, query.limit + 1, before)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = tables.operations.these(ids)
    return _page(call, rows, query.limit)


@routes("GET", "/image/faces/{id}/history", answers=FaceHistory, errors=(404,))
def history_of_face(call: Call, id: int) -> Reply:
    """Why is this Anna: which engine or user, which similarity against which threshold, and what superseded it."""
    events = list(reversed(call.dependencies.ledger.history([f"face-{id}"], MOST_EVENTS)))
    with call.dependencies.ledger.reading(call.actor) as tables:
        view = tables.faces.view(id)
        if view is None:
            raise NotFound(f"there is no face {id}")
        given = [_reason(tables, each) for each in reasons(tables, events)]
        rows = [event_row(each, call.actor) for each in events]
        return Reply(FaceHistory(view, found_by(events), given, rows))


def _page(
    call: Call, rows: list[Operation], limit: int, is_seen: Callable[[Operation], bool] = lambda operation: True
) -> Reply:
    """A page of those that the asker sees."""
    kept = rows[:limit]
    cursor = next_cursor(rows, limit)
    return Reply(Page([operation_row(operation, call.actor) for operation in kept if is_seen(operation)], cursor))


def _reason(tables: Lookups, reason: FaceAssignmentReason) -> AssignmentReason:
    """A reason as the asker sees it: no name of a person that is now out of their sight."""
    person, now = (_named(tables, each) for each in (reason.person, reason.now))
    return AssignmentReason(
        person_id=reason.person_id,
        person_name="" if person is None else person.name,
        now_id=None if now is None else now.id,
        now_name=None if now is None else now.name,
        rule=reason.rule,
        actor=reason.actor,
        at=moment(reason.at),
        operation_id=reason.operation_id,
        model_version=reason.model_version,
        similarity=reason.similarity,
        threshold=reason.threshold,
        superseded=reason.superseded,
    )


def _named(tables: Lookups, person: Person | None) -> Person | None:
    if person is None or knows_person(tables, person.id):
        return person
    return None
