"""What a database cannot do is told in plain words, changes nothing, and is over once the database can again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from adapters.store.transaction import Transaction
from domain.base.actor import CLI
from domain.base.errors import Conflict, RuleViolation, Unavailable
from domain.base.geometry import Box
from domain.commands.persons import create_person
from domain.events.face import FaceAssigned, FaceDrawn, Why
from domain.events.person import PersonCreated, PersonMerged


def named(ledger: Ledger, name: str) -> int:
    with ledger.transaction(CLI) as uow:
        return create_person(uow, name)


def in_transaction(ledger: Ledger, *steps: Callable[[Transaction], object]) -> None:
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "tried something")
        for step in steps:
            step(uow)


def test_what_only_the_commit_finds_wrong_is_refused_as_a_whole(ledger: Ledger) -> None:
    named(ledger, "Anna")
    head = ledger.head()
    heard: list[int] = []
    ledger.on_commit(heard.append)
    drawn = FaceDrawn(1, b"h" * 32, Box(0.1, 0.1, 0.2, 0.2), "m")
    nobodys = FaceAssigned(1, 99, Why("user"))
    with pytest.raises(Conflict, match="the record says otherwise"):
        in_transaction(ledger, lambda uow: uow.append(drawn, nobodys))
    assert ledger.head() == head
    assert heard == [], "nobody is told of what did not happen"
    with ledger.reading(CLI) as tables:
        assert tables.faces.get(1) is None
    assert named(ledger, "Bob") == 2
    assert verify(ledger) == []


def test_a_person_merged_into_itself_is_refused(ledger: Ledger) -> None:
    anna = named(ledger, "Anna")
    with pytest.raises(Conflict):
        in_transaction(ledger, lambda uow: uow.append(PersonMerged(anna, anna)))
    assert verify(ledger) == []


def test_an_attempt_that_fails_takes_back_its_own_events_only(ledger: Ledger) -> None:
    def attempt() -> None:
        with uow.attempt():
            uow.append(PersonCreated(uow.new_id("person"), "Bob"), PersonCreated(uow.new_id("person"), "anna"))

    with ledger.transaction(CLI) as uow:
        create_person(uow, "Anna")
        with pytest.raises(Exception, match=r"(?i)unique"):
            attempt()
        uow.append(PersonCreated(uow.new_id("person"), "Carol"))
    with ledger.reading(CLI) as tables:
        assert sorted(tables.persons_with_faces.names().values()) == ["Anna", "Carol"]
    positions = [recorded.position for recorded in ledger.events(0, 10)]
    assert positions == [1, 2, 3]
    assert verify(ledger) == []


def test_a_number_that_the_database_cannot_hold_breaks_a_rule(fresh_postgres_url: str) -> None:
    ledger = Ledger(Database(fresh_postgres_url))
    with pytest.raises(RuleViolation, match="out of the range"):
        in_transaction(
            ledger,
            lambda uow: create_person(uow, "Anna"),
            lambda uow: uow.connection.execute(text("SELECT 9223372036854775807 + 1")),
        )
    assert ledger.head() == 0
    ledger.close()


def test_an_error_of_the_database_shows_no_statement_and_no_path(ledger: Ledger) -> None:
    named(ledger, "Anna")
    with pytest.raises(Unavailable) as caught, ledger.reading(CLI) as tables:
        tables.connection.execute(text("SELECT secret FROM no_such_table"))
    assert str(caught.value) == "the database cannot answer now; the log says why"
    assert named(ledger, "Bob") == 2, "and goes on"


def test_a_server_that_went_away_is_unavailable_and_found_again(fresh_postgres_url: str) -> None:
    ledger = Ledger(Database(fresh_postgres_url))
    named(ledger, "Anna")
    with pytest.raises(Unavailable):
        in_transaction(
            ledger,
            lambda uow: create_person(uow, "Bob"),
            lambda uow: end_connections(fresh_postgres_url),
            lambda uow: create_person(uow, "Carol"),
        )
    assert named(ledger, "Dora") == 2, "the next one takes a new connection, and nothing of the last one stands"
    assert verify(ledger) == []

    def read() -> None:
        with ledger.reading(CLI) as tables:
            end_connections(fresh_postgres_url)
            tables.persons_with_faces.names()

    with pytest.raises(Unavailable):
        read()
    with ledger.reading(CLI) as tables:
        assert dict(tables.persons_with_faces.names()) == {1: "Anna", 2: "Dora"}
    ledger.close()


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    with pytest.raises(Unavailable):
        Ledger(database)
    database.close()


def end_connections(url: str) -> None:
    """What a restart of the server does to whoever is connected."""
    server = make_url(url).set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [make_url(url).database]
        )


def test_a_full_disk_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/imageapi.db"))
    named(ledger, "Anna")
    with ledger.database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    head = ledger.head()
    crowd = [PersonCreated(number, f"person {number}", "x" * 500) for number in range(10, 2000)]
    with pytest.raises(Unavailable):
        in_transaction(ledger, lambda uow: uow.append(*crowd))
    assert ledger.head() == head
    with ledger.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert named(ledger, "Bob") == 2
    assert verify(ledger) == []
    ledger.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "imageapi.db").write_bytes(b"a photo, perhaps" * 1000)
    database = Database(f"sqlite:///{tmp_path}/imageapi.db")
    with pytest.raises(Unavailable):
        Ledger(database)
    database.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match=f"{tmp_path}/file/data/imageapi.db"):
        Database(f"sqlite:///{tmp_path}/file/data/imageapi.db")


def test_nobody_else_may_read_a_new_database(tmp_path: Path) -> None:
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/data/imageapi.db"))
    named(ledger, "Anna")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert modes.pop("imageapi.db") == 0o600
    assert set(modes.values()) <= {0o600}, "nor what SQLite puts beside it"
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    ledger.close()


def test_readers_go_on_while_someone_writes_and_do_not_see_it_yet(ledger: Ledger) -> None:
    named(ledger, "Anna")
    with ledger.transaction(CLI) as uow:
        create_person(uow, "Bob")
        seen: list[int] = []

        def read() -> None:
            with ledger.reading(CLI) as tables:
                seen.append(len(tables.persons_with_faces.names()))

        reader = threading.Thread(target=read)
        reader.start()
        reader.join()
        assert seen == [1]
        assert sorted(uow.persons_with_faces.names().values()) == ["Anna", "Bob"], "a command sees its own writes"
    with ledger.reading(CLI) as tables:
        assert len(tables.persons_with_faces.names()) == 2


def test_one_reading_is_one_snapshot(ledger: Ledger) -> None:
    named(ledger, "Anna")
    with ledger.reading(CLI) as tables:
        assert len(tables.persons_with_faces.names()) == 1
        named(ledger, "Bob")
        assert len(tables.persons_with_faces.names()) == 1
        assert tables.faces.stats(None).persons == 1
