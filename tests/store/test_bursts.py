"""A burst is shown as one photo, all of it can be reached, and the tables are those that a replay makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER
from domain.commands.bursts import link_bursts
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.tags import tag_contents
from domain.events.media import PICTURE, FileFacts
from domain.rules.stacks import stack_of
from projections.queries.photo_filter import PhotoFilter


def content(number: int) -> bytes:
    return bytes([number]) * 32


def file(path: str, number: int, **facts: Any) -> ReadFile:
    """A photo taken a quarter of a second after the one of the number before."""
    known = {"kind": "photo", "format": "jpeg", "width": 10, "height": 10, "make": "Maker", "taken_source": "exif"}
    return ReadFile(path, content(number), FileFacts(number, 1, **{**known, "taken_at": number * 250_000, **facts}))


BURST = [file(f"a/IMG_{number}.jpg", number) for number in (1, 2, 3, 5)]
FILES = [*BURST, file("a/IMG_2.dng", 20, format="dng", taken_at=500_000), file("a/alone.jpg", 100)]


@pytest.fixture
def lived(ledger: Ledger) -> Ledger:
    """A burst of four photos, one of them with a RAW, and a photo that was taken later."""
    with ledger.transaction(CLI) as uow:
        add_library(uow, "/one", "one")
    change(ledger, FILES)
    return ledger


def change(ledger: Ledger, files: Iterable[ReadFile] = (), missing: Iterable[int] = (), **more: Any) -> int:
    """Record what a scan would; how many files joined a burst."""
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, 1, list(files), **more)
        record_missing(uow, missing)
        return sum(link_bursts(uow, 1, folder) for folder in ("", "a", "b"))


def shown(ledger: Ledger, **narrowed: Any) -> list[str]:
    """The paths that a page of photos shows, by name, as many as are counted."""
    narrow = PhotoFilter(stacked=True, **narrowed)
    with ledger.reading(CLI) as lookups:
        rows, total = lookups.timeline.first_page(narrow, sort="name", limit=100)
        assert len(rows) == total == lookups.timeline.count(narrow)
        return [row["path"] for row in rows]


def behind(ledger: Ledger, path: str) -> list[str]:
    """The companions of a file."""
    with ledger.reading(CLI) as lookups:
        media = lookups.media.shown_at(path)
        assert media is not None
        row = lookups.media.row(media.id)
        assert row is not None
        return [other["path"] for other in lookups.timeline.companions([row]).get(media.id, ())]


def test_the_first_stands_for_all_and_names_them(lived: Ledger) -> None:
    assert shown(lived) == ["a/IMG_1.jpg", "a/alone.jpg"]
    assert behind(lived, "a/IMG_1.jpg") == ["a/IMG_2.jpg", "a/IMG_2.dng", "a/IMG_3.jpg", "a/IMG_5.jpg"]
    assert behind(lived, "a/IMG_3.jpg") == ["a/IMG_1.jpg", "a/IMG_2.jpg", "a/IMG_2.dng", "a/IMG_5.jpg"]
    assert behind(lived, "a/alone.jpg") == []
    assert verify(lived) == []


def test_a_photo_of_a_burst_that_alone_fits_is_shown(lived: Ledger) -> None:
    with lived.transaction(CLI) as uow:
        tag_contents(uow, [content(3), content(5), content(20)], "best")
    assert shown(lived, tags=("best",)) == ["a/IMG_2.dng"]
    assert shown(lived, tags=("best",), q="jpg") == ["a/IMG_3.jpg"]
    assert shown(lived, taken_from=750_000) == ["a/IMG_3.jpg", "a/alone.jpg"]
    assert shown(lived, kind="photo") == ["a/IMG_1.jpg", "a/alone.jpg"]
    assert shown(lived, kind="video") == []


def test_nothing_is_said_twice(lived: Ledger) -> None:
    assert change(lived) == 0


def test_when_the_first_goes_the_next_stands_for_them_and_with_two_left_each_is_shown(lived: Ledger) -> None:
    change(lived, missing=[1])
    assert shown(lived) == ["a/IMG_2.jpg", "a/alone.jpg"]
    change(lived, missing=[2, 5])
    assert shown(lived) == ["a/IMG_3.jpg", "a/IMG_5.jpg", "a/alone.jpg"]
    change(lived, FILES)
    assert shown(lived) == ["a/IMG_1.jpg", "a/alone.jpg"]
    assert verify(lived) == []


def test_a_burst_that_is_moved_stays_one_and_one_photo_that_is_moved_leaves_it(lived: Ledger) -> None:
    change(lived, [file("b/IMG_2.jpg", 2)], vanished=[2])
    assert shown(lived) == ["a/IMG_1.jpg", "b/IMG_2.jpg", "a/alone.jpg"]
    with lived.reading(CLI) as lookups:
        row = lookups.media.row(2)
        assert row is not None
        assert (row["stack"], row["stack_rank"]) == (stack_of(1, "b/IMG_2.jpg"), PICTURE)
    change(lived, [file(each.path.replace("a/", "b/"), each.facts.size) for each in BURST], vanished=[1, 3, 4])
    assert shown(lived, folder="b") == ["b/IMG_1.jpg"]
    assert verify(lived) == []


def test_a_photo_that_was_edited_leaves_it(lived: Ledger) -> None:
    changed = ReadFile("a/IMG_5.jpg", content(50), file("", 5, taken_source="mtime", make=None).facts)
    change(lived, [changed])
    assert shown(lived) == ["a/IMG_1.jpg", "a/IMG_5.jpg", "a/alone.jpg"]
    assert verify(lived) == []


def test_a_photo_that_is_read_again_stays_in_its_place_meanwhile(lived: Ledger) -> None:
    with lived.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        again = file("a/IMG_3.jpg", 3, problem="the end is missing")
        record_files(uow, 1, [again])
    assert shown(lived) == ["a/IMG_1.jpg", "a/alone.jpg"]
    assert change(lived) == 0


def test_a_series_that_the_camera_names_is_one_wherever_its_library_keeps_it(lived: Ledger) -> None:
    series = [file(f"IMG_{number}.jpg", number, burst="C7A1", taken_source="mtime") for number in (30, 40)]
    assert change(lived, series) == 2
    assert shown(lived, folder="", recursive=False) == ["IMG_30.jpg"]
    assert verify(lived) == []
