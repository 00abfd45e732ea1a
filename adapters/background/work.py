"""All of the server's own work as one thing: started and stopped together, asked how it goes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from adapters.background.jobs import Job, JobBoard
from adapters.background.library_watch import WatchesLibraries
from adapters.background.loops import Loop
from adapters.background.moved_libraries import FormerLibrary
from adapters.files.walk import WalkProblem
from domain.base.errors import ImageApiError
from domain.ports.watching import Watching

log = logging.getLogger(__name__)


class Work:
    """The background work of one server process."""

    def __init__(
        self, board: JobBoard, watcher: WatchesLibraries, loops: Sequence[Loop], prepare: Callable[[JobBoard], None]
    ) -> None:
        """`prepare` brings the read tables up to the log before anything else begins; `loops` hold the watcher's."""
        self._board = board
        self._watcher = watcher
        self._loops = loops
        self._prepare = prepare
        self._trouble: str | None = None
        self._starting = threading.Thread(target=self._start, name="start", daemon=True)
        self._lock = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Begin, in the background: preparing may take long where the tables of this version have to be built."""
        self._starting.start()

    def ask_to_stop(self) -> None:
        """Let every loop end after its current step, without waiting for that."""
        with self._lock:
            self._stopped = True
        for loop in self._loops:
            loop.ask_to_stop()

    def stop(self) -> None:
        """End every loop after its current step."""
        self.ask_to_stop()
        for loop in self._loops:
            loop.stop()

    def _start(self) -> None:
        try:
            self._prepare(self._board)
        except ImageApiError as error:
            log.exception("the read tables cannot be made ready")
            self._trouble = str(error)
            return
        with self._lock:
            if not self._stopped:
                for loop in self._loops:
                    loop.start()

    def progress(self) -> Sequence[Job]:
        """Every job of this process, the newest first; never blocks."""
        return self._board.progress()

    def scan(
        self, library_id: int, operation_id: int | None = None, *, accept_missing: bool = False, as_new: bool = False
    ) -> None:
        """Scan this library soon, as an operation that has begun where one is given; comes back at once. The words are
        those of `WatchesLibraries.ask`."""
        self._watcher.ask(library_id, operation_id, accept_missing=accept_missing, as_new=as_new)

    def missing_roots(self) -> Mapping[int, str]:
        """The libraries that are not looked at now, with the reason."""
        return dict(self._watcher.missing)

    def held(self) -> frozenset[int]:
        """Those among them of which too much is gone at once to be believed without a word."""
        return frozenset(self._watcher.held)

    def waiting(self) -> Mapping[int, FormerLibrary]:
        """Those among them that may be another library that was moved, and which."""
        return dict(self._watcher.waiting)

    def unreadable(self, library_id: int) -> Sequence[WalkProblem]:
        """The folders and files of a library that could not be looked at, by path."""
        return tuple(self._watcher.unreadable.get(library_id, ()))

    def watching(self) -> Mapping[int, Watching]:
        """How each library is watched, by its id."""
        return self._watcher.watching()

    def troubles(self) -> Mapping[str, str]:
        """Parts that do not work now, each with the reason in words."""
        found = {loop.name: loop.trouble for loop in self._loops if loop.trouble is not None}
        return found if self._trouble is None else {"tables": self._trouble, **found}
