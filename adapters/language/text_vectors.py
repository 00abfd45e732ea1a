"""Texts and their vectors: what an embedding model wants in front of a text, and vectors as the port has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from domain.ports.language_model import EmbeddingPurpose

PREFIXES: Final[dict[str, dict[EmbeddingPurpose, str]]] = {
    "nomic-embed": {EmbeddingPurpose.DOCUMENT: "search_document: ", EmbeddingPurpose.QUERY: "search_query: "},
    "e5": {EmbeddingPurpose.DOCUMENT: "passage: ", EmbeddingPurpose.QUERY: "query: "},
    "mxbai-embed": {
        EmbeddingPurpose.DOCUMENT: "",
        EmbeddingPurpose.QUERY: "Represent this sentence for searching relevant passages: ",
    },
}
"""What each family of models was trained with, after their model cards."""


def prefixed(text: str, purpose: EmbeddingPurpose, model: str) -> str:
    """`text` as the embedding model `model` wants it for `purpose`."""
    name = model.lower().rpartition("/")[2]
    for family, prefixes in PREFIXES.items():
        if name.startswith(family) or f"-{family}-" in name:
            return prefixes[purpose] + text
    return text


def packed(rows: Sequence[Sequence[float]], count: int) -> list[bytes]:
    """Vectors as little-endian float32 of L2 norm 1.

    Raises:
        ValueError: they are not `count` finite vectors of one length, none of them zero.
    """
    if len(rows) != count or len({len(row) for row in rows}) != 1:
        raise ValueError(f"{len(rows)} vectors for {count} texts, or vectors of several lengths")
    matrix = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not matrix.size or not np.isfinite(norms).all() or not norms.all():
        raise ValueError("a vector is empty, zero or not finite")
    return [row.tobytes() for row in (matrix / norms).astype("<f4")]
