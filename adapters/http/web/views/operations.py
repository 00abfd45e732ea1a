"""Operations and their events as clients see them, each without what this user may not know."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.http.web.times import Moment, moment
from domain.base.actor import Actor
from domain.events.event import Recorded
from domain.events.operation import Operation
from domain.rules.access import unseen_fields
from domain.undo.undoable import is_undoable


class OperationRow(msgspec.Struct):
    """One action in plain words; `undone_by` names the live operation that took it back, `undoable` says whether undo
    takes this kind."""

    id: int
    kind: str
    text: str
    actor: str
    at: Moment
    position: int
    undone_by: int | None
    undoes: int | None
    undoable: bool


class EventRow(msgspec.Struct):
    """One event: its stored name, and its fields without embeddings; content hashes are hexadecimal."""

    position: int
    type: str
    at: Moment
    data: dict[str, Any]


def operation_row(operation: Operation, actor: Actor) -> OperationRow:
    """An operation as `actor` sees it."""
    return OperationRow(
        id=operation.id,
        kind=operation.kind,
        text=operation.text_for(actor),
        actor=operation.actor,
        at=moment(operation.at),
        position=operation.position,
        undone_by=operation.undone_by,
        undoes=operation.undoes,
        undoable=is_undoable(operation),
    )


def event_row(recorded: Recorded, actor: Actor) -> EventRow:
    """An event as `actor` sees it."""
    never = unseen_fields(recorded.event, actor)
    fields = msgspec.structs.asdict(recorded.event)
    data = {name: _as_json(value) for name, value in fields.items() if name not in never}
    return EventRow(recorded.position, recorded.event.topic, moment(recorded.recorded_at), data)


def _as_json(value: Any) -> Any:
    """A field as JSON has it, bytes in hexadecimal."""
    if isinstance(value, msgspec.Struct):
        return {name: _as_json(each) for name, each in msgspec.structs.asdict(value).items()}
    return value.hex() if isinstance(value, bytes) else msgspec.to_builtins(value)
