"""Every change in one tree of folders, as Linux tells it: inotify(7), called through the C library.

Written here because the watcher that packages offer follows links out of a library, ends at the first name that is not
UTF-8, watches folders that are no part of a library, is silent when the kernel's queue overflows, and does not tell the
end of writing from its beginning.

A folder that is renamed within the tree keeps its watches, which belong to the folder and not to its name: a rename
costs the same for a folder of ten files and of ten thousand.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Final

from adapters.files.pending_changes import PendingChanges
from adapters.files.skipped import is_skipped
from adapters.files.walk import is_sidecar, kind_of
from domain.base.paths import text_of

# The constants of <sys/inotify.h>.
_ATTRIB: Final = 0x4
_CLOSE_WRITE: Final = 0x8
_MOVED_FROM: Final = 0x40
_MOVED_TO: Final = 0x80
_CREATE: Final = 0x100
_DELETE: Final = 0x200
_UNMOUNT: Final = 0x2000
_OVERFLOW: Final = 0x4000
_IGNORED: Final = 0x8000
_ONLYDIR: Final = 0x1000000
_DONT_FOLLOW: Final = 0x2000000
_EXCL_UNLINK: Final = 0x4000000
_ISDIR: Final = 0x40000000
_WANTED: Final = (
    _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLYDIR | _DONT_FOLLOW | _EXCL_UNLINK
)
_EVENT: Final = struct.Struct("iIII")
_BUFFER: Final = 1 << 18
_LIMITS: Final = Path("/proc/sys/fs/inotify")
_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES})
"""Why a folder is passed over: it went meanwhile, a link took its place, or it may not be read, as the scan says."""

_libc = ctypes.CDLL(None, use_errno=True)


class LimitReached(Exception):
    """The system lets no more folders be watched; the text says what to raise."""


class _Folder:
    """A watched folder: `wd` is its watch, None while it has none."""

    __slots__ = ("inner", "name", "parent", "wd")

    def __init__(self, name: bytes, parent: _Folder | None) -> None:
        self.name, self.parent = name, parent
        self.wd: int | None = None
        self.inner: dict[bytes, _Folder] = {}


class InotifyTree:
    """Watches all folders below the real path `root` that belong to a library and are not `excluded` real paths."""

    def __init__(self, root: bytes, excluded: Collection[bytes], pending: PendingChanges) -> None:
        """Begin to watch; what happens from now on is gathered by `wait`.

        Raises:
            LimitReached: too many folders, or too many watchers.
            OSError: the root is not there or cannot be watched.
        """
        self._root_path = root.rstrip(b"/") or b"/"
        self._excluded = frozenset(excluded)
        self._pending = pending
        self._descriptor = _begin()
        self._root = _Folder(b"", None)
        self._by_watch: dict[int, _Folder] = {}
        self._moving: dict[int, _Folder] = {}
        self._moved_before: dict[int, _Folder] = {}
        self._is_lost = False
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._poll.register(self._wake_read, select.POLLIN)
        try:
            os.scandir(self._root_path).close()
            self._plant(self._root)
        except BaseException:
            self.close()
            raise

    def wait(self, seconds: float) -> bool:
        """Gather what happens within `seconds`, back as soon as something did: whether it did.

        Raises:
            EOFError: what happens is not known any more: the root is gone, or events were lost.
            LimitReached: a new folder could not be watched.
        """
        if not self._poll.poll(seconds * 1000):
            self._drop_departed()
            return False
        try:
            events = os.read(self._descriptor, _BUFFER)
        except BlockingIOError:
            return False  # woken
        at = 0
        while at < len(events):
            watch, mask, cookie, length = _EVENT.unpack_from(events, at)
            at += _EVENT.size
            self._take(watch, mask, cookie, events[at : at + length].rstrip(b"\0"))
            at += length
        self._drop_departed()
        if self._is_lost:
            raise EOFError
        return True

    def wake(self) -> None:
        """Let `wait` come back, from another thread."""
        os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Watch no more."""
        for descriptor in (self._descriptor, self._wake_read, self._wake_write):
            os.close(descriptor)

    @property
    def folders(self) -> int:
        """How many folders are watched."""
        return len(self._by_watch)

    # What was told

    def _take(self, watch: int, mask: int, cookie: int, name: bytes) -> None:
        if mask & _OVERFLOW:
            self._is_lost = True
            return
        folder = self._by_watch.get(watch)
        if folder is None:
            return
        if mask & (_IGNORED | _UNMOUNT):
            self._by_watch.pop(watch, None)
            self._is_lost = self._is_lost or folder is self._root or bool(mask & _UNMOUNT)
        elif name and (at := self._path_of(folder)) is not None:
            path = at + b"/" + name if at else name
            if mask & _ISDIR:
                self._take_folder(folder, mask, cookie, name, path)
            elif not is_skipped(name) and (kind_of(text_of(name)) is not None or is_sidecar(text_of(name))):
                self._take_file(mask, path)

    def _take_file(self, mask: int, path: bytes) -> None:
        if mask & _CREATE and self._will_be_closed(path):
            self._pending.begun(path)
            return
        self._pending.file(path, written=bool(mask & (_CLOSE_WRITE | _MOVED_TO)))

    def _will_be_closed(self, path: bytes) -> bool:
        """Whether what was just made is a file that its maker has open, so that the end of writing will be told."""
        try:
            facts = os.lstat(self._whole(path))
        except OSError:
            return True  # gone again, which is told as well
        return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1

    def _take_folder(self, folder: _Folder, mask: int, cookie: int, name: bytes, path: bytes) -> None:
        if mask & (_DELETE | _MOVED_FROM):
            child = folder.inner.pop(name, None)
            if child is None:
                return
            if mask & _MOVED_FROM:
                child.parent = None
                self._moving[cookie] = child
            self._pending.tree(path)
        elif mask & (_CREATE | _MOVED_TO):
            child = self._moving.pop(cookie, None) or self._moved_before.pop(cookie, None) if cookie else None
            self._put(folder, name, path, child)
        elif mask & _ATTRIB:
            child = folder.inner.get(name)
            if child is not None and child.wd is None:  # it may be read now
                self._plant(child)
                self._pending.tree(path)

    def _put(self, folder: _Folder, name: bytes, path: bytes, child: _Folder | None) -> None:
        """A folder is there now, made or moved; `child` is what it was before, where it was watched."""
        hidden = is_skipped(name) or self._whole(path) in self._excluded
        replaced = folder.inner.pop(name, None)
        if replaced is not None and child is None and not hidden and self._watch(path) == replaced.wd:
            child = replaced  # it was met when its parent was planted, before this was told
        elif replaced is not None:
            self._drop(replaced)
        if hidden:
            if child is not None:
                self._drop(child)
            return
        if child is None:
            child = _Folder(name, folder)
        child.name, child.parent = name, folder
        folder.inner[name] = child
        if child.wd is None:
            self._plant(child)
        self._pending.tree(path)

    # The watches

    def _path_of(self, folder: _Folder) -> bytes | None:
        """The path of a folder below the root; None where it is no longer below it."""
        names = []
        at = folder
        while at.parent is not None:
            names.append(at.name)
            at = at.parent
        return b"/".join(reversed(names)) if at is self._root else None

    def _plant(self, folder: _Folder) -> None:
        """Watch a folder and all below. Each is watched before it is listed, so that no folder in it is missed."""
        waiting = [folder]
        while waiting:
            at = waiting.pop()
            path = self._path_of(at)
            if path is not None and (watch := self._watch(path)) is not None:
                at.wd = watch
                self._by_watch[watch] = at
                waiting += self._inner_of(at, self._whole(path))

    def _whole(self, path: bytes) -> bytes:
        return self._root_path.rstrip(b"/") + b"/" + path if path else self._root_path

    def _watch(self, path: bytes) -> int | None:
        """Watch the folder at a path: the number of the watch, the same one where it is watched already."""
        watch: int = _libc.inotify_add_watch(self._descriptor, self._whole(path), ctypes.c_uint32(_WANTED))
        if watch >= 0:
            return watch
        _demand_passable(ctypes.get_errno())
        return None

    def _inner_of(self, folder: _Folder, whole: bytes) -> list[_Folder]:
        try:
            with os.scandir(whole) as entries:
                for entry in entries:
                    if is_skipped(entry.name) or entry.path in self._excluded or entry.name in folder.inner:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folder.inner[entry.name] = _Folder(entry.name, folder)
        except OSError:
            return []  # gone meanwhile, or not to be read: the scan says so
        return [inner for inner in folder.inner.values() if inner.wd is None]

    def _drop(self, folder: _Folder) -> None:
        """Watch a folder and all below no more."""
        waiting = [folder]
        while waiting:
            at = waiting.pop()
            waiting += at.inner.values()
            if at.wd is not None and self._by_watch.get(at.wd) is at:
                del self._by_watch[at.wd]
                _libc.inotify_rm_watch(self._descriptor, at.wd)

    def _drop_departed(self) -> None:
        """What was moved away and did not arrive by the next time has left the tree."""
        for folder in self._moved_before.values():
            self._drop(folder)
        self._moved_before, self._moving = self._moving, {}


def _begin() -> int:
    descriptor: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        failed = ctypes.get_errno()
        if failed in {errno.EMFILE, errno.ENFILE}:
            raise LimitReached(_advice("watchers", "max_user_instances", 1024))
        raise OSError(failed, os.strerror(failed))
    return descriptor


def _demand_passable(failed: int) -> None:
    if failed == errno.ENOSPC:
        raise LimitReached(_advice("watched folders", "max_user_watches", 1_048_576))
    if failed not in _NOT_THERE:
        raise OSError(failed, os.strerror(failed))


def _advice(what: str, name: str, enough: int) -> str:
    try:
        now = f", {(_LIMITS / name).read_text().strip()} now"
    except OSError:
        now = ""
    return (
        f"the system's limit of {what} is reached (fs.inotify.{name}{now}): raise it, for instance with "
        f"`sysctl fs.inotify.{name}={enough}`, and for good in /etc/sysctl.d"
    )
