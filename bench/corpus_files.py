"""What the corpus is made of: files with their right answers, a chart of colours, LittleCMS as the judge of these."""

from __future__ import annotations

import ctypes
import ctypes.util
import io
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageCms

pillow_heif.register_heif_opener()

Colour = tuple[int, int, int]
"""Red, green and blue, each 0 to 255 in sRGB unless a profile is named."""
Samples = npt.NDArray[np.float64]
"""Height x width x channels, each 0 to 1."""

CELL: Final = 60
"""Pixels of the side of one field of the chart."""
COLUMNS: Final = 4
CHART: Final[Sequence[Colour]] = (
    *((230, 60, 50), (60, 200, 70), (50, 80, 220), (235, 220, 60)),
    *((60, 60, 60), (128, 128, 128), (200, 200, 200), (250, 250, 250)),
    *((190, 120, 90), (90, 130, 60), (120, 60, 140), (30, 90, 110)),
)
"""Strong colours, greys, and the colours of skin, leaves, flowers and water."""
GREYS: Final[Sequence[Colour]] = tuple((level, level, level) for level in range(16, 256, 20))
_SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


class FromExiftool(msgspec.Struct, frozen=True):
    """What `exiftool -json -G -n` says under `tag`; `read` brings it to the form of the API."""

    tag: str
    read: Callable[[object], object] = lambda value: value


class CorpusFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the corpus.

    `row` names the line of the table that it counts for, `make` writes it to a path. `is_shown` is false where the
    right answer is a reason without a picture. `colours` are those of the fields of the chart as LittleCMS renders
    them, row by row, None where the picture is no chart. `metadata` are fields of `/image/metadata`, by dotted names,
    and what they are to be: a value, or that of a tag of exiftool's.
    """

    name: str
    row: str
    make: Callable[[Path], object]
    is_shown: bool = True
    kind: Literal["photo", "video"] = "photo"
    colours: Sequence[Colour] | None = None
    metadata: Mapping[str, FromExiftool | str | int | float] = {}


def chart(values: Sequence[Colour] = CHART) -> Samples:
    """A picture of fields of these colours, four in a row."""
    fields = np.array(values, np.float64).reshape(-1, COLUMNS, len(values[0])) / 255
    return fields.repeat(CELL, axis=0).repeat(CELL, axis=1)


def fields_of(image: Image.Image, count: int) -> list[Colour]:
    """The colours in the middle of the fields of a chart, however large it is shown."""
    pixels, rows = np.asarray(image.convert("RGB"), np.float64), -(-count // COLUMNS)
    height, width = pixels.shape[0] / rows, pixels.shape[1] / COLUMNS
    found = []
    for number in range(count):
        top, left = (number // COLUMNS + 0.35) * height, (number % COLUMNS + 0.35) * width
        middle = pixels[int(top) : int(top + 0.3 * height), int(left) : int(left + 0.3 * width)]
        red, green, blue = np.median(middle.reshape(-1, 3), axis=0).round().astype(int).tolist()
        found.append((red, green, blue))
    return found


def eight_bits(samples: Samples) -> Image.Image:
    """A picture of eight bits a channel."""
    pixels = (samples * 255).round().astype(np.uint8)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def saved(image: Image.Image, format_name: str, **options: object) -> bytes:
    """A picture in one of Pillow's formats, without loss of colour."""
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def writes(content: bytes) -> Callable[[Path], object]:
    """Writes these bytes."""
    return lambda path: path.write_bytes(content)


def run(*words: str | Path, folder: Path | None = None, checked: bool = True) -> bytes:
    """What a program writes to standard output; raises where it fails, if that is `checked`."""
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=folder, check=checked, capture_output=True, timeout=300).stdout


def rendered(values: Sequence[Sequence[int]], profile: bytes) -> list[Colour]:
    """Stored values of 0 to 255 as LittleCMS renders them in sRGB: floating point, relative colorimetric, with black
    point compensation."""
    lcms = ctypes.CDLL(ctypes.util.find_library("lcms2") or "liblcms2.so.2")
    for name in ("cmsOpenProfileFromMem", "cmsCreate_sRGBProfile", "cmsCreateTransform"):
        getattr(lcms, name).restype = ctypes.c_void_p
    source = ctypes.c_void_p(lcms.cmsOpenProfileFromMem(profile, len(profile)))
    target = ctypes.c_void_p(lcms.cmsCreate_sRGBProfile())
    channels = len(values[0])
    made = lcms.cmsCreateTransform(source, _doubles(channels), target, _doubles(3), 1, 0x2000)
    transform = ctypes.c_void_p(made)
    scale = 100 if channels == 4 else 1  # inks are in percent
    given = (ctypes.c_double * (len(values) * channels))(*(scale * part / 255 for value in values for part in value))
    out = (ctypes.c_double * (len(values) * 3))()
    lcms.cmsDoTransform(transform, given, out, len(values))
    rounded = (np.clip(np.array(out[:]), 0, 1) * 255).round().astype(int).reshape(-1, 3).tolist()
    return [(red, green, blue) for red, green, blue in rounded]


def _doubles(channels: int) -> int:
    """LittleCMS's word for 64-bit numbers of grey, RGB or CMYK (lcms2.h: FLOAT_SH, COLORSPACE_SH, CHANNELS_SH)."""
    space = {1: 3, 3: 4, 4: 6}[channels]
    return (1 << 22) | (space << 16) | (channels << 3)


def srgb_profile() -> bytes:
    """LittleCMS's own."""
    return _SRGB
