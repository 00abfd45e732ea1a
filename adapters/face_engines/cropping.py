"""The crop of one face, for a face service that is sent no box.

The pixels are cut out in a worker process, as those of `embedded`: the server's own holds no OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adapters.workers.pool import WorkerPool
from domain.base.errors import Unreadable
from domain.base.geometry import Box, clamped, padded

Crop = Callable[[bytes, Box], bytes]
"""Cuts the face in a box out of an encoded upright picture, with what is around it, as a JPEG."""

PADDING: Final = 0.1
"""Of the box's own sides, on each side: what the contract of face services says."""
_QUALITY: Final = 95
"""Of the JPEG: embeddings of faces suffer from blocks long before a viewer sees them."""


def crops_in(workers: WorkerPool, seconds: float) -> Crop:
    """Cuts faces out in one of `workers`, each within `seconds`."""

    def crop(picture: bytes, box: Box) -> bytes:
        return workers.submit(cropping_a_face, picture, box, timeout=seconds).result()

    return crop


def cropping_a_face(picture: bytes, box: Box, padding: float = PADDING) -> bytes:
    """The JPEG of what lies in `box` (normalised, on the upright picture) and `padding` of its sides around it.

    Raises:
        Unreadable: no JPEG, PNG or WebP, damaged, over 100 megapixels; or the box is off the picture.
    """
    import cv2  # noqa: PLC0415 - OpenCV is loaded in workers alone

    from adapters.face_engines.decoding import decoded  # noqa: PLC0415 - the same

    box = clamped(box)
    pixels = decoded(picture)
    height, width = pixels.shape[:2]
    if box.w * width < 1 or box.h * height < 1:
        raise Unreadable("the box of this face holds no pixel of the picture")
    around = padded(box, padding)
    left, top = round(around.x * width), round(around.y * height)
    right, bottom = round((around.x + around.w) * width), round((around.y + around.h) * height)
    _, jpeg = cv2.imencode(".jpg", pixels[top:bottom, left:right], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return jpeg.tobytes()
