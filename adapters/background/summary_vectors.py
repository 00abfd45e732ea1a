"""Gives daily summaries their vectors, so that they are found by meaning."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from adapters.background.jobs import JobBoard, JobProgress
from adapters.store.ledger import Ledger
from domain.base.actor import INSIGHT
from domain.base.errors import AdapterError, Unavailable, Unreadable
from domain.commands.summaries import embed_summaries
from domain.events.summary import Summary
from domain.ports.face_engine import Embedding
from domain.ports.text_embedder import TextEmbedder

log = logging.getLogger(__name__)
EMBEDDED_AT_ONCE: Final = 16


class EmbedsSummaries:
    """Gives a vector to every summary that has none of the model that embeds now: after it was away, after another
    one was set, after an erasure."""

    def __init__(self, ledger: Ledger, embedder: TextEmbedder, jobs: JobBoard) -> None:
        self._ledger, self._embedder, self._jobs = ledger, embedder, jobs
        self._passed: set[int] = set()
        self._job: JobProgress | None = None
        self._operation_id: int | None = None
        self._done = 0

    def step(self) -> bool:
        """Embed some summaries; whether there may be more. All of them together are one operation.

        Raises:
            Unavailable: the embedder cannot answer now.
        """
        model = self._embedder.model
        with self._ledger.reading(INSIGHT) as tables:
            waiting = tables.summaries.without_vector(model, EMBEDDED_AT_ONCE, self._passed)
            left = tables.summaries.count_without_vector(model) if waiting else 0
        if not waiting:
            self._end()
            return False
        if self._job is None:
            self._job = self._jobs.begin("summaries", "making daily summaries findable by meaning", left)
        try:
            vectors = self._vectors(waiting)
        except AdapterError as error:
            self._job.at(self._done, self._done + left, str(error), waiting=True)
            raise Unavailable(str(error)) from error
        with self._ledger.transaction(INSIGHT, operation_id=self._operation_id) as uow:
            self._done += embed_summaries(uow, {id_: Embedding(model, vector) for id_, vector in vectors.items()})
            operation_id = uow.operation_id
        self._operation_id = operation_id
        self._job.at(self._done, self._done + left - len(waiting))
        return True

    def _vectors(self, waiting: Sequence[Summary]) -> dict[int, bytes]:
        """Vectors by summary; those whose text can never be embedded are passed by from now on."""
        try:
            return dict(zip([s.id for s in waiting], self._embedder.embed([s.text for s in waiting]), strict=True))
        except Unreadable:
            found = {}
        for summary in waiting:
            try:
                found[summary.id] = self._embedder.embed([summary.text])[0]
            except Unreadable as error:
                log.warning("summary %s cannot be found by meaning: %s", summary.id, error)
                self._passed.add(summary.id)
        return found

    def _end(self) -> None:
        if self._job is None:
            return
        text = f"made {self._done} daily {'summary' if self._done == 1 else 'summaries'} findable by meaning"
        if self._operation_id is not None:
            with self._ledger.transaction(INSIGHT, operation_id=self._operation_id) as uow:
                uow.end(text)
        self._job.end(text)
        self._job = self._operation_id = None
        self._done = 0
