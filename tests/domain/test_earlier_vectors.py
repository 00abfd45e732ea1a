"""Going back to a model of before: its vectors are still in the log, and are taken up."""

from __future__ import annotations

import msgspec

from domain.base.face_quality import FaceQuality
from domain.commands.earlier_vectors import take_up_vectors
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face
from domain.events.face import FaceEmbedded
from domain.ports.face_engine import Embedding
from tests.domain.world import BELOW, LEFT, MODEL, OTHER_MODEL, RIGHT, World, content, found, vector


def take_up(world: World, name: str = "one.jpg") -> bool:
    """Go back to the model of before on a photo; what is not possible appends nothing."""
    before = world.head
    with world.uow() as uow:
        uow.begin("detect.again", "looked at all photos again")
        is_taken_up = take_up_vectors(uow, content(name), MODEL)
    assert is_taken_up or world.since(before) == []
    return is_taken_up


def test_each_face_gets_the_vector_of_before_and_keeps_all_else(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT, 10), found(RIGHT, 20))
    ann = world.a_person("Ann", left)
    world.detect("one.jpg", found(LEFT, 30), found(RIGHT, 40), model=OTHER_MODEL)
    before = world.head
    assert take_up(world)
    assert [type(event) for event in world.since(before)] == [FaceEmbedded, FaceEmbedded]
    assert (world.vector_of(left), world.vector_of(right)) == (vector(10), vector(20))
    assert world.face(left).model_version == world.face(right).model_version == MODEL
    assert (world.face(left).person_id, world.face(left).box) == (ann, LEFT)
    with world.reading() as tables:
        assert tables.faces.has_rows(content("one.jpg"), MODEL)


def test_how_well_a_face_is_seen_stays_as_it_was_measured_last(world: World) -> None:
    seen = FaceQuality(sharpness=0.5, size=80.0, yaw=10.0)
    (face,) = world.shows("one.jpg", found(LEFT, 10))
    world.detect("one.jpg", msgspec.structs.replace(found(LEFT, 30), quality=seen), model=OTHER_MODEL)
    before = world.head
    assert take_up(world)
    (event,) = world.since(before)
    assert isinstance(event, FaceEmbedded)
    assert (event.face_id, event.quality) == (face, seen)


def test_there_and_back_again_the_last_vector_of_each_model_counts(world: World) -> None:
    (face,) = world.shows("one.jpg", found(LEFT, 10))
    world.detect("one.jpg", found(LEFT, 30), model=OTHER_MODEL)
    world.detect("one.jpg", found(LEFT, 50))
    world.detect("one.jpg", found(LEFT, 70), model=OTHER_MODEL)
    assert take_up(world)
    assert world.vector_of(face) == vector(50)


def test_a_photo_with_a_face_that_only_the_later_model_saw_is_to_be_looked_at(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    world.detect("one.jpg", found(LEFT), found(RIGHT), model=OTHER_MODEL)
    assert not take_up(world)


def test_a_face_that_was_drawn_or_moved_since_is_to_be_looked_at(world: World) -> None:
    world.shows("drawn.jpg", found(LEFT))
    world.shows("moved.jpg", found(LEFT))
    for name in ("drawn.jpg", "moved.jpg"):
        world.detect(name, found(LEFT), model=OTHER_MODEL)
    world.do(draw_face, content("drawn.jpg"), RIGHT, Embedding(OTHER_MODEL, vector(5)))
    (moved,) = world.faces("moved.jpg")
    changes = FaceChanges(box=BELOW, embedding=Embedding(OTHER_MODEL, vector(5)), model_version=OTHER_MODEL)
    world.do(change_face, moved.id, changes)
    for name in ("drawn.jpg", "moved.jpg"):
        assert not take_up(world, name)


def test_a_face_that_lies_elsewhere_now_is_to_be_looked_at(world: World) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    world.detect("one.jpg", found(LEFT), model=OTHER_MODEL)
    changes = FaceChanges(box=BELOW, embedding=Embedding(OTHER_MODEL, vector(5)), model_version=OTHER_MODEL)
    moving = world.operation_of(change_face, face, changes)
    assert not take_up(world)
    world.undo(moving)
    assert not take_up(world), "a box that was moved back has the vector of the model that it had then"


def test_a_deleted_face_gets_its_vector_too_and_stays_deleted(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT, 10), found(RIGHT, 20))
    deleted = world.operation_of(delete_face, right)
    world.detect("one.jpg", found(LEFT, 30), found(RIGHT, 40), model=OTHER_MODEL)
    assert take_up(world)
    assert world.face(right).status == "deleted"
    world.undo(deleted)
    assert (world.vector_of(left), world.vector_of(right)) == (vector(10), vector(20))


def test_what_an_erasure_took_is_not_taken_up(world: World) -> None:
    (face,) = world.shows("one.jpg", found(LEFT, 10))
    earlier = world.face(face).embedding_id
    world.detect("one.jpg", found(LEFT, 30), model=OTHER_MODEL)
    with world.uow() as uow:
        table = uow.tables.embeddings
        uow.connection.execute(table.delete().where(table.c.id == earlier))
    assert not take_up(world)


def test_a_model_that_never_looked_has_nothing_to_take_up(world: World) -> None:
    world.a_face()
    with world.uow() as uow:
        assert not take_up_vectors(uow, content("one.jpg"), OTHER_MODEL)
    with world.reading() as tables:
        assert (tables.faces.knows_model(MODEL), tables.faces.knows_model(OTHER_MODEL)) == (True, False)
