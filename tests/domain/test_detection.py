"""What the server records of a detection: a human decision outlives all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.store.erase import erase
from domain.base.actor import CLI
from domain.base.geometry import Box, intersection_over_union
from domain.commands.detection import mark_failed, wants_embedding
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face, reject_person
from domain.events.erasure import FaceErased
from domain.events.face import (
    DELETED,
    DETECTED,
    FAILED,
    NO_FACES,
    SAME_FACE_IOU,
    ContentMarked,
    Face,
    FaceDetected,
    FaceEmbedded,
    FaceRedetected,
    FaceRetracted,
    MarkerLifted,
)
from domain.ports.face_engine import DetectedFace, Detection, Embedding
from domain.rules.face_pairing import paired
from tests.domain.world import BELOW, LEFT, MODEL, OTHER_MODEL, RIGHT, World, content, found, photo, vector

EARLIER, LATER = "centerface+sface-2021dec", "centerface-2+sface-2021dec"
NEAR_LEFT = Box(0.11, 0.11, 0.2, 0.2)
"""Overlaps `LEFT` by 0.82."""


def types(world: World, since: int) -> list[type]:
    """The kinds of events appended."""
    return [type(event) for event in world.since(since)]


# New faces and markers


def test_found_faces_are_new_rows_with_their_vectors(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT, 10, 0.8), found(RIGHT, 20))
    face = world.face(left)
    assert (face.status, face.source, face.box, face.confidence) == (DETECTED, "auto", LEFT, 0.8)
    assert (face.model_version, face.touched, face.person_id) == (MODEL, False, None)
    assert (world.vector_of(left), world.vector_of(right)) == (vector(10), vector(20))
    assert world.markers("one.jpg") == []


def test_a_photo_without_faces_is_marked_once_for_each_model(world: World) -> None:
    world.shows("one.jpg")
    before = world.head
    world.detect("one.jpg")
    assert world.since(before) == []
    world.detect("one.jpg", model=OTHER_MODEL)
    assert world.markers("one.jpg") == [(NO_FACES, MODEL), (NO_FACES, OTHER_MODEL)]


def test_a_photo_that_a_model_cannot_use_is_marked_with_the_reason(world: World) -> None:
    world.scan(photo("one.jpg"))
    before = world.head
    fail(world, "one.jpg", "the picture is 2 pixels wide")
    fail(world, "one.jpg", "it still is")
    (marked,) = world.since(before)
    assert isinstance(marked, ContentMarked)
    assert (marked.status, marked.reason) == (FAILED, "the picture is 2 pixels wide")


def fail(world: World, name: str, reason: str = "unreadable") -> None:
    """The engine can never use this content."""
    with world.uow() as uow:
        uow.begin("detect", "looked for faces")
        mark_failed(uow, content(name), MODEL, reason)


def test_marking_is_a_no_op_where_a_face_stands_even_a_deleted_one(world: World) -> None:
    world.do(delete_face, world.a_face())
    before = world.head
    fail(world, "one.jpg")
    world.detect("one.jpg")
    assert world.since(before) == []


@pytest.mark.parametrize("status", [NO_FACES, FAILED])
def test_a_face_found_after_all_lifts_the_marker_of_its_model_only(world: World, status: str) -> None:
    world.scan(photo("one.jpg"))
    if status == FAILED:
        fail(world, "one.jpg")
    world.detect("one.jpg")
    world.detect("one.jpg", model=OTHER_MODEL)
    before = world.head
    world.detect("one.jpg", found(LEFT))
    assert types(world, before) == [MarkerLifted, FaceDetected]
    assert world.markers("one.jpg") == [(NO_FACES, OTHER_MODEL)]


# The same faces again


def test_a_box_that_overlaps_an_old_one_is_the_same_face(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann", left)
    assert world.detect("one.jpg", found(RIGHT), found(NEAR_LEFT)) == []
    assert [face.id for face in world.faces("one.jpg")] == [left, right]
    assert world.face(left).person_id == ann


def test_the_same_model_again_appends_nothing(world: World) -> None:
    world.shows("one.jpg", found(LEFT), found(RIGHT))
    before = world.head
    world.detect("one.jpg", found(NEAR_LEFT, 5), found(RIGHT))
    assert world.since(before) == []


def test_a_box_that_overlaps_by_half_at_most_is_another_face(world: World) -> None:
    (old,) = world.shows("one.jpg", found(Box(0, 0, 0.5, 0.5)))
    world.assign(old, world.a_person("Ann"))
    half = Box(0, 0, 0.5, 0.25)
    assert intersection_over_union(world.face(old).box, half) == SAME_FACE_IOU
    assert len(world.detect("one.jpg", found(half))) == 1
    assert len(world.faces("one.jpg")) == 2


def test_two_boxes_on_one_old_face_the_better_keeps_its_person(world: World) -> None:
    (old,) = world.shows("one.jpg", found(LEFT))
    world.a_person("Ann", old)
    (new,) = world.detect("one.jpg", found(NEAR_LEFT, 50), found(LEFT, 3), model=OTHER_MODEL)
    assert world.vector_of(old) == vector(3)
    assert world.face(new).box == NEAR_LEFT


def test_a_deleted_face_gets_the_vector_of_a_later_model_so_that_it_may_be_taken_back(world: World) -> None:
    face = world.a_face()
    deleted = world.operation_of(delete_face, face)
    before = world.head
    world.detect("one.jpg", found(NEAR_LEFT, 30), model=OTHER_MODEL)
    assert types(world, before) == [FaceEmbedded]
    world.undo(deleted)
    back = world.face(face)
    assert (back.status, back.box, back.model_version) == (DETECTED, LEFT, OTHER_MODEL)
    assert world.vector_of(face) == vector(30)


def test_a_face_that_an_erasure_took_gets_no_vector_of_a_later_model(world: World) -> None:
    world.scan(photo("one.jpg"))
    with world.uow() as uow:
        uow.begin("erase", "erased a face")
        uow.append(FaceErased(uow.new_id("face"), content("one.jpg"), LEFT, MODEL, "auto"))
    before = world.head
    world.detect("one.jpg", found(NEAR_LEFT), model=OTHER_MODEL)
    assert types(world, before) == [ContentMarked]


def test_a_deleted_face_stays_deleted_and_keeps_its_box_from_coming_back(world: World) -> None:
    face = world.a_face()
    world.do(delete_face, face)
    for model in (MODEL, OTHER_MODEL):
        assert world.detect("one.jpg", found(NEAR_LEFT), model=model) == []
    assert world.face(face).status == DELETED
    world.detect("one.jpg", model=OTHER_MODEL)
    assert world.face(face).status == DELETED


def waiting_for(world: World, model: str) -> set[str]:
    """The photos that a model has still to look at."""
    with world.reading() as tables:
        backlog = tables.detection_backlog
        rows = [*backlog.waiting(model, 10), *backlog.waiting(model, 10, again=True)]
    return {media.path for _, media in rows}


def test_what_an_earlier_detector_saw_is_looked_at_again_and_what_people_decided_stands(world: World) -> None:
    world.scan(photo("blank.jpg"))
    world.detect("blank.jpg", model=EARLIER)
    named, deleted = (world.a_face(name) for name in ("named.jpg", "deleted.jpg"))
    ann = world.a_person("Ann", named)
    world.do(delete_face, deleted)
    world.scan(photo("drawn.jpg"))
    drawn = world.do(draw_face, content("drawn.jpg"), RIGHT, Embedding(MODEL, vector(70)))
    assert waiting_for(world, LATER) == {"blank.jpg", "named.jpg", "deleted.jpg", "drawn.jpg"}
    (new,) = world.detect("blank.jpg", found(LEFT), model=LATER)
    assert world.face(new).status == DETECTED
    world.detect("named.jpg", model=LATER, **{str(named): vector(3)})
    world.detect("deleted.jpg", found(NEAR_LEFT), model=LATER)
    world.detect("drawn.jpg", model=LATER, **{str(drawn): vector(71)})
    assert (world.face(named).person_id, world.face(named).box) == (ann, LEFT)
    assert world.face(deleted).status == DELETED
    assert (world.face(drawn).source, world.face(drawn).box) == ("manual", RIGHT)
    assert waiting_for(world, LATER) == set()


def test_a_named_face_that_another_detector_boxes_differently_is_the_same_face(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    elsewhere = Box(LEFT.x + 0.08, LEFT.y + 0.02, LEFT.w, LEFT.h)
    assert 0.3 < intersection_over_union(LEFT, elsewhere) < 0.5
    assert world.detect("one.jpg", found(elsewhere), model=OTHER_MODEL) == []
    (again,) = world.faces("one.jpg")
    assert (again.id, again.person_id, again.model_version) == (face, ann, OTHER_MODEL)


def test_a_face_that_nobody_decided_about_is_retracted_when_no_longer_found(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    before = world.head
    world.detect("one.jpg", found(LEFT))
    assert world.since(before) == [FaceRetracted(right)]
    assert [face.id for face in world.faces("one.jpg")] == [left]


@pytest.mark.parametrize("decision", ["drawn", "assigned", "unassigned", "ignored", "moved", "rejected"])
def test_a_face_that_somebody_decided_about_stays_though_no_longer_found(world: World, decision: str) -> None:
    if decision == "drawn":
        world.shows("one.jpg")
        face = world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    else:
        face = world.a_face()
    ann = world.a_person("Ann")
    if decision in {"assigned", "unassigned"}:
        world.assign(face, ann)
    if decision == "unassigned":
        world.assign(face, None)
    if decision == "ignored":
        world.do(change_face, face, FaceChanges(ignored=True))
    if decision == "moved":
        world.do(change_face, face, FaceChanges(box=BELOW, embedding=Embedding(MODEL, vector())))
    if decision == "rejected":
        world.do(reject_person, face, ann)
    before = world.head
    world.detect("one.jpg")
    assert world.since(before) == []
    assert world.face(face).status == DETECTED


# Another model


def test_another_model_embeds_the_same_faces_anew(world: World) -> None:
    face = world.a_face()
    before = world.head
    world.detect("one.jpg", found(NEAR_LEFT, 30, 0.7), model=OTHER_MODEL)
    stands = world.face(face)
    assert world.since(before) == [FaceRedetected(face, NEAR_LEFT, 0.7, OTHER_MODEL, stands.embedding_id or 0)]
    assert (stands.box, stands.model_version) == (NEAR_LEFT, OTHER_MODEL)
    assert world.vector_of(face) == vector(30)


@pytest.mark.parametrize("decision", ["drawn", "assigned", "moved"])
def test_a_box_that_somebody_drew_or_touched_stays_where_it_is(world: World, decision: str) -> None:
    if decision == "drawn":
        world.scan(photo("one.jpg"))
        face = world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    else:
        face = world.shows("one.jpg", found(LEFT if decision == "assigned" else BELOW))[0]
    if decision == "assigned":
        world.a_person("Ann", face)
    if decision == "moved":
        world.do(change_face, face, FaceChanges(box=LEFT, embedding=Embedding(MODEL, vector())))
    before = world.head
    world.detect("one.jpg", found(NEAR_LEFT, 30), model=OTHER_MODEL)
    stands = world.face(face)
    assert world.since(before) == [FaceEmbedded(face, OTHER_MODEL, stands.embedding_id or 0, NEAR_LEFT, 0.9)]
    assert stands.box == LEFT
    assert world.vector_of(face) == vector(30)


def test_a_face_in_the_middle_of_a_head_that_somebody_drew_is_that_face(world: World) -> None:
    world.scan(photo("one.jpg"))
    head = world.do(draw_face, content("one.jpg"), Box(0.1, 0.1, 0.32, 0.32), None)
    assert world.detect("one.jpg", found(Box(0.16, 0.16, 0.2, 0.2), 30), found(RIGHT)) != []
    assert [(face.id == head, face.box.w) for face in world.faces("one.jpg")] == [(True, 0.32), (False, 0.2)]
    assert world.vector_of(head) == vector(30)


def test_a_face_that_waited_for_a_vector_gets_it_from_the_next_detection(world: World) -> None:
    world.scan(photo("one.jpg"))
    face = world.do(draw_face, content("one.jpg"), LEFT, None, model_version=MODEL)
    world.detect("one.jpg", found(NEAR_LEFT, 30))
    assert world.vector_of(face) == vector(30)
    assert world.face(face).box == LEFT


def test_what_an_engine_finds_of_a_drawn_face_is_recorded_once_though_it_has_a_vector_of_that_model(
    world: World,
) -> None:
    world.scan(photo("one.jpg"))
    face = world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    before = world.head
    world.detect("one.jpg", found(NEAR_LEFT, 30))
    world.detect("one.jpg", found(NEAR_LEFT, 30))
    embedding_id = world.face(face).embedding_id or 0
    assert world.since(before) == [FaceEmbedded(face, MODEL, embedding_id, NEAR_LEFT, 0.9)]


def test_a_drawn_face_that_was_erased_is_not_found_again_where_an_engine_saw_it(world: World) -> None:
    world.scan(photo("one.jpg"))
    face = world.do(draw_face, content("one.jpg"), LEFT, None)
    world.detect("one.jpg", found(NEAR_LEFT))
    world.do(change_face, face, FaceChanges(box=BELOW))
    erase(world.ledger, CLI, content("one.jpg"))
    world.detect("one.jpg", found(NEAR_LEFT), model=OTHER_MODEL)
    assert [each.status for each in world.faces("one.jpg")] == [DELETED]


def test_the_faces_to_embed_are_those_that_stay_without_being_found(world: World) -> None:
    left, right, below = world.shows("one.jpg", found(LEFT), found(RIGHT), found(BELOW))
    drawn = world.do(draw_face, content("one.jpg"), Box(0, 0.5, 0.1, 0.1), None)
    world.a_person("Ann", left, below)
    world.do(delete_face, below)
    faces = world.faces("one.jpg")
    assert [face.id for face in wants_embedding(faces, Detection(OTHER_MODEL, ()))] == [left, drawn]
    assert [face.id for face in wants_embedding(faces, Detection(OTHER_MODEL, (found(LEFT),)))] == [drawn]
    assert [face.id for face in wants_embedding(faces, Detection(MODEL, ()))] == [drawn]
    assert right not in {face.id for face in wants_embedding(faces, Detection(OTHER_MODEL, ()))}


def test_a_face_that_stays_unfound_gets_the_vector_that_was_made_for_it(world: World) -> None:
    face = world.a_face()
    world.a_person("Ann", face)
    world.detect("one.jpg", model=OTHER_MODEL, **{f"face_{face}": vector(40)})
    assert world.face(face).model_version == OTHER_MODEL
    assert world.vector_of(face) == vector(40)
    assert world.markers("one.jpg") == []


def test_a_face_that_stays_unfound_and_without_vector_leaves_a_marker_until_it_has_one(world: World) -> None:
    face = world.a_face()
    world.a_person("Ann", face)
    world.detect("one.jpg", model=OTHER_MODEL)
    assert world.markers("one.jpg") == [(NO_FACES, OTHER_MODEL)]
    world.detect("one.jpg", model=OTHER_MODEL, **{f"face_{face}": vector(40)})
    assert world.markers("one.jpg") == []


def test_vectors_of_two_models_never_stand_for_one_model(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT, 1), found(RIGHT, 2))
    ann = world.a_person("Ann", left, right)
    world.detect("one.jpg", found(LEFT, 50), model=OTHER_MODEL)
    with world.reading() as tables:
        assert tables.exemplars.vectors_of(ann, MODEL) == [vector(2)]
        assert tables.exemplars.vectors_of(ann, OTHER_MODEL) == [vector(50)]


# Pairing alone

BOXES = st.builds(Box, st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.05, 0.5), st.floats(0.05, 0.5))


def old_face(id_: int, box: Box) -> Face:
    """An old face."""
    return Face(id_, content("x"), DETECTED, box, 0.9, "auto", MODEL, id_, None, False, False, 1)


@given(st.lists(BOXES, max_size=5), st.lists(BOXES, max_size=5))
def test_pairing_loses_and_doubles_no_box(old: list[Box], new: list[Box]) -> None:
    faces = [old_face(id_, box) for id_, box in enumerate(old, start=1)]
    pairing = paired(faces, [DetectedFace(box, place / 10, b"") for place, box in enumerate(new)])
    assert sorted([*(face.id for face, _ in pairing.same), *(face.id for face in pairing.gone)]) == [
        face.id for face in faces
    ]
    places = [*(box.confidence for _, box in pairing.same), *(box.confidence for box in pairing.new)]
    assert sorted(places) == [place / 10 for place in range(len(new))]
    assert all(intersection_over_union(face.box, box.box) > SAME_FACE_IOU for face, box in pairing.same)


def test_the_greatest_overlap_is_paired_first() -> None:
    faces = [old_face(1, LEFT), old_face(2, NEAR_LEFT)]
    pairing = paired(faces, [found(NEAR_LEFT), found(LEFT)])
    assert [(face.id, box.box) for face, box in pairing.same] == [(1, LEFT), (2, NEAR_LEFT)]


def test_detection_of_the_same_faces_does_not_depend_on_their_order(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.detect("one.jpg", found(RIGHT, 2), found(LEFT, 1), model=OTHER_MODEL)
    assert (world.vector_of(left), world.vector_of(right)) == (vector(1), vector(2))
