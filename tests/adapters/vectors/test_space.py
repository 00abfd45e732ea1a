"""The search among the vectors of a model, against all cosines computed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.vectors.space import Space
from tests.adapters.vectors.material import LIKE, Matrix, faces_of

PERSONS = [number % 40 for number in range(1200)]


def filled(vectors: Matrix, step: int = 500, space: Space | None = None) -> Space:
    """A space with these vectors, which have the ids 10, 20, 30 …, added some at a time."""
    space = space or Space("model-1")
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        space.add([10 * (start + number + 1) for number in range(len(part))], part)
    return space


def in_cells(vectors: Matrix) -> Space:
    """The same, with few vectors in cells, as many lie."""
    return filled(vectors, space=Space("model-1", exact=300, looked_at=400, rescored=200))


def test_a_space_answers_the_cosines_of_the_vectors_themselves_the_likest_first() -> None:
    vectors = faces_of(PERSONS)
    near = filled(vectors).nearest(vectors[5], LIKE)
    cosines = vectors @ vectors[5]
    assert near.places.tolist() == [place for place in np.argsort(-cosines).tolist() if cosines[place] >= LIKE]
    assert near.cosines == pytest.approx(np.sort(cosines)[::-1][: len(near.cosines)], abs=1e-4)


def test_cells_find_all_that_is_near() -> None:
    vectors = faces_of(PERSONS)
    space = in_cells(vectors)
    for one in range(0, len(vectors), 50):
        cosines = vectors @ vectors[one]
        likest = np.argsort(-cosines)[:10].tolist()
        assert set(likest) <= set(space.nearest(vectors[one], LIKE).places.tolist())


def test_cells_find_what_was_added_later() -> None:
    space = in_cells(faces_of(PERSONS))
    late = faces_of([999] * 3, seed=5, own=0.95)
    space.add([90_001, 90_002, 90_003], late)
    near = space.nearest(late[0], LIKE)
    assert sorted(space.ids(near.places).tolist()) == [90_001, 90_002, 90_003]


def test_neighbours_in_cells_are_those_of_all_comparisons_or_nearly() -> None:
    vectors = faces_of(PERSONS)
    everywhere = np.arange(len(vectors))
    edges = in_cells(vectors).joined(everywhere, everywhere, LIKE, 5)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    true = {(one, int(other)) for one in everywhere.tolist() for other in np.argsort(-cosines[one])[:5]}
    found = set(zip(edges.of.tolist(), edges.to.tolist(), strict=True))
    assert len(found & true) / len(true) > 0.95
    assert edges.cosines == pytest.approx(cosines[edges.of, edges.to], abs=1e-4)


def test_only_those_asked_for_are_joined_and_none_with_itself() -> None:
    vectors = faces_of([1, 1, 1, 2, 2])
    space = filled(vectors)
    edges = space.joined(np.array([0, 3]), np.array([0, 2, 3]), LIKE, 5)
    assert list(zip(edges.of.tolist(), edges.to.tolist(), strict=True)) == [(0, 2)]
    assert len(space.joined(np.array([], np.int64), np.array([0, 1]), LIKE, 5).of) == 0


def test_the_likest_stay_where_somebody_has_thousands_of_faces() -> None:
    vectors = faces_of([1] * 500)
    edges = filled(vectors).joined(np.array([7]), np.arange(500), LIKE, 4)
    cosines = vectors @ vectors[7]
    cosines[7] = -1
    assert edges.to.tolist() == np.argsort(-cosines)[:4].tolist()


def test_an_id_that_is_not_there_has_no_place() -> None:
    space = filled(faces_of([1, 2, 3]))
    assert space.places([20, 25, 30, 99, 1]).tolist() == [1, -1, 2, -1, -1]
    assert Space("empty").places([1]).tolist() == [-1]
    assert len(Space("empty").nearest(faces_of([1])[0], 0.0).places) == 0
