"""What every undo obeys: how an event is taken back, and when a later operation stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from domain.base.errors import Conflict, Erased, InTheWay, RuleViolation
from domain.commands.carrying import CARRY
from domain.events.erasure import PersonErased
from domain.events.event import Event, Recorded
from domain.events.face import FaceAssigned, MarkerLifted
from domain.events.operation import LOOKED_AGAIN, Operation, OperationBegan, OperationEnded
from domain.events.person import PersonRestored, PersonUnmerged
from domain.ports.unit_of_work import UnitOfWork
from domain.undo.heirs import of_heirs
from domain.undo.undoable import inverse_for

Kinds = tuple[type[Event], ...]
REPEATING: Final = frozenset({"detect", LOOKED_AGAIN, CARRY})
"""The kinds of operation that repeat decisions of old on a photo that was saved anew, and decide nothing."""
ERASURE = "erase"


class Merged(Protocol):
    """What can be merged into another one of its kind: a person, an entity."""

    @property
    def merged_into(self) -> int | None:
        """The id of what it was merged into."""


Link = TypeVar("Link", bound=Merged)


def chain_of(get: Callable[[int], Link | None], first: int) -> list[Link]:
    """What has the id `first` and those that it was merged into, one after the other; `get` finds each by its id."""
    chain: list[Link] = []
    following: int | None = first
    while following is not None and (link := get(following)) is not None:
        chain.append(link)
        following = link.merged_into
    return chain


def inverse_of(uow: UnitOfWork, recorded: Recorded) -> list[Event]:
    """The events that take `recorded` back, as the tables stand now; none where nothing is left to take back. What was
    said of a face is taken back of its heirs too.

    Raises:
        InTheWay: a later operation wrote the same thing.
        Conflict: something else does not allow it.
        RuleViolation: this kind of event cannot be taken back.
        Erased: an erasure took what it is about.
        Forbidden: it touches what the actor may not see.
    """
    event = recorded.event
    if isinstance(event, (OperationBegan, OperationEnded, MarkerLifted)):
        return []
    inverse = inverse_for(type(event))
    if inverse is None:
        raise RuleViolation(
            f"what {recorded.actor} did there cannot be undone: it records what was found, not a decision"
        )
    if event.subject == "person" and not isinstance(event, PersonErased):
        _require_not_erased(uow, recorded.stream)
    try:
        events = list(inverse(uow, recorded, event))
    except InTheWay as error:
        later = uow.operations.get(error.operation_id)
        if later is not None and later.kind == ERASURE:
            raise Erased(f"this cannot be undone: {later.text_for(uow.actor)}") from error
        raise
    _require_nobody_erased(uow, events)
    if event.subject == "face":
        for inherited in of_heirs(uow, recorded):
            events += inverse_of(uow, inherited)
    return events


def _require_nobody_erased(uow: UnitOfWork, events: Iterable[Event]) -> None:
    """Raises `Erased` where one of `events` would give an erased person a face or a life."""
    for event in events:
        if isinstance(event, (FaceAssigned, PersonRestored, PersonUnmerged)):
            _require_not_erased(uow, f"person-{event.person_id}")


def _require_not_erased(uow: UnitOfWork, stream: str) -> None:
    if was_erased(uow, stream):
        raise Erased(f"this cannot be undone: {stream.replace('-', ' ')} was erased")


def was_erased(uow: UnitOfWork, stream: str) -> bool:
    """Whether the person that this stream is about was erased."""
    return any(isinstance(each.event, PersonErased) for each in uow.later_in(stream, 0))


def blocked(uow: UnitOfWork, recorded: Recorded, stream: str, kinds: Kinds, what: str) -> Conflict:
    """The conflict to raise: it names the newest later operation that wrote one of `kinds` to `stream` and stands."""
    operation = later_write(uow, recorded, stream, kinds)
    if operation is None:
        return Conflict(f"this can no longer be undone: something else {what}")
    if not operation.may_be_read_by(uow.actor):
        what = "changed the same"  # the text of `what` can hold a name as well
    text = operation.text_for(uow.actor)
    return InTheWay(f"operation {operation.id} ({text}) came later and {what}: undo that one first", operation.id)


def require_last_write(uow: UnitOfWork, recorded: Recorded, kinds: Kinds, what: str, *, stands: bool) -> None:
    """Raises where what `recorded` wrote no longer `stands`, or a later operation wrote it again, even alike."""
    if not stands or later_write(uow, recorded, recorded.stream, kinds) is not None:
        raise blocked(uow, recorded, recorded.stream, kinds, what)


def require_none_since(uow: UnitOfWork, recorded: Recorded, stream: str, kinds: Kinds, what: str) -> None:
    """Raises where an operation after `recorded` wrote one of `kinds` to `stream` and still has its effect."""
    if later_write(uow, recorded, stream, kinds) is not None:
        raise blocked(uow, recorded, stream, kinds, what)


def later_write(uow: UnitOfWork, recorded: Recorded, stream: str, kinds: Kinds) -> Operation | None:
    """The newest operation after `recorded` that wrote one of `kinds` to `stream` and still has its effect."""
    for later in reversed(uow.later_in(stream, recorded.position)):
        operation = uow.operations.get(later.operation_id) if isinstance(later.event, kinds) else None
        is_decision = operation is not None and operation.kind not in REPEATING
        if operation is not None and is_decision and _stands(operation, recorded):
            return operation
    return None


def _stands(operation: Operation, recorded: Recorded) -> bool:
    """Whether an operation still has its effect: it is not undone, and not itself the undo of `recorded`'s operation or
    of a later one, which together with it comes to nothing."""
    is_paired = operation.undoes is not None and operation.undoes >= recorded.operation_id
    return operation.undone_by is None and not is_paired
