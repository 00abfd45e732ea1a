"""Detector and embedder together, on one picture. Runs in worker processes only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import cv2
import numpy as np

from adapters.face_engines.centerface import Points
from adapters.face_engines.decoding import Pixels, decoded, out_of_memory
from adapters.face_engines.embedder import Embedder, Vector
from adapters.face_engines.face_search import FaceSearch
from adapters.face_engines.measuring import face_quality
from adapters.face_engines.model_card import FaceModel
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box, clamped
from domain.ports.face_engine import DetectedFace, Detection, Embedding

P = ParamSpec("P")
T = TypeVar("T")

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
            self._search = FaceSearch(model.detector, model.proposer)
        except cv2.error as error:
            nets = f"{model.detector} and {model.proposer}"
            raise Unavailable(f"OpenCV {cv2.__version__} cannot run {nets}: {error}") from error
        self._embedder = Embedder(model)

    @_in_plain_errors
    def detect(self, picture: bytes) -> Detection:
        """All faces on an encoded picture with their vectors, the surest first; see `FaceEngine.detect`."""
        pixels = decoded(picture)
        faces = []
        for face in self._search.faces(pixels):
            box = _normalised(face.box, pixels)
            if box.w > 0 and box.h > 0:
                vector = self._embedder.vector(pixels, face.box, face.landmarks)
                quality = face_quality(pixels, face.box, face.landmarks)
                faces.append(DetectedFace(box, face.confidence, _packed(vector), quality))
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
        drawn = np.array([box.x * width, box.y * height, box.w * width, box.h * height])
        found = self._search.face_in(pixels, drawn)
        where, landmarks = (found.box, found.landmarks) if found else (drawn, None)
        vector = self._embedder.vector(pixels, where, landmarks)
        return Embedding(self._version, _packed(vector), face_quality(pixels, where, landmarks))


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
