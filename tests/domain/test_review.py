"""What a user says of many at once: whose a cluster is, and which tags are people; and both taken back."""

from __future__ import annotations

import pytest

from domain.base.errors import AlreadyMerged, Forbidden, LibraryError, NameTaken, NotFound, RuleViolation
from domain.commands.faces import LARGEST_BATCH, FaceChanges, change_face, delete_face, reject_person
from domain.commands.persons import delete_person, merge_persons
from domain.commands.review import MOST_TAGS, accept_cluster, bootstrap_persons
from domain.commands.tags import tag_contents
from domain.events.face import FaceAssigned
from domain.events.person import PersonCreated
from domain.events.tag import Tag
from tests.domain.world import ONE_LIBRARY, VIEWER, World, content, in_the_way, nothing_appended, photo


def cluster(world: World, count: int = 3) -> list[int]:
    """So many faces, each on a photo of its own."""
    return [world.a_face(f"{number}.jpg") for number in range(count)]


def tags(world: World, *names: str) -> list[Tag]:
    """Tags with these names, all on one photo."""
    world.scan(photo("tagged.jpg"))
    for name in names:
        world.do(tag_contents, [content("tagged.jpg")], name)
    return [world.tag(name) for name in names]


# A cluster


def test_a_cluster_becomes_a_new_person_in_one_operation_which_undo_takes_back(world: World) -> None:
    faces, before = cluster(world), world.head
    operation = world.operation_of(accept_cluster, faces, name=" Ann ")
    ann = world.named("Ann")
    assert ann is not None
    assert world.faces_of(ann.id) == faces
    assert [type(event) for event in world.since(before)] == [PersonCreated, *[FaceAssigned] * 3]
    said = world.operation(operation)
    assert (said.kind, said.text) == ("cluster.accept", "said that a cluster of 3 faces is Ann")
    redo = world.undo(operation)
    assert world.named("Ann") is None
    assert [world.face(face).person_id for face in faces] == [None] * 3
    world.undo(redo)
    assert world.faces_of(ann.id) == faces


def test_a_cluster_joins_a_person_and_undo_leaves_what_the_person_had(world: World) -> None:
    own, (first, second) = world.a_face("own.jpg"), cluster(world, 2)
    ann = world.a_person("Ann", own)
    operation = world.operation_of(accept_cluster, [first, second, first], ann)
    assert world.faces_of(ann) == [own, first, second]
    world.undo(operation)
    assert world.faces_of(ann) == [own]


def test_faces_that_were_decided_about_meanwhile_say_so_each(world: World) -> None:
    faces = cluster(world, 6)
    ann, bob = world.a_person("Ann"), world.a_person("Bob", faces[0])
    world.do(change_face, faces[1], FaceChanges(ignored=True))
    world.do(delete_face, faces[2])
    world.do(reject_person, faces[3], ann)
    robert = world.a_person("Robert")
    world.do(merge_persons, bob, robert)
    outcomes = world.do(accept_cluster, [*faces, 999], ann)
    assert [(o.id, o.error) for o in outcomes] == [
        (faces[0], f"face {faces[0]} is Robert's meanwhile"),
        (faces[1], f"face {faces[1]} was put aside as a stranger's meanwhile"),
        (faces[2], f"there is no face {faces[2]}"),
        (faces[3], f"face {faces[3]} was said not to be Ann"),
        (faces[4], None),
        (faces[5], None),
        (999, "there is no face 999"),
    ]
    assert [o.ok for o in outcomes] == [False, False, False, False, True, True, False]
    assert world.faces_of(ann) == faces[4:]


def test_the_faces_of_a_deleted_person_are_nobodys_and_can_be_accepted(world: World) -> None:
    faces = cluster(world, 2)
    bob = world.a_person("Bob", *faces)
    world.do(delete_person, bob)
    assert all(outcome.ok for outcome in world.do(accept_cluster, faces, name="Ann"))


def test_where_no_face_is_left_nobody_is_made(world: World) -> None:
    faces = cluster(world, 2)
    world.a_person("Bob", *faces)
    with nothing_appended(world):
        outcomes = world.do(accept_cluster, faces, name="Ann")
    assert [outcome.ok for outcome in outcomes] == [False, False]


def test_faces_out_of_sight_are_not_there(world: World) -> None:
    work = world.library("Work")
    seen, unseen = world.a_face("seen.jpg"), world.a_face("unseen.jpg", library=work)
    outcomes = world.do(accept_cluster, [seen, unseen], name="Ann", actor=ONE_LIBRARY)
    assert [(o.id, o.ok, o.error) for o in outcomes] == [
        (seen, True, None),
        (unseen, False, f"there is no face {unseen}"),
    ]


@pytest.mark.parametrize(
    ("arguments", "refusal", "says"),
    [
        (([], None, "Ann"), RuleViolation, "at least one face"),
        (([1] * (LARGEST_BATCH + 1), None, "Ann"), RuleViolation, "at most"),
        (([1], None, None), RuleViolation, "not both"),
        (([1], 1, "Ann"), RuleViolation, "not both"),
        (([1], 99, None), NotFound, "there is no person 99"),
        (([1], 1, None), AlreadyMerged, "was merged into person 2"),
        (([1], None, "bob"), NameTaken, "is called Bob already"),
        (([1], None, " "), RuleViolation, "visible character"),
    ],
)
def test_a_cluster_that_cannot_be_accepted_is_refused_whole(
    world: World, arguments: tuple[object, ...], refusal: type[LibraryError], says: str
) -> None:
    world.a_face()
    old, bob = world.a_person("Old Bob"), world.a_person("Bob")
    world.do(merge_persons, old, bob)
    with nothing_appended(world), pytest.raises(refusal, match=says):
        world.do(accept_cluster, *arguments)


def test_a_later_decision_about_one_of_the_faces_stands_in_the_way_of_undo(world: World) -> None:
    faces = cluster(world)
    operation = world.operation_of(accept_cluster, faces, name="Ann")
    later = world.assign(faces[1], world.a_person("Bob"))
    with in_the_way(later), nothing_appended(world):
        world.undo(operation)


# Tags that are people


def test_persons_are_made_from_tags_in_one_operation_which_undo_takes_back(world: World) -> None:
    ann, bob = tags(world, "Ann", "Bob")
    rows = world.do(bootstrap_persons, [ann.id, bob.id, "ann"])
    assert [(row.id, row.name, row.ok) for row in rows] == [(ann.id, "Ann", True), (bob.id, "Bob", True)]
    made = [world.named("ann"), world.named("bob")]
    assert [person.id if person else None for person in made] == [row.person_id for row in rows]
    assert world.tags("tagged.jpg") == ["Ann", "Bob"]
    with world.reading() as tables:
        newest = tables.operations.get(world.ledger.events(world.head - 1, 1)[0].operation_id)
    assert newest is not None
    assert (newest.kind, newest.text) == ("bootstrap", "made 2 persons from tags: Ann, Bob")
    redo = world.undo(newest.id)
    assert (world.named("Ann"), world.named("Bob")) == (None, None)
    world.undo(redo)
    back = [world.named("ann"), world.named("bob")]
    assert [person.id if person else None for person in back] == [row.person_id for row in rows]


def test_a_taken_name_and_a_tag_that_is_not_there_say_so_and_leave_the_others_alone(world: World) -> None:
    ann, beach = tags(world, "ANN", "Cleo")
    holder = world.a_person("Ann")
    rows = world.do(bootstrap_persons, [ann.id, "Dan", beach.id])
    assert [(row.id, row.ok, row.error) for row in rows] == [
        (ann.id, False, f"person {holder} is called Ann already: choose another name, or merge the two"),
        (None, False, "there is no tag Dan"),
        (beach.id, True, None),
    ]
    assert world.named("Cleo") is not None
    assert world.named("Dan") is None


def test_where_every_name_is_taken_nothing_happens(world: World) -> None:
    (ann,) = tags(world, "Ann")
    world.a_person("ann")
    with nothing_appended(world):
        assert not world.do(bootstrap_persons, [ann.id])[0].ok


def test_a_bootstrap_of_nothing_or_of_too_much_is_refused(world: World) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation, match="at least one tag"):
        world.do(bootstrap_persons, [])
    with nothing_appended(world), pytest.raises(RuleViolation, match="at most"):
        world.do(bootstrap_persons, ["x"] * (MOST_TAGS + 1))


def test_a_face_given_to_one_of_the_persons_stands_in_the_way_of_undo(world: World) -> None:
    operation = world.operation_of(bootstrap_persons, [tag.id for tag in tags(world, "Ann", "Bob")])
    ann = world.named("Ann")
    assert ann is not None
    later = world.assign(world.a_face(), ann.id)
    with in_the_way(later), nothing_appended(world):
        world.undo(operation)


def test_a_viewer_decides_nothing(world: World) -> None:
    face = world.a_face()
    with nothing_appended(world), pytest.raises(Forbidden):
        world.do(accept_cluster, [face], name="Ann", actor=VIEWER)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.do(bootstrap_persons, ["Ann"], actor=VIEWER)
