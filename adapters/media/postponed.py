"""What could not be decoded in time, as the machine had too much to do: when it is to be tried again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable
from typing import Final

FIRST_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 86_400.0
"""Also how long a machine that is never idle has it wait at most."""
_IDLE_SHARE: Final = 0.7
"""Of the cores: with less work than that waiting on average, there is a core for one more."""


def is_machine_idle() -> bool:
    """Whether there is room for work, by the load of the last minute; yes where the system does not tell."""
    try:
        load, _, _ = os.getloadavg()
    except OSError:
        return True
    return load < max(1.0, _IDLE_SHARE * (os.cpu_count() or 1))


class Postponed:
    """Which contents wait, and since when; each further failure doubles its wait. Thread-safe."""

    def __init__(
        self, is_idle: Callable[[], bool] = is_machine_idle, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_idle, self._clock = is_idle, clock
        self._lock = threading.Lock()
        self._waits: dict[Hashable, tuple[float, float]] = {}

    def note(self, content: Hashable) -> None:
        """It was not decoded in time, now."""
        with self._lock:
            _, wait = self._waits.get(content, (0.0, 0.0))
            self._waits[content] = self._clock(), min(LONGEST_SECONDS, max(FIRST_SECONDS, 2 * wait))

    def forget(self, content: Hashable) -> None:
        """It was decoded."""
        with self._lock:
            self._waits.pop(content, None)

    def is_due(self, content: Hashable) -> bool:
        """Whether to try it now: it waited, and the machine is idle or has not been for a day."""
        with self._lock:
            began, wait = self._waits.setdefault(content, (self._clock(), 0.0))
        waited = self._clock() - began
        return waited >= LONGEST_SECONDS or (waited >= wait and self._is_idle())
