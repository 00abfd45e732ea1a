"""Compares two generations of read tables row by row, in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select

from projections.tables.schema import ReadTables

SHOWN = 100
"""Rows that are told one by one, for each table and for each way to differ; the rest is counted."""


class Difference(msgspec.Struct, frozen=True):
    """A row in which the live tables and a replay differ: a `column` with both values, or a row that only one has
    (`column` None, `live` and `replayed` say which); or the number (`rest`) of further such rows of the table."""

    table: str
    key: tuple[Any, ...]
    column: str | None = None
    live: Any = None
    replayed: Any = None
    rest: int = 0

    def __str__(self) -> str:
        """In words."""
        if self.rest:
            return f"{self.table}: and {self.rest} more rows"
        where = f"{self.table} {', '.join(map(_shown, self.key))}"
        if self.column is None:
            return f"{where}: {'only live' if self.live else 'only in the replay'}"
        return f"{where}: {self.column} is {_shown(self.live)} live and {_shown(self.replayed)} in the replay"


def differences(connection: Connection, live: ReadTables, replayed: ReadTables) -> Iterator[Difference]:
    """Every difference by table and key, on one snapshot in which both have the same events."""
    for mine, other in zip(live.projections, replayed.projections, strict=True):
        name = mine.table.name.removesuffix(f"_{live.generation}")
        yield from _changed(connection, name, mine.table, other.table)
        yield from _only_in(connection, name, mine.table, other.table, live=True)
        yield from _only_in(connection, name, other.table, mine.table, live=False)


def _changed(connection: Connection, name: str, live: Table, replayed: Table) -> Iterator[Difference]:
    """Rows that both have, with other values; two NULLs are equal."""
    columns = [column.name for column in live.columns if not column.primary_key]
    if not columns:
        return
    differs = or_(*(live.c[column].is_distinct_from(replayed.c[column]) for column in columns))
    both = select(*live.primary_key, *(table.c[column] for table in (live, replayed) for column in columns))
    statement = both.select_from(live.join(replayed, _same_key(live, replayed))).where(differs)
    width, rows = len(live.primary_key.columns), 0
    for row in connection.execute(statement.order_by(*live.primary_key).execution_options(yield_per=SHOWN)):
        rows += 1
        if rows > SHOWN:
            continue
        key, values = tuple(row[:width]), row[width:]
        for place, column in enumerate(columns):
            mine, other = values[place], values[place + len(columns)]
            if mine != other:
                yield Difference(name, key, column=column, live=mine, replayed=other)
    if rows > SHOWN:
        yield Difference(name, (), rest=rows - SHOWN)


def _only_in(connection: Connection, name: str, here: Table, there: Table, *, live: bool) -> Iterator[Difference]:
    """Rows that only one of the two has."""
    partner = next(iter(there.primary_key))
    lonely = select(*here.primary_key).select_from(here.outerjoin(there, _same_key(here, there)))
    lonely = lonely.where(partner.is_(None))
    for key in connection.execute(lonely.order_by(*here.primary_key).limit(SHOWN)):
        yield Difference(name, tuple(key), live=live, replayed=not live)
    rows = connection.execute(select(func.count()).select_from(lonely.subquery())).scalar_one()
    if rows > SHOWN:
        yield Difference(name, (), live=live, replayed=not live, rest=rows - SHOWN)


def _same_key(a: Table, b: Table) -> ColumnElement[bool]:
    return and_(*(a.c[column.name] == b.c[column.name] for column in a.primary_key))


def _shown(value: Any) -> str:
    return value.hex()[:16] if isinstance(value, bytes) else repr(value)
