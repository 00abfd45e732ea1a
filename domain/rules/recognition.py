"""Whether a face is somebody's: one rule for suggestions, for the likely others of a person, for whom a cluster is
nearest to, for binding by a tag and for the review.

A face is as like a person as the mean of its cosines to the `NEAREST` of that person's exemplars. From the model's
threshold `offer` on it may be asked about, from `preselect` on it may be presumed; both rise with the number of
exemplars, among which a stranger finds a few that are like him by chance. Never is it offered where it is liker to
another person. Who asks fetches the cosines; refusals are left out before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import islice, zip_longest
from math import log2
from statistics import median_low
from typing import Final

import msgspec

from domain.ports.face_engine import Thresholds

NEAREST: Final = 3
"""Exemplars that count: one odd face among them then decides nothing, and a person who changed over the years is still
met by the faces of one age. The mean of more of them lost faces of rare ages in bench/recognition.py, the nearest alone
let in strangers."""
EXEMPLARS: Final = 24
"""Faces of a person that others are compared with: the clearest, as evenly spread over the years as there are."""
OFFER_RISE: Final = 0.02
"""What `offer` rises by when the number of exemplars doubles: by so much the likest strangers become liker to the
nearest three of them, so that as many are asked about; blurred and covered faces, which gain little, still are."""
PRESELECT_RISE: Final = 0.04
"""What `preselect` rises by: a person's own faces gain 0.07 to 0.1. With 0.03 precision still fell from three named
faces to five in bench/recognition.py."""


class Likely(msgspec.Struct, frozen=True):
    """A face that may be a person's: `similarity` is the mean cosine of the rule, `preselected` says that it may be
    presumed."""

    similarity: float
    preselected: bool


class Candidate(msgspec.Struct, frozen=True):
    """A face that may stand for its person: `decided` says that a person said whose it is, `year` counts the years of
    the photo from any one, None where its date is not known."""

    face_id: int
    decided: bool
    year: int | None


def chosen(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The `EXEMPLARS` of these faces, which come the clearest first, that stand for their person: from each year in
    turn the next, those that a person decided about before the others."""
    years: dict[int | None, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda each: not each.decided):
        years.setdefault(candidate.year, []).append(candidate)
    in_turn = (each for round_ in zip_longest(*years.values()) for each in round_ if each is not None)
    return list(islice(in_turn, EXEMPLARS))


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


def rise(exemplars: int, by: float = OFFER_RISE) -> float:
    """What a threshold rises by where a person has so many exemplars: 0 up to `NEAREST`, then `by` each time that they
    double."""
    return by * log2(min(max(exemplars, NEAREST), EXEMPLARS) / NEAREST)


def judged(similarity: float, exemplars: int, rival: float, thresholds: Thresholds) -> Likely | None:
    """Whether a face of this `similarity` to a person of so many `exemplars` may be asked about, and presumed; None
    where it may not. `rival` is its similarity to the likest other person, less what `offer` rises by for that person's
    exemplars."""
    above = similarity - rise(exemplars)
    if above < thresholds.offer or rival > above:
        return None
    return Likely(round(similarity, 4), similarity >= thresholds.preselect + rise(exemplars, PRESELECT_RISE))


def ranked(
    similarities: Mapping[int, float], exemplars: Mapping[int, int], thresholds: Thresholds
) -> dict[int, Likely]:
    """The persons that a face may be, the likest first, from its similarity to each and the number of that person's
    exemplars; presumed is at most the likest."""
    found: dict[int, Likely] = {}
    above = {person: similarity - rise(exemplars.get(person, 1)) for person, similarity in similarities.items()}
    for person, similarity in sorted(similarities.items(), key=lambda each: (-each[1], each[0])):
        likely = judged(similarity, exemplars.get(person, 1), -1.0, thresholds)
        if likely is not None:
            is_likest = above[person] == max(above.values())
            found[person] = Likely(likely.similarity, likely.preselected and is_likest)
    return found


def likest(likely: Mapping[int, Likely]) -> int | None:
    """Who is named where only one can be, of the persons that a face may be, as `ranked` has them: who may be presumed,
    though the many faces of another may lie a little nearer, else the first; None where there are none."""
    return next((person for person, each in likely.items() if each.preselected), next(iter(likely), None))


def of_several(scored: Collection[Mapping[int, float]]) -> dict[int, float]:
    """How like several faces of one person are to others: by person the median over the faces, of which each was scored
    against the persons that it is near to; who is near to no more than half of them is left out."""
    persons = {person for scores in scored for person in scores}
    lowest = -1.0
    middles = {person: median_low(scores.get(person, lowest) for scores in scored) for person in persons}
    return {person: middle for person, middle in middles.items() if middle > lowest}
