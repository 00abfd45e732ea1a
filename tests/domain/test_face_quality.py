"""How well a face is seen: kept of each face, and what covers and exemplars are chosen by."""

from __future__ import annotations

import msgspec
import pytest

from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.commands.faces import FaceChanges, change_face, draw_face
from domain.events.face import FaceDetected
from domain.ports.face_engine import DetectedFace, Embedding
from tests.domain.world import BELOW, LEFT, MODEL, OTHER_MODEL, RIGHT, World, content, found, vector

SHARP = FaceQuality(0.8, 150.0, 5.0)
BLURRED = FaceQuality(0.05, 150.0, 5.0)
TINY = FaceQuality(0.8, 12.0, 5.0)
AWAY = FaceQuality(0.8, 150.0, -80.0)


def measured(face: DetectedFace, quality: FaceQuality | None) -> DetectedFace:
    """A face as an engine finds it that measures quality."""
    return msgspec.structs.replace(face, quality=quality)


def quality_of(world: World, face_id: int) -> FaceQuality | None:
    """What clients are told of a face."""
    with world.reading() as tables:
        view = tables.faces.view(face_id)
    assert view is not None
    return view.quality


def cover_of(world: World, person_id: int) -> int | None:
    """The face that stands for a person who has chosen none."""
    with world.reading() as tables:
        view = tables.persons_with_faces.view(person_id)
    assert view is not None
    return view.cover_face_id


@pytest.mark.parametrize("worse", [BLURRED, TINY, AWAY], ids=["blurred", "tiny", "turned away"])
def test_a_clear_face_is_the_cover_before_a_larger_one_that_shows_less(world: World, worse: FaceQuality) -> None:
    large, small = Box(0.05, 0.05, 0.4, 0.4), Box(0.6, 0.6, 0.15, 0.15)
    (clear,) = world.shows("clear.jpg", measured(found(small), SHARP))
    (spoilt,) = world.shows("spoilt.jpg", measured(found(large), worse))
    ann = world.a_person("Ann", clear, spoilt)
    assert cover_of(world, ann) == clear
    with world.reading() as tables:
        assert next(face for face, _ in tables.exemplars.of([ann], MODEL)[ann]) == clear


def test_faces_that_nobody_measured_stand_in_the_order_of_their_share_of_the_picture(world: World) -> None:
    sides = (0.1, 0.3, 0.2)
    faces = [world.shows(f"{side}.jpg", found(Box(0.1, 0.1, side, side)))[0] for side in sides]
    ann = world.a_person("Ann", *faces)
    assert cover_of(world, ann) == faces[1]
    assert quality_of(world, faces[1]) is None


def test_a_later_detection_measures_anew_and_one_that_does_not_measure_leaves_what_is_known(world: World) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    assert quality_of(world, face) is None
    world.detect("one.jpg", measured(found(LEFT), BLURRED), model=OTHER_MODEL)
    assert quality_of(world, face) == BLURRED
    world.detect("one.jpg", measured(found(LEFT), SHARP), model="model-3")
    world.detect("one.jpg", found(LEFT), model="model-4")
    assert quality_of(world, face) == SHARP


def test_a_face_that_a_person_decided_about_is_measured_too(world: World) -> None:
    (face,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", face)
    world.detect("one.jpg", measured(found(LEFT), SHARP), model=OTHER_MODEL)
    assert quality_of(world, face) == SHARP


def test_a_drawn_face_and_a_moved_one_are_measured(world: World) -> None:
    world.shows("one.jpg", found(BELOW))
    drawn = world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector(), TINY))
    assert quality_of(world, drawn) == TINY
    world.do(change_face, drawn, FaceChanges(box=RIGHT, embedding=Embedding(MODEL, vector(), SHARP)))
    assert quality_of(world, drawn) == SHARP


def test_a_box_moved_back_has_the_quality_of_its_old_place_and_moved_again_that_of_the_new_one(world: World) -> None:
    (face,) = world.shows("one.jpg", measured(found(LEFT), SHARP))
    changes = FaceChanges(box=BELOW, embedding=Embedding(MODEL, vector(20), TINY))
    undone = world.undo(world.operation_of(change_face, face, changes))
    assert quality_of(world, face) == SHARP
    world.undo(undone)
    assert quality_of(world, face) == TINY


def test_of_a_box_moved_to_where_nothing_can_be_measured_the_quality_is_not_known(world: World) -> None:
    (face,) = world.shows("one.jpg", measured(found(LEFT), SHARP))
    moved = world.operation_of(change_face, face, FaceChanges(box=BELOW, model_version=MODEL))
    assert quality_of(world, face) is None
    world.undo(moved)
    assert quality_of(world, face) == SHARP


def test_what_was_recorded_before_quality_was_measured_reads_as_ever() -> None:
    before = FaceDetected(1, b"content", LEFT, 0.9, MODEL, 1)
    payload = msgspec.to_builtins(before)
    assert "quality" not in payload
    assert msgspec.convert(payload | {"content_hash": b"content"}, FaceDetected).quality is None


@pytest.mark.parametrize("spoilt", [{"sharpness": 1.5}, {"size": -1.0}, {"yaw": 200.0}])
def test_a_measure_out_of_its_range_is_refused(spoilt: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"sharpness": 0.5, "size": 40.0} | spoilt, FaceQuality)
