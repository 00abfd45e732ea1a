"""The read table `insights`: what language models wrote about photos."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    insert,
    update,
)

from domain.events.insight import (
    InsightDeleted,
    InsightFollowed,
    InsightRated,
    InsightRestored,
    InsightWritten,
    TranscriptAppended,
    TranscriptRewound,
)
from projections.tables.projection import Id, Projection, id_column


class InsightsTable(Projection):
    """One row an insight; one that was taken back keeps its row, so that undo is one update."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("insights"),
            self.metadata,
            id_column(),
            Column("content_hash", LargeBinary, nullable=False),
            Column("title", Text, nullable=False),
            Column("text", Text, nullable=False),
            Column("model", Text, nullable=False),
            Column("backend", Text, nullable=False),
            Column("agentic", Boolean, nullable=False),
            Column("amends", Id, self.reference("insights")),
            Column("rating", Text),
            Column("deleted", Boolean, nullable=False),
            Column("written_at", BigInteger, nullable=False),
            Column("version", Integer, nullable=False),
            Column("turns_version", Integer, nullable=False),
            CheckConstraint("rating IN ('good', 'bad')", name=self.named("insights_rating")),
        )
        Index(self.named("insights_content"), t.c.content_hash)
        Index(self.named("insights_amends"), t.c.amends)
        self.on(
            InsightWritten,
            insert(t),
            lambda e, r: {
                "id": e.insight_id,
                "content_hash": e.content_hash,
                "title": e.title,
                "text": e.text,
                "model": e.model,
                "backend": e.backend,
                "agentic": e.agentic,
                "amends": e.amends,
                "rating": None,
                "deleted": False,
                "written_at": r.recorded_at,
                "version": 1,
                "turns_version": 0,
            },
        )
        self._define_changes(t)

    def _define_changes(self, t: Table) -> None:
        change = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
        self.on(InsightRated, change.values(rating=bindparam("to")), lambda e, r: {"key": e.insight_id, "to": e.rating})
        self.on(InsightDeleted, change.values(deleted=True), lambda e, r: {"key": e.insight_id})
        self.on(InsightRestored, change.values(deleted=False), lambda e, r: {"key": e.insight_id})
        self.on(
            InsightFollowed,
            update(t).where(t.c.id == bindparam("key")).values(content_hash=bindparam("to")),
            lambda e, r: {"key": e.insight_id, "to": e.content_hash},
        )
        turned = change.values(turns_version=t.c.turns_version + 1)
        self.on(TranscriptAppended, turned, lambda e, r: {"key": e.insight_id})
        self.on(TranscriptRewound, turned, lambda e, r: {"key": e.insight_id})
