"""The worker processes that CPU work runs in: a time limit a task, a memory limit a process, and crashes survived.

Decoders and models are fed hostile bytes, so a task may hang, fill the memory or end its process. Each of these fails
that one task with `Unreadable`; the process is replaced and the other tasks never notice. Every process has its own
pipe and its own supervising thread, so no lock is shared that a killed process could keep.

Processes start as fresh interpreters (`subprocess`, no fork of a threaded server) and not through `multiprocessing`,
whose spawn imports the launcher, and with it the whole application, again in each worker. `concurrent.futures` has no
time limits and loses the whole pool with one process; pebble (LGPL) shares one pipe and lock between its workers, kills
only the worker and not the ffmpeg that it runs, and leaves a busy worker behind when the server gets a kill -9.

POSIX only. Task functions are sent by name: they live at the top of a module that both sides can import.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing.connection
import os
import pickle
import queue
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from domain.base.errors import Unavailable, Unreadable

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

_BOOT = """
import sys
sys.path[:] = {path!r}
from adapters.workers.pool import run_worker
run_worker({task_fd}, {life_fd})
"""
_CLOSED = "The worker processes are shut down."


@dataclass(frozen=True)
class _Setup:
    initializer: Callable[[], object] | None
    memory_limit: int | None
    niceness: int


@dataclass(frozen=True)
class _Task:
    what: str
    message: bytes
    seconds: float
    future: Future[Any]


class WorkerPool:
    """A bounded number of worker processes, each started when there is work for it and ended when idle for long.

    `initializer` (a picklable callable without arguments, such as a `functools.partial`) runs once in each process
    before its first task, outside every task's time limit; where it fails, the task fails with `Unavailable`: the
    content is not to blame. `memory_limit` is in bytes of private memory a process (RLIMIT_DATA, which Linux enforces
    for mappings too; address space would count the model files and thread stacks that are never touched).
    `niceness` is added to the server's own, so that answering requests goes first.
    """

    def __init__(
        self,
        workers: int,
        *,
        initializer: Callable[[], object] | None = None,
        memory_limit: int | None = None,
        niceness: int = 10,
        idle_seconds: float = 300.0,
        start_seconds: float = 120.0,
    ) -> None:
        self.workers = workers
        self.setup = pickle.dumps(_Setup(initializer, memory_limit, niceness))
        self.idle_seconds = idle_seconds
        self.start_seconds = start_seconds
        self.tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.closed = False
        self.lock = threading.Lock()
        self._lanes = [_Lane(self, f"worker-{n}") for n in range(workers)]

    def submit(self, fn: Callable[[*Ts], T], /, *args: *Ts, timeout: float) -> Future[T]:
        """Run `fn(*args)` in a worker; it may take `timeout` seconds from when a worker begins with it.

        The future gives what `fn` returns or raises (both picklable), or fails with `Unreadable` where the task took
        too long, used up the memory or ended its process, and with `Unavailable` where no worker could be started or
        the pool was closed before the task ended.

        Raises:
            Unavailable: the pool is closed.
        """
        future: Future[T] = Future()
        what = getattr(fn, "__name__", "the task").strip("_").replace("_", " ")
        task = _Task(what, pickle.dumps((fn, args)), timeout, future)
        with self.lock:
            if self.closed:
                raise Unavailable(_CLOSED)
            self.tasks.put(task)
        return future

    @property
    def busy(self) -> int:
        """How many workers are at a task."""
        return sum(lane.is_busy for lane in self._lanes)

    @property
    def waiting(self) -> int:
        """How many tasks wait for a worker."""
        return self.tasks.qsize()

    def close(self) -> None:
        """End all workers now; tasks that wait or run fail with `Unavailable`. Closing twice is fine."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
            for lane in self._lanes:
                lane.kill()
                self.tasks.put(None)
        for lane in self._lanes:
            lane.thread.join()


class _Lane:
    """One of the pool's threads and the worker process that it looks after, if one runs."""

    def __init__(self, pool: WorkerPool, name: str) -> None:
        self._pool = pool
        self._process: _Process | None = None
        self.is_busy = False
        self.thread = threading.Thread(target=self._take_tasks, name=name, daemon=True)
        self.thread.start()

    def kill(self) -> None:
        """Kill what runs now, from another thread; the lane's own thread notices and clears up."""
        if process := self._process:
            process.kill()

    def _take_tasks(self) -> None:
        while True:
            try:
                task = self._pool.tasks.get(timeout=self._pool.idle_seconds if self._process else None)
            except queue.Empty:
                self._end()
                continue
            if task is None:
                self._end()
                return
            if task.future.set_running_or_notify_cancel():
                self.is_busy = True
                self._settle(task)
                self.is_busy = False

    def _settle(self, task: _Task) -> None:
        """Give `task`'s future what came of it."""
        try:
            finished, value, trace = pickle.loads(self._ready_process().ask(task.message, task.seconds))  # noqa: S301 - our own worker
        except _TookTooLong:
            self._fail(task, Unreadable(f"{task.what} took longer than {task.seconds:g} s"))
        except _Ended as error:
            self._fail(task, Unreadable(f"{task.what} ended its process ({error})"))
        except BaseException as error:  # noqa: BLE001 - unpickling raises anything, and the future must settle
            self._fail(task, error)
        else:
            if finished:
                task.future.set_result(value)
            else:
                value.add_note(f"In a worker process:\n{trace}")
                task.future.set_exception(value)

    def _fail(self, task: _Task, error: BaseException) -> None:
        self._end()
        task.future.set_exception(Unavailable(_CLOSED) if self._pool.closed else error)

    def _ready_process(self) -> _Process:
        if self._process and self._process.alive():
            return self._process
        self._end()
        with self._pool.lock:
            if self._pool.closed:
                raise Unavailable(_CLOSED)
            self._process = _Process()
        try:
            ready, error, _ = pickle.loads(self._process.ask(self._pool.setup, self._pool.start_seconds))  # noqa: S301 - our own worker
        except (_TookTooLong, _Ended) as reason:
            raise Unavailable(f"A worker process could not be started: {reason}") from reason
        if not ready:
            raise error if isinstance(error, Unavailable) else Unavailable(f"A worker could not be prepared: {error}")
        return self._process

    def _end(self) -> None:
        with self._pool.lock:
            process, self._process = self._process, None
        if process:
            process.end()


class _TookTooLong(Exception):
    """The worker did not answer in time."""


class _Ended(Exception):
    """The worker process is gone; the text says how."""


class _Process:
    """One worker as its supervising thread sees it: a process group of its own, and the pipe to it."""

    def __init__(self) -> None:
        self._pipe, theirs = multiprocessing.connection.Pipe()
        # The kernel closes the writing end when the server ends in whatever way; that tells the worker to end too.
        life_there, self._life_here = os.pipe()
        fds = (theirs.fileno(), life_there)
        boot = _BOOT.format(path=sys.path, task_fd=fds[0], life_fd=fds[1])
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-c", boot],
                pass_fds=fds,
                process_group=0,  # Ctrl-C in the terminal does not reach it, and one kill reaches what it started
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        except OSError as error:
            self._pipe.close()
            os.close(self._life_here)
            raise Unavailable(f"A worker process could not be started: {error}") from error
        finally:
            theirs.close()
            os.close(life_there)

    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, message: bytes, seconds: float) -> bytes:
        """The answer to `message`; raises `_TookTooLong` or `_Ended`, after which the process is to be ended."""
        try:
            self._pipe.send_bytes(message)
            if self._pipe.poll(seconds):
                return self._pipe.recv_bytes()
        except (OSError, EOFError):
            raise _Ended(self._last_words()) from None
        raise _TookTooLong(f"no answer within {seconds:g} s")

    def kill(self) -> None:
        """Kill the worker and every process that it started, such as an ffmpeg."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def end(self) -> None:
        self.kill()
        self._popen.wait()
        self._pipe.close()
        os.close(self._life_here)

    def _last_words(self) -> str:
        try:
            code = self._popen.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if code == -signal.SIGKILL:
            return "killed, most likely for lack of memory"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def run_worker(task_fd: int, life_fd: int) -> None:
    """The life of a worker process: set up, then answer tasks until the server closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_server(life_fd)
    pipe: multiprocessing.connection.Connection[bytes, bytes] = multiprocessing.connection.Connection(task_fd)
    with contextlib.suppress(EOFError, OSError):
        setup: _Setup = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from our own parent
        _lower_limits(setup)
        pipe.send_bytes(_answer(setup.initializer or bool))
        while True:
            pipe.send_bytes(_answer(_unpickled(pipe.recv_bytes())))


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


def _lower_limits(setup: _Setup) -> None:
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
