"""What a person decided about the faces of a photo outlives a rewrite of its file."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from adapters.store.erase import erase
from domain.base.actor import CLI
from domain.base.errors import Conflict
from domain.base.geometry import Box, Placement
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face, reject_person
from domain.commands.media import record_missing
from domain.commands.persons import delete_person
from domain.events.face import DELETED, DETECTED, MANUAL, FaceAssigned
from domain.events.media import SamePicture
from domain.events.operation import Operation, OperationBegan
from domain.ports.face_engine import Embedding
from tests.domain.world import (
    BELOW,
    LEFT,
    MODEL,
    NOW_RESTRICTED,
    OTHER_MODEL,
    RIGHT,
    World,
    content,
    found,
    in_the_way,
    nothing_appended,
    photo,
    vector,
)

pytestmark = pytest.mark.usefixtures("replayed")
NEAR_LEFT = Box(0.11, 0.11, 0.2, 0.2)


def rewrite(world: World, path: str = "one.jpg", name: str = "one, rated", same: SamePicture | None = None) -> None:
    """An editor saved the photo anew: other bytes at the same place, of which `same` may tell that they show it."""
    world.scan(photo(path, name, mtime_ns=2), likenesses={} if same is None else {path: same})


def carried(world: World) -> Operation:
    """The last operation that carried decisions over."""
    events = world.ledger.events(0, 10_000)
    began = [r.event for r in events if isinstance(r.event, OperationBegan) and r.event.kind == "media.carry"]
    return world.operation(began[-1].operation_id)


def test_a_face_goes_along_with_its_name_and_id_to_the_same_spot_by_an_operation_that_says_so(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", left)
    rewrite(world)
    world.detect("one, rated", found(NEAR_LEFT), found(RIGHT))
    assert [(face.id, face.box, face.person_id) for face in world.faces("one, rated")] == [
        (left, NEAR_LEFT, ann),
        (right, RIGHT, None),
    ]
    assert world.faces("one.jpg") == []
    assert carried(world).text == "carried 1 name over to what was saved in place of a photo"


def test_where_a_copy_keeps_the_old_content_its_heir_says_that_the_name_was_carried(world: World) -> None:
    left, _ = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", left)
    world.scan(photo("copy.jpg", "one.jpg"))
    rewrite(world)
    before = world.head
    new_left, new_right = world.detect("one, rated", found(NEAR_LEFT), found(RIGHT))
    assert (world.face(new_left).person_id, world.face(new_right).person_id) == (ann, None)
    assert world.face(left).content_hash == content("one.jpg")
    assert [event.why.rule for event in world.since(before) if isinstance(event, FaceAssigned)] == ["carried"]


def test_deletions_and_strangers_are_carried(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.do(delete_face, left)
    world.do(change_face, right, FaceChanges(ignored=True))
    rewrite(world)
    new_left, new_right = world.detect("one, rated", found(LEFT), found(RIGHT))
    assert world.face(new_left).status == DELETED
    assert world.face(new_right).ignored


def test_not_this_person_is_carried_too(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    world.do(reject_person, left, ann)
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    (new,) = world.faces("one, rated")
    with world.reading() as tables:
        assert tables.faces.rejected(new.id) == {ann}


def test_a_drawn_face_is_drawn_again_where_the_picture_is_the_same(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann, bob = world.a_person("Ann", left), world.a_person("Bob")
    drawn = world.do(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector(40)), bob)
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    faces = {face.person_id: face for face in world.faces("one, rated")}
    assert (faces[bob].box, faces[bob].source) == (BELOW, MANUAL)
    assert world.vector_of(faces[bob].id) == vector(40)
    assert faces[bob].id == drawn
    assert faces[ann].box == LEFT


@pytest.mark.parametrize("same", [SamePicture("camera", Placement()), SamePicture("picture", Placement())])
def test_a_drawn_face_goes_along_on_a_photo_where_the_engine_never_found_any(world: World, same: SamePicture) -> None:
    world.shows("one.jpg")
    ann = world.a_person("Ann")
    world.do(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector()), ann)
    rewrite(world, same=same)
    world.detect("one, rated")
    assert [face.person_id for face in world.faces("one, rated")] == [ann]
    assert world.markers("one, rated") == []


def test_nothing_is_drawn_again_on_a_picture_that_shows_the_others_elsewhere_and_that_is_said(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    drawn = world.do(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector()), world.a_person("Bob"))
    rewrite(world)
    world.detect("one, rated", found(RIGHT))
    assert [(face.box, face.person_id) for face in world.faces("one, rated")] == [(RIGHT, ann)]
    assert "1 name could not be carried over" in carried(world).text
    with world.reading() as tables:
        assert tables.faces.unmatched_on(content("one, rated")) == {drawn}


def test_decisions_are_carried_once_and_not_over_later_ones(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", left)
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    (new,) = (face.id for face in world.faces("one, rated"))
    world.assign(new, None)
    world.detect("one, rated", found(LEFT, 3), model=OTHER_MODEL)
    assert world.face(new).person_id is None


def test_a_copy_that_was_not_saved_anew_keeps_its_names_and_the_other_has_them_too(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    world.scan(photo("copy.jpg", "one.jpg"))
    rewrite(world)
    (new,) = world.detect("one, rated", found(LEFT))
    assert world.faces_of(ann) == [left, new]


@pytest.mark.parametrize("between", ["another content", "unreadable bytes", "a blank picture"])
def test_a_file_saved_anew_more_than_once_before_it_is_looked_at_loses_nothing(world: World, between: str) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    if between == "unreadable bytes":
        world.scan(msgspec.structs.replace(photo("one.jpg", mtime_ns=2, problem="cut off"), content_hash=None))
    else:
        rewrite(world, name="one, rated")
    if between == "a blank picture":
        world.detect("one, rated")
    rewrite(world, name="one, rated twice")
    world.detect("one, rated twice", found(LEFT))
    assert [face.person_id for face in world.faces("one, rated twice")] == [ann]


def test_a_chain_of_rewrites_carries_from_each_to_the_next(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    rewrite(world, name="one, rated twice")
    world.detect("one, rated twice", found(LEFT))
    assert [(face.id, face.person_id) for face in world.faces("one, rated twice")] == [(left, ann)]


def test_a_rewrite_before_anybody_decided_anything_carries_nothing(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    rewrite(world)
    before = world.head
    world.detect("one, rated", found(LEFT))
    assert not [event for event in world.since(before) if isinstance(event, FaceAssigned)]


def test_a_new_photo_at_the_place_of_a_missing_one_takes_over_nothing(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    with world.uow() as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [world.media("one.jpg").id])
    rewrite(world)
    (new,) = world.detect("one, rated", found(LEFT))
    assert (world.face(new).person_id, world.face(left).person_id) == (None, ann)


# Another photo in the place of one


OTHER_PERSON = 80.0
"""Degrees between the vectors of two persons: far below the cosine that the model asks of one person's."""


def test_another_photo_in_the_place_of_one_takes_over_no_name_where_its_faces_are_others(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.a_person("Ann", left)
    world.do(change_face, right, FaceChanges(ignored=True))
    rewrite(world, name="another")
    for new in world.detect("another", found(LEFT, OTHER_PERSON), found(RIGHT, OTHER_PERSON)):
        assert decided(world, new) == (DETECTED, None, False, set())


def test_of_another_photo_of_the_same_person_in_the_same_spot_the_name_is_taken_over(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", left)
    world.a_person("Bob", right)
    rewrite(world, name="another")
    same, new = world.detect("another", found(LEFT, 60), found(RIGHT, OTHER_PERSON))
    assert (same, world.face(left).person_id) == (left, ann)
    assert (world.face(new).box, world.face(new).person_id) == (RIGHT, None)


def test_what_was_drawn_on_a_photo_is_not_drawn_on_another_in_its_place(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", left)
    world.do(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector()), world.a_person("Bob"))
    rewrite(world, name="another")
    world.detect("another", found(LEFT, OTHER_PERSON))
    assert [(face.box, face.person_id) for face in world.faces("another")] == [(LEFT, None)]


def test_what_was_drawn_on_another_photo_before_it_was_looked_at_takes_over_nothing(world: World) -> None:
    world.shows("one.jpg")
    world.do(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector()), world.a_person("Ann"))
    rewrite(world, name="another")
    drawn = world.do(draw_face, content("another"), BELOW, None)
    world.detect("another", found(BELOW, OTHER_PERSON))
    assert decided(world, drawn) == (DETECTED, None, False, set())


def test_faces_of_two_models_are_the_same_where_they_stand(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    rewrite(world)
    world.detect("one, rated", found(LEFT, OTHER_PERSON), model=OTHER_MODEL)
    (face,) = world.faces("one, rated")
    assert (face.id, face.person_id, face.model_version) == (left, ann, OTHER_MODEL)


def test_a_photo_that_comes_back_to_its_place_has_its_names(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    rewrite(world, name="another")
    world.detect("another", found(LEFT, OTHER_PERSON))
    world.scan(photo("one.jpg", mtime_ns=3))
    assert world.face(left).person_id == ann
    assert [face.id for face in world.faces("one.jpg")] == [left]


# Drawn on before it is looked at


def test_a_face_drawn_before_the_first_look_keeps_nothing_from_being_carried(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann, bob = world.a_person("Ann", left), world.a_person("Bob", right)
    rewrite(world)
    world.do(draw_face, content("one, rated"), BELOW, None)
    world.detect("one, rated", found(LEFT), found(RIGHT))
    assert {face.person_id for face in world.faces("one, rated")} == {ann, bob, None}


def test_a_face_drawn_in_the_place_of_an_old_one_takes_over_what_was_decided_there(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann, bob = world.a_person("Ann", left), world.a_person("Bob")
    world.do(reject_person, left, bob)
    world.assign(left, ann)
    rewrite(world)
    drawn = world.do(draw_face, content("one, rated"), NEAR_LEFT, None)
    world.detect("one, rated", found(LEFT))
    assert [(face.id, face.person_id) for face in world.faces("one, rated")] == [(drawn, ann)]
    with world.reading() as tables:
        assert tables.faces.rejected(drawn) == {bob}


def test_what_is_said_of_the_face_drawn_there_goes_before_what_was_said_of_the_old_one(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", left)
    bob = world.a_person("Bob")
    rewrite(world)
    drawn = world.do(draw_face, content("one, rated"), NEAR_LEFT, None, bob)
    world.detect("one, rated", found(LEFT))
    assert [(face.id, face.person_id) for face in world.faces("one, rated")] == [(drawn, bob)]


@pytest.mark.parametrize("deleted", [False, True])
def test_no_face_is_drawn_again_on_top_of_one_that_stands_there(world: World, deleted: bool) -> None:
    world.shows("one.jpg", found(RIGHT))
    ann = world.a_person("Ann")
    world.do(draw_face, content("one.jpg"), LEFT, None, ann)
    rewrite(world)
    drawn = world.do(draw_face, content("one, rated"), NEAR_LEFT, None)
    if deleted:
        world.do(delete_face, drawn)
    world.detect("one, rated", found(RIGHT))
    assert [face.id for face in world.faces("one, rated") if face.box != RIGHT] == [drawn]


def test_what_was_drawn_on_a_content_that_was_never_looked_at_is_carried_with_what_stood_before(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann, bob = world.a_person("Ann", left), world.a_person("Bob")
    rewrite(world)
    world.do(draw_face, content("one, rated"), BELOW, None, bob)
    rewrite(world, name="one, rated twice")
    world.detect("one, rated twice", found(LEFT))
    assert {(face.box, face.person_id) for face in world.faces("one, rated twice")} == {(LEFT, ann), (BELOW, bob)}


def test_a_drawn_face_that_was_deleted_keeps_its_place_on_the_new_content(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", left)
    world.do(delete_face, world.do(draw_face, content("one.jpg"), BELOW, None))
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    assert [(face.box, face.status) for face in world.faces("one, rated") if face.box != LEFT] == [(BELOW, DELETED)]


def test_an_erased_place_is_not_found_again_though_somebody_drew_before_the_first_look(world: World) -> None:
    left, _ = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.a_person("Ann", left)
    erase(world.ledger, CLI, 1)
    rewrite(world)
    drawn = world.do(draw_face, content("one, rated"), BELOW, None)
    world.detect("one, rated", found(NEAR_LEFT), found(RIGHT))
    standing = {face.box: face.id == drawn for face in world.faces("one, rated") if face.status == DETECTED}
    assert standing == {BELOW: True, RIGHT: False}


# Taking back what was carried


@pytest.fixture
def rewritten(world: World) -> Callable[..., int]:
    """Saves the photo anew and looks at it, once or twice; the face in the first place, or in another."""

    def rewrite_and_look(*boxes: Box, times: int = 1) -> int:
        for time in range(times):
            rewrite(world, name=f"one, saved {time}")
            world.detect(f"one, saved {time}", *map(found, boxes or (LEFT,)))
        return world.faces(f"one, saved {times - 1}")[0].id

    return rewrite_and_look


def decided(world: World, face_id: int) -> tuple[str, int | None, bool, set[int]]:
    """What stands decided about a face."""
    face = world.face(face_id)
    with world.reading() as tables:
        return face.status, face.person_id, face.ignored, tables.faces.rejected(face_id)


DECISIONS: dict[str, Callable[[World, int, int], int]] = {
    "assigned": lambda world, face, person: world.assign(face, person),
    "assigned anew": lambda world, face, person: world.assign(face, world.a_person("Cleo")),
    "ignored": lambda world, face, person: world.operation_of(change_face, face, FaceChanges(ignored=True)),
    "deleted": lambda world, face, person: world.operation_of(delete_face, face),
    "rejected": lambda world, face, person: world.operation_of(reject_person, face, person),
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_is_taken_back_and_redone_on_the_photo_saved_anew(
    world: World, rewritten: Callable[..., int], decision: str, times: int
) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    bob = world.a_person("Bob")
    if decision in {"assigned anew", "deleted"}:
        world.a_person("Ann", face)
    before = decided(world, face)
    operation = DECISIONS[decision](world, face, bob)
    after = decided(world, face)
    heir = rewritten(times=times)
    assert decided(world, heir) == after
    undone = world.undo(operation)
    assert [decided(world, face), decided(world, heir)] == [before, before]
    redone = world.undo(undone)
    assert [decided(world, face), decided(world, heir)] == [after, after]
    world.undo(redone)
    assert [decided(world, face), decided(world, heir)] == [before, before]


@pytest.mark.parametrize("decision", DECISIONS)
def test_what_was_taken_back_before_the_photo_was_saved_anew_is_redone_there(
    world: World, rewritten: Callable[..., int], decision: str
) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    bob = world.a_person("Bob")
    operation = DECISIONS[decision](world, face, bob)
    after = decided(world, face)
    undone = world.undo(operation)
    heir = rewritten()
    world.undo(undone)
    assert decided(world, heir) == after


def test_a_later_decision_about_the_heir_is_in_the_way_until_it_is_undone(
    world: World, rewritten: Callable[..., int]
) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    ann, bob = world.a_person("Ann"), world.a_person("Bob")
    assigned = world.assign(face, ann)
    heir = rewritten()
    later = world.assign(heir, bob)
    with nothing_appended(world), in_the_way(later):
        world.undo(assigned)
    world.undo(later)
    world.undo(assigned)
    assert world.face(heir).person_id is None


def test_a_drawing_is_taken_back_and_redone_on_the_photo_saved_anew(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann")
    drawn = world.operation_of(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector(40)), ann)
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    (heir,) = world.faces_of(ann)
    undone = world.undo(drawn)
    assert [face.box for face in world.faces("one, rated")] == [LEFT]
    world.undo(undone)
    assert (world.faces_of(ann), world.face(heir).box) == ([heir], BELOW)


def test_a_drawing_that_an_engine_finds_on_the_photo_saved_anew_leaves_what_it_found(world: World) -> None:
    world.scan(photo("one.jpg"))
    ann = world.a_person("Ann")
    drawn = world.operation_of(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector(40)), ann)
    rewrite(world)
    world.detect("one, rated", found(NEAR_LEFT))
    (heir,) = world.faces_of(ann)
    assert world.face(heir).content_hash == content("one, rated")
    world.undo(drawn)
    assert decided(world, heir) == (DETECTED, None, False, set())


def test_a_moved_box_of_a_drawn_face_goes_back_on_the_photo_saved_anew(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    drawn = world.do(draw_face, content("one.jpg"), BELOW, Embedding(MODEL, vector(40)))
    moved = world.operation_of(change_face, drawn, FaceChanges(box=RIGHT, embedding=Embedding(MODEL, vector(50))))
    rewrite(world)
    world.detect("one, rated", found(LEFT))
    heir = world.faces("one, rated")[-1]
    assert heir.box == RIGHT
    undone = world.undo(moved)
    assert (world.face(heir.id).box, world.vector_of(heir.id)) == (BELOW, vector(40))
    world.undo(undone)
    assert (world.face(heir.id).box, world.vector_of(heir.id)) == (RIGHT, vector(50))


def test_a_moved_box_that_an_engine_sees_stays_where_the_engine_sees_it(
    world: World, rewritten: Callable[..., int]
) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    moved = world.operation_of(change_face, face, FaceChanges(box=NEAR_LEFT))
    heir = rewritten()
    with nothing_appended(world), pytest.raises(Conflict, match="nothing of operation"):
        world.undo(moved)
    assert (heir, world.face(face).box) == (face, LEFT)


def test_faces_that_went_with_a_person_come_back_with_it_on_the_photo_saved_anew(
    world: World, rewritten: Callable[..., int]
) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", face)
    deleted = world.operation_of(delete_person, ann, with_faces=True)
    heir = rewritten(times=2)
    assert world.face(heir).status == DELETED
    undone = world.undo(deleted)
    assert world.faces_of(ann) == [heir]
    world.undo(undone)
    assert world.face(heir).status == DELETED


def test_a_drawing_that_took_over_old_decisions_can_be_taken_back(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann", left)
    rewrite(world)
    drawn = world.operation_of(draw_face, content("one, rated"), NEAR_LEFT, None)
    world.detect("one, rated")
    assert [face.person_id for face in world.faces("one, rated")] == [ann]
    world.undo(drawn)
    assert world.faces("one, rated") == []


def test_a_decision_is_not_taken_from_a_face_that_was_drawn_with_it_in_its_own_right(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann")
    assigned = world.assign(left, ann)
    rewrite(world)
    drawn = world.do(draw_face, content("one, rated"), NEAR_LEFT, None, ann)
    world.detect("one, rated", found(LEFT))
    world.undo(assigned)
    assert world.faces_of(ann) == [drawn]


def test_an_heir_that_is_no_longer_found_is_in_nobodys_way(world: World, rewritten: Callable[..., int]) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann")
    undone = world.undo(world.assign(face, ann))
    rewritten()
    world.detect("one, saved 0", model=OTHER_MODEL)
    world.undo(undone)
    assert world.face(face).person_id == ann


def test_who_sees_the_photo_saved_anew_takes_back_what_was_decided_before(
    world: World, rewritten: Callable[..., int]
) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    ann = world.a_person("Ann")
    assigned = world.assign(face, ann)
    heir = rewritten()
    world.undo(world.undo(assigned, actor=NOW_RESTRICTED), actor=NOW_RESTRICTED)
    world.do(delete_person, ann, actor=NOW_RESTRICTED)
    assert world.face(heir).person_id == ann


def test_nothing_is_carried_a_second_time_to_a_face_that_somebody_freed_of_it(world: World) -> None:
    (left,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", left)
    rewrite(world)
    drawn = world.do(draw_face, content("one, rated"), NEAR_LEFT, None)
    world.detect("one, rated", found(LEFT))
    world.assign(drawn, None)
    world.detect("one, rated", found(LEFT), model=OTHER_MODEL)
    assert world.face(drawn).person_id is None
