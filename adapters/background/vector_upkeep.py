"""Keeps the vectors of faces in memory as the log has them, so that the first search is quick."""

from __future__ import annotations

from adapters.store.ledger import Ledger
from adapters.vectors.similarity import Similarity
from domain.base.actor import WATCHER
from domain.ports.face_engine import FaceEngine


class KeepsVectors:
    """Keeps the vectors of the current model in memory, so that nobody who asks for suggestions waits while they are
    read: a million take half a minute."""

    def __init__(self, ledger: Ledger, engine: FaceEngine, similarity: Similarity) -> None:
        self._ledger, self._engine, self._similarity = ledger, engine, similarity

    def step(self) -> bool:
        """Read what came since; there is never more to do at once.

        Raises:
            Unavailable: the engine has not said yet which model it is.
        """
        model = self._engine.model_version
        with self._ledger.reading(WATCHER) as tables:
            self._similarity.catch_up(tables, model)
        return False
