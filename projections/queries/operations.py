"""Queries on operations: one, or the newest that somebody, some file or some person is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from domain.base.actor import signature_by_key
from domain.events.operation import LONG_KINDS, Operation
from projections.tables.operation_persons import OperationPersonsTable
from projections.tables.operations import OperationsTable


class Operations:
    """Queries on `operations`."""

    def __init__(self, connection: Connection, table: OperationsTable, persons: OperationPersonsTable) -> None:
        self._connection = connection
        self._table = table.table
        self._persons = persons.table

    def _select(self) -> Select[*tuple[Any, ...]]:
        return select(*(self._table.c[name] for name in Operation.__struct_fields__))

    def get(self, operation_id: int) -> Operation | None:
        """The operation with this id."""
        row = self._connection.execute(self._select().where(self._table.c.id == operation_id)).one_or_none()
        return None if row is None else Operation(*row)

    def latest(
        self,
        limit: int,
        before: int | None = None,
        actor: str | None = None,
        kind: str | None = None,
        persons: Collection[int] | None = None,
        among: Collection[int] | None = None,
    ) -> list[Operation]:
        """Newest first, below the id `before`, of this actor (by whichever key) and kind, concerning one of these
        persons, and among these ids, where given."""
        t, p = self._table, self._persons
        statement = self._select().order_by(t.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(t.c.id < before)
        if actor is not None:
            by_key = signature_by_key(actor)
            statement = statement.where(or_(t.c.actor == actor, func.substr(t.c.actor, 1, len(by_key)) == by_key))
        if kind is not None:
            statement = statement.where(t.c.kind == kind)
        if persons is not None:
            concerned = select(p.c.operation_id).where(p.c.person_id.in_(tuple(persons)))
            statement = statement.where(t.c.id.in_(concerned))
        if among is not None:
            statement = statement.where(t.c.id.in_(tuple(among)))
        return [Operation(*row) for row in self._connection.execute(statement)]

    def unended(self) -> list[Operation]:
        """The long operations that never said what came of them, by id."""
        t = self._table
        statement = self._select().where(t.c.kind.in_(LONG_KINDS), t.c.ended_at.is_(None)).order_by(t.c.id)
        return [each for row in self._connection.execute(statement) if (each := Operation(*row)).is_long]

    def these(self, operation_ids: Collection[int]) -> list[Operation]:
        """The operations with these ids, newest first."""
        t = self._table
        statement = self._select().where(t.c.id.in_(tuple(operation_ids))).order_by(t.c.id.desc())
        return [Operation(*row) for row in self._connection.execute(statement)]
