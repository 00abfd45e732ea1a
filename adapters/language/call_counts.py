"""Counts, for this process, what was asked of the servers of language models and what came of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Literal

Outcome = Literal["answered", "refused", "unreachable"]


class Tally:
    """Counts that only rise; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._failovers: Counter[str] = Counter()

    def count(self, place: str, outcome: Outcome) -> None:
        """A server began to answer, answered with an error, or could not be reached in time."""
        with self._lock:
            self._requests[place, outcome] += 1

    def failed_over(self, place: str) -> None:
        """The next server was asked in place of this one."""
        with self._lock:
            self._failovers[place] += 1

    @property
    def requests(self) -> Mapping[tuple[str, str], int]:
        """How many, by server and outcome."""
        with self._lock:
            return dict(self._requests)

    @property
    def failovers(self) -> Mapping[str, int]:
        """How many, by the server that was given up."""
        with self._lock:
            return dict(self._failovers)


TALLY = Tally()
"""Of the whole process: clients of one server are made in several places and for single calls."""
