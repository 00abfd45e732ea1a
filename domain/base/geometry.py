"""Boxes on an upright picture, normalised so that they hold at every size of it."""

from __future__ import annotations

import msgspec


class Box(msgspec.Struct, frozen=True):
    """A rectangle: `x`, `y` its upper left corner, `w`, `h` its sides, all 0..1 of the upright picture."""

    x: float
    y: float
    w: float
    h: float


def clamped(box: Box) -> Box:
    """The part of `box` that lies on the picture; a box wholly outside comes back with a side of 0."""
    left, top = min(max(box.x, 0.0), 1.0), min(max(box.y, 0.0), 1.0)
    right, bottom = min(max(box.x + box.w, 0.0), 1.0), min(max(box.y + box.h, 0.0), 1.0)
    return Box(left, top, right - left, bottom - top)


def padded(box: Box, fraction: float) -> Box:
    """`box` grown on every side by `fraction` of its own width or height, kept on the picture."""
    dx, dy = box.w * fraction, box.h * fraction
    return clamped(Box(box.x - dx, box.y - dy, box.w + 2 * dx, box.h + 2 * dy))


def intersection_over_union(a: Box, b: Box) -> float:
    """Overlap of two boxes, 0 (apart) to 1 (the same), the Jaccard index of their areas."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    either = a.w * a.h + b.w * b.h - shared
    return min(shared / either, 1.0) if either > 0 else 0.0  # areas below the smallest float are nothing
