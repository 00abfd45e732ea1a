"""Undo: an operation is taken back whole, by events of its own; undoing an undo is redo."""

from __future__ import annotations

from domain.base.errors import Conflict, Erased, InTheWay, NotFound, RuleViolation
from domain.events.event import Recorded
from domain.events.operation import Operation
from domain.ports.unit_of_work import UnitOfWork
from domain.undo import inverse_of

NOT_UNDOABLE = {
    "scan": "a scan records what is on the disk",
    "detect": "a detection records what an engine found; delete or reassign the faces instead",
    "import": "an import is the beginning of a log",
    "erase": "an erasure leaves nothing to bring back",
    "user.sign_in": "a sign-in cannot be taken back",
    "user.add": "accounts are changed or removed, not undone",
    "user.grant": "accounts are changed or removed, not undone",
    "user.password": "a password is set anew, not undone",
    "user.key": "a key that was shown is revoked, not undone",
    "user.key.revoke": "a key that was revoked never opens again: make another",
    "user.remove": "a removed account is added anew, not restored",
    "summary.write": "delete a summary instead",
    "summary.embed": "it adds vectors to summaries, and decides nothing",
    "library.add": "remove the library instead",
}
"""Kinds of operation that are not decisions about photos, with what to do instead."""
MOST_LATER = 100
"""Later operations that one call takes back; who means more goes step by step."""


def undo(uow: UnitOfWork, operation_id: int) -> int:
    """Take back all that an operation did, the last event first; the id of the operation that did so. What an erasure
    took of it stays as it is.

    Raises:
        NotFound: there is no such operation.
        RuleViolation: this kind cannot be undone, or all of it was erased.
        InTheWay: a later operation, named in the error, stands in the way.
        Conflict: it was undone before.
        Forbidden: it touches what the actor may not see.
    """
    uow.actor.require("editor")
    operation = uow.operations.get(operation_id)
    if operation is None:
        raise NotFound(f"there is no operation {operation_id}")
    if operation.kind in NOT_UNDOABLE:
        raise RuleViolation(f"operation {operation_id} cannot be undone: {NOT_UNDOABLE[operation.kind]}")
    if operation.kind.startswith("library."):
        uow.actor.require("admin")
    if operation.undone_by is not None:
        raise InTheWay(
            f"operation {operation_id} was undone by operation {operation.undone_by}: undo that one to redo",
            operation.undone_by,
        )
    undone_by = uow.begin("undo", _said(uow, operation), undoes=operation_id)
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
    asked = uow.operations.get(operation_id)
    waiting = [operation_id]
    for _ in range(2 * MOST_LATER):
        try:
            with uow.attempt():
                undone_by = undo(uow, waiting[-1])
        except InTheWay as error:
            is_undone = asked is not None and asked.undone_by is not None
            if is_undone or error.operation_id in waiting or len(waiting) > MOST_LATER:
                raise
            waiting.append(error.operation_id)
            continue
        waiting.pop()
        if not waiting:
            return undone_by
        uow.next_operation()
    raise Conflict(f"more than {MOST_LATER} later operations stand in the way of operation {operation_id}")


def _said(uow: UnitOfWork, operation: Operation) -> str:
    """What is recorded of an undo, which its actor may read: no name of what they may not see."""
    if operation.kind != "undo" or not operation.may_be_read_by(uow.actor):
        return f"undid: {operation.text_for(uow.actor)}"
    did, _, text = operation.text.partition(": ")
    return f"{'redid' if did == 'undid' else 'undid'}: {text}"
