"""The first look at a database, before anything is written to it: whether it answers, and whose tables it holds."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from adapters.store.database import Database
from domain.base.errors import RuleViolation, Unavailable

REACH_SECONDS: Final = 1.5
"""A database that does not answer by then is said to be out of reach, names looked up and all: with what the program
takes to start, that is said within three seconds."""
_OURS: Final = frozenset({"position", "stream", "version", "topic", "payload"})
"""Columns that `log_events` has had from the first version on."""
_TOLD: Final = 5
_COLUMNS: Final = """
SELECT c.relname, coalesce(string_agg(a.attname, ',' ORDER BY a.attnum), '')
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.relname
"""
"""Tables and views of the schema that tables would be made in, but for those that an extension brought."""


def require_ours(database: Database) -> None:
    """See that a database answers, and that it is empty or holds a log of imageapi; it is left as it is.

    Raises:
        Unavailable: it cannot be reached or opened; the text says which it is, and why.
        RuleViolation: it holds the tables of another program.
    """
    tables = _tables_of_sqlite(database) if database.is_sqlite else _tables_of_postgres(database)
    if not tables or tables.get("log_events", frozenset()) >= _OURS:
        return
    names = sorted(tables)
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    raise RuleViolation(
        f"{place_of(database)} holds tables of another program ({', '.join(names[:_TOLD])}{more}): let DATABASE_URL "
        "name an empty database, or a file that is not there yet; nothing was changed"
    )


def place_of(database: Database) -> str:
    """A database in words, without user and password."""
    url = database.url
    if database.is_sqlite:
        return f"the database {url.database}"
    return f"the PostgreSQL database {url.database} at {url.host or 'the local socket'}:{url.port or 5432}"


def _tables_of_sqlite(database: Database) -> Mapping[str, frozenset[str]]:
    path = Path(database.url.database or "")
    if not path.exists() or path.stat().st_size == 0:
        return {}
    try:
        with closing(sqlite3.connect(path, timeout=REACH_SECONDS)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall()
            names = [name for (name,) in rows if not name.startswith("sqlite_")]
            return {
                name: frozenset(row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,)))
                for name in names
            }
    except sqlite3.Error as error:
        raise Unavailable(f"{place_of(database)} cannot be opened: {error}; DATABASE_URL names it") from error


def _tables_of_postgres(database: Database) -> Mapping[str, frozenset[str]]:
    """What a connection says in time: looking up the name of a host has no limit of its own."""
    import psycopg  # noqa: PLC0415 - whoever has SQLite does not wait for it

    found: list[Mapping[str, frozenset[str]] | psycopg.Error] = []

    def ask() -> None:
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            with psycopg.connect(url, connect_timeout=math.ceil(REACH_SECONDS)) as connection:
                rows = connection.execute(_COLUMNS).fetchall()
            found.append({name: frozenset(columns.split(",")) for name, columns in rows})
        except psycopg.Error as error:
            found.append(error)

    asking = threading.Thread(target=ask, name="first look", daemon=True)
    asking.start()
    asking.join(REACH_SECONDS)
    answer = found[0] if found else None
    if answer is None or isinstance(answer, psycopg.Error):
        why = f"no answer within {REACH_SECONDS:g} s" if answer is None else " ".join(str(answer).split())
        raise Unavailable(f"{place_of(database)} cannot be reached: {why}; DATABASE_URL names it")
    return answer
