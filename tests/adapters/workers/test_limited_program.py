"""A program may compute for so long, and is waited for so long: the two are different faults."""

from __future__ import annotations

import sys

import pytest

from adapters.workers.limited_program import run_limited
from domain.base.errors import NotInTime, Unreadable

COMPUTES = [sys.executable, "-c", "while True: pass"]
OBEYS = [
    sys.executable,
    "-c",
    "import signal, sys\nsignal.signal(signal.SIGXCPU, lambda *_: sys.exit(7))\nwhile True: pass",
]
linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system limits another process")


def test_what_a_program_reads_and_writes_passes_through() -> None:
    done = run_limited(["sh", "-c", "cat; echo complaint >&2; exit 3"], 30, b"content")
    assert (done.stdout, done.stderr, done.returncode) == (b"content", b"complaint\n", 3)


@linux
@pytest.mark.parametrize("command", [COMPUTES, OBEYS], ids=["is ended", "ends itself when told"])
def test_a_program_that_computes_for_too_long_blames_what_it_computes_on(command: list[str]) -> None:
    with pytest.raises(Unreadable, match="longer than 1 s of computing"):
        run_limited(command, 1)


@linux
def test_a_program_that_waits_blames_nothing() -> None:
    with pytest.raises(NotInTime, match=r"sleep was not over after 0\.2 s"):
        run_limited(["sleep", "1000"], 30, patience=0.2)


def test_a_program_that_is_killed_blames_nothing() -> None:
    with pytest.raises(NotInTime, match="was killed"):
        run_limited(["sh", "-c", "kill -9 $$"], 30)


def test_a_program_that_is_not_there_says_so() -> None:
    with pytest.raises(FileNotFoundError):
        run_limited(["/no/such/program"], 30)


def test_where_nothing_limits_another_process_all_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("resource.prlimit", raising=False)
    with pytest.raises(Unreadable, match=r"sleep took longer than 0\.2 s"):
        run_limited(["sleep", "1000"], 0.2)
