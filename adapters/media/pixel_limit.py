"""How much of a stranger's picture is decoded at most."""

from __future__ import annotations

from typing import Final

from domain.base.errors import Unreadable

MAX_PIXELS: Final = 250_000_000
"""A picture of 250 megapixels is decoded to 750 MB where its decoder cannot scale; larger ones are left alone."""


class TooManyPixels(Unreadable):
    """A picture larger than `MAX_PIXELS`, which no other decoder is to be asked for either."""


def demand_few(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Raise `TooManyPixels` where a picture of that size has more than `max_pixels`."""
    if width * height > max_pixels:
        raise TooManyPixels(f"{width} x {height}: more than {max_pixels // 1_000_000} million pixels")
