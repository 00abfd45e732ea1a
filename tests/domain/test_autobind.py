"""Binding faces to persons by the tags of their photo: all that the server decides about persons by itself."""

from __future__ import annotations

import pytest

from domain.base.actor import AUTOBIND
from domain.commands.autobind import Comparison, bind_by_tag
from domain.commands.faces import FaceChanges, change_face, delete_face, draw_face, reject_person
from domain.commands.persons import delete_person
from domain.commands.tags import tag_contents, untag_contents
from domain.events.face import FaceAssigned, Why
from domain.ports.face_engine import Embedding
from tests.domain.world import BELOW, LEFT, MODEL, OTHER_MODEL, RIGHT, World, content, cosine, found, photo, vector

THRESHOLD = 0.8


def bind(
    world: World,
    name: str,
    threshold: float = THRESHOLD,
    model: str = MODEL,
    likest: dict[int, tuple[int, float]] | None = None,
) -> dict[int, str]:
    """What the policy binds on a photo: the name for each face."""
    with world.uow(AUTOBIND) as uow:
        bound = bind_by_tag(uow, content(name), Comparison(model, threshold, cosine, likest or {}))
    return {b.face_id: b.person.name for b in bound}


def tag(world: World, name: str, *tags: str) -> None:
    """Tag a photo."""
    for each in tags:
        world.do(tag_contents, [content(name)], each)


def known(world: World, name: str, degrees: float = 0) -> int:
    """A person with one face on a photo of its own."""
    return world.a_person(name, *world.shows(f"portrait of {name}", found(LEFT, degrees)))


def test_a_face_like_enough_on_a_photo_tagged_with_the_name_is_bound(world: World) -> None:
    ann = known(world, "Ann")
    (face,) = world.shows("party", found(LEFT, 30))
    tag(world, "party", "Ann")
    before = world.head
    assert bind(world, "party") == {face: "Ann"}
    assert world.since(before) == [FaceAssigned(face, ann, Why("tag", MODEL, 0.8661, THRESHOLD))]
    (operation,) = {recorded.operation_id for recorded in world.ledger.events(before, 10)}
    assert (world.operation(operation).kind, world.operation(operation).actor) == ("autobind", "autobind")
    assert not world.face(face).touched


def test_the_threshold_itself_is_enough_and_less_is_not(world: World) -> None:
    known(world, "Ann")
    (face,) = world.shows("party", found(LEFT, 60))
    tag(world, "party", "Ann")
    exact = cosine(vector(60), [vector(0)])
    assert bind(world, "party", threshold=exact + 0.0001) == {}
    assert bind(world, "party", threshold=exact) == {face: "Ann"}


def test_a_face_that_is_liker_to_somebody_without_a_tag_there_is_not_bound(world: World) -> None:
    ann, bob = known(world, "Ann"), known(world, "Bob", 40)
    (face,) = world.shows("party", found(LEFT, 30))
    tag(world, "party", "Ann")
    assert bind(world, "party", likest={face: (bob, 0.985)}) == {}
    assert bind(world, "party", likest={face: (bob, 0.86)}) == {face: "Ann"}
    assert ann


def test_without_a_tag_nobody_is_bound_however_alike(world: World) -> None:
    known(world, "Ann")
    world.shows("party", found(LEFT))
    tag(world, "party", "Bob", "holiday")
    before = world.head
    assert bind(world, "party") == {}
    assert world.head == before


@pytest.mark.parametrize("tagged", ["ANN LEE", "ann  lee", "\uff21nn Lee"])
def test_the_tag_names_the_person_in_any_case(world: World, tagged: str) -> None:
    known(world, "Ann Lee")
    (face,) = world.shows("party", found(LEFT))
    tag(world, "party", tagged)
    assert bind(world, "party") == {face: "Ann Lee"}


def test_each_face_goes_to_the_likest_of_the_tagged_persons(world: World) -> None:
    known(world, "Ann", 0)
    known(world, "Bob", 40)
    left, right, below = world.shows("party", found(LEFT, 38), found(RIGHT, 5), found(BELOW, 120))
    tag(world, "party", "Ann", "Bob")
    assert bind(world, "party", threshold=0.7) == {left: "Bob", right: "Ann"}
    assert world.face(below).person_id is None


def test_a_tag_taken_off_binds_nobody(world: World) -> None:
    known(world, "Ann")
    world.shows("party", found(LEFT))
    tag(world, "party", "Ann")
    world.do(untag_contents, [content("party")], "Ann")
    assert bind(world, "party") == {}


def test_faces_of_another_model_are_never_compared(world: World) -> None:
    known(world, "Ann")
    (old,) = world.shows("party", found(LEFT))
    world.scan(photo("later"))
    (new,) = world.detect("later", found(LEFT), model=OTHER_MODEL)
    tag(world, "party", "Ann")
    tag(world, "later", "Ann")
    assert bind(world, "party", model=OTHER_MODEL) == {}
    assert bind(world, "later", model=OTHER_MODEL) == {}
    assert world.face(old).person_id is world.face(new).person_id is None


def test_a_face_that_belongs_to_somebody_stays_with_that_person(world: World) -> None:
    known(world, "Ann")
    bob = known(world, "Bob", 90)
    (face,) = world.shows("party", found(LEFT))
    world.assign(face, bob)
    tag(world, "party", "Ann")
    assert bind(world, "party") == {}


def test_a_face_of_a_deleted_person_is_free_again(world: World) -> None:
    known(world, "Ann")
    bob = known(world, "Bob", 90)
    (face,) = world.shows("party", found(LEFT))
    world.assign(face, bob)
    world.do(delete_person, bob)
    tag(world, "party", "Ann")
    assert bind(world, "party") == {face: "Ann"}


@pytest.mark.parametrize("has_a_face", [True, False])
@pytest.mark.parametrize("decision", ["rejected", "taken away", "ignored", "deleted"])
def test_what_somebody_decided_about_a_face_is_obeyed(world: World, decision: str, has_a_face: bool) -> None:
    ann = known(world, "Ann") if has_a_face else world.a_person("Ann")
    (face,) = world.shows("party", found(LEFT))
    tag(world, "party", "Ann")
    if decision == "rejected":
        world.do(reject_person, face, ann)
    if decision == "taken away":
        world.assign(face, ann)
        world.assign(face, None)
    if decision == "ignored":
        world.do(change_face, face, FaceChanges(ignored=True))
    if decision == "deleted":
        world.do(delete_face, face)
    before = world.head
    assert bind(world, "party") == {}
    assert world.head == before


def test_a_rejection_holds_after_the_person_was_merged(world: World) -> None:
    ann, anna = known(world, "Ann"), known(world, "Anna")
    (face,) = world.shows("party", found(LEFT))
    world.do(reject_person, face, ann)
    world.merge(ann, anna)
    tag(world, "party", "Anna")
    assert bind(world, "party") == {}


def test_faces_of_everyone_merged_into_a_person_are_compared(world: World) -> None:
    ann, anna = known(world, "Ann", 0), known(world, "Anna", 90)
    world.merge(ann, anna)
    (face,) = world.shows("party", found(LEFT, 5))
    tag(world, "party", "Anna")
    assert bind(world, "party") == {face: "Anna"}


def test_a_tag_with_the_name_of_a_merged_person_binds_nobody(world: World) -> None:
    ann, anna = known(world, "Ann"), known(world, "Anna")
    world.merge(ann, anna)
    world.shows("party", found(LEFT))
    tag(world, "party", "Ann")
    assert bind(world, "party") == {}


def test_a_person_without_a_face_takes_the_only_face_of_a_photo_with_the_only_such_tag(world: World) -> None:
    ann = world.a_person("Ann")
    (face,) = world.shows("portrait", found(LEFT))
    tag(world, "portrait", "Ann", "holiday")
    before = world.head
    assert bind(world, "portrait") == {face: "Ann"}
    assert world.since(before) == [FaceAssigned(face, ann, Why("only-face", MODEL))]


def test_a_person_without_a_face_does_not_take_one_that_is_clearly_somebody_elses(world: World) -> None:
    world.a_person("Ann")
    bob = known(world, "Bob")
    (face,) = world.shows("portrait", found(LEFT, 5))
    tag(world, "portrait", "Ann")
    assert bind(world, "portrait", likest={face: (bob, 0.996)}) == {}
    assert bind(world, "portrait", likest={face: (bob, THRESHOLD - 0.01)}) == {face: "Ann"}


def test_a_second_face_even_an_ignored_one_or_a_second_person_leaves_it_open(world: World) -> None:
    world.a_person("Ann")
    world.a_person("Bob")
    _, other = world.shows("two faces", found(LEFT), found(RIGHT))
    world.do(change_face, other, FaceChanges(ignored=True))
    tag(world, "two faces", "Ann")
    world.shows("two tags", found(LEFT))
    tag(world, "two tags", "Ann", "Bob")
    assert bind(world, "two faces") == bind(world, "two tags") == {}


def test_a_deleted_face_is_no_second_one(world: World) -> None:
    world.a_person("Ann")
    face, other = world.shows("portrait", found(LEFT), found(RIGHT))
    world.do(delete_face, other)
    tag(world, "portrait", "Ann")
    assert bind(world, "portrait") == {face: "Ann"}


def test_a_person_with_a_face_does_not_take_an_unlike_one_for_being_alone(world: World) -> None:
    known(world, "Ann")
    world.shows("portrait", found(LEFT, 90))
    tag(world, "portrait", "Ann")
    assert bind(world, "portrait") == {}


def test_a_drawn_face_without_a_vector_is_compared_with_nobody(world: World) -> None:
    known(world, "Ann")
    world.shows("party")
    waiting = world.do(draw_face, content("party"), LEFT, None, model_version=MODEL)
    drawn = world.do(draw_face, content("party"), RIGHT, Embedding(MODEL, vector()))
    tag(world, "party", "Ann")
    assert bind(world, "party") == {drawn: "Ann"}
    assert world.face(waiting).person_id is None
