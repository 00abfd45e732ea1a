"""Merges: taken back in any order, they leave every person as it was."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.base.actor import CLI
from domain.base.errors import LibraryError
from domain.commands.faces import change_faces
from domain.commands.persons import PersonChanges, change_person, create_person, merge_persons
from domain.undo.operations import undo
from projections.queries.persons_with_faces import PersonView
from tests.properties.world import World, saved

PERSONS = 5


def peopled() -> World:
    """Five persons who differ in everything, each with two faces."""
    world = World(2 * PERSONS)
    for number in range(PERSONS):
        notes = "" if number % 2 else f"about {number}"
        with world.ledger.transaction(CLI) as uow:
            person = create_person(uow, f"Person {number}", notes=notes, hidden=number == 3)
        faces = [2 * number + 1, 2 * number + 2]
        with world.ledger.transaction(CLI) as uow:
            change_faces(uow, faces, "assign", person)
        with world.ledger.transaction(CLI) as uow:
            change_person(uow, person, PersonChanges(cover_face_id=faces[1], birth_date=f"199{number}-01-01"))
    return world


def stand(world: World) -> list[PersonView]:
    """Every person, versions aside."""
    with world.ledger.reading(CLI) as tables:
        views = tables.persons_with_faces.views(list(range(1, PERSONS + 1)))
    return [msgspec.structs.replace(view, version=0) for view in views]


def check(pairs: list[tuple[int, int]], order: list[int]) -> None:
    """Merge these pairs where that is allowed, and undo the merges in this order, until none is left."""
    world = World(saved=saved(peopled))
    try:
        before, faces = stand(world), world.faces_by_person()
        merges: list[int] = []
        for person, into in pairs:
            try:
                with world.ledger.transaction(CLI) as uow:
                    merge_persons(uow, person, into)
                merges.append(uow.operation_id or 0)
            except LibraryError:
                continue
            assert sum(map(len, world.faces_by_person().values())) == 2 * PERSONS
        waiting = [merges[place % len(merges)] for place in order] + merges if merges else []
        undone: set[int] = set()
        for operation in waiting:
            if operation in undone:
                continue
            with world.ledger.transaction(CLI) as uow:
                undo(uow, operation)
            undone.add(operation)
            assert sum(map(len, world.faces_by_person().values())) == 2 * PERSONS
        assert stand(world) == before
        assert world.faces_by_person() == faces
        assert world.replayed_differs(1000) == []
    finally:
        world.close()


PAIRS = st.lists(st.tuples(st.integers(1, PERSONS), st.integers(1, PERSONS)), min_size=1, max_size=6)
ORDER = st.lists(st.integers(0, 10), max_size=6)


@settings(max_examples=25, deadline=None)
@given(pairs=PAIRS, order=ORDER)
def test_merges_undone_in_any_order_leave_every_person_as_it_was(
    pairs: list[tuple[int, int]], order: list[int]
) -> None:
    check(pairs, order)


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(pairs=PAIRS, order=ORDER)
def test_merges_undone_in_any_order_leave_every_person_as_it_was_at_length(
    pairs: list[tuple[int, int]], order: list[int]
) -> None:
    check(pairs, order)
