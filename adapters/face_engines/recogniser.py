"""Detector and embedder together, on one picture. Runs in worker processes only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import cv2
import numpy as np

from adapters.face_engines.centerface import MAX_SIDE, CenterFace, FoundFace, Points
from adapters.face_engines.decoding import Pixels, decoded, out_of_memory
from adapters.face_engines.embedder import Embedder, Vector
from adapters.face_engines.model_card import FaceModel
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box, clamped, intersection_over_union, padded
from domain.ports.face_engine import DetectedFace, Detection, Embedding

P = ParamSpec("P")
T = TypeVar("T")

# A drawn face is looked for in its box grown by a whole box on each side and scaled to 320 pixels: against the vectors
# of automatic detection that gave cosines of 0.97 (0.93 at worst) where people draw 12 % beside the mark; the drawn box
# itself gave 0.94 (0.85), and a crop of the box alone 0.96 (0.86).
_SURROUNDINGS = 1.0
_LOOK_SIDE = 320
_MIN_OVERLAP = 0.3
_MIN_SIDE_PIXELS = 8


def _in_plain_errors(method: Callable[P, T]) -> Callable[P, T]:
    """Tell OpenCV's errors as ones that the server, which has no OpenCV, can unpickle."""

    @functools.wraps(method)
    def translated(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except cv2.error as error:
            if out_of_memory(error):
                raise MemoryError(str(error)) from None
            raise Unavailable(f"OpenCV {cv2.__version__} failed: {error}") from None

    return translated


class Recogniser:
    """The nets of one model in this process; one worker per core with one thread each beats threads within a net."""

    def __init__(self, model: FaceModel) -> None:
        """Load the nets and run each once, so that what does not work or fit here never looks like a bad picture.

        Raises:
            Unavailable: they cannot be loaded or run; the text says what to do.
        """
        cv2.setNumThreads(1)
        self._version = model.version
        try:
            self._detector = CenterFace(model.detector)
            self._detector.faces(np.zeros((MAX_SIDE, MAX_SIDE, 3), np.uint8))
        except cv2.error as error:
            raise Unavailable(f"OpenCV {cv2.__version__} cannot run {model.detector}: {error}") from error
        self._embedder = Embedder(model)

    @_in_plain_errors
    def detect(self, picture: bytes) -> Detection:
        """All faces on an encoded picture with their vectors, the surest first; see `FaceEngine.detect`."""
        pixels = decoded(picture)
        faces = []
        for face in self._detector.faces(pixels):
            box = _normalised(face.box, pixels)
            if box.w > 0 and box.h > 0:
                vector = self._embedder.vector(pixels, face.box, face.landmarks)
                faces.append(DetectedFace(box, face.confidence, _packed(vector)))
        return Detection(self._version, tuple(faces))

    @_in_plain_errors
    def embed(self, picture: bytes, box: Box) -> Embedding:
        """The vector of the face that a person drew a box around; see `FaceEngine.embed`.

        Where the detector sees a face there, it is measured by the detector's box and landmarks, so that drawn and
        detected faces compare; else by the drawn box.

        Raises:
            Unreadable: besides what `decoded` says, a box of less than 8 pixels or off the picture, or no landmarks
                where the model needs them.
        """
        pixels = decoded(picture)
        height, width = pixels.shape[:2]
        box = clamped(box)
        if min(box.w * width, box.h * height) < _MIN_SIDE_PIXELS:
            raise Unreadable(f"the box holds less than {_MIN_SIDE_PIXELS} pixels of the picture in one direction")
        found = self._face_at(pixels, box)
        drawn = np.array([box.x * width, box.y * height, box.w * width, box.h * height])
        vector = self._embedder.vector(pixels, found.box if found else drawn, found.landmarks if found else None)
        return Embedding(self._version, _packed(vector))

    def _face_at(self, pixels: Pixels, box: Box) -> FoundFace | None:
        height, width = pixels.shape[:2]
        around = padded(box, _SURROUNDINGS)
        left, top = int(around.x * width), int(around.y * height)
        right, bottom = int(np.ceil((around.x + around.w) * width)), int(np.ceil((around.y + around.h) * height))
        crop = pixels[top:bottom, left:right]
        ratio = _LOOK_SIDE / max(crop.shape[:2])
        size = (max(1, round(crop.shape[1] * ratio)), max(1, round(crop.shape[0] * ratio)))
        look = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
        origin, back = np.array([left, top]), np.array(crop.shape[1::-1]) / np.array(size)
        faces = [
            FoundFace(
                np.concatenate([face.box[:2] * back + origin, face.box[2:] * back]),
                face.landmarks * back + origin,
                face.confidence,
            )
            for face in self._detector.faces(np.asarray(look, dtype=np.uint8))
        ]
        overlaps = [intersection_over_union(_normalised(face.box, pixels), box) for face in faces]
        best = int(np.argmax(overlaps)) if overlaps else -1
        return faces[best] if overlaps and overlaps[best] >= _MIN_OVERLAP else None


@functools.lru_cache(maxsize=1)
def recogniser(model: FaceModel) -> Recogniser:
    """The nets of `model`, loaded when this process is first asked for them.

    Raises:
        Unavailable: they cannot be loaded; the text says what to do.
    """
    return Recogniser(model)


def _normalised(box: Points, pixels: Pixels) -> Box:
    height, width = pixels.shape[:2]
    left, top, across, down = (float(side) for side in box)
    return clamped(Box(left / width, top / height, across / width, down / height))


def _packed(vector: Vector) -> bytes:
    return vector.astype("<f4").tobytes()
