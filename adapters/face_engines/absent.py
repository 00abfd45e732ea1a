"""The face engine that is configured but cannot be had: every call says why, and nothing is marked."""

from __future__ import annotations

from domain.base.errors import Unavailable
from domain.base.geometry import Box
from domain.ports.face_engine import Detection, Embedding, Thresholds


class AbsentEngine:
    """`domain.ports.FaceEngine` where the model or its package is missing: the server runs, and `/health` says why."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    @property
    def model_version(self) -> str:
        """Raises `Unavailable`, always."""
        raise Unavailable(self._reason)

    @property
    def thresholds(self) -> Thresholds:
        """Raises `Unavailable`, always."""
        raise Unavailable(self._reason)

    def detect(self, picture: bytes) -> Detection:
        """Raises `Unavailable`, always."""
        raise Unavailable(self._reason)

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """Raises `Unavailable`, always."""
        raise Unavailable(self._reason)

    def close(self) -> None:
        """Nothing to give back."""
