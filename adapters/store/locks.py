"""Who is at a database: servers share it, an erasure has it for itself, and one rebuild or comparison runs at a time.

On SQLite a lock is a file beside the database (`imageapi.db.serving`), on PostgreSQL an advisory lock, which holds
for processes of every host. A process that dies gives its lock back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import NullPool, create_engine, text

from adapters.store.database import Database
from domain.base.errors import Conflict, Unavailable


class Lock(NamedTuple):
    """What a lock is called: the ending of the file beside a SQLite database, the key of PostgreSQL's advisory lock."""

    ending: str
    key: int


SERVING = Lock("serving", 0x696D61676573)  # `images` in ASCII
REBUILDING = Lock("rebuilding", 0x696D61676572)  # `imager`
SERVED = "a server is running on this database: stop it, erase, and start it again; nothing was changed"
BEING_ERASED = "an erasure is at work on this database: start the server once it has ended"
BEING_REBUILT = "another rebuild or verify is at work on this database: wait until it has ended"


@contextmanager
def serving(database: Database) -> Iterator[None]:
    """Serve from this database; any number of servers may.

    Raises:
        Unavailable: an erasure is at work.
    """
    with _held(database, SERVING, shared=True) as is_ours:
        if not is_ours:
            raise Unavailable(BEING_ERASED)
        yield


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Keep servers away from this database.

    Raises:
        Conflict: one is running.
    """
    with _held(database, SERVING, shared=False) as is_ours:
        if not is_ours:
            raise Conflict(SERVED)
        yield


@contextmanager
def rebuilding(database: Database) -> Iterator[None]:
    """Keep other rebuilds and comparisons away from this database, also those of this process.

    Raises:
        Conflict: one is running.
    """
    with _held(database, REBUILDING, shared=False) as is_ours:
        if not is_ours:
            raise Conflict(BEING_REBUILT)
        yield


@contextmanager
def _held(database: Database, lock: Lock, *, shared: bool) -> Iterator[bool]:
    how = _file_locked if database.is_sqlite else _advisory
    with how(database, lock, shared=shared) as is_ours:
        yield is_ours


@contextmanager
def _file_locked(database: Database, lock: Lock, *, shared: bool) -> Iterator[bool]:
    path = Path(f"{database.url.database}.{lock.ending}")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unavailable(f"cannot open {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError as error:
            raise Unavailable(f"cannot lock {path}: {error.strerror}") from error
        yield True
    finally:
        os.close(descriptor)


@contextmanager
def _advisory(database: Database, lock: Lock, *, shared: bool) -> Iterator[bool]:
    engine = create_engine(database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    how = "_shared" if shared else ""
    ask, give_back = text(f"SELECT pg_try_advisory_lock{how}(:key)"), text(f"SELECT pg_advisory_unlock{how}(:key)")
    with engine.connect() as connection:
        is_ours = bool(connection.execute(ask, {"key": lock.key}).scalar_one())
        try:
            yield is_ours
        finally:
            if is_ours:  # said in words: a session that is merely closed may hold it for a while yet
                connection.execute(give_back, {"key": lock.key})
