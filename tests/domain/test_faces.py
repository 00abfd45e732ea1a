"""What a user does with faces: draw, assign, move, put aside, reject, delete, one or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.base.actor import CLI
from domain.base.errors import AlreadyMerged, Forbidden, NameTaken, NotFound, RuleViolation, Stale
from domain.base.geometry import Box
from domain.commands.detection import mark_failed
from domain.commands.faces import (
    LARGEST_BATCH,
    PENDING,
    FaceChanges,
    Outcome,
    change_face,
    change_faces,
    delete_face,
    draw_face,
    reject_person,
)
from domain.commands.media import record_missing
from domain.commands.persons import create_person, delete_person
from domain.events.face import (
    DELETED,
    MANUAL,
    FaceAssigned,
    FaceDrawn,
    FaceIgnored,
    FaceMoved,
    FaceRejected,
    FaceUnassigned,
    MarkerLifted,
    Why,
)
from domain.events.person import PersonCreated
from domain.ports.face_engine import Embedding
from tests.domain.world import (
    BELOW,
    LEFT,
    MODEL,
    ONE_LIBRARY,
    OTHER_MODEL,
    RIGHT,
    VIEWER,
    World,
    content,
    found,
    nothing_appended,
    photo,
    vector,
)

BY_USER = Why("user")

# Drawing


def test_a_drawn_face_has_its_vector_and_person(world: World) -> None:
    world.shows("one.jpg")
    ann = world.a_person("Ann")
    operation = world.operation_of(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector(10)), ann)
    (face,) = world.faces("one.jpg")
    assert (face.box, face.source, face.model_version, face.confidence) == (LEFT, MANUAL, MODEL, None)
    assert (face.person_id, face.touched) == (ann, True)
    assert world.vector_of(face.id) == vector(10)
    assert world.operation(operation).text == "drew a face of Ann"


def test_a_drawn_face_that_the_model_cannot_use_waits_for_a_vector(world: World) -> None:
    world.shows("one.jpg")
    known = world.face(world.do(draw_face, content("one.jpg"), RIGHT, None, model_version=MODEL))
    unknown = world.face(world.do(draw_face, content("one.jpg"), LEFT, None))
    assert (unknown.embedding_id, unknown.model_version) == (None, PENDING)
    assert (known.embedding_id, known.model_version) == (None, MODEL)


def test_a_face_drawn_before_the_model_looked_waits_for_that_look_with_the_photo(world: World) -> None:
    world.scan(photo("one.jpg"))
    drawn = world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector(10)))
    assert (world.face(drawn).model_version, world.face(drawn).embedding_id) == (PENDING, None)
    (other,) = world.detect("one.jpg", found(LEFT, 10), found(RIGHT))
    assert world.face(other).box == RIGHT
    assert (world.face(drawn).model_version, world.vector_of(drawn)) == (MODEL, vector(10))


def test_a_box_moved_before_a_new_model_looked_waits_for_that_look_and_goes_back_with_its_vector(world: World) -> None:
    face = world.a_face()
    old = world.vector_of(face)
    new = Embedding(OTHER_MODEL, vector(10))
    operation = world.operation_of(change_face, face, FaceChanges(box=RIGHT, embedding=new))
    assert (world.face(face).model_version, world.face(face).embedding_id) == (PENDING, None)
    world.undo(operation)
    assert (world.face(face).box, world.face(face).model_version, world.vector_of(face)) == (LEFT, MODEL, old)


def test_drawing_a_face_lifts_every_marker_of_the_photo(world: World) -> None:
    world.shows("one.jpg")
    world.detect("one.jpg", model=OTHER_MODEL)
    before = world.head
    world.do(draw_face, content("one.jpg"), LEFT, None)
    assert [type(event) for event in world.since(before)] == [MarkerLifted, MarkerLifted, FaceDrawn]
    assert world.markers("one.jpg") == []


@pytest.mark.parametrize(
    "box",
    [
        Box(-0.1, 0, 0.5, 0.5),
        Box(0, 1, 0.5, 0.5),
        Box(0.6, 0, 0.5, 0.5),
        Box(0, 0.6, 0.5, 0.5),
        Box(0.5, 0.5, 0, 0.1),
        Box(0.5, 0.5, 0.1, 0.001),
        Box(0.5, 0.5, -0.1, 0.1),
        Box(float("nan"), 0.1, 0.1, 0.1),
        Box(0.1, 0.1, float("nan"), 0.1),
        Box(0.1, 0.1, float("inf"), 0.1),
    ],
)
def test_a_box_lies_on_the_picture_and_is_large_enough_to_be_meant(world: World, box: Box) -> None:
    face = world.a_face()
    for command in (
        lambda: world.do(draw_face, content("one.jpg"), box, None),
        lambda: world.do(change_face, face, FaceChanges(box=box)),
    ):
        with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
            command()
        assert refusal.value.field == "box"


def test_a_box_that_ends_a_rounding_error_beyond_the_edge_is_kept_on_the_picture(world: World) -> None:
    world.scan(photo("one.jpg"))
    box = world.face(world.do(draw_face, content("one.jpg"), Box(0.7, 0.1, 0.3000005, 0.2), None)).box
    assert box.x + box.w <= 1


def test_a_face_is_drawn_only_on_a_photo_that_the_user_sees(world: World) -> None:
    work = world.library("Work")
    world.scan(photo("boss.jpg"), library=work)
    for name, actor in (("unknown.jpg", CLI), ("boss.jpg", ONE_LIBRARY)):
        with nothing_appended(world), pytest.raises(NotFound, match="no such photo"):
            world.do(draw_face, content(name), LEFT, None, actor=actor)


def test_a_face_is_not_drawn_of_an_unknown_or_merged_person(world: World) -> None:
    world.scan(photo("one.jpg"))
    bob, robert = world.a_person("Bob"), world.a_person("Robert")
    world.merge(bob, robert)
    for person, error in ((99, NotFound), (bob, AlreadyMerged)):
        with nothing_appended(world), pytest.raises(error):
            world.do(draw_face, content("one.jpg"), LEFT, None, person)


# One face


def test_an_assignment_says_who_it_was_before(world: World) -> None:
    face = world.a_face()
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    before = world.head
    world.assign(face, ann)
    world.assign(face, bob)
    world.assign(face, None)
    assert world.since(before) == [
        FaceAssigned(face, ann, BY_USER),
        FaceAssigned(face, bob, BY_USER, ann),
        FaceUnassigned(face, bob),
    ]
    assert world.face(face).person_id is None


def test_a_moved_box_gets_a_vector_of_its_own_and_the_old_one_stays(world: World) -> None:
    face = world.a_face()
    old = world.face(face).embedding_id
    before = world.head
    world.do(change_face, face, FaceChanges(box=RIGHT, embedding=Embedding(MODEL, vector(30))))
    moved = world.face(face)
    assert (moved.box, moved.model_version, moved.touched) == (RIGHT, MODEL, True)
    assert world.vector_of(face) == vector(30)
    assert world.since(before) == [FaceMoved(face, RIGHT, LEFT, MODEL, moved.embedding_id, old, MODEL)]
    with world.reading() as tables:
        assert tables.faces.vectors([old or 0]) == {old: vector(0)}


def test_a_box_moved_to_where_the_model_sees_nothing_waits_for_a_vector(world: World) -> None:
    face = world.a_face()
    world.do(change_face, face, FaceChanges(box=RIGHT, model_version=MODEL))
    assert (world.face(face).embedding_id, world.face(face).model_version) == (None, MODEL)


def test_several_changes_of_one_face_are_one_operation(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    operation = world.operation_of(change_face, face, FaceChanges(person_id=ann, ignored=True, box=BELOW))
    assert (
        world.operation(operation).text
        == "assigned a face to Ann, put a stranger's face aside, moved the box of a face"
    )
    stands = world.face(face)
    assert (stands.person_id, stands.ignored, stands.box) == (ann, True, BELOW)


@pytest.mark.parametrize(
    "changes",
    [
        FaceChanges(),
        FaceChanges(person_id=1),
        FaceChanges(ignored=False),
        FaceChanges(box=LEFT, embedding=Embedding(MODEL, vector())),
    ],
)
def test_what_stands_already_appends_nothing(world: World, changes: FaceChanges) -> None:
    face = world.a_face()
    assert world.a_person("Ann", face) == 1
    with nothing_appended(world):
        world.do(change_face, face, changes)


def test_unassigning_nobodys_face_appends_nothing(world: World) -> None:
    face = world.a_face()
    with nothing_appended(world):
        world.assign(face, None)


def test_a_deleted_face_is_kept_for_detection_and_found_by_no_command(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    world.do(delete_face, face)
    assert world.face(face).status == DELETED
    assert_not_found(world, face, ann)


def test_a_face_whose_file_is_missing_or_unseen_is_found_by_no_command(world: World) -> None:
    missing, ann = world.a_face("gone.jpg"), world.do(create_person, "Ann", actor=ONE_LIBRARY)
    with world.uow() as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [world.media("gone.jpg").id])
    assert_not_found(world, missing, ann)
    unseen = world.a_face("boss.jpg", world.library("Work"))
    assert_not_found(world, unseen, ann, actor=ONE_LIBRARY)


def assert_not_found(world: World, face: int, person: int, **more: Any) -> None:
    """Every command on one face says that there is none."""
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(change_face, face, FaceChanges(person_id=person), **more),
        lambda: world.do(delete_face, face, **more),
        lambda: world.do(reject_person, face, person, **more),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(NotFound, match=f"no face {face}"):
            command()


def test_a_copy_in_a_library_that_the_user_sees_is_enough(world: World) -> None:
    work = world.library("Work")
    face = world.a_face("boss.jpg", work)
    world.scan(photo("copy.jpg", "boss.jpg"))
    world.do(change_face, face, FaceChanges(ignored=True), actor=ONE_LIBRARY)
    assert world.face(face).ignored


def test_a_write_with_an_older_version_is_stale(world: World) -> None:
    face = world.a_face()
    world.do(change_face, face, FaceChanges(ignored=True), 1)
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(change_face, face, FaceChanges(ignored=False), 1),
        lambda: world.do(delete_face, face, 1),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Stale, match="version 2 now, not 1"):
            command()


def test_a_detection_does_not_make_a_face_stale(world: World) -> None:
    face = world.a_face()
    world.detect("one.jpg", found(LEFT, 3), model=OTHER_MODEL)
    world.do(change_face, face, FaceChanges(ignored=True), 1)


def test_a_viewer_changes_no_face(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(draw_face, content("one.jpg"), RIGHT, None, actor=VIEWER),
        lambda: world.do(change_face, face, FaceChanges(person_id=ann), actor=VIEWER),
        lambda: world.do(delete_face, face, actor=VIEWER),
        lambda: world.do(reject_person, face, ann, actor=VIEWER),
        lambda: world.do(change_faces, [face], "delete", actor=VIEWER),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Forbidden, match="needs the role editor"):
            command()


# Rejecting


def test_a_rejection_is_remembered_and_takes_the_face_from_the_person(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    before = world.head
    world.do(reject_person, face, ann)
    assert world.since(before) == [FaceUnassigned(face, ann), FaceRejected(face, ann)]
    with world.reading() as tables:
        assert tables.faces.rejected(face) == {ann}


def test_a_rejection_of_somebody_else_leaves_the_face_where_it_is(world: World) -> None:
    face = world.a_face()
    ann, bob = world.a_person("Ann", face), world.a_person("Bob")
    world.do(reject_person, face, bob)
    assert world.face(face).person_id == ann


def test_rejecting_a_survivor_takes_a_face_that_says_the_merged_person(world: World) -> None:
    face = world.a_face()
    bob, robert = world.a_person("Bob", face), world.a_person("Robert")
    world.merge(bob, robert)
    world.do(reject_person, face, robert)
    assert world.face(face).person_id is None


def test_a_rejection_holds_for_whoever_the_person_is_merged_into(world: World) -> None:
    face = world.a_face()
    bob, robert = world.a_person("Bob"), world.a_person("Robert")
    world.do(reject_person, face, bob)
    world.merge(bob, robert)
    with nothing_appended(world):
        world.do(reject_person, face, robert)
    with world.reading() as tables:
        assert tables.faces.rejected(face) == {robert}


def test_rejecting_twice_appends_nothing(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    world.do(reject_person, face, ann)
    with nothing_appended(world):
        world.do(reject_person, face, ann)


def test_a_face_assigned_in_spite_of_a_rejection_is_taken_away_by_the_next_one(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    world.do(reject_person, face, ann)
    world.assign(face, ann)
    world.do(reject_person, face, ann)
    assert world.face(face).person_id is None
    with world.reading() as tables:
        assert tables.faces.rejected(face) == {ann}


# Many faces


def test_a_batch_is_one_operation_with_one_outcome_for_each_face(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    gone, unseen = world.a_face("two.jpg"), world.a_face("boss.jpg", world.library("Work"))
    world.do(delete_face, gone)
    ann = world.do(create_person, "Ann", actor=ONE_LIBRARY)
    before = world.head
    outcomes = world.do(change_faces, [right, gone, 99, left, unseen, right], "assign", ann, actor=ONE_LIBRARY)
    assert outcomes == [
        Outcome(right, ok=True),
        Outcome(gone, ok=False, error=f"there is no face {gone}"),
        Outcome(99, ok=False, error="there is no face 99"),
        Outcome(left, ok=True),
        Outcome(unseen, ok=False, error=f"there is no face {unseen}"),
    ]
    assert world.since(before) == [FaceAssigned(right, ann, BY_USER), FaceAssigned(left, ann, BY_USER)]
    (operation,) = {recorded.operation_id for recorded in world.ledger.events(before, 100)}
    assert world.operation(operation).text == "assigned 2 faces to Ann"


def test_a_batch_may_name_a_new_person(world: World) -> None:
    faces = world.shows("one.jpg", found(LEFT), found(RIGHT))
    before = world.head
    world.do(change_faces, faces, "assign", name=" Cleo ")
    created, *assigned = world.since(before)
    assert isinstance(created, PersonCreated)
    assert created.name == "Cleo"
    assert assigned == [FaceAssigned(face, created.person_id, BY_USER) for face in faces]


def test_a_batch_that_names_a_taken_name_does_nothing(world: World) -> None:
    face = world.a_face()
    world.a_person("Ann")
    with nothing_appended(world), pytest.raises(NameTaken):
        world.do(change_faces, [face], "assign", name="ann")


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ("unassign", "unassigned 1 face"),
        ("ignore", "put 1 face aside as strangers'"),
        ("notice", "took 1 face back from the strangers"),
        ("delete", "deleted 1 face"),
    ],
)
def test_each_action_of_a_batch_changes_what_is_not_so_yet(world: World, action: str, shown: str) -> None:
    left, right, below = world.shows("one.jpg", found(LEFT), found(RIGHT), found(BELOW))
    world.a_person("Ann", left)
    world.do(change_face, right, FaceChanges(ignored=True))
    world.do(delete_face, below)
    already = {"unassign": [right], "ignore": [right], "notice": [left], "delete": [below]}[action]
    with nothing_appended(world):
        world.do(change_faces, already, action)
    to_do = {"unassign": left, "ignore": left, "notice": right, "delete": left}[action]
    operation = world.operation_of(change_faces, [*already, to_do], action)
    assert world.operation(operation).text == shown
    face = world.face(to_do)
    assert {
        "unassign": face.person_id is None,
        "ignore": face.ignored,
        "notice": not face.ignored,
        "delete": face.status == DELETED,
    }[action]


def test_assigning_faces_that_are_the_persons_already_appends_nothing(world: World) -> None:
    face, other = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", face)
    with nothing_appended(world):
        assert world.do(change_faces, [face], "assign", ann) == [Outcome(face, ok=True)]
    operation = world.operation_of(change_faces, [face, other], "assign", ann)
    assert world.operation(operation).text == "assigned 1 face to Ann"


@pytest.mark.parametrize(
    ("ids", "action", "more", "field"),
    [
        ([], "delete", {}, "ids"),
        (range(1, LARGEST_BATCH + 2), "delete", {}, "ids"),
        ([1], "bury", {}, "action"),
        ([1], "assign", {}, "person_id"),
        ([1], "assign", {"person_id": 1, "name": "Ann"}, "person_id"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_with_its_field(
    world: World, ids: list[int], action: str, more: dict[str, Any], field: str
) -> None:
    world.a_person("Bob", world.a_face())
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        world.do(change_faces, ids, action, **more)
    assert refusal.value.field == field


def test_a_batch_for_a_person_that_is_no_more_does_nothing(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    world.do(delete_person, ann)
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(change_faces, [face], "assign", ann)


def test_ignoring_an_ignored_face_appends_nothing(world: World) -> None:
    face = world.a_face()
    before = world.head
    world.do(change_face, face, FaceChanges(ignored=True))
    world.do(change_face, face, FaceChanges(ignored=True))
    assert world.since(before) == [FaceIgnored(face)]


def test_a_failed_photo_can_still_be_drawn_on(world: World) -> None:
    world.scan(photo("one.jpg"))
    with world.uow() as uow:
        uow.begin("detect", "looked for faces")
        mark_failed(uow, content("one.jpg"), MODEL, "too small")
    world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    assert world.markers("one.jpg") == []
