"""A side file bears whatever stands in its place: it is thrown away where it is damaged, and never where it is busy."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.side_files.side_file import SideFile, scalar

SCHEMA = "CREATE TABLE IF NOT EXISTS word (text TEXT PRIMARY KEY);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "words.db"


@pytest.fixture
def file(path: Path) -> Iterator[SideFile]:
    """A file of words in its second format."""
    opened = SideFile(path, SCHEMA, 2)
    yield opened
    opened.close()


def add(file: SideFile, *words: str) -> None:
    """Put words into it."""
    file.transact(lambda book: book.executemany("INSERT INTO word VALUES (?)", [(word,) for word in words]))


def words(file: SideFile) -> list[str]:
    """What is in it."""
    return file.transact(lambda book: [word for (word,) in book.execute("SELECT text FROM word ORDER BY text")])


def written_by(path: Path, *scripts: str) -> None:
    """A database of somebody else at its place."""
    with closing(sqlite3.connect(path)) as connection:
        for script in scripts:
            connection.executescript(script)


def test_what_was_put_in_is_there_after_it_was_closed(file: SideFile, path: Path) -> None:
    add(file, "lake", "boat")
    file.close()
    assert words(file) == ["boat", "lake"]
    other = SideFile(path, SCHEMA, 2)
    assert words(other) == ["boat", "lake"]
    other.close()


def test_it_is_made_with_its_folder_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "words.db"
    file = SideFile(path, SCHEMA, 2)
    assert not path.parent.exists(), "looking makes none"
    add(file, "lake")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    file.close()


def _no_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 500)


def _of_an_older_format(path: Path) -> None:
    written_by(path, "CREATE TABLE word (text TEXT, spoken INTEGER); PRAGMA user_version=1;")


def _of_a_newer_format(path: Path) -> None:
    written_by(path, "CREATE TABLE word (letters BLOB); PRAGMA user_version=3;")


def _with_a_page_overwritten(path: Path) -> None:
    written_by(path, SCHEMA, "INSERT INTO word VALUES ('lake'); PRAGMA user_version=2;")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize("spoil", [_no_database, _of_an_older_format, _of_a_newer_format, _with_a_page_overwritten])
def test_a_file_that_is_foreign_of_another_format_or_damaged_is_begun_anew(
    file: SideFile, path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(path)
    path.with_name("words.db-wal").write_bytes(b"of the file before")
    assert words(file) == []
    add(file, "boat")
    file.close()
    assert words(file) == ["boat"]


def test_a_file_without_a_format_keeps_what_is_in_it(file: SideFile, path: Path) -> None:
    written_by(path, SCHEMA, "INSERT INTO word VALUES ('lake')")
    assert words(file) == ["lake"]
    assert file.transact(lambda book: scalar(book.execute("PRAGMA user_version"))) == 2


def test_a_file_that_is_damaged_while_it_is_open_is_begun_anew(file: SideFile) -> None:
    add(file, "lake")

    def damaged(book: sqlite3.Connection) -> list[str]:
        found = [word for (word,) in book.execute("SELECT text FROM word")]
        if found:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return found

    assert file.transact(damaged) == []
    assert words(file) == []


def test_a_file_that_another_process_writes_is_not_thrown_away(file: SideFile, path: Path) -> None:
    add(file, "lake")
    file.transact(lambda book: book.execute("PRAGMA busy_timeout=50").fetchall())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            add(file, "boat")
        other.execute("ROLLBACK")
    assert words(file) == ["lake"]


def test_what_fails_halfway_leaves_nothing(file: SideFile) -> None:
    def fails(book: sqlite3.Connection) -> None:
        book.execute("INSERT INTO word VALUES ('lake')")
        raise LookupError

    with pytest.raises(LookupError):
        file.transact(fails)
    assert words(file) == []


def test_threads_and_files_of_other_processes_take_turns(file: SideFile, path: Path) -> None:
    other = SideFile(path, SCHEMA, 2)

    def fill(one: SideFile, number: int) -> None:
        for each in range(50):
            add(one, f"{number} {each}")

    threads = [threading.Thread(target=fill, args=(one, n)) for n, one in enumerate((file, file, other, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(words(file)) == len(words(other)) == 200
    other.close()


def test_what_is_deleted_stays_nowhere_once_it_is_written_anew(path: Path) -> None:
    file = SideFile(path, SCHEMA, 2, overwrites_deleted=True)
    add(file, "Zoë Quimby")
    file.transact(lambda book: book.execute("DELETE FROM word"))
    file.rewrite()
    assert "Zoë Quimby".encode() not in b"".join(each.read_bytes() for each in path.parent.glob("words.db*"))
    file.close()


def test_the_first_value_of_no_row_is_none(file: SideFile) -> None:
    add(file, "boat", "lake")
    assert file.transact(lambda book: scalar(book.execute("SELECT text FROM word ORDER BY text"))) == "boat"
    assert file.transact(lambda book: scalar(book.execute("SELECT text FROM word WHERE text = 'x'"))) is None
