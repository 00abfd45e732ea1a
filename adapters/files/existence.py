"""Whether a file still stands where it was, by the very name that it had, and what left its place for another."""

from __future__ import annotations

import os

from domain.base.paths import bytes_of


def answers(root: str) -> bool:
    """Whether a library's folder (its path text) is there with something in it: an empty one may be an unmounted
    disk's, of which nothing may be concluded."""
    try:
        with os.scandir(bytes_of(root)) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


class ExistingFiles:
    """Looks below one root (a path text); it remembers the folders that it listed, so make a new one for each question
    about many files."""

    MOST_FOLDERS = 1000

    def __init__(self, root: str) -> None:
        self._root = bytes_of(root)
        self._listed: dict[bytes, frozenset[bytes]] = {}

    def has(self, path: str) -> bool:
        """Whether something stands at a path text below the root.

        Where a file system takes `IMG.JPG` and `img.jpg` for one file, only the name that it lists counts: a file of
        which just the case was changed has left its old place.
        """
        name = bytes_of(path)
        if not os.path.lexists(os.path.join(self._root, name)):
            return False
        folder = self._root
        for part in name.split(b"/"):
            if part not in self._names(folder):
                return False
            folder = os.path.join(folder, part)
        return True

    def _names(self, folder: bytes) -> frozenset[bytes]:
        names = self._listed.get(folder)
        if names is None:
            if len(self._listed) >= self.MOST_FOLDERS:
                self._listed.clear()
            try:
                names = frozenset(os.listdir(folder))
            except OSError:
                names = frozenset()
            self._listed[folder] = names
        return names
