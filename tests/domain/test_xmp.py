"""What is taken over from XMP names and tags, goes back whole, and never undoes a decision."""

from __future__ import annotations

from functools import partial

import pytest

from domain.base.errors import Forbidden
from domain.base.geometry import Box
from domain.base.names import name_key
from domain.commands.faces import FaceChanges, change_face, change_faces, delete_face, draw_face, reject_person
from domain.commands.persons import create_person, delete_person
from domain.commands.tags import change_tag, delete_tag, tag_contents, untag_contents
from domain.commands.xmp import TakenOver, take_over
from domain.events.face import FaceAssigned, Why
from domain.ports.face_engine import Embedding
from domain.rules.xmp import Description, Region, described
from tests.domain.world import BELOW, EDITOR, LEFT, MODEL, RIGHT, VIEWER, World, content, found, photo, vector

HEAD = Box(0.05, 0.05, 0.3, 0.3)
"""A head around the face at LEFT, as another program draws it."""


def read(world: World, *regions: Region, keywords: tuple[str, ...] = (), name: str = "one.jpg") -> TakenOver:
    """Take over these regions and keywords."""
    return world.do(take_over, content(name), Description(keywords, regions))


def test_a_region_around_a_face_that_is_nobodys_names_it(world: World) -> None:
    face = world.a_face()
    taken = read(world, Region(HEAD, "Ann"))
    person = world.named("Ann")
    assert person is not None
    assert world.faces_of(person.id) == [face]
    assert world.since(0)[-1] == FaceAssigned(face, person.id, Why("xmp"))
    assert (taken.named, taken.drawn, taken.persons) == (1, 0, {"Ann"})
    assert world.face(face).box == LEFT


def test_a_region_where_no_face_stands_is_drawn_and_gets_its_vector_from_detection(world: World) -> None:
    world.scan(photo("one.jpg"))
    assert read(world, Region(HEAD, "Ann"), Region(BELOW)).drawn == 2
    assert [face.model_version for face in world.faces("one.jpg")] == ["pending", "pending"]
    world.detect("one.jpg", found(LEFT, 20), found(RIGHT))
    head, below, right = world.faces("one.jpg")
    assert (head.box, head.model_version, world.vector_of(head.id)) == (HEAD, MODEL, vector(20))
    assert (below.person_id, right.box) == (None, RIGHT)


def test_a_drawn_region_takes_the_vector_that_was_made_for_it_and_lifts_the_marker(world: World) -> None:
    world.shows("one.jpg")
    said = Description((), (Region(BELOW, "Ann"),))
    world.do(take_over, content("one.jpg"), said, {BELOW: Embedding(MODEL, vector(40))})
    (face,) = world.faces("one.jpg")
    assert (world.vector_of(face.id), world.markers("one.jpg")) == (vector(40), [])


def test_reading_twice_appends_nothing_the_second_time(world: World) -> None:
    world.a_face()
    said = (Region(HEAD, "Ann"), Region(BELOW, "Bob"))
    assert read(world, *said, keywords=("Family", "family")).tagged == 1
    before = world.head
    assert read(world, *said, keywords=("Family",)) == TakenOver()
    assert world.head == before


def test_a_name_is_a_person_that_is_there_without_regard_to_case_and_one_new_person_for_two_faces(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    ann = world.a_person("Ann")
    assert read(world, Region(LEFT, "ANN")).persons == set()
    assert read(world, Region(RIGHT, "Bob"), Region(BELOW, "bob")).persons == {"Bob"}
    bob = world.named("Bob")
    assert bob is not None
    assert world.faces_of(ann) == [left]
    assert right in world.faces_of(bob.id)
    assert len(world.faces_of(bob.id)) == 2


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        ("somebody else's", "Ann: the face is Bob's here"),
        ("deleted", "Ann: said not to be a face"),
        ("stranger", "Ann: the face was put aside as a stranger's"),
        ("rejected", "Ann: the face was said not to be Ann"),
        ("taken away", "Ann: the face was said not to be Ann"),
    ],
)
def test_a_decision_about_a_face_stands_against_xmp_and_is_told(world: World, decision: str, reason: str) -> None:
    face = world.a_face()
    ann = world.a_person("Ann")
    if decision == "somebody else's":
        world.a_person("Bob", face)
    elif decision == "deleted":
        world.do(delete_face, face)
    elif decision == "stranger":
        world.do(change_face, face, FaceChanges(ignored=True))
    elif decision == "rejected":
        world.do(reject_person, face, ann)
    else:
        world.assign(face, ann)
        world.assign(face, None)
    before = world.head
    taken = read(world, Region(HEAD, "Ann"))
    assert (taken.left, taken.named, world.head) == ([reason], 0, before)


def test_a_face_of_a_person_that_was_deleted_takes_another_name_and_not_the_same_again(world: World) -> None:
    face = world.a_face()
    world.do(delete_person, world.a_person("Ann", face))
    assert read(world, Region(LEFT, "ann")).left == ["ann: was deleted here"]
    read(world, Region(LEFT, "Bob"))
    person = world.named("Bob")
    assert person is not None
    assert (world.named("Ann"), world.faces_of(person.id)) == (None, [face])


def test_a_name_or_a_box_that_cannot_be_is_told_and_the_rest_is_taken(world: World) -> None:
    world.scan(photo("one.jpg"))
    taken = read(
        world,
        Region(LEFT, "a\nb"),
        Region(RIGHT, "x" * 201),
        Region(Box(0.5, 0.5, 0.0001, 0.0001), "Ann"),
        Region(BELOW, "Bob"),
        keywords=("y" * 201, "Family"),
    )
    assert (taken.named, taken.tagged, len(taken.left)) == (1, 1, 4)
    assert [face.box for face in world.faces("one.jpg")] == [BELOW]


def test_keywords_become_tags_and_one_that_was_taken_off_stays_off(world: World) -> None:
    world.scan(photo("one.jpg"))
    world.do(tag_contents, [content("one.jpg")], "Beach")
    world.do(untag_contents, [content("one.jpg")], "Beach")
    taken = read(world, keywords=("Beach", "Summer"))
    assert (world.tags("one.jpg"), taken.left) == (["Summer"], ["Beach: the tag was taken off here"])


def test_a_tag_that_was_renamed_or_deleted_does_not_come_back_under_its_old_name(world: World) -> None:
    world.scan(photo("one.jpg"))
    read(world, keywords=("Beach", "Holiday"))
    for name, command in (("Beach", partial(change_tag, name="Strand")), ("Holiday", delete_tag)):
        with world.reading() as tables:
            tag = tables.tags.named(name)
        assert tag is not None
        world.do(command, tag.id)
    before = world.head
    taken = read(world, keywords=("Beach", "Holiday"))
    assert (taken.left, world.head) == (
        ["Beach: the tag was renamed Strand here", "Holiday: the tag was deleted here"],
        before,
    )


def test_reading_is_taken_back_in_one_piece_and_may_be_done_again_either_way(world: World) -> None:
    face = world.a_face()
    world.do(tag_contents, [content("one.jpg")], "Beach")
    operation = world.operation_of(
        take_over, content("one.jpg"), Description(("Beach", "Summer"), (Region(HEAD, "Ann"), Region(BELOW, "Bob")))
    )
    undone = world.undo(operation)
    assert (world.tags("one.jpg"), [f.id for f in world.faces("one.jpg")], world.named("Ann")) == (
        ["Beach"],
        [face],
        None,
    )
    redone = world.undo(undone)
    assert (world.tags("one.jpg"), len(world.faces("one.jpg"))) == (["Beach", "Summer"], 2)
    world.undo(redone)
    taken = read(world, Region(HEAD, "Ann"), Region(BELOW, "Bob"), keywords=("Beach", "Summer"))
    assert (taken.named, taken.drawn, taken.tagged, taken.left) == (2, 1, 1, [])


def test_a_viewer_takes_over_nothing(world: World) -> None:
    world.a_face()
    with pytest.raises(Forbidden):
        world.do(take_over, content("one.jpg"), Description(("Family",)), actor=VIEWER)


# What is written


def said(world: World, other: Description = Description(), once: tuple[str, ...] = ()) -> Description:  # noqa: B008 - frozen
    """What is to be written about one.jpg."""
    with world.reading() as tables:
        faces = tables.faces.on_content(content("one.jpg"))
        shown = tables.faces.shown_on(content("one.jpg"))
    names = {face.id: face.person_name for face in shown if face.person_name}
    decided = {face.id for face in faces if face.touched}
    return described(faces, names, decided, world.tags("one.jpg"), set(map(name_key, once)), other)


def test_named_and_drawn_faces_and_tags_are_said_and_no_guess_of_the_engine(world: World) -> None:
    left, _ = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.a_person("Ann", left)
    world.do(draw_face, content("one.jpg"), BELOW, None)
    world.do(tag_contents, [content("one.jpg")], "Beach")
    assert said(world) == Description(("Beach",), (Region(LEFT, "Ann"), Region(BELOW)))


def test_what_another_program_said_stays_where_nothing_was_decided_here(world: World) -> None:
    left, _ = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.a_person("Ann", left)
    theirs = Description(("Holiday", "Old"), (Region(HEAD, "Anna"), Region(RIGHT, "Bob"), Region(BELOW, "Eve")))
    assert said(world, theirs, once=("old",)) == Description(
        ("Holiday",), (Region(LEFT, "Ann"), Region(RIGHT, "Bob"), Region(BELOW, "Eve"))
    )


def test_a_face_that_was_said_to_be_none_or_nobodys_loses_its_name_in_the_sidecar(world: World) -> None:
    left, right = world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.do(delete_face, left)
    world.do(change_faces, [right], "assign", name="Bob", actor=EDITOR)
    world.do(change_faces, [right], "unassign", actor=EDITOR)
    assert said(world, Description((), (Region(HEAD, "Ann"), Region(RIGHT, "Bob")))) == Description()


@pytest.mark.usefixtures("replayed")
def test_a_name_that_was_only_read_follows_the_file_to_another_one(world: World) -> None:
    (one,), (two,) = world.shows("one.jpg", found(LEFT)), world.shows("two.jpg", found(LEFT))
    for name in ("one.jpg", "two.jpg"):
        read(world, Region(HEAD, "Anna"), name=name)
    anna = world.named("Anna")
    assert anna is not None
    assert (read(world, Region(HEAD, "Anna Maier")).named, world.faces_of(anna.id)) == (1, [two])
    before = world.head
    last = world.operation_of(take_over, content("two.jpg"), Description((), (Region(HEAD, "Anna Maier"),)))
    maier = world.named("Anna Maier")
    assert maier is not None
    assert world.faces_of(maier.id) == [one, two]
    assert world.named("Anna") is None, "nobody made her but the file, and no face is left"
    assert len(world.since(before)) == 2
    world.undo(last)
    assert (world.faces_of(maier.id), world.faces_of(anna.id)) == ([one], [two])
    assert world.person(anna.id).canonical_id == anna.id


@pytest.mark.parametrize("decision", ["assigned", "renamed", "merged", "undone"])
def test_a_name_that_somebody_decided_here_does_not_follow(world: World, decision: str) -> None:
    face = world.a_face()
    read(world, Region(HEAD, "Anna"))
    anna = world.named("Anna")
    assert anna is not None
    whose = "Anna"
    if decision == "assigned":
        world.assign(face, world.a_person("Bea"))
        whose = "Bea"
    elif decision == "renamed":
        world.change(anna.id, name="Anne")
        whose = "Anne"
    elif decision == "merged":
        world.merge(anna.id, world.a_person("Bea"))
        whose = "Bea"
    else:
        world.undo(world.assign(face, world.a_person("Bea")))
    before = world.head
    assert read(world, Region(HEAD, "Anna Maier")).left == [f"Anna Maier: the face is {whose}'s here"]
    assert world.head == before


def test_who_is_known_otherwise_stays_when_the_last_name_that_was_read_goes(world: World) -> None:
    world.a_face()
    anna = world.do(create_person, "Anna")
    read(world, Region(HEAD, "Anna"))
    read(world, Region(HEAD, "Bea"))
    assert (world.faces_of(anna), world.named("Anna") is not None) == ([], True)
