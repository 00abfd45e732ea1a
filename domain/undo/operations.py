"""Undo: an operation is taken back whole, by events of its own; undoing an undo is redo."""

from __future__ import annotations

from contextlib import suppress

from domain.base.errors import Conflict, Erased, ImageApiError, InTheWay, LaterOperation
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
    return _undo_in_turn(uow, operation_id)[-1][1]


def undo_or_say_what_is_in_the_way(uow: UnitOfWork, operation_id: int) -> int:
    """As `undo`; where later operations stand in the way, the error names all those that `undo_with_later` would take
    back too."""
    try:
        with uow.attempt():
            return undo(uow, operation_id)
    except InTheWay as error:
        raise InTheWay(str(error), error.operation_id, _taken_back_with(uow, operation_id)) from error


def _undo_in_turn(uow: UnitOfWork, operation_id: int) -> list[tuple[int, int]]:
    """As `undo_with_later`; each operation that was taken back with the one that did so, the one asked for last."""
    wanted = uow.operations.get(operation_id)
    waiting, done = [operation_id], []
    for _ in range(2 * MOST_LATER):
        try:
            with uow.attempt():
                done.append((waiting[-1], undo(uow, waiting[-1])))
        except InTheWay as error:
            is_undone = wanted is not None and wanted.undone_by is not None
            if is_undone or error.operation_id in waiting or len(waiting) > MOST_LATER:
                raise
            waiting.append(error.operation_id)
            continue
        waiting.pop()
        if not waiting:
            return done
        uow.next_operation()
    raise Conflict(f"more than {MOST_LATER} later operations stand in the way of operation {operation_id}")


class _OnlyTried(Exception):
    pass


def _taken_back_with(uow: UnitOfWork, operation_id: int) -> tuple[LaterOperation, ...]:
    """The later operations that would be taken back with this one, the last first; none where that cannot be done."""
    later: list[Operation | None] = []
    with suppress(ImageApiError, _OnlyTried), uow.attempt():
        later = [uow.operations.get(id_) for id_, _ in _undo_in_turn(uow, operation_id)[:-1]]
        raise _OnlyTried
    return tuple(LaterOperation(each.id, each.kind, each.text_for(uow.actor), each.actor) for each in later if each)


def _text_of_undo(uow: UnitOfWork, operation: Operation) -> str:
    """What is recorded of an undo, which its actor may read: no name of what they may not see."""
    if operation.kind != "undo" or not operation.may_be_read_by(uow.actor):
        return f"undid: {operation.text_for(uow.actor)}"
    did, _, text = operation.text.partition(": ")
    return f"{'redid' if did == 'undid' else 'undid'}: {text}"
