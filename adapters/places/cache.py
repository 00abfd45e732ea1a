"""What a geocoding server was asked and may be asked next, in one file that all processes of a data folder share.

The file is a cache: it may go at any time.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

from adapters.side_files.side_file import SideFile, scalar

MOST_ANSWERS: Final = 50_000
LONGEST_DAYS: Final = 180
"""Names of places change seldom, and not never."""

_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, said BLOB NOT NULL, asked_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_by_age ON answer (asked_at);
CREATE TABLE IF NOT EXISTS turn (server TEXT PRIMARY KEY, free_at REAL NOT NULL) WITHOUT ROWID;
"""


class AnswerBook:
    """Answers by key, at most `most` of them, and the turns of servers that want to be asked slowly; thread-safe."""

    def __init__(self, file: Path, *, most: int = MOST_ANSWERS) -> None:
        self._file = SideFile(file, _SCHEMA, _FORMAT)
        self._most = most

    def get(self, key: str) -> bytes | None:
        """The answer that was put under `key` lately."""
        oldest = time.time() - LONGEST_DAYS * 86400

        def get(book: sqlite3.Connection) -> bytes | None:
            statement = "SELECT said FROM answer WHERE key = ? AND asked_at > ?"
            answer: bytes | None = scalar(book.execute(statement, (key, oldest)))
            return answer

        return self._file.transact(get)

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer; the oldest leave where there are too many."""

        def keep(book: sqlite3.Connection) -> None:
            book.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", (key, answer, time.time()))
            count: int = scalar(book.execute("SELECT count(*) FROM answer"))
            if count > self._most:
                surplus = count - self._most + self._most // 10
                book.execute(
                    "DELETE FROM answer WHERE key IN (SELECT key FROM answer ORDER BY asked_at LIMIT ?)", (surplus,)
                )

        self._file.transact(keep)

    def take_turn(self, server: str, *, every: float, patience: float) -> float | None:
        """Take the next turn of asking a server that wants `every` seconds between requests: the seconds until it
        comes, None where that would be more than `patience`; then none is taken."""

        def take(book: sqlite3.Connection) -> float | None:
            now = time.time()
            free_at: float | None = scalar(book.execute("SELECT free_at FROM turn WHERE server = ?", (server,)))
            # A time far ahead was written before the clock was set back.
            if free_at is None or free_at >= now + 60 + every:
                free_at = now
            wait = max(0.0, free_at - now)
            if wait > patience:
                return None
            book.execute("INSERT OR REPLACE INTO turn VALUES (?, ?)", (server, now + wait + every))
            return wait

        return self._file.transact(take)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
