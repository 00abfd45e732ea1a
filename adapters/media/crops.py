"""Pictures made to be looked at now: a photo at any size, and one face of it.

These functions run in worker processes, as those of `indexing`.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from adapters.media.colour import Pixels
from adapters.media.contents import read_photo
from adapters.media.pictures import open_picture
from adapters.media.renditions import encoded
from domain.base.errors import Unreadable
from domain.base.geometry import Box, clamped

_QUALITY: Final = 85
LARGEST_SIDE: Final = 16_384
"""Pixels; a JPEG ends at 65,535, and a screen long before this."""


def face_crop(path: bytes, box: Box, size: int, padding: float = 0.3) -> bytes:
    """The square around a face as a JPEG of `size` x `size` pixels, from a photo or its preview, upright.

    `box` is normalised to the upright picture; the square is its longer side and `padding` of that on either side,
    moved onto the picture where it would leave it, and as large as the picture allows. Only as much of the picture is
    decoded as the crop needs to be sharp.

    Raises:
        Unreadable: nothing can be decoded, or the box is not on the picture.
        NotFound, StillChanging, Unavailable: as `contents.read_content`.
    """
    box = clamped(box)
    if not (box.w > 0 and box.h > 0):
        raise Unreadable("the box of this face is not on the picture")
    size = min(max(size, 1), LARGEST_SIDE)
    picture = open_picture(*read_photo(path))
    longest = max(picture.width, picture.height)
    needed = size * longest / _side(box, picture.width, picture.height, padding)
    pixels = picture.decoded(max(1, min(longest, round(needed)))).pixels
    square = _square(pixels, box, padding)
    way = cv2.INTER_AREA if square.shape[0] > size else cv2.INTER_CUBIC
    return encoded(np.asarray(cv2.resize(square, (size, size), interpolation=way), np.uint8), _QUALITY)


def _side(box: Box, width: int, height: int, padding: float) -> float:
    return max(1.0, min(max(box.w * width, box.h * height) * (1 + 2 * padding), width, height))


def _square(pixels: Pixels, box: Box, padding: float) -> Pixels:
    height, width = pixels.shape[:2]
    side = round(_side(box, width, height, padding))
    left = round((box.x + box.w / 2) * width - side / 2)
    top = round((box.y + box.h / 2) * height - side / 2)
    left, top = min(max(left, 0), width - side), min(max(top, 0), height - side)
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
