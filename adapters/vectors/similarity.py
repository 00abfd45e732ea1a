"""Similarity of faces: exact cosines over the vectors of one model, never of two.

The vectors of a model are kept in memory and grow with the log (`space`). Which faces they belong to, whose those are,
rejections and what is visible are asked of the tables at each call, but only for the nearest: so no answer is staler
than the tables, and none reads a million rows.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from adapters.vectors.face_clusters import Cluster, Clusters
from adapters.vectors.space import Matrix, Near, Space
from domain.events.face import Face
from domain.ports.face_engine import EMBEDDING_DIMENSIONS
from projections.queries.reading import Lookups

NEAREST: Final = 3
"""A face is as like a person as the mean of its cosines to that many of the person's nearest faces: one odd exemplar
then decides nothing, and a person who changed over the years is still met by the faces of one age."""
STEP: Final = 500
"""Vectors whose faces are asked of the tables at once."""
EXEMPLARS: Final = 500
"""Faces of a person that are compared where fewer than `NEAREST` of them are near, those that a user decided about
first."""


def likeness(vector: bytes, exemplars: Sequence[bytes]) -> float:
    """Cosine of a face to a person: the mean over the nearest `NEAREST` of `exemplars` (each 512 little-endian
    float32)."""
    known = np.frombuffer(b"".join(exemplars), dtype="<f4").reshape(-1, EMBEDDING_DIMENSIONS)
    cosines = known @ np.frombuffer(vector, dtype="<f4")
    return float(np.sort(cosines)[-NEAREST:].mean())


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
        self.space(lookups, model)

    def known(self, model: str) -> int:
        """How many vectors of a model are in memory."""
        return len(self._spaces.get(model, ()))

    def suggest(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The canonical persons likest to `face`, the likest first, at `least` that cosine: `(person_id, similarity)`.

        Persons that the face was said not to be are left out; so is everything of another model.
        """
        return self.suggest_for_all(lookups, face, [face.id], limit, least)

    def suggest_for_all(
        self, lookups: Lookups, face: Face, face_ids: Sequence[int], limit: int, least: float
    ) -> list[tuple[int, float]]:
        """As `suggest` for `face`, without the persons that any of these faces was said not to be."""
        vector = self._vector_of(lookups, face)
        if vector is None:
            return []
        space = self.space(lookups, face.model_version)
        never = lookups.embedded_faces.rejected_by_any(face_ids)
        return _Persons(lookups, space, face, vector, never).nearest(limit, least, self._step)

    def similar(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The visible unassigned faces likest to `face`, the likest first: `(face_id, similarity)`; none that was said
        not to be the person whose face it is."""
        vector = self._vector_of(lookups, face)
        if vector is None:
            return []
        space = self.space(lookups, face.model_version)
        near = space.nearest(vector, least)
        whose = None if face.person_id is None else lookups.persons.get(face.person_id)
        person = None if whose is None else whose.canonical_id
        found: list[tuple[int, float]] = []
        for start in range(0, len(near.places), self._step):
            ids = space.ids(near.places[start : start + self._step]).tolist()
            faces = lookups.embedded_faces.unassigned_with(ids)
            never = {face.id} if person is None else {face.id} | _refused(lookups, person, faces)
            for id_, cosine in zip(ids, near.cosines[start : start + self._step].tolist(), strict=True):
                found += [(each, round(cosine, 4)) for each in faces.get(id_, ()) if each not in never]
            if len(found) >= limit:
                break
        return found[:limit]

    def clusters(self, lookups: Lookups, model: str, least: float) -> Sequence[Cluster]:
        """The visible unassigned faces of one model in groups of two and more, the best first; see `Clusters.of`."""
        return self._clusters.of(lookups, self.space(lookups, model), model, least)

    def _vector_of(self, lookups: Lookups, face: Face) -> Matrix | None:
        if face.embedding_id is None:
            return None
        stored = lookups.faces.vectors([face.embedding_id]).get(face.embedding_id)
        return None if stored is None else np.frombuffer(stored, dtype="<f4")

    def space(self, lookups: Lookups, model: str) -> Space:
        """The vectors of a model, as far as the log has them now."""
        with self._lock:
            space = self._spaces.setdefault(model, Space(model))
        space.catch_up(lookups)
        return space


def _refused(lookups: Lookups, person_id: int, faces: Mapping[int, Sequence[int]]) -> set[int]:
    return lookups.embedded_faces.refused(person_id, [each for those in faces.values() for each in those])


class _Persons:
    """The search for who a face may be: near faces first, and no further than the answer needs."""

    def __init__(self, lookups: Lookups, space: Space, face: Face, vector: Matrix, never: Collection[int]) -> None:
        self._lookups = lookups
        self._space = space
        self._face = face
        self._vector = vector
        self._never = never
        self._cosines: dict[int, list[float]] = {}
        """Of each person met so far, the cosines to its nearest faces, the likest first."""
        self._whole: dict[int, float] = {}
        """Of persons with few faces near, the similarity over all of their faces."""

    def nearest(self, limit: int, least: float, step: int) -> list[tuple[int, float]]:
        """The `limit` likest persons, the likest first, at `least` that similarity.

        Nobody who was not met yet can be liker than the next vector is: there the search ends.
        """
        near = self._space.nearest(self._vector, least)
        best: list[tuple[int, float]] = []
        for start in range(0, len(near.places), step):
            self._meet(Near(near.places[start : start + step], near.cosines[start : start + step]))
            best = self._best(limit, least)
            if len(best) == limit and best[-1][1] >= near.cosines[min(start + step, len(near.cosines) - 1)]:
                break
        return [(person, round(similarity, 4)) for person, similarity in best]

    def _meet(self, near: Near) -> None:
        ids = self._space.ids(near.places).tolist()
        owners = self._lookups.embedded_faces.assigned_with(ids)
        for id_, cosine in zip(ids, near.cosines.tolist(), strict=True):
            for face_id, person in owners.get(id_, ()):
                if face_id != self._face.id and person not in self._never:
                    cosines = self._cosines.setdefault(person, [])
                    if len(cosines) < NEAREST:
                        cosines.append(cosine)

    def _best(self, limit: int, least: float) -> list[tuple[int, float]]:
        """The likest of those met: who has too few faces near is no liker than those few, and is compared wholly only
        where that would be among the likest."""
        while True:
            scored = [(person, self._whole.get(person) or _mean(c)) for person, c in self._cosines.items()]
            likest = sorted((s for s in scored if s[1] >= least), key=lambda s: (-s[1], s[0]))[:limit]
            open_ = [p for p, _ in likest if len(self._cosines[p]) < NEAREST and p not in self._whole]
            if not open_:
                return likest
            self._compare_wholly(open_)

    def _compare_wholly(self, persons: Sequence[int]) -> None:
        faces = self._lookups.embedded_faces.of_persons(persons, self._face.model_version, EXEMPLARS)
        for person, theirs in faces.items():
            ids = [embedding for face_id, embedding in theirs if face_id != self._face.id]
            places = self._space.places(ids)
            cosines = (self._space.vectors(places[places >= 0]) @ self._vector).tolist()
            # Of someone with more faces than are compared, those that were met are among the nearest all the same.
            known = self._cosines[person] if len(theirs) == EXEMPLARS else []
            self._whole[person] = _mean(sorted([*cosines, *known])[-NEAREST:])


def _mean(cosines: Sequence[float]) -> float:
    return sum(cosines) / len(cosines)
