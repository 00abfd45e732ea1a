"""The log's attachments as they are stored: vectors, in one of two forms that tell themselves apart.

What was recorded before halves stands as little-endian float32, whose bytes are a multiple of four. What is recorded
now is `HALVES` and little-endian float16, whose bytes are an odd number: half the room, and no cosine of two vectors of
L2 norm 1 changes by as much as 0.001 (bench/recognition.py). What the rounding did to their length is made good where
they are read.
"""

from __future__ import annotations

import math
import struct
from typing import Final

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from projections.tables.projection import Id

HALVES: Final = b"\x02"
"""The byte before float16 numbers."""


def embeddings_table(metadata: MetaData) -> Table:
    """The log's append-only attachments: `vector` is a vector of L2 norm 1 as `stored_vector` has it, as many numbers
    as the model `model_version` gives of a face or a text; rows that an erasure emptied are gone."""
    return Table(
        "log_embeddings",
        metadata,
        Column("id", Id, primary_key=True, autoincrement=False),
        Column("model_version", Text, nullable=False),
        Column("vector", LargeBinary, nullable=False),
    )


def stored_vector(vector: bytes) -> bytes:
    """A vector of little-endian float32 as it is recorded."""
    count = len(vector) // 4
    return HALVES + struct.pack(f"<{count}e", *struct.unpack(f"<{count}f", vector))


def read_vector(stored: bytes) -> bytes:
    """The little-endian float32 numbers of a stored vector, whichever its form; of halves with L2 norm 1."""
    if not is_halves(stored):
        return bytes(stored)
    count = len(stored) // 2
    halves = struct.unpack_from(f"<{count}e", stored, 1)
    norm = math.hypot(*halves) or 1.0
    return struct.pack(f"<{count}f", *(half / norm for half in halves))


def is_halves(stored: bytes) -> bool:
    """Whether a vector is stored as float16."""
    return len(stored) % 2 == 1
