"""What a geocoding server was asked and may be asked next, in one file that all processes of a data folder share.

The file is a cache: one that is damaged is thrown away.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

MOST_ANSWERS: Final = 50_000
LONGEST_DAYS: Final = 180
"""Names of places change seldom, and not never."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, said BLOB NOT NULL, asked_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_by_age ON answer (asked_at);
CREATE TABLE IF NOT EXISTS turn (server TEXT PRIMARY KEY, free_at REAL NOT NULL) WITHOUT ROWID;
"""


class AnswerBook:
    """Answers by key, at most `most` of them, and the turns of servers that want to be asked slowly; thread-safe."""

    def __init__(self, file: Path, *, most: int = MOST_ANSWERS) -> None:
        self._file = file
        self._most = most
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> bytes | None:
        """The answer that was put under `key` lately."""
        oldest = time.time() - LONGEST_DAYS * 86400
        row = self._with(
            lambda book: book.execute(
                "SELECT said FROM answer WHERE key = ? AND asked_at > ?", (key, oldest)
            ).fetchone()
        )
        return None if row is None else bytes(row[0])

    def put(self, key: str, said: bytes) -> None:
        """Keep an answer; the oldest leave where there are too many."""

        def keep(book: sqlite3.Connection) -> None:
            book.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", (key, said, time.time()))
            (count,) = book.execute("SELECT count(*) FROM answer").fetchone()
            if count > self._most:
                surplus = count - self._most + self._most // 10
                book.execute(
                    "DELETE FROM answer WHERE key IN (SELECT key FROM answer ORDER BY asked_at LIMIT ?)", (surplus,)
                )

        self._with(keep)

    def take_turn(self, server: str, *, every: float, patience: float) -> float | None:
        """Take the next turn of asking a server that wants `every` seconds between requests: the seconds until it
        comes, None where that would be more than `patience`; then none is taken."""

        def take(book: sqlite3.Connection) -> float | None:
            now = time.time()
            row = book.execute("SELECT free_at FROM turn WHERE server = ?", (server,)).fetchone()
            # A time far ahead was written before the clock was set back.
            free_at = row[0] if row is not None and row[0] < now + 60 + every else now
            wait = max(0.0, float(free_at) - now)
            if wait > patience:
                return None
            book.execute("INSERT OR REPLACE INTO turn VALUES (?, ?)", (server, now + wait + every))
            return wait

        return self._with(take)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction; once more on a new file where this one is damaged."""
        with self._lock:
            try:
                return self._transact(work)
            except sqlite3.OperationalError:
                raise  # locked, or no space: not the file's own fault
            except sqlite3.DatabaseError:
                self._throw_away()
                return self._transact(work)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        book = self._connection or self._open()
        book.execute("BEGIN IMMEDIATE")
        try:
            came_of_it = work(book)
        except BaseException:
            book.rollback()
            raise
        book.execute("COMMIT")
        return came_of_it

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file.touch(mode=0o600)
        book = sqlite3.connect(self._file, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            book.execute("PRAGMA journal_mode=WAL")
            book.execute("PRAGMA synchronous=NORMAL")
            book.executescript(_SCHEMA)
        except BaseException:
            book.close()
            raise
        self._connection = book
        return book

    def _throw_away(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
