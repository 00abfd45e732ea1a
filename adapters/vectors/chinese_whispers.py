"""Chinese whispers on a graph of likenesses: each vertex takes the label that weighs most among its neighbours, until
nothing changes (Biemann 2006).

Where the paper draws the vertices at random, a fixed scrambling of their places decides the turn, and a tie goes to the
lowest label: the same graph and labels always come to the same clusters. Only vertices whose neighbourhood changed are
asked again, so that a new face costs its neighbourhood and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]
ROUNDS: Final = 30
"""Rounds at most; two labels may go on changing places at a border."""
TURNS: Final = 16
"""Parts into which the vertices of a round fall: each sees what those before it did. Where all moved at once, two
neighbours would take each other's label for ever."""
SCRAMBLE: Final = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: Fibonacci hashing (Knuth, The Art of Computer Programming, section 6.4)."""


class Graph(NamedTuple):
    """An undirected graph: the neighbours of vertex `v` are `to[starts[v]:starts[v + 1]]`, each with a weight."""

    starts: Integers
    to: Integers
    weights: Weights


def graph_of(count: int, of: Integers, to: Integers, weights: Weights) -> Graph:
    """The graph of `count` vertices with these edges, each taken in both directions and once."""
    keys = np.concatenate([of * count + to, to * count + of])
    keys, first = np.unique(keys, return_index=True)
    ends = keys % max(count, 1)
    both = np.concatenate([weights, weights])[first]
    starts = np.searchsorted(keys, np.arange(count + 1) * count)
    return Graph(starts.astype(np.int64), ends, both)


def whispered(graph: Graph, labels: Integers, turns: Integers, waiting: npt.NDArray[np.bool_]) -> Integers:
    """The labels that the vertices come to from `labels`, where those of `waiting` are asked first and then whoever has
    a neighbour that changed. `turns` tells the vertices apart for good, whatever else comes and goes."""
    labels, waiting = labels.copy(), waiting.copy()
    part = (turns.astype(np.uint64) * np.uint64(SCRAMBLE)) >> np.uint64(64 - 4)
    vertices = [np.flatnonzero(part == turn) for turn in range(TURNS)]
    for _ in range(ROUNDS):
        if not waiting.any():
            break
        for those in vertices:
            now = those[waiting[those]]
            waiting[now] = False
            changed = _step(graph, labels, now)
            waiting[graph.to[_spans(graph, changed)[0]]] = True
    return labels


def _step(graph: Graph, labels: Integers, vertices: Integers) -> Integers:
    """Let these vertices take the heaviest label around them; those that changed."""
    edges, owner = _spans(graph, vertices)
    if not len(edges):
        return edges
    label = labels[graph.to[edges]]
    order = np.lexsort((label, owner))
    owner, label = owner[order], label[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (owner[1:] != owner[:-1]) | (label[1:] != label[:-1])
    first = np.flatnonzero(is_new)
    weight = np.add.reduceat(graph.weights[edges[order]].astype(np.float64), first)
    owner, label = owner[first], label[first]
    best = np.lexsort((label, -weight, owner))
    _, at = np.unique(owner[best], return_index=True)
    heard, whose = label[best[at]], vertices[owner[best[at]]]
    changed: Integers = whose[labels[whose] != heard]
    labels[whose] = heard
    return changed


def _spans(graph: Graph, vertices: Integers) -> tuple[Integers, Integers]:
    """The edges of these vertices, and which of `vertices` (by its index) each belongs to."""
    first = graph.starts[vertices]
    counts = graph.starts[vertices + 1] - first
    owner = np.repeat(np.arange(len(vertices)), counts)
    before = np.cumsum(counts) - counts
    return np.arange(len(owner)) - before[owner] + first[owner], owner


def parted(graph: Graph, labels: Integers) -> Integers:
    """For each vertex, the lowest vertex that it reaches over edges between equal labels: a label that went on from
    its origin can lie on both sides of others."""
    of = np.repeat(np.arange(len(labels)), np.diff(graph.starts))
    is_inside = labels[of] == labels[graph.to]
    of, to = of[is_inside], graph.to[is_inside]
    lowest = np.arange(len(labels))
    while True:
        before = lowest.copy()
        np.minimum.at(lowest, of, before[to])
        lowest = lowest[lowest]
        if np.array_equal(lowest, before):
            return lowest


def within(graph: Graph, labels: Integers) -> Iterator[Weights]:
    """For each vertex, the sum of the weights to neighbours of its own label; then how many there are."""
    of = np.repeat(np.arange(len(labels)), np.diff(graph.starts))
    is_inside = labels[of] == labels[graph.to]
    yield np.bincount(of[is_inside], graph.weights[is_inside], len(labels)).astype(np.float32)
    yield np.bincount(of[is_inside], minlength=len(labels)).astype(np.float32)
