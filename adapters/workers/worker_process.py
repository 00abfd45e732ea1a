"""The life of one worker process: it sets itself up, and answers tasks until the server closes the pipe."""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing.connection
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from domain.base.errors import Unreadable


@dataclass(frozen=True)
class Setup:
    """What a worker is told first: what to call before its first task, bytes it may use, how much it gives way."""

    initializer: Callable[[], object] | None
    memory_limit: int | None
    niceness: int


WANTS: Final = b"wants "
"""How a message begins that is no answer: in the middle of a task, a worker asks to be told when it may fill so many
bytes. Pickle begins otherwise."""
_pipes: list[multiprocessing.connection.Connection[bytes, bytes]] = []
"""The pipe to the server, in a process that is a worker."""


def may_fill(bytes_: int) -> None:
    """Wait until all workers together have room for so many bytes; at once where this is no worker."""
    for pipe in _pipes:
        pipe.send_bytes(WANTS + b"%d" % bytes_)
        pipe.recv_bytes()


def run_worker(task_fd: int, life_fd: int) -> None:
    """Set up, then answer tasks: seconds of computing in text, a space, and what to call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_server(life_fd)
    pipe: multiprocessing.connection.Connection[bytes, bytes] = multiprocessing.connection.Connection(task_fd)
    _pipes.append(pipe)
    with contextlib.suppress(EOFError, OSError):
        setup: Setup = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from our own parent
        _lower_limits(setup)
        pipe.send_bytes(_answer(setup.initializer or bool))
        while True:
            seconds, _, message = pipe.recv_bytes().partition(b" ")
            signal.setitimer(signal.ITIMER_PROF, float(seconds))  # of all threads; at its end, SIGPROF ends the process
            answer = _answer(_unpickled(message))
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send_bytes(answer)


def _unpickled(message: bytes) -> Callable[[], object]:
    def call() -> object:
        fn, args = pickle.loads(message)  # noqa: S301 - from our own parent
        return fn(*args)

    return call


def _answer(call: Callable[[], object]) -> bytes:
    """`(finished, value, traceback)` in pickle: what `call` returned, or what it raised."""
    try:
        return pickle.dumps((True, call(), ""))
    except MemoryError as error:
        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        allowed = "there is" if limit == resource.RLIM_INFINITY else f"the {limit // 2**20} MB that a worker may use"
        return _failure(Unreadable(f"reading it takes more memory than {allowed}"), traceback.format_exception(error))
    except Exception as error:  # noqa: BLE001 - whatever a task raises belongs to the one who waits for its future
        return _failure(error, traceback.format_exception(error))


def _failure(error: Exception, trace: list[str]) -> bytes:
    """The error as it is, or its text where it does not survive pickling (a constructor with arguments of its own)."""
    error.__cause__ = error.__context__ = error.__traceback__ = None
    answer = (False, error, "".join(trace))
    try:
        message = pickle.dumps(answer)
        pickle.loads(message)  # noqa: S301 - made one line above
    except Exception:  # noqa: BLE001 - pickling and such constructors fail in any way
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}"), answer[2]))
    return message


def _lower_limits(setup: Setup) -> None:
    os.nice(setup.niceness)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if setup.memory_limit is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (setup.memory_limit, setup.memory_limit))
    # Where the machine runs out of memory, Linux takes the worker and not the server.
    with contextlib.suppress(OSError), Path("/proc/self/oom_score_adj").open("w") as score:
        score.write("500")


def _end_with_the_server(life_fd: int) -> None:
    """Kill this process group as soon as the server is gone, in the middle of a task too.

    Linux sends the signal itself (`F_SETSIG`, fcntl(2)), even where native code holds the interpreter's lock; the
    thread does the same where that is not known.
    """
    if sys.platform == "linux":
        fcntl.fcntl(life_fd, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life_fd, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(life_fd, fcntl.F_SETFL, fcntl.fcntl(life_fd, fcntl.F_GETFL) | os.O_ASYNC)

    def wait() -> NoReturn:
        os.read(life_fd, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait, name="life", daemon=True).start()
