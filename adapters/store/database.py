"""Connections: one writer at a time, readers that never wait for it, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, FromClause, create_engine, event, exc, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.pool import QueuePool

from domain.base.errors import RuleViolation, Unavailable

log = logging.getLogger(__name__)

WRITER_LOCK = 0x696D61676561
"""Key of the PostgreSQL advisory lock around every append (`imagea` in ASCII): commit order equals position order."""
READERS = 16
BUSY_SECONDS = 60.0
CONNECT_SECONDS = 10
"""How long a new connection to PostgreSQL may take."""
READERS_END_SECONDS = 5.0
"""How long `scrub` waits for those who read what it is to remove."""
PAGE_BYTES = 8192
"""SQLite page size, set before the first table: at 4 KiB one embedding of 2.2 KB would fill a page."""


class Database:
    """A SQLite file or a PostgreSQL database; blocking, safe to use from any thread.

    On SQLite one connection writes (`BEGIN IMMEDIATE`, WAL, synchronous=FULL) and a pool of others reads snapshots. On
    PostgreSQL each write transaction first takes an advisory lock, which makes writers of all processes queue.
    """

    def __init__(self, url: str) -> None:
        """`url` is `sqlite:///path` or `postgresql+psycopg://…`.

        Raises:
            Unavailable: the SQLite file's folder cannot be made or written.
        """
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._turn = threading.Lock()
        if self.is_sqlite:
            self._make_folder()
            self._writer = self._sqlite_engine(size=1)
            self._reader = self._sqlite_engine(size=READERS)
        else:
            self._writer = self._postgres_engine("READ COMMITTED", pool_size=2)
            self._reader = self._postgres_engine("REPEATABLE READ", pool_size=READERS, max_overflow=8)

    @property
    def dialect(self) -> Dialect:
        """The dialect to render statements for."""
        return self._writer.dialect

    def _make_folder(self) -> None:
        path = Path(self.url.database or "")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(f"cannot make the folder of the database {path}: {error.strerror}") from error
        if not os.access(path.parent, os.W_OK):
            raise Unavailable(f"cannot write to the folder of the database, {path.parent}")
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # it will hold password hashes and embeddings

    def _sqlite_engine(self, size: int) -> Engine:
        engine = create_engine(
            self.url,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
        )
        engine.dialect.statement_compiler = _SQLiteWithHints
        event.listen(engine, "connect", _prepare_sqlite)
        return engine

    def _postgres_engine(self, isolation: IsolationLevel, **pool: int) -> Engine:
        connect = {"connect_timeout": CONNECT_SECONDS}
        return create_engine(self.url, pool_pre_ping=True, isolation_level=isolation, connect_args=connect, **pool)

    @contextmanager
    def writing(self, *, unchecked: bool = False) -> Iterator[Connection]:
        """A transaction that holds the one write lock; commits at the end, rolls back on any exception.

        With `unchecked` SQLite checks no foreign keys meanwhile: for tables that are on their way out.
        """
        with self._turn, self._writing(checked=not unchecked) as connection:
            yield connection

    @contextmanager
    def reading_after(self, write: Callable[[Connection], object]) -> Iterator[Connection]:
        """A snapshot of SQLite's that begins where the transaction of `write` ended: nobody of this process writes in
        between, and another process has a moment only."""
        with ExitStack() as snapshot:
            with self._turn:
                with self._writing(checked=True) as connection:
                    write(connection)
                reader = snapshot.enter_context(self.reading())
                reader.exec_driver_sql("SELECT 1 FROM sqlite_schema LIMIT 1")  # the snapshot is taken when one reads
            yield reader

    @contextmanager
    def _writing(self, *, checked: bool) -> Iterator[Connection]:
        with _in_plain_words(), self._writing_connection(checked=checked) as connection:
            self._begin_writing(connection)
            try:
                yield connection
                connection.commit()
            except BaseException:
                _undone(connection)
                raise

    @contextmanager
    def _writing_connection(self, *, checked: bool) -> Iterator[Connection]:
        with self._writer.connect() as connection:
            if checked or not self.is_sqlite:
                yield connection
                return
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")

    def _begin_writing(self, connection: Connection) -> None:
        if self.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot, from the first statement to the end; writers go on meanwhile."""
        with _in_plain_words(), self._reader.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def scrub(self, tables: Sequence[str]) -> None:
        """Write the files of the database anew, so that what was deleted is in none of them; on PostgreSQL those of
        `tables`. Takes about as much room as the database has, for as long as it lasts.

        Raises:
            Unavailable: another process is reading, or the disk is full.
        """
        with self._turn, _in_plain_words(), self._writer.connect() as connection:
            if not self.is_sqlite:
                autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in tables:
                    autocommit.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")
                return
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            connection.exec_driver_sql("PRAGMA temp_store=FILE")  # a copy of the whole database in memory would be much
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(READERS_END_SECONDS * 1000)}")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
        if busy:
            raise Unavailable(
                "another process is reading the database, whose files still hold what was deleted: end it, and say the "
                "same again"
            )

    def analyze(self, tables: Sequence[str]) -> None:
        """Let PostgreSQL look how large tables have become, which it does by itself only once in a while: until then
        it may read a whole table for what an index tells."""
        if self.is_sqlite:
            return
        with _in_plain_words(), self._writer.connect() as connection:
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            autocommit.exec_driver_sql(f"ANALYZE {', '.join(tables)}")

    def close(self) -> None:
        """Give back every connection."""
        self._writer.dispose()
        self._reader.dispose()


class _SQLiteWithHints(SQLiteCompiler):
    """Writes the hints of a statement, such as `INDEXED BY`, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        """The hint as it was given."""
        return text


def _undone(connection: Connection) -> None:
    """Roll back, also what a COMMIT refused for a deferred foreign key: SQLite keeps that transaction open, and
    SQLAlchemy takes it for ended."""
    connection.rollback()
    if not connection.closed and not connection.invalidated:
        connection.connection.rollback()


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Tell what the database cannot do now (unreachable, locked for long, disk full) as `Unavailable`."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except exc.DataError as error:
        raise RuleViolation("a value is out of the range that the database can hold") from error
    except (exc.DatabaseError, exc.TimeoutError) as error:
        reason = error.orig if isinstance(error, exc.DatabaseError) else error
        log.warning("the database cannot answer now: %s", reason)
        raise Unavailable("the database cannot answer now; the log says why") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"page_size={PAGE_BYTES}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-16384",
        "mmap_size=134217728",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
