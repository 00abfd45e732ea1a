"""Which faces of a person hang together: those that can be reached from each other by the rule that a face is as like a
person as the mean of its cosines to the nearest three of the person's faces.

A person grows older, and no face of the old one is like one of the child; but step by step each reaches the next. What
is reached from nowhere is likely somebody else's, be it one face or a dozen that are alike among themselves.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.vectors.rows import Matrix
from adapters.vectors.space import Places
from domain.rules.recognition import NEAREST

Flags = npt.NDArray[np.bool_]
MOST: Final = 2000
"""Faces of a person that are all compared with each other; of more, so many that are spread evenly, and each with
these."""
ITSELF: Final = np.float32(-2.0)
"""Stands in the place of a face's cosine to itself, below every other."""


ON_ONE_THREAD: Final = 1 << 18
"""Multiplications up to which a product of matrices stays on the thread that asks for it (OpenBLAS): to wait for
others takes a hundred times as long as such a product."""


class Coherence(NamedTuple):
    """The faces of a person by their rows: `core` those that hang together, `groups` the others, those that are alike
    together, the largest first; `likeness` of each face to the core without itself, NaN where there is no other."""

    core: Flags
    groups: tuple[Places, ...]
    likeness: Matrix


def cosines_of(ones: Matrix, others: Matrix) -> Matrix:
    """The cosines of unit rows, each with each; of a few dozen without waiting for another thread."""
    size, length = len(ones) * len(others), ones.shape[1]
    step = ON_ONE_THREAD // max(size, 1)
    if step >= length or step < 32:
        return ones @ others.T
    parts = (slice(start, start + step) for start in range(0, length, step))
    return sum((ones[:, part] @ others[:, part].T for part in parts), start=np.zeros(1, dtype=np.float32))


def nearest_mean(cosines: Matrix) -> Matrix:
    """`similarity_to_person` of each row, those to the face itself left out by their value; NaN where nothing is
    left."""
    if cosines.shape[1] > NEAREST:
        cosines = np.partition(cosines, cosines.shape[1] - NEAREST, axis=1)[:, -NEAREST:]
    is_other = cosines > ITSELF
    count = np.count_nonzero(is_other, axis=1)
    sums = np.where(is_other, cosines, 0).sum(axis=1, dtype=np.float32)
    means: Matrix = np.divide(sums, count, out=np.full(len(cosines), np.nan, np.float32), where=count > 0)
    return means


def coherence(vectors: Matrix, confirmed: Flags, least: float, most: int = MOST) -> Coherence:
    """How the faces with these vectors (rows of L2 norm 1) hang together, where a likeness of `least` joins; the
    `confirmed` ones do in any case.

    Of fewer faces than the rule compares with nothing can be told: all of them are the core.
    """
    count = len(vectors)
    if count <= NEAREST:
        everyone = np.ones(count, dtype=bool)
        return _told(vectors, np.arange(count), everyone, everyone, ())
    compared = np.arange(count)
    if count > most:
        compared = np.union1d(np.linspace(0, count - 1, most).astype(np.int64), np.flatnonzero(confirmed))
    known = vectors[compared]
    cosines = cosines_of(known, known)
    np.fill_diagonal(cosines, ITSELF)
    chosen = _core(cosines, confirmed[compared], np.float32(least))
    if np.count_nonzero(chosen) < NEAREST:
        chosen[:] = True
        return _told(vectors, compared, chosen, np.ones(count, dtype=bool), ())
    core = confirmed.copy()
    core[compared[chosen]] = True
    if count > len(compared):
        rest = np.flatnonzero(~core)
        core[rest[nearest_mean(vectors[rest] @ known[chosen].T) >= least]] = True
    apart = np.flatnonzero(~core)
    return _told(vectors, compared, chosen, core, _groups(vectors, apart, np.float32(least), most))


def _told(vectors: Matrix, compared: Places, chosen: Flags, core: Flags, groups: tuple[Places, ...]) -> Coherence:
    exemplars = compared[chosen]
    cosines = cosines_of(vectors, vectors[exemplars])
    cosines[exemplars, np.arange(len(exemplars))] = ITSELF
    return Coherence(core, groups, nearest_mean(cosines))


def _core(cosines: Matrix, confirmed: Flags, least: np.float32) -> Flags:
    """The most faces that hang together, and what hangs together with them and the confirmed ones."""
    everyone = np.ones(len(cosines), dtype=bool)
    degree = np.count_nonzero(cosines >= least, axis=1)
    core = _grown(cosines, _seed(cosines, everyone, degree, least), everyone, least)
    if 2 * np.count_nonzero(core) < len(cosines):
        others = _parted(cosines, ~core, least)
        if others and len(others[0]) > np.count_nonzero(core):
            core[:] = False
            core[others[0]] = True
    return _grown(cosines, core | confirmed, everyone, least)


def _groups(vectors: Matrix, apart: Places, least: np.float32, most: int) -> tuple[Places, ...]:
    found: list[Places] = []
    for start in range(0, len(apart), most):
        some = apart[start : start + most]
        cosines = cosines_of(vectors[some], vectors[some])
        np.fill_diagonal(cosines, ITSELF)
        found += [some[group] for group in _parted(cosines, np.ones(len(some), dtype=bool), least)]
    return tuple(sorted(found, key=lambda group: (-len(group), int(group[0]))))


def _parted(cosines: Matrix, among: Flags, least: np.float32) -> list[Places]:
    """The faces `among` all in groups that each hang together, the largest first."""
    left = among.copy()
    is_like = cosines >= least
    degree = np.count_nonzero(is_like & left, axis=1)
    groups = [np.array([alone]) for alone in np.flatnonzero(left & (degree == 0))]
    left &= degree > 0
    while left.any():
        group = _grown(cosines, _seed(cosines, left, degree, least), left, least)
        degree -= np.count_nonzero(is_like[:, group], axis=1)
        groups.append(np.flatnonzero(group))
        left &= ~group
    return sorted(groups, key=lambda group: (-len(group), int(group[0])))


def _seed(cosines: Matrix, among: Flags, degree: Places, least: np.float32) -> Flags:
    """The face `among` these that has most others like it, and the likest of them."""
    first = int(np.argmax(np.where(among, degree, -1)))
    row = np.where(among, cosines[first], ITSELF)
    near = np.argsort(-row, kind="stable")[: NEAREST - 1]
    members = np.zeros(len(cosines), dtype=bool)
    members[first] = True
    members[near[row[near] >= least]] = True
    return members


def _grown(cosines: Matrix, members: Flags, among: Flags, least: np.float32) -> Flags:
    """The members with all `among` these that are like them, and like those."""
    members = members.copy()
    while True:
        outside = np.flatnonzero(among & ~members)
        if not len(outside):
            return members
        joins = outside[nearest_mean(cosines[np.ix_(outside, np.flatnonzero(members))]) >= least]
        if not len(joins):
            return members
        members[joins] = True
