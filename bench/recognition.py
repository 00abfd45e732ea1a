"""How well faces are recognised, from JPEG bytes to whom they are asked about: what the thresholds rest on.

    python -m bench.recognition [--models sface,facenet] [--photos-altered 3]

The photos and their persons are those of bench/recognition_photos.py; the engine is the product's own, in its worker
processes, and so is the rule (domain/rules/recognition.py). A true acceptance rate (TAR) is the share of pairs of one
person at or above the cosine that lets a given share of pairs of different persons pass (FAR). Its interval of 95 % is
a bootstrap over persons, since the pairs of one person are not independent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.face_engines.model_card import FaceModel, face_model
from bench import recognition_made
from bench.recognition_photos import (
    ALTERED,
    VERSIONS,
    Alteration,
    Matrix,
    Portrait,
    altered_by,
    faces_seen,
    jpeg,
    portraits,
    vectors_of,
)
from domain.ports.face_engine import DetectedFace, Thresholds
from domain.rules.recognition import PRESELECT_RISE, rise, similarity_to_person

Names = npt.NDArray[np.str_]
Flags = npt.NDArray[np.bool_]
RATES: Final = (0.01, 0.001, 0.0001)
FEW_PAIRS: Final = 10_000
"""Pairs of different persons below which no lower FAR than 1 % is told."""
SAMPLES: Final = 2000
"""Draws of the bootstrap."""
DRAWS: Final = 5
"""How often the named faces are drawn anew."""


class Seen(NamedTuple):
    """What one model makes of the photos: vectors (rows) and whose each is."""

    model: FaceModel
    shown: Sequence[Portrait]
    faces: Sequence[DetectedFace]
    vectors: Matrix
    persons: Names

    def of(self, collection: str) -> Seen:
        """Those of one collection."""
        places = [place for place, one in enumerate(self.shown) if one.collection == collection]
        shown, faces = [self.shown[place] for place in places], [self.faces[place] for place in places]
        return Seen(self.model, shown, faces, self.vectors[places], self.persons[places])


class Pairs(NamedTuple):
    """The cosines of all pairs of photos: those of one person with the person of each, and those of different ones."""

    same: Matrix
    whose: Names
    different: Matrix

    def cosine_at(self, rate: float) -> float:
        """The least cosine at or above which at most that share of different persons' pairs lies."""
        descending = np.sort(self.different)[::-1]
        return float(np.nextafter(descending[int(rate * len(descending))], np.float32(2)))


def pairs_of(vectors: Matrix, persons: Names) -> Pairs:
    """Every pair once."""
    first, second = np.triu_indices(len(vectors), 1)
    cosines = np.concatenate([vectors[one] @ vectors[one + 1 :].T for one in range(len(vectors))])
    is_same = persons[first] == persons[second]
    return Pairs(cosines[is_same], persons[first[is_same]], cosines[~is_same])


def area_under_curve(pairs: Pairs) -> float:
    """The chance that a pair of one person is liker than a pair of different ones."""
    below = np.searchsorted(np.sort(pairs.different), pairs.same, side="left")
    return float(below.mean() / len(pairs.different))


def interval_over_persons(accepted: Flags, whose: Names) -> tuple[float, float]:
    """The middle 95 % of the share of accepted pairs where the persons are drawn anew, with replacement."""
    _, which = np.unique(whose, return_inverse=True)
    hits, counts = np.bincount(which, accepted), np.bincount(which)
    drawn = np.random.default_rng(0).integers(0, len(counts), (SAMPLES, len(counts)))
    shares = hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The interval of 95 % of a share (Wilson 1927)."""
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return max(0.0, middle - half), min(1.0, middle + half)


def seen_by(model: FaceModel) -> Seen:
    """What the engine makes of every photo; those without a face that it finds are told and left out."""
    shown = portraits()
    faces = faces_seen(model, [jpeg(one.picture()) for one in shown])
    for one, face in zip(shown, faces, strict=True):
        if face is None:
            print(f"no face found on {one.path.name}")
    kept = [(one, face) for one, face in zip(shown, faces, strict=True) if face is not None]
    found = [face for _, face in kept]
    return Seen(model, [one for one, _ in kept], found, vectors_of(found), np.array([one.person for one, _ in kept]))


def tell_rates(what: str, seen: Seen) -> None:
    """Print TAR at each FAR."""
    pairs = pairs_of(seen.vectors, seen.persons)
    same, different = pairs.same, pairs.different
    print(
        f"  {what}: {len(np.unique(seen.persons))} persons, {len(seen.persons)} photos, {len(same):,} and "
        f"{len(different):,} pairs, AUC {area_under_curve(pairs):.5f}; "
        f"one person {same.mean():.3f} ± {same.std():.3f}, different ones {different.mean():.3f} ± "
        f"{different.std():.3f}, at most {different.max():.3f}"
    )
    for rate in RATES if len(different) >= FEW_PAIRS else RATES[:1]:
        least = pairs.cosine_at(rate)
        accepted = same >= least
        low, high = interval_over_persons(accepted, pairs.whose)
        false_low, false_high = wilson(int((different >= least).sum()), len(different))
        print(
            f"    FAR {rate:.2%} ({false_low:.3%} to {false_high:.3%}) at a cosine of {least:.3f}: "
            f"TAR {accepted.mean():.4f} ({low:.4f} to {high:.4f})"
        )


# What the rule makes of it: name some faces, find the rest


class Asked(NamedTuple):
    """For each face and each person who has a name and further faces: how like, how like to the likest other, and
    whether it is that person."""

    similarity: Matrix
    rival: Matrix
    is_theirs: Flags

    def preselected(self, thresholds: Thresholds, named: int, has_rivals: bool) -> Flags:
        """What would be ticked."""
        return self._from(thresholds.preselect + rise(named, PRESELECT_RISE), has_rivals)

    def offered(self, thresholds: Thresholds, named: int, has_rivals: bool) -> Flags:
        """What would be shown, ticked or not."""
        return self._from(thresholds.offer + rise(named), has_rivals)

    def _from(self, least: float, has_rivals: bool) -> Flags:
        return (self.similarity >= least) & (not has_rivals or self.similarity >= self.rival)


def asked_after(
    seen: Seen, named: int, has_rivals: bool, nearest: int | None = None, cosines: Matrix | None = None
) -> Asked:
    """Each person's remaining faces among everybody's, `named` faces of each drawn to be named, `DRAWS` times.

    `nearest` and `cosines` take the place of the rule's and of the vectors' own.
    """
    chance = np.random.default_rng(0)
    cosines = seen.vectors @ seen.vectors.T if cosines is None else cosines
    persons, counts = np.unique(seen.persons, return_counts=True)
    persons = persons[counts > named]
    parts: list[Asked] = []
    for _ in range(DRAWS):
        drawn = {name: chance.choice(np.flatnonzero(seen.persons == name), named, replace=False) for name in persons}
        every = np.concatenate(list(drawn.values()))
        scores = np.array([_scored(cosines[:, drawn[name]], nearest) for name in persons], dtype=np.float32)
        for place, name in enumerate(persons):
            rest = np.setdiff1d(np.arange(len(seen.persons)), every if has_rivals else drawn[name])
            others = np.delete(scores, place, axis=0)[:, rest].max(axis=0)
            parts.append(Asked(scores[place, rest], others, seen.persons[rest] == name))
    return Asked(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _scored(cosines: Matrix, nearest: int | None) -> list[float]:
    """The rule's score of each row; the mean of the `nearest` where that many are to be compared instead."""
    if nearest is None:
        return [similarity_to_person(row) for row in cosines.tolist()]
    few = min(nearest, cosines.shape[1])
    return [float(value) for value in np.sort(cosines, axis=1)[:, -few:].mean(axis=1)]


def tell_rule(seen: Seen) -> None:
    """Print precision of what is pre-selected and recall of what is offered, and what other rules would give."""
    thresholds = seen.model.thresholds
    for has_rivals in (False, True):
        print(f"  name some, find the rest; {'everybody has as many named' if has_rivals else 'nobody else is named'}:")
        for named in (1, 3, 6):
            asked = asked_after(seen, named, has_rivals)
            ticked = asked.preselected(thresholds, named, has_rivals)
            shown = asked.offered(thresholds, named, has_rivals)
            theirs, right = asked.is_theirs, ticked & asked.is_theirs
            low, high = wilson(int(right.sum()), max(1, int(ticked.sum())))
            print(
                f"    {named} named: precision of what is pre-selected {right.sum() / max(1, ticked.sum()):.4f} "
                f"({low:.4f} to {high:.4f}), recall of it {right.sum() / theirs.sum():.4f}; recall of what is offered "
                f"{(shown & theirs).sum() / theirs.sum():.4f}, precision of it "
                f"{(shown & theirs).sum() / max(1, shown.sum()):.4f}"
            )
    print("  recall at a precision of 0.99, by rule (1, 3 and 6 named, nobody else):")
    for what, nearest in (("the nearest", 1), ("mean of the nearest three", 3), ("mean of all", 99)):
        shares = (_recall_at_precision(asked_after(seen, named, False, nearest)) for named in (1, 3, 6))
        print(f"    {what:<26}" + "  ".join(f"{recall:.4f} (from {least:.3f})" for recall, least in shares))
    among_all = _against_the_library(seen)
    shares = (_recall_at_precision(asked_after(seen, named, False, 3, among_all)) for named in (1, 3, 6))
    print(
        "    the three, s-norm, in deviations "
        + "  ".join(f"{recall:.4f} (from {least:.2f})" for recall, least in shares)
    )


def _against_the_library(seen: Seen) -> Matrix:
    """Cosines in deviations from what the two faces have with all others, averaged over the two (s-norm)."""
    cosines = seen.vectors @ seen.vectors.T
    others = np.where(np.eye(len(cosines), dtype=bool), np.nan, cosines)
    mean, apart = np.nanmean(others, axis=1), np.nanstd(others, axis=1)
    by_row = (cosines - mean[:, None]) / apart[:, None]
    return np.asarray((by_row + by_row.T) / 2, dtype=np.float32)


def _recall_at_precision(asked: Asked, precision: float = 0.99) -> tuple[float, float]:
    """The highest recall at that precision, and the least similarity that gives it."""
    order = np.argsort(-asked.similarity)
    right = np.cumsum(asked.is_theirs[order])
    good = np.flatnonzero(right / np.arange(1, len(order) + 1) >= precision)
    if not len(good):
        return 0.0, 1.0
    return float(right[good[-1]] / asked.is_theirs.sum()), float(asked.similarity[order[good[-1]]])


# What alterations do


def tell_alterations(seen: Seen, photos_each: int) -> None:
    """Print how many altered faces are found, and how many are known by the person's other photos as they are; and how
    like two versions of one photo stay."""
    taken = _first_of_each(seen.persons, photos_each)
    shown, faces = [seen.shown[place] for place in taken], [seen.faces[place] for place in taken]
    pairs = pairs_of(seen.vectors, seen.persons)
    least, offer = pairs.cosine_at(0.001), seen.model.thresholds.offer
    is_same = seen.persons[taken][:, None] == seen.persons[None]
    is_same[np.arange(len(taken)), taken] = False
    print(f"  altered, against the person's other photos as they are ({len(taken)} photos, cosine {least:.3f}):")
    for what, found, cosines in _altered(seen, ALTERED, shown, faces):
        accepted, false = cosines[is_same[found]] >= least, cosines[~_of_one(seen, taken[found])] >= least
        print(
            f"    {what:<32} found {found.mean():7.1%}, TAR {accepted.mean():.4f}, FAR {false.mean():.3%}, "
            f"at or above {offer:.2f} {(cosines[is_same[found]] >= offer).mean():.4f}"
        )
    print("  versions of one photo: cosine to the photo itself (lowest, 1 %, 5 %, median):")
    every = []
    for what, found, cosines in _altered(seen, VERSIONS, shown, faces):
        itself = cosines[np.arange(len(cosines)), taken[found]]
        every.append(itself)
        print(f"    {what:<32} " + "  ".join(f"{value:.3f}" for value in np.quantile(itself, (0.0, 0.01, 0.05, 0.5))))
    sure = float(np.quantile(np.concatenate(every), 0.01))
    others = pairs.same >= sure
    print(
        f"    99 % are at or above {sure:.3f}; so are {others.mean():.1%} of two photos of one person, and "
        f"{(pairs.different >= sure).mean():.4%} of different ones (at most {pairs.different.max():.3f})"
    )


def _altered(
    seen: Seen, alterations: Mapping[str, Alteration], shown: Sequence[Portrait], faces: Sequence[DetectedFace]
) -> Iterator[tuple[str, Flags, Matrix]]:
    """Of each alteration, which of the faces were found again, and those faces' cosines to all photos."""
    for what, alter in alterations.items():
        again = faces_seen(seen.model, list(altered_by(alter, shown, faces)))
        found = np.array([face is not None for face in again])
        yield what, found, vectors_of([face for face in again if face is not None]) @ seen.vectors.T


def _first_of_each(persons: Names, most: int) -> npt.NDArray[np.int64]:
    """Places of the first photos of each person."""
    return np.sort(np.concatenate([np.flatnonzero(persons == name)[:most] for name in np.unique(persons)]))


def _of_one(seen: Seen, places: npt.NDArray[np.int64]) -> Flags:
    return np.asarray(seen.persons[places][:, None] == seen.persons[None])


def tell_halves(seen: Seen) -> None:
    """Print what storing vectors as half floats does to cosines."""
    halves = seen.vectors.astype(np.float16).astype(np.float32)
    apart = float(np.abs(halves @ halves.T - seen.vectors @ seen.vectors.T).max())
    whole, half = pairs_of(seen.vectors, seen.persons), pairs_of(halves, seen.persons)
    shares = [float((pairs.same >= pairs.cosine_at(0.001)).mean()) for pairs in (whole, half)]
    print(f"  as half floats a cosine differs by at most {apart:.6f}; TAR at 0.1 % {shares[0]:.4f} -> {shares[1]:.4f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(prog="python -m bench.recognition")
    parser.add_argument("--models", default="sface,facenet")
    parser.add_argument("--photos-altered", type=int, default=3, metavar="OF EACH PERSON")
    chosen = parser.parse_args(arguments)
    models = {name: face_model(name) for name in chosen.models.split(",")}
    for model in models.values():
        seen = seen_by(model)
        thresholds = seen.model.thresholds
        print(
            f"{seen.model.version}: offer {thresholds.offer:.2f}, pre-select {thresholds.preselect:.2f}, bind by a tag "
            f"{thresholds.autobind:.2f}, cluster {thresholds.cluster:.2f}"
        )
        tell_rates("all", seen)
        for collection in ("orl", "yearbook"):
            tell_rates(collection, seen.of(collection))
        tell_halves(seen)
        tell_rule(seen)
        if chosen.photos_altered:
            tell_alterations(seen, chosen.photos_altered)
    recognition_made.main({name: model.thresholds for name, model in models.items()})


if __name__ == "__main__":
    main()
