"""The worker processes that CPU work runs in: limits of time a task, a memory limit a process, and crashes survived.

Decoders and models are fed hostile bytes, so a task may hang, fill the memory or end its process. Each of these fails
that one task; the process is replaced and the other tasks never notice. What computes for too long is the content's own
fault (`Unreadable`); what was merely waited for too long, or was killed from outside, may be the machine's, which has
too much to do (`NotInTime`): a busy one blames no content. Every process has its own
pipe and its own supervising thread, so no lock is shared that a killed process could keep.

Processes start as fresh interpreters (`subprocess`, no fork of a threaded server) and not through `multiprocessing`,
whose spawn imports the launcher, and with it the whole application, again in each worker. `concurrent.futures` has no
time limits and loses the whole pool with one process; pebble (LGPL) shares one pipe and lock between its workers, kills
only the worker and not the ffmpeg that it runs, and leaves a busy worker behind when the server gets a kill -9.

POSIX only. Task functions are sent by name: they live at the top of a module that both sides can import.
"""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar, TypeVarTuple

from adapters.workers.memory_budget import MemoryBudget
from adapters.workers.worker_process import WANTS, Setup
from domain.base.errors import NotInTime, Unavailable, Unreadable

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

_BOOT = """
import sys
sys.path[:] = {path!r}
from adapters.workers.worker_process import run_worker
run_worker({task_fd}, {life_fd})
"""
PATIENCE: Final = 5.0
"""How many times longer than it may compute a task is waited for: others compute on the same cores."""
LEAST_PATIENCE: Final = 10.0
_CLOSED = "The worker processes are shut down."


@dataclass(frozen=True)
class _Task:
    what: str
    message: bytes
    seconds: float
    patience: float
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
        budget: MemoryBudget | None = None,
    ) -> None:
        """`budget` is what the workers of this pool, and of others that share it, may fill together (`may_fill`)."""
        self.budget = MemoryBudget() if budget is None else budget
        self.workers = workers
        self.setup = pickle.dumps(Setup(initializer, memory_limit, niceness))
        self.idle_seconds = idle_seconds
        self.start_seconds = start_seconds
        self.tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.closed = False
        self.lock = threading.Lock()
        self._lanes = [_Lane(self, f"worker-{n}") for n in range(workers)]

    def submit(self, fn: Callable[[*Ts], T], /, *args: *Ts, timeout: float, patience: float | None = None) -> Future[T]:
        """Run `fn(*args)` in a worker; it may compute for `timeout` seconds, and is waited for `patience` seconds from
        when a worker begins with it (unless told, `PATIENCE` times as long): a busy machine lets it compute seldom.

        The future gives what `fn` returns or raises (both picklable), or fails with `Unreadable` where the task
        computed for too long, used up the memory or ended its process, with `NotInTime` where it was waited for too
        long or was killed, and with `Unavailable` where no worker could be started or the pool was closed before the
        task ended.

        Raises:
            Unavailable: the pool is closed.
        """
        future: Future[T] = Future()
        what = getattr(fn, "__name__", "the task").strip("_").replace("_", " ")
        message = b"%f " % timeout + pickle.dumps((fn, args))
        task = _Task(
            what, message, timeout, max(LEAST_PATIENCE, timeout * PATIENCE) if patience is None else patience, future
        )
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
            finished, value, trace = pickle.loads(self._asked(self._ready_process(), task))  # noqa: S301 - our own worker
        except _TookTooLong:
            self._fail(task, NotInTime(f"{task.what} was not over after {task.patience:g} s, most of them of waiting"))
        except _Ended as error:
            self._fail(task, _reason_of_end(task, error))
        except BaseException as error:  # noqa: BLE001 - unpickling raises anything, and the future must settle
            self._fail(task, error)
        else:
            if finished:
                task.future.set_result(value)
            else:
                value.add_note(f"In a worker process:\n{trace}")
                task.future.set_exception(value)

    def _asked(self, process: _Process, task: _Task) -> bytes:
        """The worker's answer to a task; on the way it may ask for room in memory, for which it is not hurried."""
        budget, until = self._pool.budget, time.monotonic() + task.patience
        answer = process.ask(task.message, task.patience)
        try:
            while answer.startswith(WANTS):
                began = time.monotonic()
                if not budget.borrow(self, int(answer[len(WANTS) :]), lambda: self._pool.closed):
                    raise Unavailable(_CLOSED)
                until += time.monotonic() - began
                answer = process.ask(b"", max(0.0, until - time.monotonic()))
            return answer
        finally:
            budget.give_back(self)

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
    """The worker process is gone; the text says how, `status` is subprocess's: None where it still runs."""

    def __init__(self, text: str, status: int | None) -> None:
        super().__init__(text)
        self.status = status


def _reason_of_end(task: _Task, ended: _Ended) -> Unreadable | NotInTime:
    """Whose fault it is that a worker's process ended in the middle of a task."""
    if ended.status == -signal.SIGPROF:
        return Unreadable(f"{task.what} took longer than {task.seconds:g} s of computing")
    if ended.status == -signal.SIGKILL:  # by the system where memory ran out, whoever filled it
        return NotInTime(f"{task.what} was killed, most likely for lack of memory")
    return Unreadable(f"{task.what} ended its process ({ended})")


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
            raise self._ended() from None
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

    def _ended(self) -> _Ended:
        try:
            code = self._popen.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return _Ended("it closed its pipe", None)
        return _Ended(f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}", code)
