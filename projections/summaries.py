"""The read table `summaries`: what was said on which day, in a language model's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from domain.names import name_key
from domain.summary import Summary, SummaryDeleted, SummaryEmbedded, SummaryRestored, SummaryWritten
from projections.projection import Id, Projection, id_column

CHUNK = 500
"""Ids that one statement takes."""


class SummariesTable(Projection):
    """One row a summary, those that another one took the place of and deleted ones too."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("summaries"),
            self.metadata,
            id_column(),
            Column("day", Text, nullable=False),
            Column("contact", Text, nullable=False),
            Column("contact_key", Text, nullable=False),
            Column("source_hash", LargeBinary, nullable=False),
            Column("messages", Integer, nullable=False),
            Column("prompt_version", Integer, nullable=False),
            Column("model", Text, nullable=False),
            Column("text", Text, nullable=False),
            Column("written_at", BigInteger, nullable=False),
            Column("supersedes", Id, self.reference("summaries"), unique=True),
            Column("superseded_by", Id, self.reference("summaries")),
            Column("deleted", Boolean, nullable=False),
            Column("masked", Boolean, nullable=False),
            Column("embedding_id", Id, ForeignKey("log_embeddings.id", deferrable=True, initially="DEFERRED")),
            Column("embedding_model", Text),
            CheckConstraint(
                "(embedding_id IS NULL) = (embedding_model IS NULL)", name=self.named("summaries_embedding")
            ),
        )
        Index(self.named("summaries_day"), t.c.day, t.c.id)
        held, shown = (t.c.embedding_model, t.c.id, t.c.embedding_id), _is_shown(t)
        Index(self.named("summaries_vectors"), *held, sqlite_where=shown, postgresql_where=shown)
        self.on(
            SummaryWritten,
            insert(t),
            lambda e, r: {
                "id": e.summary_id,
                "day": e.day,
                "contact": e.contact,
                "contact_key": name_key(e.contact),
                "source_hash": e.source_hash,
                "messages": e.messages,
                "prompt_version": e.prompt_version,
                "model": e.model,
                "text": e.text,
                "written_at": r.recorded_at,
                "supersedes": e.supersedes,
                "superseded_by": None,
                "deleted": False,
                "masked": e.masked,
                "embedding_id": None,
                "embedding_model": None,
            },
        )
        self._define_changes(t)

    def _define_changes(self, t: Table) -> None:
        change = update(t).where(t.c.id == bindparam("key"))
        self.on_each(
            SummaryWritten,
            change.values(superseded_by=bindparam("to")),
            lambda e, r: () if e.supersedes is None else ({"key": e.supersedes, "to": e.summary_id},),
        )
        self.on(
            SummaryEmbedded,
            change.values(embedding_id=bindparam("to_id"), embedding_model=bindparam("to_model")),
            lambda e, r: {
                "key": e.summary_id,
                "to_id": e.embedding_id,
                "to_model": None if e.embedding_id is None else e.model_version,
            },
        )
        self.on(SummaryDeleted, change.values(deleted=True), lambda e, r: {"key": e.summary_id})
        self.on(SummaryRestored, change.values(deleted=False), lambda e, r: {"key": e.summary_id})


def _is_shown(t: Table) -> ColumnElement[bool]:
    return and_(t.c.deleted.is_(False), t.c.superseded_by.is_(None))


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
            t.c.deleted.is_(False) if superseded else _is_shown(self._table), self._of(contact)
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
        return and_(_is_shown(self._table), or_(t.c.embedding_model.is_(None), t.c.embedding_model != model))

    def with_vector(
        self, model: str, first: str | None = None, last: str | None = None, contact: str | None = None
    ) -> list[tuple[int, int]]:
        """Every shown summary that has a vector of this model, as in `page`: its id and its attachment's."""
        t = self._table
        statement = select(t.c.id, t.c.embedding_id).where(
            _is_shown(self._table), t.c.embedding_model == model, self._of(contact)
        )
        if first is not None:
            statement = statement.where(t.c.day >= first)
        if last is not None:
            statement = statement.where(t.c.day <= last)
        return [(row[0], row[1]) for row in self._connection.execute(statement).all()]

    def vectors(self, embedding_ids: Iterable[int]) -> Mapping[int, bytes]:
        """Attachments by id."""
        e, wanted = self._embeddings, list(embedding_ids)
        found: dict[int, bytes] = {}
        for start in range(0, len(wanted), CHUNK):
            statement = select(e.c.id, e.c.vector).where(e.c.id.in_(wanted[start : start + CHUNK]))
            found.update((row[0], bytes(row[1])) for row in self._connection.execute(statement))
        return found

    def these(self, summary_ids: Collection[int]) -> Mapping[int, Summary]:
        """Summaries by id."""
        found = self._rows(self._select().where(self._table.c.id.in_(tuple(summary_ids))))
        return {summary.id: summary for summary in found}
