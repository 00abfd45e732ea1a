"""Append and read tables change together or not at all, on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.store.generations import rebuild, verify
from adapters.store.ledger import Ledger
from adapters.store.transaction import Transaction
from domain.base.actor import CLI
from domain.base.errors import Conflict, Unavailable
from domain.commands.persons import create_person, merge_persons
from domain.events.person import PersonCreated
from domain.undo.operations import undo

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys, threading
sys.path.insert(0, {root!r})
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.commands.persons import create_person
ledger = Ledger(Database({url!r}))
def write(name):
    for number in range({count}):
        with ledger.transaction(CLI) as uow:
            create_person(uow, f"{{name}} {{number}}")
threads = [threading.Thread(target=write, args=(f"{name} {{t}}",)) for t in range({threads})]
[t.start() for t in threads]
[t.join() for t in threads]
ledger.close()
"""


def named(ledger: Ledger, name: str) -> int:
    with ledger.transaction(CLI) as uow:
        return create_person(uow, name)


def test_a_constraint_of_the_read_tables_refuses_the_whole_command(ledger: Ledger) -> None:
    named(ledger, "Anna")
    head = ledger.head()

    def forgetful(uow: Transaction) -> None:
        uow.begin("test", "a command that forgot to ask whether the name is taken")
        uow.append(PersonCreated(uow.new_id("person"), "Bob"), PersonCreated(uow.new_id("person"), "ANNA"))

    with pytest.raises(Conflict):
        in_transaction(ledger, forgetful)
    assert ledger.head() == head
    assert named(ledger, "Bob") == 2, "neither the event nor the id was used"
    assert verify(ledger) == []


def in_transaction(ledger: Ledger, command: Callable[[Transaction], None]) -> None:
    with ledger.transaction(CLI) as uow:
        command(uow)


def test_an_exception_in_a_command_leaves_nothing(ledger: Ledger) -> None:
    def failing(uow: Transaction) -> None:
        create_person(uow, "Anna")
        raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"):
        in_transaction(ledger, failing)
    assert ledger.head() == 0
    with ledger.reading(CLI) as tables:
        assert dict(tables.persons_with_faces.names()) == {}


def test_an_event_before_the_operation_says_what_it_is_is_a_mistake(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError, match="before the operation"), ledger.transaction(CLI) as uow:
        uow.append(PersonCreated(1, "Anna"))


def test_positions_have_no_gaps_and_streams_no_twins_under_many_writers(ledger: Ledger, url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER.format(root=str(ROOT), url=url, count=8, name=name, threads=3)])
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.wait(120) == 0
    events = ledger.events(0, 1000)
    assert [recorded.position for recorded in events] == list(range(1, 2 * 2 * 3 * 8 + 1))
    assert len({(recorded.stream, recorded.version) for recorded in events}) == len(events)
    with ledger.reading(CLI) as tables:
        assert len(tables.persons_with_faces.names()) == 48
    assert verify(ledger) == []


def test_a_writer_killed_at_any_moment_leaves_a_whole_log(ledger: Ledger, url: str) -> None:
    for number in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER.format(root=str(ROOT), url=url, count=10_000, name=f"k{number}", threads=2)]
        )
        before = ledger.head()
        waited = threading.Event()
        for _ in range(200):
            if ledger.head() > before + 5 * number:
                break
            waited.wait(0.05)
        process.kill()
        process.wait()
    events = ledger.events(0, 100_000)
    assert [recorded.position for recorded in events] == list(range(1, len(events) + 1))
    assert verify(ledger) == []
    named(ledger, "after all")


def test_versions_of_a_stream_rise_by_one(ledger: Ledger) -> None:
    person, other = named(ledger, "Anna"), named(ledger, "Bob")
    with ledger.transaction(CLI) as uow:
        merge_persons(uow, person, other)
    with ledger.transaction(CLI) as undoing:
        undo(undoing, uow.operation_id or 0)
    versions = [r.version for r in ledger.events(0, 100) if r.stream == f"person-{person}"]
    assert versions == [1, 2, 3]


def test_time_never_goes_back_in_the_log_though_the_clock_does(url: str) -> None:
    times = iter([2_000_000_000, 1_000_000_000, 3_000_000_000])
    ledger = Ledger(Database(url), lambda: next(times))
    for name in ("Anna", "Bob", "Carol"):
        named(ledger, name)
    recorded = [event.recorded_at for event in ledger.events(0, 100)]
    assert recorded == sorted(recorded)
    assert recorded[0] == recorded[2] == 2_000_000
    ledger.close()


def test_a_dry_run_tells_the_rows_before_and_after_and_leaves_no_trace(ledger: Ledger) -> None:
    person, other = named(ledger, "Anna"), named(ledger, "Bob")
    head = ledger.head()
    with ledger.transaction(CLI, dry_run=True) as uow:
        merge_persons(uow, person, other)
        changes = {change.id: change for change in uow.rehearsed()}
    assert changes[person].before.merged_into is None
    assert changes[person].after.merged_into == other
    assert ledger.head() == head
    with ledger.reading(CLI) as tables:
        view = tables.persons_with_faces.view(person)
    assert view is not None
    assert view.merged_into is None


def test_tables_that_another_version_left_behind_catch_up_before_the_next_command(ledger: Ledger) -> None:
    named(ledger, "Anna")
    with ledger.database.writing() as connection:
        live = ledger.live(connection)
        connection.execute(live.tables.persons.table.delete())
        connection.execute(live.tables.operation_persons.table.delete())
        connection.execute(live.tables.operations.table.delete())
        connection.exec_driver_sql("UPDATE read_generations SET position = 0")
    named(ledger, "Bob")
    assert verify(ledger) == []


def test_rebuilding_while_others_write_loses_nothing(ledger: Ledger) -> None:
    for number in range(60):
        named(ledger, f"before {number}")
    failures: list[Exception] = []

    def write() -> None:
        try:
            for number in range(40):
                named(ledger, f"meanwhile {number}")
        except Exception as error:  # noqa: BLE001 - the test tells it
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        rebuild(ledger)
    writer.join()
    assert failures == []
    assert verify(ledger) == []
    with ledger.reading(CLI) as tables:
        assert len(tables.persons_with_faces.names()) == 100
    with ledger.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT state FROM read_generations").all()
    assert [row[0] for row in rows] == ["live"], "nothing is left of the old tables"


def test_a_rebuild_that_was_interrupted_is_gone_on_with(ledger: Ledger) -> None:
    for number in range(30):
        named(ledger, f"person {number}")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(ledger, interrupt)
    named(ledger, "meanwhile")
    assert rebuild(ledger).events == ledger.head()
    assert verify(ledger) == []


def test_verify_names_a_row_that_was_changed_added_or_taken_by_hand(ledger: Ledger) -> None:
    for name in ("Anna", "Bob", "Carol"):
        named(ledger, name)
    with ledger.database.writing() as connection:
        table = ledger.live(connection).tables.persons.table
        connection.execute(table.update().where(table.c.id == 1).values(name="Mallory"))
        connection.execute(table.update().where(table.c.id == 2).values(id=22, canonical_id=22))
        pairs = ledger.live(connection).tables.operation_persons.table
        connection.execute(pairs.delete())
    said = sorted(str(difference) for difference in verify(ledger))
    assert "persons 1: name is 'Mallory' live and 'Anna' in the replay" in said
    assert "persons 2: only in the replay" in said
    assert "persons 22: only live" in said
    assert sum(line.startswith("operation_persons") for line in said) == 3


def test_tables_of_another_version_are_not_touched_and_not_served(ledger: Ledger) -> None:
    named(ledger, "Anna")
    with ledger.database.writing() as connection:
        connection.exec_driver_sql("UPDATE read_generations SET fingerprint = 'older'")
    assert not ledger.is_ready()
    with pytest.raises(Unavailable, match="being built"), ledger.reading(CLI):
        pass
    rebuild(ledger)
    assert ledger.is_ready()
    named(ledger, "Bob")
    with ledger.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT fingerprint, state, position FROM read_generations").all()
    assert sorted((row[0] == "older", row[1]) for row in rows) == [(False, "live"), (True, "live")]


@pytest.mark.parametrize("ids", [range(1, 3), range(1, 60)])
def test_a_row_that_is_there_already_is_refused_by_itself_and_among_many(ledger: Ledger, ids: range) -> None:
    """PostgreSQL takes many rows by another way than a few."""
    named(ledger, "Anna")

    def doubling(uow: Transaction) -> None:
        uow.begin("test", "persons with ids that were not asked for")
        uow.append(*(PersonCreated(id_, f"person {id_}") for id_ in ids))

    with pytest.raises(Conflict, match="the record says otherwise"):
        in_transaction(ledger, doubling)
    assert named(ledger, "Bob") == 2
    assert verify(ledger) == []


def test_many_rows_at_once_keep_every_value_as_it_is(ledger: Ledger) -> None:
    names = ["tab\tand back\\slash", "\\N", "naïve 🙂", "quote ' \" ;", "{1,2}", *(f"person {n}" for n in range(20))]
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "named many")
        for_ids = uow.new_ids("person", len(names))
        uow.append(
            *(PersonCreated(i, n, f"line\nof {n}\r", None, i % 2 == 0) for i, n in zip(for_ids, names, strict=True))
        )
    with ledger.reading(CLI) as tables:
        views = tables.persons_with_faces.views(list(for_ids))
    assert [(view.name, view.notes, view.birth_date, view.hidden) for view in views] == [
        (name, f"line\nof {name}\r", None, id_ % 2 == 0) for id_, name in zip(for_ids, names, strict=True)
    ]
    assert [r.event.name for r in ledger.events(0, 100) if isinstance(r.event, PersonCreated)] == names


def test_postgresql_knows_how_large_tables_became_without_waiting_for_its_own_look(fresh_postgres_url: str) -> None:
    ledger = Ledger(Database(fresh_postgres_url))
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "named many")
        uow.append(*(PersonCreated(id_, f"person {id_}") for id_ in uow.new_ids("person", 1000)))
    with ledger.database.reading() as connection:
        name = ledger.live(connection).tables.persons.table.name
        rows = connection.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = %s", (name,)).scalar_one()
    assert rows == 1000
    ledger.close()
