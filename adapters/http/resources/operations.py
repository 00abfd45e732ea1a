"""History: what was done, by whom, and taking it back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    FieldError,
    Id,
    Invalid,
    Limit,
    Page,
    Reply,
    Routes,
    events_in_sight,
    id_of,
    known_operation,
    next_cursor,
    person_of,
    photo_at,
    write,
)
from adapters.http.web.views.operations import EventRow, OperationRow, event_row, operation_row
from adapters.store.transaction import Transaction
from domain.base.errors import NotFound
from domain.events.operation import Operation
from domain.undo.operations import undo_or_say_what_is_in_the_way, undo_with_later
from projections.queries.history import streams_of_photo
from projections.queries.reading import Lookups

routes = Routes("History")

MOST_EVENTS: Final = 500
PHOTO_BATCH: Final = 500
"""Operations of a photo that are looked at at once; few photos ever have as many."""


class OperationsQuery(msgspec.Struct):
    """Which operations."""

    actor: Annotated[str, Meta(description="who did it")] | None = None
    kind: str | None = None
    person: Annotated[Id, Meta(description="only operations that concerned this person")] | None = None
    path: Annotated[str, Meta(description="only operations on this photo, its copies, tags and faces")] | None = None
    library: Annotated[str, Meta(description="id or name of the library that the path is in")] | None = None
    before: Annotated[Id, Meta(description="only operations with a smaller id")] | None = None
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class UndoQuery(msgspec.Struct):
    """How far to go back."""

    with_later: Annotated[bool, Meta(description="also take back what stands in the way")] = False


class OperationWithEvents(OperationRow):
    """An operation with its first events; `truncated` says that there are more."""

    events: list[EventRow] = msgspec.field(default_factory=list)
    truncated: bool = False


@routes("GET", "/operations", query=OperationsQuery, answers=Page[OperationRow], errors=(404,))
def list_operations(call: Call, query: OperationsQuery) -> Reply:
    """What was done, newest first.

    Who sees some libraries only sees the own operations only; what admins did with accounts is told to admins only.
    """
    before = query.before if query.cursor is None else id_of(query.cursor)
    rows = _on_photo(call, query, query.path, before) if query.path is not None else _on_anything(call, query, before)
    kept = rows[: query.limit]
    cursor = next_cursor(rows, query.limit)
    return Reply(Page([operation_row(operation, call.actor) for operation in kept], cursor))


@routes("GET", "/operations/{id}", answers=OperationWithEvents, errors=(404,))
def show_operation(call: Call, id: int) -> Reply:
    """One operation with its events. Who sees some libraries only is told of what others did there without names, and
    of those events alone that concern what they see."""
    operation = known_operation(call.dependencies.ledger, call.actor, id)
    if operation.may_be_read_by(call.actor):
        found = call.dependencies.ledger.events_of(id, MOST_EVENTS + 1)
    else:
        found = events_in_sight(call.dependencies.ledger, call.actor, id, MOST_EVENTS + 1)
    events = [event_row(each, call.actor) for each in found[:MOST_EVENTS] if not each.event.private]
    truncated = len(found) > MOST_EVENTS
    row = msgspec.structs.asdict(operation_row(operation, call.actor))
    return Reply(OperationWithEvents(**row, events=events, truncated=truncated))


@routes(
    "POST",
    "/operations/{id}/undo",
    query=UndoQuery,
    answers=OperationRow,
    role="editor",
    errors=(403, 404, 409, 422),
    rehearses=True,
)
def undo_operation(call: Call, id: int, query: UndoQuery) -> Reply:
    """Take back all that an operation did; answers the operation that did so, whose undo is redo.

    What others did, and who asks does not wholly see, needs an admin (403).

    409 names the later operation in the way by `operation_id`, and with `operations` all that would have to be taken
    back first, the last first; with `with_later=true` they are.
    """

    def take_back(uow: Transaction) -> int:
        return undo_with_later(uow, id) if query.with_later else undo_or_say_what_is_in_the_way(uow, id)

    def answer(uow: Transaction, undone_by: int) -> OperationRow:
        return operation_row(_found(uow, undone_by), call.actor)

    return write(call, take_back, answer)


def _on_anything(call: Call, query: OperationsQuery, before: int | None) -> list[Operation]:
    if query.library is not None:
        raise Invalid((FieldError("library", "name the path of a photo too: a library only says where that is"),))
    with call.dependencies.ledger.reading(call.actor) as tables:
        return _latest(tables, query, before)


def _on_photo(call: Call, query: OperationsQuery, path: str, before: int | None) -> list[Operation]:
    """As `_latest`, of one photo; the log and the tables are read in turn, never with two connections at once."""
    ledger = call.dependencies.ledger
    with ledger.reading(call.actor) as tables:
        streams = streams_of_photo(tables, photo_at(tables, path, query.library))
    found: list[Operation] = []
    while True:
        ids = ledger.operations_on(streams, PHOTO_BATCH, before)
        with ledger.reading(call.actor) as tables:
            found += _latest(tables, query, before, ids)
        if len(found) > query.limit or len(ids) < PHOTO_BATCH:
            return found
        before = ids[-1]


def _latest(
    lookups: Lookups, query: OperationsQuery, before: int | None, among: Collection[int] | None = None
) -> list[Operation]:
    """One more than a page of the operations that the asker may see, of these ids where given."""
    actor = query.actor
    if lookups.actor.is_restricted:
        if actor is not None and actor != lookups.actor.name:
            return []
        actor = lookups.actor.name
    persons = None if query.person is None else lookups.persons.behind(person_of(lookups, query.person).id)
    found: list[Operation] = []
    while True:
        batch = lookups.operations.latest(
            query.limit + 1, before, actor=actor, kind=query.kind, persons=persons, among=among
        )
        found += [operation for operation in batch if operation.may_be_read_by(lookups.actor)]
        if len(found) > query.limit or len(batch) <= query.limit:
            return found
        before = batch[-1].id


def _found(lookups: Lookups, operation_id: int) -> Operation:
    operation = lookups.operations.get(operation_id)
    if operation is None:
        raise NotFound(f"there is no operation {operation_id}")
    return operation
