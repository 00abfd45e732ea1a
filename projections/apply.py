"""Applies events to read tables: the same code for a command, a catch-up and a rebuild.

Statements are rendered once with Core and their rows handed to the driver's own `executemany`: SQLAlchemy's parameter
handling is what a replay would otherwise spend most of its time on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, UpdateBase
from sqlalchemy.engine.default import DefaultDialect

from domain.event import Event, Recorded
from projections.projection import Row
from projections.schema import ReadTables

Parameters = tuple[object, ...]
Prepared = list[tuple[str, list[Parameters]]]
"""Statements in the order to run them, each with its rows."""


class Rendered(NamedTuple):
    """A statement as the driver takes it: SQL text with positional parameters, and how to take them from a row."""

    sql: str
    parameters_of: Callable[[Row], Parameters]


def rendered(statement: UpdateBase, dialect: Dialect) -> Rendered:
    """Render an insert, update or delete once for positional parameters of `dialect`."""
    compiled = statement.compile(dialect=_positional(dialect))
    names = compiled.positiontup or []
    fixed = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
    if not fixed and len(names) > 1:
        return Rendered(str(compiled), itemgetter(*names))
    return Rendered(str(compiled), lambda row: tuple(fixed[n] if n in fixed else row[n] for n in names))


def _positional(dialect: Dialect) -> Dialect:
    if dialect.positional:
        return dialect
    kind: type[DefaultDialect] = type(dialect)  # type: ignore[assignment]  # every dialect in use derives from it
    return kind(paramstyle="format")


class Applier:
    """Keeps the read tables of one generation true, in any dialect."""

    def __init__(self, tables: ReadTables, dialect: Dialect) -> None:
        self._by_event: dict[type[Event], list[tuple[int, Rendered, Callable[[Any, Recorded], Iterable[Row]]]]] = {}
        self._tables = len(tables.projections)
        for place, projection in enumerate(tables.projections):
            for event, writes in projection.writes.items():
                for write in writes:
                    entry = (place, rendered(write.statement, dialect), write.rows_of)
                    self._by_event.setdefault(event, []).append(entry)

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Write what `events`, in the order of their positions, say into every table, within the caller's
        transaction."""
        self.write(connection, self.prepared(events))

    def prepared(self, events: Sequence[Recorded]) -> Prepared:
        """What `events`, in the order of their positions, say: statements with their rows, table by table. Needs no
        database."""
        queues: list[Prepared] = [[] for _ in range(self._tables)]
        for recorded in events:
            for place, statement, rows_of in self._by_event.get(type(recorded.event), ()):
                queue = queues[place]
                rows = [statement.parameters_of(row) for row in rows_of(recorded.event, recorded)]
                if queue and queue[-1][0] == statement.sql:
                    queue[-1][1].extend(rows)
                elif rows:
                    queue.append((statement.sql, rows))
        return list(chain.from_iterable(queues))

    def write(self, connection: Connection, prepared: Prepared) -> None:
        """Write what was prepared, within the caller's transaction."""
        for sql, parameters in prepared:
            connection.exec_driver_sql(sql, parameters)
