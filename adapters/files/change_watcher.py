"""Notices what changes in the libraries: by what the operating system tells where it tells everything, and says where
it does not.

Each library has a thread of its own, so that a disk that does not answer holds up nobody else. It watches the folder,
waits for a moment's rest after each change, and begins again where the folder went and came back, another disk was
mounted, or the system lost count. Whoever is woken takes what was gathered; nothing is ever kept twice.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from adapters.files import mounts
from adapters.files.confinement import reason_of
from adapters.files.inotify import InotifyTree, LimitReached
from adapters.files.pending_changes import PendingChanges
from adapters.files.watchfiles_tree import WatchfilesTree
from domain.base.paths import bytes_of
from domain.events.library import Library
from domain.ports.watching import Noticed, Watching

log = logging.getLogger(__name__)

_IS_LINUX: Final = platform.system() == "Linux"

REST_SECONDS: Final = 0.1
"""A change is passed on once nothing more was told for this long: a program that saves a file does so in steps."""
LONGEST_SECONDS: Final = 1.0
"""A change is passed on after this long even where more and more follow."""
LOOK_SECONDS: Final = 2.0
"""How often it is looked whether the folder is still the same one and the mounts are the same."""
RETRY_SECONDS: Final = 300.0
"""How long after a limit was reached it is tried again."""
BEGIN_SECONDS: Final = 2.0
"""What the first look at a library waits for the watch to be set, so that nothing is looked at twice for it."""


class Tree(Protocol):
    """Watches one tree of folders."""

    def wait(self, seconds: float) -> bool:
        """Gather what happens within `seconds`; raises `EOFError` where that is not known any more."""

    def wake(self) -> None:
        """Let `wait` come back."""

    def close(self) -> None:
        """Watch no more."""


Plant = Callable[[bytes, Collection[bytes], PendingChanges], Tree]


def plant_tree(root: bytes, excluded: Collection[bytes], pending: PendingChanges) -> Tree:
    """Watch a tree in the way of this operating system; raises `LimitReached` or OSError."""
    return InotifyTree(root, excluded, pending) if _IS_LINUX else WatchfilesTree(root, excluded, pending)


class ChangeWatcher:
    """What changes in all libraries."""

    def __init__(
        self,
        mode: str,
        excluded: Iterable[Path] = (),
        *,
        plant: Plant = plant_tree,
        mount_table: Path = mounts.TABLE,
        look_seconds: float = LOOK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`auto` lets the operating system tell where it can, `native` everywhere, `poll` and `off` nowhere. Nothing
        is told of `excluded` folders."""
        self._mode, self._mount_table = mode, mount_table
        self.look_seconds, self.retry_seconds = look_seconds, retry_seconds
        self._excluded = frozenset(os.path.realpath(os.fsencode(folder)) for folder in excluded)
        self._plant = plant
        self._wake: Callable[[], None] = lambda: None
        self._watches: dict[int, _Watch] = {}

    def begin(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, when there is something to take."""
        self._wake = wake

    def follow(self, libraries: Sequence[Library]) -> None:
        """Watch these libraries and no others; comes back when each is watched, or after a moment."""
        wanted = {library.id: library for library in libraries}
        for id_, watch in [*self._watches.items()]:
            if id_ not in wanted or wanted[id_].root != watch.library.root:
                watch.ask_to_stop()
                del self._watches[id_]
        new = [_Watch(library, self) for id_, library in wanted.items() if id_ not in self._watches]
        for watch in new:
            self._watches[watch.library.id] = watch
            watch.start()
        deadline = time.monotonic() + BEGIN_SECONDS
        for watch in new:
            watch.began.wait(max(0.0, deadline - time.monotonic()))

    def take(self, library_id: int) -> Noticed | None:
        """What changed in a library since this was last asked, or None."""
        watch = self._watches.get(library_id)
        return None if watch is None else watch.pending.take()

    def states(self) -> Mapping[int, Watching]:
        """How each library is watched now."""
        return {id_: watch.state for id_, watch in self._watches.copy().items()}

    def foreseen(self, library: Library) -> Watching:
        """How a library would be watched, were no limit of the system in the way."""
        return self.why_not_native(os.path.realpath(bytes_of(library.root))) or Watching("native")

    def stop(self) -> None:
        """Watch nothing any more."""
        watches = [*self._watches.values()]
        for watch in watches:
            watch.ask_to_stop()
        for watch in watches:
            watch.join()

    # What a watch asks

    def wake(self) -> None:
        """There is something to take."""
        self._wake()

    def planted(self, root: bytes, pending: PendingChanges) -> Tree:
        """The tree at a real path, watched; raises `LimitReached` or OSError."""
        return self._plant(root, self._excluded, pending)

    def why_not_native(self, root: bytes) -> Watching | None:
        """How the folder at a real path is watched where the operating system is not asked to tell; else None."""
        if self._mode == "off":
            return Watching("off", "WATCH_MODE is off")
        if self._mode == "poll":
            return Watching("polling", "WATCH_MODE is poll")
        silent = mounts.why_silent(root, mounts.table(self._mount_table)) if self._mode == "auto" else None
        return None if silent is None else Watching("polling", silent)


class _Watch:
    """The watch over one library, in its own thread."""

    def __init__(self, library: Library, watcher: ChangeWatcher) -> None:
        self.library = library
        self.pending = PendingChanges()
        self.state = Watching("polling", "its watch is being set")
        self.began = threading.Event()
        self._watcher = watcher
        self._path = bytes_of(library.root)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._tree: Tree | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {library.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End soon."""
        self._stopping.set()
        with self._lock:
            if self._tree is not None:
                self._tree.wake()

    def join(self) -> None:
        """Wait for the end; a disk that does not answer is not waited for."""
        self._thread.join(self._watcher.look_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self._watcher.look_seconds
            root = os.path.realpath(self._path)
            state = self._watcher.why_not_native(root)
            if state is None:
                try:
                    self._listen(root)
                    continue
                except LimitReached as error:
                    state, pause = Watching("polling", str(error), limited=True), self._watcher.retry_seconds
                except OSError as error:
                    state = Watching("polling", f"its folder cannot be watched: {reason_of(error)}")
            self._say(state)
            self.began.set()
            self._stopping.wait(pause)

    def _listen(self, root: bytes) -> None:
        """Watch until the folder is another one, its mounts changed, or what happens is not known any more."""
        before = _identity(root)
        tree = self._watcher.planted(root, self.pending)
        with self._lock:
            self._tree = tree
        try:
            self._say(Watching("native"))
            self.pending.everything()
            self.began.set()
            self._watcher.wake()
            while not self._stopping.is_set():
                if tree.wait(self._watcher.look_seconds):
                    self._gather(tree)
                    self._watcher.wake()
                if _identity(root) != before or os.path.realpath(self._path) != root:
                    log.info("the folder of %s is not the one that it was: it is watched anew", self.library.name)
                    return
                if self._watcher.why_not_native(root) is not None:
                    return
        except EOFError:
            log.info("changes in %s came faster than they could be told: all of it is looked at", self.library.name)
        finally:
            with self._lock:
                self._tree = None
            tree.close()
            self.pending.everything()
            self._watcher.wake()

    def _gather(self, tree: Tree) -> None:
        """Wait for a moment's rest after a change."""
        longest = time.monotonic() + LONGEST_SECONDS
        while not self._stopping.is_set() and tree.wait(REST_SECONDS) and time.monotonic() < longest:
            pass

    def _say(self, state: Watching) -> None:
        if state == self.state:
            return
        if state.limited:
            log.warning("%s is looked at every few seconds instead of watched: %s", self.library.name, state.reason)
        elif state.mode == "native":
            log.info("%s is watched: the system tells of each change", self.library.name)
        elif state.mode == "polling":
            log.info("%s is looked at every few seconds: %s", self.library.name, state.reason)
        self.state = state


def _identity(root: bytes) -> tuple[int, int]:
    facts = os.stat(root)
    return facts.st_dev, facts.st_ino
