"""Made faces whose persons are known: what the rule of recognition makes of a large library as more and more is named.

A face lies between its person's centre and a direction of its own. A centre moves with the years, as children grow, and
every fifth person has a sibling whose centre is like its own; all faces have something in common. How far they lie
apart is what bench/recognition.py measures on photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.ports.face_engine import Thresholds
from domain.rules.recognition import NEAREST, PRESELECT_RISE, rise

Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
NAMED: Final = (1, 2, 3, 5, 10, 20)
"""Faces of a person that are named, in steps."""


class Spread(NamedTuple):
    """How faces of one model lie: cosines of one person's faces are `same` ± `apart` before the years move them,
    strangers have `common` in common, and the spectrum decays within `decay` dimensions: the fewer, the oftener two
    strangers are alike."""

    dimensions: int
    same: float
    apart: float
    common: float
    decay: float


SFACE: Final = Spread(128, 0.77, 0.14, 0.10, 70.0)
"""All photos of bench/recognition_photos.py: 0.77 ± 0.14 and 0.10 ± 0.10."""
SFACE_HARD: Final = Spread(128, 0.60, 0.12, 0.15, 60.0)
"""The yearbooks among them: 0.58 ± 0.11 and 0.17 ± 0.11."""
FACENET: Final = Spread(512, 0.72, 0.10, 0.0, 21.0)
"""0.72 ± 0.10 and 0 ± 0.15, on labelled photos of public figures."""
YEARS: Final = 0.6
"""Radians that a centre moves over all years: two faces that far apart have lost a sixth of their likeness."""
SIBLINGS: Final = 0.2
ALIKE: Final = 0.4
"""Cosine of the centres of two siblings."""


def directions(count: int, spread: Spread, chance: np.random.Generator) -> Matrix:
    """Random directions with the model's spectrum."""
    spectrum = np.exp(-np.arange(spread.dimensions) / (2 * spread.decay)).astype(np.float32)
    return _at_length_one(chance.standard_normal((count, spread.dimensions), dtype=np.float32) * spectrum)


def library(
    spread: Spread, persons: int, faces_each: int, seed: int = 1, years: float = YEARS
) -> tuple[Matrix, Labels]:
    """The faces of a library, person by person, and whose each is."""
    chance = np.random.default_rng(seed)
    shared, centres = directions(1, spread, chance)[0], directions(persons, spread, chance)
    for one in range(0, int(persons * SIBLINGS) // 2 * 2, 2):
        centres[one + 1] = ALIKE * centres[one] + np.sqrt(1 - ALIKE**2) * centres[one + 1]
    elsewhere = directions(persons, spread, chance)
    whose = np.repeat(np.arange(persons), faces_each)
    moved = (YEARS * chance.random(len(whose), dtype=np.float32))[:, None]
    own = np.cos(moved) * _at_length_one(centres)[whose] + np.sin(moved) * elsewhere[whose]
    return around(spread, shared, own, chance), whose


def around(spread: Spread, shared: Matrix, centres: Matrix, chance: np.random.Generator) -> Matrix:
    """A face around each of these centres, all of which have `shared` in common."""
    mixed = _at_length_one(np.sqrt(spread.common) * shared + np.sqrt(1 - spread.common) * _at_length_one(centres))
    likeness = np.clip(chance.normal(spread.same, spread.apart, len(centres)), 0.2, 0.97).astype(np.float32)[:, None]
    own = directions(len(centres), spread, chance)
    return _at_length_one(np.sqrt(likeness) * mixed + np.sqrt(1 - likeness) * own)


def _at_length_one(rows: npt.NDArray[np.floating]) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class Found(NamedTuple):
    """What naming some faces of each asked person brings: shares of what is pre-selected, and of what is theirs."""

    precision: float
    recall: float
    offered: float


def found_as_more_is_named(
    faces: Matrix, whose: Labels, thresholds: Thresholds, asked: int, *, everybody: bool, steps: Sequence[int] = NAMED
) -> dict[int, Found]:
    """By the number of named faces, what the rule of domain/rules/recognition.py finds of `asked` persons.

    With `everybody` all persons have as many named faces, and a face that is liker to another is left out.
    """
    chance = np.random.default_rng(0)
    persons = int(whose.max()) + 1
    order = np.array([chance.permutation(np.flatnonzero(whose == person)) for person in range(persons)])
    those = chance.choice(persons, min(asked, persons), replace=False)
    found: dict[int, Found] = {}
    for named in steps:
        is_free = np.ones(len(faces), dtype=bool)
        likest = _likest_of_all(faces, order[:, :named]) if everybody else None
        if everybody:
            is_free[order[:, :named].ravel()] = False
        right = ticked = theirs = offered = 0
        for person in those:
            free = is_free.copy()
            free[order[person, :named]] = False
            own = similarities(faces, faces[order[person, :named]])
            above = own - rise(named)
            may_be = free if likest is None else free & (above >= likest)
            is_theirs = whose == person
            presumed = may_be & (own >= thresholds.preselect + rise(named, PRESELECT_RISE))
            right, ticked = right + int((presumed & is_theirs).sum()), ticked + int(presumed.sum())
            theirs += int((free & is_theirs).sum())
            offered += int((may_be & (above >= thresholds.offer) & is_theirs).sum())
        found[named] = Found(right / max(1, ticked), right / theirs, offered / theirs)
    return found


def similarities(faces: Matrix, exemplars: Matrix) -> Matrix:
    """`similarity_to_person` of each face, for all of them at once."""
    cosines = faces @ exemplars.T
    few = min(NEAREST, len(exemplars))
    return np.asarray(np.partition(cosines, -few, axis=1)[:, -few:].mean(axis=1), dtype=np.float32)


def _likest_of_all(faces: Matrix, named: Labels) -> Matrix:
    """How like each face is to the person whom it is likest to, less the rise."""
    likest = np.full(len(faces), -1, dtype=np.float32)
    for those in named:
        np.maximum(likest, similarities(faces, faces[those]) - rise(named.shape[1]), out=likest)
    return likest


def main(thresholds: Mapping[str, Thresholds], persons: int = 500, faces_each: int = 40, asked: int = 60) -> None:
    """Print what the rule finds in libraries of these many faces; `thresholds` by the model's name."""
    print(f"{persons} made persons of {faces_each} faces, siblings and years among them, {asked} of them asked after:")
    for what, spread, model in (
        ("SFace", SFACE, "sface"),
        ("SFace, as in the yearbooks", SFACE_HARD, "sface"),
        ("FaceNet", FACENET, "facenet"),
    ):
        if model not in thresholds:
            continue
        faces, whose = library(spread, persons, faces_each)
        for everybody in (False, True):
            print(f"  {what}, {'everybody has as many named' if everybody else 'nobody else is named'}:")
            found = found_as_more_is_named(faces, whose, thresholds[model], asked, everybody=everybody)
            for named, each in found.items():
                print(
                    f"    {named:>2} named: precision of what is pre-selected {each.precision:.4f}, recall of it "
                    f"{each.recall:.4f}, recall of what is offered {each.offered:.4f}"
                )
