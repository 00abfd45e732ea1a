"""Synthetic faces whose persons are known, and a ledger that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from domain.base.geometry import Box
from domain.ports.face_engine import MOST_DIMENSIONS, DetectedFace
from tests.domain.world import World

Matrix = npt.NDArray[np.float32]
BOX: Final = Box(0.1, 0.1, 0.2, 0.2)
LIKE: Final = 0.5
"""The cosine from which two faces are like each other in these tests."""


def unit(rows: npt.NDArray[np.floating]) -> Matrix:
    """The rows at L2 norm 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)


def faces_of(persons: Sequence[int], seed: int = 0, *, own: float = 0.8) -> Matrix:
    """A face of each of these persons, who are told apart by number: two faces of one person have a cosine of some
    `own` squared, two of different ones of some 0."""
    centres = {p: unit(np.random.default_rng([7, p]).standard_normal(MOST_DIMENSIONS)) for p in set(persons)}
    noise = unit(np.random.default_rng(seed).standard_normal((len(persons), MOST_DIMENSIONS)))
    return unit(own * np.stack([centres[p] for p in persons]) + (1 - own * own) ** 0.5 * noise)


def shown(world: World, vectors: Matrix, *, library: int = 1, seed: int = 0) -> list[int]:
    """Photos in a library with one of these faces each; the ids of the faces."""
    found = [DetectedFace(BOX, 0.9, vector.astype("<f4").tobytes()) for vector in vectors]
    return [
        world.shows(f"{library}-{seed}-{number}.jpg", face, library=library)[0] for number, face in enumerate(found)
    ]
