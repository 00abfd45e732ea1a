"""When each API key was last used, to the hour: beside the log, which would else grow with every question that a
program asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from sqlalchemy import insert, select, update

from adapters.store.database import Database
from adapters.store.log import api_key_uses
from domain.base.errors import Unavailable

KEPT_FOR_MICROS: Final = 3600 * 1_000_000
"""How long a use stands for those that follow it: one write an hour, key and process."""


class KeyUses:
    """The last uses of keys, seen by every process of the database; safe from any thread."""

    def __init__(self, database: Database, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` gives nanoseconds since 1970 UTC."""
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[int, int] = {}

    def note(self, key_id: int) -> None:
        """A key was used now; most calls only look at memory. A database that is busy loses one use and no request."""
        now = self._clock() // 1000
        with self._lock:
            before = self._noted.get(key_id)
            if before is not None and now - before < KEPT_FOR_MICROS:
                return
            self._noted[key_id] = now
        with suppress(Unavailable):
            self._write(key_id, now)

    def all(self) -> Mapping[int, int]:
        """The last use of each key that was used, in microseconds since 1970 UTC; it may be an hour older than the very
        last."""
        t = api_key_uses
        with self._database.reading() as connection:
            return dict(connection.execute(select(t.c.key_id, t.c.used_at)).all())

    def _write(self, key_id: int, now: int) -> None:
        t = api_key_uses
        with self._database.writing() as connection:
            changed = connection.execute(update(t).where(t.c.key_id == key_id).values(used_at=now))
            if not changed.rowcount:
                connection.execute(insert(t), {"key_id": key_id, "used_at": now})
