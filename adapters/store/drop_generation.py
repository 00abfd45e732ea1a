"""Dropping the read tables of a generation that nobody reads any more, without making anybody wait for long."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from sqlalchemy import Connection, inspect, text

from adapters.store.database import Database
from domain.base.errors import Unavailable
from projections.tables.counting_triggers import trigger_functions

EMPTY_AT_ONCE = 2000
"""Rows that are deleted in one transaction; SQLite's DROP TABLE of a full table would hold the write lock for all."""
PAUSE_SECONDS = 0.002
READERS_END_SECONDS = 10.0
"""How long `readers_have_ended` waits for them."""
TRIES, TRY_MILLISECONDS = 10, 200
"""PostgreSQL drops a table once nobody uses it or what it refers to, and makes whoever comes meanwhile wait."""


def readers_have_ended(database: Database) -> bool:
    """Wait until no transaction is left from before this call, which may be about to read what it found to be live;
    whether that came to pass.

    Only PostgreSQL needs it: there tables can be dropped that an open snapshot is yet to read.
    """
    if database.is_sqlite:
        return True
    older = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start < to_timestamp(:began)"
    )
    with database.reading() as connection:
        began = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    until = time.monotonic() + READERS_END_SECONDS
    while time.monotonic() < until:
        with database.reading() as connection:
            if not connection.execute(older, {"began": began}).scalar_one():
                return True
        time.sleep(PAUSE_SECONDS * 10)
    return False


def drop_tables(database: Database, number: int) -> bool:
    """Drop the read tables whose names end with a generation's number; whether they are gone.

    On SQLite a little at a time. On PostgreSQL at once, where nobody holds one of them; else they stay.
    """
    with database.reading() as connection:
        names = tables_of(connection, number)
    if database.is_sqlite:
        for name in names:
            _drop_triggers(database, name)
        for name in names:
            _drop_slowly(database, name)
        return True
    return not names or _drop_at_once(database, names, number)


def tables_of(connection: Connection, number: int) -> list[str]:
    """The tables of a generation, as they are written in SQL; by name, so that those of other versions go as well."""
    quoted = connection.dialect.identifier_preparer.quote
    ours = re.compile(rf"(?<!\d)_{number}$")
    found = [name for name in inspect(connection).get_table_names() if ours.search(name)]
    return [quoted(name) for name in found]


def drop_functions(connection: Connection, number: int) -> None:
    """Drop what a generation's triggers ran on PostgreSQL, once its tables are gone."""
    for function in trigger_functions(connection, number):
        connection.exec_driver_sql(f"DROP FUNCTION {function}()")


def _drop_slowly(database: Database, name: str) -> None:
    """Drop the indexes of a SQLite table, then its rows, then itself, each in a transaction of its own and without
    foreign keys, which would tie the rows of a table that refers to itself together."""
    with database.reading() as connection:
        of_table = text("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL")
        indexes = connection.execute(of_table, {"table": name.strip('"')}).scalars().all()
    for index in indexes:
        with database.writing(unchecked=True) as connection:
            connection.exec_driver_sql(f'DROP INDEX "{index}"')
    some = f"DELETE FROM {name} WHERE rowid IN (SELECT rowid FROM {name} LIMIT {EMPTY_AT_ONCE})"  # noqa: S608 - its own name
    while True:
        with database.writing(unchecked=True) as connection:
            if not connection.exec_driver_sql(some).rowcount:
                connection.exec_driver_sql(f"DROP TABLE {name}")
                return
        time.sleep(PAUSE_SECONDS)


def _drop_triggers(database: Database, name: str) -> None:
    """Drop the triggers of a SQLite table, which would count each row that goes."""
    of_table = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    with database.writing(unchecked=True) as connection:
        for trigger in connection.execute(of_table, {"table": name.strip('"')}).scalars().all():
            connection.exec_driver_sql(f'DROP TRIGGER "{trigger}"')


def _drop_at_once(database: Database, names: Sequence[str], number: int) -> bool:
    for _ in range(TRIES):
        try:
            with database.writing() as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TRY_MILLISECONDS}")
                connection.exec_driver_sql(f"DROP TABLE {', '.join(names)}")
                drop_functions(connection, number)
        except Unavailable:
            time.sleep(PAUSE_SECONDS * 50)
        else:
            return True
    return False
