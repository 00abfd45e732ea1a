"""What a scan records: files found, changed, moved, missing and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain.base.actor import CLI, WATCHER
from domain.base.errors import NotFound
from domain.base.geometry import Placement
from domain.commands.libraries import remove_library
from domain.commands.media import ReadFile, RecordedFiles, record_files, record_missing
from domain.commands.tags import tag_contents
from domain.events.media import MediaChanged, MediaDiscovered, MediaMissing, MediaMoved, MediaReturned, SamePicture
from domain.events.tag import MediaTagged
from tests.domain.world import World, content, photo


def record(
    world: World, *files: ReadFile, library: int = 1, vanished: Sequence[int] = (), **more: Any
) -> RecordedFiles:
    """Record a batch; what became of it."""
    with world.uow(WATCHER) as uow:
        uow.begin("scan", "scanned")
        return record_files(uow, library, files, vanished, **more)


def miss(world: World, *media_ids: int) -> int:
    """Record files as missing; how many were."""
    with world.uow(WATCHER) as uow:
        uow.begin("scan", "scanned")
        return record_missing(uow, media_ids)


def unread(path: str, problem: str = "truncated") -> ReadFile:
    """A file whose bytes could not be read."""
    return msgspec.structs.replace(photo(path, problem=problem), content_hash=None)


# Found and changed


def test_a_file_at_a_new_place_is_discovered(world: World) -> None:
    before = world.head
    file = photo("trips/one.jpg")
    assert record(world, file) == RecordedFiles(1, 0, 0)
    media = world.media("trips/one.jpg")
    assert world.since(before) == [MediaDiscovered(media.id, 1, "trips/one.jpg", file.content_hash, file.facts)]
    assert media.present


def test_a_file_that_is_as_it_was_appends_nothing(world: World) -> None:
    record(world, photo("one.jpg"), unread("broken.jpg"))
    before = world.head
    assert record(world, photo("one.jpg"), unread("broken.jpg")) == RecordedFiles(0, 0, 0)
    assert world.since(before) == []


def test_other_bytes_at_the_same_place_are_a_change_that_says_what_was(world: World) -> None:
    record(world, photo("one.jpg"))
    before = world.head
    new = photo("one.jpg", "rated", mtime_ns=2)
    assert record(world, new) == RecordedFiles(0, 1, 0)
    media = world.media("one.jpg")
    assert world.since(before) == [MediaChanged(media.id, content("rated"), content("one.jpg"), new.facts)]


def test_a_file_that_was_only_touched_keeps_its_content_and_gets_its_time(world: World) -> None:
    record(world, photo("one.jpg"))
    assert record(world, photo("one.jpg", mtime_ns=2)).changed == 1
    assert (world.media("one.jpg").mtime_ns, world.media("one.jpg").content_hash) == (2, content("one.jpg"))


def test_a_file_that_can_no_longer_be_read_and_then_can_is_changed_twice(world: World) -> None:
    record(world, photo("one.jpg"))
    record(world, unread("one.jpg"))
    assert (world.media("one.jpg").content_hash, world.media("one.jpg").problem) == (None, "truncated")
    record(world, photo("one.jpg"))
    assert (world.media("one.jpg").content_hash, world.media("one.jpg").problem) == (content("one.jpg"), None)


def test_two_places_with_one_content_are_two_files(world: World) -> None:
    work = world.library("Work")
    record(world, photo("one.jpg"), photo("copy.jpg", "one.jpg"))
    record(world, photo("one.jpg"), library=work)
    with world.reading() as tables:
        assert len(tables.media.of_contents([content("one.jpg")])) == 3


def test_more_files_than_one_statement_takes_are_known_again(world: World) -> None:
    files = [photo(f"{number}.jpg") for number in range(1200)]
    assert record(world, *files) == RecordedFiles(1200, 0, 0)
    before = world.head
    assert record(world, *files) == RecordedFiles(0, 0, 0)
    assert world.since(before) == []


# Moved, missing and back


def test_the_bytes_of_a_vanished_file_at_a_new_place_are_a_move(world: World) -> None:
    record(world, photo("one.jpg"))
    media = world.media("one.jpg")
    before = world.head
    moved = photo("trips/one.jpg", "one.jpg", mtime_ns=5)
    assert record(world, moved, vanished=[media.id]) == RecordedFiles(0, 0, 1)
    assert world.since(before) == [MediaMoved(media.id, 1, "trips/one.jpg", 5, 1, "one.jpg")]
    assert world.media("trips/one.jpg").id == media.id


def test_a_file_moves_from_one_library_to_another(world: World) -> None:
    work = world.library("Work")
    record(world, photo("one.jpg"))
    media = world.media("one.jpg")
    record(world, photo("there.jpg", "one.jpg"), library=work, vanished=[media.id])
    assert world.media("there.jpg", work).id == media.id


def test_the_same_bytes_are_a_copy_where_the_first_file_is_still_there(world: World) -> None:
    record(world, photo("one.jpg"), photo("other.jpg"))
    other = world.media("other.jpg").id
    assert record(world, photo("copy.jpg", "one.jpg"), vanished=[other]) == RecordedFiles(1, 0, 0)


def test_the_bytes_of_a_file_that_is_missing_already_are_that_file_moved_unless_one_vanished_just_now(
    world: World,
) -> None:
    record(world, photo("one.jpg"))
    missing = world.media("one.jpg").id
    record(world, photo("two.jpg", "one.jpg"))
    vanished = world.media("two.jpg").id
    miss(world, missing)
    assert record(world, photo("a.jpg", "one.jpg"), vanished=[vanished]) == RecordedFiles(0, 0, 1)
    assert world.media("a.jpg").id == vanished
    assert record(world, photo("b.jpg", "one.jpg")) == RecordedFiles(0, 0, 1)
    assert world.media("b.jpg").id == missing


def test_one_vanished_file_is_the_source_of_one_move_and_the_rest_are_copies(world: World) -> None:
    record(world, photo("one.jpg"))
    vanished = [world.media("one.jpg").id]
    assert record(world, photo("a.jpg", "one.jpg"), photo("b.jpg", "one.jpg"), vanished=vanished) == RecordedFiles(
        1, 0, 1
    )


def test_a_vanished_file_that_is_back_in_the_same_batch_is_no_move(world: World) -> None:
    record(world, photo("one.jpg"))
    media = world.media("one.jpg")
    batch = (photo("copy.jpg", "one.jpg"), photo("one.jpg"))
    assert record(world, *batch, vanished=[media.id]) == RecordedFiles(1, 0, 0)
    assert world.media("one.jpg").id == media.id
    assert world.media("copy.jpg").id != media.id


def test_what_was_decided_about_a_moved_photo_goes_along(world: World) -> None:
    face = world.a_face()
    ann = world.a_person("Ann", face)
    world.do(tag_contents, [content("one.jpg")], "holiday")
    record(world, photo("moved.jpg", "one.jpg"), vanished=[world.media("one.jpg").id])
    with world.reading() as tables:
        shown = tables.faces.view(face)
    assert shown is not None
    assert (shown.path, shown.person_id) == ("moved.jpg", ann)


def test_a_missing_file_is_missed_once_and_what_was_decided_stays(world: World) -> None:
    face = world.a_face()
    world.a_person("Ann", face)
    media = world.media("one.jpg")
    before = world.head
    assert miss(world, media.id, 99) == 1
    assert miss(world, media.id) == 0
    assert world.since(before) == [MediaMissing(media.id)]
    assert world.face(face).person_id is not None


def test_a_missing_file_that_is_back_with_its_bytes_has_returned(world: World) -> None:
    record(world, photo("one.jpg"))
    media = world.media("one.jpg")
    miss(world, media.id)
    before = world.head
    assert record(world, photo("one.jpg", mtime_ns=7)) == RecordedFiles(0, 1, 0)
    assert world.since(before) == [MediaReturned(media.id, 7)]
    assert world.media("one.jpg").present


def test_other_bytes_in_the_place_of_a_missing_file_are_another_file(world: World) -> None:
    record(world, photo("one.jpg"))
    missing = world.media("one.jpg").id
    miss(world, missing)
    record(world, photo("one.jpg", "another"))
    media = world.media("one.jpg")
    assert (media.present, media.content_hash) == (True, content("another"))
    assert media.id != missing
    assert record(world, photo("found again.jpg", "one.jpg")) == RecordedFiles(0, 0, 1)
    assert world.media("found again.jpg").id == missing


# Tags of a rewritten file

RATED = {"one.jpg": SamePicture("data", Placement())}


def test_a_rewritten_file_keeps_its_tags(world: World) -> None:
    record(world, photo("one.jpg"))
    for tag in ("holiday", "sea"):
        world.do(tag_contents, [content("one.jpg")], tag)
    record(world, photo("one.jpg", "rated"), likenesses=RATED)
    assert world.tags("rated") == ["holiday", "sea"]
    assert world.tags("one.jpg") == ["holiday", "sea"]


def test_a_tag_that_the_new_content_has_is_not_given_twice(world: World) -> None:
    record(world, photo("one.jpg"), photo("two.jpg"))
    world.do(tag_contents, [content("one.jpg"), content("two.jpg")], "holiday")
    before = world.head
    record(world, photo("one.jpg", "two.jpg"))
    assert not [event for event in world.since(before) if isinstance(event, MediaTagged)]


def test_copies_that_are_rewritten_alike_in_one_batch_keep_their_tags(world: World) -> None:
    record(world, photo("one.jpg"), photo("copy.jpg", "one.jpg"))
    world.do(tag_contents, [content("one.jpg")], "holiday")
    likenesses = RATED | {"copy.jpg": SamePicture("data", Placement())}
    batch = (photo("one.jpg", "rated"), photo("copy.jpg", "rated"))
    assert record(world, *batch, likenesses=likenesses) == RecordedFiles(0, 2, 0)
    assert world.tags("rated") == ["holiday"]


@pytest.mark.parametrize("again", [unread("one.jpg"), photo("one.jpg", mtime_ns=2)])
def test_no_tag_is_carried_where_there_is_no_other_content(world: World, again: ReadFile) -> None:
    record(world, photo("one.jpg"))
    world.do(tag_contents, [content("one.jpg")], "holiday")
    before = world.head
    record(world, again)
    assert [type(event) for event in world.since(before)] == [MediaChanged]


# What the files of a removed library show


def test_the_faces_of_a_removed_library_are_not_to_be_seen(world: World) -> None:
    work = world.library("Work")
    face = world.a_face("boss.jpg", work)
    world.do(remove_library, work, actor=CLI)
    with pytest.raises(NotFound, match=f"no face {face}"):
        world.assign(face, world.a_person("Ann"))
