"""Undo of what was decided about faces."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import asdict

from domain.base.actor import AUTOBIND
from domain.base.errors import Conflict, Forbidden
from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.commands.autobind import Comparison, bind_by_tag
from domain.commands.faces import FaceChanges, change_face, change_faces, delete_face, draw_face, reject_person
from domain.commands.persons import delete_person
from domain.commands.tags import tag_contents
from domain.events.face import AUTO, DELETED, DETECTED, MANUAL, WITHDRAWN, Face, FaceAssigned, FaceUnassigned, Why
from domain.ports.face_engine import DetectedFace, Embedding
from domain.undo.operations import undo
from tests.domain.world import (
    BELOW,
    LEFT,
    MODEL,
    NOW_RESTRICTED,
    OTHER_MODEL,
    RIGHT,
    World,
    content,
    cosine,
    found,
    in_the_way,
    nothing_appended,
    photo,
    vector,
)

pytestmark = pytest.mark.usefixtures("replayed")


def decided(face: Face) -> dict[str, Any]:
    """All of a face but its version, which counts on, and that somebody once decided about it, which stays true."""
    return {key: value for key, value in asdict(face).items() if key not in {"version", "touched"}}


def change(world: World, face: int, **changes: Any) -> int:
    """Change a face; the operation's id."""
    return world.operation_of(change_face, face, FaceChanges(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"person_id": 2},
        {"ignored": True},
        {"box": BELOW, "embedding": Embedding(OTHER_MODEL, vector(40))},
        {"box": BELOW, "model_version": MODEL},
        {"person_id": 2, "ignored": True, "box": BELOW},
    ],
)
@pytest.mark.parametrize("assigned", [False, True])
def test_a_change_goes_back_and_forth(world: World, changes: dict[str, Any], assigned: bool) -> None:
    face = world.a_face()
    world.a_person("Ann", *([face] if assigned else []))
    world.a_person("Bob")
    before = world.face(face)
    changed = change(world, face, **changes)
    after = world.face(face)
    undone = world.undo(changed)
    assert decided(world.face(face)) == decided(before)
    world.undo(undone)
    assert decided(world.face(face)) == decided(after)


def test_an_unassigned_face_goes_back_with_the_reason_it_was_assigned_for(world: World) -> None:
    ann = world.a_person("Ann")
    face = world.a_face()
    world.do(tag_contents, [content("one.jpg")], "Ann")
    with world.uow(AUTOBIND) as uow:
        bind_by_tag(uow, content("one.jpg"), Comparison(MODEL, 0.9, cosine))
    removed = world.assign(face, None)
    before = world.head
    world.undo(removed)
    assert world.since(before) == [FaceAssigned(face, ann, Why("only-face", MODEL))]


def test_a_face_goes_back_to_the_former_person_with_the_former_reason(world: World) -> None:
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    face = world.a_face()
    world.do(tag_contents, [content("one.jpg")], "Ann")
    with world.uow(AUTOBIND) as uow:
        bind_by_tag(uow, content("one.jpg"), Comparison(MODEL, 0.9, cosine))
    reassigned = world.assign(face, bob)
    before = world.head
    undone = world.undo(reassigned)
    world.undo(undone)
    assert world.since(before) == [
        FaceAssigned(face, ann, Why("only-face", MODEL), bob),
        FaceAssigned(face, bob, Why("user"), ann),
    ]


def test_what_the_tag_rule_bound_can_be_undone_and_is_not_bound_again(world: World) -> None:
    world.a_person("Ann")
    face = world.a_face()
    world.do(tag_contents, [content("one.jpg")], "Ann")
    before = world.head
    with world.uow(AUTOBIND) as uow:
        bind_by_tag(uow, content("one.jpg"), Comparison(MODEL, 0.9, cosine))
    world.undo(world.ledger.events(before, 1)[0].operation_id)
    with nothing_appended(world), world.uow(AUTOBIND) as uow:
        assert bind_by_tag(uow, content("one.jpg"), Comparison(MODEL, 0.9, cosine)) == []
    assert world.face(face).person_id is None


def test_a_later_decision_about_the_same_thing_is_in_the_way_until_it_is_undone(world: World) -> None:
    face = world.a_face()
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    pairs = [
        (world.assign(face, ann), world.assign(face, bob)),
        (change(world, face, ignored=True), change(world, face, ignored=False)),
        (change(world, face, box=BELOW), change(world, face, box=RIGHT)),
    ]
    for first, second in pairs:
        with nothing_appended(world), in_the_way(second):
            world.undo(first)
    again = [world.assign(face, ann), change(world, face, ignored=True), change(world, face, box=BELOW)]
    for (first, _), same_again in zip(pairs, again, strict=True):
        with nothing_appended(world), in_the_way(same_again):
            world.undo(first)
    for operation in [*reversed(again), *(each for pair in pairs for each in reversed(pair))]:
        world.undo(operation)
    stands = world.face(face)
    assert (stands.person_id, stands.ignored, stands.box) == (None, False, LEFT)


def test_a_merge_is_not_in_the_way_of_an_assignment(world: World) -> None:
    face = world.a_face()
    bob, robert = world.a_person("Bob"), world.a_person("Robert")
    assigned = world.assign(face, bob)
    world.merge(bob, robert)
    world.undo(assigned)
    assert world.faces_of(robert) == []


def test_a_cover_chosen_since_is_in_the_way_of_taking_the_face_from_the_person(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    assigned = world.assign(face, ann)
    chosen = world.change(ann, cover_face_id=face)
    with nothing_appended(world), in_the_way(chosen):
        world.undo(assigned)
    world.undo(chosen)
    world.undo(assigned)
    assert world.face(face).person_id is None


def test_a_cover_chosen_before_is_not_in_the_way_of_taking_the_face_away_again(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    world.change(ann, cover_face_id=face)
    unassigned = change(world, face, person_id=None)
    undone = world.undo(unassigned)
    assert world.faces_of(ann) == [face]
    world.undo(undone)
    assert world.face(face).person_id is None


# Deleting


def test_a_deleted_face_is_back_with_its_person_and_gone_again_by_redo(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    deleted = world.operation_of(delete_face, face)
    undone = world.undo(deleted)
    assert world.faces_of(ann) == [face]
    world.undo(undone)
    assert world.face(face).status == DELETED


def test_a_deletion_is_in_the_way_of_whatever_was_decided_before(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    operations = [
        world.assign(face, ann),
        change(world, face, ignored=True),
        change(world, face, box=BELOW),
        world.operation_of(reject_person, face, world.a_person("Bob")),
    ]
    deleted = world.operation_of(delete_face, face)
    for operation in operations:
        with nothing_appended(world), in_the_way(deleted):
            world.undo(operation)


def test_the_deletion_of_the_person_with_its_faces_is_in_the_way(world: World) -> None:
    face = world.a_face()
    ann, anna = world.a_person("Ann"), world.a_person("Anna")
    assigned = world.assign(face, ann)
    ignored = change(world, face, ignored=True)
    world.merge(ann, anna)
    deleted = world.operation_of(delete_person, anna, with_faces=True)
    for operation in (assigned, ignored):
        with nothing_appended(world), in_the_way(deleted):
            world.undo(operation)


def test_a_face_that_detection_embedded_anew_is_still_the_same_to_undo(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    assigned = world.assign(face, ann)
    world.detect("one.jpg", found(LEFT, 40), model=OTHER_MODEL)
    world.undo(assigned)
    assert (world.face(face).person_id, world.face(face).model_version) == (None, OTHER_MODEL)


def test_a_box_moved_back_is_as_well_seen_as_it_was(world: World) -> None:
    sharp, blurred = FaceQuality(0.9, 200.0, 5.0), FaceQuality(0.1, 30.0)
    (face,) = world.shows("one.jpg", DetectedFace(LEFT, 0.9, vector(), sharp))
    moved = FaceChanges(box=RIGHT, embedding=Embedding(MODEL, vector(10), blurred))
    operation = world.operation_of(change_face, face, moved)
    world.undo(operation)
    with world.reading() as tables:
        seen = tables.faces.view(face)
    assert seen is not None
    assert (seen.quality, seen.box) == (sharp, LEFT)


def test_a_box_moved_back_has_its_old_vector_though_the_model_changed_since(world: World) -> None:
    face = world.a_face()
    moved = change(world, face, box=BELOW, embedding=Embedding(MODEL, vector(20)))
    world.detect("one.jpg", found(BELOW, 40), model=OTHER_MODEL)
    undone = world.undo(moved)
    assert (world.face(face).box, world.face(face).model_version) == (LEFT, MODEL)
    assert world.vector_of(face) == vector(0)
    world.undo(undone)
    assert (world.face(face).box, world.face(face).model_version) == (BELOW, OTHER_MODEL)
    assert world.vector_of(face) == vector(40)


# Drawing


def test_a_drawn_face_taken_back_is_gone_and_redone_with_its_person(world: World) -> None:
    world.shows("one.jpg")
    ann = world.a_person("Ann")
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()), ann)
    (face,) = world.faces("one.jpg")
    undone = world.undo(drawn)
    assert (world.face(face.id).status, world.faces("one.jpg")) == (WITHDRAWN, [])
    redone = world.undo(undone)
    assert (world.face(face.id).status, world.faces_of(ann)) == (DETECTED, [face.id])
    world.undo(redone)
    assert (world.face(face.id).status, world.faces_of(ann)) == (WITHDRAWN, [])


def test_detection_finds_a_face_where_one_was_drawn_and_taken_back(world: World) -> None:
    world.scan(photo("one.jpg"))
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    (face,) = world.faces("one.jpg")
    undone = world.undo(drawn)
    with world.reading() as tables:
        assert not tables.faces.has_rows(content("one.jpg"), MODEL)
        waiting = tables.detection_backlog.waiting(MODEL, 10)
        assert ([media.path for _, media in waiting], tables.faces.stats(MODEL).pending) == (["one.jpg"], 1)
    (new,) = world.detect("one.jpg", found(LEFT))
    assert new != face.id
    with nothing_appended(world), pytest.raises(Conflict, match=f"face {new} was found in its place"):
        world.undo(undone)
    assert [each.id for each in world.faces("one.jpg")] == [new]


NEAR_LEFT = Box(0.11, 0.11, 0.18, 0.18)


@pytest.mark.parametrize("embedded", [None, Embedding(MODEL, vector(5))])
def test_a_drawing_taken_back_leaves_the_face_that_an_engine_found_there(
    world: World, embedded: Embedding | None
) -> None:
    world.scan(photo("one.jpg"))
    ann = world.a_person("Ann")
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, embedded, ann)
    world.detect("one.jpg", found(NEAR_LEFT, 30, 0.7), found(RIGHT))
    face = world.faces("one.jpg")[0]
    undone = world.undo(drawn)
    left = world.face(face.id)
    assert (left.status, left.source, left.touched, left.person_id) == (DETECTED, AUTO, False, None)
    assert (left.box, left.confidence, world.vector_of(face.id)) == (NEAR_LEFT, 0.7, vector(30))
    redone = world.undo(undone)
    assert decided(world.face(face.id)) == decided(face)
    world.undo(redone)
    assert decided(world.face(face.id)) == decided(left)


def test_detection_treats_what_a_drawing_left_as_what_it_found_itself(world: World) -> None:
    world.scan(photo("one.jpg"))
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, None)
    world.detect("one.jpg", found(NEAR_LEFT), found(RIGHT))
    face = world.faces("one.jpg")[0]
    undone = world.undo(drawn)
    world.detect("one.jpg", found(LEFT, 30, 0.6), found(RIGHT), model=OTHER_MODEL)
    again = world.face(face.id)
    assert (again.box, again.confidence, again.model_version) == (LEFT, 0.6, OTHER_MODEL)
    world.undo(undone)
    assert (world.face(face.id).box, world.face(face.id).source) == (LEFT, MANUAL)
    world.undo(world.operation_of(undo, drawn))
    world.undo(drawn)
    world.detect("one.jpg", found(RIGHT))
    assert [each.box for each in world.faces("one.jpg")] == [RIGHT]


def test_a_drawing_that_the_newest_engine_does_not_find_is_gone_when_taken_back(world: World) -> None:
    world.scan(photo("one.jpg"))
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, None)
    world.detect("one.jpg", found(NEAR_LEFT))
    (face,) = world.faces("one.jpg")
    world.detect("one.jpg", model=OTHER_MODEL, **{f"face_{face.id}": vector(30)})
    world.undo(drawn)
    assert world.faces("one.jpg") == []


def test_a_box_moved_since_the_drawing_was_taken_back_is_in_the_way_of_drawing_it_again(world: World) -> None:
    world.scan(photo("one.jpg"))
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, None)
    world.detect("one.jpg", found(NEAR_LEFT))
    undone = world.undo(drawn)
    moved = change(world, world.faces("one.jpg")[0].id, box=BELOW)
    with nothing_appended(world), in_the_way(moved):
        world.undo(undone)


@pytest.mark.parametrize("decision", ["assign", "ignore", "move", "reject"])
def test_what_was_decided_about_a_drawn_face_is_in_the_way(world: World, decision: str) -> None:
    world.scan(photo("one.jpg"))
    ann = world.a_person("Ann")
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    (face,) = world.faces("one.jpg")
    later = {
        "assign": lambda: world.assign(face.id, ann),
        "ignore": lambda: change(world, face.id, ignored=True),
        "move": lambda: change(world, face.id, box=BELOW),
        "reject": lambda: world.operation_of(reject_person, face.id, ann),
    }[decision]()
    with nothing_appended(world), in_the_way(later):
        world.undo(drawn)
    world.undo(later)
    world.undo(drawn)
    assert world.face(face.id).status == WITHDRAWN


# Rejecting


def test_a_rejection_taken_back_gives_the_face_back(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    rejected = world.operation_of(reject_person, face, ann)
    undone = world.undo(rejected)
    with world.reading() as tables:
        assert tables.faces.rejected(face) == set()
    assert world.faces_of(ann) == [face]
    world.undo(undone)
    with world.reading() as tables:
        assert tables.faces.rejected(face) == {ann}
    assert world.faces_of(ann) == []


def test_a_rejection_is_taken_back_though_the_person_was_merged_since(world: World) -> None:
    face = world.a_face()
    bob, robert = world.a_person("Bob"), world.a_person("Robert")
    rejected = world.operation_of(reject_person, face, bob)
    world.merge(bob, robert)
    world.undo(rejected)
    with world.reading() as tables:
        assert tables.faces.rejected(face) == set()


# Batches


@pytest.mark.parametrize("action", ["unassign", "ignore", "delete"])
def test_a_batch_is_undone_by_one_call(world: World, action: str) -> None:
    faces = world.shows("one.jpg", found(LEFT), found(RIGHT), found(BELOW))
    ann = world.a_person("Ann", *faces)
    before = [decided(world.face(face)) for face in faces]
    batch = world.operation_of(change_faces, faces, action)
    after = [decided(world.face(face)) for face in faces]
    assert after != before
    undone = world.undo(batch)
    assert [decided(world.face(face)) for face in faces] == before
    assert world.faces_of(ann) == faces
    world.undo(undone)
    assert [decided(world.face(face)) for face in faces] == after


def test_a_batch_that_named_a_new_person_takes_the_person_along(world: World) -> None:
    faces = world.shows("one.jpg", found(LEFT), found(RIGHT))
    batch = world.operation_of(change_faces, faces, "assign", name="Cleo")
    cleo = world.named("Cleo")
    assert cleo is not None
    undone = world.undo(batch)
    assert world.named("Cleo") is None
    assert [world.face(face).person_id for face in faces] == [None, None]
    world.undo(undone)
    assert world.faces_of(cleo.id) == faces


def test_one_face_decided_anew_keeps_the_whole_batch_and_nothing_is_half_undone(world: World) -> None:
    faces = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    batch = world.operation_of(change_faces, faces, "assign", ann)
    later = world.assign(faces[0], bob)
    with nothing_appended(world), in_the_way(later):
        world.undo(batch)
    assert world.faces_of(ann) == [faces[1]]


def test_undoing_a_batch_appends_one_event_for_each_face(world: World) -> None:
    faces = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann")
    batch = world.operation_of(change_faces, faces, "assign", ann)
    before = world.head
    world.undo(batch)
    assert world.since(before) == [FaceUnassigned(face, ann) for face in reversed(faces)]


# What is gone or unseen


def test_a_face_in_a_library_that_the_user_does_not_see_is_not_the_users_to_undo(world: World) -> None:
    face = world.a_face("boss.jpg", world.library("Work"))
    ignored = change(world, face, ignored=True)
    deleted = world.operation_of(delete_face, face)
    with nothing_appended(world), pytest.raises(Forbidden, match="ed may not see"):
        world.undo(deleted, NOW_RESTRICTED)
    world.undo(deleted)
    with nothing_appended(world), pytest.raises(Forbidden, match="ed may not see"):
        world.undo(ignored, NOW_RESTRICTED)


def test_a_missing_file_keeps_nobody_who_sees_everything_from_undoing(world: World) -> None:
    face = world.a_face()
    ignored = change(world, face, ignored=True)
    world.scan(photo("one.jpg", "other bytes"))
    world.undo(ignored)
    assert not world.face(face).ignored
