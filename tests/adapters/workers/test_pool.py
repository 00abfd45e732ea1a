"""The pool of worker processes: what a task does to its process stays with that task.

The tasks are functions of the standard library, which a worker can import wherever the tests stand.
"""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path

import pytest

from adapters.workers.memory_budget import MemoryBudget
from adapters.workers.pool import WorkerPool
from domain.base.errors import NotInTime, Unavailable, Unreadable
from tests.waiting import until

TIME = 30.0
ENDLESS_REGEX = (r"(a+)+$", "a" * 60 + "b")  # native code that never lets go of the interpreter


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(1)
    yield pool
    pool.close()


def _gone(pid: int) -> bool:
    """Whether the process has ended: as an orphan it may stay a zombie where nobody collects it."""
    listing = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return not listing.stdout.strip() or listing.stdout.startswith("Z")


def test_a_task_runs_in_another_process_and_gives_back_what_it_returns(pool: WorkerPool) -> None:
    assert pool.submit(os.getpid, timeout=TIME).result() != os.getpid()
    assert pool.submit(pow, 2, 10, timeout=TIME).result() == 1024


def test_a_pool_tells_how_many_work_and_how_many_tasks_wait(pool: WorkerPool) -> None:
    assert (pool.busy, pool.waiting) == (0, 0)
    tasks = [pool.submit(time.sleep, seconds, timeout=TIME) for seconds in (0.5, 0, 0)]
    until(lambda: (pool.busy, pool.waiting) == (1, 2))
    wait(tasks)
    until(lambda: (pool.busy, pool.waiting) == (0, 0))


def test_a_task_that_computes_for_too_long_is_stopped_and_its_content_blamed(pool: WorkerPool) -> None:
    with pytest.raises(Unreadable, match=r"match took longer than 0\.2 s of computing"):
        pool.submit(re.match, *ENDLESS_REGEX, timeout=0.2).result()


def test_a_task_that_is_waited_for_too_long_is_stopped_and_nothing_blamed(pool: WorkerPool) -> None:
    with pytest.raises(NotInTime, match=r"sleep was not over after 0\.2 s, most of them of waiting"):
        pool.submit(time.sleep, 1000, timeout=TIME, patience=0.2).result()


def test_a_task_that_has_to_wait_may_take_longer_than_it_may_compute(pool: WorkerPool) -> None:
    assert pool.submit(time.sleep, 0.5, timeout=0.1).result() is None


def test_a_task_is_not_charged_for_what_its_worker_computed_before(pool: WorkerPool) -> None:
    busy = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass"
    for _ in range(3):
        pool.submit(exec, busy, timeout=0.8).result()
    time.sleep(0.1)
    assert pool.submit(pow, 2, 3, timeout=0.8).result() == 8


def test_a_worker_that_is_killed_from_outside_blames_no_content(pool: WorkerPool) -> None:
    """As Linux does where memory runs out, whoever filled it."""
    with pytest.raises(NotInTime, match="was killed, most likely for lack of memory"):
        pool.submit(signal.raise_signal, signal.SIGKILL, timeout=TIME).result()


FILLING = """
import time
from adapters.workers.worker_process import may_fill
may_fill({size})
with open({note!r}, "a") as note: note.write(f"{{time.monotonic()}} begins\\n")
time.sleep(0.4)
with open({note!r}, "a") as note: note.write(f"{{time.monotonic()}} ends\\n")
"""


@pytest.mark.parametrize(("size", "at_once"), [(80, 1), (40, 2)], ids=["large", "small"])
def test_tasks_that_fill_too_much_together_wait_for_one_another(tmp_path: Path, size: int, at_once: int) -> None:
    """Nor is the waiting held against them."""
    note = tmp_path / "note"
    note.touch()
    pools = [WorkerPool(1, budget=budget) for budget in [MemoryBudget(100)] * 2]
    try:
        for pool in pools:
            pool.submit(pow, 2, 3, timeout=TIME).result()
        code = FILLING.format(size=size, note=str(note))
        wait(tasks := [pool.submit(exec, code, timeout=TIME, patience=0.7) for pool in pools])
        assert [task.exception() for task in tasks] == [None, None]
    finally:
        for pool in pools:
            pool.close()
    words = [line.split()[1] for line in sorted(note.read_text().splitlines())]
    assert words == (["begins", "ends"] * 2 if at_once == 1 else ["begins"] * 2 + ["ends"] * 2)
    assert pools[0].budget.lent == 0


def test_what_a_task_filled_is_given_back_however_it_ends(tmp_path: Path) -> None:
    pool = WorkerPool(1, budget=MemoryBudget(100))
    try:
        code = "import os\nfrom adapters.workers.worker_process import may_fill\nmay_fill(80)\nos.abort()"
        with pytest.raises(Unreadable, match="SIGABRT"):
            pool.submit(exec, code, timeout=TIME).result()
        assert pool.budget.lent == 0
    finally:
        pool.close()


def test_closing_ends_a_task_that_waits_for_room() -> None:
    budget = MemoryBudget(100)
    budget.borrow("somebody", 80)
    pool = WorkerPool(1, budget=budget)
    task = pool.submit(exec, "from adapters.workers.worker_process import may_fill\nmay_fill(80)", timeout=TIME)
    until(task.running)
    time.sleep(0.3)
    pool.close()
    assert isinstance(task.exception(), Unavailable)


def test_stopping_a_task_stops_the_programs_that_it_started(pool: WorkerPool, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"echo $$ > {note}.part; mv {note}.part {note}; exec sleep 1000"
    with pytest.raises(NotInTime):
        pool.submit(subprocess.check_call, ["sh", "-c", script], timeout=TIME, patience=2.0).result()
    until(lambda: _gone(int(note.read_text())))


@pytest.mark.parametrize(
    ("task", "how"),
    [
        (lambda pool: pool.submit(os._exit, 3, timeout=TIME), "exit status 3"),
        (lambda pool: pool.submit(os.abort, timeout=TIME), "SIGABRT"),
        (lambda pool: pool.submit(sys.exit, 4, timeout=TIME), "exit status 4"),
    ],
)
def test_a_task_that_ends_its_process_fails_and_says_how(
    pool: WorkerPool, task: Callable[[WorkerPool], Future[object]], how: str
) -> None:
    with pytest.raises(Unreadable, match=how):
        task(pool).result()


def test_after_a_crash_and_a_hang_the_next_task_finds_a_new_worker(pool: WorkerPool) -> None:
    first = pool.submit(os.getpid, timeout=TIME).result()
    crash, hang = pool.submit(os.abort, timeout=TIME), pool.submit(time.sleep, 1000, timeout=TIME, patience=0.1)
    second = pool.submit(os.getpid, timeout=TIME).result()
    assert isinstance(crash.exception(), Unreadable)
    assert isinstance(hang.exception(), NotInTime)
    assert first != second


def test_a_crash_leaves_the_task_of_the_other_worker_alone() -> None:
    pool = WorkerPool(2)
    try:
        steady = pool.submit(subprocess.check_output, ["sh", "-c", "sleep 0.5; echo done"], timeout=TIME)
        crashes = [pool.submit(os.abort, timeout=TIME) for _ in range(3)]
        assert all(isinstance(crash.exception(), Unreadable) for crash in crashes)
        assert steady.result() == b"done\n"
    finally:
        pool.close()


def test_a_worker_killed_between_two_tasks_costs_neither(pool: WorkerPool) -> None:
    victim = pool.submit(os.getpid, timeout=TIME).result()
    os.kill(victim, signal.SIGKILL)
    until(lambda: _gone(victim))
    assert pool.submit(os.getpid, timeout=TIME).result() != victim


def test_a_task_that_takes_too_much_memory_fails_and_names_the_limit() -> None:
    pool = WorkerPool(1, memory_limit=256 * 2**20)
    try:
        with pytest.raises(Unreadable, match="256 MB"):
            pool.submit(bytearray, 2**30, timeout=TIME).result()
        assert len(pool.submit(bytearray, 2**20, timeout=TIME).result()) == 2**20
    finally:
        pool.close()


def test_what_a_task_raises_comes_back_as_it_is_with_the_workers_traceback(pool: WorkerPool) -> None:
    with pytest.raises(json.JSONDecodeError, match="Expecting property name") as raised:
        pool.submit(json.loads, "{", timeout=TIME).result()
    assert raised.value.pos == 1
    assert "raw_decode" in "".join(raised.value.__notes__)


def test_an_error_that_cannot_be_pickled_comes_back_as_its_text(pool: WorkerPool) -> None:
    # `exec` raises InTheWay, whose constructor wants two arguments that pickle does not know of.
    code = "from domain.base.errors import InTheWay\nraise InTheWay('a later one', 7)"
    with pytest.raises(RuntimeError, match="InTheWay: a later one"):
        pool.submit(exec, code, timeout=TIME).result()


def test_an_answer_that_cannot_be_pickled_fails_the_task_and_not_the_pool(pool: WorkerPool) -> None:
    assert pool.submit(threading.Lock, timeout=TIME).exception() is not None
    assert pool.submit(pow, 2, 3, timeout=TIME).result() == 8


def test_the_time_limit_starts_when_a_worker_begins_with_the_task(pool: WorkerPool) -> None:
    ahead = [pool.submit(time.sleep, 0.7, timeout=TIME) for _ in range(3)]
    assert pool.submit(pow, 2, 3, timeout=2.0).result() == 8
    wait(ahead)


def test_the_preparation_runs_once_in_each_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["sh", "-c", f"echo prepared >> {log}"]
    pool = WorkerPool(1, initializer=functools.partial(subprocess.check_call, command))
    try:
        for _ in range(3):
            pool.submit(os.getpid, timeout=TIME).result()
        assert log.read_text().splitlines() == ["prepared"]
        assert isinstance(pool.submit(os.abort, timeout=TIME).exception(), Unreadable)
        pool.submit(os.getpid, timeout=TIME).result()
        assert log.read_text().splitlines() == ["prepared", "prepared"]
    finally:
        pool.close()


@pytest.mark.parametrize(
    "initializer", [functools.partial(os.chdir, "no/such/folder"), functools.partial(os._exit, 1), os.abort]
)
def test_a_preparation_that_fails_makes_the_pool_unavailable_and_blames_no_content(
    initializer: Callable[[], object],
) -> None:
    pool = WorkerPool(1, initializer=initializer)
    try:
        assert isinstance(pool.submit(pow, 2, 3, timeout=TIME).exception(), Unavailable)
    finally:
        pool.close()


def test_workers_run_at_a_lower_priority_than_the_server() -> None:
    pool = WorkerPool(1, niceness=3)
    try:
        assert pool.submit(os.nice, 0, timeout=TIME).result() == min(os.nice(0) + 3, 19)
    finally:
        pool.close()


def test_an_interrupt_from_the_terminal_does_not_reach_a_task(pool: WorkerPool) -> None:
    worker = pool.submit(os.getpid, timeout=TIME).result()
    assert os.getpgid(worker) != os.getpgrp()
    running = pool.submit(subprocess.check_output, ["sh", "-c", "sleep 0.3; echo done"], timeout=TIME)
    os.kill(worker, signal.SIGINT)
    assert running.result() == b"done\n"


def test_a_worker_without_work_is_ended_and_comes_back_with_the_next_task() -> None:
    pool = WorkerPool(1, idle_seconds=0.05)
    try:
        idle = pool.submit(os.getpid, timeout=TIME).result()
        until(lambda: _gone(idle))
        assert pool.submit(os.getpid, timeout=TIME).result() != idle
    finally:
        pool.close()


def test_closing_fails_what_runs_and_waits_as_unavailable_and_ends_the_workers() -> None:
    pool = WorkerPool(1)
    worker = pool.submit(os.getpid, timeout=TIME).result()
    running, waiting = pool.submit(time.sleep, 1000, timeout=TIME), pool.submit(os.getpid, timeout=TIME)
    until(running.running)
    pool.close()
    pool.close()
    assert isinstance(running.exception(), Unavailable)
    assert isinstance(waiting.exception(), Unavailable)
    assert _gone(worker)
    with pytest.raises(Unavailable):
        pool.submit(os.getpid, timeout=TIME)


def test_a_task_cancelled_while_it_waits_never_runs(pool: WorkerPool, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    ahead = pool.submit(time.sleep, 0.3, timeout=TIME)
    cancelled = pool.submit(os.mkdir, str(mark), timeout=TIME)
    assert cancelled.cancel()
    ahead.result()
    pool.submit(os.getpid, timeout=TIME).result()
    assert not mark.exists()


def test_workers_end_in_the_middle_of_a_task_when_the_server_is_killed() -> None:
    script = f"""
        import os, re, sys, time
        sys.path[:] = {sys.path!r}
        from adapters.workers.pool import WorkerPool
        pool = WorkerPool(2)
        held = pool.submit(re.match, *{ENDLESS_REGEX!r}, timeout=1000)
        while not held.running(): time.sleep(0.01)
        asleep = pool.submit(time.sleep, 1000, timeout=1000)
        while not asleep.running(): time.sleep(0.01)
        time.sleep(0.3)
        print(*(lane._process._popen.pid for lane in pool._lanes), flush=True)
        os.kill(os.getpid(), 9)
    """
    server = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=TIME
    )
    workers = [int(pid) for pid in server.stdout.split()]
    assert server.returncode == -signal.SIGKILL
    assert len(workers) == 2
    for pid in workers:
        until(functools.partial(_gone, pid))


def test_an_exception_survives_many_workers_and_many_callers_at_once() -> None:
    pool = WorkerPool(3)
    try:
        futures = [pool.submit(divmod, n, n % 5, timeout=TIME) for n in range(100)]
        for n, future in enumerate(futures):
            if n % 5:
                assert future.result() == divmod(n, n % 5)
            else:
                assert isinstance(future.exception(), ZeroDivisionError)
    finally:
        pool.close()
