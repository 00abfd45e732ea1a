"""The read table `libraries`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from domain.library import (
    Library,
    LibraryAdded,
    LibraryRelocated,
    LibraryRemoved,
    LibraryRenamed,
    LibraryRestored,
)
from domain.names import name_key
from projections.projection import Projection, id_column


class LibrariesTable(Projection):
    """One row a library; a removed one keeps its row, so that what was decided in it can be brought back."""

    def define(self) -> None:
        """Columns, the unique name among libraries that are shown, and the writes."""
        self.table = t = Table(
            self.named("libraries"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("root", Text, nullable=False),
            Column("removed", Boolean, nullable=False),
            Column("version", Integer, nullable=False),
        )
        shown = t.c.removed.is_(False)
        self.unique_name("libraries_name", shown)
        self.on(
            LibraryAdded,
            insert(t),
            lambda e, r: {
                "id": e.library_id,
                "name": e.name,
                "name_key": name_key(e.name),
                "root": e.root,
                "removed": False,
                "version": 1,
            },
        )
        key = t.c.id == bindparam("key")
        one_more = {"version": t.c.version + 1}
        self.on(
            LibraryRenamed,
            update(t).where(key).values(name=bindparam("to"), name_key=bindparam("to_key"), **one_more),
            lambda e, r: {"key": e.library_id, "to": e.name, "to_key": name_key(e.name)},
        )
        self.on(
            LibraryRelocated,
            update(t).where(key).values(root=bindparam("to"), **one_more),
            lambda e, r: {"key": e.library_id, "to": e.root},
        )
        removed = update(t).where(key).values(removed=bindparam("to"), **one_more)
        self.on(LibraryRemoved, removed, lambda e, r: {"key": e.library_id, "to": True})
        self.on(LibraryRestored, removed, lambda e, r: {"key": e.library_id, "to": False})


class Libraries:
    """Queries on `libraries`."""

    def __init__(self, connection: Connection, table: LibrariesTable) -> None:
        self._connection = connection
        self._table = table.table

    def _one(self, statement: Select[*tuple[Any, ...]]) -> Library | None:
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _library(row)

    def _select(self) -> Select[*tuple[Any, ...]]:
        t = self._table
        return select(t.c.id, t.c.name, t.c.root, t.c.removed, t.c.version)

    def get(self, library_id: int) -> Library | None:
        """The library with this id, removed or not."""
        return self._one(self._select().where(self._table.c.id == library_id))

    def named(self, name: str) -> Library | None:
        """The shown library with this name, without regard to case."""
        t = self._table
        return self._one(self._select().where(t.c.name_key == name_key(name), t.c.removed.is_(False)))

    def shown(self) -> list[Library]:
        """Every library that is not removed, by id."""
        t = self._table
        statement = self._select().where(t.c.removed.is_(False)).order_by(t.c.id)
        return [_library(row) for row in self._connection.execute(statement)]


def _library(row: Row[*tuple[Any, ...]]) -> Library:
    return Library(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row as a mapping
