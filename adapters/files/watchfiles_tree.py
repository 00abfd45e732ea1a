"""Every change in one tree of folders, as watchfiles tells it: for systems other than Linux (FSEvents on macOS).

It names each path once a batch and does not say what is a folder or how far writing got: a folder is looked at whole,
and what vanished may have been one.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Collection
from typing import Final

from watchfiles import Change
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from adapters.files.pending_changes import PendingChanges
from adapters.files.skipped import has_skipped_part
from adapters.files.walk import is_sidecar, kind_of
from domain.base.paths import text_of

_STEP_MS: Final = 50
_DEBOUNCE_MS: Final = 100


class WatchfilesTree:
    """Watches all below the real path `root`; what is no part of a library, or `excluded`, is passed over."""

    def __init__(self, root: bytes, excluded: Collection[bytes], pending: PendingChanges) -> None:
        """Begin to watch; raises OSError where the root is not there or cannot be watched."""
        self._root = root.rstrip(b"/") or b"/"
        self._excluded = tuple(folder + b"/" for folder in excluded)
        self._pending = pending
        self._woken = threading.Event()
        os.scandir(root).close()
        try:
            self._notify = RustNotify([os.fsdecode(root)], False, False, 0, True, True)
        except WatchfilesRustInternalError as error:
            raise OSError(str(error)) from error

    def wait(self, seconds: float) -> bool:
        """Gather what happens within `seconds`, back as soon as something did: whether it did.

        Raises:
            EOFError: what happens is not known any more.
        """
        try:
            changes = self._notify.watch(_DEBOUNCE_MS, _STEP_MS, max(1, int(seconds * 1000)), self._woken)
        except WatchfilesRustInternalError as error:
            raise EOFError from error
        if isinstance(changes, str):  # why nothing came
            return False
        for change, path in changes:
            self._take(Change(change), os.fsencode(path))
        return True

    def wake(self) -> None:
        """Let `wait` come back, from another thread."""
        self._woken.set()

    def close(self) -> None:
        """Watch no more."""
        self._notify.close()

    def _take(self, change: Change, whole: bytes) -> None:
        rel = os.path.relpath(whole, self._root)
        if rel.startswith(b"..") or (whole + b"/").startswith(self._excluded):
            return
        if rel != b"." and has_skipped_part(rel):
            return
        is_media = kind_of(text_of(rel)) is not None or is_sidecar(text_of(rel))
        try:
            is_folder = stat.S_ISDIR(os.lstat(whole).st_mode)
        except OSError:
            is_folder = not is_media  # gone: a folder, unless its name is a file's
        if is_folder:
            if rel != b"." and change is not Change.modified:
                self._pending.tree(rel)
        elif is_media:
            self._pending.file(rel, written=False)
