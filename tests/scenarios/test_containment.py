"""A file that harms its decoder costs its own picture, and nobody anything else."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.background.loops import FollowsLog
from adapters.background.thumbnail_mirror import MirrorsThumbnails
from adapters.media.postponed import Postponed
from adapters.store.ledger import Ledger
from adapters.workers.pool import WorkerPool
from domain.base.errors import Unavailable, Unreadable
from domain.events.media import NOT_IN_TIME
from tests.adapters.media import raws
from tests.scenarios.conftest import Place
from tests.scenarios.hostile import Attack, prepare

REASONS: dict[Attack, str] = {
    "crash": "ended its process (signal SIGSEGV)",
    "exit": "ended its process (exit status 3)",
    "compute": "took longer than 4 s of computing",
    "fill the memory": "no picture can be found in this DNG file, nor made of it",
}
TINY = raws.bitmap(40, 30)


def mirror(place: Place) -> None:
    """Bring the tree of thumbnails up to the log."""
    policy = MirrorsThumbnails(place.ledger, place.gallery)
    FollowsLog(place.ledger, "thumbnails", policy.TOPICS, policy.answer).step()


def thumb(place: Place, name: str) -> Path:
    """Where the mirror has a file's thumbnail."""
    return place.data / "thumbnails" / str(place.library.id) / name


@contextmanager
def attacked(place: Place, attack: Attack, **limits: Any) -> Iterator[WorkerPool]:
    """Within it the workers of a place are those in which opening a RAW does harm."""
    pool = WorkerPool(1, initializer=functools.partial(prepare, attack), memory_limit=2 * 2**30)
    kept = place.gallery, place.scanner
    place.gallery = place.gallery_of(pool, **limits)
    place.scanner = place.scanner_of(place.gallery)
    try:
        yield pool
    finally:
        place.gallery, place.scanner = kept
        pool.close()


@pytest.mark.parametrize("attack", REASONS)
def test_a_decoder_that_is_harmed_costs_one_file_and_one_mark(
    place: Place, monkeypatch: pytest.MonkeyPatch, attack: Attack
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    (place.root / "bad.dng").write_bytes(raws.dng(None, 1, TINY))
    for number in range(5):
        place.picture(f"good {number}.jpg", f"#00{number}0ff")
    limits = {"seconds_a_file": 4.0, "slowest_bytes_a_second": 1e12}  # good files never take that long
    with attacked(place, attack, patience=200.0, **limits):
        report = place.scan()
        assert (report.discovered, report.deferred) == (6, 0)
        mirror(place)
        bad = place.files()["bad.dng"]
        assert bad.content_hash is not None
        assert REASONS[attack] in (bad.problem or "")
        mark = thumb(place, "bad.dng.unsupported")
        assert (mark.exists(), mark.stat().st_size) == (True, 0)
        assert all(thumb(place, f"good {number}.jpg").stat().st_size for number in range(5))
        assert [media.problem for path, media in place.files().items() if path != "bad.dng"] == [None] * 5


def test_what_was_marked_is_not_tried_again_until_the_mark_is_deleted(place: Place) -> None:
    (place.root / "bad.dng").write_bytes(raws.dng(None, 1, TINY))
    with attacked(place, "exit"):
        place.scan()
        mirror(place)
    mark = thumb(place, "bad.dng.unsupported")
    assert place.scan(full=True).to_read == 0
    with pytest.raises(Unreadable, match="ended its process"):
        place.gallery.made(place.files()["bad.dng"], "thumb")
    mark.unlink()
    assert place.scan().to_read == 0, "a quick scan looks at what changed in the library alone"
    report = place.scan(full=True)
    assert (report.to_read, report.changed) == (1, 1)
    mirror(place)
    assert place.files()["bad.dng"].problem is None
    assert (thumb(place, "bad.dng").exists(), mark.exists()) == (True, False)


def test_a_deleted_mark_of_what_still_has_no_picture_comes_back_and_is_tried_once(place: Place) -> None:
    (place.root / "bad.jpg").write_bytes(b"a letter")
    place.scan()
    mirror(place)
    mark = thumb(place, "bad.jpg.unsupported")
    mark.unlink()
    report = place.scan(full=True)
    assert (report.to_read, report.changed, mark.exists()) == (1, 0, True)
    assert place.scan(full=True).to_read == 0


def test_a_deleted_mark_lets_whoever_asks_for_the_picture_try_and_the_next_full_scan_tells_of_it(place: Place) -> None:
    (place.root / "bad.dng").write_bytes(raws.dng(None, 1, TINY))
    with attacked(place, "exit"):
        place.scan()
        mirror(place)
    thumb(place, "bad.dng.unsupported").unlink()
    assert place.gallery.made(place.files()["bad.dng"], "thumb").exists()
    assert place.scan(full=True).changed == 1
    assert (place.files()["bad.dng"].problem, thumb(place, "bad.dng").exists()) == (None, True)


def test_a_picture_asked_for_that_harms_its_decoder_is_marked_and_not_asked_for_again(place: Place) -> None:
    (place.root / "bad.dng").write_bytes(raws.dng(None, 1, TINY))
    place.scan()
    media = place.files()["bad.dng"]
    for rendition in (place.data / "renditions").rglob("*.jpg"):
        rendition.unlink()
    with attacked(place, "exit"), pytest.raises(Unreadable, match="ended its process"):
        place.gallery.made(media, "preview")
    assert thumb(place, "bad.dng.unsupported").exists()
    with pytest.raises(Unreadable, match="no picture can be made"):
        place.gallery.made(media, "preview")


def test_a_broken_file_without_a_place_to_mark_it_is_left_to_the_next_scan(place: Place) -> None:
    (place.root / "bad.jpg").write_bytes(b"a letter")
    place.scan()
    (place.data / "thumbnails").parent.mkdir(exist_ok=True)
    (place.data / "thumbnails").write_text("in the way")
    assert place.scan(full=True).to_read == 0


def test_a_thumbnail_that_was_deleted_comes_back_with_the_next_full_scan(place: Place) -> None:
    for name in ("a/one.jpg", "two.jpg", "three.jpg"):
        place.picture(name, f"#0{len(name)}f")
    place.scan()
    mirror(place)
    before = thumb(place, "two.jpg").read_bytes()
    shutil.rmtree(place.data / "thumbnails")
    assert place.scan().to_read == 0
    assert not thumb(place, "two.jpg").exists()
    assert place.scan(full=True).to_read == 0, "its rendition is there"
    assert [thumb(place, name).exists() for name in ("a/one.jpg", "two.jpg", "three.jpg")] == [True] * 3
    assert thumb(place, "two.jpg").read_bytes() == before


def test_where_its_rendition_is_gone_too_the_file_is_read_for_it(place: Place) -> None:
    place.picture("one.jpg")
    place.scan()
    mirror(place)
    for folder in ("thumbnails", "renditions"):
        shutil.rmtree(place.data / folder)
    report = place.scan(full=True)
    assert (report.to_read, report.changed) == (1, 0)
    assert thumb(place, "one.jpg").exists()
    assert place.scan(full=True).to_read == 0


class Idle:
    """Says whether the machine is idle."""

    def __init__(self) -> None:
        self.is_idle = False
        self.now = 0.0

    def __call__(self) -> bool:
        """Whether it is."""
        return self.is_idle

    def clock(self) -> float:
        """Seconds since some moment."""
        return self.now


def test_what_was_not_decoded_in_time_is_marked_by_nothing_and_tried_again_when_the_machine_is_idle(
    place: Place, workers: WorkerPool
) -> None:
    (place.root / "late.dng").write_bytes(raws.dng(None, 1, TINY))
    idle = Idle()
    with attacked(place, "hang", patience=0.5, postponed=Postponed(idle, idle.clock)):
        assert place.scan().discovered == 1
        mirror(place)
        late = place.files()["late.dng"]
        assert late.content_hash is not None
        assert late.problem == NOT_IN_TIME
        assert not thumb(place, "late.dng.unsupported").exists()
        with pytest.raises(Unavailable, match="tried again when that is idle"):
            place.gallery.made(late, "thumb")
        idle.now = 61
        assert place.scan(full=True).to_read == 0, "the machine is busy"
        idle.is_idle = True
        assert place.scan().to_read == 1
        assert place.files()["late.dng"].problem == NOT_IN_TIME
        assert place.scan().to_read == 0, "it failed again, and waits for twice as long"
    place.gallery = place.gallery_of(workers, postponed=Postponed(lambda: True))
    place.scanner = place.scanner_of(place.gallery)
    assert place.scan().changed == 1
    mirror(place)
    assert (place.files()["late.dng"].problem, thumb(place, "late.dng").exists()) == (None, True)


def test_workers_that_were_shut_down_leave_the_file_for_later(place: Place, ledger: Ledger) -> None:
    (place.root / "bad.dng").write_bytes(raws.dng(None, 1, TINY))
    with attacked(place, "hang") as pool:
        future = place.gallery.read(bytes(place.root / "bad.dng"), "bad.dng", "photo", 1000)
        pool.close()
        assert "shut down" in str(future.exception())
    assert ledger.head() > 0
