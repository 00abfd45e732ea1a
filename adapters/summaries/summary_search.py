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

from adapters.store.ledger import Ledger
from domain.base.actor import INSIGHT, Actor
from domain.base.errors import RuleViolation, Unreadable
from domain.events.summary import Summary
from domain.ports.text_embedder import TextEmbedder
from projections.queries.reading import Lookups

AROUND: Final = timedelta(days=3)
"""How far before and after a photo's day a language model may look."""
AROUND_FOUND: Final = 5
KEPT: Final = 50_000
"""Vectors that are kept in memory, some 150 MB of them."""
Row = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


class Hit(msgspec.Struct, frozen=True):
    """A summary that was found; `similarity` is the cosine to the question."""

    summary: Summary
    similarity: float


class FoundSummaries(msgspec.Struct, frozen=True):
    """What was found, the likest first, by the vectors of `model`; `pending` summaries have none of it yet."""

    hits: Sequence[Hit]
    model: str
    pending: int


class SummarySearch:
    """Finds summaries by what they mean; blocking, safe from any thread."""

    def __init__(self, ledger: Ledger, embedder: TextEmbedder) -> None:
        self._ledger, self._embedder = ledger, embedder
        self._space = _Space()

    def find(
        self,
        actor: Actor,
        question: str,
        limit: int,
        first: str | None = None,
        last: str | None = None,
        contact: str | None = None,
    ) -> FoundSummaries:
        """The summaries likest to a question, of days from `first` to `last` (YYYY-MM-DD) and of a contact where given.

        Raises:
            Unavailable, Rejected: the embedder cannot answer.
            RuleViolation: it never can answer this question.
        """
        model = self._embedder.model
        try:
            wanted = np.frombuffer(self._embedder.embed([question], "query")[0], "<f4")
        except Unreadable as error:
            raise RuleViolation(f"this cannot be looked for: {error}", "q") from error
        with self._ledger.reading(actor) as tables:
            places = tables.summaries.with_vector(model, first, last, contact)
            pending = tables.summaries.count_without_vector(model)
            best = self._space.nearest(tables, model, wanted, places, limit)
            summaries = tables.summaries.these([summary for _, summary in best])
        return FoundSummaries([Hit(summaries[id_], round(cosine, 4)) for cosine, id_ in best], model, pending)

    def around(self, question: str, day: date) -> Sequence[dict[str, Any]]:
        """The summaries of the days around `day` likest to a question, as a language model is told them; raises as
        `find`."""
        first, last = (day - AROUND).isoformat(), (day + AROUND).isoformat()
        found = self.find(INSIGHT, question, AROUND_FOUND, first, last)
        summaries = [hit.summary for hit in found.hits]
        return [{"day": each.day, "with": each.contact, "summary": each.text} for each in summaries]


class _Space:
    """The vectors of one model in memory, by the ids of their attachments, which never change. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model = ""
        self._ids: Places = np.empty(0, np.int64)
        self._rows: Row = np.empty((0, 0), np.float32)

    def nearest(
        self, tables: Lookups, model: str, question: Row, places: Sequence[tuple[int, int]], limit: int
    ) -> list[tuple[float, int]]:
        """Of `places`, which are summaries and their attachments, the cosine and the summary of the likest."""
        if not places:
            return []
        summaries, wanted = np.array(places, np.int64).T
        with self._lock:
            self._catch_up(tables, model, wanted, len(question))
            known = np.isin(wanted, self._ids)
            summaries, wanted = summaries[known], wanted[known]
            cosines = (self._rows @ question)[np.searchsorted(self._ids, wanted)]
        order = np.argsort(-cosines, kind="stable")[:limit]
        return [(float(cosines[place]), int(summaries[place])) for place in order]

    def _catch_up(self, tables: Lookups, model: str, wanted: Places, dimensions: int) -> None:
        """Read what is wanted and not there yet; a vector of another length is none of this model's."""
        if model != self._model or self._rows.shape[1] != dimensions or len(self._ids) > KEPT:
            self._model, self._ids = model, np.empty(0, np.int64)
            self._rows = np.empty((0, dimensions), np.float32)
        missing = wanted[~np.isin(wanted, self._ids)]
        read = tables.summaries.vectors(missing.tolist())
        fresh = [(id_, vector) for id_, vector in read.items() if len(vector) == 4 * dimensions]
        if not fresh:
            return
        ids = np.concatenate([self._ids, np.array([id_ for id_, _ in fresh], np.int64)])
        vectors = np.frombuffer(b"".join(vector for _, vector in fresh), "<f4").reshape(-1, dimensions)
        order = np.argsort(ids)
        self._ids, self._rows = ids[order], np.concatenate([self._rows, vectors])[order]
