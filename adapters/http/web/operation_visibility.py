"""What of an operation who sees some libraries only is told: the log is read in batches, and each batch asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from adapters.store.ledger import Ledger
from domain.base.actor import Actor
from domain.events.event import Event, Recorded
from domain.events.person import PersonMerged, PersonUnmerged
from projections.queries.event_visibility import in_sight, is_person_in_sight
from projections.queries.reading import Lookups
from projections.tables.operation_persons import persons_of

BATCH: Final = 500
MOST_BATCHES: Final = 20
"""Batches of an operation's events that are looked through before it counts as out of sight."""


def events_in_sight(ledger: Ledger, actor: Actor, operation_id: int, most: int) -> list[Recorded]:
    """The first events of an operation, `most` of them, about what `actor` sees."""
    seen: list[Recorded] = []
    for found in _batches(ledger, operation_id):
        with ledger.reading(actor) as tables:
            seen += in_sight(tables, found)
        if len(seen) >= most:
            break
    return seen[:most]


def concerns(ledger: Ledger, actor: Actor, operation_id: int, persons: Collection[int] | None = None) -> bool:
    """Whether an operation did anything to what `actor` sees, and to one of these persons where given; a merge concerns
    the person that stayed too."""
    for found in _batches(ledger, operation_id):
        asked = [each for each in found if persons is None or not persons_of(each.event).isdisjoint(persons)]
        with ledger.reading(actor) as tables:
            if in_sight(tables, asked) or any(_stays_in_sight(tables, each.event) for each in asked):
                return True
    return False


def is_wholly_in_sight(ledger: Ledger, actor: Actor, operation_id: int) -> bool:
    """Whether all that an operation did is about what `actor` sees; of one too long to look through it is not known."""
    looked = 0
    for found in _batches(ledger, operation_id):
        did = [each for each in found if each.event.subject != "operation"]
        with ledger.reading(actor) as tables:
            if len(in_sight(tables, did)) < len(did):
                return False
        looked += len(found)
    return looked < MOST_BATCHES * BATCH


def _batches(ledger: Ledger, operation_id: int) -> Iterator[list[Recorded]]:
    """The events of an operation. Log and tables are read in turn: two connections at once could use up the pool."""
    after = 0
    for _ in range(MOST_BATCHES):
        found = ledger.events_of(operation_id, BATCH, after)
        yield found
        if len(found) < BATCH:
            return
        after = found[-1].position


def _stays_in_sight(tables: Lookups, event: Event) -> bool:
    return isinstance(event, (PersonMerged, PersonUnmerged)) and any(
        is_person_in_sight(tables, id_) for kind, id_ in event.touches() if kind == "person"
    )
