"""A real server in a process of its own, and a client that is signed in to it."""

from __future__ import annotations

import functools
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import httpx

from adapters.accounts.passwords import Passwords
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from app import main
from domain.base.actor import CLI
from domain.commands.accounts import add_user
from tests.stopping import TELLS_WHERE, stop

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "import sys; from app import main; sys.exit(main())"]
PASSWORD = "a few good words"


class Served:
    """A server that runs: its client, what it wrote to standard error so far, and the id of its process."""

    def __init__(self, client: httpx.Client, lines: list[str], pid: int) -> None:
        self.client = client
        self.lines = lines
        self.pid = pid


FORKS: Final = multiprocessing.get_context("forkserver")
"""Makes processes that need not import the program anew, which takes longer than most commands do."""
FORKS.set_forkserver_preload(["app", __name__, "tests.scenarios.warm"])


def imageapi(data: Path, *words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("in", "out", "err")]
        streams[0].write_text(given)
        process = FORKS.Process(target=_run, args=(words, _environment(data, environment), streams))
        process.start()
        process.join()
        out, err = (path.read_text(errors="replace") for path in streams[1:])
    assert process.exitcode is not None
    return subprocess.CompletedProcess(words, process.exitcode, out, err)


def _run(words: Sequence[str], environ: dict[str, str], streams: Sequence[Path]) -> None:
    """The life of such a process: what `imageapi` does where it is called from the root of the checkout."""
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - they end with it
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["imageapi", *words]
    sys.exit(main())


@contextmanager
def serving(data: Path, *folders: Path, command: Sequence[str] = COMMAND, **environment: str) -> Iterator[Served]:
    """Serve folders until the block ends; the client acts as the admin `ann`."""
    _add_ann(data)
    words = [*command, "serve", *map(str, folders)]
    process = subprocess.Popen(
        words, env=_environment(data, environment), cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    assert process.stderr is not None
    lines: list[str] = []
    reader = threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True)
    try:
        base = _address(process.stderr, lines)
        reader.start()
        with httpx.Client(base_url=base, trust_env=False, timeout=30) as client:
            answer = client.post("/login", json={"username": "ann", "password": PASSWORD}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield Served(client, lines, process.pid)
    finally:
        stop(process, lines, reader, signal.SIGINT)
        process.stderr.close()


def _add_ann(data: Path) -> None:
    """Give a data folder without users its admin, as `imageapi user add` does, but in no process of its own."""
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    try:
        with ledger.reading(CLI) as tables:
            if tables.users.all():
                return
        with ledger.transaction(CLI) as uow:
            add_user(uow, "ann", "admin", _stored_password(), None)
    finally:
        ledger.close()


@functools.cache
def _stored_password() -> str:
    return Passwords().hash(PASSWORD)


def listed(served: Served, **query: str) -> list[dict[str, Any]]:
    """Every file that the server tells of, over all pages of the list."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = served.client.get("/photos", params={"limit": "500", **query, **cursor})
        page = answer.raise_for_status().json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


def _address(stderr: IO[str], lines: list[str]) -> str:
    for line in stderr:
        lines.append(line)
        found = re.search(r"serving at (http://\S+)", line)
        if found:
            return found[1]
    raise AssertionError(f"the server ended before it served: {lines}")


def _environment(data: Path, more: dict[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("FACE_", "IMAGEAPI_"))}
    return {**plain, "IMAGEAPI_DATA": str(data), "BIND_URL": "127.0.0.1:0", **TELLS_WHERE, **more}
