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
from pathlib import Path
from typing import Final

from adapters.background.jobs import JobBoard, JobProgress
from adapters.background.loops import Loop
from adapters.background.moved_libraries import FormerLibrary, is_gone, waits
from adapters.background.scan import Scanner
from adapters.background.scan_recording import unfinished_scan
from adapters.files.change_watcher import ChangeWatcher
from adapters.files.scan_report import ScanReport
from adapters.files.walk import WalkProblem
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import Held, Unavailable
from domain.base.paths import folder_of
from domain.events.library import Library
from domain.ports.watching import Noticed, Watching

log = logging.getLogger(__name__)

_SAY_WHICH: Final = (
    "Say under Status, or by `imageapi library move`, that it was moved there, or by `imageapi scan --as-new` that it "
    "is a library of its own"
)

POLL_SECONDS: Final = 5.0
"""The shortest time between quick scans of a library whose changes nobody tells."""
POLL_SHARE: Final = 20
"""Between two such scans passes at least this many times what the last one took: 5 % of the time at most."""
STEP_SECONDS: Final = 1.0
"""How often it is looked which library is due, in memory and one small table."""
SURVEY_SECONDS: Final = 2.0
"""A scan that takes longer to find out what there is to read is shown meanwhile, without a total."""
MOST_UNREADABLE: Final = 1000
"""Folders and files of a library that could not be looked at and are remembered."""


class WatchesLibraries:
    """Scans the libraries that are due, one after the other, in a thread of its own."""

    def __init__(
        self,
        ledger: Ledger,
        scanner: Scanner,
        jobs: JobBoard,
        *,
        quick_seconds: float,
        full_seconds: float,
        changes: ChangeWatcher | None = None,
        excluded: Sequence[Path] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `changes` each step scans every library, or those that were requested. Nothing in `excluded` folders
        is taken for a file of a library."""
        self._excluded = tuple(excluded)
        self._ledger, self._scanner, self._jobs = ledger, scanner, jobs
        self._quick_seconds, self._full_seconds = quick_seconds, full_seconds
        self._clock = clock
        self._full_at = clock() + full_seconds
        self._lock = threading.Lock()
        self._requested: dict[int, list[int]] = {}
        self._accepted: set[int] = set()
        self._said_new: set[int] = set()
        self._looked_whose: set[int] = set()
        self._due: dict[int, float] = {}
        self._changes = changes
        self.missing: dict[int, str] = {}
        """Why a library is not looked at now, by its id."""
        self.held: set[int] = set()
        """Those among them of which too much is gone at once, until somebody says that it was deleted."""
        self.waiting: dict[int, FormerLibrary] = {}
        """Those among them that were never scanned, since they may be another library that was moved."""
        self.unreadable: dict[int, list[WalkProblem]] = {}
        """The folders and files of each library that could not be looked at."""
        idle = quick_seconds if changes is None else STEP_SECONDS
        self.loop = Loop("scan", self.step, idle_seconds=idle, on_stop=self._stop, wakes_on_commit=False)

    def ask(
        self, library_id: int, operation_id: int | None = None, *, accept_missing: bool = False, as_new: bool = False
    ) -> None:
        """Scan this library fully, as soon as the current scan is over; the operation that asked for it, where there
        is one, ends with the scan. With `accept_missing` what is gone is believed to be deleted, and `as_new` says that
        it is a library of its own, whatever of another one stands in it."""
        with self._lock:
            asked = self._requested.setdefault(library_id, [])
            asked += [] if operation_id is None else [operation_id]
            if accept_missing:
                self._accepted.add(library_id)
            if as_new:
                self._said_new.add(library_id)
        self.loop.wake()

    def watching(self) -> Mapping[int, Watching]:
        """How each library is watched, by its id."""
        return {} if self._changes is None else self._changes.states()

    def step(self) -> bool:
        """Scan what was requested, what was noticed, and what was not looked at for long; whether more was requested
        meanwhile."""
        with self._lock:
            requested, self._requested = self._requested, {}
        full = self._clock() >= self._full_at
        with self._ledger.reading(WATCHER) as tables:
            libraries = tables.libraries.shown()
        if self._changes is not None:
            self._changes.begin(self.loop.wake)
            self._changes.follow(libraries)
        failure: Exception | None = None
        for library in libraries:
            if self.loop.stopping.is_set():
                return False
            try:
                self._look_if_due(library, requested, full=full)
            except Exception as error:  # noqa: BLE001 - one library's bug must not starve the others; it is raised below
                failure = error
        shown = {library.id for library in libraries}
        for id_ in self.missing.keys() - shown:
            self.waiting.pop(id_, None)
            self._end_trouble(id_)
        for id_ in requested.keys() - shown:
            self._end(requested[id_], "the library that was to be scanned is gone")
        if failure is not None:
            raise failure
        if full:
            self._full_at = self._clock() + self._full_seconds
        return bool(requested) or bool(self._requested)

    def _look_if_due(self, library: Library, requested: Mapping[int, Sequence[int]], *, full: bool) -> None:
        id_, now = library.id, self._clock()
        due = self._due.get(id_, 0.0)
        noticed = None if self._changes is None else self._changes.take(id_)
        is_due = not requested if self._changes is None else now >= due
        full = id_ in requested or (full and is_due) or (full and due < math.inf)
        if not (noticed or is_due or full):
            return
        if noticed is None or is_due or full:
            files = noticed or Noticed()
            noticed = Noticed(written=files.written, everything=True, unfinished=files.unfinished)
        self._due[id_] = 0.0  # what was taken is looked for in everything where this fails
        asked = requested.get(id_, ())
        if self.waits(library):
            self._end(asked, f"did not scan {library.name}: it waits until somebody says what it is")
            self._due[id_] = now + self._pause(id_, None)
            return
        with self._lock:
            accept_missing = id_ in self._accepted
            self._accepted.discard(id_)
        numbers = self.look_at(library, full=full, noticed=noticed, accept_missing=accept_missing, asked=asked)
        if noticed.everything or numbers is None:
            self._due[id_] = now + self._pause(id_, numbers)
        else:
            self._due[id_] = min(due, now + POLL_SECONDS) if numbers.deferred else due

    def _pause(self, library_id: int, numbers: ScanReport | None) -> float:
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
        if self._changes is not None:
            self._changes.stop()

    def waits(self, library: Library) -> bool:
        """Whether a library is not to be scanned before somebody says what it is: it never was, and files of a library
        whose folder is gone stand in it. Whose they are is looked for once, and said once."""
        id_ = library.id
        with self._lock:
            said_new = id_ in self._said_new
        former = self.waiting.get(id_)
        if former is None and not said_new and id_ not in self._looked_whose:
            former = waits(self._ledger, library, self._excluded)
            self._looked_whose.add(id_)
        if former is None:
            return False
        if said_new or not self._is_still_asked(library, former.library):
            self.waiting.pop(id_, None)
            self._end_trouble(id_)
            return False
        self.waiting[id_] = former
        self._trouble(id_, f"the library {library.name} waits: {former.in_words(library.root)}. {_SAY_WHICH}")
        return True

    def _is_still_asked(self, library: Library, former: Library) -> bool:
        """Whether a library that waits may still be another one: no command has scanned it meanwhile, and the folder of
        the other is still gone."""
        with self._ledger.reading(WATCHER) as tables:
            now = tables.libraries.get(former.id)
            scanned = tables.media.has_any(library.id)
        is_same = now is not None and not now.removed and now.root == former.root
        return is_same and not scanned and is_gone(self._ledger, former)

    def look_at(
        self,
        library: Library,
        *,
        full: bool,
        noticed: Noticed | None = None,
        accept_missing: bool = False,
        asked: Sequence[int] = (),
    ) -> ScanReport | None:
        """Scan one library, or what was noticed of it; None where its root is missing or what it shows is not believed,
        which is said once and remembered for `/health`. What is found is the first of the operations that `asked` for
        it, the others end with it."""
        shown = _ScanJob(self._jobs, library)
        try:
            numbers = self._scanner.scan(
                library,
                full=full,
                noticed=noticed,
                report=shown.report,
                stopping=self.loop.stopping.is_set,
                accept_missing=accept_missing,
                operation_id=next(iter(asked), None),
            )
        except Unavailable as error:
            self._trouble(library.id, str(error))
            if isinstance(error, Held):
                self.held.add(library.id)
            shown.end(str(error), stopped=True)
            self._end(asked[1:], unfinished_scan(library.name))
            return None
        except BaseException:
            shown.end("stopped by an error; the log of the server says which", stopped=True)
            raise
        self._end_trouble(library.id)
        if numbers.trouble is not None:
            self.missing[library.id] = numbers.trouble
        self._remember_unreadable(library.id, noticed, numbers.problems)
        shown.end(numbers.text(library.name))
        self._end(asked[1:], numbers.text(library.name))
        return numbers

    def _trouble(self, library_id: int, reason: str) -> None:
        if self.missing.get(library_id) != reason:
            log.warning("%s", reason)
        self.missing[library_id] = reason
        self.held.discard(library_id)

    def _end_trouble(self, library_id: int) -> None:
        self.missing.pop(library_id, None)
        self.held.discard(library_id)

    def _remember_unreadable(self, library_id: int, noticed: Noticed | None, problems: Sequence[WalkProblem]) -> None:
        """Keep what could not be looked at; of what was not looked at this time, what was known stays known."""
        before = [] if noticed is None or noticed.everything else self.unreadable.get(library_id, [])
        kept = [each for each in before if noticed is not None and not noticed.concerns(folder_of(each.path))]
        found = {each.path: each for each in [*kept, *problems]}
        self.unreadable[library_id] = [found[path] for path in sorted(found)][:MOST_UNREADABLE]

    def _end(self, operation_ids: Sequence[int], text: str) -> None:
        """Close operations that asked for what another one did, or for what cannot be done."""
        for operation_id in operation_ids:
            with self._ledger.transaction(WATCHER, operation_id=operation_id) as uow:
                uow.end(text)


class _ScanJob:
    """The job of one scan, which is on the board only where there is something to read, or where it takes long to find
    that out."""

    def __init__(self, jobs: JobBoard, library: Library) -> None:
        self._jobs, self._library = jobs, library
        self._job: JobProgress | None = None
        self._began = time.monotonic()

    def report(self, numbers: ScanReport) -> None:
        """Show how far the scan is."""
        if not numbers.surveyed:
            if time.monotonic() - self._began >= SURVEY_SECONDS:
                self._begun(None).at(0, None, f"looking for what is new, {numbers.found} files so far")
        elif numbers.to_read or self._job is not None:
            self._begun(numbers.to_read).at(numbers.read, numbers.to_read)

    def _begun(self, total: int | None) -> JobProgress:
        if self._job is None:
            self._job = self._jobs.begin("scan", f"indexing {self._library.name}", total)
        return self._job

    def end(self, note: str, *, stopped: bool = False) -> None:
        """The scan is over, or was stopped before."""
        if self._job is not None:
            self._job.end(note, stopped=stopped)
