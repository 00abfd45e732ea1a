"""What a projection is: one read table and, for each event that concerns it, the statement that keeps it true.

A projection writes its own table and no other, and only in SQL over the event's own values, so that events may be
applied in batches table by table: the order within a table is the log's, the order between tables does not matter
(foreign keys are checked at commit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Column, ColumnElement, ForeignKey, Index, Integer, MetaData, Table, UpdateBase

from domain.events.event import Event, Recorded

Row = Mapping[str, object]
E = TypeVar("E", bound=Event)
Id = BigInteger().with_variant(Integer, "sqlite")
"""Row ids: SQLite makes only an INTEGER primary key the row's own key, PostgreSQL wants 64 bits said."""


class Write:
    """One statement of a projection with the function that takes its parameters from an event; `once` says that it
    changes nothing when it is run with the same parameters again."""

    def __init__(self, statement: UpdateBase, rows_of: Callable[[Any, Recorded], Iterable[Row]], *, once: bool) -> None:
        self.statement = statement
        self.rows_of = rows_of
        self.once = once


class Projection:
    """Base of every projection; a subclass defines `table` and registers its writes with `on`."""

    table: Table

    def __init__(self, metadata: MetaData, generation: int) -> None:
        self.metadata = metadata
        self.generation = generation
        self.writes: dict[type[Event], list[Write]] = {}
        self.define()

    def define(self) -> None:
        """Build `table` and register the writes."""
        raise NotImplementedError  # every projection has its own

    def on(self, event: type[E], statement: UpdateBase, row_of: Callable[[E, Recorded], Row]) -> None:
        """Run `statement` with the parameters of `row_of` for each `event`."""
        self.on_each(event, statement, lambda e, r: (row_of(e, r),))

    def on_each(
        self,
        event: type[E],
        statement: UpdateBase,
        rows_of: Callable[[E, Recorded], Iterable[Row]],
        *,
        once: bool = False,
    ) -> None:
        """Run `statement` once with each set of parameters that `rows_of` takes from an `event`; none skips it."""
        self.writes.setdefault(event, []).append(Write(statement, rows_of, once=once))

    def named(self, name: str) -> str:
        """`name` with the generation's suffix: tables, indexes and constraints of two generations live side by side."""
        return f"{name}_{self.generation}"

    def unique_name(self, index: str, shown: ColumnElement[bool]) -> None:
        """No two rows that are `shown` have one `name_key`; the others keep theirs, and hold up nobody."""
        Index(self.named(index), self.table.c.name_key, unique=True, sqlite_where=shown, postgresql_where=shown)

    def reference(self, table: str, column: str = "id") -> ForeignKey:
        """A foreign key into a read table of the same generation, checked at commit."""
        return ForeignKey(f"{self.named(table)}.{column}", deferrable=True, initially="DEFERRED")


def id_column() -> Column[int]:
    """The primary key that every table with public ids has: the id that the event carries, never one of the
    database's."""
    return Column("id", Id, primary_key=True, autoincrement=False)
