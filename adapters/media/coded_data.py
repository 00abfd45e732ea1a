"""The hash of the coded picture of a file without what is written about it: equal before and after somebody rated,
titled or dated the photo, as long as no pixel was coded anew.

Only the parts that a decoder makes pixels of are hashed, in their order: the frames and scans of a JPEG, the image data
of PNG, WebP, TIFF (and the RAW files built like it), HEIF, AVIF, JPEG XL and JPEG 2000, the media data of MP4 and
QuickTime. Bytes of strangers are walked: an offset too many ends the walk, and then there is no hash.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from adapters.media.tiff import Tiff

_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The end of a run of entropy-coded data (ITU-T T.81, B.1.1.2 and B.1.1.5)."""
_PNG_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT"})
_WEBP_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_TIFF_DATA: Final = ((0x0111, 0x0117), (0x0144, 0x0145), (0x0201, 0x0202))
"""Where strips, tiles and JPEGs lie and how long they are (TIFF 6.0)."""
_MOST_STRIPS: Final = 1 << 16
_WORDS: Final = frozenset({b"Exif", b"mime", b"uri "})
"""Item types of HEIF that are no picture (ISO/IEC 23008-12)."""
_SAMPLE: Final = 64 * 1024
_SAMPLES: Final = 32
"""Of the media data of a video, which may have gigabytes, so many pieces at equal distances are hashed."""
_MOST_BOXES: Final = 4096


class _Broken(Exception):
    """The file is not built as its format says."""


def picture_hash(content: bytes, format_name: str) -> str | None:
    """The SHA-256 in hexadecimal of the coded picture of a photo in a format of `magic`; None where the format is not
    known here, or the file is not built like it."""
    walk = _WALKS.get(format_name)
    if walk is None:
        walk = _tiff if content[:4] in {b"II*\0", b"MM\0*"} else None
    if walk is None:
        return None
    digest, length = hashlib.sha256(), 0
    try:
        for part in walk(content):
            digest.update(part)
            length += len(part)
    except (_Broken, struct.error, IndexError):
        return None
    return digest.hexdigest() if length else None


def film_hash(file: BinaryIO) -> str | None:
    """The SHA-256 in hexadecimal of samples of the media data of an MP4 or QuickTime; None of anything else."""
    size = file.seek(0, 2)
    digest, found = hashlib.sha256(), False
    try:
        for name, start, end in _top_boxes(file, size):
            if name == b"mdat":
                found = True
                digest.update(struct.pack(">Q", end - start))
                for at in range(start, end, max(_SAMPLE, (end - start) // _SAMPLES)):
                    file.seek(at)
                    digest.update(file.read(min(_SAMPLE, end - at)))
    except (_Broken, struct.error, IndexError):
        return None
    return digest.hexdigest() if found else None


def _jpeg(content: bytes) -> Iterator[bytes]:
    at = 2
    while True:
        if content[at : at + 1] != b"\xff":
            raise _Broken
        marker = content[at + 1]
        if marker == 0xD9:
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2:
            raise _Broken
        end = at + 2 + length
        if marker == 0xDA:
            following = _MARKER.search(content, end)
            end = following.start() if following else len(content)
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            yield content[at:end]
        if end >= len(content):
            return  # cut off: what is there is hashed
        at = end


def _png(content: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] in _PNG_PIXELS:
            yield content[at + 4 : at + 8 + length]
        at += 12 + length


def _webp(content: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(content):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] in _WEBP_PIXELS:
            yield content[at : at + 8 + length]
        at += 8 + length + length % 2


def _tiff(content: bytes) -> Iterator[bytes]:
    tiff = Tiff(content)
    for directory in tiff.directories():
        for offsets, lengths in _TIFF_DATA:
            places = tiff.numbers(directory, offsets, _MOST_STRIPS)
            for at, length in zip(places, tiff.numbers(directory, lengths, _MOST_STRIPS), strict=False):
                yield content[at : at + length]


def _jxl(content: bytes) -> Iterator[bytes]:
    if content[:2] == b"\xff\x0a":
        yield content
        return
    for name, start, end in _boxes(content, 0, len(content)):
        if name in {b"jxlc", b"jxlp"}:
            yield content[start:end]


def _jp2(content: bytes) -> Iterator[bytes]:
    if content[:2] == b"\xff\x4f":
        yield content
        return
    for name, start, end in _boxes(content, 0, len(content)):
        if name == b"jp2c":
            yield content[start:end]


def _heif(content: bytes) -> Iterator[bytes]:
    """The data of every item that is no text (ISO/IEC 14496-12, 8.11)."""
    meta = next(((at, end) for name, at, end in _boxes(content, 0, len(content)) if name == b"meta"), None)
    if meta is None:
        raise _Broken
    inner = {name: (at, end) for name, at, end in _boxes(content, meta[0] + 4, meta[1])}
    if b"iinf" not in inner or b"iloc" not in inner:
        raise _Broken
    words = set(_items_of_words(content, *inner[b"iinf"]))
    data = inner.get(b"idat", (0, 0))[0]
    for item, method, extents in _extents(content, *inner[b"iloc"]):
        if item not in words and method in {0, 1}:
            for at, length in extents:
                begin = at + (data if method else 0)
                yield content[begin : begin + length]


def _items_of_words(content: bytes, at: int, end: int) -> Iterator[int]:
    version = content[at]
    for name, start, _ in _boxes(content, at + (6 if version == 0 else 8), end):
        if name == b"infe" and content[start] >= 2:
            wide = content[start] == 3
            item = int.from_bytes(content[start + 4 : start + (8 if wide else 6)], "big")
            kind = start + (10 if wide else 8)
            if content[kind : kind + 4] in _WORDS:
                yield item


def _extents(content: bytes, at: int, end: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Id, construction method and pieces of each item."""
    version, sizes = content[at], int.from_bytes(content[at + 4 : at + 6], "big")
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    id_size = 4 if version == 2 else 2
    place = at + 6

    def number(size: int) -> int:
        nonlocal place
        if place + size > end:
            raise _Broken
        value = int.from_bytes(content[place : place + size], "big")
        place += size
        return value

    for _ in range(number(id_size)):
        item = number(id_size)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        extents = []
        for _ in range(number(2)):
            number(index_size)
            offset = number(offset_size)
            extents.append((base + offset, number(length_size)))
        yield item, method, extents


def _boxes(content: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two places: name, and where their contents begin and end (ISO/IEC 14496-12, 4.2)."""
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, header = int.from_bytes(content[at : at + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        size = end - at if size == 0 else size
        if size < header or at + size > end:
            raise _Broken
        yield content[at + 4 : at + 8], at + header, at + size
        at += size


def _top_boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """The outermost boxes of a file, as `_boxes`; one that is longer than the file ends with it."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        length = size - at if length == 0 else length
        if length < header:
            raise _Broken
        yield head[4:8], at + header, min(at + length, size)
        at += length


_WALKS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "tiff": _tiff,
    "heic": _heif,
    "avif": _heif,
    "jxl": _jxl,
    "jp2": _jp2,
}
