"""Places on a picture that are looked at once more, upright and at a size that the detector sees best. Runs in worker
processes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from adapters.face_engines.centerface import CenterFace, FoundFace, Points
from adapters.face_engines.decoding import Pixels

_FACE = 1 / 3
"""Of a tile's side: the face with a face's width around it."""
_COLUMNS = 3
_ON_A_SHEET = 36
"""Tiles that the net sees at once: they bound its memory."""
_NEAR = 0.2
"""Of a tile's side: so far from its middle a face is still the one that was asked about."""
_GREY = 127


class LookedAt(NamedTuple):
    """Where a face may be: its `centre` in pixels, the mean of its sides as `size`, by how many degrees it is `turn`ed
    clockwise, and a `score` that orders places."""

    centre: Points
    size: float
    turn: float
    score: float

    @classmethod
    def of(cls, face: FoundFace, turn: float) -> LookedAt:
        """Where something that looks like a face is."""
        return cls(face.box[:2] + face.box[2:] / 2, float(np.sqrt(face.box[2] * face.box[3])), turn, face.confidence)


class CloserLook:
    """Looks at many places with one run of the net, side by side on one sheet."""

    def __init__(self, detector: CenterFace, tile: int) -> None:
        """`tile` is the side of the square that each place is brought to, a multiple of 32 pixels."""
        self._detector = detector
        self._tile = tile

    def faces(self, pixels: Pixels, places: Sequence[LookedAt]) -> list[FoundFace]:
        """The faces that are at these places; at most one each."""
        sheets = (places[first : first + _ON_A_SHEET] for first in range(0, len(places), _ON_A_SHEET))
        return [face for sheet in sheets for face in self._on_sheet(pixels, sheet)]

    def _on_sheet(self, pixels: Pixels, places: Sequence[LookedAt]) -> list[FoundFace]:
        tile, columns = self._tile, min(len(places), _COLUMNS)
        rows = -(-len(places) // columns)
        sheet = np.full((rows * tile, columns * tile, 3), _GREY, np.uint8)
        transforms = [_onto_tile(place, tile) for place in places]
        origins = [np.array([index % columns, index // columns], np.float64) * tile for index in range(len(places))]
        for origin, transform in zip(origins, transforms, strict=True):
            left, top = origin.astype(int)
            sheet[top : top + tile, left : left + tile] = _cut(pixels, transform, tile)
        seen = self._detector.faces(sheet, max_side=None)
        found = []
        for place, origin, transform in zip(places, origins, transforms, strict=True):
            middle = origin + tile / 2
            near = [face for face in seen if np.abs(_centre(face) - middle).max() <= _NEAR * tile]
            if near:
                found.append(_on_picture(near[0], origin, _back(transform), place.turn))
        return found


def _onto_tile(place: LookedAt, tile: int) -> Points:
    """The 2 x 3 matrix that brings a place, turned upright, to the middle of a tile."""
    centre = (float(place.centre[0]), float(place.centre[1]))
    turned = cv2.getRotationMatrix2D(centre, place.turn, _FACE * tile / max(place.size, 1.0))
    transform = np.asarray(turned, dtype=np.float64)
    transform[:, 2] += tile / 2 - place.centre
    return transform


def _back(transform: Points) -> Points:
    return np.asarray(cv2.invertAffineTransform(transform), dtype=np.float64)


def _cut(pixels: Pixels, transform: Points, tile: int) -> Pixels:
    """What a tile shows. Where it shrinks the picture, its part there is shrunk first, by the mean of each pixel's
    area: interpolation alone would leave out most pixels."""
    shrink = float(np.hypot(*transform[0, :2]))
    back = _back(transform)
    corners = np.array([[0, 0, 1], [tile, 0, 1], [0, tile, 1], [tile, tile, 1]]) @ back.T
    height, width = pixels.shape[:2]
    left, top = (int(max(0, side)) for side in np.floor(corners.min(axis=0)) - 1)
    right, bottom = (int(side) for side in np.minimum(np.ceil(corners.max(axis=0)) + 2, (width, height)))
    part = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    moved = transform.copy()
    moved[:, 2] += transform[:, :2] @ np.array([left, top])
    if shrink < 1:
        size = np.maximum(np.rint(np.array(part.shape[1::-1]) * shrink), 1).astype(int)
        moved[:, :2] *= np.array(part.shape[1::-1]) / size
        part = np.asarray(cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA), np.uint8)
    cut = cv2.warpAffine(part, moved, (tile, tile), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, dtype=np.uint8)


def _centre(face: FoundFace) -> Points:
    return face.box[:2] + face.box[2:] / 2


def _on_picture(face: FoundFace, origin: Points, back: Points, turn: float) -> FoundFace:
    """A face on the sheet as it lies on the picture; a face that is turned has an upright box around it."""
    zoom = float(np.hypot(*back[0, :2]))
    centre = back[:, :2] @ (_centre(face) - origin) + back[:, 2]
    along, across = abs(np.cos(np.radians(turn))), abs(np.sin(np.radians(turn)))
    sides = zoom * np.array([[along, across], [across, along]]) @ face.box[2:]
    # The corners of a box that is turned hold no face: at 45 degrees its sides grow by no more than a fifth.
    sides /= 1 + 0.2 * min(along, across)
    landmarks = (face.landmarks - origin) @ back[:, :2].T + back[:, 2]
    return FoundFace(np.concatenate([centre - sides / 2, sides]), landmarks, face.confidence)
