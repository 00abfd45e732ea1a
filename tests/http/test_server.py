"""A server process ends when it is told to, whatever hangs in it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from adapters.http.server import MOST_HEAD_BYTES
from tests.http.real import really_served
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


async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An application that is never reached."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where uvicorn serves as imageapi sets it up."""
    with really_served(nothing) as base:
        yield int(base.rpartition(":")[2])


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /photos?q=" + b"x" * 16 * MOST_HEAD_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 16 * MOST_HEAD_BYTES + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
    ids=["address", "header", "host", "nul", "length", "nonsense"],
)
def test_what_uvicorn_itself_refuses_is_a_problem_too(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(sent)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"x-content-type-options: nosniff" in head.lower()
    told = json.loads(body)
    assert (told["status"], told["type"]) == (400, "/docs#bad-request")
    assert "at most 64 KB" in told["detail"]
