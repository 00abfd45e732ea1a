"""What a user says to suggestions that are wrong: told once, it holds, through merges too, and undo takes it back."""

from __future__ import annotations

import pytest

from domain.base.errors import AlreadyMerged, Forbidden, NotFound, RuleViolation
from domain.commands.faces import LARGEST_BATCH
from domain.commands.persons import delete_person
from domain.commands.suggestions import confirm_faces, tell_apart
from domain.events.face import FaceConfirmed
from domain.events.person import PersonsToldApart
from domain.rules.access import events_in_sight
from tests.domain.world import EDITOR, LEFT, ONE_LIBRARY, VIEWER, World, found, nothing_appended, photo


def apart(world: World) -> set[tuple[int, int]]:
    """The pairs that were told apart, as they stand today."""
    with world.reading() as tables:
        return tables.persons.told_apart()


def confirmed(world: World, face: int) -> set[int]:
    """Whose a face was said to be all the same."""
    with world.reading() as tables:
        return tables.faces.confirmations(face)


# Two persons are two


def test_two_persons_are_told_apart_once_in_the_history_of_both_and_undo_takes_it_back(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    before = world.head
    operation = world.operation_of(tell_apart, bob, ann)
    assert world.since(before) == [PersonsToldApart(bob, ann)]
    assert apart(world) == {(ann, bob)}
    said = world.operation(operation)
    assert (said.kind, said.text) == ("person.apart", "said that Bob and Ann are two")
    with world.reading() as tables:
        for person in (ann, bob):
            assert tables.operations.latest(1, None, persons=[person])[0].id == operation
    with nothing_appended(world):
        assert [row.ok for row in world.do(tell_apart, ann, bob)] == [True, True]
    redo = world.undo(operation)
    assert apart(world) == set()
    world.undo(redo)
    assert apart(world) == {(ann, bob)}


def test_who_was_told_apart_stays_so_whatever_is_merged_into_either(world: World) -> None:
    ann, bob, carl = (world.a_person(name) for name in ("Ann", "Bob", "Carl"))
    world.do(tell_apart, ann, bob)
    merge = world.merge(ann, carl)
    assert apart(world) == {(bob, carl)}
    with nothing_appended(world):
        world.do(tell_apart, carl, bob)
    world.undo(merge)
    assert apart(world) == {(ann, bob)}


def test_two_that_are_merged_after_all_are_told_apart_again_when_the_merge_is_undone(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    world.do(tell_apart, ann, bob)
    merge = world.merge(ann, bob)
    assert apart(world) == set()
    world.undo(merge)
    assert apart(world) == {(ann, bob)}


def test_a_deleted_person_is_told_apart_from_nobody_until_it_is_back(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    world.do(tell_apart, ann, bob)
    deletion = world.operation_of(delete_person, bob)
    assert apart(world) == set()
    world.undo(deletion)
    assert apart(world) == {(ann, bob)}


def test_only_two_live_persons_that_one_knows_of_can_be_told_apart(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    with pytest.raises(RuleViolation, match="cannot be told apart from itself"):
        world.do(tell_apart, ann, ann)
    with pytest.raises(NotFound, match="there is no person 99"):
        world.do(tell_apart, ann, 99)
    with pytest.raises(Forbidden):
        world.do(tell_apart, ann, bob, actor=VIEWER)
    world.merge(bob, ann)
    with pytest.raises(AlreadyMerged):
        world.do(tell_apart, world.a_person("Carl"), bob)


def test_who_sees_one_of_two_persons_hears_nothing_of_the_other(world: World) -> None:
    other = world.library("other")
    ann, bob = world.a_person("Ann", world.a_face("a.jpg")), world.a_person("Bob", world.a_face("b.jpg", other))
    with pytest.raises(NotFound, match=f"there is no person {bob}"):
        world.do(tell_apart, ann, bob, actor=ONE_LIBRARY)
    before = world.head
    world.do(tell_apart, ann, bob)
    told = [each for each in world.ledger.events(before, 10) if isinstance(each.event, PersonsToldApart)]
    with world.reading(ONE_LIBRARY) as tables:
        assert events_in_sight(tables, told) == []
    with world.reading(EDITOR) as tables:
        assert events_in_sight(tables, told) == told


# Faces are whose they are said to be


def test_faces_are_confirmed_once_and_undo_takes_it_back(world: World) -> None:
    faces = [world.a_face(f"{number}.jpg") for number in range(2)]
    ann = world.a_person("Ann", *faces)
    before = world.head
    operation = world.operation_of(confirm_faces, ann, [*faces, faces[0]])
    assert world.since(before) == [FaceConfirmed(face, ann) for face in faces]
    said = world.operation(operation)
    assert (said.kind, said.text) == ("face.confirm", "confirmed 2 faces of Ann")
    with nothing_appended(world):
        assert all(row.ok for row in world.do(confirm_faces, ann, faces))
    redo = world.undo(operation)
    assert [confirmed(world, face) for face in faces] == [set(), set()]
    world.undo(redo)
    assert [confirmed(world, face) for face in faces] == [{ann}, {ann}]


def test_a_confirmed_face_is_so_for_whom_its_person_is_merged_into(world: World) -> None:
    face = world.a_face()
    ann, bob = world.a_person("Ann", face), world.a_person("Bob")
    world.do(confirm_faces, ann, [face])
    world.merge(ann, bob)
    with nothing_appended(world):
        assert world.do(confirm_faces, bob, [face])[0].ok


def test_a_face_that_is_anothers_or_not_there_says_so_and_leaves_the_others_alone(world: World) -> None:
    own, others = world.a_face("own.jpg"), world.a_face("other.jpg")
    ann, _ = world.a_person("Ann", own), world.a_person("Bob", others)
    rows = world.do(confirm_faces, ann, [own, others, 99])
    assert [row.ok for row in rows] == [True, False, False]
    assert rows[1].error == f"face {others} is not Ann's: read the suggestions again"
    assert rows[2].error == "there is no face 99"
    assert (confirmed(world, own), confirmed(world, others)) == ({ann}, set())


def test_faces_are_confirmed_only_by_who_may_and_not_too_many_at_once(world: World) -> None:
    ann = world.a_person("Ann", world.a_face())
    with pytest.raises(RuleViolation, match="at least one face"):
        world.do(confirm_faces, ann, [])
    with pytest.raises(RuleViolation, match="at most 5000"):
        world.do(confirm_faces, ann, range(1, LARGEST_BATCH + 2))
    with pytest.raises(Forbidden):
        world.do(confirm_faces, ann, [1], actor=VIEWER)
    with pytest.raises(NotFound):
        world.do(confirm_faces, 99, [1])


def test_what_was_confirmed_goes_along_to_the_photo_saved_anew(world: World) -> None:
    face = world.a_face("one.jpg")
    ann = world.a_person("Ann", face)
    operation = world.operation_of(confirm_faces, ann, [face])
    world.scan(photo("copy.jpg", "one.jpg"))
    world.scan(photo("one.jpg", "anew"))
    (heir,) = world.detect("anew", found(LEFT))
    assert (world.face(heir).person_id, confirmed(world, heir)) == (ann, {ann})
    world.undo(operation)
    assert (confirmed(world, face), confirmed(world, heir)) == (set(), set())
