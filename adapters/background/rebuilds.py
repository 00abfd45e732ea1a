"""A rebuild in the background of a server: the same as `imageapi rebuild`, with its progress among the jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack

from adapters.background.jobs import Job, JobBoard, JobProgress
from domain.base.errors import ImageApiError, Unavailable

log = logging.getLogger(__name__)

Report = Callable[[int, int], None]
STOP_SECONDS = 2.0
"""How long a server that stops waits for the batch or the dropping of tables under way; both may be cut off anywhere,
and the next rebuild goes on from there."""


class Rebuilds:
    """Starts rebuilds, one at a time in all processes of a database."""

    def __init__(self, board: JobBoard, rebuild: Callable[[Report, Callable[[], None], bool], object]) -> None:
        """`rebuild` takes what to report to, what to call once nothing else is at it, and whether to drop old tables;
        what it returns says in words what came of it."""
        self._board = board
        self._rebuild = rebuild
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, drop_old: bool) -> Job:
        """Begin; the job, as it is at its beginning.

        Raises:
            Conflict: another rebuild or comparison is at it, in this process or another one.
            Unavailable: the database does not answer.
        """
        started: Future[Job] = Future()
        thread = threading.Thread(target=self._run, args=(started, drop_old), name="rebuild", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()]
        self._threads.append(thread)
        thread.start()
        return started.result()

    def stop(self) -> None:
        """End after the batch under way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _run(self, started: Future[Job], drop_old: bool) -> None:
        with ExitStack() as ends:
            running: list[JobProgress] = []

            def begin() -> None:
                running.append(ends.enter_context(self._board.job("rebuild", "building the read tables anew")))
                started.set_result(running[0].job)

            def report(done: int, total: int) -> None:
                if self._stopping.is_set():
                    raise Unavailable("the server stopped; the next rebuild goes on with it")
                running[0].at(done, total)

            try:
                text = str(self._rebuild(report, begin, drop_old))
                running[0].end(text)
                log.info("%s", text)
            except ImageApiError as error:
                if not started.done():
                    started.set_exception(error)
                    return
                log.warning("the rebuild stopped: %s", error)
                running[0].end(f"stopped: {error}", stopped=True)
            except BaseException as error:
                if not started.done():
                    started.set_exception(error)
                raise
