"""The read table `entities`: nodes of the knowledge graph."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, Text, insert, select

from domain.entity import EntityCreated
from projections.projection import Projection, id_column


class EntitiesTable(Projection):
    """One row an entity."""

    def define(self) -> None:
        """Columns and the write."""
        self.table = t = Table(
            self.named("entities"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("type", Text, nullable=False),
            Column("description", Text, nullable=False),
        )
        self.on(
            EntityCreated,
            insert(t),
            lambda e, r: {"id": e.entity_id, "name": e.name, "type": e.type, "description": e.description},
        )


class Entities:
    """Queries on `entities`."""

    def __init__(self, connection: Connection, table: EntitiesTable) -> None:
        self._connection = connection
        self._table = table.table

    def exists(self, entity_id: int) -> bool:
        """Whether there is an entity with this id."""
        t = self._table
        return self._connection.execute(select(t.c.id).where(t.c.id == entity_id)).first() is not None
