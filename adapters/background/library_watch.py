"""Looks at the libraries: at once at what was noticed to change, a quick scan every so often, a full one less often,
and at once when asked.

Where nobody is told of changes (a network disk) the quick scans follow each other closely, and more slowly the longer
one takes, so that looking takes a small share of the time however large the library is.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from adapters.background.jobs import JobBoard, Progress
from adapters.background.loops import Loop
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import Unavailable
from domain.events.library import Library
from domain.ports.watching import Noticed, Watching

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 5.0
"""The shortest time between quick scans of a library whose changes nobody tells."""
POLL_SHARE: Final = 20
"""Between two such scans passes at least this many times what the last one took: 5 % of the time at most."""
STEP_SECONDS: Final = 1.0
"""How often it is looked which library is due, in memory and one small table."""


class Numbers(Protocol):
    """What a scan counts while it goes on."""

    looked: float
    read: int
    to_read: int
    found: int
    deferred: int
    outdated: int
    trouble: str | None

    def text(self, library: str) -> str:
        """The scan in one line of plain words."""


class Scans(Protocol):
    """Scans one library; `adapters.files` does it."""

    def scan(
        self,
        library: Library,
        *,
        full: bool,
        noticed: Noticed | None,
        report: Callable[[Numbers], None],
        stopping: Callable[[], bool],
    ) -> Numbers:
        """Bring the tables up to what is on the disk, or only what was noticed to change; raises `Unavailable` where
        the root is not there."""


class Notices(Protocol):
    """Notices what changes in libraries; `adapters.files` does it."""

    def begin(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, when there is something to take."""

    def follow(self, libraries: Sequence[Library]) -> None:
        """Watch these libraries and no others."""

    def take(self, library_id: int) -> Noticed | None:
        """What changed in a library since this was last asked, or None."""

    def states(self) -> Mapping[int, Watching]:
        """How each library is watched now."""

    def stop(self) -> None:
        """Watch nothing any more."""


class Watcher:
    """Scans the libraries that are due, one after the other, in a thread of its own."""

    def __init__(
        self,
        ledger: Ledger,
        scans: Scans,
        jobs: JobBoard,
        quick_seconds: float,
        full_seconds: float,
        notices: Notices | None = None,
    ) -> None:
        """Without `notices` each step scans every library, or those that were asked for."""
        self._ledger, self._scans, self._jobs = ledger, scans, jobs
        self._quick_seconds, self._full_seconds = quick_seconds, full_seconds
        self._full_at = time.monotonic() + full_seconds
        self._lock = threading.Lock()
        self._asked: set[int] = set()
        self._due: dict[int, float] = {}
        self._notices = notices
        self.missing: dict[int, str] = {}
        idle = quick_seconds if notices is None else STEP_SECONDS
        self.loop = Loop("scan", self.step, idle_seconds=idle, on_stop=self._stop, wakes_on_commit=False)

    def ask(self, library_id: int) -> None:
        """Scan this library fully, as soon as the current scan is over."""
        with self._lock:
            self._asked.add(library_id)
        self.loop.wake()

    def watching(self) -> Mapping[int, Watching]:
        """How each library is watched, by its id."""
        return {} if self._notices is None else self._notices.states()

    def step(self) -> bool:
        """Scan what was asked for, what was noticed, and what was not looked at for long; whether more was asked for
        meanwhile."""
        with self._lock:
            asked, self._asked = self._asked, set()
        full = time.monotonic() >= self._full_at
        with self._ledger.reading(WATCHER) as tables:
            libraries = tables.libraries.shown()
        if self._notices is not None:
            self._notices.begin(self.loop.wake)
            self._notices.follow(libraries)
        failure: Exception | None = None
        for library in libraries:
            if self.loop.stopping.is_set():
                return False
            try:
                self._look_if_due(library, asked, full=full)
            except Exception as error:  # noqa: BLE001 - one library's bug must not starve the others; it is raised below
                failure = error
        if failure is not None:
            raise failure
        if full:
            self._full_at = time.monotonic() + self._full_seconds
        return bool(asked) or bool(self._asked)

    def _look_if_due(self, library: Library, asked: set[int], *, full: bool) -> None:
        id_, now = library.id, time.monotonic()
        due = self._due.get(id_, 0.0)
        noticed = None if self._notices is None else self._notices.take(id_)
        is_due = not asked if self._notices is None else now >= due
        full = id_ in asked or (full and is_due) or (full and due < math.inf)
        if not (noticed or is_due or full):
            return
        if noticed is None or is_due or full:
            told = noticed or Noticed()
            noticed = Noticed(written=told.written, everything=True, unfinished=told.unfinished)
        self._due[id_] = 0.0  # what was taken is looked for in everything where this fails
        numbers = self.look_at(library, full=full, noticed=noticed)
        if noticed.everything or numbers is None:
            self._due[id_] = now + self._pause(id_, numbers)
        else:
            self._due[id_] = min(due, now + POLL_SECONDS) if numbers.deferred else due

    def _pause(self, library_id: int, numbers: Numbers | None) -> float:
        """Seconds from one quick scan to the next one, where nothing is noticed meanwhile."""
        state = self.watching().get(library_id)
        if numbers is not None and numbers.outdated > 0:
            return min(self._quick_seconds, POLL_SECONDS)
        is_open = numbers is None or numbers.deferred > 0
        if state is not None and state.mode == "off" and not is_open:
            return math.inf
        if state is None or (state.mode == "native" and not is_open):
            return self._quick_seconds
        looked = 0.0 if numbers is None else numbers.looked
        return min(self._quick_seconds, max(POLL_SECONDS, POLL_SHARE * looked))

    def _stop(self) -> None:
        if self._notices is not None:
            self._notices.stop()

    def look_at(self, library: Library, *, full: bool, noticed: Noticed | None = None) -> Numbers | None:
        """Scan one library, or what was noticed of it; None where its root is missing, which is said once and
        remembered for `/health`."""
        shown = _ScanJob(self._jobs, library)
        try:
            numbers = self._scans.scan(
                library, full=full, noticed=noticed, report=shown.report, stopping=self.loop.stopping.is_set
            )
        except Unavailable as error:
            if self.missing.get(library.id) != str(error):
                log.warning("%s", error)
            self.missing[library.id] = str(error)
            shown.end(str(error))
            return None
        except BaseException:
            shown.end("stopped by an error; the log of the server says which")
            raise
        self.missing.pop(library.id, None)
        if numbers.trouble is not None:
            self.missing[library.id] = numbers.trouble
        shown.end(numbers.text(library.name))
        return numbers


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
