"""The short video that phones put into a photo's file, and the series that they say a photo is of.

Three makers' ways lead to the video, and none is believed before a video begins where it says: XMP that tells how many
bytes it has at the end of the file (Google's Motion Photo format 1.0, and MicroVideo before it), the box `mpvd` of a
HEIC (the same), and the directory at the end of Samsung's files. Numbers in a file are a stranger's: each is checked
against the bytes there are.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.parsers import expat

from adapters.media.boxes import boxes
from adapters.media.exif import clean_text

FORMATS: Final = frozenset({"jpeg", "heic", "avif"})
"""Photos in which phones put a video."""
MOST_BYTES: Final = 256 * 2**20
"""Bytes of a video that may be played out of a photo. They last some seconds."""
_LEAST_BYTES: Final = 32
_CHUNK: Final = 2**20
_PACKET, _PACKET_END, _MOST_PACKET = b"<x:xmpmeta", b"</x:xmpmeta>", 2 * 2**20
_MOST_ELEMENTS: Final = 20_000
_MOST_ITEMS: Final = 1000
_SAMSUNG_END, _SAMSUNG_HEAD, _SAMSUNG_NAME = b"SEFT", b"SEFH", b"MotionPhoto_Data"
_MOST_ENTRIES: Final = 256
_APPLE: Final = b"Apple iOS\0"
_APPLE_HEAD: Final = 14
_APPLE_BURST: Final = 0x000B
_ASCII: Final = 2
_LONGEST_ID: Final = 64


class Motion(NamedTuple):
    """Where a video begins in a photo's file, and its bytes."""

    at: int
    length: int


class PhoneXmp(NamedTuple):
    """What the XMP of a phone's photo says: the video's bytes from the end of the file and its length, both unchecked,
    and the series that the photo is of."""

    from_end: int | None = None
    length: int | None = None
    burst: str | None = None


def phone_xmp(content: bytes) -> PhoneXmp:
    """What the first packet of XMP in a photo says of a video and of a series; nothing where it is broken."""
    start = content.find(_PACKET)
    end = content.find(_PACKET_END, start, start + _MOST_PACKET) if start >= 0 else -1
    if end < 0:
        return PhoneXmp()
    packet = _Packet()
    try:
        packet.read(content[start : end + len(_PACKET_END)])
    except (expat.ExpatError, _Refused):
        return PhoneXmp()
    return packet.xmp()


def motion_of(content: bytes, xmp: PhoneXmp) -> Motion | None:
    """The video in the bytes of a photo, None where there is none."""
    for at, length in _places(content, xmp):
        if _LEAST_BYTES <= length <= MOST_BYTES and 0 < at <= len(content) - length and _is_video(content, at, length):
            return Motion(at, length)
    return None


def copy_motion(source: int, target: int, at: int, length: int) -> None:
    """Copy a part of one open file into another."""
    while length > 0 and (chunk := os.pread(source, min(length, _CHUNK), at)):
        written = os.write(target, chunk)
        at, length = at + written, length - written


def apple_burst(maker_note: object) -> str | None:
    """The series that Apple's maker note names (`BurstUUID`), which is a directory of TIFF after fourteen bytes."""
    if not isinstance(maker_note, bytes) or not maker_note.startswith(_APPLE):
        return None
    order = {b"MM": ">", b"II": "<"}.get(maker_note[_APPLE_HEAD - 2 : _APPLE_HEAD])
    if order is None or len(maker_note) < _APPLE_HEAD + 2:
        return None
    (entries,) = struct.unpack_from(f"{order}H", maker_note, _APPLE_HEAD)
    last = (len(maker_note) - _APPLE_HEAD - 2) // 12
    for number in range(min(entries, last)):
        tag, kind, count, at = struct.unpack_from(f"{order}HHII", maker_note, _APPLE_HEAD + 2 + 12 * number)
        if (tag, kind) == (_APPLE_BURST, _ASCII) and count > 4:  # up to four bytes would stand in the entry itself
            return _id(maker_note[at : at + min(count, _LONGEST_ID)])
    return None


def _places(content: bytes, xmp: PhoneXmp) -> Iterator[tuple[int, int]]:
    """Where makers' rules say that a video is: place and number of bytes, neither of them checked."""
    if content[4:8] == b"ftyp":
        yield from ((box.at, box.end - box.at) for box in boxes(content) if box.kind == b"mpvd")
    if xmp.from_end is not None:
        yield len(content) - xmp.from_end, xmp.from_end if xmp.length is None else xmp.length
    yield from _samsung_places(content)


def _samsung_places(content: bytes) -> Iterator[tuple[int, int]]:
    """The video that Samsung's directory names: at the very end of the file, counted back from where it begins (as
    ExifTool's `Samsung.pm` has it)."""
    if not content.endswith(_SAMSUNG_END) or len(content) < 20:
        return
    (length,) = struct.unpack_from("<I", content, len(content) - 8)
    head = len(content) - 8 - length
    if head < 0 or length < 12 or content[head : head + 4] != _SAMSUNG_HEAD:
        return
    (entries,) = struct.unpack_from("<I", content, head + 8)
    for number in range(min(entries, (length - 12) // 12, _MOST_ENTRIES)):
        back, size = struct.unpack_from("<II", content, head + 12 + 12 * number + 4)
        at = head - back
        if at < 0 or size < 8:
            continue
        (named,) = struct.unpack_from("<I", content, at + 4)
        if named == len(_SAMSUNG_NAME) and content.startswith(_SAMSUNG_NAME, at + 8):
            yield at + 8 + named, size - 8 - named


def _is_video(content: bytes, at: int, length: int) -> bool:
    """Whether an MP4 begins there and has its table of contents within its bytes."""
    found = [box.kind for box in boxes(content, at, at + length)]
    return found[:1] == [b"ftyp"] and b"moov" in found


class _Refused(Exception):
    """The packet would cost more than one may."""


class _Packet:
    """XMP that is read as it comes: nothing of it is built up but a few numbers."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._items: list[dict[str, str]] = []
        self._text = ""
        self._count = 0

    def read(self, packet: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        parser.Parse(packet, True)

    def xmp(self) -> PhoneXmp:
        burst = _id(self._values.get("BurstID"))
        from_end = _number(self._values.get("MicroVideoOffset"))
        lengths = [_number(item.get("Length")) or 0 for item in self._items]
        for place, item in enumerate(self._items):
            if item.get("Semantic") == "MotionPhoto" and lengths[place]:
                return PhoneXmp(sum(lengths[place:]), lengths[place], burst)
        return PhoneXmp(from_end, None, burst)

    @staticmethod
    def _refuse(*_: object) -> None:
        raise _Refused

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise _Refused
        if name == "rdf:li" and len(self._items) < _MOST_ITEMS:
            self._items.append({})
        self._text = ""
        for each, value in attributes.items():
            self._take(each, value)

    def _hear(self, text: str) -> None:
        if len(self._text) < _LONGEST_ID:
            self._text += text

    def _end(self, name: str) -> None:
        self._take(name, self._text)
        self._text = ""

    def _take(self, name: str, value: str) -> None:
        """Keep a value by the name of its property, whatever the prefix; programs differ in that."""
        value, plain = value.strip(), name.rpartition(":")[2]
        if not value:
            return
        if plain in {"Semantic", "Length"} and self._items:
            self._items[-1].setdefault(plain, value)
        elif plain in {"MicroVideoOffset", "BurstID"}:
            self._values.setdefault(plain, value)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 12 else None


def _id(value: object) -> str | None:
    text = clean_text(value)
    return text[:_LONGEST_ID] if text else None
