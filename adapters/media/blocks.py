"""Where a photo's file keeps what is written about it: EXIF, XMP, IPTC and texts, found without decoding a picture.

Each format has its places, and programs have put more into them: Photoshop's resources (8BIM) hold EXIF and IPTC,
ImageMagick writes whole blocks into the texts of a PNG as hexadecimal digits. Lengths are a stranger's numbers: what
does not fit into the file ends the reading, and what was found until then stands.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from PIL import Image

from adapters.media.boxes import boxes, told_in
from adapters.media.exif import boxed_exif, exif_from, raw_exif
from adapters.media.items import items_of_meta
from adapters.media.magic import RAWS
from adapters.media.raw import embedded_places
from adapters.media.tiff import Tiff

MOST_TEXT: Final = 8 * 2**20
"""Bytes that a text of a PNG may have once it is unpacked."""
_MOST_PARTS: Final = 10_000
"""Segments, chunks and resources that are looked at."""
_EXIF_START, _XMP_START = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION_START: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP: Final = b"Photoshop 3.0\0"
_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 33723, 34377
"""TIFF tags (XMP specification, part 3; the last is Photoshop's resources)."""
_RESOURCES: Final = {0x0404: "iptc", 0x0422: "exif", 0x0424: "xmp"}
_XMP_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC_UUID: Final = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_GIF_XMP: Final = b"\x21\xff\x0bXMP DataXMP"
_PACKET_END: Final = re.compile(rb"<\?xpacket end=['\"][rw]['\"]\?>")
_LARGEST_LOST: Final = 2**20
"""Bytes of EXIF that are looked at where nothing says how many there are."""


class Blocks(msgspec.Struct):
    """What stands in one file: `exif` without any entry where there is none, `xmp` as it stands, `extension` what a
    JPEG holds of it beyond 64 KB, `iptc` data sets of IPTC-IIM, `texts` of a PNG by their keywords, `saved` when a PNG
    says that it was saved."""

    exif: Image.Exif = msgspec.field(default_factory=Image.Exif)
    xmp: bytes | None = None
    extension: bytes | None = None
    iptc: bytes | None = None
    texts: dict[str, str] = msgspec.field(default_factory=dict)
    saved: str = ""

    def take(self, kind: str, content: bytes) -> None:
        """Keep a block, the first of its kind."""
        if kind == "exif":
            if not len(self.exif):
                self.exif = exif_from(content.removeprefix(_EXIF_START))
        elif kind == "8bim":
            for name, resource in _resources(content):
                self.take(name, resource)
        elif getattr(self, kind) is None:
            setattr(self, kind, bytes(content))


def blocks_of(content: bytes, format_name: str) -> Blocks:
    """What is written in a photo's bytes, `format_name` being what `magic` made of them; never raises."""
    found = Blocks()
    reader = _READERS.get(format_name)
    if reader is not None:
        reader(content, found)
    elif format_name in RAWS:
        _of_raw(content, format_name, found)
    if not len(found.exif) and format_name in {"jpeg", "heic", "avif"}:
        _take_lost(content, found)
    return found


def _take_lost(content: bytes, found: Blocks) -> None:
    """EXIF that no directory leads to: that may be broken, as the picture may be."""
    at = content.find(_EXIF_START)
    while at >= 0 and not content.startswith((b"II*\0", b"MM\0*"), at + len(_EXIF_START)):
        at = content.find(_EXIF_START, at + 1)
    if at >= 0:
        found.take("exif", content[at : at + _LARGEST_LOST])


def _of_jpeg(content: bytes, found: Blocks) -> None:
    pieces: dict[int, bytes] = {}
    whole, photoshop = 0, []
    for marker, segment in _segments(content):
        if marker == 0xE1 and segment.startswith(_EXIF_START):
            found.take("exif", segment)
        elif marker == 0xE1 and segment.startswith(_XMP_START):
            found.take("xmp", segment[len(_XMP_START) :])
        elif marker == 0xE1 and segment.startswith(_EXTENSION_START) and len(segment) > len(_EXTENSION_START) + 40:
            whole, at = struct.unpack_from(">II", segment, len(_EXTENSION_START) + 32)
            pieces[at] = segment[len(_EXTENSION_START) + 40 :]
        elif marker == 0xED and segment.startswith(_PHOTOSHOP):
            photoshop.append(segment[len(_PHOTOSHOP) :])
    found.take("8bim", b"".join(photoshop))
    extension = b"".join(pieces[at] for at in sorted(pieces))
    if extension and len(extension) == whole:
        found.extension = extension


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments of a JPEG before its picture, by their markers."""
    at = 2
    for _ in range(_MOST_PARTS):
        while content[at : at + 2] == b"\xff\xff":
            at += 1
        if content[at : at + 1] != b"\xff" or at + 4 > len(content):
            return
        marker = content[at + 1]
        if marker in {0xD9, 0xDA}:
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2:
            return
        yield marker, content[at + 4 : at + 2 + length]
        at += 2 + length


def _resources(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Photoshop's resources that hold something about the photo (Photoshop file formats, image resource blocks)."""
    at = 0
    for _ in range(_MOST_PARTS):
        if content[at : at + 4] not in (b"8BIM", b"PHUT", b"AgHg", b"DCSR") or at + 12 > len(content):
            return
        (number,) = struct.unpack_from(">H", content, at + 4)
        start = at + 6 + (content[at + 6] + 2) // 2 * 2
        length = int.from_bytes(content[start : start + 4], "big")
        if start + 4 + length > len(content):
            return
        if number in _RESOURCES:
            yield _RESOURCES[number], content[start + 4 : start + 4 + length]
        at = start + 4 + (length + 1) // 2 * 2


def _of_png(content: bytes, found: Blocks) -> None:
    for kind, chunk in _chunks(content, 8, "big", 4):
        if kind == b"eXIf":
            found.take("exif", chunk)
        elif kind == b"tIME" and len(chunk) == 7:
            found.saved = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*struct.unpack(">HBBBBB", chunk))
        elif kind in {b"tEXt", b"zTXt", b"iTXt"}:
            keyword, text = _png_text(kind, chunk)
            if keyword.startswith("Raw profile type "):
                _take_profile(keyword[17:].lower(), text, found)
            elif keyword == "XML:com.adobe.xmp":
                found.take("xmp", text)
            elif keyword:
                found.texts.setdefault(keyword, _decoded(text, "utf-8" if kind == b"iTXt" else "latin-1"))


def _chunks(content: bytes, at: int, order: str, trailer: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, whose length comes first, or of a RIFF, whose name does."""
    for _ in range(_MOST_PARTS):
        if at + 8 > len(content):
            return
        first, second = content[at : at + 4], content[at + 4 : at + 8]
        kind, size = (second, first) if order == "big" else (first, second)
        length = int.from_bytes(size, "big" if order == "big" else "little")
        if kind != b"IDAT" and at + 8 + length <= len(content):
            yield kind, content[at + 8 : at + 8 + length]
        at += 8 + length + trailer + (length % 2 if order == "little" else 0)


def _png_text(kind: bytes, chunk: bytes) -> tuple[str, bytes]:
    """The keyword and the text of a chunk, unpacked; both empty where it is broken."""
    keyword, _, rest = chunk.partition(b"\0")
    is_packed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        is_packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if is_packed:
        try:
            rest = zlib.decompressobj().decompress(rest, MOST_TEXT)
        except zlib.error:
            return "", b""
    return _decoded(keyword, "latin-1"), rest


def _take_profile(name: str, text: bytes, found: Blocks) -> None:
    """A block in hexadecimal digits behind its name and its length, as ImageMagick writes it."""
    *_, digits = text.strip().split(b"\n", 2)
    digits = b"".join(digits.split())
    try:
        block = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return
    if name in {"exif", "app1"}:
        is_xmp = block.startswith(_XMP_START)
        found.take("xmp" if is_xmp else "exif", block.removeprefix(_XMP_START))
    elif name == "xmp":
        found.take("xmp", block)
    elif name in {"iptc", "8bim"}:
        found.take("8bim" if block.startswith(b"8BIM") else "iptc", block)


def _of_webp(content: bytes, found: Blocks) -> None:
    for kind, chunk in _chunks(content, 12, "little", 0):
        if kind in {b"EXIF", b"XMP "}:
            found.take(kind.decode().strip().lower(), chunk)


def _of_gif(content: bytes, found: Blocks) -> None:
    start = content.find(_GIF_XMP)
    end = _PACKET_END.search(content, start) if start >= 0 else None
    if end is not None:
        found.take("xmp", content[start + len(_GIF_XMP) : end.end()])


def _of_tiff(content: bytes, found: Blocks) -> None:
    found.exif = exif_from(content)
    tiff = Tiff(content)
    first = next(tiff.directories(), None)
    if first is None:
        return
    for kind, tag in (("xmp", _XMP_TAG), ("iptc", _IPTC_TAG), ("8bim", _PHOTOSHOP_TAG)):
        value = tiff.content_of(first, tag)
        if kind == "iptc" and value[3:4] == b"\x1c" != value[:1]:  # written as numbers, in the file's order
            value = b"".join(value[at : at + 4][::-1] for at in range(0, len(value), 4))
        if value:
            found.take(kind, value)


def _of_heif(content: bytes, found: Blocks) -> None:
    for kind, item in items_of_meta(content):
        if kind == b"Exif" and len(item) > 4:
            found.take("exif", item[4 + int.from_bytes(item[:4], "big") :] or item[4:])
        elif kind == b"mime":
            found.take("xmp", item)


def _of_boxes(content: bytes, found: Blocks) -> None:
    """What stands in boxes of its own (ISO 18181-2; XMP specification, part 3)."""
    found.exif = boxed_exif(content)
    for box in boxes(content):
        told = told_in(content, box, (b"xml ",))
        if told is not None and b"xmpmeta" in told[1][:4096]:
            found.take("xmp", told[1])
        elif box.kind == b"uuid":
            for kind, name in (("xmp", _XMP_UUID), ("iptc", _IPTC_UUID)):
                if content.startswith(name, box.at):
                    found.take(kind, content[box.at + 16 : box.end])


def _of_raw(content: bytes, format_name: str, found: Blocks) -> None:
    exif = raw_exif(content, format_name)
    if format_name == "cr3":
        _of_boxes(content, found)
        found.exif = exif
        return
    if format_name in {"raf", "rw2"}:
        for at, length in embedded_places(content, format_name):
            _of_jpeg(content[at : at + length], found)
            break
    _of_tiff(content, found)
    found.exif = exif


def _decoded(text: bytes, encoding: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode(encoding, "replace")


_READERS: Final = {
    "jpeg": _of_jpeg,
    "png": _of_png,
    "webp": _of_webp,
    "gif": _of_gif,
    "tiff": _of_tiff,
    "heic": _of_heif,
    "avif": _of_heif,
    "jxl": _of_boxes,
    "jp2": _of_boxes,
}


def iptc_datasets(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The data sets of IPTC-IIM: record, number and bytes (IIM 4.2, 1.5)."""
    at = 0
    for _ in range(_MOST_PARTS):
        if block[at : at + 1] != b"\x1c" or at + 5 > len(block):
            return
        record, number, length = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:  # the length of the length, for what is longer than 32 KB
            size = length & 0x7FFF
            length, at = int.from_bytes(block[at : at + size], "big"), at + size
        if at + length > len(block):
            return
        yield record, number, block[at : at + length]
        at += length


def texts_of_iptc(block: bytes | None) -> dict[int, Sequence[str]]:
    """The texts of IPTC's second record by their numbers, in UTF-8 or else Windows' Latin."""
    found: dict[int, list[str]] = {}
    for record, number, value in iptc_datasets(block or b""):
        if record == 2:
            try:
                text = value.decode("utf-8")
            except UnicodeDecodeError:
                text = value.decode("cp1252", "replace")
            found.setdefault(number, []).append(text)
    return dict(found)
