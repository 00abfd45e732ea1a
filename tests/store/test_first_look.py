"""What is said of a database that is not ours to write in, or does not answer, before anything is written."""

from __future__ import annotations

import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.store.database import Database
from adapters.store.first_look import REACH_SECONDS, require_ours
from adapters.store.ledger import Ledger
from domain.base.errors import RuleViolation, Unavailable


def look(url: str) -> None:
    """The first look at the database of this URL."""
    database = Database(url)
    try:
        require_ours(database)
    finally:
        database.close()


def test_an_empty_file_one_that_is_not_there_and_a_log_of_ours_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    look(f"sqlite:///{file}")
    Ledger(Database(f"sqlite:///{file}")).close()
    look(f"sqlite:///{file}")


@pytest.mark.parametrize("tables", ["users (id)", "log_events (id, message)"])
def test_a_file_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path, tables: str) -> None:
    file = tmp_path / "theirs.db"
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute(f"CREATE TABLE {tables}")
    before, name = file.read_bytes(), tables.partition(" ")[0]
    with pytest.raises(RuleViolation, match=rf"theirs.db holds tables of another program \({name}\)"):
        look(f"sqlite:///{file}")
    assert (file.read_bytes(), [path.name for path in tmp_path.iterdir()]) == (before, ["theirs.db"])


def test_of_many_tables_some_are_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as theirs:
        for number in range(7):
            theirs.execute(f"CREATE TABLE t{number} (id)")
    with pytest.raises(RuleViolation, match=r"\(t0, t1, t2, t3, t4 and 2 more\)"):
        look(f"sqlite:///{tmp_path}/theirs.db")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all, but long enough to be read as the head of one" * 10)
    with pytest.raises(Unavailable, match=r"notes.txt cannot be opened: file is not a database"):
        look(f"sqlite:///{tmp_path}/notes.txt")


def test_a_postgres_that_is_empty_or_ours_is_taken_and_one_of_another_program_is_refused(
    fresh_postgres_url: str, furnished_postgres_url: str
) -> None:
    look(fresh_postgres_url)
    look(furnished_postgres_url)
    theirs = Database(fresh_postgres_url)
    with theirs.writing() as connection:
        connection.execute(text("CREATE TABLE posts (id integer)"))
        connection.execute(text("CREATE VIEW titles AS SELECT id FROM posts"))
    theirs.close()
    with pytest.raises(RuleViolation, match=r"holds tables of another program \(posts, titles\)"):
        look(fresh_postgres_url)


def test_a_postgres_that_refuses_or_does_not_answer_is_named_in_one_line_in_time() -> None:
    with pytest.raises(Unavailable, match=r"photos at 127.0.0.1:1 cannot be reached: .*refused") as told:
        look("postgresql+psycopg://me:secret@127.0.0.1:1/photos")
    assert "\n" not in str(told.value)
    assert "secret" not in str(told.value)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="no answer within"):
            look(f"postgresql+psycopg://me@127.0.0.1:{silent.getsockname()[1]}/photos")
    assert time.monotonic() - began < REACH_SECONDS + 60  # it is not the minutes that a connection may take
