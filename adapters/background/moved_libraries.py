"""Which library, whose own folder is gone, a folder holds: one that was moved while nobody looked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from adapters.files.walk import FoundFile, kind_of, walk
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import Unavailable
from domain.base.paths import bytes_of, name_of
from domain.events.library import Library, LibraryRelocated

MOVED_SHARE: Final = 0.9
"""From which share of a library's files on, by name and size, a folder is that library, moved."""
_ROWS_OF_HISTORY: Final = 200


class FormerLibrary(msgspec.Struct, frozen=True):
    """A library whose folder is gone, with how many of its files there are, and how many of them, by name and size,
    stand in another folder; `taken_back` says that it was moved there before, and somebody undid that."""

    library: Library
    files: int
    here: int
    taken_back: bool

    @property
    def is_moved(self) -> bool:
        """Whether the folder is that library, beyond doubt."""
        return not self.taken_back and self.here >= MOVED_SHARE * self.files

    def in_words(self, root: str) -> str:
        """What was found in the folder `root`."""
        return (
            f"{root} holds {self.here} of the {self.files} files of the library {self.library.name}, whose folder "
            f"{self.library.root} is gone"
        )


def former_library(ledger: Ledger, root: str, excluded: Iterable[Path] = ()) -> FormerLibrary | None:
    """The library whose folder is gone and of which most stands in the folder `root`; None where nothing of any does.

    Only where there is a library whose folder is gone is the new folder looked at. Blocking.

    Raises:
        Unavailable: the folder cannot be listed.
    """
    gone = _gone(ledger, root)
    if not gone:
        return None
    here = Counter(
        (name_of(entry.path), entry.size)
        for entry in walk(bytes_of(root), excluded)
        if isinstance(entry, FoundFile) and kind_of(entry.path) is not None
    )
    found = []
    for library, files in gone:
        known = Counter((name_of(path), size) for path, size in files)
        shared = (known & here).total()
        if shared:
            found.append((shared / len(files), library, len(files), shared))
    if not found:
        return None
    _, library, files_, shared = max(found, key=lambda each: each[0])
    return FormerLibrary(library, files_, shared, _was_taken_back(ledger, library, root))


def is_gone(ledger: Ledger, library: Library) -> bool:
    """Whether none of the files that are known of a library stands in its folder; a library without any is not gone."""
    with ledger.reading(WATCHER) as tables:
        files = tables.media.standing(library.id)
    return bool(files) and not _any_stands(library, files)


def _gone(ledger: Ledger, root: str) -> list[tuple[Library, list[tuple[str, int]]]]:
    found = []
    with ledger.reading(WATCHER) as tables:
        for library in tables.libraries.shown():
            if library.root == root:
                continue
            files = tables.media.standing(library.id)
            if files and not _any_stands(library, files):
                found.append((library, files))
    return found


def _any_stands(library: Library, files: Iterable[tuple[str, int]]) -> bool:
    root = bytes_of(library.root)
    try:
        os.scandir(root).close()
    except OSError:
        return False
    return any(os.path.lexists(os.path.join(root, bytes_of(path))) for path, _ in files)


def _was_taken_back(ledger: Ledger, library: Library, root: str) -> bool:
    """Whether the library was moved to this folder, and that was undone."""
    past = ledger.history([f"library-{library.id}"], _ROWS_OF_HISTORY)
    moves = [each for each in past if isinstance(each.event, LibraryRelocated) and each.event.root == root]
    if not moves:
        return False
    with ledger.reading(WATCHER) as tables:
        operations = tables.operations.these([each.operation_id for each in moves])
    return any(operation.undone_by is not None for operation in operations)


def waits(ledger: Ledger, library: Library, excluded: Iterable[Path] = ()) -> FormerLibrary | None:
    """What a library that never held a file may be, so that nobody scans it before somebody says which it is."""
    with ledger.reading(WATCHER) as tables:
        if tables.media.has_any(library.id):
            return None
    try:
        return former_library(ledger, library.root, excluded)
    except Unavailable:
        return None  # the scan says so
