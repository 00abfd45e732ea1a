"""Where RAW files keep the JPEGs that their cameras made, and how large the photo is that they hold.

Each format has places of its own: directories of TIFF (ARW, NEF, CR2, DNG, PEF, SRW and most others), a header (RAF), a
tag (RW2), boxes and a track (CR3). What lies in a maker's note (ORF, older NEF, PEF and SRW) is found by its first
bytes. A place is believed only where a JPEG begins that a picture can be made of: sensor readings are JPEGs too in CR2
and DNG, of a kind that no viewer shows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from adapters.media.boxes import IsoBox, boxes, first_sample, within
from adapters.media.magic import holds_sensor_readings
from adapters.media.tiff import Directory, Tiff

ENOUGH: Final = 1024
"""Pixels of the long side of an embedded picture from which no better one is looked for. Older cameras keep nothing
between 160 and the whole; their sensors' readings give more than that."""
LEAST: Final = 128
"""Pixels of the long side below which an embedded picture is not taken for the photo: 160 x 120 is what EXIF has."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 0x0100, 0x0101, 0x0102, 0x0103
_STRIP, _STRIP_LENGTH, _TILE, _TILE_LENGTH = 0x0111, 0x0117, 0x0144, 0x0145
_JPEG, _JPEG_LENGTH = 0x0201, 0x0202
_POINTERS: Final = ((_JPEG, _JPEG_LENGTH), (_STRIP, _STRIP_LENGTH), (_TILE, _TILE_LENGTH))
_PANASONIC_JPEGS: Final = (0x002E, 0x0127)
"""JpgFromRaw and JpgFromRaw2 of the directory of a RW2, where lower tags tell of the sensor."""
_PANASONIC_BORDERS: Final = (0x0004, 0x0005, 0x0006, 0x0007)
"""First row and column of the picture on the sensor, and the row and column after its last."""
_UUID: Final = 16
"""Bytes of the name with which a box of Canon's own begins."""
_SOI: Final = b"\xff\xd8\xff"
_SHOWN_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive: the frames that decoders show. 0xC3 is lossless, the sensor's (ITU-T T.81)."""
_OTHER_FRAMES: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_MOST_SEGMENTS: Final = 256
_LEAST_BITS: Final = 0.5
"""Bits a reading: cameras that leave out most keep three, a lossy DNG more than one."""
_MOST_STARTS: Final = 2000
"""Places that look like the beginning of a JPEG: of random bytes, one in 16 MB."""


class EmbeddedJpeg(NamedTuple):
    """A JPEG in a file: where it begins, its bytes, its stored pixels."""

    at: int
    length: int
    width: int
    height: int


def embedded_jpegs(content: bytes, format_name: str) -> list[EmbeddedJpeg]:
    """The pictures that a RAW file holds as JPEGs of at least `LEAST` pixels, the largest first. Decodes nothing.

    The whole file is searched only where its format's own places hold none that is `ENOUGH`.
    """
    found = _those_at(content, embedded_places(content, format_name))
    if not any(max(each.width, each.height) >= ENOUGH for each in found):
        met = {each.at for each in found}
        found += [each for each in _those_at(content, _starts(content)) if each.at not in met]
    return sorted(found, key=lambda each: (-each.width * each.height, each.at))


def sensor_size(content: bytes, format_name: str) -> tuple[int, int] | None:
    """Width and height, as stored, of the photo that the sensor's readings give; None where no directory says."""
    sizes = []
    tiff = Tiff(content)
    for directory in tiff.directories() if content[:2] in (b"II", b"MM") else ():
        if format_name == "rw2":
            top, left, bottom, right = (tiff.number(directory, tag) or 0 for tag in _PANASONIC_BORDERS)
            size = right - left, bottom - top
        elif format_name == "orf" or holds_sensor_readings(tiff, directory):
            size = tiff.number(directory, _WIDTH) or 0, tiff.number(directory, _HEIGHT) or 0
        else:
            continue
        if min(size) > 0:
            sizes.append(size)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def has_readings(content: bytes, readings: int) -> bool:
    """Whether a file holds what a sensor of so many `readings` saw: enough bytes, and all of those that its directories
    tell of. Without them a developer makes noise of whatever stands in their place."""
    if 8 * len(content) < _LEAST_BITS * readings:
        return False
    tiff = Tiff(content)
    directories = tiff.directories() if content[:2] in (b"II", b"MM") else ()
    return all(_are_there(content, tiff, each) for each in directories if holds_sensor_readings(tiff, each))


def _are_there(content: bytes, tiff: Tiff, directory: Directory) -> bool:
    """Whether the strips or tiles of a sensor's directory lie in the file, and are not too few for its pixels."""
    area = (tiff.number(directory, _WIDTH) or 0) * (tiff.number(directory, _HEIGHT) or 0)
    least = (tiff.number(directory, _BITS) or 0) / 2 if tiff.number(directory, _COMPRESSION) == 1 else _LEAST_BITS
    for place, size in ((_STRIP, _STRIP_LENGTH), (_TILE, _TILE_LENGTH)):
        starts, lengths = tiff.numbers(directory, place), tiff.numbers(directory, size)
        if any(at + length > len(content) for at, length in zip(starts, lengths, strict=False)):
            return False
        if lengths and 8 * sum(lengths) * directory.entries[size].values / len(lengths) < least * area:
            return False
    return True


def canon_blocks(content: bytes) -> dict[bytes, bytes]:
    """The directories of a CR3 by the names of their boxes: each is a TIFF (CMT1: main, CMT2: EXIF, CMT4: GPS)."""
    found: dict[bytes, bytes] = {}
    for moov in boxes(content):
        for part in within(content, moov, [b"uuid"]) if moov.kind == b"moov" else ():
            for box in boxes(content, part.at + _UUID, part.end):
                if box.kind in (b"CMT1", b"CMT2", b"CMT4"):
                    found.setdefault(box.kind, content[box.at : box.end])
    return found


def embedded_places(content: bytes, format_name: str) -> Iterator[tuple[int, int]]:
    """Where a format's rules say that JPEGs are: place and number of bytes, neither of them checked."""
    if format_name == "raf":
        if len(content) >= 92:
            yield struct.unpack_from(">II", content, 84)
    elif format_name == "cr3":
        yield from _canon_places(content)
    elif content[:2] in (b"II", b"MM"):
        tiff = Tiff(content)
        for directory in tiff.directories():
            yield from _directory_places(tiff, directory, format_name)


def _directory_places(tiff: Tiff, directory: Directory, format_name: str) -> Iterator[tuple[int, int]]:
    for at, length in _POINTERS:
        starts, lengths = tiff.numbers(directory, at), tiff.numbers(directory, length)
        if len(starts) == len(lengths) == 1:  # in pieces, each of them is a picture of its own
            yield starts[0], lengths[0]
    for tag in _PANASONIC_JPEGS if format_name == "rw2" else ():
        if entry := directory.entries.get(tag):
            yield entry.at, entry.values


def _canon_places(content: bytes) -> Iterator[tuple[int, int]]:
    """The thumbnail and preview boxes of a CR3, and the first sample of each of its tracks, one of which is a JPEG."""
    for box in boxes(content):
        if box.kind == b"uuid":
            for preview in within(content, box, [b"PRVW"], skip=_UUID + 8):
                yield _after_header(content, preview)
        if box.kind == b"moov":
            for part in within(content, box, [b"uuid"]):
                for thumbnail in within(content, part, [b"THMB"], skip=_UUID):
                    yield _after_header(content, thumbnail)
            for table in within(content, box, [b"trak", b"mdia", b"minf", b"stbl"]):
                if (sample := first_sample(content, table)) is not None:
                    yield sample


def _after_header(content: bytes, box: IsoBox) -> tuple[int, int]:
    """The JPEG of a box whose header grew by a few bytes with the years; nothing where there is none."""
    start = content.find(_SOI, box.at, min(box.at + 32, box.end))
    return (start, box.end - start) if start >= 0 else (0, 0)


def _those_at(content: bytes, places: Iterator[tuple[int, int]]) -> list[EmbeddedJpeg]:
    found: dict[int, EmbeddedJpeg] = {}
    for at, length in places:
        size = _shown_size(content, at, min(at + length, len(content))) if at > 0 and length > 0 else None
        if size is not None and max(size) >= LEAST:
            found.setdefault(at, EmbeddedJpeg(at, min(length, len(content) - at), *size))
    return list(found.values())


def _starts(content: bytes) -> Iterator[tuple[int, int]]:
    """Every place in a file where a JPEG seems to begin, up to the end of its pixels."""
    at = 0
    for _ in range(_MOST_STARTS):
        at = content.find(_SOI, at + 1)
        if at < 0:
            return
        pixels = content.find(b"\xff\xda", at)
        end = content.find(b"\xff\xd9", pixels) if pixels >= 0 else -1  # within pixels 0xFF is followed by a zero
        yield at, (len(content) if end < 0 else end + 2) - at


def _shown_size(content: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Width and height of the JPEG at a place, from its frame header; None where none is there that can be shown."""
    if content[at : at + 3] != _SOI:
        return None
    at += 2
    for _ in range(_MOST_SEGMENTS):
        if at + 10 > end or content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker in _OTHER_FRAMES or marker in (0xD9, 0xDA):
            return None
        if marker in _SHOWN_FRAMES:
            precision, height, width = struct.unpack_from(">BHH", content, at + 4)
            return (width, height) if precision == 8 and width and height else None
        at += 1 if marker == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None
