"""A face cut out of its picture the way an embedder was trained to see it. Runs in worker processes only."""

from __future__ import annotations

import cv2
import numpy as np

from adapters.face_engines.centerface import Points
from adapters.face_engines.decoding import Pixels

# Where ArcFace's training put eyes, nose and the corners of the mouth in its 112 x 112 input (Deng et al. 2019,
# the reference points that the insightface project publishes).
ARCFACE_TEMPLATE: Points = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_TEMPLATE_SIZE = 112


def five_point_face(pixels: Pixels, landmarks: Points, size: int) -> Pixels:
    """The face moved onto the ArcFace template, size x size x 3; what lies off the picture repeats its border."""
    transform = similarity(landmarks, ARCFACE_TEMPLATE * (size / _TEMPLATE_SIZE))
    face = cv2.warpAffine(pixels, transform, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(face, dtype=np.uint8)


def level_face(pixels: Pixels, box: Points, landmarks: Points | None, margin: float, size: int) -> Pixels:
    """The box grown by `margin` of its sides on each side, turned about its centre so that the eyes are level, and
    squeezed to size x size x 3. `box` is (left, top, width, height) in pixels; without landmarks nothing is turned.
    """
    centre = box[:2] + box[2:] / 2
    grown = box[2:] * (1 + 2 * margin)
    # The crop is cut at the picture's own scale, or at 8 times the net's, so that no picture makes it huge.
    zoom = min(1.0, 8 * size / float(grown.max()))
    shape = np.maximum(np.rint(grown * zoom), 1).astype(int)
    angle = 0.0
    if landmarks is not None:
        across, down = landmarks[1] - landmarks[0]
        angle = float(np.degrees(np.arctan2(down, across)))
    turned = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, zoom)
    transform = np.asarray(turned, dtype=np.float64)
    transform[:, 2] += shape / 2 - centre
    cut = cv2.warpAffine(pixels, transform, (int(shape[0]), int(shape[1])), borderMode=cv2.BORDER_REPLICATE)
    shrinks = shape.max() > size
    face = cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(face, dtype=np.uint8)


def similarity(source: Points, target: Points) -> Points:
    """The 2 x 3 matrix of the rotation, uniform scale and shift that brings `source` (n x 2) closest to `target`.

    Least squares after Umeyama, "Least-squares estimation of transformation parameters between two point patterns"
    (1991); never a reflection.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    from_centre, to_centre = source - source_mean, target - target_mean
    left, spread, right = np.linalg.svd(to_centre.T @ from_centre)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = (left * signs) @ right
    scale = float((spread * signs).sum() / (from_centre**2).sum())
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])
