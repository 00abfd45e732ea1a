"""The lens in a maker's note, for cameras that do not write it where EXIF has a place for it.

A note is a directory of TIFF behind a header of the maker's own; where its values lie is counted from the beginning of
the note, or of the EXIF block that it stands in. Lenses that are told by a number alone are left out: what the numbers
mean is in no standard.
Sources: ExifTool's `Canon.pm`, `Nikon.pm`, `Olympus.pm`, `Panasonic.pm`, and TIFF 6.0.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

from PIL import ExifTags

_CANON_SETTINGS: Final = 0x0001
_CANON_LENS, _NIKON_LENS, _PANASONIC_LENS = 0x0095, 0x0084, 0x0051
_OLYMPUS_EQUIPMENT, _OLYMPUS_LENS = 0x2010, 0x0203
_MOST_ENTRIES: Final = 512
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 13: 4}


class MakerNote:
    """A directory of TIFF in a maker's note: its fields' types, counts and bytes by their tags."""

    def __init__(self, note: bytes, at: int, order: str, base: int) -> None:
        """The directory at `at`, whose offsets count from `base`."""
        self._note, self._order, self._base = note, order, base
        self._fields: dict[int, tuple[int, int, int]] = {}
        if at + 2 > len(note):
            return
        (count,) = struct.unpack_from(f"{order}H", note, at)
        for place in range(at + 2, at + 2 + 12 * min(count, _MOST_ENTRIES), 12):
            if place + 12 > len(note):
                return
            tag, kind, values = struct.unpack_from(f"{order}HHI", note, place)
            self._fields[tag] = (kind, values, place + 8)

    def value(self, tag: int) -> bytes:
        """The bytes of a field; empty where it is missing or lies elsewhere."""
        if tag not in self._fields:
            return b""
        kind, values, at = self._fields[tag]
        length = values * _SIZES.get(kind, 1)
        if length > 4:
            at = self._base + struct.unpack_from(f"{self._order}I", self._note, at)[0]
        return self._note[at : at + length] if 0 <= at <= len(self._note) - length else b""

    def offset(self, tag: int) -> int | None:
        """Where the directory begins that a field leads to."""
        if tag not in self._fields:
            return None
        return self._base + int(struct.unpack_from(f"{self._order}I", self._note, self._fields[tag][2])[0])


def lens_of_note(note: bytes, make: str, note_at: int | None, order: str) -> str:
    """The lens that a note of this maker names, empty where it names none. `note_at` is where the note begins in its
    EXIF block, where that is known, and `order` that block's byte order (`<` or `>`)."""
    make = make.casefold()
    if make.startswith("canon") and note_at is not None:
        canon = MakerNote(note, 0, order, -note_at)
        return _text(canon.value(_CANON_LENS)) or _of_canon_settings(canon.value(_CANON_SETTINGS), order)
    if note.startswith(b"Nikon\0") and len(note) > 18:
        inner = "<" if note[10:12] == b"II" else ">"
        directory = struct.unpack_from(f"{inner}I", note, 14)[0]
        return lens_in_numbers(_rationals(MakerNote(note, 10 + directory, inner, 10).value(_NIKON_LENS), inner))
    if note.startswith((b"OLYMPUS\0", b"OM SYSTEM\0")) and len(note) > 16:
        return _of_olympus(note)
    if note.startswith(b"Panasonic\0") and note_at is not None:
        return _text(MakerNote(note, 12, order, -note_at).value(_PANASONIC_LENS))
    return ""


def lens_in_numbers(numbers: tuple[float, ...]) -> str:
    """A lens by its focal lengths in millimetres and largest apertures, as EXIF's `LensSpecification` has them:
    `24-70mm f/2.8-4`; empty where they say nothing."""
    if len(numbers) != 4 or not 0 < numbers[0] <= numbers[1] < 10_000:
        return ""
    short, long, wide, wide_at_long = numbers
    focal = f"{short:g}mm" if short == long else f"{short:g}-{long:g}mm"
    if not 0 < wide < 100:
        return focal
    aperture = f"f/{wide:g}" if wide == wide_at_long or not 0 < wide_at_long < 100 else f"f/{wide:g}-{wide_at_long:g}"
    return f"{focal} {aperture}"


def lens_of(photo: Mapping[int, Any], of_dng: object) -> str | None:
    """The lens by its numbers in EXIF, or in a DNG's own tag."""
    for value in (photo.get(ExifTags.Base.LensSpecification), of_dng):
        if isinstance(value, tuple) and len(value) == 4:
            try:
                named = lens_in_numbers(tuple(round(float(each), 2) for each in value))
            except (TypeError, ValueError, ArithmeticError):
                continue
            if named:
                return named
    return None


def _of_canon_settings(settings: bytes, order: str) -> str:
    """The focal lengths among the settings of cameras that do not know their lenses' names: the 24th to 26th number are
    the longest, the shortest and in how many parts of a millimetre they are."""
    if len(settings) < 52:
        return ""
    long, short, unit = struct.unpack_from(f"{order}3H", settings, 46)
    return lens_in_numbers((short / unit, long / unit, 0, 0)) if unit else ""


def _of_olympus(note: bytes) -> str:
    """Olympus keeps its equipment in a directory of its own, counted from the beginning of the note."""
    start = 16 if note.startswith(b"OM SYSTEM\0") else 12
    order = "<" if note[start - 4 : start - 2] == b"II" else ">"
    at = MakerNote(note, start, order, 0).offset(_OLYMPUS_EQUIPMENT)
    return "" if at is None or not 0 < at < len(note) else _text(MakerNote(note, at, order, 0).value(_OLYMPUS_LENS))


def _rationals(value: bytes, order: str) -> tuple[float, ...]:
    pairs = [struct.unpack_from(f"{order}II", value, at) for at in range(0, len(value) - 7, 8)]
    return tuple(round(above / below, 2) if below else 0.0 for above, below in pairs)


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("utf-8", "replace").strip()
