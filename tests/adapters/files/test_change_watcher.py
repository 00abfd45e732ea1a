"""How each library is watched, and what is passed on of what is told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from adapters.files.change_watcher import REST_SECONDS, ChangeWatcher, Plant, Tree, plant_tree
from adapters.files.inotify import LimitReached
from adapters.files.mounts import TABLE
from adapters.files.pending_changes import PendingChanges
from domain.base.paths import text_of
from domain.events.library import Library
from domain.ports.watching import Noticed, Watching
from tests.waiting import until

LONGEST_SECONDS = 20


class Watcher:
    """Libraries under watch, and how often it was called."""

    def __init__(self, mode: str = "native", *, plant: Plant = plant_tree, mount_table: Path = TABLE) -> None:
        self.changes = ChangeWatcher(mode, plant=plant, mount_table=mount_table, look_seconds=0.1, retry_seconds=0.1)
        self.woken = threading.Event()
        self.changes.begin(self.woken.set)

    def follow(self, *roots: Path) -> None:
        """Watch these folders as libraries, numbered from 1."""
        libraries = [
            Library(number, root.name, text_of(os.fsencode(root)), removed=False, version=1)
            for number, root in enumerate(roots, 1)
        ]
        self.changes.follow(libraries)

    def noticed(self, holds: Callable[[Noticed], bool]) -> Noticed:
        """The first of what is passed on of library 1 for which something holds."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            assert self.woken.wait(LONGEST_SECONDS)
            self.woken.clear()
            noticed = self.changes.take(1)
            if noticed is not None and holds(noticed):
                return noticed
        raise AssertionError

    def comes_to(self, mode: str, library_id: int = 1) -> Watching:
        """The state of a library once it is watched in one way."""
        until(lambda: self.changes.states()[library_id].mode == mode, f"it is not {mode}", seconds=LONGEST_SECONDS)
        return self.changes.states()[library_id]


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    """Watches nothing yet."""
    watcher = Watcher()
    yield watcher
    watcher.changes.stop()


def is_everything(noticed: Noticed) -> bool:
    return noticed.everything


def test_a_library_is_looked_at_whole_when_its_watch_begins_and_then_only_where_it_changed(
    watcher: Watcher, tmp_path: Path
) -> None:
    watcher.follow(tmp_path)
    watcher.noticed(is_everything)
    assert watcher.changes.states() == {1: Watching("native")}
    (tmp_path / "x.jpg").write_bytes(b"x")
    assert watcher.noticed(lambda _: True) == Noticed(frozenset({""}), written=frozenset({"x.jpg"}))
    assert watcher.changes.take(1) is None


def test_each_library_is_told_of_its_own_changes(watcher: Watcher, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    watcher.follow(tmp_path / "one", tmp_path / "two")
    watcher.noticed(is_everything)
    assert watcher.changes.take(2) is not None
    (tmp_path / "one/x.jpg").write_bytes(b"x")
    watcher.noticed(lambda noticed: noticed.folders == {""})
    assert watcher.changes.take(2) is None


def test_a_folder_that_goes_is_said_and_it_is_watched_again_when_it_returns(watcher: Watcher, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    watcher.follow(root)
    watcher.noticed(is_everything)
    root.rename(tmp_path / "away")
    watcher.noticed(is_everything)
    assert "no such file" in (watcher.comes_to("polling").reason or "")
    (tmp_path / "away").rename(root)
    watcher.comes_to("native")
    watcher.noticed(is_everything)
    (root / "x.jpg").write_bytes(b"x")
    assert watcher.noticed(lambda noticed: not noticed.everything).written == {"x.jpg"}


def test_another_folder_in_its_place_is_watched_instead(watcher: Watcher, tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    link = tmp_path / "link"
    link.symlink_to(root)
    watcher.follow(link)
    watcher.noticed(is_everything)
    link.unlink()
    link.symlink_to(other)
    watcher.noticed(is_everything)
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:  # until the other one is watched a file in it may be part of everything
        (other / "x.jpg").write_bytes(b"x")
        noticed = watcher.noticed(lambda _: True)
        if noticed.written == {"x.jpg"} and not noticed.everything:
            break
        assert time.monotonic() < deadline


def test_a_library_that_is_followed_no_more_or_elsewhere_is_let_go(watcher: Watcher, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    watcher.follow(tmp_path / "one")
    watcher.noticed(is_everything)
    watcher.follow(tmp_path / "two")
    watcher.noticed(is_everything)
    (tmp_path / "one/x.jpg").write_bytes(b"x")
    (tmp_path / "two/y.jpg").write_bytes(b"x")
    assert watcher.noticed(lambda noticed: bool(noticed.written)).written == {"y.jpg"}
    watcher.follow()
    assert (watcher.changes.states(), watcher.changes.take(1)) == ({}, None)


@pytest.mark.parametrize(("mode", "state"), [("poll", "polling"), ("off", "off")])
def test_where_the_setting_says_so_nothing_is_watched_and_it_is_said(tmp_path: Path, mode: str, state: str) -> None:
    watcher = Watcher(mode)
    watcher.follow(tmp_path)
    assert watcher.comes_to(state).reason == f"WATCH_MODE is {mode}"
    assert watcher.changes.take(1) is None
    watcher.changes.stop()


def test_a_disk_that_does_not_tell_is_polled_until_it_is_another_unless_the_setting_says_native(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_bytes(b"1 1 0:1 / / rw - nfs nas:/ rw\n")
    root = tmp_path / "root"
    root.mkdir()
    watcher, native = Watcher("auto", mount_table=table), Watcher("native")
    for each in (watcher, native):
        each.follow(root)
    state = watcher.comes_to("polling")
    assert (state.limited, "of the type nfs" in (state.reason or "")) == (False, True)
    native.comes_to("native")
    table.write_bytes(b"1 1 0:1 / / rw - ext4 /dev/sda1 rw\n")
    watcher.comes_to("native")
    table.write_bytes(b"1 1 0:1 / / rw - nfs nas:/ rw\n")
    watcher.comes_to("polling")
    for each in (watcher, native):
        each.changes.stop()


def test_a_limit_is_said_once_in_the_log_and_polled_around_for_that_library_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = threading.Event()
    full.set()

    def plant(root: bytes, excluded: Collection[bytes], pending: PendingChanges) -> Tree:
        if root.endswith(b"large") and full.is_set():
            raise LimitReached("raise fs.inotify.max_user_watches")
        return plant_tree(root, excluded, pending)

    for name in ("large", "small"):
        (tmp_path / name).mkdir()
    watcher = Watcher(plant=plant)
    with caplog.at_level("WARNING"):
        watcher.follow(tmp_path / "large", tmp_path / "small")
        assert watcher.comes_to("polling") == Watching("polling", "raise fs.inotify.max_user_watches", limited=True)
        watcher.comes_to("native", 2)
        time.sleep(0.3)
    assert caplog.text.count("raise fs.inotify.max_user_watches") == 1
    full.clear()
    watcher.comes_to("native")
    watcher.changes.stop()


def test_lost_events_begin_a_new_watch_and_a_look_at_everything(tmp_path: Path) -> None:
    planted = []

    class LosesCount:
        """A watch whose first wait fails."""

        def __init__(self, tree: Tree) -> None:
            self._tree = tree
            self.wake, self.close = tree.wake, tree.close

        def wait(self, seconds: float) -> bool:
            raise EOFError

    def plant(root: bytes, excluded: Collection[bytes], pending: PendingChanges) -> Tree:
        tree = plant_tree(root, excluded, pending)
        planted.append(tree)
        return LosesCount(tree) if len(planted) == 1 else tree

    watcher = Watcher(plant=plant)
    watcher.follow(tmp_path)
    watcher.noticed(is_everything)
    watcher.comes_to("native")
    until(lambda: len(planted) == 2, seconds=LONGEST_SECONDS)
    (tmp_path / "x.jpg").write_bytes(b"x")
    watcher.noticed(lambda noticed: "x.jpg" in noticed.written)
    watcher.changes.stop()


def test_a_storm_is_passed_on_in_few_pieces(watcher: Watcher, tmp_path: Path) -> None:
    watcher.follow(tmp_path)
    watcher.noticed(is_everything)
    calls: list[float] = []
    watcher.changes.begin(lambda: calls.append(time.monotonic()))
    began = time.monotonic()
    for number in range(2000):
        (tmp_path / "x.jpg").write_bytes(b"%d" % number)
    (tmp_path / "last.jpg").write_bytes(b"x")
    until(lambda: "last.jpg" in (watcher.changes.take(1) or Noticed()).written, seconds=LONGEST_SECONDS, interval=0.05)
    assert len(calls) <= 2 + (time.monotonic() - began) / REST_SECONDS
