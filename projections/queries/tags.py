"""Queries on the labels themselves: by id, by name, and all of them with how much each is on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from domain.base.names import name_key
from domain.events.tag import Tag
from projections.tables.tags import TagsTable


class Tags:
    """Queries on `tags`; deleted ones are never found."""

    def __init__(self, connection: Connection, table: TagsTable) -> None:
        self._connection = connection
        self._table = table.table

    def _select(self) -> Select[*tuple[Any, ...]]:
        t = self._table
        return select(t.c.id, t.c.name, t.c.version, t.c.color).where(t.c.deleted.is_(False))

    def get(self, tag_id: int) -> Tag | None:
        """The tag with this id."""
        row = self._connection.execute(self._select().where(self._table.c.id == tag_id)).one_or_none()
        return None if row is None else Tag(*row)

    def named(self, name: str) -> Tag | None:
        """The tag with this name, without regard to case."""
        row = self._connection.execute(self._select().where(self._table.c.name_key == name_key(name))).one_or_none()
        return None if row is None else Tag(*row)

    def name_of(self, tag_id: int) -> str:
        """The name of a tag, live or deleted; empty where there never was one."""
        t = self._table
        return self._connection.execute(select(t.c.name).where(t.c.id == tag_id)).scalar_one_or_none() or ""
