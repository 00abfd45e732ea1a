"""Keeps the vectors of faces in memory as the log has them, so that the first search is quick."""

from __future__ import annotations

from typing import Protocol

from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.ports.face_engine import FaceEngine
from projections.queries.reading import Lookups


class Vectors(Protocol):
    """Vectors in memory; `adapters.vectors.similarity.Similarity`."""

    def catch_up(self, lookups: Lookups, model: str) -> None:
        """Read the vectors of a model that are not known yet."""


class KeepsVectors:
    """Keeps the vectors of the current model in memory, so that nobody who asks for suggestions waits while they are
    read: a million take half a minute."""

    def __init__(self, ledger: Ledger, engine: FaceEngine, vectors: Vectors) -> None:
        self._ledger, self._engine, self._vectors = ledger, engine, vectors

    def step(self) -> bool:
        """Read what came since; there is never more to do at once.

        Raises:
            Unavailable: the engine has not said yet which model it is.
        """
        model = self._engine.model_version
        with self._ledger.reading(WATCHER) as tables:
            self._vectors.catch_up(tables, model)
        return False
