"""Compares two generations of read tables row by row, in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Table, func, select, tuple_

from projections.schema import ReadTables

SHOWN = 100
"""Differences that are told one by one, for each table; the rest is counted."""


class Difference(msgspec.Struct, frozen=True):
    """One row in which the live tables and a replay differ: a `column` with both values, or a row that only one has."""

    table: str
    key: tuple[Any, ...]
    column: str | None
    live: Any
    replayed: Any

    def __str__(self) -> str:
        """In words."""
        where = f"{self.table} {', '.join(map(_shown, self.key))}"
        if self.column is None:
            return f"{where}: {'only live' if self.live else 'only in the replay'}"
        return f"{where}: {self.column} is {_shown(self.live)} live and {_shown(self.replayed)} in the replay"


def differences(connection: Connection, live: ReadTables, replayed: ReadTables) -> Iterator[Difference]:
    """Every difference, at most `SHOWN` rows a table and way round, on one snapshot that both have the same events
    of."""
    for mine, other in zip(live.projections, replayed.projections, strict=True):
        name = mine.table.name.removesuffix(f"_{live.generation}")
        yield from _of_table(connection, name, mine.table, other.table)


def _of_table(connection: Connection, name: str, live: Table, replayed: Table) -> Iterator[Difference]:
    key = [column.name for column in live.primary_key.columns]
    only_live = _rows_without_equal(connection, live, replayed, key)
    only_replayed = _rows_without_equal(connection, replayed, live, key)
    for place in only_live.keys() | only_replayed.keys():
        mine = only_live.get(place) or _row(connection, live, key, place)
        other = only_replayed.get(place) or _row(connection, replayed, key, place)
        if mine is None or other is None:
            yield Difference(name, place, None, mine is not None, other is not None)
            continue
        for column in mine:
            if mine[column] != other[column]:
                yield Difference(name, place, column, mine[column], other[column])


def _rows_without_equal(
    connection: Connection, of: Table, beside: Table, key: list[str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows of one table that the other has no equal of; EXCEPT takes two NULLs for equal."""
    names = [column.name for column in of.columns]
    statement = select(*(of.c[n] for n in names)).except_(select(*(beside.c[n] for n in names))).limit(SHOWN)
    found = {}
    for row in connection.execute(statement):
        values = dict(zip(names, row, strict=True))
        found[tuple(values[name] for name in key)] = values
    return found


def _row(connection: Connection, table: Table, key: list[str], place: tuple[Any, ...]) -> dict[str, Any] | None:
    columns: list[Column[Any]] = [table.c[name] for name in key]
    row = connection.execute(select(table).where(tuple_(*columns) == place)).mappings().one_or_none()
    return None if row is None else dict(row)


def counts(connection: Connection, tables: ReadTables) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables.tables
    }


def _shown(value: Any) -> str:
    return value.hex()[:16] if isinstance(value, bytes) else repr(value)
