"""A real server notices what happens in its libraries, natively and by polling, and its tables come to say so."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.background.scan import NOTICED_SETTLE_SECONDS
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from tests.scenarios.conftest import jpeg
from tests.scenarios.serving import Served, imageapi, serving
from tests.waiting import until

MODES = ["native", "poll"]
BODY = jpeg("teal", (32, 24))
FOREIGN = {"id", "library_id", "discovered_at"}
"""Columns in which a fresh index differs from a lived one."""


class Watched:
    """A library under a running server."""

    def __init__(self, served: Served, root: Path, data: Path) -> None:
        self.served, self.root, self.data = served, root, data
        self.longest_seconds = 60
        self.ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
        self.written = 0

    def write(self, path: str) -> None:
        """Write a picture of bytes that no other one has; every one has the same size."""
        self.written += 1
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(BODY + self.written.to_bytes(4, "big"))

    def rows(self, *columns: str) -> dict[str, tuple[Any, ...]]:
        """What the tables hold of present files, by path."""
        return rows_of(self.ledger, *columns)

    def waits(self) -> None:
        """Wait until the tables hold what is on the disk: the same paths, bytes, sizes and times."""
        expected = on_disk(self.root)
        self.waits_for(lambda: self.rows("content_hash", "size", "mtime_ns") == expected)

    def waits_for(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; what the server said tells why where it never does."""
        until(holds, lambda: "".join(self.served.lines[-40:]), seconds=self.longest_seconds, interval=0.1)

    def library(self) -> dict[str, Any]:
        """What the server says of the library."""
        said: dict[str, Any] = self.served.client.get("/libraries").raise_for_status().json()["items"][0]
        return said

    def watching(self) -> str:
        """How the server says that it watches the library."""
        return str(self.library()["watched"])


def on_disk(root: Path) -> dict[str, tuple[Any, ...]]:
    """Hash, size and time of each file, by path."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            facts = path.stat()
            digest = hashlib.sha256(path.read_bytes()).digest()
            found[path.relative_to(root).as_posix()] = (digest, facts.st_size, facts.st_mtime_ns)
    return found


def rows_of(ledger: Ledger, *columns: str) -> dict[str, tuple[Any, ...]]:
    """The present rows of `media` by path: these columns, or all that a fresh index has in common with a lived one."""
    with ledger.reading(CLI) as tables:
        table = tables.tables.media.table
        wanted = columns or [column.name for column in table.columns if column.name not in FOREIGN]
        statement = select(table.c.path, *(table.c[name] for name in wanted)).where(table.c.present)
        return {row[0]: tuple(row[1:]) for row in tables.connection.execute(statement)}


@contextmanager
def watched(folder: Path, mode: str, **environment: str) -> Iterator[Watched]:
    """A server that watches an empty library."""
    root, data = folder / "photos", folder / "data"
    root.mkdir(parents=True, exist_ok=True)
    interval = "1" if mode == "poll" else "3600"
    environment = {"FACE_ENGINE": "off", "WATCH_MODE": mode, "WATCH_QUICK_INTERVAL_SECONDS": interval, **environment}
    with serving(data, root, **environment) as served:
        here = Watched(served, root, data)
        try:
            wanted = {"native": "native", "poll": "polling"}.get(mode)
            here.waits_for(lambda: wanted is None or here.watching() == wanted)
            yield here
        finally:
            here.ledger.close()


def live(here: Watched, count: int) -> None:
    """Add, move, rename, rewrite and delete `count` files, with a wait for the tables after each."""
    for number in range(count):
        here.write(f"old/{number % 7}/{number:05}.jpg")
    here.waits()
    ids = {row[1]: row[0] for row in here.rows("id", "content_hash").values()}

    (here.root / "new").mkdir()
    (here.root / "old").rename(here.root / "new" / "moved as one")
    here.waits()
    for number in range(count):
        path = here.root / "new" / "moved as one" / str(number % 7) / f"{number:05}.jpg"
        path.rename(path.with_name(f"renamed {number}.jpg"))
    here.waits()
    assert {row[1]: row[0] for row in here.rows("id", "content_hash").values()} == ids, "a move keeps each id"

    for number in range(count):
        here.write(f"new/moved as one/{number % 7}/renamed {number}.jpg")
    here.waits()
    for number in range(0, count, 2):
        (here.root / "new" / "moved as one" / str(number % 7) / f"renamed {number}.jpg").unlink()
    here.waits()


def equals_a_fresh_index(here: Watched, folder: Path) -> None:
    """Index the tree anew and compare every column of every row."""
    said = imageapi(folder, "scan", str(here.root), FACE_ENGINE="off")
    assert said.returncode == 0, said.stderr
    ledger = Ledger(Database(f"sqlite:///{folder}/imageapi.db"))
    try:
        assert rows_of(ledger) == here.rows()
    finally:
        ledger.close()


@pytest.mark.parametrize("mode", MODES)
def test_files_added_moved_renamed_rewritten_and_deleted_come_to_be_as_a_fresh_index_has_them(
    tmp_path: Path, mode: str
) -> None:
    with watched(tmp_path, mode) as here:
        live(here, 300)
        equals_a_fresh_index(here, tmp_path / "fresh")


def test_a_picture_is_shown_once_it_is_whole_and_never_half(tmp_path: Path) -> None:
    with watched(tmp_path, "native") as here:
        with (here.root / "slow.jpg").open("wb") as file:
            file.write(BODY[:200])
            file.flush()
            here.write("other.jpg")
            here.waits_for(lambda: "other.jpg" in here.rows("id"))
            time.sleep(NOTICED_SETTLE_SECONDS)  # it stands still for longer than a file is given to settle
            here.write("another.jpg")
            here.waits_for(lambda: "another.jpg" in here.rows("id"))
            assert "slow.jpg" not in here.rows("id")
            file.write(BODY[200:])
        here.waits()
        assert here.rows("problem")["slow.jpg"] == (None,)


def test_a_rewrite_that_changes_neither_size_nor_time_is_seen_where_the_system_tells(tmp_path: Path) -> None:
    with watched(tmp_path, "native") as here:
        here.write("one.jpg")
        here.waits()
        facts = (here.root / "one.jpg").stat()
        here.write("one.jpg")
        os.utime(here.root / "one.jpg", ns=(facts.st_atime_ns, facts.st_mtime_ns))
        here.waits()
        assert here.rows("size", "mtime_ns")["one.jpg"] == (facts.st_size, facts.st_mtime_ns)


@pytest.mark.parametrize("mode", ["native", pytest.param("poll", marks=pytest.mark.long)])
def test_a_root_that_goes_costs_nothing_and_is_watched_again_when_it_returns(tmp_path: Path, mode: str) -> None:
    with watched(tmp_path, mode) as here:
        for number in range(5):
            here.write(f"{number}.jpg")
        here.waits()
        before = here.rows()
        here.root.rename(tmp_path / "away")
        here.waits_for(lambda: here.library()["offline"])
        assert "cannot be read" in here.library()["reason"]
        here.root.mkdir()  # where a disk was mounted its empty folder is left
        here.waits_for(lambda: "is its disk mounted" in (here.library()["reason"] or ""))
        here.root.rmdir()
        (tmp_path / "away").rename(here.root)
        here.waits_for(lambda: not here.library()["offline"])
        assert here.rows() == before
        assert all(" missing" not in line for line in here.served.lines)
        here.write("after.jpg")
        here.waits()


def test_a_file_moved_to_another_library_keeps_its_id(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    with watched(tmp_path, "native") as here:
        made = here.served.client.post("/libraries", json={"root": str(tmp_path / "more")}).raise_for_status().json()
        here.write("folder/one.jpg")
        here.write("two.jpg")
        here.waits()
        (before,) = here.rows("id")["folder/one.jpg"]
        (here.root / "folder").rename(tmp_path / "more" / "moved")
        here.waits_for(lambda: here.rows("id", "library_id").get("moved/one.jpg") == (before, made["id"]))
        assert "folder/one.jpg" not in here.rows("id")


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("mode", MODES)
def test_so_do_ten_thousand(tmp_path: Path, mode: str) -> None:
    with watched(tmp_path, mode) as here:
        here.longest_seconds = 900
        live(here, 10_000)
        equals_a_fresh_index(here, tmp_path / "fresh")
