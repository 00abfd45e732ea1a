"""Bitmaps whose colours lie in bits of any number and order, as masks tell: Pillow knows some, and ffmpeg others.

Source: Microsoft's documentation of BITMAPINFOHEADER and BITMAPV5HEADER (`BI_BITFIELDS`).
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from adapters.media.colour import Samples
from adapters.media.deep_pictures import fewer
from adapters.media.pixel_limit import demand_few
from domain.base.errors import Unreadable

_FILE_HEADER: Final = 14
_PLAIN_HEADER: Final = 40
"""Bytes of the header behind which the masks stand; of longer ones they are part."""
_WITH_OPACITY: Final = 56
_BY_MASKS: Final = (3, 6)
"""Compressions: masks of three colours, and of opacity as well."""


class MaskedBitmap:
    """A bitmap of 16 or 32 bits a pixel with masks: `width` and `height` in pixels."""

    def __init__(self, content: bytes, max_pixels: int) -> None:
        """Read the header.

        Raises:
            Unreadable: it is no such bitmap, broken, or has more than `max_pixels`.
        """
        try:
            self._at, length, self.width, height, _, self._bits, way = struct.unpack_from("<10xIIiiHHI", content)
            self._masks = struct.unpack_from("<4I", content, _FILE_HEADER + _PLAIN_HEADER)
        except struct.error as error:
            raise Unreadable("cannot be decoded: its header is broken") from error
        if way not in _BY_MASKS or self._bits not in (16, 32) or self.width <= 0 or not height:
            raise Unreadable("cannot be decoded: a bitmap of another kind")
        has_opacity = (length >= _WITH_OPACITY or way == _BY_MASKS[1]) and self._masks[3] != 0
        self._masks = self._masks if has_opacity else self._masks[:3]
        self._is_upright, self.height = height < 0, abs(height)
        demand_few(self.width, self.height, max_pixels)
        self._content = content

    def samples(self, long_side: int) -> Samples:
        """The picture, made smaller where it is far larger than `long_side`.

        Raises:
            Unreadable: it ends too early, or a colour has no bits.
        """
        row = -(-self.width * self._bits // 32) * 4
        if self._at + row * self.height > len(self._content) or not all(self._masks):
            raise Unreadable("cannot be decoded: its pixels are not all there")
        rows = np.frombuffer(self._content, np.uint8, row * self.height, self._at).reshape(self.height, row)
        kind = "<u2" if self._bits == 16 else "<u4"
        pixels = np.ascontiguousarray(rows[:, : self.width * self._bits // 8]).view(kind)
        stacked = np.dstack([_part(pixels, mask) for mask in self._masks])
        return fewer(stacked if self._is_upright else np.ascontiguousarray(stacked[::-1]), long_side)


def _part(pixels: npt.NDArray[np.unsignedinteger], mask: int) -> Samples:
    """What one mask picks out of each pixel, 0 to 1."""
    shift = (mask & -mask).bit_length() - 1
    return ((pixels & mask) >> shift).astype(np.float32) / float(mask >> shift)
