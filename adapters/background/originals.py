"""The files of the libraries by where they lie, which no path leaves."""

from __future__ import annotations

from pathlib import Path

from adapters.files.confinement import open_below, resolve
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import NotFound
from domain.base.paths import bytes_of


class Originals:
    """Finds files by a library's id and the path text within it; both raise `NotFound` and `Unavailable`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def locate(self, library_id: int, path: str) -> Path:
        """The real path of a file."""
        return resolve(self._root(library_id), path)

    def open(self, library_id: int, path: str) -> int:
        """A descriptor of the file, open for reading without following a link out of the library; the caller closes
        it."""
        return open_below(self._root(library_id), path)

    def _root(self, library_id: int) -> bytes:
        with self._ledger.reading(WATCHER) as tables:
            library = tables.libraries.get(library_id)
        if library is None or library.removed:
            raise NotFound(f"there is no library {library_id}")
        return bytes_of(library.root)
