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


WHOLE = Box(0.0, 0.0, 1.0, 1.0)
LEAST_KEPT = 0.5
"""A box of which less than this part lies on a picture is not on it."""


class Placement(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a picture shows an older one: the part `window` of it, turned as the EXIF `orientation` says (1 not at all, 2
    mirrored, 3 by 180 degrees, 4 upside down, 5 transposed, 6 by 90 degrees clockwise, 7 transversed, 8 by 90 degrees
    the other way)."""

    window: Box = WHOLE
    orientation: int = 1

    def of(self, box: Box) -> Box | None:
        """Where a box of the older picture lies on this one; None where less than half of it does."""
        placed = self.unclamped(box)
        if placed.x >= 0 and placed.y >= 0 and placed.x + placed.w <= 1 and placed.y + placed.h <= 1:
            return placed
        kept = clamped(placed)
        return kept if kept.w * kept.h >= LEAST_KEPT * placed.w * placed.h else None

    def unclamped(self, box: Box) -> Box:
        """Where a box of the older picture lies on this one or beside it."""
        window = self.window
        x, y = (box.x - window.x) / window.w, (box.y - window.y) / window.h
        w, h = box.w / window.w, box.h / window.h
        right, below = 1 - x - w, 1 - y - h
        return {
            1: Box(x, y, w, h),
            2: Box(right, y, w, h),
            3: Box(right, below, w, h),
            4: Box(x, below, w, h),
            5: Box(y, x, h, w),
            6: Box(below, x, h, w),
            7: Box(below, right, h, w),
            8: Box(y, right, h, w),
        }[self.orientation]

    @property
    def inverse(self) -> Placement:
        """How the older picture shows this one: where it is a part of this one, with something around it."""
        return Placement(self.unclamped(WHOLE), {6: 8, 8: 6}.get(self.orientation, self.orientation))
