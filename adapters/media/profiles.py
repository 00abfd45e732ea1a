"""Colour profiles that are written here: of colours that a file names in words and not by a profile of its own.

A profile is ICC's of version 2 (ICC.1:2001-04) with three primaries and one curve, as monitors and cameras have it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
"""A chromaticity: x and y of CIE 1931."""

D65: Final[Point] = (0.3127, 0.3290)
SRGB_PRIMARIES: Final = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_PRIMARIES: Final = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
"""Red, green and blue of Adobe RGB (1998), 4.3.1.1."""
_ADOBE_GAMMA: Final = 2 + 51 / 256
"""Adobe RGB (1998), 4.3.1.2."""
_D50: Final = (0.9642, 1.0, 0.8249)
"""What all profiles refer to (ICC.1, annex A)."""
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""From XYZ to what the cones answer (ICC.1:2010, annex E)."""


@lru_cache(maxsize=1)
def adobe_rgb() -> bytes:
    """The profile of pictures that only EXIF says to be in Adobe RGB."""
    return matrix_profile("Adobe RGB (1998)", ADOBE_PRIMARIES, D65, [_ADOBE_GAMMA])


def matrix_profile(name: str, primaries: Sequence[Point], white: Point, curve: Sequence[float]) -> bytes:
    """A profile of three primaries and a white point, with one curve for all three: a gamma alone, or the light of 2
    and more evenly spaced values, each 0 to 1."""
    curves = _curve(curve)
    red, green, blue = (_xyz_tag(column) for column in _adapted(primaries, white).T)
    tags = [
        (b"desc", _described(name)),
        (b"cprt", b"text\0\0\0\0No copyright\0"),
        (b"wtpt", _xyz_tag(_D50)),
        (b"rXYZ", red),
        (b"gXYZ", green),
        (b"bXYZ", blue),
        *((each, curves) for each in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    table, data, places = b"", b"", {}
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags:
        if content not in places:
            places[content] = start + len(data)
            data += content + bytes(-len(content) % 4)
        table += tag + struct.pack(">II", places[content], len(content))
    length = start + len(data)
    return _header(length) + struct.pack(">I", len(tags)) + table + data


def _adapted(primaries: Sequence[Point], white: Point) -> npt.NDArray[np.float64]:
    """XYZ of the primaries in columns, as they look under D50."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    light = np.array((white[0] / white[1], 1.0, (1 - white[0] - white[1]) / white[1]))
    columns = columns * np.linalg.solve(columns, light)
    cones = _BRADFORD @ np.array(_D50) / (_BRADFORD @ light)
    adapted: npt.NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ columns
    return adapted


def _header(length: int) -> bytes:
    illuminant = b"".join(_fixed(part) for part in _D50)
    made = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    words = b"none" + b"\x02\x40\0\0" + b"mntrRGB XYZ " + made + b"acsp" + bytes(28) + illuminant
    return (struct.pack(">I", length) + words).ljust(128, b"\0")


def _described(name: str) -> bytes:
    text = name.encode("ascii", "replace") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)


def _curve(values: Sequence[float]) -> bytes:
    numbers = [round(values[0] * 256)] if len(values) == 1 else [round(value * 65535) for value in values]
    return b"curv\0\0\0\0" + struct.pack(f">I{len(numbers)}H", len(numbers), *numbers)


def _xyz_tag(values: Sequence[float] | npt.NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(float(value)) for value in values)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))
