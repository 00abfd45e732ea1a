"""Pictures as the nets take them, from bytes that anyone may have made. Runs in worker processes only."""

from __future__ import annotations

import io
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domain.base.errors import Unreadable

Pixels = NDArray[np.uint8]

MAX_PIXELS = 100_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")


def decoded(picture: bytes) -> Pixels:
    """The upright picture, rows x columns x 3, uint8, BGR; an orientation tag, where there is one, is applied.

    The header is read first, so that a picture of more than `MAX_PIXELS` is refused before any of it is decoded.

    Raises:
        Unreadable: no JPEG, PNG or WebP, larger than `MAX_PIXELS`, truncated or damaged.
    """
    width, height = _size(picture)
    if width * height > MAX_PIXELS:
        raise Unreadable(f"the picture has {width} x {height} pixels; {MAX_PIXELS // 1_000_000} million are the limit")
    try:
        pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR_BGR)
    except cv2.error as error:
        if out_of_memory(error):
            raise
        raise Unreadable(f"the picture cannot be decoded: {error}") from error
    if pixels is None:
        raise Unreadable(f"the picture cannot be decoded: {_reason(picture)}")
    return np.asarray(pixels, dtype=np.uint8)


def out_of_memory(error: cv2.error) -> bool:
    """Whether OpenCV failed for lack of memory; C++ and OpenCV say so in their texts only."""
    return any(sign in str(error) for sign in ("bad_alloc", "Insufficient memory"))


def _size(picture: bytes) -> tuple[int, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit follows
            with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
                return image.size
    except Image.DecompressionBombError as error:
        raise Unreadable(f"the picture is too large: {error}") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise Unreadable("this is no JPEG, PNG or WebP picture, or its header is damaged") from error


def _reason(picture: bytes) -> str:
    """What Pillow says of a picture that OpenCV would not decode: OpenCV gives no reasons."""
    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
            image.load()
    except (OSError, ValueError, SyntaxError) as error:
        return str(error)
    return "its data is damaged"
