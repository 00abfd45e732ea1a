"""Queries on persons as commands ask them: by id, by name, and who stands behind whom."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, or_, select

from domain.base.names import name_key
from domain.events.person import Person
from projections.tables.persons import PersonsTable
from projections.tables.persons_told_apart import PersonsToldApartTable


class Persons:
    """Queries on `persons` that need no face."""

    def __init__(self, connection: Connection, table: PersonsTable, told_apart: PersonsToldApartTable) -> None:
        self._connection = connection
        self._table = table.table
        self._behind = table.behind
        self._apart = told_apart.table

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

    def told_apart(self) -> set[tuple[int, int]]:
        """The pairs of canonical persons that were said to be two, the lower id first."""
        a, one, other = self._apart, self._table.alias("one"), self._table.alias("other")
        statement = (
            select(one.c.canonical_id, other.c.canonical_id)
            .select_from(a.join(one, one.c.id == a.c.person_id).join(other, other.c.id == a.c.other_id))
            .where(one.c.canonical_id.is_not(None), other.c.canonical_id.is_not(None))
        )
        pairs = self._connection.execute(statement)
        return {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}

    def told_apart_from(self, person_id: int) -> set[int]:
        """The persons that this very one was said not to be, as they were named then."""
        a = self._apart
        rows = self._connection.execute(select(a).where(or_(a.c.person_id == person_id, a.c.other_id == person_id)))
        return {id_ for row in rows for id_ in row} - {person_id}
