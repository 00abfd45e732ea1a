"""What a user does with persons: name, describe, merge, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import asdict

from domain.base.actor import CLI
from domain.base.errors import AlreadyMerged, Forbidden, LibraryError, NameTaken, NotFound, RuleViolation, Stale
from domain.commands.faces import delete_face
from domain.commands.persons import LONGEST_NOTES, create_person, delete_person, merge_persons
from domain.events.entity import EntityCreated
from domain.events.face import DELETED, DETECTED
from domain.events.person import PersonMerged, PersonNoted, PersonRenamed
from tests.domain.world import BELOW, LEFT, ONE_LIBRARY, RIGHT, VIEWER, World, found, nothing_appended

# Creating


def test_a_new_person_has_what_was_said_of_it(world: World) -> None:
    person = world.person(world.do(create_person, "  Ann\u00a0", notes="my aunt", birth_date="1950-02-28", hidden=True))
    assert (person.name, person.notes, person.birth_date, person.hidden) == ("Ann", "my aunt", "1950-02-28", True)
    assert (person.version, person.canonical_id, person.merged_into) == (1, person.id, None)


@pytest.mark.parametrize("name", ["ANN", "Zoe\u0308", "zoË", "\uff21nn"])
def test_a_name_is_taken_in_whatever_case_and_form_it_is_written(world: World, name: str) -> None:
    world.a_person("Ann")
    world.a_person("Zoë")
    with nothing_appended(world), pytest.raises(NameTaken, match=r"is called (Ann|Zoë) already"):
        world.do(create_person, name)


@pytest.mark.parametrize(
    ("name", "more", "field"),
    [
        (" ", {}, "name"),
        ("An\nn", {}, "name"),
        ("a" * 201, {}, "name"),
        ("Ann", {"notes": "n" * (LONGEST_NOTES + 1)}, "notes"),
        ("Ann", {"notes": "a\0b"}, "notes"),
        ("Ann", {"birth_date": "28.02.1950"}, "birth_date"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(world: World, name: str, more: dict[str, Any], field: str) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        world.do(create_person, name, **more)
    assert refusal.value.field == field


@pytest.mark.parametrize("command", ["create", "change", "merge", "delete"])
def test_a_viewer_changes_no_person(world: World, command: str) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    commands: dict[str, Callable[[], object]] = {
        "create": lambda: world.do(create_person, "Cleo", actor=VIEWER),
        "change": lambda: world.change(ann, actor=VIEWER, notes="x"),
        "merge": lambda: world.do(merge_persons, ann, bob, actor=VIEWER),
        "delete": lambda: world.do(delete_person, ann, actor=VIEWER),
    }
    with nothing_appended(world), pytest.raises(Forbidden, match="needs the role editor"):
        commands[command]()


@pytest.mark.parametrize(("faces", "fate"), [(0, "0 faces are"), (1, "1 face is"), (2, "2 faces are")])
def test_a_deletion_says_how_many_faces_are_nobodys_now(world: World, faces: int, fate: str) -> None:
    ann = world.a_person("Ann", *world.shows("one.jpg", *(found(LEFT), found(RIGHT))[:faces]))
    deleted = world.operation_of(delete_person, ann)
    assert world.operation(deleted).text == f"deleted Ann ({fate} nobody's now)"


# Changing


def test_every_field_can_be_written_and_the_operation_says_so(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    with world.uow() as uow:
        uow.begin("insight", "wrote an insight")
        uow.append(EntityCreated(uow.new_id("entity"), "Ann Lee", "person"))
    operation = world.change(
        ann, name="Anna", notes="n", birth_date="1950-02-28", hidden=True, cover_face_id=face, entity_id=1
    )
    assert asdict(world.person(ann)) == {
        "id": ann,
        "name": "Anna",
        "notes": "n",
        "entity_id": 1,
        "cover_face_id": face,
        "birth_date": "1950-02-28",
        "hidden": True,
        "merged_into": None,
        "canonical_id": ann,
        "deleted": False,
        "version": 7,
    }
    assert world.operation(operation).text == (
        "renamed Ann to Anna, wrote notes on Ann, set the birth date of Ann, hid Ann, chose a cover for Ann,"
        " bridged Ann to an entity"
    )


def test_what_may_be_empty_can_be_emptied_again(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face, notes="n", birth_date="1950-02-28", hidden=True)
    world.change(ann, cover_face_id=face)
    world.change(ann, notes="", birth_date=None, hidden=False, cover_face_id=None)
    person = world.person(ann)
    assert (person.notes, person.birth_date, person.hidden, person.cover_face_id) == ("", None, False, None)


@pytest.mark.parametrize(
    "changes", [{"name": "Ann"}, {"name": " Ann "}, {"notes": "n"}, {"birth_date": "1950-02-28"}, {"hidden": False}, {}]
)
def test_what_stands_already_appends_nothing(world: World, changes: dict[str, Any]) -> None:
    ann = world.a_person("Ann", notes="n", birth_date="1950-02-28")
    with nothing_appended(world):
        world.change(ann, **changes)


def test_a_person_may_be_renamed_to_its_own_name_in_another_case(world: World) -> None:
    ann = world.a_person("ann")
    world.change(ann, name="Ann")
    assert world.person(ann).name == "Ann"


def test_a_person_cannot_take_the_name_of_another(world: World) -> None:
    ann = world.a_person("Ann")
    world.a_person("Bob")
    with nothing_appended(world), pytest.raises(NameTaken):
        world.change(ann, name="BOB")


@pytest.mark.parametrize("date", ["1950-2-28", "1950-02-30", "19500228", "1950-W09-2", "yesterday", ""])
def test_a_birth_date_is_written_in_one_form_only(world: World, date: str) -> None:
    ann = world.a_person("Ann")
    with nothing_appended(world), pytest.raises(RuleViolation, match="YYYY-MM-DD") as refusal:
        world.change(ann, birth_date=date)
    assert refusal.value.field == "birth_date"


def test_the_cover_is_a_face_of_the_person_or_of_one_merged_into_it(world: World) -> None:
    hers, other, strange = world.shows("one.jpg", found(LEFT), found(RIGHT), found(BELOW))
    ann, anna = world.a_person("Ann", hers), world.a_person("Anna", other)
    world.merge(anna, ann)
    world.change(ann, cover_face_id=other)
    assert world.person(ann).cover_face_id == other
    for face in (strange, 999):
        with nothing_appended(world), pytest.raises(RuleViolation, match="not a face of Ann"):
            world.change(ann, cover_face_id=face)


def test_a_deleted_face_is_no_cover(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    world.do(delete_face, face)
    with nothing_appended(world), pytest.raises(RuleViolation, match="not a face of Ann"):
        world.change(ann, cover_face_id=face)


def test_a_bridge_leads_to_an_entity_that_is_there(world: World) -> None:
    ann = world.a_person("Ann")
    with nothing_appended(world), pytest.raises(RuleViolation, match="no entity 7"):
        world.change(ann, entity_id=7)


@pytest.mark.parametrize("command", ["change", "merge", "delete"])
def test_a_write_with_an_older_version_is_stale(world: World, command: str) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    world.change(ann, notes="n")
    commands: dict[str, Callable[[int], object]] = {
        "change": lambda version: world.change(ann, notes="m", expected=version),
        "merge": lambda version: world.do(merge_persons, ann, bob, version),
        "delete": lambda version: world.do(delete_person, ann, expected=version),
    }
    with nothing_appended(world), pytest.raises(Stale, match="version 2 now, not 1"):
        commands[command](1)
    commands[command](2)


def test_assigning_a_face_does_not_make_the_person_stale(world: World) -> None:
    ann = world.a_person("Ann")
    version = world.person(ann).version
    world.assign(world.a_face(), ann)
    assert world.person(ann).version == version


def test_an_unknown_person_is_not_found(world: World) -> None:
    ann = world.a_person("Ann")
    for command in (
        lambda: world.change(99, notes="n"),
        lambda: world.do(delete_person, 99),
        lambda: world.do(merge_persons, 99, ann),
        lambda: world.do(merge_persons, ann, 99),
    ):
        with nothing_appended(world), pytest.raises(NotFound, match="no person 99"):
            command()


# Merging


def test_merged_faces_show_the_survivor_while_the_log_keeps_the_person_assigned(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    bob, robert = world.a_person("Bob", left), world.a_person("Robert", right)
    before = world.head
    operation = world.merge(bob, robert)
    assert world.since(before) == [PersonMerged(bob, robert)]
    assert world.faces_of(robert) == [left, right]
    assert world.faces_of(bob) == []
    assert world.face(left).person_id == bob
    assert world.operation(operation).text == "merged Bob (1 face) into Robert"


def test_a_merge_copies_notes_only_where_the_survivor_has_none(world: World) -> None:
    first, second = world.a_person("Bo", notes="from Bo"), world.a_person("Bob", notes="from Bob")
    robert = world.a_person("Robert")
    before = world.head
    world.merge(first, robert)
    world.merge(second, robert)
    assert world.person(robert).notes == "from Bo"
    assert [event for event in world.since(before) if isinstance(event, PersonNoted)] == [
        PersonNoted(robert, "from Bo", "")
    ]


def test_a_person_is_not_merged_into_itself(world: World) -> None:
    ann = world.a_person("Ann")
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        world.do(merge_persons, ann, ann)
    assert refusal.value.field == "into"


def test_a_merged_person_is_only_reached_through_its_survivor(world: World) -> None:
    a, b, c = (world.a_person(name) for name in ("A", "B", "C"))
    world.merge(a, b)
    for command in (
        lambda: world.do(merge_persons, a, c),
        lambda: world.do(merge_persons, c, a),
        lambda: world.do(delete_person, a),
        lambda: world.change(a, notes="n"),
    ):
        with nothing_appended(world), pytest.raises(AlreadyMerged, match=f"merged into person {b}"):
            command()


def test_a_chain_of_merges_ends_at_the_last_person(world: World) -> None:
    a, b, c = (world.a_person(name, world.a_face(f"{name}.jpg")) for name in ("A", "B", "C"))
    world.merge(a, b)
    world.merge(b, c)
    assert [world.person(p).canonical_id for p in (a, b, c)] == [c, c, c]
    assert world.person(a).merged_into == b
    assert len(world.faces_of(c)) == 3


def test_a_merged_person_leaves_its_name_to_others(world: World) -> None:
    bob, robert = world.a_person("Bob"), world.a_person("Robert")
    world.merge(bob, robert)
    before = world.head
    world.change(robert, name="Bob")
    assert world.since(before) == [PersonRenamed(robert, "Bob", "Robert")]


def test_a_merge_that_touches_unseen_faces_needs_an_admin(world: World) -> None:
    work = world.library("Work")
    bob = world.a_person("Bob", world.a_face("boss.jpg", work), world.a_face())
    robert = world.do(create_person, "Robert", actor=ONE_LIBRARY)
    for pair in ((bob, robert), (robert, bob)):
        with nothing_appended(world), pytest.raises(Forbidden, match="1 face of this person lie in libraries"):
            world.do(merge_persons, *pair, actor=ONE_LIBRARY)
    world.do(merge_persons, bob, robert, actor=CLI)


# Deleting


@pytest.mark.parametrize("with_faces", [False, True])
def test_a_deleted_person_leaves_its_faces_to_nobody_or_takes_them_along(world: World, with_faces: bool) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    world.do(delete_person, ann, with_faces=with_faces)
    assert world.named("Ann") is None
    assert world.face(face).status == (DELETED if with_faces else DETECTED)
    with world.reading() as tables:
        shown = tables.faces.view(face)
        assert tables.persons_with_faces.view(ann) is None
    assert shown is None if with_faces else shown is not None and shown.person_id is None


@pytest.mark.parametrize("with_faces", [False, True])
def test_a_deletion_covers_everyone_who_was_merged_into_the_person(world: World, with_faces: bool) -> None:
    faces = [world.a_face(f"{name}.jpg") for name in "abc"]
    a, b, c = (world.a_person(name, face) for name, face in zip("ABC", faces, strict=True))
    world.merge(a, b)
    world.merge(b, c)
    world.do(delete_person, c, with_faces=with_faces)
    assert [world.person(p).canonical_id for p in (a, b, c)] == [None, None, None]
    assert {world.face(face).status for face in faces} == {DELETED if with_faces else DETECTED}
    for name in "ABC":
        world.a_person(name)


@pytest.mark.parametrize("command", ["change", "merge", "delete"])
def test_a_deleted_person_is_not_there_any_more(world: World, command: str) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    world.do(delete_person, ann)
    commands: dict[str, Callable[[], object]] = {
        "change": lambda: world.change(ann, notes="n"),
        "merge": lambda: world.do(merge_persons, bob, ann),
        "delete": lambda: world.do(delete_person, ann),
    }
    with nothing_appended(world), pytest.raises(LibraryError, match=f"no person {ann}"):
        commands[command]()


def test_deleting_a_person_with_unseen_faces_needs_an_admin(world: World) -> None:
    work = world.library("Work")
    ann, anna = world.a_person("Ann", world.a_face("seen.jpg")), world.a_person("Anna", world.a_face("un.jpg", work))
    world.merge(anna, ann)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.do(delete_person, ann, actor=ONE_LIBRARY)
