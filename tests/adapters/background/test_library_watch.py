"""Which library is looked at when: what was noticed at once, everything now and then, and after what went wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.background.jobs import JobBoard
from adapters.background.library_watch import POLL_SECONDS, POLL_SHARE, WatchesLibraries
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.commands.libraries import add_library, remove_library
from domain.ports.watching import Noticed, Watching
from tests.fakes import ScriptedChanges, ScriptedScanner

QUICK, FULL = 60.0, 3600.0
EVERYTHING = Noticed(everything=True)
A_FOLDER = Noticed(frozenset({"a"}))


class Clock:
    """The watcher's clock, which a test turns."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` has them."""
        return self.now


class Post:
    """A watcher of two libraries, with a scripted disk."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self.changes, self.scanner = ScriptedChanges(), ScriptedScanner(ledger)
        self.watcher = WatchesLibraries(
            ledger, self.scanner, JobBoard(), quick_seconds=QUICK, full_seconds=FULL, changes=self.changes, clock=clock
        )

    def after(self, seconds: float) -> list[tuple[int, bool, Noticed | None]]:
        """What a step asks for so many seconds later."""
        self.clock.now += seconds
        self.scanner.scanned.clear()
        self.watcher.step()
        return self.scanner.scanned


@pytest.fixture
def post(tmp_path: Path, empty_log: Path) -> Iterator[Post]:
    """Its first look at everything is over."""
    shutil.copyfile(empty_log, tmp_path / "imageapi.db")
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/imageapi.db"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with ledger.transaction(CLI) as uow:
            add_library(uow, str(tmp_path / name))
    clock = Clock()
    post = Post(ledger, clock)
    assert post.after(0) == [(1, False, EVERYTHING), (2, False, EVERYTHING)]
    yield post
    ledger.close()


def test_nothing_is_looked_at_before_it_is_due(post: Post) -> None:
    assert post.after(QUICK - 1) == []
    assert post.after(2) == [(1, False, EVERYTHING), (2, False, EVERYTHING)]


def test_what_was_noticed_is_looked_at_at_once_and_puts_nothing_else_off(post: Post) -> None:
    post.changes.news[2] = A_FOLDER
    assert post.after(QUICK - 1) == [(2, False, A_FOLDER)]
    assert post.after(2) == [(1, False, EVERYTHING), (2, False, EVERYTHING)]


def test_what_was_written_is_read_also_where_everything_is_due(post: Post) -> None:
    post.changes.news[1] = Noticed(frozenset({"a"}), written=frozenset({"a/x.jpg"}))
    assert post.after(QUICK + 1)[0] == (1, False, Noticed(written=frozenset({"a/x.jpg"}), everything=True))


def test_a_library_that_was_asked_for_is_looked_at_fully_and_alone(post: Post) -> None:
    post.watcher.ask(2)
    assert post.after(1) == [(2, True, EVERYTHING)]


def test_every_library_is_looked_at_fully_now_and_then(post: Post) -> None:
    assert post.after(FULL + 1) == [(1, True, EVERYTHING), (2, True, EVERYTHING)]
    assert post.after(QUICK + 1) == [(1, False, EVERYTHING), (2, False, EVERYTHING)]


def test_a_polled_library_is_looked_at_more_often(post: Post) -> None:
    post.changes.state = Watching("polling", "nfs")
    assert len(post.after(QUICK + 1)) == 2
    assert post.after(POLL_SECONDS - 1) == []
    assert len(post.after(2)) == 2


def test_the_longer_a_look_takes_the_longer_is_the_pause_after_it(post: Post) -> None:
    post.changes.state = Watching("polling", "nfs")
    post.scanner.looked = 1.0
    assert len(post.after(QUICK + 1)) == 2
    assert post.after(POLL_SHARE - 1) == []
    assert len(post.after(2)) == 2
    post.scanner.looked = 100.0
    assert len(post.after(POLL_SHARE + 1)) == 2
    assert len(post.after(QUICK + 1)) == 2


def test_a_library_that_is_not_watched_is_looked_at_once_and_then_when_asked(post: Post) -> None:
    post.changes.state = Watching("off", "WATCH_MODE is off")
    assert len(post.after(QUICK + 1)) == 2
    assert post.after(2 * FULL) == []
    post.watcher.ask(1)
    assert post.after(1) == [(1, True, EVERYTHING)]


def test_files_that_were_left_for_later_are_looked_for_soon(post: Post) -> None:
    post.scanner.deferred = 1
    post.changes.news[1] = A_FOLDER
    assert post.after(1) == [(1, False, A_FOLDER)]
    post.scanner.deferred = 0
    assert post.after(POLL_SECONDS + 1) == [(1, False, EVERYTHING)]
    assert post.after(POLL_SECONDS + 1) == []


def test_files_of_which_more_can_be_known_are_read_some_at_a_time_with_pauses_for_what_is_new(post: Post) -> None:
    post.scanner.outdated = 1
    assert len(post.after(QUICK + 1)) == 2
    post.changes.news[1] = A_FOLDER
    assert post.after(1) == [(1, False, A_FOLDER)]
    assert len(post.after(POLL_SECONDS)) == 2
    post.scanner.outdated = 0
    assert len(post.after(POLL_SECONDS + 1)) == 2
    assert post.after(POLL_SECONDS + 1) == []


def test_what_was_noticed_while_the_root_was_away_is_found_when_it_is_back(post: Post) -> None:
    post.scanner.away()
    post.changes.news[1] = A_FOLDER
    assert post.after(1) == [(1, False, A_FOLDER)]
    assert post.watcher.missing == {1: "the library folder cannot be read"}
    assert post.after(1) == []
    post.scanner.failure = None
    assert post.after(POLL_SECONDS) == [(1, False, EVERYTHING)]
    assert post.watcher.missing == {}


def test_what_was_noticed_when_a_scan_failed_is_looked_for_in_everything(post: Post) -> None:
    post.scanner.failure = ValueError("a bug")
    post.changes.news[1] = A_FOLDER
    with pytest.raises(ValueError, match="a bug"):
        post.after(1)
    post.scanner.failure = None
    assert post.after(1) == [(1, False, EVERYTHING)]


def test_a_removed_library_is_watched_no_more_and_stopping_ends_the_watch(post: Post) -> None:
    assert post.changes.followed == [1, 2]
    with post.ledger.transaction(CLI) as uow:
        remove_library(uow, 1)
    post.after(1)
    assert post.changes.followed == [2]
    post.watcher.loop.ask_to_stop()
    assert post.changes.stopped
