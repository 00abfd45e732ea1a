"""Looks at the libraries: a quick scan every so often, a full one less often, and at once when asked."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from adapters.runner.jobs import JobBoard, Progress
from adapters.runner.policies import Loop
from domain.actor import WATCHER
from domain.errors import Unavailable
from domain.library import Library
from projections.lookups import Ledger

log = logging.getLogger(__name__)


class Numbers(Protocol):
    """What a scan counts while it goes on."""

    read: int
    to_read: int
    found: int
    trouble: str | None

    def text(self, library: str) -> str:
        """The scan in one line of plain words."""


class Scans(Protocol):
    """Scans one library; `adapters.files` does it."""

    def scan(
        self, library: Library, *, full: bool, report: Callable[[Numbers], None], stopping: Callable[[], bool]
    ) -> Numbers:
        """Bring the tables up to what is on the disk; raises `Unavailable` where the root is not there."""


class Watcher:
    """Scans every library in turn, in a thread of its own."""

    def __init__(self, ledger: Ledger, scans: Scans, jobs: JobBoard, quick_seconds: float, full_seconds: float) -> None:
        self._ledger, self._scans, self._jobs = ledger, scans, jobs
        self._full_seconds = full_seconds
        self._full_at = time.monotonic() + full_seconds
        self._lock = threading.Lock()
        self._asked: set[int] = set()
        self.missing: dict[int, str] = {}
        self.loop = Loop("scan", self.step, idle_seconds=quick_seconds)

    def ask(self, library_id: int) -> None:
        """Scan this library fully, as soon as the current scan is over."""
        with self._lock:
            self._asked.add(library_id)
        self.loop.wake()

    def step(self) -> bool:
        """Scan every library that is due, or those that were asked for; whether more were asked for meanwhile."""
        with self._lock:
            asked, self._asked = self._asked, set()
        full = time.monotonic() >= self._full_at
        with self._ledger.reading(WATCHER) as tables:
            libraries = tables.libraries.shown()
        failure: Exception | None = None
        for library in libraries:
            if self.loop.stopping.is_set():
                return False
            if not asked or library.id in asked:
                try:
                    self.look_at(library, full=full or library.id in asked)
                except Exception as error:  # noqa: BLE001 - one library's bug must not starve the others; it is raised below
                    failure = error
        if failure is not None:
            raise failure
        if full:
            self._full_at = time.monotonic() + self._full_seconds
        return bool(asked) or bool(self._asked)

    def look_at(self, library: Library, *, full: bool) -> None:
        """Scan one library; a missing root is said once and remembered for `/health`."""
        shown = _ScanJob(self._jobs, library)
        try:
            numbers = self._scans.scan(library, full=full, report=shown.report, stopping=self.loop.stopping.is_set)
        except Unavailable as error:
            if self.missing.get(library.id) != str(error):
                log.warning("%s", error)
            self.missing[library.id] = str(error)
            shown.end(str(error))
            return
        except BaseException:
            shown.end("stopped by an error; the log of the server says which")
            raise
        self.missing.pop(library.id, None)
        if numbers.trouble is not None:
            self.missing[library.id] = numbers.trouble
        shown.end(numbers.text(library.name))


class _ScanJob:
    """The job of one scan, which is on the board only where there is something to read."""

    def __init__(self, jobs: JobBoard, library: Library) -> None:
        self._jobs, self._library = jobs, library
        self._job: Progress | None = None

    def report(self, numbers: Numbers) -> None:
        """Show how far the scan is."""
        if numbers.to_read and self._job is None:
            self._job = self._jobs.begin("scan", f"indexing {self._library.name}")
        if self._job is not None:
            self._job.at(numbers.read, numbers.to_read)

    def end(self, note: str) -> None:
        """The scan is over."""
        if self._job is not None:
            self._job.end(note)
