"""The read table `operations`: what was done, by whom, in plain words, and whether it was taken back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    Connection,
    Index,
    Select,
    Table,
    Text,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from domain.actor import signature_by_key
from domain.operation import Operation, OperationBegan, OperationEnded
from projections.operation_persons import OperationPersonsTable
from projections.projection import Id, Projection, id_column


class OperationsTable(Projection):
    """One row an operation. `undone_by` names the live operation that took it back; undoing that one clears it again,
    and undoing the redo writes it again."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("operations"),
            self.metadata,
            id_column(),
            Column("kind", Text, nullable=False),
            Column("text", Text, nullable=False),
            Column("why", Text),
            Column("actor", Text, nullable=False),
            Column("at", BigInteger, nullable=False),
            Column("position", BigInteger, nullable=False),
            Column("undone_by", Id, self.reference("operations")),
            Column("undoes", Id, self.reference("operations")),
        )
        Index(self.named("operations_undone_by"), t.c.undone_by)
        self.on(
            OperationBegan,
            insert(t),
            lambda e, r: {
                "id": e.operation_id,
                "kind": e.kind,
                "text": e.text,
                "why": e.why,
                "actor": r.actor,
                "at": r.recorded_at,
                "position": r.position,
                "undone_by": None,
                "undoes": e.undoes,
            },
        )
        chain = _undone_in_turn(t)
        mine = chain.c.id == t.c.id
        live_or_not = select(chain.c.undone_by).where(mine).scalar_subquery()
        turned = update(t).where(t.c.id.in_(select(chain.c.id))).values(undone_by=live_or_not)
        self.on_each(OperationBegan, turned, lambda e, r: [{"key": e.operation_id}] if e.undoes else [])
        self.on(
            OperationEnded,
            update(t).where(t.c.id == bindparam("key")).values(text=bindparam("to")),
            lambda e, r: {"key": e.operation_id, "to": e.text},
        )


def _undone_in_turn(t: Table) -> CTE:
    """What the operation `key` undoes, what that one undid, and so on: in turn undone by the one before, and live."""
    newest, older = t.alias("newest"), t.alias("older")
    first = select(newest.c.undoes.label("id"), newest.c.id.label("undone_by")).where(
        newest.c.id == bindparam("key"), newest.c.undoes.is_not(None)
    )
    chain = first.cte("chain", recursive=True)
    undone_by = case((chain.c.undone_by.is_(None), older.c.id), else_=None)
    return chain.union_all(
        select(older.c.undoes, undone_by).join(chain, older.c.id == chain.c.id).where(older.c.undoes.is_not(None))
    )


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

    def these(self, operation_ids: Collection[int]) -> list[Operation]:
        """The operations with these ids, newest first."""
        t = self._table
        statement = self._select().where(t.c.id.in_(tuple(operation_ids))).order_by(t.c.id.desc())
        return [Operation(*row) for row in self._connection.execute(statement)]
