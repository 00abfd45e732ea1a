"""A server process ends when it is told to, whatever hangs in it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.stopping import stop

ROOT = Path(__file__).resolve().parents[2]
SERVER = """
import threading, time
from adapters.http.server import run_web

async def app(scope, receive, send):
    pass

def hang():
    time.sleep(600)

try:
    run_web(app, "127.0.0.1", 0, lambda url: print(url, flush=True), stop_seconds={seconds})
finally:
    print("stopping", flush=True)
    {last}
"""


def stopped(last: str, seconds: float, how: signal.Signals) -> tuple[int, str, str]:
    """The exit status, output and complaints of a server that was told to stop and does `last` then."""
    script = SERVER.format(seconds=seconds, last=last)
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(how)
        said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_server_whose_work_hangs_ends_all_the_same_and_says_where_it_hung(how: signal.Signals) -> None:
    status, said, complained = stopped("hang()", 1, how)
    assert status == 1
    assert said == "stopping\n"
    assert "did not stop within 1 s" in complained
    assert "in hang" in complained


def test_a_server_that_stops_in_time_comes_back_by_an_interrupt() -> None:
    status, said, complained = stopped("pass", 30, signal.SIGTERM)
    assert status == -signal.SIGINT  # what Python makes of a KeyboardInterrupt that nobody catches
    assert said == "stopping\n"
    assert "did not stop" not in complained


def test_a_tests_server_that_had_to_be_ended_is_told_of() -> None:
    script = SERVER.format(seconds=1, last="hang()")
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        said: list[str] = []
        listener = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
        listener.start()
        with pytest.warns(UserWarning, match=r"(?s)a server had to be ended.*in hang"):
            stop(process, said, listener, signal.SIGTERM)
