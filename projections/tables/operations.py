"""The read table `operations`: what was done, by whom, in plain words, and whether it was taken back."""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, Column, Index, Table, Text, bindparam, case, insert, select, update

from domain.events.operation import OperationBegan, OperationEnded
from projections.tables.projection import Id, Projection, id_column


class OperationsTable(Projection):
    """One row an operation. `undone_by` names the live operation that took it back; undoing that one clears it again,
    and undoing the redo writes it again. `ended_at` is of long ones alone, in microseconds since 1970 UTC."""

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
            Column("ended_at", BigInteger),
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
                "ended_at": None,
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
            update(t).where(t.c.id == bindparam("key")).values(text=bindparam("to"), ended_at=bindparam("then")),
            lambda e, r: {"key": e.operation_id, "to": e.text, "then": r.recorded_at},
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
