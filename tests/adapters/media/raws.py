"""RAW files that the tests build: each format's own structure around pictures made here, and next to nothing else.

They are what exiftool takes for that format. The sensor's readings are there in a DNG alone; in the others there is
random noise where they would be, and a picture, a smaller one and what is no picture where the format keeps those.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tests.adapters.media.material import encoded, quarters

WIDTH, HEIGHT = 1200, 800
PREVIEW = encoded(quarters(WIDTH, HEIGHT), "JPEG")
THUMBNAIL = encoded(quarters(160, 120).rotate(180), "JPEG")
"""Upside down, so that taking it for the photo is seen."""
SENSOR = b"\xff\xd8\xff\xc3\0\x0b\x0e\x10\0\x10\0\1\1\x11\0" + bytes(range(256)) * 8 + b"\xff\xd9"
"""What a lossless JPEG of 4096 x 4096 readings begins with."""
NOISE = random.Random(1).randbytes(5000)

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10


class Apart(NamedTuple):
    """Bytes that lie somewhere in the file; the field holds where."""

    content: bytes


Ifd = dict[int, tuple[int, "bytes | Sequence[int] | Apart | Sequence[Ifd]"]]
"""A directory: tag to field type and value; directories below a tag are a list of them."""


def tiff(chain: Sequence[Ifd], order: str = "<", head: bytes | None = None, start: int = 0) -> bytes:
    """A TIFF of directories that follow one another; its offsets count from `start` bytes before it."""
    body = bytearray(head or (b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08"))
    body += bytes(len(body) % 2)
    struct.pack_into(order + "I", body, 4, start + len(body))
    following = None
    for ifd in chain:
        at = _put_directory(body, ifd, order, start)
        if following is not None:
            struct.pack_into(order + "I", body, following, start + at)
        following = at + 2 + 12 * len(ifd)
    return bytes(body)


def _put_directory(body: bytearray, ifd: Ifd, order: str, start: int) -> int:
    at = len(body)
    body += struct.pack(order + "H", len(ifd)) + bytes(12 * len(ifd) + 4)
    for number, (tag, (kind, value)) in enumerate(sorted(ifd.items())):
        count, stored = _value(body, kind, value, order, start)
        if len(stored) > 4:
            body += bytes(len(body) % 2)
            stored, apart = struct.pack(order + "I", start + len(body)), stored
            body += apart
        struct.pack_into(order + "HHI4s", body, at + 2 + 12 * number, tag, kind, count, stored)
    body += bytes(len(body) % 2)
    return at


def _value(body: bytearray, kind: int, value: object, order: str, start: int) -> tuple[int, bytes]:
    """How many values a field has, and its bytes; what lies apart is put behind what is there."""
    if isinstance(value, bytes):
        return len(value), value
    if isinstance(value, Apart):
        at = start + len(body)
        body += value.content + bytes(len(value.content) % 2)
        return 1, struct.pack(order + "I", at)
    assert isinstance(value, Sequence)
    if value and isinstance(value[0], Mapping):
        value = [start + _put_directory(body, dict(each), order, start) for each in value]
    letter = {SHORT: "H", LONG: "I", RATIONAL: "I", SRATIONAL: "i", 13: "I"}[kind]
    count = len(value) // 2 if kind in (RATIONAL, SRATIONAL) else len(value)
    return count, struct.pack(f"{order}{len(value)}{letter}", *value)


def jpeg_pointer(jpeg: bytes) -> Ifd:
    """The fields of a directory that points to a JPEG as EXIF's thumbnail is pointed to."""
    return {0x0103: (SHORT, [6]), 0x0201: (LONG, Apart(jpeg)), 0x0202: (LONG, [len(jpeg)])}


def strip(content: bytes, width: int, height: int, compression: int, photometric: int) -> Ifd:
    """The fields of a directory whose picture, or whose readings, are one strip."""
    return {
        0x0100: (LONG, [width]),
        0x0101: (LONG, [height]),
        0x0103: (SHORT, [compression]),
        0x0106: (SHORT, [photometric]),
        0x0111: (LONG, Apart(content)),
        0x0116: (LONG, [height]),
        0x0117: (LONG, [len(content)]),
    }


def bitmap(width: int, height: int) -> Ifd:
    """A directory with an uncompressed picture, `quarters` upside down."""
    pixels = quarters(width, height).rotate(180).tobytes()
    return strip(pixels, width, height, 1, 2) | {0x0102: (SHORT, [8, 8, 8]), 0x0115: (SHORT, [3])}


def readings(compression: int) -> Ifd:
    """A directory of sensor readings that only their maker can read."""
    return {0x00FE: (LONG, [0]), **strip(NOISE, 6000, 4000, compression, 32803)}


def camera(make: bytes, model: bytes, orientation: int) -> Ifd:
    """What the first directory says of the camera, with its EXIF."""
    photo: Ifd = {
        0x829A: (RATIONAL, [1, 250]),
        0x829D: (RATIONAL, [28, 10]),
        0x8827: (SHORT, [400]),
        0x9000: (UNDEFINED, b"0231"),
        0x9003: (ASCII, b"2024:05:01 12:30:45\0"),
        0x9291: (ASCII, b"25\0"),
        0x9011: (ASCII, b"-03:30\0"),
        0x920A: (RATIONAL, [50, 1]),
        0xA434: (ASCII, b"A lens 50mm F1.8\0"),
    }
    return {
        0x010F: (ASCII, make + b"\0"),
        0x0110: (ASCII, model + b"\0"),
        0x0112: (SHORT, [orientation]),
        0x8769: (LONG, [photo]),
        0x8825: (LONG, [POSITION]),
    }


POSITION: Ifd = {
    0x0000: (BYTE, b"\2\3\0\0"),
    0x0001: (ASCII, b"S\0"),
    0x0002: (RATIONAL, [33, 1, 52, 1, 768, 100]),
    0x0003: (ASCII, b"E\0"),
    0x0004: (RATIONAL, [151, 1, 12, 1, 3348, 100]),
    0x0005: (BYTE, b"\0"),
    0x0006: (RATIONAL, [58, 1]),
}


def arw(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Sony: the preview in the first directory, a thumbnail in the next, the readings in one below."""
    first = camera(b"SONY", b"ILCE-7M3", orientation) | jpeg_pointer(preview)
    return tiff([first | {0x014A: (LONG, [readings(32767)])}, jpeg_pointer(THUMBNAIL)])


def nef(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Nikon: a bitmap in the first directory, a JPEG and the readings in those below."""
    first = camera(b"NIKON CORPORATION", b"NIKON D750", orientation) | bitmap(160, 120)
    return tiff([first | {0x014A: (LONG, [jpeg_pointer(preview), readings(34713)])}], ">")


def cr2(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Canon: the preview is the first directory's strip; then a thumbnail, a bitmap, and the readings as a JPEG."""
    first = camera(b"Canon", b"Canon EOS 80D", orientation) | strip(preview, WIDTH, HEIGHT, 6, 6)
    last = strip(SENSOR, 4096, 4096, 6, 32803)
    return tiff([first, jpeg_pointer(THUMBNAIL), bitmap(96, 64), last], head=b"II*\0\0\0\0\0CR\2\0\0\0\0\0")


def dng(preview: bytes | None = PREVIEW, orientation: int = 1, shown: Ifd | None = None) -> bytes:
    """Adobe: a bitmap in the first directory; readings, which are whole here, and a JPEG in those below."""
    first = camera(b"Maker", b"Model", orientation) | (shown or bitmap(160, 120)) | {0x00FE: (LONG, [1])}
    below = [bayer(600, 400)]
    if preview is not None:
        below.append({0x00FE: (LONG, [1]), **strip(preview, WIDTH, HEIGHT, 7, 6)})
    return tiff(
        [
            first
            | {
                0x014A: (LONG, below),
                0xC612: (BYTE, b"\1\4\0\0"),
                0xC614: (ASCII, b"Maker Model\0"),
                0xC621: (SRATIONAL, [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]),
                0xC628: (RATIONAL, [1, 1, 1, 1, 1, 1]),
                0xC65A: (SHORT, [21]),
            }
        ]
    )


def bayer(width: int, height: int) -> Ifd:
    """A directory of readings as a sensor of red, green and blue squares makes them of `quarters`."""
    rgb = np.asarray(quarters(width, height)).astype(np.uint16) << 8
    seen = rgb[:, :, 1].copy()
    seen[::2, ::2], seen[1::2, 1::2] = rgb[::2, ::2, 0], rgb[1::2, 1::2, 2]
    return {
        0x00FE: (LONG, [0]),
        **strip(seen.astype("<u2").tobytes(), width, height, 1, 32803),
        0x0102: (SHORT, [16]),
        0x0115: (SHORT, [1]),
        0x828D: (SHORT, [2, 2]),
        0x828E: (BYTE, b"\0\1\1\2"),
    }


READINGS_BEGIN = (np.asarray([[220, 30]], np.uint16) << 8).astype("<u2").tobytes() * 3
"""What the readings of `dng_of_readings` begin with."""


def dng_of_readings() -> bytes:
    """A DNG that holds its sensor's readings and no other picture; they come last."""
    first = camera(b"Maker", b"Model", 1) | bayer(600, 400)
    whole: Ifd = {
        0xC612: (BYTE, b"\1\4\0\0"),
        0xC614: (ASCII, b"Maker Model\0"),
        0xC621: (SRATIONAL, [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]),
        0xC628: (RATIONAL, [1, 1, 1, 1, 1, 1]),
        0xC65A: (SHORT, [21]),
    }
    content = tiff([first | whole])
    begin = content.index(READINGS_BEGIN)
    readings = content[begin : begin + 600 * 400 * 2]
    moved = bytearray(content + readings)
    at = content.index(struct.pack("<I", begin))
    struct.pack_into("<I", moved, at, len(content))
    moved[begin : begin + len(readings)] = bytes(len(readings))
    return bytes(moved)


def pef(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Pentax: the readings in the first directory, a thumbnail and the preview in those that follow."""
    first = camera(b"PENTAX Corporation", b"PENTAX K-5", orientation) | readings(65535)
    return tiff([first, jpeg_pointer(THUMBNAIL), jpeg_pointer(preview)], ">")


def srw(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Samsung: a thumbnail in the first directory, the preview and the readings in those below."""
    first = camera(b"SAMSUNG", b"NX30", orientation) | jpeg_pointer(THUMBNAIL)
    return tiff([first | {0x014A: (LONG, [jpeg_pointer(preview), readings(32770)])}])


def orf(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Olympus: the readings in the first directory, the preview where the maker's note says, counted from the note."""
    settings: Ifd = {0x0100: (LONG, [1]), 0x0101: (LONG, Apart(preview)), 0x0102: (LONG, [len(preview)])}
    head = b"OLYMPUS\0II\3\0"
    note = head + tiff([{0x2020: (13, [settings])}], start=len(head) - 8)[8:]
    first = camera(b"OLYMPUS CORPORATION", b"E-M1MarkII", orientation) | strip(NOISE, 6000, 4000, 1, 1)
    _, photo = first[0x8769]
    assert isinstance(photo, list)
    photo[0][0x927C] = (UNDEFINED, note)
    return tiff([first], head=b"IIRO\0\0\0\0")


def rw2(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Panasonic: tags of its own, one of which is a whole JPEG."""
    borders: Ifd = {
        tag: (SHORT, [value]) for tag, value in zip(range(2, 8), (6100, 4100, 4, 8, 4004, 6008), strict=True)
    }
    first = camera(b"Panasonic", b"DC-GH5", orientation) | borders | {0x002E: (UNDEFINED, preview)}
    return tiff([first], head=b"IIU\0\0\0\0\0" + bytes.fromhex("88e774d8f8251d4d947a6e77822b5d6a"))


def raf(preview: bytes = PREVIEW, orientation: int = 1) -> bytes:
    """Fujifilm: a header that says where a JPEG lies, whose EXIF is that of the photo."""
    exif = b"Exif\0\0" + tiff([camera(b"FUJIFILM", b"X-T5", orientation)])
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    jpeg = preview[:2] + segment + preview[2:]
    head = b"FUJIFILMCCD-RAW 0201FF129502" + b"X-T5".ljust(32, b"\0") + b"0100".ljust(24, b"\0")
    places = struct.pack(">6I", 148, len(jpeg), 148 + len(jpeg), 12, 160 + len(jpeg), len(NOISE))
    return (head + places).ljust(148, b"\0") + jpeg + b"\0\0\0\0".ljust(12, b"\0") + NOISE


def _below(ifd: Ifd, tag: int) -> Ifd:
    """Take the directory below a tag out of another."""
    _, value = ifd.pop(tag)
    assert isinstance(value, list)
    (below,) = value
    assert isinstance(below, dict)
    return below


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an ISO base media file."""
    content = b"".join(parts)
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def cr3(preview: bytes = PREVIEW, orientation: int = 1, where: str = "track") -> bytes:
    """Canon's newer one: boxes with the directories, a thumbnail, a preview (`box`), and a track of one JPEG."""
    first = camera(b"Canon", b"Canon EOS R5", orientation)
    photo, position = _below(first, 0x8769), _below(first, 0x8825)
    thumb = box(b"THMB", bytes(4), struct.pack(">HHIHH", 160, 120, len(THUMBNAIL), 1, 0), THUMBNAIL)
    blocks = [box(kind, tiff([ifd])) for kind, ifd in ((b"CMT1", first), (b"CMT2", photo), (b"CMT4", position))]
    canon = box(
        b"uuid",
        bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"),
        box(b"CNCV", b"CanonCR3_001/00.09.00/00.00.00"),
        *blocks,
        thumb,
    )
    small = preview if where == "box" else THUMBNAIL
    header = struct.pack(">IHHHHI", 0, 1, WIDTH, HEIGHT, 1, len(small))
    shown = box(
        b"uuid", bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16"), bytes(7), b"\1", box(b"PRVW", header, small)
    )
    start = box(b"ftyp", b"crx \0\0\0\1crx isom")
    samples = [preview if where == "track" else SENSOR, NOISE]
    at = len(start) + len(box(b"moov", canon, _track(0, 1), _track(0, 1, jpeg=False))) + len(shown) + 8
    tracks = [_track(at, len(samples[0])), _track(at + len(samples[0]), len(samples[1]), jpeg=False)]
    return start + box(b"moov", canon, *tracks) + shown + box(b"mdat", *samples)


def _track(at: int, length: int, *, jpeg: bool = True) -> bytes:
    kind = box(b"JPEG" if jpeg else b"free", bytes(4))
    entry = box(b"CRAW", bytes(6), b"\0\1", bytes(16), struct.pack(">HH", WIDTH, HEIGHT), bytes(50), kind)
    table = box(
        b"stbl",
        box(b"stsd", bytes(4), b"\0\0\0\1", entry),
        box(b"stts", bytes(4), struct.pack(">3I", 1, 1, 1)),
        box(b"stsc", bytes(4), struct.pack(">4I", 1, 1, 1, 1)),
        box(b"stsz", bytes(4), struct.pack(">II", length, 1)),
        box(b"co64", bytes(4), struct.pack(">IQ", 1, at)),
    )
    handler = box(b"hdlr", bytes(8), b"vide", bytes(13))
    here = box(b"dinf", box(b"dref", bytes(4), b"\0\0\0\1", box(b"url ", b"\0\0\0\1")))
    return box(b"trak", box(b"mdia", handler, box(b"minf", here, table)))


BUILDERS: dict[str, Callable[[bytes, int], bytes]] = {
    "arw": arw,
    "nef": nef,
    "cr2": cr2,
    "cr3": cr3,
    "dng": dng,
    "raf": raf,
    "orf": orf,
    "rw2": rw2,
    "pef": pef,
    "srw": srw,
}
"""Each takes a preview and an orientation."""
