"""The read tables as they stood at a position: the log up to there, applied by the same code to tables of its own.

A past is built in a temporary SQLite file when it is asked for, and the last few are kept: going forward from an
earlier one costs only the events between. The log changes by an erasure alone, and that deletes every past, also those
that a process left which did not end well.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event

from adapters.store.database import Database
from adapters.store.log import EventMapper, events_after, head
from adapters.store.transaction import generation_of
from domain.base.errors import RuleViolation
from projections.tables.schema import ReadTables, read_tables

PREFIX = "imageapi-past-"
KEPT = 3
BATCH = 2000
GENERATION = 0


class PastTables:
    """The pasts of one log; blocking, safe from any thread."""

    def __init__(self, database: Database, mapper: EventMapper) -> None:
        self._database = database
        self._mapper = mapper
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._held: int | None = None
        self._built: dict[int, Path] = {}

    @contextmanager
    def reading(self, position: int) -> Iterator[tuple[Connection, ReadTables]]:
        """A connection to the tables as they stood once the event at `position` was applied.

        Raises:
            RuleViolation: the log does not reach that far.
        """
        with self._lock:
            engine = _engine(self._at(position))
            connection = engine.connect()
            connection.exec_driver_sql("SELECT 1 FROM sqlite_master")
        try:
            with connection:
                yield connection, read_tables(GENERATION)
        finally:
            engine.dispose()

    def close(self) -> None:
        """Delete every past."""
        with self._lock:
            if self._folder is not None and self._held is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                os.close(self._held)
            self._folder, self._held, self._built = None, None, {}

    def _at(self, position: int) -> Path:
        with self._database.reading() as connection:
            last = head(connection)[0]
        if position > last:
            raise RuleViolation(f"the history reaches to position {last}; {position} is not recorded yet", "as_of")
        if position not in self._built:
            self._built[position] = self._build(position)
            for old in list(self._built)[:-KEPT]:
                self._built.pop(old).unlink(missing_ok=True)
        self._built[position] = self._built.pop(position)
        return self._built[position]

    def _build(self, position: int) -> Path:
        if self._folder is None:
            self._folder, self._held = _own_folder()
        target = self._folder / f"{position}.db"
        earlier = max((before for before in self._built if before < position), default=0)
        if earlier:
            shutil.copyfile(self._built[earlier], target)
        engine = _engine(target)
        with engine.begin() as past, self._database.reading() as connection:
            generation = generation_of(GENERATION, past.dialect.name)
            if not earlier:
                generation.create(past)
            while earlier < position:
                rows = connection.execute(events_after(earlier, min(BATCH, position - earlier)))
                events = [self._mapper.recorded(row) for row in rows]
                generation.applier.apply(past, events)
                earlier = events[-1].position
        engine.dispose()
        return target


def sweep() -> None:
    """Delete what processes left that ended without doing so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:  # another user's, or deleted just now
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # its process lives
            continue
        finally:
            os.close(descriptor)


def _own_folder() -> tuple[Path, int]:
    """A new folder with the lock on it that says whose process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():  # else another process swept it away before it was locked
            return folder, descriptor
        os.close(descriptor)


def _engine(path: Path) -> Engine:
    """An engine on a file that may be lost: no foreign keys to the log's attachments, no waiting for the disk."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    def prepare(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]  # a DBAPI connection
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", prepare)
    return engine
