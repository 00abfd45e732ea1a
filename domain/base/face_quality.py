"""How well a face is seen on its picture."""

from __future__ import annotations

import math
from typing import Annotated, Final

import msgspec
from msgspec import Meta

_SHARP: Final = 0.4
_LARGE: Final = 112.0
"""Pixels: what recognisers take in; a smaller face is enlarged for them, which adds nothing."""


class FaceQuality(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an engine measured of a face: `sharpness` 0..1 (0 is blurred), `size` the shorter side of its box in pixels
    of the picture that it looked at (a preview: 1440 on the long side at most), `yaw` by how many degrees the head is
    turned to the viewer's right (negative: left), None where no landmarks tell."""

    sharpness: Annotated[float, Meta(ge=0.0, le=1.0)]
    size: Annotated[float, Meta(ge=0.0, le=1e6)]
    yaw: Annotated[float, Meta(ge=-180.0, le=180.0)] | None = None

    @property
    def clarity(self) -> float:
        """How much a face shows of its person for being sharp, large enough and seen from the front, 0..1; each of the
        three alone can spoil it. A yaw that is not known counts as 30 degrees."""
        frontal = max(0.0, math.cos(math.radians(30.0 if self.yaw is None else self.yaw)))
        return (min(1.0, self.sharpness / _SHARP) * frontal) ** 2 * min(1.0, self.size / _LARGE)
