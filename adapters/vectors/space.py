"""The space of one model: its vectors in memory, and a search for the nearest that need not look at all of them.

A number is kept as a 16-bit fixed-point fraction: 1 KB a face, an error of a cosine below 0.0001, and four times as
quick to widen to float32 as a half float. Beyond `EXACT` vectors they lie in cells around centres (an inverted file,
Sivic and Zisserman 2003), and a search looks into the cells whose centres are nearest. Which of the many vectors there
deserve it, their heads decide: the first principal components of each (Jolliffe, Principal Component Analysis, 2002), a
fifth as long. Every cosine that is answered is computed from the vectors themselves.

In bench/clusters.py all neighbours of 100,000 faces take no longer than with faiss's IVF-SQ8, and more are found.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from adapters.settings.catalogue import cores
from adapters.vectors.rows import Matrix, fitted, matrix_of
from projections.queries.reading import Lookups

Places = npt.NDArray[np.int64]
ONE: Final = np.float32(32767.0)
"""1.0 as a fixed-point number."""
EXACT: Final = 20_000
"""Up to so many vectors a search looks at all of them: some 3 ms."""
LOOKED_AT: Final = 200_000
"""Vectors whose heads one search looks at where there are more."""
HEAD: Final = 96
"""Principal components in a head. The embeddings of faces fill far fewer dimensions than they have."""
RESCORED: Final = 5_000
"""Vectors with the likest heads, of which the cosines are computed."""
PROBES: Final = 8
"""Cells that `joined` looks into for each vector: what one misses, the other of a pair mostly finds. In
bench/clusters.py 16 of them raise the F1 by 0.0002 and take a third longer."""
BLOCK: Final = 2048
ROUNDS: Final = 6
"""Rounds of k-means for the centres; more do not raise the recall."""


class Near(NamedTuple):
    """Vectors that were found, by their places, and their cosines, the likest first."""

    places: Places
    cosines: Matrix


class Edges(NamedTuple):
    """Pairs of vectors by their places: `of` was searched for, `to` found at this cosine."""

    of: Places
    to: Places
    cosines: Matrix

    def chosen(self, which: npt.NDArray[np.bool_] | Places) -> Edges:
        """Some of them."""
        return Edges(self.of[which], self.to[which], self.cosines[which])

    def joined_by(self, *others: Edges) -> Edges:
        """These and others."""
        every = (self, *others)
        return Edges(
            np.concatenate([edges.of for edges in every]),
            np.concatenate([edges.to for edges in every]),
            np.concatenate([edges.cosines for edges in every]),
        )


class Space:
    """The vectors of one model in the order of their ids; a vector's place is its row. Safe from any thread."""

    def __init__(self, model: str, *, exact: int = EXACT, looked_at: int = LOOKED_AT, rescored: int = RESCORED) -> None:
        """Up to `exact` vectors a search looks at all of them, else at the heads of `looked_at`, and computes the
        cosines of `rescored`."""
        self._model = model
        self._exact, self._looked_at, self._rescored = exact, looked_at, rescored
        self._lock = threading.Lock()
        self._count = 0
        self._ids = np.empty(256, dtype=np.int64)
        self._rows = np.empty((256, 0), dtype=np.int16)
        self._cells: _Cells | None = None

    def catch_up(self, lookups: Lookups) -> None:
        """Read the attachments that came since the last call."""
        e = lookups.tables.embeddings
        with self._lock:
            while True:
                last = int(self._ids[self._count - 1]) if self._count else 0
                statement = select(e.c.id, e.c.vector).where(e.c.id > last, e.c.model_version == self._model)
                rows = lookups.connection.execute(statement.order_by(e.c.id).limit(2000)).all()
                if rows:
                    self._add([id_ for id_, _ in rows], matrix_of([vector for _, vector in rows]))
                if len(rows) < 2000:
                    break
            self._sort_into_cells()

    def add(self, ids: Sequence[int], vectors: Matrix) -> None:
        """Add vectors (rows of L2 norm 1) whose ids ascend, above all that are there."""
        with self._lock:
            self._add(ids, vectors)
            self._sort_into_cells()

    def _add(self, ids: Sequence[int], vectors: Matrix) -> None:
        wanted, width = self._count + len(ids), max(vectors.shape[1], self._rows.shape[1])
        room = len(self._ids)
        while room < wanted:
            room *= 2
        if (room, width) != self._rows.shape:
            self._make_room(room, width)
        self._ids[self._count : wanted] = ids
        self._rows[self._count : wanted, vectors.shape[1] :] = 0
        self._rows[self._count : wanted, : vectors.shape[1]] = np.rint(vectors * ONE)
        self._count = wanted

    def _make_room(self, room: int, width: int) -> None:
        """Room for so many vectors of so many numbers; shorter ones are followed by zeros, which keep every cosine."""
        self._ids = np.concatenate([self._ids, np.empty(room - len(self._ids), dtype=np.int64)])
        fresh = np.zeros((room, width), dtype=np.int16)
        fresh[: self._count, : self._rows.shape[1]] = self._rows[: self._count]
        if width != self._rows.shape[1]:
            self._cells = None
        self._rows = fresh

    def _sort_into_cells(self) -> None:
        if self._count <= self._exact:
            return
        if self._cells is None or self._count > 2 * self._cells.trained_on:
            self._cells = _Cells(self._rows[: self._count])
        self._cells.add(self._rows[: self._count])

    def __len__(self) -> int:
        return self._count

    @property
    def bytes_used(self) -> int:
        """Memory taken, the room to grow included."""
        cells = 0 if self._cells is None else self._cells.bytes_used
        return self._rows.nbytes + self._ids.nbytes + cells

    def ids(self, places: Places) -> Places:
        """The ids of the vectors at these places."""
        found: Places = self._ids[places]
        return found

    def places(self, ids: Sequence[int] | Places) -> Places:
        """The place of each of these ids, -1 where there is none (it was erased)."""
        wanted = np.asarray(ids, dtype=np.int64)
        known = self._ids[: self._count]
        at = np.searchsorted(known, wanted)
        is_there = at < self._count
        is_there[is_there] = known[at[is_there]] == wanted[is_there]
        return np.where(is_there, at, -1)

    def vectors(self, places: Places) -> Matrix:
        """The vectors at these places as float32 rows."""
        return _widened(self._rows[places])

    def nearest(self, vector: Matrix, least: float) -> Near:
        """The vectors at a cosine of at least `least` to one, the likest first; beyond `exact` vectors, at most
        `rescored`."""
        with self._lock:
            rows, count, cells = self._rows, self._count, self._cells
            vector = fitted(vector, rows.shape[1])
            looked_at = None if cells is None else cells.around(vector, self._looked_at, self._rescored)
        cosines = np.empty(count if looked_at is None else len(looked_at), dtype=np.float32)
        for at in _blocks(len(cosines), 512):
            cosines[at] = rows[at if looked_at is None else looked_at[at]].astype(np.float32) @ vector
        cosines /= ONE
        kept = np.flatnonzero(cosines >= least)
        kept = kept[np.argsort(-cosines[kept], kind="stable")]
        places = kept if looked_at is None else looked_at[kept]
        return Near(places.astype(np.int64), cosines[kept])

    def cosines(self, places: Places, vector: Matrix) -> Matrix:
        """The cosines of the vectors at these places to one."""
        return self.vectors(places) @ fitted(vector, self._rows.shape[1])

    def nearest_to_several(self, vectors: Matrix, least: float, nearest: int) -> Near:
        """The vectors that are like several (rows) of one person: the mean of their `nearest` highest cosines to these
        is at least `least`; the likest first.

        Beyond `looked_at` vectors, those are looked at that lie nearest to any.
        """
        with self._lock:
            rows, count, cells = self._rows, self._count, self._cells
            looked_at: Places | None = None
            if cells is not None and count > self._looked_at:
                share = self._looked_at // len(vectors)
                around = [cells.around(vector, share, self._rescored) for vector in vectors]
                looked_at = np.unique(np.concatenate(around))
        turned = np.ascontiguousarray(vectors.T)
        means = np.empty(count if looked_at is None else len(looked_at), dtype=np.float32)
        for at in _blocks(len(means)):
            cosines = _widened(rows[at if looked_at is None else looked_at[at]]) @ turned
            likest = cosines if cosines.shape[1] <= nearest else np.partition(cosines, -nearest, axis=1)[:, -nearest:]
            means[at] = likest.mean(axis=1)
        kept = np.flatnonzero(means >= least)
        kept = kept[np.argsort(-means[kept], kind="stable")]
        places = kept if looked_at is None else looked_at[kept]
        return Near(places.astype(np.int64), means[kept])

    def joined(self, of: Places, among: Places, least: float, most: int) -> Edges:
        """For each vector of `of`, the `most` likest others of `among` at a cosine of at least `least`.

        Both are ascending places, `of` a part of `among`. Ties go to the lower place.
        """
        if not len(of):
            return NO_EDGES
        with self._lock:
            rows, cells = self._rows, self._cells
            probed = None if cells is None or len(among) <= self._exact else cells.probed(rows, of, among, PROBES)
        parts = [(of, among)] if probed is None else probed
        with ThreadPoolExecutor(cores()) as threads:  # NumPy lets go of the lock
            found = threads.map(lambda part: _compared(rows, part[0], part[1], least, most), parts)
            return _likest(NO_EDGES.joined_by(*(edges for those in found for edges in those)), most)


NO_EDGES = Edges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


class _Cells:
    """Which vectors lie around which centre."""

    def __init__(self, rows: npt.NDArray[np.int16]) -> None:
        self.trained_on = len(rows)
        self._centres, self._axes = _trained(rows, round(float(np.sqrt(len(rows)))))
        self._members: list[npt.NDArray[np.int32]] = [np.empty(0, np.int32)] * len(self._centres)
        self._heads: list[npt.NDArray[np.int16]] = [np.empty((0, self._axes.shape[1]), np.int16)] * len(self._centres)
        self._count = 0

    @property
    def bytes_used(self) -> int:
        """Memory taken."""
        members, heads = (sum(array.nbytes for array in kept) for kept in (self._members, self._heads))
        return self._centres.nbytes + members + heads

    def add(self, rows: npt.NDArray[np.int16]) -> None:
        """Sort in those of all `rows` that came since the last call."""
        first, self._count = self._count, len(rows)
        if first == self._count:
            return
        new = rows[first:]
        homes = np.empty(len(new), dtype=np.int64)
        heads = np.empty((len(new), self._axes.shape[1]), dtype=np.int16)
        # Which centre is nearest their heads tell as well, with the same recall at half the time.
        heads_of_centres = np.ascontiguousarray((self._centres @ self._axes).T)
        for at in _blocks(len(new)):
            head = _widened(new[at]) @ self._axes
            homes[at] = np.argmax(head @ heads_of_centres, axis=1)
            heads[at] = np.rint(head * ONE)
        order = np.argsort(homes, kind="stable")
        changed, starts = np.unique(homes[order], return_index=True)
        for cell, places in zip(changed.tolist(), np.split(order, starts[1:]), strict=True):
            self._members[cell] = np.concatenate([self._members[cell], (places + first).astype(np.int32)])
            self._heads[cell] = np.concatenate([self._heads[cell], heads[places]])

    def around(self, vector: Matrix, looked_at: int, most: int) -> Places:
        """The places whose heads are likest to a vector's, `most` of them, in order, out of the cells nearest to it, as
        many as hold `looked_at`."""
        chosen: list[npt.NDArray[np.int32]] = []
        cosines: list[Matrix] = []
        head = vector @ self._axes
        taken = 0
        for cell in np.argsort(-(self._centres @ vector), kind="stable").tolist():
            chosen.append(self._members[cell])
            cosines.append(self._heads[cell].astype(np.float32) @ head)
            taken += len(self._members[cell])
            if taken >= looked_at:
                break
        places = np.concatenate(chosen)
        if taken > most:
            places = places[np.argpartition(np.concatenate(cosines), taken - most)[taken - most :]]
        return np.sort(places).astype(np.int64)

    def probed(
        self, rows: npt.NDArray[np.int16], of: Places, among: Places, probes: int
    ) -> Iterator[tuple[Places, Places]]:
        """Cell by cell, the places of `of` that look into it, and its members among `among`."""
        probes = min(probes, len(self._centres))
        nearest = np.concatenate(
            [
                np.argpartition(-(_widened(rows[of[at]]) @ self._centres.T), probes - 1, axis=1)[:, :probes]
                for at in _blocks(len(of))
            ]
        ).ravel()
        order = np.argsort(nearest, kind="stable")
        bounds = np.searchsorted(nearest[order], np.arange(len(self._centres) + 1))
        wanted = np.zeros(self._count, dtype=bool)
        wanted[among] = True
        members = list(self._members)
        return (
            (of[order[bounds[cell] : bounds[cell + 1]] // probes], places[wanted[places]].astype(np.int64))
            for cell, places in enumerate(members)
        )


def _trained(rows: npt.NDArray[np.int16], count: int) -> tuple[Matrix, Matrix]:
    """Centres of `count` cells by spherical k-means over a sample (Dhillon and Modha 2001), and the `HEAD` axes along
    which the sample lies most, as columns; the same for the same rows."""
    chance = np.random.default_rng(0)
    sample = _widened(rows[np.sort(chance.choice(len(rows), min(len(rows), 40 * count), replace=False))])
    centres = sample[chance.choice(len(sample), count, replace=False)]
    for _ in range(ROUNDS):
        homes = np.concatenate([np.argmax(sample[at] @ centres.T, axis=1) for at in _blocks(len(sample))])
        order = np.argsort(homes, kind="stable")
        filled, starts = np.unique(homes[order], return_index=True)
        sums = np.add.reduceat(sample[order], starts, axis=0)
        centres[filled] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    axes = np.linalg.eigh(sample.T @ sample)[1][:, -HEAD:]
    return centres, np.ascontiguousarray(axes, dtype=np.float32)


def _compared(rows: npt.NDArray[np.int16], queries: Places, members: Places, least: float, most: int) -> list[Edges]:
    """The edges between two sets of places, at most `most` a query, block by block."""
    edges: list[Edges] = []
    if not len(queries) or not len(members):
        return edges
    for columns in _blocks(len(members), 16_384):
        there = members[columns]
        turned = np.ascontiguousarray(_widened(rows[there]).T)
        for at in _blocks(len(queries)):
            here = queries[at]
            cosines = _widened(rows[here]) @ turned
            edges.append(_best(cosines, here, there, least, most))
    return edges


def _best(cosines: Matrix, here: Places, there: Places, least: float, most: int) -> Edges:
    """The edges at `least`, at most `most` a row and one to spare for the vector itself; in no order."""
    # What is like is rare: its places in the flat matrix are found ten times as quick as row and column.
    of, to = np.divmod(np.flatnonzero(cosines.ravel() >= least), cosines.shape[1])
    counts = np.bincount(of, minlength=len(cosines))
    crowded = np.flatnonzero(counts > most + 1)
    if len(crowded):
        # A face of someone with thousands of them has as many edges; all but the likest go before anything is sorted.
        likest = np.argpartition(cosines[crowded], -(most + 1), axis=1)[:, -(most + 1) :]
        kept = (counts <= most + 1)[of]
        of = np.concatenate([of[kept], np.repeat(crowded, most + 1)])
        to = np.concatenate([to[kept], likest.ravel()])
    is_other = here[of] != there[to]
    of, to = of[is_other], to[is_other]
    return Edges(here[of], there[to], cosines[of, to])


def _likest(edges: Edges, most: int) -> Edges:
    """The `most` likest of each vector that was searched for, in the order of their places; of equals the first."""
    # One number tells the order: the place, then how unlike, since the bits of a positive float rise as it does. That
    # sorts in a fifth of the time that three keys take.
    unlike = np.uint32(0xFFFFFFFF) - np.maximum(edges.cosines, 0).astype(np.float32).view(np.uint32)
    keys = (edges.of.astype(np.int64) << 32) | unlike
    first = np.argsort(edges.to, kind="stable")
    order = first[np.argsort(keys[first], kind="stable")]
    sorted_of = edges.of[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_of, sorted_of)
    return edges.chosen(order[rank < most])


def _widened(rows: npt.NDArray[np.int16]) -> Matrix:
    wide = rows.astype(np.float32)
    wide /= ONE
    return wide


def _blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
