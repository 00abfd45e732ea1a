"""How vectors are kept in the log: halves of what the model gave, beside those of before."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.vectors.rows import matrix_of
from projections.tables.attachments import read_vector, stored_vector


def unit(length: int, seed: int = 0) -> bytes:
    """A vector of a model that gives so many numbers."""
    row = np.random.default_rng(seed).standard_normal(length)
    return (row / np.linalg.norm(row)).astype("<f4").tobytes()


@pytest.mark.parametrize("length", [1, 2, 3, 128, 192, 512])
def test_a_vector_takes_two_bytes_a_number_and_one_and_comes_back_at_length_one(length: int) -> None:
    vector = unit(length)
    stored = stored_vector(vector)
    assert len(stored) == 2 * length + 1
    back = np.frombuffer(read_vector(stored), "<f4")
    assert np.linalg.norm(back) == pytest.approx(1, abs=1e-6)
    assert back == pytest.approx(np.frombuffer(vector, "<f4"), abs=5e-4)


def test_a_vector_of_before_is_read_as_it_stands() -> None:
    assert read_vector(unit(512)) == unit(512)


def test_vectors_of_both_forms_and_of_several_lengths_are_read_together() -> None:
    vectors = [unit(128, 1), unit(512, 2), unit(192, 3)]
    rows = matrix_of([stored_vector(vectors[0]), vectors[1], stored_vector(vectors[2]), vectors[0]])
    assert rows.shape == (4, 512)
    assert rows[0] == pytest.approx(rows[3], abs=5e-4)
    assert rows[2, :192] == pytest.approx(np.frombuffer(vectors[2], "<f4"), abs=5e-4)
    assert not rows[0, 128:].any()
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
