"""How much memory all workers together may fill with what they decode."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 4 * 2**30
"""Of a large machine no more is taken: two of the largest pictures at once, or dozens of ordinary ones."""
LEAST_BYTES: Final = 512 * 2**20
SHARE: Final = 0.25
"""Of the machine's memory; the rest is the system's, the server's, and the cache of files'."""
_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container finds what it may use."""


class MemoryBudget:
    """Bytes that are lent to whoever decodes, in the order of asking; thread-safe."""

    def __init__(self, most: int | None = None) -> None:
        """`most` bytes are lent at once, or a share of the machine's memory; to one alone even more."""
        self._most = most_of_machine() if most is None else most
        self._changed = threading.Condition()
        self._lent: dict[object, int] = {}
        self._waiting: list[object] = []

    @property
    def lent(self) -> int:
        """How many bytes are out now."""
        with self._changed:
            return sum(self._lent.values())

    @property
    def asking(self) -> int:
        """How many wait for some."""
        with self._changed:
            return len(self._waiting)

    def borrow(self, who: object, wanted: int, is_off: Callable[[], bool] = lambda: False) -> bool:
        """Wait until `who` may fill `wanted` bytes; False where `is_off` by then. Whoever comes first goes first, and
        nobody waits where nobody else has any."""
        with self._changed:
            self._waiting.append(who)
            try:
                while not is_off():
                    others = sum(size for each, size in self._lent.items() if each is not who)
                    if self._waiting[0] is who and (not others or others + wanted <= self._most):
                        self._lent[who] = wanted
                        return True
                    self._changed.wait(0.5)
                return False
            finally:
                self._waiting.remove(who)
                self._changed.notify_all()

    def give_back(self, who: object) -> None:
        """`who` is done."""
        with self._changed:
            if self._lent.pop(who, None) is not None:
                self._changed.notify_all()


def most_of_machine(limits: tuple[str, ...] = _LIMITS) -> int:
    """The share of this machine's memory, or of what its container may use, in bytes."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in limits:
        try:
            total = min(total, int(Path(path).read_text()))
        except (OSError, ValueError):
            continue  # not there, or `max`
    return int(min(MOST_BYTES, max(LEAST_BYTES, total * SHARE)))
