"""The read table `summaries`: what was said on which day, in a language model's words."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    insert,
    update,
)

from domain.base.names import name_key
from domain.events.summary import SummaryDeleted, SummaryEmbedded, SummaryRestored, SummaryWritten
from projections.tables.projection import Id, Projection, id_column


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
        held, shown = (t.c.embedding_model, t.c.id, t.c.embedding_id), is_shown(t)
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


def is_shown(t: Table) -> ColumnElement[bool]:
    """A summary that is neither deleted nor superseded."""
    return and_(t.c.deleted.is_(False), t.c.superseded_by.is_(None))
