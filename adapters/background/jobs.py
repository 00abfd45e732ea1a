"""What the server is doing, for whoever watches: the progress of scans and detection, kept in memory, never
blocking."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of long work: `kind` is `scan`, `detect`, `detect.again` (the face model changed), `thumbnails`,
    `rebuild` …; `rate` items a second over the last moments, `seconds_left` an estimate from it; `state` is `running`,
    `waiting` (with the reason in `note`) or `done`; `began_at` and `ended_at` in microseconds since 1970."""

    id: int
    kind: str
    title: str
    state: str
    began_at: int
    done: int = 0
    total: int | None = None
    rate: float | None = None
    seconds_left: float | None = None
    note: str | None = None
    ended_at: int | None = None


class JobProgress:
    """The handle of one job for the thread that does it."""

    def __init__(self, board: JobBoard, job: Job) -> None:
        self._board = board
        self._marks: list[tuple[float, int]] = [(time.monotonic(), 0)]
        self.job = job

    def at(self, done: int, total: int | None = None, note: str | None = None, *, waiting: bool = False) -> None:
        """Say how far the work is; `waiting` with a `note` says why it does not go on."""
        total = None if total is None else max(total, done)
        now = time.monotonic()
        if now - self._marks[-1][0] >= 0.5:
            self._marks = [*self._marks[-9:], (now, done)]
        began, before = self._marks[0]
        rate = (done - before) / (now - began) if now - began > 1 and done > before else None
        left = (total - done) / rate if total is not None and rate else None
        state = "waiting" if waiting else "running"
        self._set(
            msgspec.structs.replace(
                self.job,
                state=state,
                done=done,
                total=total,
                note=note,
                rate=None if rate is None else round(rate, 2),
                seconds_left=None if left is None else round(left, 1),
            )
        )

    def end(self, note: str | None = None, *, stopped: bool = False) -> None:
        """Say that the work is over, and what came of it: all of what turned out to be there, unless it was `stopped`
        before."""
        total = self.job.total if stopped or self.job.total is None else self.job.done
        self._set(
            msgspec.structs.replace(
                self.job,
                state="done",
                total=total,
                note=note,
                rate=None,
                seconds_left=None,
                ended_at=time.time_ns() // 1000,
            )
        )

    def _set(self, job: Job) -> None:
        self.job = job
        self._board.changed()


class JobBoard:
    """All jobs of this process, the last ones that ended too; `version` changes whenever one of them does."""

    KEPT = 20

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[int, JobProgress] = {}
        self._last_id = 0
        self.version = 0

    @contextmanager
    def job(self, kind: str, title: str) -> Iterator[JobProgress]:
        """A job that is over when the block is, however it ends."""
        progress = self.begin(kind, title)
        try:
            yield progress
        except BaseException as error:
            progress.end(f"stopped: {error}" if str(error) else "stopped", stopped=True)
            raise
        if progress.job.state != "done":
            progress.end()

    def begin(self, kind: str, title: str, total: int | None = None) -> JobProgress:
        """A job that `JobProgress.end` ends; `total` is how much is due, where that is known."""
        with self._lock:
            self._last_id += 1
            began = time.time_ns() // 1000
            job = Job(id=self._last_id, kind=kind, title=title, state="running", began_at=began, total=total)
            progress = self._jobs[self._last_id] = JobProgress(self, job)
            over = [id_ for id_, job in self._jobs.items() if job.job.state == "done"]
            for id_ in over[: -self.KEPT]:
                del self._jobs[id_]
        self.changed()
        return progress

    def progress(self) -> list[Job]:
        """Every job, the newest first."""
        with self._lock:
            return [self._jobs[id_].job for id_ in sorted(self._jobs, reverse=True)]

    def changed(self) -> None:
        """A job changed."""
        self.version += 1
