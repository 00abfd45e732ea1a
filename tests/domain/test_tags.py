"""What a user does with tags: put on, take off, rename, delete, and take that back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.base.actor import CLI, Actor
from domain.base.errors import Conflict, Forbidden, NameTaken, NotFound, RuleViolation, Stale
from domain.commands.tags import change_tag, delete_tag, tag_contents, untag_contents
from domain.events.tag import MediaTagged, MediaUntagged, TagCreated
from domain.undo.operations import undo
from tests.domain.world import (
    EDITOR,
    NOW_RESTRICTED,
    ONE_LIBRARY,
    VIEWER,
    World,
    content,
    in_the_way,
    nothing_appended,
    photo,
)


def tag(world: World, name: str, *photos: str, actor: Actor = CLI) -> int:
    """Tag photos; the operation's id."""
    return world.operation_of(tag_contents, [content(each) for each in photos], name, actor=actor)


@pytest.fixture
def photos(world: World) -> None:
    """Three photos in the library Family."""
    world.scan(photo("one"), photo("two"), photo("three"))


pytestmark = pytest.mark.usefixtures("photos")


def test_a_tag_is_made_when_first_used_and_put_only_where_it_is_not(world: World) -> None:
    before = world.head
    first = tag(world, " Holiday ", "one", "one")
    second = tag(world, "HOLIDAY", "one", "two", "three")
    made = world.tag("holiday").id
    assert world.since(before) == [
        TagCreated(made, "Holiday"),
        MediaTagged(content("one"), made),
        MediaTagged(content("two"), made),
        MediaTagged(content("three"), made),
    ]
    assert world.operation(first).text == "tagged a photo with Holiday"
    assert world.operation(second).text == "tagged 2 photos with Holiday"


def test_tagging_what_is_tagged_appends_nothing(world: World) -> None:
    tag(world, "holiday", "one")
    with nothing_appended(world):
        tag(world, "Holiday", "one")


def test_a_tag_comes_off_where_it_was(world: World) -> None:
    tag(world, "holiday", "one", "two")
    before = world.head
    assert world.do(untag_contents, [content("one"), content("one"), content("three")], "HOLIDAY") == 1
    assert world.since(before) == [MediaUntagged(content("one"), world.tag("holiday").id)]
    with nothing_appended(world):
        assert world.do(untag_contents, [content("three")], "holiday") == 0


def test_an_unknown_tag_is_not_found(world: World) -> None:
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(untag_contents, [content("one")], "nothing"),
        lambda: world.do(change_tag, 9, name="x"),
        lambda: world.do(delete_tag, 9),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(NotFound, match="no tag"):
            command()


@pytest.mark.parametrize("name", ["", "a\tb", "x" * 201])
def test_what_cannot_be_a_name_is_refused(world: World, name: str) -> None:
    tag(world, "holiday", "one")
    with nothing_appended(world), pytest.raises(RuleViolation):
        tag(world, name, "one")
    with nothing_appended(world), pytest.raises(RuleViolation):
        world.do(change_tag, 1, name=name)


def test_a_renamed_tag_is_on_the_same_photos(world: World) -> None:
    tag(world, "holiday", "one")
    world.do(change_tag, 1, name="Vacation")
    assert world.tags("one") == ["Vacation"]


def test_a_tag_cannot_take_the_name_of_another_but_may_change_its_case(world: World) -> None:
    tag(world, "holiday", "one")
    tag(world, "sea", "one")
    with nothing_appended(world), pytest.raises(NameTaken):
        world.do(change_tag, 1, name="SEA")
    world.do(change_tag, 1, name="Holiday")
    with nothing_appended(world):
        world.do(change_tag, 1, name=" Holiday ")


def test_a_write_with_an_older_version_is_stale(world: World) -> None:
    tag(world, "holiday", "one")
    world.do(change_tag, 1, name="Vacation", expected=1)
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(change_tag, 1, name="x", expected=1),
        lambda: world.do(delete_tag, 1, 1),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Stale):
            command()


def test_putting_a_tag_on_a_photo_does_not_make_it_stale(world: World) -> None:
    tag(world, "holiday", "one")
    tag(world, "holiday", "two")
    assert world.tag("holiday").version == 1


def test_a_viewer_tags_nothing(world: World) -> None:
    tag(world, "holiday", "one")
    commands: tuple[Callable[[], object], ...] = (
        lambda: tag(world, "holiday", "two", actor=VIEWER),
        lambda: world.do(untag_contents, [content("one")], "holiday", actor=VIEWER),
        lambda: world.do(change_tag, 1, name="x", actor=VIEWER),
        lambda: world.do(delete_tag, 1, actor=VIEWER),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Forbidden):
            command()


def test_a_deleted_tag_is_off_every_photo_and_its_name_is_free(world: World) -> None:
    tag(world, "holiday", "one")
    world.do(delete_tag, 1)
    assert world.tags("one") == []
    tag(world, "holiday", "two")
    assert world.tag("holiday").id == 2
    assert world.tags("one") == []


# Taken back


def test_a_first_tag_taken_back_takes_the_tag_along_and_comes_again(world: World) -> None:
    tagged = tag(world, "holiday", "one")
    undone = world.undo(tagged)
    with world.reading() as tables:
        assert tables.tags.named("holiday") is None
    world.undo(undone)
    assert world.tags("one") == ["holiday"]
    assert world.tag("holiday").id == 1


def test_a_tag_that_others_use_meanwhile_stays(world: World) -> None:
    tagged = tag(world, "holiday", "one")
    tag(world, "holiday", "two")
    world.undo(tagged)
    assert (world.tags("one"), world.tags("two")) == ([], ["holiday"])


def test_a_tag_taken_off_is_put_on_again(world: World) -> None:
    tag(world, "holiday", "one", "two")
    removed = world.operation_of(untag_contents, [content("one"), content("two")], "holiday")
    undone = world.undo(removed)
    assert (world.tags("one"), world.tags("two")) == (["holiday"], ["holiday"])
    world.undo(undone)
    assert (world.tags("one"), world.tags("two")) == ([], [])


def test_what_was_taken_off_by_hand_leaves_nothing_to_undo(world: World) -> None:
    tag(world, "holiday", "one")
    tagged = tag(world, "holiday", "two")
    world.do(untag_contents, [content("two")], "holiday")
    with nothing_appended(world), pytest.raises(Conflict, match="is left to undo"):
        world.undo(tagged)


def test_a_deleted_tag_is_back_on_its_photos_with_its_id(world: World) -> None:
    tag(world, "holiday", "one", "two")
    deleted = world.operation_of(delete_tag, 1)
    undone = world.undo(deleted)
    assert (world.tags("one"), world.tag("holiday").id) == (["holiday"], 1)
    world.undo(undone)
    assert world.tags("one") == []


def test_a_name_that_another_tag_took_meanwhile_is_in_the_way(world: World) -> None:
    tag(world, "holiday", "one")
    deleted = world.operation_of(delete_tag, 1)
    taken = tag(world, "Holiday", "two")
    with nothing_appended(world), in_the_way(taken):
        world.undo(deleted)
    renamed = world.operation_of(change_tag, 2, name="Vacation")
    world.undo(deleted)
    with nothing_appended(world), in_the_way(world.operation(deleted).undone_by or 0):
        world.undo(renamed)


def test_a_later_rename_or_deletion_is_in_the_way_of_a_rename(world: World) -> None:
    tag(world, "holiday", "one")
    first = world.operation_of(change_tag, 1, name="Vacation")
    second = world.operation_of(change_tag, 1, name="Sea")
    with nothing_appended(world), in_the_way(second):
        world.undo(first)
    world.undo(second)
    deleted = world.operation_of(delete_tag, 1)
    with nothing_appended(world), in_the_way(deleted):
        world.undo(first)
    world.undo(deleted)
    world.undo(first)
    assert world.tags("one") == ["holiday"]


# What the user may not see


def test_deleting_a_tag_of_unseen_photos_or_bringing_it_back_needs_an_admin(world: World) -> None:
    world.scan(photo("boss"), library=world.library("Work"))
    tag(world, "holiday", "one", "boss")
    with nothing_appended(world), pytest.raises(Forbidden, match="rex may not see"):
        world.do(delete_tag, 1, actor=ONE_LIBRARY)
    deleted = world.operation_of(delete_tag, 1)
    with nothing_appended(world), pytest.raises(Forbidden, match="ed may not see"):
        world.undo(deleted, NOW_RESTRICTED)
    undone = world.undo(deleted)
    with nothing_appended(world), pytest.raises(Forbidden, match="ed may not see"):
        world.undo(undone, NOW_RESTRICTED)


def test_taking_back_what_was_tagged_on_unseen_photos_needs_an_admin(world: World) -> None:
    world.scan(photo("boss"), library=world.library("Work"))
    tagged = tag(world, "holiday", "one", "boss", actor=EDITOR)
    with nothing_appended(world), pytest.raises(Forbidden, match="ed may not see"):
        world.do(undo, tagged, actor=NOW_RESTRICTED)
    removed = world.operation_of(untag_contents, [content("boss")], "holiday")
    with nothing_appended(world), pytest.raises(Forbidden, match="ed may not see"):
        world.do(undo, removed, actor=NOW_RESTRICTED)
    seen = tag(world, "sea", "two", actor=EDITOR)
    world.do(undo, seen, actor=NOW_RESTRICTED)
    assert world.tags("two") == []
