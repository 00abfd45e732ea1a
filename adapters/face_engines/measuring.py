"""How well a face is seen, measured on its pixels and landmarks. Runs in worker processes only."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from adapters.face_engines.alignment import five_point_face
from adapters.face_engines.centerface import Points
from adapters.face_engines.decoding import Pixels
from domain.base.face_quality import FaceQuality

_SIDE: Final = 112
_HALF_SHARP: Final = 0.1
"""The measure of a face of which half the detail is gone: sharp portraits have 0.2 to 1 and more, blurred ones 0.03."""
_NOSE: Final = 0.5
"""How far the tip of the nose stands out from the plane of eyes and mouth, in distances between the eyes."""
_INNER: Final = slice(_SIDE // 5, -_SIDE // 5)


def face_quality(pixels: Pixels, box: Points, landmarks: Points | None) -> FaceQuality:
    """The quality of a face in `box` (left, top, width, height in pixels) of a BGR picture."""
    size = float(box[2:].min())
    if landmarks is None:
        left, top, right, bottom = (int(side) for side in (*np.maximum(box[:2], 0), *np.ceil(box[:2] + box[2:])))
        face = cv2.resize(pixels[top:bottom, left:right], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        return FaceQuality(round(sharpness(np.asarray(face, np.uint8)), 4), round(size, 1))
    face_upright = five_point_face(pixels, landmarks, _SIDE)
    return FaceQuality(round(sharpness(face_upright), 4), round(size, 1), yaw(landmarks))


def sharpness(face: Pixels) -> float:
    """How much fine detail a face has, 0..1: the variance of its Laplacian (Pech-Pacheco et al., "Diatom autofocusing
    in brightfield microscopy: a comparative study", 2000) over the variance of its brightness, so that light and
    contrast do not count."""
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[_INNER, _INNER]
    contrast = float(grey.var())
    detail = float(cv2.Laplacian(grey, cv2.CV_32F).var()) / max(contrast, 1.0)
    return detail / (detail + _HALF_SHARP)


def yaw(landmarks: Points) -> float | None:
    """By how many degrees a head is turned to the viewer's right, from how far its nose lies beside the middle of eyes
    and mouth; None where the eyes lie upon each other."""
    eyes, mouth = landmarks[:2], landmarks[3:]
    across = eyes[1] - eyes[0]
    distance = float(np.hypot(*across))
    if distance < 1.0:
        return None
    beside = float((landmarks[2] - (eyes.mean(axis=0) + mouth.mean(axis=0)) / 2) @ across) / distance
    return round(float(np.degrees(np.arctan2(beside, _NOSE * distance))), 1)
