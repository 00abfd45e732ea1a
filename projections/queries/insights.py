"""Queries on insights, joined to the files that show what they are about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Select, select

from domain.events.insight import Insight
from projections.tables.insights import InsightsTable
from projections.tables.media import MediaTable


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
