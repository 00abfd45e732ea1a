"""Queries on persons as commands ask them: by id, by name, and who stands behind whom."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from domain.base.names import name_key
from domain.events.person import Person
from projections.tables.persons import PersonsTable


class Persons:
    """Queries on `persons` that need no face."""

    def __init__(self, connection: Connection, table: PersonsTable) -> None:
        self._connection = connection
        self._table = table.table
        self._behind = table.behind

    def _select(self) -> Select[*tuple[Any, ...]]:
        return select(*(self._table.c[name] for name in Person.__struct_fields__))

    def get(self, person_id: int) -> Person | None:
        """The person with this id, merged and deleted ones too."""
        row = self._connection.execute(self._select().where(self._table.c.id == person_id)).one_or_none()
        return None if row is None else Person(*row)

    def named(self, name: str) -> Person | None:
        """The live person with this name, without regard to case."""
        t = self._table
        statement = self._select().where(
            t.c.name_key == name_key(name), t.c.merged_into.is_(None), t.c.deleted.is_(False)
        )
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else Person(*row)

    def behind(self, person_id: int) -> list[int]:
        """The ids of this person and of everyone merged into it, directly or by others."""
        return list(self._connection.execute(self._behind, {"key": person_id}).scalars())
