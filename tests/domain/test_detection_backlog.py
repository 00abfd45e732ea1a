"""Which photos wait for a model, and in which order: what no model looked at, then what an earlier one did."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from domain.commands.detection import mark_failed
from domain.commands.faces import delete_face, draw_face
from domain.commands.media import ReadFile
from domain.events.media import FileFacts
from domain.ports.face_engine import Embedding
from projections.queries.detection_backlog import BacklogPlace, Waiting
from tests.domain.world import LEFT, MODEL, OTHER_MODEL, RIGHT, World, content, found, photo, vector


def waiting(world: World, *, again: bool = False, away: Collection[int] = (), at_once: int = 10) -> list[str]:
    """The paths of the photos that wait for another model, in the order in which they come."""
    paths: list[str] = []
    after: BacklogPlace | None = None
    with world.reading() as tables:
        while True:
            page = tables.detection_backlog.waiting(OTHER_MODEL, at_once, again=again, after=after, away=away)
            if not page:
                return paths
            paths += [media.path for _, media in page]
            after = page[-1][0]


def taken(path: str, year: int | None) -> ReadFile:
    """A photo of a year."""
    return ReadFile(path, content(path), FileFacts(1000, 1, "photo", width=100, height=100, taken_at=year))


def counts(world: World, away: tuple[int, ...] = ()) -> Waiting:
    """How many wait."""
    with world.reading() as tables:
        return tables.detection_backlog.counts(OTHER_MODEL, away)


@pytest.mark.parametrize("at_once", [1, 2, 10])
def test_what_was_taken_last_comes_first_and_what_has_no_date_last(world: World, at_once: int) -> None:
    years = {"a.jpg": 2001, "b.jpg": 2024, "c.jpg": None, "d.jpg": 2001, "e.jpg": None, "f.jpg": 1970}
    world.scan(*(taken(path, year) for path, year in years.items()))
    assert waiting(world, at_once=at_once) == ["b.jpg", "d.jpg", "a.jpg", "f.jpg", "e.jpg", "c.jpg"]


def test_what_no_model_saw_is_apart_from_what_an_earlier_one_did(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    world.shows("two.jpg")
    world.scan(photo("three.jpg"), photo("four.jpg"))
    assert waiting(world) == ["four.jpg", "three.jpg"]
    assert waiting(world, again=True) == ["two.jpg", "one.jpg"]
    assert counts(world) == Waiting(fresh=2, again=2)


def test_what_the_model_looked_at_waits_no_more_whatever_an_earlier_one_left(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    world.detect("one.jpg", model=OTHER_MODEL)
    assert (waiting(world), waiting(world, again=True)) == ([], [])
    assert counts(world) == Waiting(0, 0)


@pytest.mark.parametrize("failed", [False, True])
def test_a_marker_of_an_earlier_model_is_looked_behind_again(world: World, failed: bool) -> None:
    world.scan(photo("one.jpg"))
    if failed:
        with world.uow() as uow:
            uow.begin("detect", "looked for faces")
            mark_failed(uow, content("one.jpg"), MODEL, "it was too large")
    else:
        world.detect("one.jpg")
    assert (waiting(world), waiting(world, again=True)) == ([], ["one.jpg"])


def test_a_deleted_face_of_an_earlier_model_is_looked_behind_again(world: World) -> None:
    world.do(delete_face, world.a_face())
    assert (waiting(world), waiting(world, again=True)) == ([], ["one.jpg"])


def test_a_photo_that_somebody_drew_on_before_any_model_looked_is_a_new_one(world: World) -> None:
    world.scan(photo("one.jpg"))
    world.do(draw_face, content("one.jpg"), LEFT, Embedding(MODEL, vector()))
    assert (waiting(world), waiting(world, again=True)) == (["one.jpg"], [])


def test_two_files_of_one_content_both_wait_and_are_counted_once(world: World) -> None:
    world.shows("one.jpg", found(LEFT), found(RIGHT))
    world.scan(photo("copy.jpg", "one.jpg"), photo("other.jpg"))
    assert (waiting(world), waiting(world, again=True)) == (["other.jpg"], ["copy.jpg", "one.jpg"])
    assert counts(world) == Waiting(fresh=1, again=1), "two files of one content are looked at once"


def test_what_lies_in_a_library_whose_folder_is_away_waits_for_it(world: World) -> None:
    world.shows("one.jpg", found(LEFT))
    disk = world.library("Disk")
    world.scan(photo("new.jpg"), library=disk)
    world.shows("old.jpg", found(LEFT), library=disk)
    assert waiting(world, away=[disk]) == []
    assert waiting(world, again=True, away=[disk]) == ["one.jpg"]
    assert counts(world, away=(disk,)) == Waiting(fresh=0, again=1)
    assert counts(world) == Waiting(fresh=1, again=2)


def test_only_the_files_that_there_is_news_of_are_asked_for(world: World) -> None:
    world.shows("old.jpg", found(LEFT))
    world.scan(photo("one.jpg"), photo("two.jpg"))
    named = {world.media(path).id for path in ("one.jpg", "old.jpg")}
    with world.reading() as tables:
        backlog = tables.detection_backlog
        assert [media.path for _, media in backlog.waiting(OTHER_MODEL, 10, among=named)] == ["one.jpg"]
        assert [media.path for _, media in backlog.waiting(OTHER_MODEL, 10, again=True, among=named)] == ["old.jpg"]
        assert backlog.counts(OTHER_MODEL, among=named) == Waiting(fresh=1, again=1)
        assert backlog.waiting(OTHER_MODEL, 10, among=set()) == []
