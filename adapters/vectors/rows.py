"""Vectors as rows of float32, out of the forms in which the log stores them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from projections.tables.attachments import is_halves

Matrix = npt.NDArray[np.float32]


def matrix_of(stored: Sequence[bytes]) -> Matrix:
    """Stored vectors, in whichever form each is, as rows; those with fewer numbers than others end in zeros."""
    lengths = {len(vector) for vector in stored}
    if len(lengths) == 1:
        return _block_of(stored)
    width = max((length // (2 if length % 2 else 4) for length in lengths), default=0)
    rows = np.zeros((len(stored), width), dtype=np.float32)
    for length in lengths:
        places = [place for place, vector in enumerate(stored) if len(vector) == length]
        block = _block_of([stored[place] for place in places])
        rows[places, : block.shape[1]] = block
    return rows


def _block_of(stored: Sequence[bytes]) -> Matrix:
    """Vectors of one length and form as rows."""
    raw = np.frombuffer(b"".join(stored), dtype=np.uint8).reshape(len(stored), -1)
    if is_halves(stored[0]):
        rows: Matrix = np.ascontiguousarray(raw[:, 1:]).view("<f2").astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return rows
    return raw.view("<f4").astype(np.float32, copy=False)


def fitted(vector: Matrix, width: int) -> Matrix:
    """A vector as long as the rows that it is compared with: zeros follow it, and what is too much has nothing to meet
    there."""
    return vector[:width] if len(vector) >= width else np.pad(vector, (0, width - len(vector)))
