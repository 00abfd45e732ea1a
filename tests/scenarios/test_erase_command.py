"""`imageapi erase` from outside: it tells what will go, asks, refuses beside a server, and can be said again."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.store.locks import alone, serving
from domain.base.actor import CLI
from domain.base.errors import Conflict, Unavailable
from domain.commands.persons import create_person
from tests.scenarios.serving import COMMAND, ROOT, imageapi
from tests.scenarios.serving import serving as served

NAME = "Zoë Quimby"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one person."""
    data = tmp_path / "data"
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    with ledger.transaction(CLI) as uow:
        create_person(uow, NAME, notes="met her in Väinölä")
    ledger.close()
    return data


def holds_name(data: Path) -> bool:
    return any(NAME.encode() in path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_without_a_terminal_it_tells_what_would_go_and_wants_yes(data: Path) -> None:
    said = imageapi(data, "erase", "person", "1")
    assert said.returncode == 1
    assert "say --yes" in said.stderr
    assert f"wherever the history says {NAME}" in said.stdout
    assert "0 faces on 0 photos, with 0 vectors" in said.stdout
    assert "earlier exports and backups are not touched" in said.stdout
    assert holds_name(data)


def test_with_yes_it_erases_and_says_so_and_verify_is_content(data: Path) -> None:
    assert holds_name(data)
    said = imageapi(data, "erase", "person", "1", "--yes")
    assert (said.returncode, said.stdout.splitlines()[-1]) == (0, "erased person 1 (0 faces)")
    assert not holds_name(data)
    assert imageapi(data, "verify").stdout.startswith("equal")
    again = imageapi(data, "erase", "person", "1", "--yes")
    assert (again.returncode, "erased already" in again.stderr) == (1, True)


@pytest.mark.parametrize(("answer", "goes"), [("yes\n", True), ("no\n", False), ("\x04", False)])
def test_on_a_terminal_it_asks(data: Path, answer: str, *, goes: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "IMAGEAPI_DATA": str(data)}
    words = [*COMMAND, "erase", "person", "1"]
    with subprocess.Popen(
        words, env=environment, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        said, refused = process.communicate(timeout=60)
        os.close(ours)
    assert b"Type yes to erase it" in said + refused
    assert (process.returncode == 0) == goes
    assert (b"nothing was erased" in refused) == (not goes)
    assert holds_name(data) == (not goes)


def test_what_cannot_be_erased_is_said_in_words(data: Path) -> None:
    for words, reason in (
        (("person", "9"), "there is no person 9"),
        (("content", "abc"), "64 hexadecimal digits"),
        (("content", "ab" * 32), "no face to erase"),
    ):
        said = imageapi(data, "erase", *words, "--yes")
        assert (said.returncode, reason in said.stderr) == (1, True), said.stderr


def test_beside_a_server_nothing_is_erased_and_the_error_says_to_stop_it(data: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with served(data, photos, FACE_ENGINE="off"):
        said = imageapi(data, "erase", "person", "1", "--yes")
    assert said.returncode == 1
    assert "a server is running on this database: stop it" in said.stderr
    assert holds_name(data)
    assert imageapi(data, "erase", "person", "1", "--yes").returncode == 0
    assert not holds_name(data)


def keep_apart(database: Database) -> None:
    """Servers share a database, an erasure has it alone, and both give it back."""
    refused = pytest.raises(Conflict, match="a server is running")
    with serving(database), serving(database), refused, alone(database):
        pytest.fail("alone beside a server")
    with alone(database), pytest.raises(Unavailable, match="an erasure is at work"), serving(database):
        pytest.fail("serving beside an erasure")
    with serving(database):
        pass


def test_servers_and_erasures_keep_apart_on_sqlite(data: Path) -> None:
    database = Database(f"sqlite:///{data}/imageapi.db")
    keep_apart(database)
    database.close()


def test_servers_and_erasures_keep_apart_on_postgresql(fresh_postgres_url: str) -> None:
    database = Database(fresh_postgres_url)
    keep_apart(database)
    database.close()
