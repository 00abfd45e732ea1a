"""The blurred placeholder of a photo, shown until its thumbnail has come: a ThumbHash of some 25 bytes.

ThumbHash (Evan Wallace, evanw.github.io/thumbhash) keeps the lowest frequencies of a picture's discrete cosine
transform in three channels, lightness and two colour differences, quantised to four bits each. The format is public and
decoders exist for every client. Here the transform is two small matrix products a channel.
"""

from __future__ import annotations

import base64
import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_SIDE: Final = 64
"""Pixels of the long side that is transformed; the format allows 100, and keeps seven frequencies at most."""


def placeholder_of(pixels: Pixels) -> str:
    """The ThumbHash of an opaque picture (height x width x 3, RGB, uint8) in base64, some 33 characters."""
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    red, green, blue = np.moveaxis(pixels.astype(np.float64) / 255, 2, 0)
    columns, rows = (max(1, _rounded(7 * side / max(height, width))) for side in (width, height))
    lightness = _Channel((red + green + blue) / 3, max(3, columns), max(3, rows))
    yellow_blue = _Channel((red + green) / 2 - blue, 3, 3)
    red_green = _Channel(red - green, 3, 3)
    wide = width > height
    header = (
        _rounded(63 * lightness.mean)
        | _rounded(31.5 + 31.5 * yellow_blue.mean) << 6
        | _rounded(31.5 + 31.5 * red_green.mean) << 12
        | _rounded(31 * lightness.scale) << 18
        | (rows if wide else columns) << 24
        | _rounded(63 * yellow_blue.scale) << 27
        | _rounded(63 * red_green.scale) << 33
        | wide << 39
    )
    nibbles = [*lightness.nibbles, *yellow_blue.nibbles, *red_green.nibbles]
    packed = bytes(low | high << 4 for low, high in zip(nibbles[::2], [*nibbles[1::2], 0], strict=False))
    return base64.b64encode(header.to_bytes(5, "little") + packed).decode("ascii")


class _Channel:
    """The lowest `columns` x `rows` frequencies of one channel: its mean, the largest amplitude, and each over that."""

    def __init__(self, values: npt.NDArray[np.float64], columns: int, rows: int) -> None:
        height, width = values.shape
        amplitudes = _cosines(rows, height) @ values @ _cosines(columns, width).T / (width * height)
        kept = [
            float(amplitudes[row, column])
            for row in range(rows)
            for column in range(columns)
            if (row or column) and column * rows < columns * (rows - row)  # the triangle below the diagonal
        ]
        self.mean = float(amplitudes[0, 0])
        self.scale = max(map(abs, kept))
        if self.scale < 1 / 4096:  # too small for the six bits it is kept in: rounding noise of a flat picture
            self.scale = 0.0
        self.nibbles = [_rounded(15 * (0.5 + 0.5 * each / self.scale)) if self.scale else 8 for each in kept]


@lru_cache(maxsize=256)
def _cosines(count: int, length: int) -> npt.NDArray[np.float64]:
    """The first `count` cosines over `length` samples taken at their middles (the DCT of type II), one a row."""
    middles = np.arange(length) + 0.5
    return np.cos(np.pi / length * np.outer(np.arange(count), middles))


def _rounded(value: float) -> int:
    """Halves upwards, as the format's own code rounds."""
    return math.floor(value + 0.5)
