"""Queries on libraries: by id, by name, and all that are shown."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from domain.base.names import name_key
from domain.events.library import Library
from projections.tables.libraries import LibrariesTable


class Libraries:
    """Queries on `libraries`."""

    def __init__(self, connection: Connection, table: LibrariesTable) -> None:
        self._connection = connection
        self._table = table.table

    def _one(self, statement: Select[*tuple[Any, ...]]) -> Library | None:
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else Library(*row)

    def _select(self) -> Select[*tuple[Any, ...]]:
        t = self._table
        return select(*(t.c[name] for name in Library.__struct_fields__))

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
        return [Library(*row) for row in self._connection.execute(statement)]
