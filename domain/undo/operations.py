"""Undo: an operation is taken back whole, by events of its own; undoing an undo is redo."""

from __future__ import annotations

from domain.base.errors import Conflict, Erased, InTheWay
from domain.events.event import Recorded
from domain.events.operation import Operation
from domain.ports.unit_of_work import UnitOfWork
from domain.undo import inverse_of
from domain.undo.undoable import undoable_operation

MOST_LATER = 100
"""Later operations that one call takes back; who means more goes step by step."""


def undo(uow: UnitOfWork, operation_id: int) -> int:
    """Take back all that an operation did, the last event first; the id of the operation that did so. What an erasure
    took of it stays as it is.

    Raises:
        NotFound, Forbidden: as `undoable_operation`, or something that it did touches what the actor may not see.
        RuleViolation: this kind cannot be undone, or all of it was erased.
        InTheWay: it was undone before, or a later operation, named in the error, stands in the way.
        Conflict: nothing of it is left to undo.
    """
    operation = undoable_operation(uow, operation_id)
    undone_by = uow.begin("undo", _text_of_undo(uow, operation), undoes=operation_id)
    erased: list[Erased] = []
    taken_back = sum(_take_back(uow, recorded, erased) for recorded in reversed(uow.events_of(operation_id)))
    if taken_back:
        return undone_by
    if erased:
        raise erased[0]
    raise Conflict(f"nothing of operation {operation_id} ({operation.text_for(uow.actor)}) is left to undo")


def _take_back(uow: UnitOfWork, recorded: Recorded, erased: list[Erased]) -> int:
    """Take one event back; by how many events. What an erasure took stays as it is, and is added to `erased`."""
    try:
        events = inverse_of(uow, recorded)
    except Erased as error:
        erased.append(error)
        return 0
    uow.append(*events)
    return len(events)


def undo_with_later(uow: UnitOfWork, operation_id: int) -> int:
    """Take back an operation and, before it, every later one that stands in its way, the last one first; each by an
    operation of its own, all of them or none. The id of the operation that took back the one asked for.

    Raises:
        InTheWay: it was undone before, or more than `MOST_LATER` stand in the way.
        NotFound, RuleViolation, Conflict, Forbidden: as `undo`, for any of them.
    """
    wanted = uow.operations.get(operation_id)
    waiting = [operation_id]
    for _ in range(2 * MOST_LATER):
        try:
            with uow.attempt():
                undone_by = undo(uow, waiting[-1])
        except InTheWay as error:
            is_undone = wanted is not None and wanted.undone_by is not None
            if is_undone or error.operation_id in waiting or len(waiting) > MOST_LATER:
                raise
            waiting.append(error.operation_id)
            continue
        waiting.pop()
        if not waiting:
            return undone_by
        uow.next_operation()
    raise Conflict(f"more than {MOST_LATER} later operations stand in the way of operation {operation_id}")


def _text_of_undo(uow: UnitOfWork, operation: Operation) -> str:
    """What is recorded of an undo, which its actor may read: no name of what they may not see."""
    if operation.kind != "undo" or not operation.may_be_read_by(uow.actor):
        return f"undid: {operation.text_for(uow.actor)}"
    did, _, text = operation.text.partition(": ")
    return f"{'redid' if did == 'undid' else 'undid'}: {text}"
