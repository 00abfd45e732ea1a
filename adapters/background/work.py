"""All of the server's own work as one thing: started and stopped together, asked how it goes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from adapters.background.jobs import Job, JobBoard
from adapters.background.library_watch import WatchesLibraries
from adapters.background.loops import Loop
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

    def stop(self) -> None:
        """End every loop after its current step."""
        with self._lock:
            self._stopped = True
        for loop in self._loops:
            loop.ask_to_stop()
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

    def scan(self, library_id: int, operation_id: int | None = None) -> None:
        """Scan this library soon, as an operation that has begun where one is given; comes back at once."""
        self._watcher.ask(library_id, operation_id)

    def missing_roots(self) -> Mapping[int, str]:
        """The libraries whose folder cannot be reached now, with the reason."""
        return dict(self._watcher.missing)

    def watching(self) -> Mapping[int, Watching]:
        """How each library is watched, by its id."""
        return self._watcher.watching()

    def troubles(self) -> Mapping[str, str]:
        """Parts that do not work now, each with the reason in words."""
        found = {loop.name: loop.trouble for loop in self._loops if loop.trouble is not None}
        return found if self._trouble is None else {"tables": self._trouble, **found}
