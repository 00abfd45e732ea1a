"""What the header of a JPEG XL says, without decoding a pixel (ISO 18181-1, annexes A and D)."""

from __future__ import annotations

from typing import Final, NamedTuple

from adapters.media.boxes import boxes

_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZES: Final = (9, 13, 18, 30)
"""Bits of a number, by the two bits before it."""
_ENOUGH: Final = 16
"""Bytes that the fields of interest never fill."""


class JxlHeader(NamedTuple):
    """Pixels as stored, and how they are to be turned (EXIF's numbers, 1 to 8)."""

    width: int
    height: int
    orientation: int


def jxl_header(content: bytes) -> JxlHeader | None:
    """The size of a JPEG XL, bare or in boxes; None where its header is not there."""
    start = _codestream(content)
    if not content.startswith(b"\xff\x0a", start):
        return None
    bits = _Bits(content[start + 2 : start + 2 + _ENOUGH])
    is_small = bits.take(1)
    height = 8 * (1 + bits.take(5)) if is_small else _number(bits)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        width = height * across // down
    else:
        width = 8 * (1 + bits.take(5)) if is_small else _number(bits)
    all_default = bits.take(1)
    orientation = 1 + bits.take(3) if not all_default and bits.take(1) else 1
    return JxlHeader(width, height, orientation)


def _codestream(content: bytes) -> int:
    """Where it begins: in its box, or in the first of several, behind their number."""
    if content.startswith(b"\xff\x0a"):
        return 0
    for box in boxes(content):
        if box.kind in (b"jxlc", b"jxlp"):
            return box.at + (4 if box.kind == b"jxlp" else 0)
    return len(content)


def _number(bits: _Bits) -> int:
    return 1 + bits.take(_SIZES[bits.take(2)])


class _Bits:
    """Numbers of some bits each, the lowest bit of the lowest byte first; zeros behind the end."""

    def __init__(self, content: bytes) -> None:
        self._left = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value
