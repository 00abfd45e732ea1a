"""Undo where later operations stand in the way: named, or taken back first, all or none."""

from __future__ import annotations

import pytest

from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.base.errors import InTheWay, RuleViolation
from domain.commands.persons import PersonChanges, change_person, create_person, merge_persons
from domain.events.person import PersonRenamed
from domain.undo.operations import undo, undo_with_later


def done(ledger: Ledger, command: object, *arguments: object) -> int:
    """Run a command; its operation."""
    assert callable(command)
    with ledger.transaction(CLI) as uow:
        command(uow, *arguments)
    return uow.operation_id or 0


def names(ledger: Ledger) -> dict[int, str]:
    with ledger.reading(CLI) as tables:
        return dict(tables.persons_with_faces.names())


def test_what_stands_in_the_way_is_taken_back_first_each_by_an_operation_of_its_own(ledger: Ledger) -> None:
    done(ledger, create_person, "Anna")
    first = done(ledger, change_person, 1, PersonChanges(name="Berta"))
    second = done(ledger, change_person, 1, PersonChanges(name="Clara"))
    third = done(ledger, change_person, 1, PersonChanges(name="Dora"))
    with pytest.raises(InTheWay) as refused:
        done(ledger, undo, first)
    assert refused.value.operation_id == third
    before = ledger.head()
    undone_by = done(ledger, undo_with_later, first)
    assert names(ledger) == {1: "Anna"}
    with ledger.reading(CLI) as tables:
        operations = {operation.id: operation for operation in tables.operations.latest(20)}
    assert operations[undone_by].undoes == first
    assert all(operations[each].undone_by is not None for each in (first, second, third))
    assert verify(ledger) == []
    assert ledger.head() > before
    done(ledger, undo, undone_by)
    assert names(ledger) == {1: "Berta"}, "redo of the one that was asked for"


def test_a_name_taken_meanwhile_is_freed_by_taking_back_who_took_it(ledger: Ledger) -> None:
    done(ledger, create_person, "Anna")
    done(ledger, create_person, "Bob")
    merged = done(ledger, merge_persons, 1, 2)
    done(ledger, create_person, "anna")
    with pytest.raises(InTheWay):
        done(ledger, undo, merged)
    done(ledger, undo_with_later, merged)
    assert names(ledger) == {1: "Anna", 2: "Bob"}


def test_where_one_of_them_cannot_be_taken_back_nothing_is(ledger: Ledger) -> None:
    done(ledger, create_person, "Anna")
    first = done(ledger, change_person, 1, PersonChanges(name="Berta"))
    with ledger.transaction(CLI) as uow:
        uow.begin("import", "an operation that cannot be undone, which renames")

        uow.append(PersonRenamed(1, "Clara", "Berta"))
    head = ledger.head()
    with pytest.raises(RuleViolation):
        done(ledger, undo_with_later, first)
    assert (ledger.head(), names(ledger)) == (head, {1: "Clara"})


def test_what_was_undone_before_is_not_redone_by_accident(ledger: Ledger) -> None:
    done(ledger, create_person, "Anna")
    first = done(ledger, change_person, 1, PersonChanges(name="Berta"))
    done(ledger, undo, first)
    with pytest.raises(InTheWay, match="was undone by"):
        done(ledger, undo_with_later, first)
    assert names(ledger) == {1: "Anna"}
