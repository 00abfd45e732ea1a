"""Who a face may be: the persons whose faces are near to it, each by the rule of `domain.rules.recognition`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from adapters.vectors.rows import Matrix
from adapters.vectors.space import Near, Space
from domain.events.face import Face
from domain.rules.recognition import NEAREST, similarity_to_person
from projections.queries.reading import Lookups


class PersonSearch:
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
        """Of persons who may be among the likest, the similarity by their exemplars."""

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
        """The likest of those met. Nobody is liker by the exemplars than by the nearest of all faces, so that who would
        not be among the likest by these need not be compared by those."""
        while True:
            scored = {person: similarity_to_person(cosines) for person, cosines in self._cosines.items()} | self._whole
            likest = sorted((s for s in scored.items() if s[1] >= least), key=lambda s: (-s[1], s[0]))[:limit]
            open_ = [person for person, _ in likest if person not in self._whole]
            if not open_:
                return likest
            self._compare_by_exemplars(open_)

    def _compare_by_exemplars(self, persons: Sequence[int]) -> None:
        exemplars = self._lookups.exemplars.of(persons, self._face.model_version)
        for person in persons:
            ids = [embedding for face_id, embedding in exemplars.get(person, []) if face_id != self._face.id]
            places = self._space.places(ids)
            cosines = self._space.cosines(places[places >= 0], self._vector).tolist()
            self._whole[person] = similarity_to_person(cosines) if cosines else -1.0
