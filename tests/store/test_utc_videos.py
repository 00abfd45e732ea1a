"""A video that knows only UTC takes its offset from photos, in both databases, and a replay tells the same."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.videos import zone_videos
from domain.events.media import FileFacts

MINUTE = 60_000_000
HOUR = 60 * MINUTE
UTC = 473_000 * HOUR
"""When the video was taken."""


def photo(path: str, later: int, offset: int | None, **facts: Any) -> ReadFile:
    """A photo that was taken so many hours after the video, on a clock of this offset in minutes."""
    known = {"taken_source": "exif", "width": 9, **facts}
    at = UTC + later * HOUR + (offset or 0) * MINUTE
    content = path.encode().ljust(32, b".")
    return ReadFile(path, content, FileFacts(1, 1, "photo", taken_at=at, taken_offset=offset, **known))


VIDEO = ReadFile(
    "a/v.mp4",
    b"v" * 32,
    FileFacts(1, 1, "video", taken_at=UTC, taken_offset=0, taken_source="video", offset_source="utc", width=9),
)


@pytest.fixture
def lived(ledger: Ledger) -> Ledger:
    """A library with the video."""
    with ledger.transaction(CLI) as uow:
        add_library(uow, "/one", "one")
    record(ledger, VIDEO)
    return ledger


def record(ledger: Ledger, *files: ReadFile) -> int:
    """Record what a scan would; the number of videos that got an offset."""
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, 1, list(files))
        return zone_videos(uow, 1, {"a"})


def told(ledger: Ledger) -> tuple[int, int | None, str | None]:
    """By how many hours the video's clock is ahead of UTC, its offset, and who says so."""
    with ledger.reading(CLI) as tables:
        row = tables.media.row(1)
    assert row is not None
    return (row["taken_at"] - UTC) // HOUR, row["taken_offset"], row["offset_source"]


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        ([], (0, 0, "utc")),
        ([photo("b/x.jpg", 11, -300)], (-5, -300, "photos")),
        ([photo("b/x.jpg", -11, -300)], (-5, -300, "photos")),
        ([photo("b/x.jpg", 13, -300)], (0, 0, "utc")),
        ([photo("b/x.jpg", 2, -300), photo("b/y.jpg", -1, 120)], (2, 120, "photos")),
        ([photo("b/x.jpg", 1, -300), photo("a/y.jpg", 9, 120)], (2, 120, "photos")),
        ([photo("b/x.jpg", 1, None)], (0, 0, "utc")),
        ([photo("b/x.jpg", 1, -300, taken_source="mtime")], (0, 0, "utc")),
        ([photo("b/x.jpg", 1, -300, taken_source="filename")], (0, 0, "utc")),
        ([photo("a/x.jpg", 1, 840)], (14, 840, "photos")),
    ],
)
def test_the_nearest_photo_that_states_an_offset_lends_it(
    lived: Ledger, photos: list[ReadFile], expected: tuple[int, int, str]
) -> None:
    assert record(lived, *photos) == (expected[2] == "photos")
    assert told(lived) == expected
    assert verify(lived) == []
    assert record(lived) == 0, "there is nothing more to say"


def test_a_photo_that_is_gone_or_a_video_that_is_read_anew_tells_it_anew(lived: Ledger) -> None:
    record(lived, photo("a/x.jpg", 1, -300))
    assert told(lived) == (-5, -300, "photos")
    with lived.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [2])
    assert record(lived, photo("b/x.jpg", 2, 60)) == 1
    assert told(lived) == (1, 60, "photos")
