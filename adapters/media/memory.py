"""How much memory decoding a photo fills at most, so that many at once wait for one another."""

from __future__ import annotations

from typing import Final

from adapters.workers.worker_process import may_fill

_BYTES_A_PIXEL: Final = {
    **dict.fromkeys(("jpeg", "bmp"), 8),
    **dict.fromkeys(("avif", "gif", "webp"), 16),
    "jp2": 20,
    **dict.fromkeys(("heic", "jxl"), 28),
    **dict.fromkeys(("png", "tiff"), 36),
}
"""Measured on 12 megapixels, rounded up: PNG and TIFF of sixteen bits and floating point take that, of eight bits 6 to
16; a JPEG that is scaled next to nothing, another one 2 to 8; JPEG XL with the ffmpeg that reads it."""
_OF_A_RAW: Final = 24
_UNKNOWN_PIXELS: Final = 24_000_000


def wait_for_room(format_name: str, width: int | None, height: int | None, length: int) -> None:
    """Wait until there is room for decoding a photo of this size in pixels, whose file has `length` bytes."""
    pixels = (width or 0) * (height or 0) or _UNKNOWN_PIXELS
    may_fill(length + pixels * _BYTES_A_PIXEL.get(format_name, _OF_A_RAW))
