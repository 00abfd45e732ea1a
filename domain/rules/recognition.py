"""Whether a face is somebody's: one rule for suggestions, for the likely others of a person, for whom a cluster is
nearest to, for binding by a tag and for the review.

A face is as like a person as the mean of its cosines to the `NEAREST` of that person's exemplars. From the model's
threshold `offer` on it may be asked about, from `preselect` on it may be presumed; never where it is liker to another
person. Who asks fetches the cosines; refusals are left out before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from heapq import nlargest
from statistics import median_low
from typing import Final

import msgspec

from domain.ports.face_engine import Thresholds

NEAREST: Final = 3
"""Exemplars that count: one odd face among them then decides nothing, and a person who changed over the years is still
met by the faces of one age. The mean of more of them lost faces of rare ages in bench/recognition.py, the nearest alone
let in strangers."""
EXEMPLARS: Final = 64
"""Faces of a person that others are compared with where it would take too long to take all: clear ones, as evenly
spread over the years as there are."""


class Likely(msgspec.Struct, frozen=True):
    """A face that may be a person's: `similarity` is the mean cosine of the rule, `preselected` says that it may be
    presumed."""

    similarity: float
    preselected: bool


def similarity_to_person(cosines: Iterable[float]) -> float:
    """How like a face is to a person, from its cosines to the person's exemplars: the mean of the `NEAREST` highest, of
    all where there are fewer.

    Raises:
        ValueError: there are none.
    """
    nearest = nlargest(NEAREST, cosines)
    if not nearest:
        raise ValueError("nobody can be compared with who has no face")
    return sum(nearest) / len(nearest)


def judged(similarity: float, rival: float, thresholds: Thresholds) -> Likely | None:
    """Whether a face of this `similarity` to a person may be asked about, and presumed, where the likest other person
    is at `rival`; None where it may not."""
    if similarity < thresholds.offer or rival > similarity:
        return None
    return Likely(round(similarity, 4), similarity >= thresholds.preselect)


def of_several(scored: Collection[Mapping[int, float]]) -> dict[int, float]:
    """How like several faces of one person are to others: by person the median over the faces, of which each was scored
    against the persons that it is near to; who is near to no more than half of them is left out."""
    persons = {person for scores in scored for person in scores}
    lowest = -1.0
    middles = {person: median_low(scores.get(person, lowest) for scores in scored) for person in persons}
    return {person: middle for person, middle in middles.items() if middle > lowest}
