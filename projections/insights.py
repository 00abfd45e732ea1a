"""The read table `insights`: what language models wrote about photos, and the queries that join it to files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from domain.insight import (
    Insight,
    InsightDeleted,
    InsightRated,
    InsightRestored,
    InsightWritten,
    TranscriptAppended,
    TranscriptRewound,
)
from projections.media import MediaTable
from projections.projection import Id, Projection, id_column


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
        self.on(
            InsightRated,
            change.values(rating=bindparam("to")),
            lambda e, r: {"key": e.insight_id, "to": e.rating},
        )
        self.on(InsightDeleted, change.values(deleted=True), lambda e, r: {"key": e.insight_id})
        self.on(InsightRestored, change.values(deleted=False), lambda e, r: {"key": e.insight_id})
        turned = change.values(turns_version=t.c.turns_version + 1)
        self.on(TranscriptAppended, turned, lambda e, r: {"key": e.insight_id})
        self.on(TranscriptRewound, turned, lambda e, r: {"key": e.insight_id})


class Insights:
    """Queries on `insights`; `libraries` are the ids that the asker may see."""

    def __init__(
        self, connection: Connection, table: InsightsTable, media: MediaTable, libraries: Collection[int]
    ) -> None:
        self._connection = connection
        self._table, self._media = table.table, media.table
        self._libraries = tuple(libraries)

    def _select(self) -> Select[*tuple[Any, ...]]:
        return select(*(self._table.c[name] for name in Insight.__struct_fields__))

    def get(self, insight_id: int) -> Insight | None:
        """The insight with this id, one that was taken back or is out of sight too."""
        row = self._connection.execute(self._select().where(self._table.c.id == insight_id)).one_or_none()
        return None if row is None else Insight(*row)

    def of_content(self, content_hash: bytes) -> list[Insight]:
        """The insights about a content, the newest first."""
        t = self._table
        statement = self._select().where(t.c.content_hash == content_hash, t.c.deleted.is_(False))
        return [Insight(*row) for row in self._connection.execute(statement.order_by(t.c.id.desc()))]

    def latest(self, limit: int, before: int | None = None) -> list[Insight]:
        """The insights about photos that the asker sees, the newest first, below the id `before`."""
        t, m = self._table, self._media
        seen = select(m.c.id).where(
            m.c.content_hash == t.c.content_hash, m.c.present, m.c.library_id.in_(self._libraries)
        )
        statement = self._select().where(t.c.deleted.is_(False), seen.exists())
        if before is not None:
            statement = statement.where(t.c.id < before)
        rows = self._connection.execute(statement.order_by(t.c.id.desc()).limit(limit))
        return [Insight(*row) for row in rows]

    def ids_of_content(self, content_hash: bytes) -> list[int]:
        """The ids of the insights about a content, those that were taken back too."""
        t = self._table
        return list(self._connection.execute(select(t.c.id).where(t.c.content_hash == content_hash)).scalars())

    def places(self, contents: Collection[bytes]) -> Mapping[bytes, tuple[int, str]]:
        """For each of these contents the library and the path of a file that shows it to the asker."""
        m = self._media
        seen = (m.c.present, m.c.library_id.in_(self._libraries))
        statement = select(m.c.content_hash, m.c.library_id, m.c.path).where(
            m.c.content_hash.in_(tuple(contents)), *seen
        )
        rows = self._connection.execute(statement.order_by(m.c.library_id.desc(), m.c.id.desc()))
        return {bytes(content): (library, path) for content, library, path in rows}
