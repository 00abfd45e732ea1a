"""The boxes of ISO base media files (ISO 14496-12), read from a stranger's bytes; CR3 is built of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

import brotli  # type: ignore[import-untyped]  # it brings no types

_LARGEST_UNPACKED: Final = 16 * 2**20
"""Bytes that are taken of a packed box."""
_MOST_BOXES: Final = 1024
"""Boxes beside one another: a film of many parts has more, a photo has not."""


class IsoBox(NamedTuple):
    """One box: its four letters, where its content begins and where it ends."""

    kind: bytes
    at: int
    end: int


def boxes(content: bytes, at: int = 0, end: int | None = None) -> Iterator[IsoBox]:
    """The boxes that lie one after the other between two places; a broken one ends the row."""
    end = len(content) if end is None else min(end, len(content))
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        length, start = int.from_bytes(content[at : at + 4], "big"), at + 8
        if length == 1:  # sixty-four bits follow
            length, start = int.from_bytes(content[at + 8 : at + 16], "big"), at + 16
        elif length == 0:
            length = end - at
        if length < start - at or at + length > end:
            return
        yield IsoBox(content[at + 4 : at + 8], start, at + length)
        at += length


def told_in(content: bytes, box: IsoBox, kinds: Collection[bytes]) -> tuple[bytes, bytes] | None:
    """The kind and the bytes of a box of one of these kinds, also where a JPEG XL holds them packed (`brob`, ISO
    18181-2, 9.2); None for another box, and for one that cannot be unpacked."""
    if box.kind in kinds:
        return box.kind, content[box.at : box.end]
    kind = content[box.at : box.at + 4]
    if box.kind != b"brob" or kind not in kinds:
        return None
    try:
        packed = content[box.at + 4 : box.end]
        return kind, brotli.Decompressor().process(packed, output_buffer_limit=_LARGEST_UNPACKED)
    except brotli.error:
        return None


def within(content: bytes, box: IsoBox, path: Sequence[bytes], *, skip: int = 0) -> Iterator[IsoBox]:
    """The boxes that a path of kinds leads to from a box, whose first `skip` bytes are a header of its own."""
    for each in boxes(content, box.at + skip, box.end):
        if each.kind == path[0]:
            if len(path) == 1:
                yield each
            else:
                yield from within(content, each, path[1:])


def first_sample(content: bytes, table: IsoBox) -> tuple[int, int] | None:
    """Place and bytes of the first sample of a track, from its sample table (`stbl`)."""
    length = at = 0
    for box in boxes(content, table.at, table.end):
        if box.kind == b"stsz" and box.end - box.at >= 12:
            every = int.from_bytes(content[box.at + 4 : box.at + 8], "big")
            length = every or int.from_bytes(content[box.at + 12 : box.at + 16], "big")
        elif box.kind in (b"co64", b"stco") and box.end - box.at >= 8:
            size = 8 if box.kind == b"co64" else 4
            at = int.from_bytes(content[box.at + 8 : box.at + 8 + size], "big")
    return (at, length) if at and length else None
