"""Queries on daily summaries: by day and contact, and those that lack a vector."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select, true

from domain.base.names import name_key
from domain.events.summary import Summary
from projections.tables.attachments import read_vector
from projections.tables.summaries import SummariesTable, is_shown

CHUNK = 500
"""Ids that one statement takes."""


class Summaries:
    """Queries on `summaries`; a summary is shown where it is not deleted and none took its place."""

    def __init__(self, connection: Connection, table: SummariesTable, embeddings: Table) -> None:
        self._connection = connection
        self._table = table.table
        self._embeddings = embeddings

    def _select(self) -> Select[*tuple[Any, ...]]:
        return select(*(self._table.c[name] for name in Summary.__struct_fields__))

    def _rows(self, statement: Select[*tuple[Any, ...]]) -> list[Summary]:
        return [Summary(*row) for row in self._connection.execute(statement)]

    def get(self, summary_id: int) -> Summary | None:
        """The summary with this id, shown or not."""
        return next(iter(self._rows(self._select().where(self._table.c.id == summary_id))), None)

    def of_day(self, day: str) -> list[Summary]:
        """The summaries of a day that none took the place of, deleted ones too, the newest first."""
        t = self._table
        statement = self._select().where(t.c.day == day, t.c.superseded_by.is_(None))
        return self._rows(statement.order_by(t.c.id.desc()))

    def page(
        self,
        limit: int,
        before: tuple[str, int] | None = None,
        first: str | None = None,
        last: str | None = None,
        contact: str | None = None,
        *,
        superseded: bool = False,
    ) -> list[Summary]:
        """Shown summaries, the newest day first, after the day and id `before`, of days from `first` to `last` and of a
        contact where given; with `superseded` also those that another one took the place of."""
        t = self._table
        statement = self._select().where(
            t.c.deleted.is_(False) if superseded else is_shown(self._table), self._of(contact)
        )
        if first is not None:
            statement = statement.where(t.c.day >= first)
        if last is not None:
            statement = statement.where(t.c.day <= last)
        if before is not None:
            statement = statement.where(or_(t.c.day < before[0], and_(t.c.day == before[0], t.c.id < before[1])))
        return self._rows(statement.order_by(t.c.day.desc(), t.c.id.desc()).limit(limit))

    def _of(self, contact: str | None) -> ColumnElement[bool]:
        t = self._table
        return true() if contact is None else t.c.contact_key == name_key(contact)

    # By meaning

    def without_vector(self, model: str, limit: int, passed: Collection[int] = ()) -> list[Summary]:
        """Shown summaries that have no vector of this model, the newest first, but for the ids `passed`."""
        statement = self._select().where(self._lacks(model))
        if passed:
            statement = statement.where(self._table.c.id.not_in(tuple(passed)))
        return self._rows(statement.order_by(self._table.c.id.desc()).limit(limit))

    def count_without_vector(self, model: str) -> int:
        """How many shown summaries have no vector of this model."""
        return self._connection.execute(select(func.count()).where(self._lacks(model))).scalar_one()

    def _lacks(self, model: str) -> ColumnElement[bool]:
        t = self._table
        return and_(is_shown(self._table), or_(t.c.embedding_model.is_(None), t.c.embedding_model != model))

    def with_vector(
        self, model: str, first: str | None = None, last: str | None = None, contact: str | None = None
    ) -> list[tuple[int, int]]:
        """Every shown summary that has a vector of this model, as in `page`: its id and its attachment's."""
        t = self._table
        statement = select(t.c.id, t.c.embedding_id).where(
            is_shown(self._table), t.c.embedding_model == model, self._of(contact)
        )
        if first is not None:
            statement = statement.where(t.c.day >= first)
        if last is not None:
            statement = statement.where(t.c.day <= last)
        return [(id_, embedding_id) for id_, embedding_id in self._connection.execute(statement)]

    def vectors(self, embedding_ids: Iterable[int]) -> Mapping[int, bytes]:
        """Attachments by id."""
        e, wanted = self._embeddings, list(embedding_ids)
        found: dict[int, bytes] = {}
        for start in range(0, len(wanted), CHUNK):
            statement = select(e.c.id, e.c.vector).where(e.c.id.in_(wanted[start : start + CHUNK]))
            found.update((id_, read_vector(vector)) for id_, vector in self._connection.execute(statement))
        return found

    def these(self, summary_ids: Collection[int]) -> Mapping[int, Summary]:
        """Summaries by id."""
        found = self._rows(self._select().where(self._table.c.id.in_(tuple(summary_ids))))
        return {summary.id: summary for summary in found}
