"""What of an operation its reader may know of: the log is read in batches, and the rules of access judge each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from adapters.store.ledger import Ledger
from domain.base.actor import Actor
from domain.base.errors import NotFound
from domain.events.event import Recorded
from domain.events.operation import Operation
from domain.rules import access
from projections.tables.operation_persons import persons_of

BATCH: Final = 500


def known_operation(ledger: Ledger, actor: Actor, operation_id: int) -> Operation:
    """An operation that `actor` may read, or that concerns what they see.

    Raises:
        NotFound: there is no such operation.
    """
    with ledger.reading(actor) as tables:
        operation = tables.operations.get(operation_id)
    if operation is None or not is_known(ledger, actor, operation):
        raise NotFound(f"there is no operation {operation_id}")
    return operation


def is_known(ledger: Ledger, actor: Actor, operation: Operation, persons: Collection[int] | None = None) -> bool:
    """Whether `actor` may read an operation, or sees something that it did, to one of these persons where given."""
    if operation.may_be_read_by(actor):
        return True
    return actor.is_restricted and _concerns(ledger, actor, operation.id, persons)


def events_in_sight(ledger: Ledger, actor: Actor, operation_id: int, most: int) -> list[Recorded]:
    """The first events of an operation, `most` of them, about what `actor` sees."""
    seen: list[Recorded] = []
    for found in _batches(ledger, operation_id):
        with ledger.reading(actor) as tables:
            seen += access.events_in_sight(tables, found)
        if len(seen) >= most:
            break
    return seen[:most]


def _concerns(ledger: Ledger, actor: Actor, operation_id: int, persons: Collection[int] | None) -> bool:
    for found in _batches(ledger, operation_id):
        about = [each for each in found if persons is None or not persons_of(each.event).isdisjoint(persons)]
        with ledger.reading(actor) as tables:
            if access.concerns(tables, about):
                return True
    return False


def _batches(ledger: Ledger, operation_id: int) -> Iterator[list[Recorded]]:
    """The events of an operation, as many as are looked through. Log and tables are read in turn: two connections at
    once could use up the pool."""
    after = 0
    for _ in range(access.MOST_LOOKED_THROUGH // BATCH):
        found = ledger.events_of(operation_id, BATCH, after)
        yield found
        if len(found) < BATCH:
            return
        after = found[-1].position
