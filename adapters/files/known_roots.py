"""Which folder stood at the root of each library when it was last looked at whole: another one may be another disk."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

from domain.base.paths import bytes_of
from domain.events.library import Library

log = logging.getLogger(__name__)

Mark = tuple[int, int]
"""The device and inode of a folder, as stat(2) has them."""


class KnownRoots:
    """The marks of the libraries' folders, in a small file that can be lost without harm; thread-safe.

    They hold for this machine alone, and so stand beside the log and not in it.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Without a `path` they are kept in memory."""
        self._path = path
        self._lock = threading.Lock()
        self._marks: dict[str, list[Any]] | None = None

    def is_another(self, library: Library) -> bool:
        """Whether another folder stands at the root of a library than did; False where that is not known."""
        with self._lock:
            known = self._read().get(str(library.id))
        return known is not None and known[0] == library.root and tuple(known[1:]) != mark_of(library.root)

    def remember(self, library: Library) -> None:
        """The folder that stands there now is the library's."""
        mark = mark_of(library.root)
        if mark is None:
            return
        row = [library.root, *mark]
        with self._lock:
            marks = self._read()
            if marks.get(str(library.id)) != row:
                marks[str(library.id)] = row
                self._write(marks)

    def _read(self) -> dict[str, list[Any]]:
        if self._marks is None:
            self._marks = {} if self._path is None else _stored(self._path)
        return self._marks

    def _write(self, marks: dict[str, list[Any]]) -> None:
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        try:
            new.write_text(json.dumps(marks), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            log.warning("cannot write %s: %s", self._path, error.strerror)


def mark_of(root: str) -> Mark | None:
    """The mark of the folder at a root (a path text), None where it cannot be reached."""
    try:
        about = os.stat(bytes_of(root))
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _stored(path: Path) -> dict[str, list[Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: row for key, row in found.items() if isinstance(row, list) and len(row) == 3}
