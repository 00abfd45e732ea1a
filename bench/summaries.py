"""Search by meaning among daily summaries, beside the bare product of their vectors.

    python -m bench.summaries [SUMMARIES]        (default: 20,000, ten conversations a day for five years)

The embedder gives vectors of 768 numbers at once: what it takes is its own matter.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.summaries.summary_search import SummarySearch
from domain.base.actor import CLI, INSIGHT
from domain.events.summary import SummaryEmbedded, SummaryWritten
from domain.ports.face_engine import Embedding

DIMENSIONS = 768
ASKED = 30
A_DAY = 10


class Instant:
    """An embedder at the port that takes no time."""

    model = "instant"

    def __init__(self) -> None:
        self._random = np.random.default_rng(1)

    def embed(self, texts: Sequence[str], purpose: str = "document") -> list[bytes]:
        """As the port says."""
        rows = self._random.normal(size=(len(texts), DIMENSIONS))
        return [row.astype("<f4").tobytes() for row in rows / np.linalg.norm(rows, axis=1, keepdims=True)]

    def close(self) -> None:
        """Nothing to give back."""


def filled(ledger: Ledger, embedder: Instant, count: int) -> None:
    """So many summaries, each with a vector."""
    with ledger.transaction(INSIGHT) as uow:
        uow.begin("summary.write", "wrote daily summaries")
        ids = uow.new_ids("summary", count)
        for start in range(0, count, 1000):
            some = ids[start : start + 1000]
            vectors = embedder.embed([""] * len(some))
            attached = uow.attach([Embedding(embedder.model, vector) for vector in vectors])
            for id_, embedding in zip(some, attached, strict=True):
                day = (date(2020, 1, 1) + timedelta(id_ // A_DAY)).isoformat()
                text = f"Summary {id_}. " * 20
                uow.append(SummaryWritten(id_, day, f"Contact {id_ % A_DAY}", bytes(32), 9, 1, "model", text))
                uow.append(SummaryEmbedded(id_, embedder.model, embedding))


def main(argv: list[str]) -> None:
    """Print the figures."""
    count = int(argv[0]) if argv else 20_000
    embedder = Instant()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Database(f"sqlite:///{Path(folder)}/imageapi.db"))
        filled(ledger, embedder, count)
        search = SummarySearch(ledger, embedder)
        begun = time.perf_counter()
        assert len(search.find(CLI, "first", 10).hits) == 10
        first = time.perf_counter() - begun
        seconds = []
        for number in range(ASKED):
            begun = time.perf_counter()
            search.find(CLI, f"question {number}", 10)
            seconds.append(time.perf_counter() - begun)
        ledger.close()
    matrix = np.frombuffer(b"".join(embedder.embed([""] * count)), "<f4").reshape(count, DIMENSIONS)
    asked = matrix[0].copy()
    begun = time.perf_counter()
    for _ in range(ASKED):
        np.argsort(matrix @ asked)[-10:]
    bare = (time.perf_counter() - begun) / ASKED
    print(f"search among {count} daily summaries: {statistics.median(seconds) * 1000:.1f} ms median,")
    print(f"  the first one {first * 1000:.0f} ms; the bare product of the vectors {bare * 1000:.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
