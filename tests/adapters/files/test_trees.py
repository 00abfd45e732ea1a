"""What a watched tree of folders tells of each thing that can happen in it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from adapters.files import inotify
from adapters.files.change_watcher import Tree
from adapters.files.inotify import InotifyTree, LimitReached
from adapters.files.pending_changes import MOST_PLACES, MOST_WRITTEN, PendingChanges
from adapters.files.watchfiles_tree import WatchfilesTree
from domain.ports.watching import Noticed

Plant = Callable[[bytes, Collection[bytes], PendingChanges], Tree]


class Ground:
    """A watched folder."""

    def __init__(self, root: Path, plant: Plant) -> None:
        self.root = root
        for folder in ("a/deep/deeper", "b", ".hidden", "own"):
            (root / folder).mkdir(parents=True)
        (root.parent / "elsewhere").mkdir()
        (root / "a/one.jpg").write_bytes(b"one")
        self.pending = PendingChanges()
        self.tree = plant(os.fsencode(root), [os.fsencode(root / "own")], self.pending)
        self.noticed()

    def noticed(self) -> Noticed:
        """What is told of all that was done, once nothing more is."""
        while self.tree.wait(0.3):
            pass
        return self.pending.take() or Noticed()


@pytest.fixture(params=[InotifyTree, WatchfilesTree])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Watched in every way there is."""
    ground = Ground(tmp_path / "root", request.param)
    yield ground
    ground.tree.close()


@pytest.fixture
def linux_ground(tmp_path: Path) -> Iterator[Ground]:
    """Watched by inotify."""
    ground = Ground(tmp_path / "root", InotifyTree)
    yield ground
    ground.tree.close()


def test_a_new_file_names_its_folder(ground: Ground) -> None:
    (ground.root / "a/deep/two.jpg").write_bytes(b"two")
    noticed = ground.noticed()
    assert noticed.folders == {"a/deep"}
    assert not noticed.everything
    assert "a" not in noticed.trees


def test_a_rewritten_a_moved_and_a_deleted_file_name_their_folders(ground: Ground) -> None:
    (ground.root / "a/one.jpg").write_bytes(b"two")
    assert ground.noticed().folders == {"a"}
    (ground.root / "a/one.jpg").rename(ground.root / "b/one.jpg")
    assert ground.noticed().folders == {"a", "b"}
    (ground.root / "b/one.jpg").unlink()
    assert ground.noticed().folders == {"b"}


def test_a_folder_that_is_moved_is_named_on_both_sides_and_goes_on_being_watched(ground: Ground) -> None:
    (ground.root / "a").rename(ground.root / "b/moved")
    assert ground.noticed().trees == {"a", "b/moved"}
    (ground.root / "b/moved/deep/deeper/x.jpg").write_bytes(b"x")
    assert ground.noticed().folders == {"b/moved/deep/deeper"}


def test_a_folder_that_comes_in_is_watched_with_all_that_is_in_it(ground: Ground) -> None:
    (ground.root.parent / "elsewhere/c/d").mkdir(parents=True)
    (ground.root.parent / "elsewhere/c").rename(ground.root / "c")
    assert ground.noticed().trees == {"c"}
    (ground.root / "c/d/x.jpg").write_bytes(b"x")
    assert "c/d" in ground.noticed().folders


def test_a_folder_that_goes_out_is_named_and_watched_no_more(ground: Ground) -> None:
    (ground.root / "a").rename(ground.root.parent / "elsewhere/a")
    assert ground.noticed().trees == {"a"}
    ground.noticed()
    (ground.root.parent / "elsewhere/a/deep/x.jpg").write_bytes(b"x")
    assert ground.noticed() == Noticed()


def test_a_folder_made_deep_at_once_is_watched_to_its_depth(ground: Ground) -> None:
    os.makedirs(ground.root / "n/e/w")
    assert "n" in ground.noticed().trees
    (ground.root / "n/e/w/x.jpg").write_bytes(b"x")
    assert "n/e/w" in ground.noticed().folders


def test_a_folder_that_is_deleted_and_made_again_is_watched_again(ground: Ground) -> None:
    (ground.root / "b").rmdir()
    assert ground.noticed().trees == {"b"}
    (ground.root / "b").mkdir()
    assert ground.noticed().trees == {"b"}
    (ground.root / "b/x.jpg").write_bytes(b"x")
    assert ground.noticed().folders == {"b"}


def test_nothing_is_told_of_what_is_no_part_of_a_library(ground: Ground) -> None:
    (ground.root / ".hidden/x.jpg").write_bytes(b"x")
    (ground.root / "own/x.jpg").write_bytes(b"x")
    (ground.root / "a/notes.txt").write_bytes(b"x")
    (ground.root / "a/.one.jpg.part").write_bytes(b"x")
    (ground.root / "a/one.jpg").read_bytes()
    assert ground.noticed() == Noticed()


def test_waiting_ends_when_woken_from_another_thread(ground: Ground) -> None:
    ground.tree.wake()
    assert not ground.tree.wait(600)


# What only inotify tells


def test_a_file_is_told_of_when_its_writer_ends_and_then_as_written(linux_ground: Ground) -> None:
    with (linux_ground.root / "a/two.jpg").open("wb") as file:
        file.write(b"half")
        file.flush()
        assert linux_ground.noticed() == Noticed()
        (linux_ground.root / "a/other.jpg").write_bytes(b"x")
        assert linux_ground.noticed().unfinished == {"a/two.jpg"}
        file.write(b"whole")
    assert linux_ground.noticed() == Noticed(frozenset({"a"}), written=frozenset({"a/two.jpg"}))


def test_a_link_and_a_hard_link_are_told_of_at_once(linux_ground: Ground) -> None:
    (linux_ground.root / "b/link.jpg").symlink_to(linux_ground.root / "a/one.jpg")
    assert linux_ground.noticed().folders == {"b"}
    os.link(linux_ground.root / "a/one.jpg", linux_ground.root / "b/hard.jpg")
    assert linux_ground.noticed().folders == {"b"}


def test_a_link_to_a_folder_is_not_followed(linux_ground: Ground) -> None:
    (linux_ground.root / "a/link").symlink_to(linux_ground.root.parent / "elsewhere")
    (linux_ground.root.parent / "elsewhere/x.jpg").write_bytes(b"x")
    assert linux_ground.noticed() == Noticed()


def test_a_name_that_is_no_utf8_and_one_of_another_case_are_told_of_by_their_text(linux_ground: Ground) -> None:
    (Path(os.fsdecode(os.fsencode(linux_ground.root) + b"/a/\xff.jpg"))).write_bytes(b"x")
    assert linux_ground.noticed().written == {"a/\\xff.jpg"}
    (linux_ground.root / "a/one.jpg").rename(linux_ground.root / "a/One.JPG")
    assert linux_ground.noticed() == Noticed(frozenset({"a"}), written=frozenset({"a/One.JPG"}))


def test_a_folder_that_is_hidden_is_watched_no_more_and_is_new_when_shown_again(linux_ground: Ground) -> None:
    (linux_ground.root / "a").rename(linux_ground.root / ".a")
    assert linux_ground.noticed().trees == {"a"}
    (linux_ground.root / ".a/deep/x.jpg").write_bytes(b"x")
    assert linux_ground.noticed() == Noticed()
    (linux_ground.root / ".a").rename(linux_ground.root / "a")
    assert linux_ground.noticed().trees == {"a"}
    (linux_ground.root / "a/deep/x.jpg").write_bytes(b"y")
    assert linux_ground.noticed().folders == {"a/deep"}


def test_a_folder_that_takes_the_place_of_an_empty_one_is_watched(linux_ground: Ground) -> None:
    (linux_ground.root / "a").rename(linux_ground.root / "b")
    linux_ground.noticed()
    (linux_ground.root / "b/deep/x.jpg").write_bytes(b"x")
    assert linux_ground.noticed().folders == {"b/deep"}


def test_as_many_folders_are_watched_after_thousands_of_moves_as_before(linux_ground: Ground) -> None:
    tree = linux_ground.tree
    assert isinstance(tree, InotifyTree)
    before = tree.folders
    for number in range(2000):
        (linux_ground.root / "a").rename(linux_ground.root / f"a{number}")
        (linux_ground.root / f"a{number}").rename(linux_ground.root / "a")
        (linux_ground.root / "t").mkdir()
        (linux_ground.root / "t").rmdir()
    assert linux_ground.noticed().everything, "beyond so many places all is looked at"
    assert tree.folders == before


def test_that_events_were_lost_is_told(linux_ground: Ground) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    path = linux_ground.root / "a/one.jpg"
    other = linux_ground.root / "a/other.jpg"
    deadline = time.monotonic() + 60
    for _ in range(most // 2 + 10):  # two events each, none like the one before it
        path.rename(other)
        other.rename(path)
        assert time.monotonic() < deadline
    with pytest.raises(EOFError):
        linux_ground.noticed()


def test_a_root_that_is_deleted_is_told(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    tree = InotifyTree(os.fsencode(tmp_path / "root"), [], PendingChanges())
    (tmp_path / "root").rmdir()
    with pytest.raises(EOFError):
        tree.wait(5)
    tree.close()


def test_a_root_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    for plant in (InotifyTree, WatchfilesTree):
        with pytest.raises(OSError, match="o such file"):
            plant(os.fsencode(tmp_path / "nowhere"), [], PendingChanges())


@pytest.mark.parametrize(("failed", "name"), [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")])
def test_a_limit_of_the_system_is_said_with_what_to_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: int, name: str
) -> None:
    class Refusing:
        """A C library at its limit."""

        def inotify_init1(self, flags: int) -> int:
            return -1 if failed == errno.EMFILE else os.dup(0)

        def inotify_add_watch(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(inotify, "_libc", Refusing())
    monkeypatch.setattr("ctypes.get_errno", lambda: failed)
    with pytest.raises(LimitReached, match=rf"fs\.inotify\.{name}, \d+ now\): raise it, for instance with `sysctl"):
        InotifyTree(os.fsencode(tmp_path), [], PendingChanges())


def test_a_folder_that_may_not_be_read_is_watched_once_it_may(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from adapters.files.pending_changes import PendingChanges; from adapters.files.inotify import InotifyTree\n"
        "root = Path(sys.argv[2]); (root / 'a').mkdir(mode=0); pending = PendingChanges()\n"
        "tree = InotifyTree(os.fsencode(root), [], pending)\n"
        "(root / 'a').chmod(0o700); tree.wait(5); print(pending.take().trees)\n"
        "(root / 'a/x.jpg').write_bytes(b'x'); tree.wait(5); print(pending.take().folders)\n"
    )
    plain = [sys.executable, "-c", code, str(Path(__file__).resolve().parents[3]), str(tmp_path)]
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    printed = subprocess.run([*powerless, *plain], check=True, capture_output=True, text=True).stdout
    assert printed.split("\n")[:2] == ["frozenset({'a'})", "frozenset({'a'})"]


# What is gathered stays small


def test_beyond_so_many_places_everything_is_to_be_looked_at() -> None:
    pending = PendingChanges()
    for number in range(MOST_PLACES):
        pending.file(b"%d/x.jpg" % number, written=True)
    pending.tree(b"tree")
    noticed = pending.take()
    assert noticed is not None
    assert (noticed.everything, noticed.folders, noticed.trees) == (True, frozenset(), frozenset())
    assert "0/x.jpg" in noticed.written
    assert pending.take() is None


def test_no_more_names_of_written_files_are_kept_than_fit() -> None:
    pending = PendingChanges()
    for number in range(MOST_WRITTEN + 10):
        pending.file(b"%d.jpg" % number, written=True)
    noticed = pending.take()
    assert noticed is not None
    assert len(noticed.written) == MOST_WRITTEN


def test_no_place_is_looked_at_twice() -> None:
    noticed = Noticed(frozenset({"a", "a/b/c", "ab", ""}), frozenset({"a/b", "a/b/d", "x"}))
    assert noticed.places() == (["", "a", "ab"], ["a/b", "x"])
    assert [noticed.concerns(folder) for folder in ("", "a/b/c/d", "a/c", "x/y", "xy")] == [
        True,
        True,
        False,
        True,
        False,
    ]
    assert Noticed(trees=frozenset({"", "a"})).places() == ([], [""])
