"""The directories of a TIFF and of what is built like one, read from a stranger's bytes.

Nothing is believed that would leave the file: an offset or a count too many ends the reading of that entry, and what
was read until then stands. Directories that lead in a circle are met once, and there is a number that is enough.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

MOST_DIRECTORIES: Final = 32
"""More than any camera writes; a scanned book has more pages, and no RAW among them."""
_MOST_ENTRIES: Final = 4096
_MOST_VALUES: Final = 64
_SUB_DIRECTORIES: Final = 0x014A
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value of each field type (TIFF 6.0, section 2; 13 is the supplement's IFD)."""
_UNSIGNED: Final = {1: "B", 3: "H", 4: "I", 13: "I"}


class TiffEntry(NamedTuple):
    """One field: its type, how many values it has, and where in the content the first of them lies."""

    kind: int
    values: int
    at: int


class Directory(msgspec.Struct, frozen=True):
    """The fields of one directory by their tags, and where the following one begins (0: nowhere)."""

    entries: dict[int, TiffEntry]
    following: int


class Tiff:
    """A TIFF in `content`; all offsets in it count from `start`."""

    def __init__(self, content: bytes, start: int = 0) -> None:
        self._content = content
        self._start = start
        self._order = "<" if content[start : start + 2] == b"II" else ">"

    def directories(self) -> Iterator[Directory]:
        """Every directory, the first one first, each followed by those that it leads to."""
        if not self._holds(self._start, 8):
            return
        waiting = [self._integers("I", self._start + 4, 1)[0]]
        met: set[int] = set()
        while waiting and len(met) < MOST_DIRECTORIES:
            at = waiting.pop(0)
            directory = None if at in met else self.directory(at)
            met.add(at)
            if directory is not None:
                yield directory
                waiting += [directory.following, *self.numbers(directory, _SUB_DIRECTORIES)]

    def directory(self, offset: int) -> Directory | None:
        """The directory at an offset; None where none fits there."""
        at = self._start + offset
        if offset < 8 or not self._holds(at, 2):
            return None
        (count,) = self._integers("H", at, 1)
        end = at + 2 + 12 * count
        if count > _MOST_ENTRIES or not self._holds(at, 2 + 12 * count):
            return None
        entries = {}
        for place in range(at + 2, end, 12):
            tag, kind, values = struct.unpack_from(self._order + "HHI", self._content, place)
            length = values * _SIZES.get(kind, 1)
            entries[tag] = TiffEntry(kind, values, place + 8 if length <= 4 else self._start + self._pointer(place + 8))
        return Directory(entries, self._pointer(end) if self._holds(end, 4) else 0)

    def numbers(self, directory: Directory, tag: int, most: int = _MOST_VALUES) -> tuple[int, ...]:
        """The whole numbers of a field, at most so many of them; none where it holds something else."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _UNSIGNED:
            return ()
        count = min(entry.values, most)
        if not self._holds(entry.at, count * _SIZES[entry.kind]):
            return ()
        return self._integers(_UNSIGNED[entry.kind], entry.at, count)

    def number(self, directory: Directory, tag: int) -> int | None:
        """The only, or the first, whole number of a field."""
        numbers = self.numbers(directory, tag)
        return numbers[0] if numbers else None

    def text(self, directory: Directory, tag: int) -> bytes:
        """The first 64 bytes of a field; empty where it is missing."""
        entry = directory.entries.get(tag)
        return b"" if entry is None else self._content[entry.at : entry.at + min(entry.values, 64)]

    def content_of(self, directory: Directory, tag: int) -> bytes:
        """The bytes of a field as they lie in the file; empty where it is missing or reaches beyond."""
        entry = directory.entries.get(tag)
        length = 0 if entry is None else entry.values * _SIZES.get(entry.kind, 1)
        if entry is None or not self._holds(entry.at, length):
            return b""
        return self._content[entry.at : entry.at + length]

    def _pointer(self, at: int) -> int:
        return self._integers("I", at, 1)[0]

    def _integers(self, kind: str, at: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"{self._order}{count}{kind}", self._content, at)

    def _holds(self, at: int, length: int) -> bool:
        return at + length <= len(self._content)
