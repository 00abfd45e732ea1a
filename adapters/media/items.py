"""The items of a HEIF file that are no pictures, EXIF and XMP, found by its directory (ISO 14496-12, 8.11)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from adapters.media.boxes import IsoBox, boxes

_MOST_ITEMS: Final = 4096
_MOST_BYTES: Final = 16 * 2**20
"""Of one item: EXIF and XMP are some kilobytes, histories of edits some megabytes."""


class _Extents(NamedTuple):
    """Where the bytes of an item lie: places and lengths, in the file or else in the box `idat`."""

    places: list[tuple[int, int]]
    in_file: bool


def items_of_meta(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and bytes of each item with EXIF or XMP; nothing where the directory is broken."""
    meta = next((box for box in boxes(content) if box.kind == b"meta"), None)
    if meta is None:
        return
    inside = {box.kind: box for box in boxes(content, meta.at + 4, meta.end)}
    try:
        wanted = _wanted(content, inside[b"iinf"])
        extents = _extents(content, inside[b"iloc"])
    except (KeyError, IndexError, struct.error):
        return
    idat = inside.get(b"idat")
    for item, kind in wanted.items():
        if item in extents:
            places, in_file = extents[item]
            start = 0 if in_file else (idat.at if idat is not None else len(content))
            yield kind, b"".join(content[start + at : start + at + length] for at, length in places)


def _wanted(content: bytes, iinf: IsoBox) -> dict[int, bytes]:
    """The kinds of the wanted items by their numbers."""
    found: dict[int, bytes] = {}
    first = iinf.at + (6 if content[iinf.at] == 0 else 8)
    for box in boxes(content, first, iinf.end):
        if box.kind != b"infe" or content[box.at] < 2:
            continue
        size = 2 if content[box.at] == 2 else 4
        number = int.from_bytes(content[box.at + 4 : box.at + 4 + size], "big")
        kind = content[box.at + 6 + size : box.at + 10 + size]
        if kind == b"Exif" or (kind == b"mime" and b"application/rdf+xml" in content[box.at : box.end]):
            found[number] = kind
    return found


def _extents(content: bytes, iloc: IsoBox) -> dict[int, _Extents]:
    """The places of all items by their numbers."""
    version, at = content[iloc.at], iloc.at + 4
    sizes = content[at] >> 4, content[at] & 15, content[at + 1] >> 4, content[at + 1] & 15 if version else 0
    at += 2
    wide = 4 if version == 2 else 2

    def number(size: int) -> int:
        nonlocal at
        if at + size > iloc.end:
            raise IndexError
        at += size
        return int.from_bytes(content[at - size : at], "big")

    found: dict[int, _Extents] = {}
    for _ in range(min(number(wide), _MOST_ITEMS)):
        item = number(wide)
        way = number(2) & 15 if version else 0
        number(2)
        base = number(sizes[2])
        places, left = [], _MOST_BYTES
        for _ in range(number(2)):
            number(sizes[3])
            place, length = base + number(sizes[0]), number(sizes[1])
            left -= length
            if left >= 0:
                places.append((place, length))
        if way in (0, 1):
            found[item] = _Extents(places, way == 0)
    return found
