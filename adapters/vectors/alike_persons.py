"""Who may be one, and who may be two: persons whose faces are alike, and faces of a person that are unlike the others.

Of each person those faces count that hang together (`coherence`), in up to four parts in the order in which they were
found. Two persons are as alike as two parts of theirs on the average: among a few dozen faces of each, somebody always
has three that are like three of a stranger's, and of two million pairs thousands of strangers passed by these, two by
the average (bench/person_suggestions.py).

For each set of libraries that somebody looks at, what was compared is kept between calls, of the faces that are visible
there and of nothing else. A person whose faces changed is compared anew, and no other; what was refused, who is on one
photo and what persons are called is asked of the tables at each call.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from adapters.vectors.coherence import Flags, coherence, cosines_of, nearest_mean
from adapters.vectors.rows import Matrix
from adapters.vectors.space import Places, Space
from domain.ports.face_engine import Thresholds
from domain.rules.recognition import Likely, likest, ranked
from domain.rules.who_is_who import (
    ComparedPerson,
    are_born_apart,
    are_names_alike,
    examples,
    least_likeness,
    that_stays,
)
from projections.queries.reading import Lookups

PARTS: Final = 4
"""Parts of a person's faces: a child, and the years after."""
PART: Final = 4
"""Faces of a part, so that no single one decides."""
EXEMPLARS: Final = 32
"""Faces of a person among which the likest to another's are looked for, spread evenly."""
EXAMPLES: Final = 3
"""Pairs of faces that come with a suggestion."""
LOOKED_THROUGH: Final = 200
"""The likest pairs of faces, among which those are found."""
MOST_PAIRS: Final = 5000
"""Pairs of persons that are kept, the likest."""
NEARBY: Final = 5
"""Persons that are compared with faces which may be somebody else's."""
SETS_KEPT: Final = 8
"""Sets of libraries of which what was compared is kept; the one looked at longest ago goes first."""
LISTS_KEPT: Final = 8
"""Persons whose faces' likenesses are kept, for the pages of a list."""
BLOCK: Final = 1024

Pair = tuple[int, int]
Example = tuple[int, int, float]


class LikelyOne(NamedTuple):
    """Two persons that are likely one: `person` would be merged into `into`. `similarity` is at least `threshold`."""

    person: int
    into: int
    similarity: float
    threshold: float
    names_alike: bool


class LikelyAnothers(NamedTuple):
    """Faces of a person, alike among themselves, that are unlike the person's others: the likeness of each to those is
    below `threshold`, and `similarity` is the mean; `vector_ids` are the ids of their vectors."""

    person: int
    face_ids: tuple[int, ...]
    vector_ids: tuple[int, ...]
    similarity: float
    threshold: float


class _Person(NamedTuple):
    """A person as its faces have it: `signature` names these, `size` says how many hang together, `parts` are the means
    of parts of those as unit rows; `exemplars` of them, and the ids of the vectors."""

    signature: bytes
    size: int
    parts: Matrix
    exemplars: Places
    vector_ids: Places
    apart: tuple[LikelyAnothers, ...]


class _Compared(NamedTuple):
    """The persons that one set of libraries shows, and the pairs of them, the lower id first, that are as alike as is
    offered; the `parts` of all, and whose each is."""

    space: Space
    known: Mapping[int, _Person]
    scores: Mapping[Pair, float]
    parts: Matrix
    owners: Places


class PersonSuggestions:
    """Who may be one and who may be two. Blocking; safe from any thread."""

    def __init__(self, space: Callable[[Lookups, str], Space]) -> None:
        """`space` gives the vectors of a model."""
        self._space = space
        self._lock = threading.Lock()
        self._sets: OrderedDict[tuple[str, float, frozenset[int]], _Persons] = OrderedDict()
        self._lists: OrderedDict[tuple[str, float, bytes], Mapping[int, float]] = OrderedDict()

    def of(self, lookups: Lookups, model: str, thresholds: Thresholds, whole: Lookups | None = None) -> Suggested:
        """What is to be suggested of the visible persons, as the tables have them now. `whole` shows all that the user
        sees, where `lookups` is narrowed: who is on one photo anywhere there is not one."""
        key = (model, thresholds.offer, lookups.visible)
        with self._lock:
            persons = self._sets.setdefault(key, _Persons(thresholds.offer))
            self._sets.move_to_end(key)
            while len(self._sets) > SETS_KEPT:
                self._sets.popitem(last=False)
        rows, confirmed = _in_order(lookups.faces_of_persons.embedded(model), lookups)
        compared = persons.follow(self._space(lookups, model), rows, confirmed)
        return Suggested(lookups, compared, thresholds, whole or lookups)

    def likenesses(self, lookups: Lookups, person_id: int, model: str, offer: float) -> Mapping[int, float]:
        """How alike each visible face of a canonical person is to those of it that hang together, by face id; without
        faces that have no vector of this model, and without an only one."""
        rows, confirmed = _in_order(lookups.faces_of_persons.embedded_of(person_id, model), lookups)
        key = (model, offer, rows.tobytes() + confirmed.tobytes())
        with self._lock:
            known = self._lists.get(key)
        if known is None:
            known = _likenesses(self._space(lookups, model), rows, confirmed, offer)
        with self._lock:
            self._lists[key] = known
            self._lists.move_to_end(key)
            while len(self._lists) > LISTS_KEPT:
                self._lists.popitem(last=False)
        return known


class Suggested:
    """What is suggested in one snapshot."""

    def __init__(self, lookups: Lookups, compared: _Compared, thresholds: Thresholds, whole: Lookups) -> None:
        self._lookups, self._whole = lookups, whole
        self._compared = compared
        self._thresholds = thresholds
        self._shown = lookups.faces_of_persons.shown()

    def likely_one(self) -> list[LikelyOne]:
        """The pairs of visible persons that are likely one, the likest first, without those that were told apart, were
        born on two days or are on one photo."""
        known = self._compared.known
        named = {
            id_: ComparedPerson(id_, name, born, known[id_].size)
            for id_, (name, born) in self._shown.items()
            if id_ in known
        }
        never = self._lookups.persons.told_apart() | self._lookups.faces_of_persons.refused()
        found = [
            _suggested(named[pair[0]], named[pair[1]], score, self._thresholds)
            for pair, score in self._compared.scores.items()
            if pair not in never and named.keys() >= set(pair)
        ]
        likely = [one for one in found if one is not None]
        on = self._whole.faces_of_persons.contents({id_ for one in likely for id_ in (one.person, one.into)})
        likely = [one for one in likely if on.get(one.person, set()).isdisjoint(on.get(one.into, set()))]
        return sorted(likely, key=lambda one: (-one.similarity, one.person, one.into))

    def examples(self, one: LikelyOne) -> list[Example]:
        """The likest pairs of their faces, those of `person` first, with their cosines; no face is in two."""
        known = self._compared.known
        return _examples(self._compared.space, known[one.person], known[one.into])

    def likely_anothers(self) -> list[LikelyAnothers]:
        """The faces of visible persons that are likely somebody else's, the largest group first, then the least
        alike."""
        found = [group for id_, person in self._compared.known.items() if id_ in self._shown for group in person.apart]
        return sorted(found, key=lambda each: (-len(each.face_ids), each.similarity, each.person, each.face_ids[0]))

    def nearest(self, of: LikelyAnothers) -> tuple[int, Likely] | None:
        """The visible person that these faces are likest to, and how much, where they would be offered as theirs."""
        never = self._lookups.embedded_faces.rejected_by_any(of.face_ids) | {of.person}
        return _likest(self._compared, of, self._shown.keys() - never, self._thresholds)


class _Persons:
    """What was compared of the persons that one set of libraries shows."""

    def __init__(self, offer: float) -> None:
        self._offer = offer
        self._lock = threading.Lock()
        self._known: Mapping[int, _Person] = {}
        self._scores: Mapping[Pair, float] = {}

    def follow(self, space: Space, rows: Places, confirmed: Flags) -> _Compared:
        """Compare anew who changed: `rows` of person, face and the id of its vector, in this order."""
        with self._lock:
            known = dict(self._read(space, rows, confirmed))
            changed = {id_ for id_, person in known.items() if self._known.get(id_) is not person}
            stays = known.keys() - changed
            kept = {pair: score for pair, score in self._scores.items() if stays.issuperset(pair)}
            parts = (
                np.concatenate([person.parts for person in known.values()]) if known else np.empty((0, 1), np.float32)
            )
            owners = np.repeat(np.array(list(known), np.int64), [len(person.parts) for person in known.values()])
            self._scores = kept | _likest_pairs(parts, owners, changed, self._offer)
            self._known = known
            return _Compared(space, known, self._scores, parts, owners)

    def _read(self, space: Space, rows: Places, confirmed: Flags) -> Iterator[tuple[int, _Person]]:
        ids, starts = np.unique(rows[:, 0], return_index=True)
        for id_, start, end in zip(ids.tolist(), starts, [*starts, len(rows)][1:], strict=True):
            theirs, sure = rows[start:end], confirmed[start:end]
            signature = theirs.tobytes() + sure.tobytes()
            before = self._known.get(id_)
            if before is not None and before.signature == signature:
                yield id_, before
            else:
                yield id_, _read(space, theirs, sure, self._offer)._replace(signature=signature)


def _in_order(embedded: Collection[tuple[int, int, int]], lookups: Lookups) -> tuple[Places, Flags]:
    """Person, face and id of its vector, by these, and which of the faces were confirmed."""
    # A thousand times as quick as `np.array`, which asks each row for attributes that it has not.
    rows = np.fromiter(chain.from_iterable(embedded), dtype=np.int64).reshape(-1, 3)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    return rows, np.isin(rows[:, 1], list(lookups.faces_of_persons.confirmed()))


def _likenesses(space: Space, rows: Places, confirmed: Flags, offer: float) -> Mapping[int, float]:
    places = space.places(rows[:, 2])
    there = places >= 0
    hangs = coherence(space.vectors(places[there]), confirmed[there], offer)
    scored = zip(rows[there, 1].tolist(), hangs.likeness.tolist(), strict=True)
    return {face: round(likeness, 4) for face, likeness in scored if not np.isnan(likeness)}


def _read(space: Space, rows: Places, confirmed: Flags, offer: float) -> _Person:
    places = space.places(rows[:, 2])
    rows, confirmed, places = rows[places >= 0], confirmed[places >= 0], places[places >= 0]
    vectors = space.vectors(places)
    hangs = coherence(vectors, confirmed, offer)
    apart = tuple(
        LikelyAnothers(
            int(rows[0, 0]),
            tuple(rows[group, 1].tolist()),
            tuple(rows[group, 2].tolist()),
            round(float(hangs.likeness[group].mean()), 4),
            offer,
        )
        for group in hangs.groups
    )
    core = np.flatnonzero(hangs.core)
    spread = core[_evenly(len(core), EXEMPLARS)]
    return _Person(b"", len(core), _parts(vectors[core]), rows[spread, 1], rows[spread, 2], apart)


def _evenly(count: int, most: int) -> Places:
    """`most` places of so many, or all, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _parts(vectors: Matrix) -> Matrix:
    """The means of up to `PARTS` parts of these, in their order, of at least `PART` vectors where there are so many.
    The product of two means is the mean of all cosines between the two parts."""
    count = len(vectors)
    parts = max(1, min(PARTS, count // PART))
    means = [part.mean(axis=0) for part in np.array_split(vectors, parts)] if count else []
    return np.stack(means) if means else vectors


def _likest_pairs(parts: Matrix, owners: Places, changed: Collection[int], least: float) -> dict[Pair, float]:
    """How alike a changed person and another are, at least so much, the lower id first; the likest `MOST_PAIRS`."""
    if not changed:
        return {}
    asked = np.flatnonzero(np.isin(owners, list(changed)))
    found: list[tuple[Places, Places, Matrix]] = []
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        cosines = parts[block] @ parts.T
        of, to = np.nonzero(cosines >= least)
        one, other = owners[block[of]], owners[to]
        is_pair = one != other
        found.append((one[is_pair], other[is_pair], cosines[of, to][is_pair]))
    ones, others, cosines = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.argsort(-cosines, kind="stable")
    pairs = np.sort(np.stack([ones, others], axis=1), axis=1)[order]
    _, first = np.unique(pairs, axis=0, return_index=True)
    likest = np.sort(first)[:MOST_PAIRS]
    return {
        (int(one), int(other)): round(float(cosine), 4)
        for (one, other), cosine in zip(pairs[likest], cosines[order[likest]], strict=True)
    }


def _vectors(space: Space, person: _Person) -> Matrix:
    places = space.places(person.vector_ids)
    return space.vectors(places[places >= 0])


def _examples(space: Space, one: _Person, other: _Person) -> list[Example]:
    """The likest faces of two persons."""
    cosines = cosines_of(_vectors(space, one), _vectors(space, other))
    rows, columns = np.unravel_index(np.argsort(-cosines, axis=None)[:LOOKED_THROUGH], cosines.shape)
    likest = [
        (int(one.exemplars[row]), int(other.exemplars[column]), round(float(cosines[row, column]), 4))
        for row, column in zip(rows, columns, strict=True)
    ]
    return examples(likest, EXAMPLES)


def _suggested(
    one: ComparedPerson, other: ComparedPerson, similarity: float, thresholds: Thresholds
) -> LikelyOne | None:
    """Two persons as likely one, where they are."""
    threshold = least_likeness(one, other, thresholds)
    if similarity < threshold or are_born_apart(one, other):
        return None
    merged, stays = that_stays(one, other)
    return LikelyOne(merged.id, stays.id, similarity, threshold, are_names_alike(one.name, other.name))


def _likest(
    compared: _Compared, of: LikelyAnothers, meant: Collection[int], thresholds: Thresholds
) -> tuple[int, Likely] | None:
    """The likest of the persons that are meant, where the faces would be offered as that one's."""
    is_meant = np.isin(compared.owners, list(meant))
    spread = _evenly(len(of.vector_ids), EXEMPLARS)
    places = compared.space.places(np.array(of.vector_ids, dtype=np.int64)[spread])
    vectors = compared.space.vectors(places[places >= 0])
    if not is_meant.any() or not len(vectors):
        return None
    near = compared.parts[is_meant] @ vectors.mean(axis=0)
    nearby = list(dict.fromkeys(compared.owners[is_meant][np.argsort(-near, kind="stable")].tolist()))[:NEARBY]
    similarities = {
        id_: float(nearest_mean(cosines_of(vectors, _vectors(compared.space, compared.known[id_]))).mean())
        for id_ in nearby
    }
    likely = ranked(similarities, {id_: compared.known[id_].size for id_ in nearby}, thresholds)
    person = likest(likely)
    return None if person is None else (person, likely[person])
