"""What can be undone, by whom, and if not why: asked by the command that undoes and by whoever shows an operation.

An operation is undone where its kind is a decision, nobody undid it yet, and the actor may: it is their own, or they
wholly see what it did. The kinds of events that can be taken back are those that something `takes_back`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from domain.base.errors import InTheWay, NotFound, RuleViolation
from domain.events.event import Event, Recorded
from domain.events.operation import LOOKED_AGAIN, Operation
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import MOST_LOOKED_THROUGH, require_known_operation, require_operation_in_sight

Inverse = Callable[[UnitOfWork, Recorded, Any], Iterable[Event]]
_INVERSES: dict[type[Event], Inverse] = {}
_NOT_UNDOABLE: Final = {
    "scan": "a scan records what is on the disk",
    "detect": "a detection records what an engine found; delete or reassign the faces instead",
    LOOKED_AGAIN: "it gives the faces vectors of another model, and decides nothing; set FACE_MODEL instead",
    "import": "an import is the beginning of a log",
    "erase": "an erasure leaves nothing to bring back",
    "user.sign_in": "a sign-in cannot be taken back",
    "user.add": "accounts are changed or removed, not undone",
    "user.invite": "an invitation that is not taken up ends by itself",
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


def takes_back(*kinds: type[Event]) -> Callable[[Inverse], Inverse]:
    """Register a function as what takes these kinds of events back."""

    def register(inverse: Inverse) -> Inverse:
        for kind in kinds:
            _INVERSES[kind] = inverse
        return inverse

    return register


def kinds_taken_back() -> frozenset[type[Event]]:
    """Every kind of event that can be taken back."""
    return frozenset(_INVERSES)


def inverse_for(kind: type[Event]) -> Inverse | None:
    """What takes this kind of event back; None where nothing does."""
    return _INVERSES.get(kind)


def is_undoable(operation: Operation) -> bool:
    """Whether undo takes an operation of this kind, and nobody undid it yet."""
    return operation.undone_by is None and operation.kind not in _NOT_UNDOABLE


def undoable_operation(uow: UnitOfWork, operation_id: int) -> Operation:
    """The operation that the actor is about to undo.

    Raises:
        NotFound: there is none, or the actor may neither read it nor sees anything that it did.
        RuleViolation: this kind is no decision; the text says what to do instead.
        Forbidden: the actor's role does not reach it, or it is another's and touches what they may not see.
        InTheWay: it was undone before.
    """
    uow.actor.require("editor")
    operation = uow.operations.get(operation_id)
    if operation is None:
        raise NotFound(f"there is no operation {operation_id}")
    is_readable = operation.may_be_read_by(uow.actor)
    events = [] if is_readable else uow.events_of(operation_id, MOST_LOOKED_THROUGH)
    require_known_operation(uow, operation, events)
    if operation.kind in _NOT_UNDOABLE:
        raise RuleViolation(f"operation {operation_id} cannot be undone: {_NOT_UNDOABLE[operation.kind]}")
    require_operation_in_sight(uow, operation, events)
    if operation.kind.startswith("library."):
        uow.actor.require("admin")
    if operation.undone_by is not None:
        raise InTheWay(
            f"operation {operation_id} was undone by operation {operation.undone_by}: undo that one to redo",
            operation.undone_by,
        )
    return operation
