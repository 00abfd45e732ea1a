"""Search among daily summaries by meaning: the question is embedded with the model of the vectors that it is compared
to, and vectors of other models are left out until they are made anew."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from domain.actor import INSIGHT, Actor
from domain.errors import Unreadable
from domain.summary import Summary
from domain.text_embedding import TextEmbedder
from projections.lookups import Ledger, Lookups

AROUND: Final = timedelta(days=3)
"""How far before and after a photo's day a language model may look."""
AROUND_FOUND: Final = 5
KEPT: Final = 50_000
"""Vectors that are kept in memory, some 150 MB of them."""
Row = npt.NDArray[np.float32]


class Hit(msgspec.Struct, frozen=True):
    """A summary that was found; `similarity` is the cosine to the question."""

    summary: Summary
    similarity: float


class Found(msgspec.Struct, frozen=True):
    """What was found, the likest first, by the vectors of `model`; `pending` summaries have none of it yet."""

    hits: Sequence[Hit]
    model: str
    pending: int


class SummarySearch:
    """Finds summaries by what they mean; blocking, safe from any thread."""

    def __init__(self, ledger: Ledger, embedder: TextEmbedder) -> None:
        self._ledger, self._embedder = ledger, embedder
        self._lock = threading.Lock()
        self._rows: dict[int, Row] = {}

    def find(
        self,
        actor: Actor,
        question: str,
        limit: int,
        first: str | None = None,
        last: str | None = None,
        contact: str | None = None,
    ) -> Found:
        """The summaries likest to a question, of days from `first` to `last` (YYYY-MM-DD) and of a contact where given.

        Raises:
            Unavailable, Rejected: the embedder cannot answer.
        """
        model = self._embedder.model
        try:
            asked = np.frombuffer(self._embedder.embed([question], "query")[0], "<f4")
        except Unreadable:
            return Found((), model, 0)
        with self._ledger.reading(actor) as tables:
            places = tables.summaries.with_vector(model, first, last, contact)
            pending = tables.summaries.count_without_vector(model)
            rows = self._vectors(tables, [embedding for _, embedding in places])
            scored = [
                (float(rows[embedding] @ asked), summary)
                for summary, embedding in places
                if embedding in rows and rows[embedding].shape == asked.shape
            ]
            best = sorted(scored, reverse=True)[:limit]
            summaries = tables.summaries.these([summary for _, summary in best])
        return Found([Hit(summaries[id_], round(cosine, 4)) for cosine, id_ in best], model, pending)

    def around(self, question: str, day: date) -> Sequence[dict[str, Any]]:
        """The summaries of the days around `day` likest to a question, as a language model is told them; raises as
        `find`."""
        first, last = (day - AROUND).isoformat(), (day + AROUND).isoformat()
        found = self.find(INSIGHT, question, AROUND_FOUND, first, last)
        told = [hit.summary for hit in found.hits]
        return [{"day": each.day, "with": each.contact, "summary": each.text} for each in told]

    def _vectors(self, tables: Lookups, embedding_ids: Sequence[int]) -> dict[int, Row]:
        """Vectors by the ids of their attachments, which never change; those that were read before are remembered."""
        with self._lock:
            known = {id_: self._rows[id_] for id_ in embedding_ids if id_ in self._rows}
        read = tables.summaries.vectors(id_ for id_ in embedding_ids if id_ not in known)
        known |= {id_: np.frombuffer(vector, "<f4") for id_, vector in read.items()}
        with self._lock:
            if len(self._rows) + len(read) > KEPT:
                self._rows.clear()
            self._rows.update(known)
        return known
