"""A face as numbers: any embedder net, used the way its card says. Runs in worker processes only."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.face_engines.alignment import five_point_face, level_face
from adapters.face_engines.centerface import Points
from adapters.face_engines.decoding import Pixels
from adapters.face_engines.model_card import FaceModel, fingerprint_of, read_model
from domain.base.errors import Unavailable, Unreadable
from domain.ports.face_engine import MOST_DIMENSIONS

Vector = NDArray[np.float32]


class Embedder:
    """The embedder net of a model, loaded once."""

    def __init__(self, model: FaceModel) -> None:
        """Load the net and try it on a blank face.

        Raises:
            Unavailable: the file has gone or changed since the server read it, OpenCV cannot run it, or it gives more
                than 512 numbers.
        """
        self._card = model.card
        try:
            self._net = _net(model)
            length = self._raw(np.full((self._card.input_size, self._card.input_size, 3), 127, np.uint8)).size
        except cv2.error as error:
            raise Unavailable(
                f"OpenCV {cv2.__version__} cannot run the face model {model.embedder}: {error}"
            ) from error
        if length > MOST_DIMENSIONS:
            raise Unavailable(
                f"The face model {model.embedder} gives {length} numbers a face; imageapi takes at most "
                f"{MOST_DIMENSIONS}: name another one by FACE_MODEL."
            )

    def vector(self, pixels: Pixels, box: Points, landmarks: Points | None) -> Vector:
        """The L2-normalised embedding (float32, as many numbers as the model gives) of the face in `box` (left, top,
        width, height in pixels).

        Raises:
            Unreadable: the card asks for alignment by five points and there are no landmarks (an unaligned face gives
                such a net a vector of no worth), or the net's answer has no direction.
        """
        card = self._card
        if card.alignment == "level":
            face = level_face(pixels, box, landmarks, card.margin, card.input_size)
        elif landmarks is not None:
            face = five_point_face(pixels, landmarks, card.input_size)
        else:
            raise Unreadable("no eyes, nose and mouth were found there, and this face model cannot do without them")
        total = normalised(self._raw(face))
        if card.mirror:
            total = total + normalised(self._raw(np.ascontiguousarray(face[:, ::-1])))
        return normalised(total)

    def _raw(self, face: Pixels) -> Vector:
        size = (self._card.input_size, self._card.input_size)
        mean = (self._card.mean,) * 3
        blob = cv2.dnn.blobFromImage(face, self._card.scale, size, mean, swapRB=self._card.colours == "RGB")
        self._net.setInput(blob, self._card.input)
        return np.asarray(self._net.forward(), dtype=np.float32).ravel()


def normalised(vector: Vector) -> Vector:
    """The vector at length 1.

    Raises:
        Unreadable: it is zero or holds what is not a number.
    """
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise Unreadable("the face model gave no usable vector for this face")
    return vector / np.float32(length)


def _net(model: FaceModel) -> cv2.dnn.Net:
    if not model.fingerprint:
        is_onnx = model.embedder.endswith(".onnx")
        return (cv2.dnn.readNetFromONNX if is_onnx else cv2.dnn.readNetFromTensorflow)(model.embedder)
    content = read_model(model.embedder)
    if fingerprint_of(content, model.card) != model.fingerprint:
        raise Unavailable(f"The face model {model.embedder} has changed since the server started: restart the server.")
    return cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
