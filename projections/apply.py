"""Applies events to read tables: the same code for a command, a catch-up and a rebuild.

Statements are rendered once with Core and their rows handed to the driver's own `executemany`: SQLAlchemy's parameter
handling is what a replay would otherwise spend most of its time on. PostgreSQL takes many new rows by COPY, in a third
of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Insert, Table, UpdateBase, exc
from sqlalchemy.engine.default import DefaultDialect

from domain.events.event import Event, Recorded
from projections.tables.projection import Row
from projections.tables.schema import ReadTables

Parameters = tuple[object, ...]
COPIED_FROM = 10
"""Rows from which on COPY is worth its extra round trips."""


class Rendered(NamedTuple):
    """A statement as the driver takes it: SQL text with positional parameters, how to take them from a row, and where
    PostgreSQL can do the same by COPY, how."""

    sql: str
    parameters_of: Callable[[Row], Parameters]
    copy: str | None = None

    def run(self, connection: Connection, rows: Sequence[Parameters]) -> None:
        """Run the statement once with each row of parameters.

        Raises:
            sqlalchemy.exc.DBAPIError: as SQLAlchemy's own statements do.
        """
        if self.copy is None or len(rows) < COPIED_FROM:
            connection.exec_driver_sql(self.sql, list(rows))
            return
        driver: Any = connection.connection.driver_connection  # psycopg's, whose COPY no other driver has
        dialect = connection.dialect
        errors = dialect.loaded_dbapi.Error
        try:
            with driver.cursor() as cursor, cursor.copy(self.copy) as copy:
                for row in rows:
                    copy.write_row(row)
        except errors as error:
            raise exc.DBAPIError.instance(self.copy, None, error, errors, dialect=dialect) from error


Prepared = list[tuple[Rendered, list[Parameters]]]
"""Statements in the order to run them, each with its rows."""


def rendered(statement: UpdateBase, dialect: Dialect) -> Rendered:
    """Render an insert, update or delete once for positional parameters of `dialect`."""
    compiled = statement.compile(dialect=_positional(dialect))
    names = compiled.positiontup or []
    fixed = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
    if not fixed and len(names) > 1:
        copy = _copy_of(statement, names, dialect) if dialect.name == "postgresql" else None
        return Rendered(str(compiled), itemgetter(*names), copy)
    return Rendered(str(compiled), lambda row: tuple(fixed[n] if n in fixed else row[n] for n in names))


def _copy_of(statement: UpdateBase, names: Sequence[str], dialect: Dialect) -> str | None:
    """COPY in place of an insert of whole rows."""
    table = statement.table
    whole = isinstance(statement, Insert) and statement.select is None and isinstance(table, Table)
    if not whole or set(names) != set(table.columns.keys()):
        return None
    quoted = dialect.identifier_preparer
    return f"COPY {quoted.format_table(table)} ({', '.join(map(quoted.quote, names))}) FROM STDIN"


def _positional(dialect: Dialect) -> Dialect:
    if dialect.positional:
        return dialect
    kind: type[DefaultDialect] = type(dialect)  # type: ignore[assignment]  # every dialect in use derives from it
    return kind(paramstyle="format")


class RenderedWrite(NamedTuple):
    """What one projection does at an event; `place` is the projection's."""

    place: int
    statement: Rendered
    rows_of: Callable[[Any, Recorded], Iterable[Row]]
    once: bool


class Applier:
    """Keeps the read tables of one generation true, in any dialect."""

    def __init__(self, tables: ReadTables, dialect: Dialect) -> None:
        self._by_event: dict[type[Event], list[RenderedWrite]] = {}
        self._tables = len(tables.projections)
        for place, projection in enumerate(tables.projections):
            for event, writes in projection.writes.items():
                for write in writes:
                    entry = RenderedWrite(place, rendered(write.statement, dialect), write.rows_of, write.once)
                    self._by_event.setdefault(event, []).append(entry)

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Write what `events`, in the order of their positions, say into every table, within the caller's
        transaction."""
        self.write(connection, self.prepared(events))

    def prepared(self, events: Sequence[Recorded]) -> Prepared:
        """What `events`, in the order of their positions, say: statements with their rows, table by table. Needs no
        database."""
        queues: list[Prepared] = [[] for _ in range(self._tables)]
        done: set[tuple[int, Parameters]] = set()
        for recorded in events:
            for place, statement, rows_of, once in self._by_event.get(type(recorded.event), ()):
                queue = queues[place]
                rows = [statement.parameters_of(row) for row in rows_of(recorded.event, recorded)]
                if once:
                    rows = [row for row in rows if (place, row) not in done]
                    done.update((place, row) for row in rows)
                if queue and queue[-1][0] is statement:
                    queue[-1][1].extend(rows)
                elif rows:
                    queue.append((statement, rows))
        return list(chain.from_iterable(queues))

    def write(self, connection: Connection, prepared: Prepared) -> None:
        """Write what was prepared, within the caller's transaction."""
        for statement, rows in prepared:
            statement.run(connection, rows)
