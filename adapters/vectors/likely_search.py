"""Which unassigned faces are likely the same person's as one, after the rule of `domain.rules.recognition`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import numpy as np

from adapters.vectors.rows import Matrix, fitted
from adapters.vectors.space import Near, Places, Space
from domain.events.face import Face
from domain.ports.face_engine import Thresholds
from domain.rules.recognition import NEAREST, Likely, judged, rise, similarity_to_person
from projections.queries.reading import Lookups

RIVALS: Final = 24
"""Named faces nearest to one that is asked about, among which its likest other person is found."""


class LikelySearch:
    """The search for the faces that are likely the same person's as `face`, whose vector is given: compared with all
    that is known of that person, or with the face alone where it is nobody's."""

    def __init__(self, lookups: Lookups, space: Space, face: Face, vector: Matrix, thresholds: Thresholds) -> None:
        self._lookups, self._space, self._thresholds = lookups, space, thresholds
        self._face = face
        whose = None if face.person_id is None else lookups.persons.get(face.person_id)
        self._person = None if whose is None else whose.canonical_id
        self._exemplars = self._vectors_of_person(vector)

    def _vectors_of_person(self, vector: Matrix) -> Matrix:
        """The rows that stand for the person, the face's own first."""
        model, person = self._face.model_version, self._person
        faces = [] if person is None else self._lookups.exemplars.of([person], model).get(person, [])
        places = self._space.places([embedding for face_id, embedding in faces if face_id != self._face.id])
        known = self._space.vectors(places[places >= 0])
        return np.vstack([fitted(vector, known.shape[1]), known])

    def likest(self, limit: int, step: int) -> dict[int, Likely]:
        """The `limit` likest faces, the likest first, by their ids; `step` at a time are asked of the tables."""
        near = self._space.nearest_to_several(self._exemplars, self._thresholds.offer, NEAREST)
        found: dict[int, Likely] = {}
        for start in range(0, len(near.places), step):
            found |= self._judged(Near(near.places[start : start + step], near.cosines[start : start + step]))
            if len(found) >= limit:
                break
        return dict(list(found.items())[:limit])

    def _judged(self, near: Near) -> dict[int, Likely]:
        ids = self._space.ids(near.places).tolist()
        faces = self._lookups.embedded_faces.unassigned_with(ids)
        refused = self._lookups.embedded_faces.refused([face for those in faces.values() for face in those])
        is_nobodys = np.array([id_ in faces for id_ in ids], dtype=bool)
        rivals = self._rivals(near.places[is_nobodys]) if is_nobodys.any() else {}
        found: dict[int, Likely] = {}
        for id_, place, similarity in zip(ids, near.places.tolist(), near.cosines.tolist(), strict=True):
            for face in faces.get(id_, ()):
                never = refused.get(face, set())
                # Whom a face was said not to be is no rival either.
                rival = max((s for p, s in rivals.get(place, {}).items() if p not in never), default=-1.0)
                likely = judged(similarity, len(self._exemplars), rival, self._thresholds)
                if likely is not None and face != self._face.id and self._person not in never:
                    found[face] = likely
        return found

    @cached_property
    def _others(self) -> tuple[Places, Places, Mapping[int, int]]:
        """The places of everybody else's faces, ascending, whose each is, and how many each other person has."""
        named = np.array(self._lookups.embedded_faces.assigned(self._face.model_version), dtype=np.int64).reshape(-1, 2)
        among, owners = self._space.places(named[:, 0]), named[:, 1]
        is_anothers = (among >= 0) & (owners != (-1 if self._person is None else self._person))
        among, first = np.unique(among[is_anothers], return_index=True)
        owners = owners[is_anothers][first]
        counts = zip(*(each.tolist() for each in np.unique(owners, return_counts=True)), strict=True)
        return among, owners, dict(counts)

    def _rivals(self, places: Places) -> dict[int, dict[int, float]]:
        """How like the faces at these places are to the other persons that they are near to, less what a person's faces
        make the thresholds rise by: by place, and by person."""
        among, owners, counts = self._others
        least = self._thresholds.offer
        edges = self._space.joined(np.unique(places), among, least, RIVALS)
        whose = owners[np.searchsorted(among, edges.to)]
        cosines: dict[tuple[int, int], list[float]] = {}
        for of, owner, cosine in zip(edges.of.tolist(), whose.tolist(), edges.cosines.tolist(), strict=True):
            cosines.setdefault((of, owner), []).append(cosine)
        rivals: dict[int, dict[int, float]] = {}
        for (place, owner), theirs in cosines.items():
            # What is not near is at most as like as what is near at least.
            missing = max(0, min(NEAREST, counts[owner]) - len(theirs))
            similarity = similarity_to_person([*theirs, *[least] * missing]) - rise(counts[owner])
            rivals.setdefault(place, {})[owner] = similarity
        return rivals
