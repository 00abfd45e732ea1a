"""Every fake of the tests; each stands at a port of the domain where the real thing cannot do what is tested."""

from __future__ import annotations

from domain.geometry import Box
from domain.ports import Detection, Embedding, FaceEngine, Thresholds


class Renamed:
    """The real engine under the name of another model."""

    def __init__(self, engine: FaceEngine, version: str) -> None:
        self._engine = engine
        self.model_version = version

    @property
    def thresholds(self) -> Thresholds:
        """As the port says."""
        return self._engine.thresholds

    def detect(self, picture: bytes) -> Detection:
        """As the port says."""
        return Detection(self.model_version, self._engine.detect(picture).faces)

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """As the port says."""
        return Embedding(self.model_version, self._engine.embed(picture, box).vector)

    def close(self) -> None:
        """The real one is closed by its fixture."""


class Failing:
    """An engine at the port that raises `error`, or asks the real one where there is none."""

    model_version = "failing"

    def __init__(self, engine: FaceEngine | None, error: Exception | None) -> None:
        self._engine = engine
        self.error = error
        if engine is not None:
            self.model_version = engine.model_version

    @property
    def thresholds(self) -> Thresholds:
        """As the port says."""
        return Thresholds(0.5, 0.4, 0.5)

    def detect(self, picture: bytes) -> Detection:
        """As the port says."""
        if self.error is not None or self._engine is None:
            raise self.error or AssertionError
        return self._engine.detect(picture)

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """As the port says."""
        raise self.error or AssertionError

    def close(self) -> None:
        """Nothing to give back."""
