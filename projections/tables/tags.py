"""The read table `tags`: the labels themselves."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, Table, Text, bindparam, insert, update

from domain.base.names import name_key
from domain.events.tag import TagCreated, TagDeleted, TagRecoloured, TagRenamed, TagRestored
from projections.tables.projection import Projection, id_column


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
