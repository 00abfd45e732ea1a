"""Bitmaps with masks of any kind, which no library here writes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def bitmap(
    samples: npt.NDArray[np.float64], bits: int, masks: Sequence[int], *, header: int = 40, top_first: bool = False
) -> bytes:
    """A picture of height x width x 3 or 4, each 0 to 1, as a bitmap of 16 or 32 `bits` a pixel, of which each mask
    picks one channel; `header` is 40, 56, 108 or 124 bytes long."""
    height, width, _ = samples.shape
    pixels = np.zeros((height, width), np.uint64)
    for channel, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        pixels |= (samples[:, :, channel] * (mask >> shift)).round().astype(np.uint64) << np.uint64(shift)
    order = pixels if top_first else pixels[::-1]
    packed = [row.astype("<u2" if bits == 16 else "<u4").tobytes() for row in order]
    rows = b"".join(row.ljust(-(-len(row) // 4) * 4, b"\0") for row in packed)
    signed = -height if top_first else height
    head = struct.pack("<IiiHHIIiiII", header, width, signed, 1, bits, 3, len(rows), 2835, 2835, 0, 0)
    if header == 40:
        head += struct.pack("<III", *masks[:3])
    else:
        head += struct.pack("<IIII", *masks[:3], masks[3] if len(masks) > 3 else 0) + bytes(header - 56)
    at = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + head + rows
