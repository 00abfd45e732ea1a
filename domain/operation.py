"""Operations: one user or system action and the events that it appended; the unit of undo."""

from __future__ import annotations

import msgspec

from domain.event import Event, recorded_as


class Operation(msgspec.Struct, frozen=True):
    """An operation as it stands: `at` in microseconds since 1970 UTC, `undone_by` and `undoes` ids of operations."""

    id: int
    kind: str
    text: str
    actor: str
    at: int
    position: int
    undone_by: int | None
    undoes: int | None


@recorded_as("OperationBegan", "operation", "operation_id", opens=True)
class OperationBegan(Event, frozen=True, omit_defaults=True):
    """Someone set out to do something: `kind` for programs, `text` for people; `undoes` where it takes another one
    back."""

    operation_id: int
    kind: str
    text: str
    why: str | None = None
    undoes: int | None = None


@recorded_as("OperationEnded", "operation", "operation_id")
class OperationEnded(Event, frozen=True, omit_defaults=True):
    """A long operation came to its end; `text` says what came of it."""

    operation_id: int
    text: str
