"""Whether one picture shows another one: the whole of it or a part, upright or turned, made lighter or darker or not.

Both are compared as small grey pictures. The new one, turned back in each of the eight ways, is laid on the old one at
many sizes and places, and the normalised cross-correlation (zero mean, unit variance: blind to brightness and contrast;
J. P. Lewis, Fast Normalized Cross-Correlation, 1995) says how well it fits there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from domain.base.errors import Unreadable
from domain.base.geometry import WHOLE, Box, Placement

Grey = NDArray[np.float32]
SIDE: Final = 64
"""Pixels of the old picture's long side: a place is found to 1/64 of it. All turns and sizes are tried at half of that,
and the `LIKELIEST` looked at again."""
LIKELIEST: Final = 6
SMALLEST: Final = 0.45
"""The least part of the old picture's sides that a crop keeps."""
STEP: Final = 0.96
"""From one size to the next smaller one that is tried."""
LEAST_WHOLE: Final = 0.88
"""From this correlation on it is the same picture where the whole of it is shown. The smaller a part, the more easily
it fits by chance: the least one needs nearly `LEAST_PART`. Portraits of two men before the same flags reach 0.87 in
half of the picture; a picture that was cropped by a quarter on all sides, or whose histogram was equalised, 0.92."""
LEAST_PART: Final = 0.92
MOST_DIFFERENCE: Final = 1.5
"""Grey levels by which two pictures that are one, coded twice, differ on average."""
LEAST_CONTRAST: Final = 2.0
"""Standard deviation of grey levels (of 255) below which a picture shows nothing that could be told from another."""
_TURNED_BACK: Final = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""By EXIF orientation: what takes a picture back that was turned as it says."""


class _Fit(msgspec.Struct, frozen=True):
    """How well a part fits at its best place: `score` -1 to 1, `window` where that is, 0..1 of the whole."""

    score: float
    window: Box


def placement_in(old: bytes, new: bytes) -> Placement | None:
    """The same as `placement_of` of the pictures in two files; runs in a worker process.

    Raises:
        Unreadable: one of the two is no picture.
    """
    try:
        with Image.open(os.fsdecode(old)) as older, Image.open(os.fsdecode(new)) as newer:
            return placement_of(older, newer)
    except OSError as error:
        raise Unreadable(f"a thumbnail cannot be read: {error}") from error


def placement_of(old: Image.Image, new: Image.Image) -> Placement | None:
    """How `new` shows `old`, the whole, a part, or with something around it; None where it shows another picture, or
    nothing that could be told from one."""
    if _is_equal(old, new):
        return Placement()
    (score, found), (around_score, around) = _within(old, new), _within(new, old)
    return around.inverse if around is not None and around_score > score else found


def _is_equal(old: Image.Image, new: Image.Image) -> bool:
    """Whether both show the very same, but for what coding it anew makes of it."""
    if old.size != new.size:
        return False
    one, other = (np.asarray(_small(picture, 2 * SIDE), np.float32) for picture in (old, new))
    return float(np.abs(one - other).mean()) < MOST_DIFFERENCE


def _within(whole: Image.Image, part: Image.Image) -> tuple[float, Placement | None]:
    """How `part` shows some of `whole`, and how well it fits."""
    rough, shown = _pixels(_small(whole, SIDE // 2)), _small(part, SIDE)
    fits = [
        (_fit(rough, turned, scale).score, orientation, scale)
        for orientation in _TURNED_BACK
        for turned in (_turned_back(shown, orientation),)
        for scale in _scales(turned.size, rough.shape)
    ]
    fine, shown = _pixels(_small(whole, SIDE)), _small(part, 2 * SIDE)
    best, found = 0.0, None
    for _, orientation, scale in sorted(fits, reverse=True)[:LIKELIEST]:
        turned = _turned_back(shown, orientation)
        for nearby in (scale / STEP**0.5, scale, scale * STEP**0.5):
            fit = _fit(fine, turned, min(nearby, 1.0))
            share = fit.window.w * fit.window.h
            if fit.score > best and fit.score >= LEAST_PART + (LEAST_WHOLE - LEAST_PART) * share:
                best, found = fit.score, Placement(fit.window, orientation)
    return best, found


def _small(picture: Image.Image, side: int) -> Image.Image:
    """A picture in grey, at most `side` pixels long."""
    small = picture.convert("L")
    small.thumbnail((side, side), Image.Resampling.BOX)
    return small


def _pixels(picture: Image.Image) -> Grey:
    """The levels of a grey picture, a little blurred, so that half a pixel makes no difference."""
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), np.float32)


def _turned_back(picture: Image.Image, orientation: int) -> Image.Image:
    back = _TURNED_BACK[orientation]
    return picture if back is None else picture.transpose(back)


def _largest(part: tuple[int, int], shape: tuple[int, ...]) -> tuple[float, float]:
    """The width and height, in pixels of the whole, of the largest part of its shape that lies on it."""
    scale = min(shape[1] / part[0], shape[0] / part[1])
    return part[0] * scale, part[1] * scale


def _scales(part: tuple[int, int], shape: tuple[int, ...]) -> Iterator[float]:
    """How much smaller than the largest that lies on the whole the part may be, the largest first."""
    width, height = _largest(part, shape)
    scale = 1.0
    while width * scale >= SMALLEST * shape[1] and height * scale >= SMALLEST * shape[0]:
        yield scale
        scale *= STEP


def _fit(whole: Grey, part: Image.Image, scale: float) -> _Fit:
    """The best place of a part at one size."""
    rows, columns = whole.shape
    width, height = (max(2, round(side * scale)) for side in _largest(part.size, whole.shape))
    pixels = _pixels(part.resize((min(width, columns), min(height, rows)), Image.Resampling.BOX))
    deviation = float(pixels.std())
    if deviation < LEAST_CONTRAST:
        return _Fit(0.0, WHOLE)
    products = np.einsum("abij,ij->ab", sliding_window_view(whole, pixels.shape), pixels - pixels.mean(), optimize=True)
    mean, mean_square = (_means(values, pixels.shape) for values in (whole, whole**2))
    spread = np.sqrt(np.maximum(mean_square - mean**2, LEAST_CONTRAST**2))
    scores = products / (pixels.size * spread * deviation)
    top, left = divmod(int(scores.argmax()), scores.shape[1])
    h, w = pixels.shape
    return _Fit(float(scores[top, left]), Box(left / columns, top / rows, w / columns, h / rows))


def _means(values: Grey, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The mean over each window of a shape, by an integral image."""
    integral = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    integral[1:, 1:] = values.cumsum(0, dtype=np.float64).cumsum(1)
    h, w = shape
    return (integral[h:, w:] - integral[:-h, w:] - integral[h:, :-w] + integral[:-h, :-w]) / (h * w)
