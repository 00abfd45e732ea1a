"""What a camera wrote about a photo, read as a stranger's text: cleaned, and believed only where it makes sense.

Any value may be missing, of another type than its tag promises, or made to be misleading. What cannot be is dropped,
and the rest of the photo's facts stand.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import unicodedata
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from adapters.media.boxes import boxes, told_in
from adapters.media.dates import WallClock, wall_clock_of_exif
from adapters.media.maker_notes import lens_of, lens_of_note
from adapters.media.raw import canon_blocks, embedded_places
from adapters.media.silence import unheard

PARSING_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow's parsers and decoders are known to raise on hostile bytes, each of which says no more than that this
part of the file cannot be read. Interrupts and exits pass."""

_LONGEST_TEXT: Final = 200
_MOST_VALUES: Final = 32
_NOT_ORDINARY: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Unicode categories that no name holds: controls, halves of characters, private and unassigned ones."""
_LEFT_OUT: Final = frozenset(
    [
        *("MakerNote", "PrintImageMatching", "ExifOffset", "GPSInfo", "ExifInteroperabilityOffset", "SubIFDs"),
        *("StripOffsets", "StripByteCounts", "TileOffsets", "TileByteCounts", "JpegIFOffset", "JpegIFByteCount"),
    ]
)
"""What tells of the file's own layout and not of the photo."""
_TEXTS_WITH_CODE: Final = frozenset({"UserComment", "GPSProcessingMethod", "GPSAreaInformation"})
"""Texts that begin with eight bytes which name their encoding (EXIF 3.0, table 9)."""
_SMALL_NUMBERS: Final = frozenset({"GPSVersionID", "ComponentsConfiguration", "DNGVersion", "DNGBackwardVersion"})
_OFFSETS: Final = (
    *(60 * hours for hours in range(-12, 15)),
    *(-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825),
)
"""Minutes that a clock on some wall is ahead of UTC, half and quarter hours where there are such."""
_STALE: Final = 120
"""Seconds that the satellites' time may lie beside the camera's: receivers write the time of their last fix."""


_TAGS: Final = ExifTags.Base
_ORIGINAL: Final = (_TAGS.DateTimeOriginal, _TAGS.SubsecTimeOriginal, _TAGS.OffsetTimeOriginal)
_DIGITISED: Final = (_TAGS.DateTimeDigitized, _TAGS.SubsecTimeDigitized, _TAGS.OffsetTimeDigitized)
_MODIFIED: Final = (_TAGS.DateTime, _TAGS.SubsecTime, _TAGS.OffsetTime)


class CameraFacts(msgspec.Struct, frozen=True, kw_only=True):
    """EXIF in plain units: degrees north and east, metres above the sea, seconds, millimetres, ISO speed. `taken` is
    when the shutter opened, `digitised` when the picture was scanned or stored, `modified` when a program saved it."""

    taken: WallClock | None = None
    digitised: WallClock | None = None
    modified: WallClock | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    exposure: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None


def camera_facts(exif: Image.Exif) -> CameraFacts:
    """The facts that an EXIF block states and that can be true."""
    main, photo, gps = directory(exif, None), directory(exif, ExifTags.IFD.Exif), directory(exif, ExifTags.IFD.GPSInfo)
    latitude, longitude = _position(gps)
    return CameraFacts(
        taken=_time(photo, photo, gps, _ORIGINAL),
        digitised=_time(photo, photo, gps, _DIGITISED),
        modified=_time(main, photo, {}, _MODIFIED),
        make=clean_text(main.get(ExifTags.Base.Make)),
        model=clean_text(main.get(ExifTags.Base.Model)),
        lens=clean_text(photo.get(ExifTags.Base.LensModel)) or _lens(exif, main, photo),
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(gps),
        exposure=_exposure(photo),
        f_number=_between(photo.get(ExifTags.Base.FNumber), 0.1, 1000),
        iso=_iso(photo),
        focal_length=_between(photo.get(ExifTags.Base.FocalLength), 0.1, 100_000),
    )


def orientation_of(exif: Image.Exif) -> int:
    """How the stored picture lies, 1 (upright) to 8, as EXIF numbers it; 1 where that is missing or makes no sense."""
    value = directory(exif, None).get(ExifTags.Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def raw_exif(content: bytes, format_name: str) -> Image.Exif:
    """The EXIF of a RAW file: of its TIFF directories, of its boxes (CR3), or of the JPEG in it (RAF).

    What the directories of a RW2 leave out is taken from its JPEG. Empty where EXIF is kept elsewhere.
    """
    if format_name == "cr3":
        return _canon_exif(content)
    if format_name == "raf":
        return _embedded_exif(content, format_name)
    exif = exif_from(content)
    if format_name == "rw2":
        _fill_in(exif, _embedded_exif(content, format_name))
    return exif


def boxed_exif(content: bytes) -> Image.Exif:
    """The EXIF of a JPEG XL or JPEG 2000 picture, which lies in a box of its own; empty where there is none.

    Sources: ISO 18181-2, 9.6; for JPEG 2000 the name that Adobe and exiftool gave it.
    """
    for box in boxes(content):
        told = told_in(content, box, (b"Exif",))
        if told is not None:
            return exif_from(told[1][4 + int.from_bytes(told[1][:4], "big") :])
        if box.kind == b"uuid" and content.startswith(b"JpgTiffExif->JP2", box.at):
            return exif_from(content[box.at + 16 : box.end])
    return Image.Exif()


def exif_from(content: bytes) -> Image.Exif:
    """The EXIF that begins with a TIFF's header, empty where none does; ORF and RW2 differ from it in their magic
    alone."""
    exif = Image.Exif()
    if content[:2] not in (b"II", b"MM"):
        return exif
    if content[2:4] not in (b"*\0", b"\0*"):
        content = content[:2] + (b"*\0" if content[:2] == b"II" else b"\0*") + content[4:]
    with quiet():
        try:
            exif.load(content)
        except PARSING_ERRORS:
            return Image.Exif()
    return exif


def _embedded_exif(content: bytes, format_name: str) -> Image.Exif:
    """The EXIF of the first JPEG at the places of a format that has any."""
    for at, length in embedded_places(content, format_name):
        with quiet():
            try:
                with Image.open(io.BytesIO(content[at : at + length]), formats=("JPEG",)) as picture:
                    return picture.getexif()
            except PARSING_ERRORS:
                continue
    return Image.Exif()


def _canon_exif(content: bytes) -> Image.Exif:
    """The EXIF of a CR3: each directory is a TIFF in a box of its own."""
    blocks = canon_blocks(content)
    exif = exif_from(blocks.get(b"CMT1", b""))
    for name, ifd in ((b"CMT2", ExifTags.IFD.Exif), (b"CMT4", ExifTags.IFD.GPSInfo)):
        exif.get_ifd(ifd).update(directory(exif_from(blocks.get(name, b"")), None))
    return exif


def _fill_in(exif: Image.Exif, other: Image.Exif) -> None:
    """Add what another block says where this one says nothing."""
    for ifd in (None, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        own = exif if ifd is None else directory(exif, ifd)
        missing = {tag: value for tag, value in directory(other, ifd).items() if tag not in own}
        (exif if ifd is None else exif.get_ifd(ifd)).update(missing)


def named_tags(exif: Image.Exif) -> dict[str, object]:
    """Every tag of an EXIF block by its name, with plain values (text, numbers, lists of those); no binary ones."""
    named: dict[str, object] = {}
    for ifd, names in (
        (None, ExifTags.TAGS),
        (ExifTags.IFD.Exif, ExifTags.TAGS),
        (ExifTags.IFD.GPSInfo, ExifTags.GPSTAGS),
    ):
        for tag, value in directory(exif, ifd).items():
            name = names.get(tag)
            plain = _plain_of(name, value)
            if name and name not in _LEFT_OUT and plain is not None:
                named[name] = plain
    return named


@contextmanager
def quiet() -> Iterator[None]:
    """Within it parsers warn nobody, nor does the native code below them: what they put right themselves needs no
    words, and the rest is told by ours, which name the file."""
    with warnings.catch_warnings(), unheard():
        warnings.simplefilter("ignore")
        yield


def directory(exif: Image.Exif, ifd: ExifTags.IFD | None) -> Mapping[int, Any]:
    """One directory of an EXIF block as tag numbers and values; empty where it is missing or broken."""
    with quiet():
        try:
            return dict(exif.items()) if ifd is None else exif.get_ifd(ifd)
        except PARSING_ERRORS:
            return {}


def clean_text(value: object) -> str | None:
    """A text as it can be shown and stored: no control characters, no half characters, 200 characters at most."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    value = value.partition("\0")[0]
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")  # the standard says ASCII, phones write UTF-8
    kept = "".join(char for char in value if unicodedata.category(char) not in _NOT_ORDINARY)
    return kept[:_LONGEST_TEXT].strip() or None


def _time(
    times: Mapping[int, Any], photo: Mapping[int, Any], gps: Mapping[int, Any], tags: tuple[int, int, int]
) -> WallClock | None:
    """The time in three tags, its date, fraction and offset. An offset that nobody wrote follows from the satellites'
    time; else it is the one that is written for the time of saving, which some cameras write alone."""
    date, fraction, offset = tags

    def text(tag: int) -> str:
        return clean_text(photo.get(tag)) or ""

    found = wall_clock_of_exif(clean_text(times.get(date)) or "", text(fraction), text(offset))
    found = _with_offset(found, gps)
    if found is None or found.offset_minutes is not None:
        return found
    return wall_clock_of_exif(clean_text(times.get(date)) or "", text(fraction), text(ExifTags.Base.OffsetTime))


def _with_offset(taken: WallClock | None, gps: Mapping[int, Any]) -> WallClock | None:
    """A time whose offset nobody wrote, with the one that follows from the satellites' time, which is UTC."""
    if taken is None or taken.offset_minutes is not None:
        return taken
    clock = gps.get(ExifTags.GPS.GPSTimeStamp)
    parts = [_number(part) for part in clock] if isinstance(clock, tuple) and len(clock) == 3 else [None]
    day = wall_clock_of_exif(f"{clean_text(gps.get(ExifTags.GPS.GPSDateStamp))} 00:00:00")
    if day is None or any(part is None for part in parts):
        return taken
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=True) if part is not None)
    ahead = (taken.micros - day.micros) / 1_000_000 - seconds
    nearest = min(_OFFSETS, key=lambda minutes: abs(ahead - 60 * minutes))
    return taken._replace(offset_minutes=nearest) if abs(ahead - 60 * nearest) <= _STALE else taken


def _position(gps: Mapping[int, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "EW", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None  # zero, zero is what receivers without a fix write
    return latitude, longitude


def _degrees(value: object, reference: object, signs: str, most: int) -> float | None:
    parts = value if isinstance(value, tuple) else (value,)
    numbers = [_number(part) for part in parts[:3]]
    side = (clean_text(reference) or "")[:1].upper()
    if side not in signs or not side or any(number is None or number < 0 for number in numbers):
        return None
    degrees = sum(number / 60**power for power, number in enumerate(numbers) if number is not None)
    return None if degrees > most else round(-degrees if side == signs[1] else degrees, 8)


def _altitude(gps: Mapping[int, Any]) -> float | None:
    metres = _between(gps.get(ExifTags.GPS.GPSAltitude), 0, 100_000)
    below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
    return -metres if below and metres else metres


def _lens(exif: Image.Exif, main: Mapping[int, Any], photo: Mapping[int, Any]) -> str | None:
    """The lens that the maker's note names, or else the one that its numbers tell."""
    note, make = photo.get(ExifTags.Base.MakerNote), clean_text(main.get(ExifTags.Base.Make)) or ""
    named = None
    if isinstance(note, bytes) and len(note) > 16:
        block = getattr(exif, "fp", None)
        at = block.getvalue().find(note) if isinstance(block, io.BytesIO) else -1
        order = getattr(exif, "endian", None) or "<"
        with contextlib.suppress(*PARSING_ERRORS):
            named = clean_text(lens_of_note(note, make, at if at >= 0 else None, order))
    return named or lens_of(photo, main.get(ExifTags.Base.LensInfo))


def _exposure(photo: Mapping[int, Any]) -> float | None:
    seconds = _between(photo.get(ExifTags.Base.ExposureTime), 1e-7, 86_400)
    speed = _between(photo.get(ExifTags.Base.ShutterSpeedValue), -17, 24)
    return seconds if seconds or speed is None else float(2**-speed)  # APEX: EXIF 3.0, annex C


def _iso(photo: Mapping[int, Any]) -> int | None:
    for tag in (ExifTags.Base.ISOSpeedRatings, ExifTags.Base.RecommendedExposureIndex, ExifTags.Base.ISOSpeed):
        value = photo.get(tag)
        speed = _between(value[0] if isinstance(value, tuple) and value else value, 1, 100_000_000)
        if speed is not None and speed != 65535:  # a SHORT that could not hold it: the wider tags do
            return int(speed)
    return None


def _between(value: object, least: float, most: float) -> float | None:
    number = _number(value)
    return None if number is None or not least <= number <= most else number


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | IFDRational):
        return None
    try:
        number = float(value)
    except (ArithmeticError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _plain_of(name: str | None, value: object) -> object:
    if isinstance(value, bytes):
        if name in _TEXTS_WITH_CODE:
            return _coded_text(value)
        if name in _SMALL_NUMBERS:
            return list(value[:8])
        if name == "GPSAltitudeRef" and len(value) == 1:
            return value[0]
    return _plain(value)


def _coded_text(value: bytes) -> str | None:
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return clean_text(text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be", "replace"))
    return clean_text(text) if code in (b"ASCII\0\0\0", bytes(8)) else None


def _plain(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**53 else None
    if isinstance(value, float | IFDRational):
        return _number(value)
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bytes) and len(value) == 4 and value.isdigit():
        return value.decode("ascii")  # versions: 0232
    if isinstance(value, tuple) and 0 < len(value) <= _MOST_VALUES:
        plain = [_plain(each) for each in value]
        return None if any(each is None for each in plain) else plain
    return None
