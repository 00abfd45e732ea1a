"""Whether a file still stands where it was, by the very name that it had, and what left its place for another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from domain.base.actor import WATCHER
from domain.base.paths import bytes_of
from domain.commands.media import ReadFile
from projections.queries.reading import Ledger


def answers(root: str) -> bool:
    """Whether a library's folder (its path text) is there with something in it: an empty one may be an unmounted
    disk's, of which nothing may be concluded."""
    try:
        with os.scandir(bytes_of(root)) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


class Standing:
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


def left_elsewhere(ledger: Ledger, library_id: int, batch: Sequence[ReadFile], vanished: AbstractSet[int]) -> set[int]:
    """The ids of files with the same bytes as new ones of a library that are gone from where its scan does not look, be
    it another library: the new ones are those, moved. Those that `vanished` are known already."""
    with ledger.reading(WATCHER) as tables:
        known = tables.media.at_each(library_id, [read.path for read in batch])
        new = {read.content_hash for read in batch if read.content_hash is not None and read.path not in known}
        others = [media for media in tables.media.of_contents(new) if media.present]
        libraries = {library.id: library for library in tables.libraries.shown()} if others else {}
    gone: set[int] = set()
    for id_, library in libraries.items():
        held = [media for media in others if media.library_id == id_ and media.id not in vanished]
        if held and answers(library.root):
            standing = Standing(library.root)
            gone.update(media.id for media in held if not standing.has(media.path))
    return gone
