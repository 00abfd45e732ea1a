"""Which files and folders are no part of any library, and skipped wherever one is walked, watched or reached into.

Skipped are names that are hidden or a system's own (`is_skipped`), the server's own folders, and links that lead out of
the library or to something skipped (`Fence`). Of what is left a scan takes the photos and videos, by their extensions
(`walk.kind_of`); `EXCLUDED_DIRS` hides folders from memories alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_SKIPPED: Final = re.compile(
    rb"""\..*                          # hidden: ._ of macOS, .thumbnails, .Trash-1000, .@__thumb of QNAP
      | @eaDir | \#recycle | \#snapshot   # Synology: thumbnails, deleted files, snapshots
      | @Recycle | @Recently-Snapshot     # QNAP
      | \$RECYCLE\.BIN | System\ Volume\ Information | lost\+found""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def is_skipped(name: bytes) -> bool:
    """Whether a file or folder of this name is no part of any library: hidden, or a system's own folder."""
    return _SKIPPED.fullmatch(name) is not None


def has_skipped_part(path: bytes) -> bool:
    """Whether any part of a path below a library's root is skipped by its name, and so the whole."""
    return any(is_skipped(part) for part in path.split(b"/"))


class Fence:
    """What belongs to a library: all that is below its real root and not below an excluded folder."""

    def __init__(self, root: bytes, excluded: Iterable[Path | bytes]) -> None:
        self.excluded = frozenset(os.path.realpath(os.fsencode(folder)) for folder in excluded)
        self._inside = root.rstrip(b"/") + b"/"
        self._outside = tuple(folder.rstrip(b"/") + b"/" for folder in self.excluded)

    def excludes(self, folder: bytes) -> bool:
        """Whether a folder is, or lies in, one that is excluded."""
        return folder in self.excluded or folder.startswith(self._outside)

    def target_of(self, link: bytes) -> os.stat_result | None:
        """The facts of what a link leads to, where that lies in the library."""
        target = os.path.realpath(link)
        if not target.startswith(self._inside) or target.startswith(self._outside):
            return None
        if has_skipped_part(target[len(self._inside) :]):
            return None
        try:
            return os.stat(target, follow_symlinks=False)
        except OSError:
            return None  # it leads nowhere, or round in a circle: there is no file to report
