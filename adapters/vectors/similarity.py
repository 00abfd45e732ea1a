"""Similarity of faces: exact cosines over the vectors of one model, never of two.

The vectors of a model are kept in memory as half floats (1 KB a face, error of a cosine below 0.001) and grow with the
log; persons, rejections and what is visible are asked of the tables at each call, so that no answer is staler than the
tables.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from domain.faces import Face
from domain.ports import EMBEDDING_DIMENSIONS
from projections.lookups import Lookups

NEAREST = 3
"""A face is as like a person as the mean of its cosines to that many of the person's nearest faces: one odd exemplar
then decides nothing, and a person who changed over the years is still met by the faces of one age."""
Matrix = npt.NDArray[np.float32]


def likeness(vector: bytes, exemplars: Sequence[bytes]) -> float:
    """Cosine of a face to a person: the mean over the nearest `NEAREST` of `exemplars` (each 512 little-endian
    float32)."""
    known = np.frombuffer(b"".join(exemplars), dtype="<f4").reshape(-1, EMBEDDING_DIMENSIONS)
    cosines = known @ np.frombuffer(vector, dtype="<f4")
    return float(np.sort(cosines)[-NEAREST:].mean())


class Similarity:
    """Who a face may be, and which unassigned faces are like it. Blocking; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, _Vectors] = {}

    def suggest(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The canonical persons likest to `face`, the likest first, at `least` that cosine: `(person_id, similarity)`.

        Persons that the face was said not to be are left out; so is everything of another model.
        """
        vector = self._vector_of(lookups, face)
        if vector is None:
            return []
        rows = lookups.faces.assigned(face.model_version)
        rejected = lookups.faces.rejected(face.id)
        others = [row for row in rows if row[0] != face.id and row[2] not in rejected]
        matrix, kept = self._gathered(lookups, face.model_version, [row[1] for row in others])
        by_person: dict[int, list[float]] = {}
        for place, cosine in zip(kept, (matrix @ vector).tolist(), strict=True):
            by_person.setdefault(others[place][2], []).append(cosine)
        scored = [(person, _mean_of_nearest(cosines)) for person, cosines in by_person.items()]
        return sorted((s for s in scored if s[1] >= least), key=lambda s: (-s[1], s[0]))[:limit]

    def similar(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The visible unassigned faces likest to `face`, the likest first: `(face_id, similarity)`."""
        vector = self._vector_of(lookups, face)
        if vector is None:
            return []
        rows = [row for row in lookups.faces.unassigned(face.model_version) if row[0] != face.id]
        matrix, kept = self._gathered(lookups, face.model_version, [row[1] for row in rows])
        cosines = matrix @ vector
        best = np.argsort(-cosines)[:limit]
        return [(rows[kept[i]][0], round(float(cosines[i]), 4)) for i in best if cosines[i] >= least]

    def _vector_of(self, lookups: Lookups, face: Face) -> Matrix | None:
        if face.embedding_id is None:
            return None
        stored = lookups.faces.vectors([face.embedding_id]).get(face.embedding_id)
        return None if stored is None else np.frombuffer(stored, dtype="<f4")

    def _gathered(self, lookups: Lookups, model: str, ids: Sequence[int]) -> tuple[Matrix, list[int]]:
        """The vectors of these embeddings as rows, and the place in `ids` of each; erased ones are left out."""
        with self._lock:
            vectors = self._models.setdefault(model, _Vectors(model))
            vectors.catch_up(lookups)
            kept = [place for place, id_ in enumerate(ids) if id_ in vectors.places]
            rows = [vectors.places[ids[place]] for place in kept]
            return vectors.matrix[rows].astype(np.float32), kept


class _Vectors:
    """The vectors of one model in the order of their ids; room doubles as they grow."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._last = 0
        self.places: dict[int, int] = {}
        self.matrix: npt.NDArray[np.float16] = np.empty((256, EMBEDDING_DIMENSIONS), dtype=np.float16)

    def catch_up(self, lookups: Lookups) -> None:
        """Read the attachments that came since the last call."""
        e = lookups.tables.embeddings
        while True:
            statement = select(e.c.id, e.c.vector).where(e.c.id > self._last, e.c.model_version == self._model)
            rows = lookups.connection.execute(statement.order_by(e.c.id).limit(2000)).all()
            for id_, vector in rows:
                self._add(id_, np.frombuffer(vector, dtype="<f4"))
            if len(rows) < 2000:
                return

    def _add(self, id_: int, vector: Matrix) -> None:
        place = len(self.places)
        if place == len(self.matrix):
            self.matrix = np.concatenate([self.matrix, np.empty_like(self.matrix)])
        self.matrix[place] = vector
        self.places[id_] = place
        self._last = id_


def _mean_of_nearest(cosines: Sequence[float]) -> float:
    nearest = sorted(cosines)[-NEAREST:]
    return round(sum(nearest) / len(nearest), 4)
