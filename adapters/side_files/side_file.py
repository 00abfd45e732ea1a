"""A small SQLite file in the data folder, for what can be made anew: never the only place of anything.

All threads of a process share one connection, other processes open the file for themselves. A file that is damaged, no
database at all or of another format is thrown away and begun anew; one that is only locked, or on a full disk, is not.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

BUSY_SECONDS: Final = 10.0
"""How long a transaction waits for one of another process."""


class SideFile:
    """One file, opened when it is first needed; thread-safe.

    `schema` makes what is not there yet, `version` is the format that it makes, from 1 on: raise it when a table
    changes. `overwrites_deleted` writes zeros over what is deleted (SQLite's `secure_delete`).
    """

    def __init__(self, path: Path, schema: str, version: int, *, overwrites_deleted: bool = False) -> None:
        self.path = path
        self._schema, self._version = schema, version
        self._overwrites_deleted = overwrites_deleted
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction that writes, once more on a new file where this one has to be thrown away.

        Raises:
            sqlite3.OperationalError: the file is locked or cannot be opened, or the disk is full.
        """
        with self._lock:
            try:
                return self._transact(work)
            except sqlite3.OperationalError:
                raise  # not the file's own fault
            except sqlite3.DatabaseError:
                self._throw_away()
                return self._transact(work)

    def rewrite(self) -> None:
        """Write the file anew, so that nothing deleted stays in it or in its journal; raises as `transact`."""
        with self._lock:
            connection = self._connection or self._open()
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file; it is opened again where it is needed again."""
        with self._lock:
            self._shut()

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
        except BaseException:
            connection.rollback()
            raise
        connection.execute("COMMIT")
        return result

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            if self._overwrites_deleted:
                connection.execute("PRAGMA secure_delete=ON").fetchall()
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            connection.execute("PRAGMA synchronous=NORMAL")
            self._require_format(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _require_format(self, connection: sqlite3.Connection) -> None:
        """Make the tables where no format is noted; raises `DatabaseError` where it is another one."""
        version = scalar(connection.execute("PRAGMA user_version"))
        if version not in {0, self._version}:
            raise sqlite3.DatabaseError("of another version")
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {self._schema} PRAGMA user_version={self._version}; COMMIT;")

    def _shut(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _throw_away(self) -> None:
        self._shut()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def scalar(rows: sqlite3.Cursor) -> Any:
    """What a query of one column says in its first row; None where there is no row."""
    (value,) = rows.fetchone() or (None,)
    return value
