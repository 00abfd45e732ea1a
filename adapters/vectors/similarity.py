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
from adapters.vectors.space import Matrix, Near, Places, Space, fitted
from domain.events.face import Face
from domain.ports.face_engine import Thresholds
from domain.rules.recognition import EXEMPLARS, NEAREST, Likely, judged, of_several, similarity_to_person
from projections.queries.reading import Lookups

STEP: Final = 500
"""Vectors whose faces are asked of the tables at once."""
RIVALS: Final = 24
"""Named faces nearest to one that is asked about, among which its likest other person is found."""
COMPARED: Final = 500
"""Faces of a person that are compared where fewer than `NEAREST` of them are near."""


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

    def suggest(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The canonical persons likest to `face`, the likest first, at `least` that cosine: `(person_id, similarity)`.

        Persons that the face was said not to be are left out; so is everything of another model.
        """
        return self._suggest(lookups, face, [face.id], limit, least)

    def suggest_for_all(
        self, lookups: Lookups, faces: Sequence[Face], refused: Sequence[int], limit: int, least: float
    ) -> list[tuple[int, float]]:
        """As `suggest` for `faces` of one person, without the persons that any face of the ids `refused` was said not
        to be."""
        scored = [dict(self._suggest(lookups, face, refused, limit, least)) for face in faces]
        likest = sorted(of_several(scored).items(), key=lambda each: (-each[1], each[0]))
        return [(person, similarity) for person, similarity in likest[:limit] if similarity >= least]

    def _suggest(
        self, lookups: Lookups, face: Face, refused: Sequence[int], limit: int, least: float
    ) -> list[tuple[int, float]]:
        vector = self._vector_of(lookups, face)
        if vector is None:
            return []
        space = self._space(lookups, face.model_version)
        never = lookups.embedded_faces.rejected_by_any(refused)
        return _Persons(lookups, space, face, vector, never).nearest(limit, least, self._step)

    def similar(self, lookups: Lookups, face: Face, limit: int, thresholds: Thresholds) -> dict[int, Likely]:
        """The visible unassigned faces that are likely the same person's as `face`, the likest first, by their ids.

        Where somebody is named there, they are compared with all that is known of that person, and left out where they
        were said not to be, or are liker to somebody else.
        """
        vector = self._vector_of(lookups, face)
        if vector is None:
            return {}
        space = self._space(lookups, face.model_version)
        whose = None if face.person_id is None else lookups.persons.get(face.person_id)
        person = None if whose is None else whose.canonical_id
        exemplars = vector[None] if person is None else self._exemplars(lookups, space, face, person, vector)
        near = space.nearest_to_several(exemplars, thresholds.offer, NEAREST)
        found: dict[int, Likely] = {}
        for start in range(0, len(near.places), self._step):
            places = near.places[start : start + self._step]
            faces = lookups.embedded_faces.unassigned_with(space.ids(places).tolist())
            never = {face.id} if person is None else {face.id} | _refused(lookups, person, faces)
            of_faces = np.array([bool(faces.get(id_)) for id_ in space.ids(places).tolist()], dtype=bool)
            rivals = self._rivals(lookups, space, places[of_faces], face.model_version, person, thresholds.offer)
            for id_, cosine in zip(
                space.ids(places).tolist(), near.cosines[start : start + self._step].tolist(), strict=True
            ):
                likely = judged(cosine, rivals.get(id_, -1.0), thresholds)
                if likely is not None:
                    found |= {each: likely for each in faces.get(id_, ()) if each not in never}
            if len(found) >= limit:
                break
        return dict(list(found.items())[:limit])

    def _exemplars(self, lookups: Lookups, space: Space, face: Face, person: int, vector: Matrix) -> Matrix:
        """The vectors that stand for a person, `vector` of `face` among them."""
        faces = lookups.embedded_faces.of_persons([person], face.model_version, EXEMPLARS).get(person, [])
        places = space.places([embedding for face_id, embedding in faces if face_id != face.id])
        known = space.vectors(places[places >= 0])
        return np.vstack([fitted(vector, known.shape[1]), known])

    def _rivals(
        self, lookups: Lookups, space: Space, places: Places, model: str, person: int | None, least: float
    ) -> dict[int, float]:
        """How like the faces at these places are to the likest person who is not `person`, by the ids of their
        vectors; those who are near to nobody are left out."""
        named = np.array(lookups.embedded_faces.assigned(model), dtype=np.int64).reshape(-1, 2)
        among = space.places(named[:, 0])
        is_there = (among >= 0) & (named[:, 1] != (-1 if person is None else person))
        among, owners = among[is_there], named[is_there, 1]
        order = np.argsort(among, kind="stable")
        among, owners = among[order], owners[order]
        edges = space.joined(np.unique(places), np.unique(among), least, RIVALS)
        whose = owners[np.searchsorted(among, edges.to)]
        cosines: dict[tuple[int, int], list[float]] = {}
        for of, owner, cosine in zip(edges.of.tolist(), whose.tolist(), edges.cosines.tolist(), strict=True):
            cosines.setdefault((of, owner), []).append(cosine)
        counts = dict(zip(*np.unique(owners, return_counts=True), strict=True))
        likest: dict[int, float] = {}
        for (place, owner), theirs in cosines.items():
            # Faces of theirs that are not near are at most as like as what is near at least.
            missing = max(0, min(NEAREST, int(counts[owner])) - len(theirs))
            similarity = similarity_to_person([*theirs, *[least] * missing])
            id_ = int(space.ids(np.array([place]))[0])
            likest[id_] = max(likest.get(id_, -1.0), similarity)
        return likest

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
            scored = {person: similarity_to_person(cosines) for person, cosines in self._cosines.items()} | self._whole
            likest = sorted((s for s in scored.items() if s[1] >= least), key=lambda s: (-s[1], s[0]))[:limit]
            open_ = [p for p, _ in likest if len(self._cosines[p]) < NEAREST and p not in self._whole]
            if not open_:
                return likest
            self._compare_wholly(open_)

    def _compare_wholly(self, persons: Sequence[int]) -> None:
        faces = self._lookups.embedded_faces.of_persons(persons, self._face.model_version, COMPARED)
        for person, theirs in faces.items():
            ids = [embedding for face_id, embedding in theirs if face_id != self._face.id]
            places = self._space.places(ids)
            cosines = self._space.cosines(places[places >= 0], self._vector).tolist()
            # Of someone with more faces than are compared, those that were met are among the nearest all the same.
            known = self._cosines[person] if len(theirs) == COMPARED else []
            self._whole[person] = similarity_to_person([*cosines, *known])
