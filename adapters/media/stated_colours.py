"""In which colours a photo says that it is, where it has no profile of its own: by EXIF, by numbers, by its boxes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
from PIL import ExifTags, Image

from adapters.media.boxes import boxes, within
from adapters.media.exif import PARSING_ERRORS, directory
from adapters.media.profiles import D65, SRGB_PRIMARIES, Point, adobe_rgb, matrix_profile

_ADOBE: Final = 2
"""What some cameras write as EXIF's ColorSpace, beside the standard's 1 (sRGB) and 65535 (another)."""
_PRIMARIES: Final[Mapping[int, tuple[tuple[Point, Point, Point], Point]]] = {
    1: (SRGB_PRIMARIES, D65),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), D65),
    11: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), (0.314, 0.351)),
    12: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65),
}
"""Red, green, blue and white by their number (ITU-T H.273, table 2): sRGB, Rec. 2020, DCI-P3, Display P3."""
_GAMMAS: Final = {4: 2.2, 5: 2.8, 8: 1.0}
"""Transfer characteristics that are a power (ITU-T H.273, table 3). Those of video (1, 6, 14, 15) are shown as sRGB's,
as browsers do; so are the two of HDR, of which no profile of three curves can tell."""
_USUAL_GAMMA: Final = 0.45455
"""What programs write into a PNG that is sRGB."""
_NEAR: Final = 0.01


def stated_by_exif(exif: Image.Exif) -> bytes | None:
    """The profile of Adobe RGB where EXIF says so: DCF's optional colour space (DCF 2.0, 3.2.3: R03), or a ColorSpace
    of 2; None otherwise."""
    photo = directory(exif, ExifTags.IFD.Exif)
    if photo.get(ExifTags.Base.ColorSpace) == _ADOBE:
        return adobe_rgb()
    index = directory(exif, ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
    name = index.decode("latin-1") if isinstance(index, bytes) else str(index)
    return adobe_rgb() if name.strip("\0 ") == "R03" else None


def stated_by_file(content: bytes, format_name: str, info: Mapping[Any, object]) -> bytes | None:
    """The profile that follows from how a format states colours, `info` being what Pillow read of its header; None
    where it states none, or sRGB."""
    if format_name == "png":
        return None if "srgb" in info else _of_png(info.get("gamma"), info.get("chromaticity"))
    if format_name in ("heic", "avif"):
        return _of_items(content)
    return _of_jp2(content) if format_name == "jp2" else None


def _of_png(gamma: object, points: object) -> bytes | None:
    """What gAMA and cHRM say (PNG, third edition, 11.3.2)."""
    match points:
        case (float(wx), float(wy), float(rx), float(ry), float(gx), float(gy), float(bx), float(by)):
            primaries, white = ((rx, ry), (gx, gy), (bx, by)), (wx, wy)
        case _:
            primaries, white = SRGB_PRIMARIES, D65
    if not isinstance(gamma, float):
        return None if points is None else _profile(primaries, white, None)
    is_usual = np.allclose((*primaries, white), (*SRGB_PRIMARIES, D65), atol=_NEAR)
    if is_usual and abs(gamma - _USUAL_GAMMA) < _NEAR:
        return None
    return _profile(primaries, white, 1 / gamma) if 0.1 < gamma < 10 else None


def _of_items(content: bytes) -> bytes | None:
    """What the first box of coding-independent code points says (ISO 14496-12, 12.1.5)."""
    for meta in boxes(content):
        for box in within(content, meta, [b"iprp", b"ipco", b"colr"], skip=4) if meta.kind == b"meta" else ():
            if content[box.at : box.at + 4] == b"nclx" and box.end - box.at >= 10:
                primaries, transfer = (int.from_bytes(content[at : at + 2], "big") for at in (box.at + 4, box.at + 6))
                known = _PRIMARIES.get(primaries)
                gamma = _GAMMAS.get(transfer)
                return None if known is None or (primaries == 1 and gamma is None) else _profile(*known, gamma)
    return None


def _of_jp2(content: bytes) -> bytes | None:
    """The profile in a JPEG 2000 (ISO 15444-1, I.5.3.3: method 2; any profile: 15444-2, method 3)."""
    for header in boxes(content):
        for box in within(content, header, [b"colr"]) if header.kind == b"jp2h" else ():
            if content[box.at] in (2, 3):
                return content[box.at + 3 : box.end]
    return None


@lru_cache(maxsize=32)
def _profile(primaries: tuple[Point, Point, Point], white: Point, gamma: float | None) -> bytes | None:
    """A profile with a gamma, or with sRGB's curve; None where such primaries cannot be."""
    try:
        return matrix_profile("stated in the file", primaries, white, _srgb_curve() if gamma is None else [gamma])
    except PARSING_ERRORS:
        return None


@lru_cache(maxsize=1)
def _srgb_curve() -> list[float]:
    """Light for 1,024 even values (IEC 61966-2-1, 5.2)."""
    values = np.linspace(0, 1, 1024)
    light: list[float] = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).tolist()
    return light
