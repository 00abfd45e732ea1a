"""Similarity of faces: exact cosines over the vectors of one model, never of two.

The vectors of a model are kept in memory and grow with the log (`space`). Which faces they belong to, whose those are,
rejections and what is visible are asked of the tables at each call, but only for the nearest: so no answer is staler
than the tables, and none reads a million rows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from adapters.vectors.face_clusters import Cluster, Clusters
from adapters.vectors.likely_search import LikelySearch
from adapters.vectors.person_search import PersonSearch
from adapters.vectors.rows import Matrix, fitted
from adapters.vectors.space import Space
from domain.events.face import Face
from domain.ports.face_engine import Thresholds
from domain.rules.recognition import Likely, of_several, ranked, similarity_to_person
from projections.queries.reading import Lookups

SPARE: Final = 8
"""Persons that are looked at beyond those asked for: of one with many faces more is wanted, so that some fall away."""
STEP: Final = 500
"""Vectors whose faces are asked of the tables at once."""


def likeness(vector: bytes, exemplars: Sequence[bytes]) -> float:
    """How like a face is to a person by `similarity_to_person`; vectors are little-endian float32."""
    face = np.frombuffer(vector, dtype="<f4")
    return similarity_to_person(float(fitted(np.frombuffer(each, dtype="<f4"), len(face)) @ face) for each in exemplars)


class Similarity:
    """Who a face may be, which unassigned faces are like it, and how those fall into clusters. Blocking; safe from any
    thread."""

    def __init__(self, step: int = STEP) -> None:
        """`step` vectors at a time their faces are looked up in the tables."""
        self._step = step
        self._lock = threading.Lock()
        self._spaces: dict[str, Space] = {}
        self._clusters = Clusters()

    def catch_up(self, lookups: Lookups, model: str) -> None:
        """Read the vectors of a model that are not known yet, so that the first who asks need not wait for it."""
        self._space(lookups, model)

    def space(self, lookups: Lookups, model: str) -> Space:
        """The vectors of a model, as far as the log has them now."""
        return self._space(lookups, model)

    def known(self, model: str) -> int:
        """How many vectors of a model are in memory."""
        return len(self._spaces.get(model, ()))

    def suggest(self, lookups: Lookups, face: Face, limit: int, thresholds: Thresholds) -> dict[int, Likely]:
        """The canonical persons that `face` is likely, the likest first.

        Persons that the face was said not to be are left out; so is everything of another model. Only the likest is
        ever presumed.
        """
        return self.suggest_for_all(lookups, [face], [face.id], limit, thresholds)

    def suggest_for_all(
        self, lookups: Lookups, faces: Sequence[Face], refused: Sequence[int], limit: int, thresholds: Thresholds
    ) -> dict[int, Likely]:
        """As `suggest` for `faces` of one person, without the persons that any face of the ids `refused` was said not
        to be."""
        wanted = limit + SPARE
        scored = [dict(self._nearest_persons(lookups, face, refused, wanted, thresholds.offer)) for face in faces]
        similarities = of_several(scored)
        counts = lookups.embedded_faces.counts_of(list(similarities), faces[0].model_version) if similarities else {}
        return dict(list(ranked(similarities, counts, thresholds).items())[:limit])

    def _nearest_persons(
        self, lookups: Lookups, face: Face, refused: Sequence[int], limit: int, least: float
    ) -> list[tuple[int, float]]:
        vector = self._vector_of(lookups, face)
        if vector is None:
            return []
        space = self._space(lookups, face.model_version)
        never = lookups.embedded_faces.rejected_by_any(refused)
        return PersonSearch(lookups, space, face, vector, never).nearest(limit, least, self._step)

    def similar(self, lookups: Lookups, face: Face, limit: int, thresholds: Thresholds) -> dict[int, Likely]:
        """The visible unassigned faces that are likely the same person's as `face`, the likest first, by their ids.

        Where somebody is named there, they are compared with all that is known of that person, and left out where they
        were said not to be, or are liker to somebody else.
        """
        vector = self._vector_of(lookups, face)
        if vector is None:
            return {}
        search = LikelySearch(lookups, self._space(lookups, face.model_version), face, vector, thresholds)
        return search.likest(limit, self._step)

    def clusters(self, lookups: Lookups, model: str, least: float) -> Sequence[Cluster]:
        """The visible unassigned faces of one model in groups of two and more, the best first; see `Clusters.of`."""
        return self._clusters.of(lookups, self._space(lookups, model), model, least)

    def _vector_of(self, lookups: Lookups, face: Face) -> Matrix | None:
        if face.embedding_id is None:
            return None
        stored = lookups.faces.vectors([face.embedding_id]).get(face.embedding_id)
        return None if stored is None else np.frombuffer(stored, dtype="<f4")

    def _space(self, lookups: Lookups, model: str) -> Space:
        with self._lock:
            space = self._spaces.setdefault(model, Space(model))
        space.catch_up(lookups)
        return space
