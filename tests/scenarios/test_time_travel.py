"""The tables as they stood: any position and any time of the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.base.errors import RuleViolation
from domain.commands.persons import PersonChanges, change_person, create_person, delete_person, merge_persons
from domain.undo.operations import undo
from projections.queries.persons_with_faces import PersonView

SECOND = 1_000_000_000


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND

    def __call__(self) -> int:
        """Nanoseconds since 1970 UTC."""
        self.now += SECOND
        return self.now


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger whose clock ticks with each command."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/imageapi.db"), Clock())
    yield ledger
    ledger.close()


def people(ledger: Ledger) -> list[PersonView]:
    with ledger.reading(CLI) as tables:
        return tables.persons_with_faces.views(list(range(1, 10)))


def lived(ledger: Ledger) -> dict[int, list[PersonView]]:
    """A life of two persons; how they stood after each command, by position."""
    stood: dict[int, list[PersonView]] = {ledger.head(): people(ledger)}

    def keep() -> None:
        stood[ledger.head()] = people(ledger)

    for name in ("Anna", "Bob"):
        with ledger.transaction(CLI) as uow:
            create_person(uow, name, notes=f"about {name}")
        keep()
    with ledger.transaction(CLI) as uow:
        change_person(uow, 1, PersonChanges(name="Ann", birth_date="1990-05-01"))
    keep()
    with ledger.transaction(CLI) as uow:
        merge_persons(uow, 1, 2)
    keep()
    with ledger.transaction(CLI) as undoing:
        undo(undoing, uow.operation_id or 0)
    keep()
    with ledger.transaction(CLI) as uow:
        delete_person(uow, 2)
    keep()
    return stood


def test_each_position_answers_as_the_tables_stood_then_in_whatever_order_it_is_asked(ledger: Ledger) -> None:
    stood = lived(ledger)
    for position in (*reversed(stood), *stood):
        with ledger.past(CLI, position) as tables:
            assert tables.persons_with_faces.views(list(range(1, 10))) == stood[position], position


def test_a_time_means_the_last_position_recorded_by_then(ledger: Ledger) -> None:
    stood = lived(ledger)
    for recorded in ledger.events(0, 100):
        last = max(r.position for r in ledger.events(0, 100) if r.recorded_at <= recorded.recorded_at)
        assert ledger.position_at(recorded.recorded_at) == last
        assert ledger.position_at(recorded.recorded_at - 1) < recorded.position
    assert ledger.position_at(0) == 0
    assert ledger.position_at(10**18) == max(stood)


def test_a_position_that_is_not_recorded_yet_is_refused(ledger: Ledger) -> None:
    lived(ledger)
    with pytest.raises(RuleViolation, match="not recorded yet"), ledger.past(CLI, ledger.head() + 1):
        pass


def test_the_past_stays_as_it_was_while_the_present_goes_on(ledger: Ledger) -> None:
    stood = lived(ledger)
    position = max(stood)
    with ledger.past(CLI, position) as tables:
        with ledger.transaction(CLI) as uow:
            create_person(uow, "Carol")
        assert tables.persons_with_faces.views(list(range(1, 10))) == stood[position]


def test_a_persons_history_holds_its_own_operations_and_those_of_whom_it_was_merged_with(ledger: Ledger) -> None:
    lived(ledger)
    with ledger.reading(CLI) as tables:
        texts = [operation.text for operation in tables.operations.latest(10, persons=[1])]
        others = [operation.text for operation in tables.operations.latest(10, persons=[2])]
    assert texts == [
        "undid: merged Ann (0 faces) into Bob",
        "merged Ann (0 faces) into Bob",
        "renamed Anna to Ann, set the birth date of Anna",
        "created Anna",
    ]
    assert others == [
        "deleted Bob (0 faces are nobody's now)",
        "undid: merged Ann (0 faces) into Bob",
        "merged Ann (0 faces) into Bob",
        "created Bob",
    ]
    assert len(ledger.operations_on(["person-1"], 10)) == 4
    assert [r.event.topic for r in ledger.history(["person-1"], 2)] == ["PersonUnmerged:1", "PersonMerged:1"]
