"""Who may see what is decided inside each command, in its own transaction, and by each query: no caller has to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.base.actor import Actor
from domain.base.errors import Forbidden, NameTaken, NotFound
from domain.commands.faces import FaceChanges, change_face, change_faces, draw_face, reject_person
from domain.commands.insights import Writing, rate_insight, write_insight
from domain.commands.persons import PersonChanges, change_person, create_person, delete_person, merge_persons
from domain.commands.review import accept_cluster, bootstrap_persons
from domain.commands.tags import change_tag, delete_tag, merge_tags, tag_contents, untag_contents
from domain.events.insight import TranscriptMessage
from domain.events.library import LibraryRelocated
from domain.events.media import MediaMoved
from domain.rules import access
from domain.undo.operations import undo
from domain.undo.undoable import is_undoable
from tests.domain.world import EDITOR, LEFT, ONE_LIBRARY, RIGHT, World, content, found, nothing_appended, photo

ANOTHER = Actor("sue", "editor", frozenset({1}))
SAID = (TranscriptMessage("user", "what?"), TranscriptMessage("assistant", "A boat.", model="m"))


@pytest.fixture
def work(world: World) -> int:
    """A second library, which `ONE_LIBRARY` does not see, with a photo on which somebody is."""
    library = world.library("Work")
    world.shows("boss.jpg", found(LEFT), library=library)
    return library


@pytest.fixture
def boss(world: World, work: int) -> int:
    """A person of whom `ONE_LIBRARY` sees nothing."""
    return world.a_person("Boss", *(face.id for face in world.faces("boss.jpg")))


@pytest.fixture
def secret(world: World, work: int) -> int:
    """A tag that is on the photo out of sight alone."""
    world.do(tag_contents, [content("boss.jpg")], "Secret")
    return world.tag("Secret").id


# Persons


@pytest.mark.parametrize(
    "command",
    [
        lambda uow, boss, face, own: change_person(uow, boss, PersonChanges(name="X")),
        lambda uow, boss, face, own: delete_person(uow, boss),
        lambda uow, boss, face, own: merge_persons(uow, boss, own),
        lambda uow, boss, face, own: merge_persons(uow, own, boss),
        lambda uow, boss, face, own: change_face(uow, face, FaceChanges(person_id=boss)),
        lambda uow, boss, face, own: change_faces(uow, [face], "assign", boss),
        lambda uow, boss, face, own: change_faces(uow, [face], "delete", boss),
        lambda uow, boss, face, own: reject_person(uow, face, boss),
        lambda uow, boss, face, own: accept_cluster(uow, [face], boss),
        lambda uow, boss, face, own: draw_face(uow, content("one.jpg"), RIGHT, None, boss),
    ],
)
def test_no_command_takes_a_person_whom_its_actor_may_not_know_of(
    world: World, boss: int, command: Callable[..., object]
) -> None:
    face, own = world.a_face(), world.do(create_person, "Own", actor=ONE_LIBRARY)
    with nothing_appended(world), pytest.raises(NotFound, match=f"there is no person {boss}"):
        world.do(command, boss, face, own, actor=ONE_LIBRARY)
    world.do(command, boss, face, own)


def test_a_person_out_of_sight_is_in_no_view_and_one_that_the_asker_made_is(world: World, boss: int) -> None:
    own, seen = world.do(create_person, "Own", actor=ONE_LIBRARY), world.a_person("Seen", world.a_face())
    gone = world.a_person("Gone")
    world.do(delete_person, gone)
    with world.reading(ONE_LIBRARY) as tables:
        assert tables.persons_with_faces.view(boss) is None
        assert [view.id for view in tables.persons_with_faces.views([boss, own, seen, gone])] == [own, seen]
        assert [access.knows_person(tables, each) for each in (boss, own, seen, gone, 99)] == [
            *(False, True, True, False, False)
        ]
    with world.reading(EDITOR) as tables:
        assert [view.id for view in tables.persons_with_faces.views([boss, own])] == [boss, own]


def test_whoever_loses_the_last_face_stays_known_to_who_saw_it_and_to_nobody_else(world: World, boss: int) -> None:
    face = world.a_face()
    seen = world.a_person("Seen", face)
    world.assign(face, None)
    (only,) = world.faces_of(boss)
    world.assign(only, None)
    with world.reading(ONE_LIBRARY) as tables:
        assert [access.knows_person(tables, each) for each in (seen, boss)] == [True, False]
        page = tables.persons_with_faces.page(sort="name", after=None, limit=10)
        assert [view.id for view, _ in page] == [seen]


def test_who_made_a_person_does_not_know_of_it_once_its_faces_are_elsewhere_alone(world: World) -> None:
    made = world.do(create_person, "Made", actor=ONE_LIBRARY)
    world.assign(world.a_face("secret.jpg", world.library("Work")), made)
    with world.reading(ONE_LIBRARY) as tables:
        assert not access.knows_person(tables, made)


def test_a_name_that_somebody_out_of_sight_has_is_refused_without_telling_whose_it_is(world: World, boss: int) -> None:
    name = world.person(boss).name
    with pytest.raises(NameTaken, match="the name of a person that you may not see") as refusal:
        world.do(create_person, name, actor=ONE_LIBRARY)
    assert (refusal.value.holder_id, name in str(refusal.value)) == (None, False)
    with pytest.raises(NameTaken, match=f"person {boss} is called") as told:
        world.do(create_person, name)
    assert told.value.holder_id == boss


def test_a_person_without_any_face_is_known_by_the_tag_of_their_name(world: World) -> None:
    face, ann = world.a_face(), world.a_person("Ann")
    with world.reading(ONE_LIBRARY) as tables:
        assert not access.knows_person(tables, ann)
    world.do(tag_contents, [world.face(face).content_hash], "ann")
    with world.reading(ONE_LIBRARY) as tables:
        assert access.knows_person(tables, ann)


def test_who_was_merged_is_known_where_the_one_that_stayed_is(world: World, boss: int) -> None:
    chief = world.a_person("Chief")
    world.merge(chief, boss)
    with world.reading(ONE_LIBRARY) as tables:
        assert tables.persons_with_faces.view(chief) is None
    world.assign(world.a_face(), boss)
    with world.reading(ONE_LIBRARY) as tables:
        view = tables.persons_with_faces.view(chief)
        assert view is not None
        assert (view.name, view.merged_into) == ("Chief", boss)


def test_a_person_who_is_seen_in_part_is_known_and_changed_by_an_admin_alone(world: World, boss: int) -> None:
    world.assign(world.a_face(), boss)
    with nothing_appended(world), pytest.raises(Forbidden, match="1 face of this person lie in libraries that rex"):
        world.change(boss, name="X", actor=ONE_LIBRARY)
    world.change(boss, name="X", actor=Actor("al", "admin", frozenset({1})))


def test_lists_of_persons_and_tags_hold_what_is_in_sight(world: World, boss: int, secret: int) -> None:
    seen = world.a_person("Seen", world.a_face())
    world.do(tag_contents, [content("one.jpg")], "Mine")
    for actor, persons, tags in ((ONE_LIBRARY, [seen], ["Mine"]), (EDITOR, [boss, seen], ["Mine", "Secret"])):
        with world.reading(actor) as tables:
            assert [view.id for view, _ in tables.persons_with_faces.page(sort="name", after=None, limit=9)] == persons
            assert [row["name"] for row in tables.tagged.counts()] == tags


# Faces, photos, insights


def test_no_command_takes_a_face_that_no_photo_in_sight_shows(world: World, boss: int) -> None:
    (face,) = (each.id for each in world.faces("boss.jpg"))
    with nothing_appended(world), pytest.raises(NotFound, match=f"there is no face {face}"):
        world.do(change_face, face, FaceChanges(ignored=True), actor=ONE_LIBRARY)
    with nothing_appended(world):
        assert not world.do(change_faces, [face], "delete", actor=ONE_LIBRARY)[0].ok


@pytest.mark.parametrize("command", [tag_contents, untag_contents])
def test_no_command_tags_a_photo_out_of_sight(world: World, secret: int, command: Callable[..., Any]) -> None:
    world.scan(photo("one.jpg"))
    with nothing_appended(world), pytest.raises(NotFound, match="there is no such photo"):
        world.do(command, [content("one.jpg"), content("boss.jpg")], "Secret", actor=ONE_LIBRARY)
    world.do(tag_contents, [content("one.jpg"), content("one.jpg")], "Mine", actor=ONE_LIBRARY)
    assert world.tags("one.jpg") == ["Mine"]


def test_no_command_takes_an_insight_about_a_photo_out_of_sight(world: World, work: int) -> None:
    writing = Writing("Boats", "Two boats.", "m", "local")
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(write_insight, content("boss.jpg"), writing, SAID, actor=ONE_LIBRARY)
    insight = world.do(write_insight, content("boss.jpg"), writing, SAID)
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(rate_insight, insight, "good", actor=ONE_LIBRARY)


# Tags


@pytest.mark.parametrize(
    "command",
    [
        lambda uow, secret, mine: change_tag(uow, secret, name="X"),
        merge_tags,
        lambda uow, secret, mine: merge_tags(uow, mine, secret),
        lambda uow, secret, mine: delete_tag(uow, secret),
    ],
)
def test_no_command_takes_a_tag_that_its_actor_may_not_know_of(
    world: World, secret: int, command: Callable[..., object]
) -> None:
    world.scan(photo("one.jpg"))
    mine = world.do(tag_contents, [content("one.jpg")], "Mine")
    with nothing_appended(world), pytest.raises(NotFound, match=f"there is no tag {secret}"):
        world.do(command, secret, mine, actor=ONE_LIBRARY)
    world.do(command, secret, mine)


def test_no_person_is_made_of_a_tag_out_of_sight_and_its_name_is_not_given_away(world: World, secret: int) -> None:
    with nothing_appended(world):
        rows = world.do(bootstrap_persons, [secret, "secret"], actor=ONE_LIBRARY)
    assert [(row.id, row.name, row.error) for row in rows] == [
        (None, str(secret), f"there is no tag {secret}"),
        (None, "secret", "there is no tag secret"),
    ]


# Operations and events


def test_what_another_did_out_of_sight_is_no_operation_to_undo(world: World, boss: int) -> None:
    (face,) = (each.id for each in world.faces("boss.jpg"))
    deed = world.operation_of(change_face, face, FaceChanges(ignored=True))
    with nothing_appended(world), pytest.raises(NotFound, match=f"there is no operation {deed}"):
        world.do(undo, deed, actor=ONE_LIBRARY)


def test_what_another_did_partly_out_of_sight_needs_an_admin(world: World, work: int) -> None:
    world.scan(photo("one.jpg"))
    deed = world.operation_of(tag_contents, [content("one.jpg"), content("boss.jpg")], "Both")
    with nothing_appended(world), pytest.raises(Forbidden, match=f"{deed} of ed touches what rex may not see"):
        world.do(undo, deed, actor=ONE_LIBRARY)
    world.do(undo, deed, actor=Actor("al", "admin", frozenset({1})))


def test_what_another_did_wholly_in_sight_and_ones_own_deeds_are_undone(world: World, work: int) -> None:
    face = world.a_face()
    deed = world.operation_of(change_face, face, FaceChanges(ignored=True))
    undone = world.undo(deed, ONE_LIBRARY)
    assert not world.face(face).ignored
    with world.reading() as tables:
        done, taken_back = tables.operations.get(deed), tables.operations.get(undone)
    assert done is not None
    assert taken_back is not None
    assert (is_undoable(done), is_undoable(taken_back)) == (False, True)
    world.undo(undone, ONE_LIBRARY)
    assert world.face(face).ignored


def test_too_long_an_operation_to_look_through_counts_as_out_of_sight(world: World) -> None:
    deed = world.operation_of(change_face, world.a_face(), FaceChanges(ignored=True))
    with world.uow(ONE_LIBRARY) as uow:
        operation, events = uow.operations.get(deed), uow.events_of(deed, 1)
        assert operation is not None
        assert len(events) == 1
        access.require_operation_in_sight(uow, operation, uow.events_of(deed))
        with pytest.raises(Forbidden):
            access.require_operation_in_sight(uow, operation, uow.events_of(deed, 2), most=2)


def test_events_are_known_as_far_as_they_are_in_sight_and_an_operations_words_to_who_may_read_it(
    world: World, boss: int
) -> None:
    face = world.a_face()
    world.assign(face, boss, actor=EDITOR)
    mine = world.operation_of(change_face, face, FaceChanges(ignored=True), actor=ONE_LIBRARY)
    recorded = world.ledger.events(0, 1000)
    with world.reading(EDITOR) as tables:
        assert access.known_events(tables, recorded) == recorded
    with world.reading(ONE_LIBRARY) as tables:
        known = access.known_events(tables, recorded)
    words = [each for each in known if each.event.subject == "operation"]
    assert {each.operation_id for each in words} == {mine}
    hidden = {each.id for each in world.faces("boss.jpg")}
    assert hidden.isdisjoint(getattr(each.event, "face_id", 0) for each in known)
    assert {getattr(each.event, "library_id", 1) for each in known} == {1}
    with world.reading(ANOTHER) as tables:
        assert not [each for each in access.known_events(tables, recorded) if each.event.subject == "operation"]


def test_folders_are_for_admins_and_a_former_place_for_who_sees_it() -> None:
    moved = MediaMoved(1, 1, "a.jpg", 0, was_library_id=2, was_path="secret.jpg")
    relocated = LibraryRelocated(1, "/new", "/old")
    assert {"was_library_id", "was_path"} <= access.unseen_fields(moved, ONE_LIBRARY)
    assert "was_path" not in access.unseen_fields(moved, EDITOR)
    assert {"root", "was"} <= access.unseen_fields(relocated, EDITOR)
    assert "root" not in access.unseen_fields(relocated, Actor("al", "admin"))
    assert {"embedding_id", "was_embedding_id"} <= access.unseen_fields(moved, Actor("al", "admin"))
