"""Clusters of unassigned faces: Chinese whispers on the graph of each face's likest others.

For each set of libraries that somebody looks at, the graph is kept between calls, of the faces that are visible there
and of nothing else. A new face is searched for among the others and asks its neighbourhood; a face that was named, put
aside or deleted takes its edges with it, and a face that so lost half of its edges is searched for again. Nothing is
clustered from scratch but what is seen for the first time.

That costs 1.1 to 1.6 KB a face for its vector with room to grow, and in each set of libraries some 800 bytes for its
edges.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from adapters.vectors.chinese_whispers import Graph, Integers, graph_of, parted, whispered, within
from adapters.vectors.space import NO_EDGES, Places, Space
from projections.queries.reading import Lookups

NEIGHBOURS: Final = 16
"""Edges that each face looks for. With 32 the clusters are no better, at twice the time."""
MARGIN: Final = np.float32(0.01)
"""An edge weighs the square of how far it is above the threshold, and of this: strangers who just pass it are many
and count for little. On 25,000 faces the pairwise F1 is 0.996; with the cosine itself it is 0.978."""
GRAPHS_KEPT: Final = 8
"""Sets of libraries whose graphs are kept; the one looked at longest ago goes first."""


class Cluster(NamedTuple):
    """Faces that are likely one person's: `key` is the lowest id among them, `face_ids` the most typical first,
    `tightness` the mean cosine of its edges."""

    key: int
    face_ids: tuple[int, ...]
    tightness: float


class Clusters:
    """Unassigned faces in groups, the best first. Blocking; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._graphs: OrderedDict[tuple[str, float, frozenset[int]], ClusterGraph] = OrderedDict()

    def of(self, lookups: Lookups, space: Space, model: str, least: float) -> Sequence[Cluster]:
        """The clusters of at least two among the faces of one model that `lookups` shows and that are nobody's, by
        size, then tightness; an edge has at least the cosine `least`."""
        with self._lock:
            graph = self._graphs.setdefault((model, least, lookups.visible), ClusterGraph(least))
            self._graphs.move_to_end((model, least, lookups.visible))
            if len(self._graphs) > GRAPHS_KEPT:
                self._graphs.popitem(last=False)
        rows = np.array(lookups.embedded_faces.unassigned(model), dtype=np.int64).reshape(-1, 2)
        space.catch_up(lookups)
        places = space.places(rows[:, 1])
        rows, places = rows[places >= 0], places[places >= 0]
        order = np.argsort(places, kind="stable")
        return graph.clusters(space, places[order], rows[order, 0])


class ClusterGraph:
    """The graph of the faces that one set of libraries shows, and the labels that they came to."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._lock = threading.Lock()
        self._places: Places = np.empty(0, np.int64)
        self._faces: Integers = np.empty(0, np.int64)
        self._labels: Integers = np.empty(0, np.int64)
        """Of each face, the lowest place in its cluster."""
        self._found: Integers = np.empty(0, np.int64)
        """How many edges the search for each found; so many may be gone by now."""
        self._edges = NO_EDGES
        self._graph: Graph = graph_of(0, NO_EDGES.of, NO_EDGES.to, NO_EDGES.cosines)
        self._clusters: Sequence[Cluster] = []

    def clusters(self, space: Space, places: Places, faces: Integers) -> Sequence[Cluster]:
        """The clusters of these faces, which lie at these ascending places of `space`."""
        with self._lock:
            if not (np.array_equal(places, self._places) and np.array_equal(faces, self._faces)):
                self._follow(space, places)
                self._faces = faces
                self._clusters = self._grouped()
            return self._clusters

    def _follow(self, space: Space, places: Places) -> None:
        """Take in who came, let go who went, and let whisper whose neighbourhood that changed."""
        labels, found = self._remembered(places)
        of_stays, to_stays = np.isin(self._edges.of, places), np.isin(self._edges.to, places)
        stays = of_stays & to_stays
        bereft = np.concatenate([self._edges.of[of_stays & ~to_stays], self._edges.to[to_stays & ~of_stays]])
        edges = self._edges.chosen(stays)
        left = np.bincount(np.searchsorted(places, edges.of), minlength=len(places))
        searched = (found < 0) | ((found == NEIGHBOURS) & (left < NEIGHBOURS // 2))
        kept = ~searched[np.searchsorted(places, edges.of)]
        fresh = space.joined(places[searched], places, self._least, NEIGHBOURS)
        found[searched] = np.bincount(np.searchsorted(places, fresh.of), minlength=len(places))[searched]
        self._edges = edges.chosen(kept).joined_by(fresh)
        of, to = np.searchsorted(places, self._edges.of), np.searchsorted(places, self._edges.to)
        self._graph = graph_of(len(places), of, to, self._edges.cosines)
        waiting = searched.copy()
        waiting[np.searchsorted(places, bereft)] = True
        waiting[np.searchsorted(places, fresh.to)] = True
        self._places, self._found = places, found
        margins = self._graph._replace(weights=(self._graph.weights - self._least + MARGIN) ** 2)
        self._labels = places[parted(self._graph, whispered(margins, labels, places, waiting))]

    def _remembered(self, places: Places) -> tuple[Integers, Integers]:
        """What these faces were labelled, and how many edges were found for each: its own place, and -1, where it is
        new.

        A label whose first face went passes to the first that stays, so that the one, come back, is not taken for
        theirs."""
        is_known = np.isin(self._places, places)
        there = self._places[is_known]
        _, first, which = np.unique(self._labels[is_known], return_index=True, return_inverse=True)
        known = np.searchsorted(places, there)
        labels, found = places.copy(), np.full(len(places), -1)
        labels[known], found[known] = there[first][which], self._found[is_known]
        return labels, found

    def _grouped(self) -> Sequence[Cluster]:
        """The faces by label."""
        weight, degree = within(self._graph, self._labels)
        order = np.lexsort((self._faces, -weight, self._labels))
        _, starts, counts = np.unique(self._labels[order], return_index=True, return_counts=True)
        clusters = []
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
            if count > 1:
                those = order[start : start + count]
                faces = self._faces[those]
                tightness = round(float(weight[those].sum() / max(degree[those].sum(), 1.0)), 4)
                clusters.append(Cluster(int(faces.min()), tuple(faces.tolist()), tightness))
        return sorted(clusters, key=lambda c: (-len(c.face_ids), -c.tightness, c.key))
