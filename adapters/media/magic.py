"""What a file is by its first bytes, whatever its name says.

RAW formats built on TIFF are told apart by their directories, so that no decoder takes one for an ordinary TIFF and
shows the small preview in it as if it were the photo.
"""

from __future__ import annotations

from typing import Final, Literal

from adapters.media.tiff import Directory, Tiff
from domain.rules.stacks import RAW_FORMATS

MediaKind = Literal["photo", "video"]

HEAD_BYTES: Final = 4096
"""How much of the beginning of a file `format_of` wants to see; RAW by TIFF directories needs the whole file."""

PICTURES: Final = frozenset({"jpeg", "png", "webp", "gif", "bmp", "tiff", "heic", "avif", "jp2", "jxl"})
RAWS: Final = RAW_FORMATS
VIDEOS: Final = frozenset(
    {"mp4", "mov", "3gp", "mkv", "webm", "avi", "flv", "wmv", "mpeg", "mpegts", "ogv", "mxf", "dv"}
)

_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_OLD_QUICKTIME: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_STARTS: Final = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FUJIFILMCCD-RAW", "raf"),
    (b"IIU\0", "rw2"),
    (b"IIRO", "orf"),
    (b"IIRS", "orf"),
    (b"MMOR", "orf"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL ", "jxl"),
    (b"\0\0\0\x0cjP  ", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"FOVb", "raw"),
    (b"\0MRM", "raw"),
    (b"II\x1a\0\0\0HEAPCCDR", "raw"),
    (b"FLV\x01", "flv"),
    (b"OggS", "ogv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),
    (b"\0\0\x01\xba", "mpeg"),
    (b"\0\0\x01\xb3", "mpeg"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01", "mxf"),  # SMPTE 377-1, 7.1
    (b"\x1f\x07\0", "dv"),  # IEC 61834-2: the header of the first DIF block
)
_NO_MEDIA: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
    (b"8BPS", "a Photoshop document"),
)


def format_of(head: bytes) -> str | None:
    """The format of a file from its first `HEAD_BYTES`: a name from `PICTURES`, `RAWS` or `VIDEOS`, or None.

    A RAW built on TIFF is `tiff` here; `raw_format_of` looks further.
    """
    for start, name in _STARTS:
        if head.startswith(start):
            return "cr2" if name == "tiff" and head[8:10] == b"CR" else name
    if head[4:8] == b"ftyp":
        return _format_of_brands(head)
    return _format_of_container(head)


def _format_of_container(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "avi"}.get(head[8:12])
    if head[4:8] in _OLD_QUICKTIME:
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":  # EBML, of which Matroska and WebM are the kinds in use
        return "webm" if b"webm" in head[:64] else "mkv"
    if _is_bitmap(head):
        return "bmp"
    if any(len(head) > start + 2 * step and head[start : start + 2 * step + 1 : step] == b"GGG" for start, step in _TS):
        return "mpegts"
    return None


def _is_bitmap(head: bytes) -> bool:
    """Whether a file is a bitmap, or begins with a bitmap's second header, as `.dib` do: 40 bytes long, of one plane,
    of some bits."""
    if head[:2] == b"BM":
        return head[14:15] in b"\x0c\x28\x34\x38\x40\x6c\x7c" and head[15:18] == b"\0\0\0"
    return head.startswith(b"\x28\0\0\0") and head[12:14] == b"\x01\0" and head[14:16] in _BITS


_BITS: Final = tuple(bits.to_bytes(2, "little") for bits in (1, 4, 8, 16, 24, 32))
_TS: Final = ((0, 188), (4, 192))
"""Where the sync byte 0x47 of MPEG transport packets lies, and how far apart: plain (ISO 13818-1), and M2TS."""


def format_of_stray(head: bytes) -> str | None:
    """The format of a picture or video from 32 bytes, where nothing in a file's name speaks for it: words and numbers
    that look like a box of QuickTime are none.

    No box but that of the data is longer than 500 MB, which is what letters come to as its length.
    """
    name = format_of(head)
    is_text = head[4:8] in _OLD_QUICKTIME and head[:1] >= b" "
    return None if is_text or kind_of_format(name) is None else name


def kind_of_format(name: str | None) -> MediaKind | None:
    """Whether a format holds photos or videos."""
    if name in PICTURES or name in RAWS:
        return "photo"
    return "video" if name in VIDEOS else None


def description_of(head: bytes) -> str:
    """What a file without a known format seems to be, in a few words for its owner."""
    for start, words in _NO_MEDIA:
        if head.startswith(start):
            return words
    if not head.strip(b"\0"):
        return "zero bytes alone"
    if not head.translate(None, _TEXT_BYTES) and head.strip():
        return "text"
    return "no known format"


_TEXT_BYTES: Final = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100)) + b"\t\n\r\f"


def _format_of_brands(head: bytes) -> str | None:
    """The format that an ISO base media file names in its `ftyp` box (ISO 14496-12, 4.3)."""
    length = min(max(int.from_bytes(head[:4], "big"), 12), 256)
    major = head[8:12]
    brands = {major} | {head[at : at + 4] for at in range(16, length, 4)}
    if major == b"crx ":
        return "cr3"
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIC_BRANDS or major in (b"mif1", b"msf1"):
        return "heic"
    if major in (b"M4A ", b"M4B "):
        return None
    if major == b"qt  ":
        return "mov"
    return "3gp" if major[:2] == b"3g" else "mp4"


_MAKE, _COMPRESSION, _PHOTOMETRIC, _DNG_VERSION = 0x010F, 0x0103, 0x0106, 0xC612
_SENSOR_PHOTOMETRICS: Final = frozenset({32803, 34892})
"""Colour filter array and linear raw: TIFF/EP and the DNG specification."""
_SENSOR_COMPRESSIONS: Final = frozenset({32767, 32770, 34713, 65535})
"""Sony ARW, Samsung SRW, Nikon NEF, Pentax PEF: what these makers write in their RAW directories alone."""
_BY_MAKE: Final = {b"NIKO": "nef", b"SONY": "arw", b"PENT": "pef", b"RICO": "pef", b"SAMS": "srw"}


def raw_format_of(content: bytes) -> str | None:
    """Which RAW format a TIFF is, from a walk over its directories; None for a TIFF that is a picture.

    Never raises: a broken directory ends the walk, and what was seen until then decides.
    """
    tiff = Tiff(content)
    directories = list(tiff.directories())
    if not directories:
        return None
    if _DNG_VERSION in directories[0].entries:
        return "dng"
    if not any(holds_sensor_readings(tiff, directory) for directory in directories):
        return None
    return _BY_MAKE.get(tiff.text(directories[0], _MAKE)[:4].upper(), "raw")


def holds_sensor_readings(tiff: Tiff, directory: Directory) -> bool:
    """Whether a directory describes what the sensor read, and no picture that can be shown as it is."""
    return (
        tiff.number(directory, _PHOTOMETRIC) in _SENSOR_PHOTOMETRICS
        or tiff.number(directory, _COMPRESSION) in _SENSOR_COMPRESSIONS
    )
