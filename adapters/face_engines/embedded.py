"""The face engine that runs on this machine: nets from packages, in worker processes.

The server's own process holds neither OpenCV nor a model: each worker loads both once (about 0.3 s), and has 247 MB of
its own with SFace, 390 MB with FaceNet (proportional set size after previews of 1440 pixels).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.face_engines.model_card import FaceModel
from adapters.workers.pool import WorkerPool
from domain.base.geometry import Box
from domain.ports.face_engine import Detection, Embedding, Thresholds

if TYPE_CHECKING:
    from adapters.face_engines.recogniser import Recogniser


class EmbeddedEngine:
    """`domain.ports.FaceEngine` on worker processes, which it takes over: `close` ends them.

    Give the pool `functools.partial(prepare, model)` as its preparation: models are then loaded outside the tasks'
    time limit, and a model that cannot be loaded is never taken for an unreadable picture. Calls block, from as many
    threads as there are workers; `seconds` is the limit of one call once a worker has begun with it.
    """

    def __init__(self, workers: WorkerPool, model: FaceModel, seconds: float = 60.0) -> None:
        self._workers = workers
        self._model = model
        self._seconds = seconds

    @property
    def model_version(self) -> str:
        """Detector and embedder, and for a user's own model the fingerprint of its file and treatment."""
        return self._model.version

    @property
    def thresholds(self) -> Thresholds:
        """What the model's card says."""
        return self._model.thresholds

    def detect(self, picture: bytes) -> Detection:
        """Find and embed the faces on an encoded picture (JPEG, PNG, WebP), the surest first.

        Raises:
            Unreadable: no such picture, damaged, over 100 megapixels, or too much for a worker's time or memory.
            Unavailable: the model cannot be loaded, or the engine is closed.
        """
        return self._workers.submit(detecting_faces, self._model, picture, timeout=self._seconds).result()

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """Embed the face that a person drew `box` around (normalised, on the whole picture).

        Raises:
            Unreadable: as `detect`; or the box is empty or off the picture; or the model needs eyes, nose and mouth and
                none are seen there.
            Unavailable: as `detect`.
        """
        return self._workers.submit(embedding_a_face, self._model, picture, box, timeout=self._seconds).result()

    def close(self) -> None:
        """End the worker processes."""
        self._workers.close()


# The tasks: functions that run in worker processes.


def prepare(model: FaceModel) -> None:
    """Load `model` into this worker process.

    Raises:
        Unavailable: it cannot be loaded; the text says what to do.
    """
    _recogniser(model)


def detecting_faces(model: FaceModel, picture: bytes) -> Detection:
    """`Recogniser.detect` in this worker process."""
    return _recogniser(model).detect(picture)


def embedding_a_face(model: FaceModel, picture: bytes, box: Box) -> Embedding:
    """`Recogniser.embed` in this worker process."""
    return _recogniser(model).embed(picture, box)


def _recogniser(model: FaceModel) -> Recogniser:
    from adapters.face_engines.recogniser import recogniser  # noqa: PLC0415 - OpenCV is loaded in workers alone

    return recogniser(model)
