"""Undo in general and of persons: exactly, at any later time, or with the name of what stands in the way."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import asdict

from adapters.store.erase import erase
from domain.base.actor import CLI
from domain.base.errors import Erased, Forbidden, InTheWay, NotFound, RuleViolation
from domain.commands.accounts import sign_in
from domain.commands.faces import change_faces
from domain.commands.persons import create_person, delete_person, merge_persons
from domain.commands.tags import tag_contents
from domain.commands.xmp import take_over
from domain.events.account import User
from domain.events.entity import EntityCreated
from domain.events.event import topics
from domain.events.face import DELETED, DETECTED, ContentMarked
from domain.events.person import Person, PersonNoted
from domain.rules.xmp import Description, Region
from domain.undo import kinds_taken_back
from tests.domain.world import (
    LEFT,
    NOW_RESTRICTED,
    ONE_LIBRARY,
    RIGHT,
    VIEWER,
    World,
    content,
    found,
    in_the_way,
    nothing_appended,
    photo,
)

pytestmark = pytest.mark.usefixtures("replayed")
RECORDS = {
    "ContentMarked",
    "FaceEmbedded",
    "FaceRedetected",
    "FaceRetracted",
    "LibraryAdded",
    "MarkerLifted",
    "SummaryEmbedded",
    "SummaryWritten",
    "MediaChanged",
    "MediaDiscovered",
    "MediaDisplaced",
    "MediaMissing",
    "MediaMoved",
    "MediaReturned",
}
"""Kinds of events that say what was found or made, and are no decision to take back."""


def but_version(person: Person) -> dict[str, Any]:
    """What is known of a person; the version counts on through an undo."""
    return {key: value for key, value in asdict(person).items() if key != "version"}


def deleted(world: World, person_id: int, **more: bool) -> int:
    """Delete a person; the operation's id."""
    return world.operation_of(delete_person, person_id, **more)


# In general


def test_every_kind_of_decision_has_a_way_back() -> None:
    decisions = {
        name
        for name, kind in ((topic.partition(":")[0], kind) for topic, kind in topics().items())
        if name not in RECORDS
        and kind.subject in {"person", "face", "tag", "content", "library", "insight", "entity", "fact", "summary"}
    }
    assert decisions == {kind.__name__ for kind in kinds_taken_back()}


def test_an_unknown_operation_is_not_found_and_a_viewer_undoes_nothing(world: World) -> None:
    ann = world.a_person("Ann")
    renamed = world.change(ann, name="Anna")
    with nothing_appended(world), pytest.raises(NotFound, match="no operation 999"):
        world.undo(999)
    with nothing_appended(world), pytest.raises(Forbidden, match="needs the role editor"):
        world.undo(renamed, VIEWER)


def test_scans_detections_and_sign_ins_cannot_be_undone(world: World) -> None:
    before = world.head
    world.a_face()
    with world.uow() as uow:
        sign_in(uow, User(1, "ed", "editor", None, None, 1, 1), "link")
    operations = sorted({recorded.operation_id for recorded in world.ledger.events(before, 100)})
    assert [world.operation(each).kind for each in operations] == ["scan", "detect", "user.sign_in"]
    for operation in operations:
        with nothing_appended(world), pytest.raises(RuleViolation, match=f"operation {operation} cannot be undone"):
            world.undo(operation)


def test_an_operation_that_only_records_what_was_found_cannot_be_undone(world: World) -> None:
    with world.uow() as uow:
        operation = uow.begin("look", "looked at a photo")
        uow.append(ContentMarked(uow.new_id("face"), content("one"), "no_faces", "model-1"))
    with nothing_appended(world), pytest.raises(RuleViolation, match="not a decision"):
        world.undo(operation)


def test_an_undo_of_an_undo_is_a_redo_and_so_on(world: World) -> None:
    ann = world.a_person("Ann")
    steps = [world.change(ann, name="Anna")]
    for name in ("Ann", "Anna", "Ann", "Anna"):
        steps.append(world.undo(steps[-1]))
        assert world.person(ann).name == name
    assert [world.operation(step).text for step in steps] == [
        "renamed Ann to Anna",
        "undid: renamed Ann to Anna",
        "redid: renamed Ann to Anna",
        "undid: renamed Ann to Anna",
        "redid: renamed Ann to Anna",
    ]
    assert [world.operation(step).undoes for step in steps] == [None, *steps[:-1]]


def test_what_is_undone_alternates_along_a_chain_of_undos(world: World) -> None:
    renamed = world.change(world.a_person("Ann"), name="Anna")
    chain = [renamed]
    for _ in range(4):
        chain.append(world.undo(chain[-1]))
        undone_by = [world.operation(each).undone_by for each in chain]
        expected = [later if (len(chain) - place) % 2 == 0 else None for place, later in enumerate(chain[1:], start=0)]
        assert undone_by == [*expected, None]


def test_what_is_undone_already_names_its_undo(world: World) -> None:
    renamed = world.change(world.a_person("Ann"), name="Anna")
    undone = world.undo(renamed)
    with nothing_appended(world), pytest.raises(InTheWay, match="undo that one to redo") as refusal:
        world.undo(renamed)
    assert refusal.value.operation_id == undone


def test_a_redone_operation_can_be_undone_again_itself(world: World) -> None:
    ann = world.a_person("Ann")
    renamed = world.change(ann, name="Anna")
    redone = world.undo(world.undo(renamed))
    again = world.undo(renamed)
    assert world.person(ann).name == "Ann"
    with nothing_appended(world), in_the_way(again):
        world.undo(redone)


def test_operations_beside_it_stay(world: World) -> None:
    ann = world.a_person("Ann")
    renamed = world.change(ann, name="Anna")
    world.change(ann, notes="n", birth_date="1950-02-28")
    world.undo(renamed)
    person = world.person(ann)
    assert (person.name, person.notes, person.birth_date) == ("Ann", "n", "1950-02-28")


# What is known of a person


def test_every_field_goes_back_in_one_undo_and_forth_in_one_redo(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", left, right, notes="old", birth_date="1940-01-01")
    with world.uow() as uow:
        uow.begin("insight", "wrote an insight")
        uow.append(EntityCreated(uow.new_id("entity"), "Ann", "person"))
    world.change(ann, cover_face_id=left)
    before = world.person(ann)
    changed = world.change(
        ann, name="Anna", notes="new", birth_date=None, hidden=True, cover_face_id=right, entity_id=1
    )
    after = world.person(ann)
    undone = world.undo(changed)
    assert but_version(world.person(ann)) == but_version(before)
    world.undo(undone)
    assert but_version(world.person(ann)) == but_version(after)


FIELDS: Sequence[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"name": "Ann"}, {"name": "Anna"}, {"name": "Anne"}),
    ({"notes": "a"}, {"notes": "b"}, {"notes": "c"}),
    ({"birth_date": "1950-01-01"}, {"birth_date": "1950-01-02"}, {"birth_date": None}),
    ({"cover_face_id": 1}, {"cover_face_id": 2}, {"cover_face_id": None}),
    ({"hidden": False}, {"hidden": True}, {"hidden": False}),
    ({"entity_id": None}, {"entity_id": 1}, {"entity_id": 2}),
]


@pytest.mark.parametrize(("first", "second", "third"), FIELDS, ids=lambda changes: next(iter(changes)))
def test_a_later_write_of_the_same_field_is_in_the_way_until_it_is_undone(
    world: World, first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    ann = world.a_person("Ann", *world.shows("one.jpg", found(LEFT), found(RIGHT)))
    with world.uow() as uow:
        uow.begin("insight", "wrote an insight")
        uow.append(*(EntityCreated(uow.new_id("entity"), name, "person") for name in ("Ann", "Anna")))
    world.change(ann, **first)
    before = world.person(ann)
    one, two = world.change(ann, **second), world.change(ann, **third)
    with nothing_appended(world), in_the_way(two):
        world.undo(one)
    three = world.change(ann, **second)
    with nothing_appended(world), in_the_way(three):
        world.undo(one)
    world.undo(three)
    world.undo(two)
    world.undo(one)
    assert but_version(world.person(ann)) == but_version(before)


def test_a_redone_later_write_is_in_the_way_under_its_own_number(world: World) -> None:
    ann = world.a_person("Ann")
    first, second = world.change(ann, name="Anna"), world.change(ann, name="Anne")
    world.undo(world.undo(second))
    with nothing_appended(world), in_the_way(second):
        world.undo(first)


def test_a_name_that_another_person_took_meanwhile_is_in_the_way(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    renamed = world.change(ann, name="Anna")
    taken = world.change(bob, name="ANN")
    with nothing_appended(world), in_the_way(taken):
        world.undo(renamed)
    world.undo(taken)
    created = world.operation_of(create_person, "ann")
    with nothing_appended(world), in_the_way(created):
        world.undo(renamed)
    world.undo(created)
    world.undo(renamed)
    assert world.person(ann).name == "Ann"


def test_the_deletion_of_the_person_is_in_the_way_of_all_that_was_said_of_it(world: World) -> None:
    ann = world.a_person("Ann")
    operations = [world.change(ann, name="Anna"), world.change(ann, notes="n"), world.change(ann, hidden=True)]
    deletion = deleted(world, ann)
    for operation in operations:
        with nothing_appended(world), in_the_way(deletion):
            world.undo(operation)


def test_a_former_cover_that_is_somebody_elses_face_now_does_not_come_back(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann, bob = world.a_person("Ann", left, right), world.a_person("Bob")
    world.change(ann, cover_face_id=left)
    chosen = world.change(ann, cover_face_id=right)
    world.assign(left, bob)
    world.undo(chosen)
    assert world.person(ann).cover_face_id is None


# Creating


def test_a_creation_taken_back_frees_the_name_and_redone_takes_it_again(world: World) -> None:
    created = world.operation_of(create_person, "Ann", notes="n")
    undone = world.undo(created)
    assert world.named("Ann") is None
    world.undo(undone)
    ann = world.named("Ann")
    assert ann is not None
    assert ann.notes == "n"


def test_a_creation_is_not_redone_where_the_name_is_taken(world: World) -> None:
    undone = world.undo(world.operation_of(create_person, "Ann"))
    taken = world.operation_of(create_person, "ANN")
    with nothing_appended(world), in_the_way(taken):
        world.undo(undone)


def test_a_person_that_others_were_built_on_is_not_uncreated(world: World) -> None:
    created = world.operation_of(create_person, "Ann")
    bob, cleo = world.a_person("Bob"), world.a_person("Cleo")
    world.merge(cleo, bob)
    blocks = [world.assign(world.a_face(), 1), world.merge(bob, 1)]
    for block in reversed(blocks):
        with nothing_appended(world), in_the_way(block):
            world.undo(created)
        world.undo(block)
    merged = world.merge(1, bob)
    with nothing_appended(world), in_the_way(merged):
        world.undo(created)
    world.undo(merged)
    deletion = deleted(world, 1)
    with nothing_appended(world), in_the_way(deletion):
        world.undo(created)
    world.undo(deletion)
    world.undo(created)


# Merging


def test_an_undone_merge_gives_back_exactly_what_was_the_persons(world: World) -> None:
    left, right, later = *world.shows("one.jpg", found(LEFT), found(RIGHT)), world.a_face("two.jpg")
    bob = world.a_person("Bob", left, notes="n", birth_date="1950-02-28", hidden=True)
    world.change(bob, cover_face_id=left)
    robert = world.a_person("Robert", right)
    before = world.person(bob)
    merged = world.merge(bob, robert)
    world.assign(later, robert)
    undone = world.undo(merged)
    assert but_version(world.person(bob)) == but_version(before)
    assert (world.faces_of(bob), world.faces_of(robert)) == ([left], [right, later])
    assert world.person(robert).notes == ""
    world.undo(undone)
    assert (world.faces_of(bob), world.faces_of(robert)) == ([], [left, right, later])
    assert world.person(robert).notes == "n"


def test_notes_that_were_changed_since_stay_when_the_merge_is_undone(world: World) -> None:
    bob, robert = world.a_person("Bob", notes="n"), world.a_person("Robert")
    merged = world.merge(bob, robert)
    world.change(robert, notes="n and more")
    before = world.head
    world.undo(merged)
    assert world.person(robert).notes == "n and more"
    assert world.person(bob).notes == "n"
    assert not [event for event in world.since(before) if isinstance(event, PersonNoted)]


def test_a_name_taken_meanwhile_is_in_the_way_of_undoing_a_merge(world: World) -> None:
    bob, robert = world.a_person("Bob"), world.a_person("Robert")
    merged = world.merge(bob, robert)
    renamed = world.change(robert, name="bob")
    with nothing_appended(world), in_the_way(renamed):
        world.undo(merged)
    world.undo(renamed)
    world.undo(merged)
    assert world.person(bob).merged_into is None


@pytest.mark.parametrize("order", [*itertools.permutations("ABC")], ids="".join)
def test_a_chain_of_merges_is_undone_in_any_order(world: World, order: tuple[str, ...]) -> None:
    faces = {name: world.a_face(f"{name}.jpg") for name in "ABCD"}
    ids = {name: world.a_person(name, face) for name, face in faces.items()}
    merges = {one: world.merge(ids[one], ids[into]) for one, into in zip("ABC", "BCD", strict=True)}
    assert world.faces_of(ids["D"]) == list(faces.values())
    undone: set[str] = set()
    for name in order:
        world.undo(merges[name])
        undone.add(name)
        for each in "ABC":
            end = next(n for n in "ABCD"["ABCD".index(each) :] if n in undone or n == "D")
            assert world.person(ids[each]).canonical_id == ids[end]
    assert all(world.faces_of(ids[name]) == [face] for name, face in faces.items())


def test_a_redo_that_would_close_a_cycle_of_merges_names_the_one_that_does(world: World) -> None:
    a, b = world.a_person("A"), world.a_person("B")
    undone = world.undo(world.merge(a, b))
    other_way = world.merge(b, a)
    with nothing_appended(world), in_the_way(other_way):
        world.undo(undone)


def test_a_redo_that_would_close_a_longer_cycle_names_the_newest_link(world: World) -> None:
    a, b, c = (world.a_person(name) for name in "ABC")
    merged = world.merge(a, b)
    world.merge(b, c)
    undone = world.undo(merged)
    closing = world.merge(c, a)
    with nothing_appended(world), in_the_way(closing):
        world.undo(undone)
    world.undo(closing)
    world.undo(undone)
    assert world.person(a).canonical_id == c


def test_a_merge_redone_twice_or_done_by_hand_meanwhile_is_in_the_way(world: World) -> None:
    a, b, c = (world.a_person(name) for name in "ABC")
    undone = world.undo(world.merge(a, b))
    by_hand = world.merge(a, c)
    with nothing_appended(world), in_the_way(by_hand):
        world.undo(undone)


def test_a_cover_chosen_among_the_merged_faces_is_in_the_way(world: World) -> None:
    face = world.a_face()
    bob, robert = world.a_person("Bob", face), world.a_person("Robert")
    merged = world.merge(bob, robert)
    chosen = world.change(robert, cover_face_id=face)
    with nothing_appended(world), in_the_way(chosen):
        world.undo(merged)


def test_a_cover_chosen_before_the_merge_is_not_in_the_way(world: World) -> None:
    face = world.a_face()
    bob, robert = world.a_person("Bob"), world.a_person("Robert", face)
    world.change(robert, cover_face_id=face)
    world.assign(face, bob)
    world.undo(world.merge(bob, robert))
    assert world.faces_of(bob) == [face]


def test_a_deleted_survivor_is_in_the_way_of_undoing_and_redoing_a_merge(world: World) -> None:
    a, b, c = (world.a_person(name) for name in "ABC")
    merged = world.merge(a, b)
    world.merge(b, c)
    deletion = deleted(world, c)
    with nothing_appended(world), in_the_way(deletion):
        world.undo(merged)
    world.undo(deletion)
    undone = world.undo(merged)
    deletion = deleted(world, c)
    with nothing_appended(world), in_the_way(deletion):
        world.undo(undone)


# Deleting


@pytest.mark.parametrize("with_faces", [False, True])
def test_a_deletion_is_undone_with_everyone_and_every_face(world: World, with_faces: bool) -> None:
    faces = [world.a_face(f"{name}.jpg") for name in "abc"]
    gone = world.a_face("gone.jpg")
    a, b = world.a_person("A", faces[0], gone, notes="n"), world.a_person("B", faces[1], faces[2])
    world.do(change_faces, [gone], "delete")
    world.merge(a, b)
    before = [world.person(each) for each in (a, b)]
    deletion = deleted(world, b, with_faces=with_faces)
    undone = world.undo(deletion)
    assert [but_version(world.person(each)) for each in (a, b)] == [but_version(each) for each in before]
    assert world.faces_of(b) == faces
    assert world.face(gone).status == DELETED, "it was deleted by itself before"
    world.undo(undone)
    assert world.person(b).canonical_id is None
    assert {world.face(face).status for face in faces} == {DELETED if with_faces else DETECTED}


def test_a_face_given_to_somebody_else_after_the_deletion_stays_there(world: World) -> None:
    face, other = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann, bob = world.a_person("Ann", face, other), world.a_person("Bob")
    deletion = deleted(world, ann)
    world.assign(face, bob)
    world.undo(deletion)
    assert (world.faces_of(ann), world.faces_of(bob)) == ([other], [face])


def test_a_deleted_persons_name_taken_meanwhile_is_in_the_way(world: World) -> None:
    deletion = deleted(world, world.a_person("Ann"))
    taken = world.operation_of(create_person, "ANN")
    with nothing_appended(world), in_the_way(taken):
        world.undo(deletion)


def test_a_restored_person_that_was_merged_is_not_deleted_again_by_a_redo(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    undone = world.undo(deleted(world, ann))
    merged = world.merge(ann, bob)
    with nothing_appended(world), in_the_way(merged):
        world.undo(undone)


# What the user may not see


def hidden_face(world: World) -> int:
    """A face in a library that `ONE_LIBRARY` does not see."""
    return world.a_face("boss.jpg", world.library("Work"))


def test_undoing_or_redoing_a_merge_that_touches_unseen_faces_needs_an_admin(world: World) -> None:
    bob, robert = world.a_person("Bob", hidden_face(world)), world.a_person("Robert", world.a_face())
    merged = world.merge(bob, robert)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.undo(merged, ONE_LIBRARY)
    undone = world.undo(merged, CLI)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.undo(undone, ONE_LIBRARY)


@pytest.mark.parametrize("with_faces", [False, True])
def test_undoing_or_redoing_a_deletion_that_touches_unseen_faces_needs_an_admin(world: World, with_faces: bool) -> None:
    deletion = deleted(world, world.a_person("Bob", hidden_face(world)), with_faces=with_faces)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.undo(deletion, NOW_RESTRICTED)
    undone = world.undo(deletion)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.undo(undone, NOW_RESTRICTED)


def test_one_unseen_face_of_a_batch_keeps_all_of_it_from_being_undone(world: World) -> None:
    seen, unseen = world.a_face(), hidden_face(world)
    ann = world.a_person("Ann")
    batch = world.operation_of(change_faces, [seen, unseen], "assign", ann)
    with nothing_appended(world), pytest.raises(Forbidden, match="rex may not see"):
        world.undo(batch, ONE_LIBRARY)
    assert world.faces_of(ann) == [seen, unseen]


def test_what_a_restricted_user_sees_wholly_is_the_users_to_undo(world: World) -> None:
    hidden_face(world)
    bob, robert = world.a_person("Bob", world.a_face()), world.do(create_person, "Robert", actor=ONE_LIBRARY)
    merged = world.operation_of(merge_persons, bob, robert, actor=ONE_LIBRARY)
    world.undo(world.undo(merged, ONE_LIBRARY), ONE_LIBRARY)
    assert world.person(bob).canonical_id == robert


# What an erasure took


def test_the_rest_of_an_operation_is_taken_back_though_one_of_its_persons_was_erased(world: World) -> None:
    world.scan(photo("one.jpg"))
    said = Description(("sea",), (Region(LEFT, "Ann"), Region(RIGHT, "Bob")))
    read = world.operation_of(take_over, content("one.jpg"), said)
    ann, bob = world.named("Ann"), world.named("Bob")
    assert ann is not None
    assert bob is not None
    erase(world.ledger, CLI, ann.id)
    undone = world.undo(read)
    assert (world.named("Bob"), world.tags("one.jpg"), world.faces_of(bob.id)) == (None, [], [])
    world.undo(undone)
    assert (world.tags("one.jpg"), len(world.faces_of(bob.id)), world.faces_of(ann.id)) == (["sea"], 1, [])
    assert world.person(ann.id).deleted


def test_an_operation_of_which_everything_was_erased_says_so(world: World) -> None:
    ann = world.a_person("Ann")
    renamed = world.change(ann, name="Anna")
    erase(world.ledger, CLI, ann)
    with nothing_appended(world), pytest.raises(Erased, match=f"person {ann} was erased"):
        world.undo(renamed)


def test_a_face_taken_from_one_who_had_it_of_an_erased_person_is_nobodys(world: World) -> None:
    face = world.a_face()
    ann, bob = world.a_person("Ann", face), world.a_person("Bob")
    assigned = world.assign(face, bob)
    erase(world.ledger, CLI, ann)
    undone = world.undo(assigned)
    assert world.face(face).person_id is None
    world.undo(undone)
    assert world.face(face).person_id == bob


def test_a_cover_and_a_tag_that_an_erasure_took_are_nobodys_to_be_kept_by(world: World) -> None:
    face = world.a_face()
    bob = world.a_person("Bob", face)
    described = world.change(bob, cover_face_id=face, notes="tall")
    tagged = world.operation_of(tag_contents, [content("one.jpg")], "Ann")
    ann = world.a_person("Ann", face)
    erase(world.ledger, CLI, ann)
    world.undo(described)
    world.undo(tagged)
    assert (world.person(bob).notes, world.tags("one.jpg")) == ("", [])
    assert world.person(bob).cover_face_id is None
