"""Files whose names end in nothing that a library takes: those that are pictures or videos all the same are told of.

Of each such file 32 bytes are read, once for each size and time of its last change; what they said is kept in a side
file, which may go at any time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from adapters.files.walk import FoundFile, is_shared_name
from adapters.side_files.side_file import SideFile
from domain.base.paths import bytes_of, name_of

HEAD_BYTES: Final = 32
_PACKETS_BYTES: Final = 1024
"""What is read where a name is also one of other programs' files: enough to see packets follow one another."""
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS looked (
  library INTEGER NOT NULL, folder TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  format TEXT, PRIMARY KEY (library, folder, path)
) WITHOUT ROWID;
"""
_Facts = tuple[int, int]
"""Bytes, and nanoseconds since 1970."""


class UnknownFiles:
    """What files of unknown names are; thread-safe."""

    def __init__(self, format_of: Callable[[bytes], str | None], file: Path | None = None) -> None:
        """`format_of` names the format of a picture or video from its first bytes; without `file` nothing is kept."""
        self._format_of = format_of
        self._file = None if file is None else SideFile(file, _SCHEMA, _FORMAT)

    def formats(self, library: int, root: bytes, folder: str, files: Sequence[FoundFile]) -> Mapping[str, str]:
        """The formats of those among all files of unknown names in a folder that are pictures or videos, by path."""
        known = self._kept(library, folder)
        looked: dict[str, tuple[_Facts, str | None]] = {}
        for file in files:
            facts = (file.size, file.mtime_ns)
            before = known.get(file.path)
            if before is not None and before[0] == facts:
                looked[file.path] = before
            elif (head := _head(os.path.join(root, bytes_of(file.path)), file.path)) is not None:
                looked[file.path] = facts, self._format_of(head)
        if looked != known:
            self._keep(library, folder, looked)
        return {path: name for path, (_, name) in looked.items() if name is not None}

    def close(self) -> None:
        """Close the side file."""
        if self._file is not None:
            self._file.close()

    def _kept(self, library: int, folder: str) -> dict[str, tuple[_Facts, str | None]]:
        def read(book: sqlite3.Connection) -> dict[str, tuple[_Facts, str | None]]:
            statement = "SELECT path, size, mtime_ns, format FROM looked WHERE library = ? AND folder = ?"
            return {path: ((size, at), name) for path, size, at, name in book.execute(statement, (library, folder))}

        try:
            return {} if self._file is None else self._file.transact(read)
        except sqlite3.Error:
            return {}  # then they are looked at once more

    def _keep(self, library: int, folder: str, looked: Mapping[str, tuple[_Facts, str | None]]) -> None:
        def write(book: sqlite3.Connection) -> None:
            book.execute("DELETE FROM looked WHERE library = ? AND folder = ?", (library, folder))
            rows = [(library, folder, path, *facts, name) for path, (facts, name) in looked.items()]
            book.executemany("INSERT INTO looked VALUES (?, ?, ?, ?, ?, ?)", rows)

        if self._file is not None:
            try:
                self._file.transact(write)
            except sqlite3.Error:
                return


def reason_of_name(path: str, format_name: str) -> str:
    """Why a picture or video of an unknown name is not taken, and what to do."""
    _, dot, extension = name_of(path).rpartition(".")
    ending = f"ends in .{extension}, which imageapi does not look for" if dot else "has no extension"
    return f"it is {format_name} inside, but its name {ending}: rename it to be shown"


def _head(path: bytes, text: str) -> bytes | None:
    """The first bytes of a file; None where it cannot be read now."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return None
    try:
        return os.read(descriptor, _PACKETS_BYTES if is_shared_name(text) else HEAD_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
