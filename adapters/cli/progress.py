"""How long work is shown: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from adapters.background.jobs import Job, JobBoard

POLL_SECONDS = 0.25
LINE_SECONDS = 10.0


def in_words(job: Job) -> str:
    """A job in one line: `indexing Pictures: 120 of 340 · 14/s · 16 s left`."""
    if job.state == "done":
        return f"{job.title}: {job.note}" if job.note else f"{job.title}: done"
    parts = [f"{job.done} of {job.total}" if job.total is not None else str(job.done)]
    if job.rate:
        parts.append(f"{job.rate:.0f}/s" if job.rate >= 10 else f"{job.rate:.1f}/s")
    if job.seconds_left is not None:
        parts.append(f"{_time(job.seconds_left)} left")
    if job.note:
        parts.append(job.note)
    return f"{job.title}: {' · '.join(parts)}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@contextmanager
def shown(board: JobBoard, console: Console) -> Iterator[None]:
    """Show the jobs of `board` on `console` while the block runs."""
    over = threading.Event()
    watch = _bars if console.is_terminal else _lines
    thread = threading.Thread(target=watch, args=(board, console, over), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _bars(board: JobBoard, console: Console, over: threading.Event) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[int, TaskID] = {}
        while True:
            last = over.is_set()
            for job in reversed(board.progress()):
                if job.state != "done":
                    if job.id not in tasks:
                        tasks[job.id] = bars.add_task(job.title, total=job.total, words="")
                    words = in_words(job).removeprefix(f"{job.title}: ")
                    bars.update(tasks[job.id], completed=job.done, total=job.total, words=words)
                elif job.id in tasks:
                    bars.remove_task(tasks.pop(job.id))
                    console.print(in_words(job), highlight=False, markup=False)
            if last:
                return
            over.wait(POLL_SECONDS)


def _lines(board: JobBoard, console: Console, over: threading.Event) -> None:
    printed: dict[int, str] = {}
    waited = LINE_SECONDS
    while True:
        last = over.is_set()
        for job in reversed(board.progress()):
            due = job.state == "done" or waited >= LINE_SECONDS or job.id not in printed
            words = in_words(job)
            if due and printed.get(job.id) != words:
                console.print(words, highlight=False, markup=False, soft_wrap=True)
                printed[job.id] = words
        waited = 0.0 if waited >= LINE_SECONDS else waited + POLL_SECONDS
        if last:
            return
        over.wait(POLL_SECONDS)


@cache
def console_on(stream: TextIO) -> Console:
    """The one console of `stream`, which knows whether a person looks at it; log lines and bars keep clear of each
    other because they share it."""
    return Console(file=stream, soft_wrap=True)


@contextmanager
def progress_of(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that says how much of how much is done; nothing where there is no terminal."""
    console = console_on(sys.stderr)
    with Progress(console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
