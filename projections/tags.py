"""The read tables' half of tags: `tags`, the labels themselves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from domain.names import name_key
from domain.tag import Tag, TagCreated, TagDeleted, TagRecoloured, TagRenamed, TagRestored
from projections.projection import Projection, id_column


class TagsTable(Projection):
    """One row a tag; a deleted one keeps its row and what it was on, so that undo is one update."""

    def define(self) -> None:
        """Columns, the unique name among tags that are not deleted, and the writes."""
        self.table = t = Table(
            self.named("tags"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("color", Text),
            Column("deleted", Boolean, nullable=False),
            Column("version", Integer, nullable=False),
        )
        live = t.c.deleted.is_(False)
        self.unique_name("tags_name", live)
        self.on(
            TagCreated,
            insert(t),
            lambda e, r: {
                "id": e.tag_id,
                "name": e.name,
                "name_key": name_key(e.name),
                "color": None,
                "deleted": False,
                "version": 1,
            },
        )
        change = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
        self.on(
            TagRenamed,
            change.values(name=bindparam("to"), name_key=bindparam("to_key")),
            lambda e, r: {"key": e.tag_id, "to": e.name, "to_key": name_key(e.name)},
        )
        self.on(TagRecoloured, change.values(color=bindparam("to")), lambda e, r: {"key": e.tag_id, "to": e.color})
        deleted = change.values(deleted=bindparam("to"))
        self.on(TagDeleted, deleted, lambda e, r: {"key": e.tag_id, "to": True})
        self.on(TagRestored, deleted, lambda e, r: {"key": e.tag_id, "to": False})


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
