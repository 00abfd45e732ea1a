"""One rebuild or comparison at a time, killed or not, and tables dropped beside readers and in small steps."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from adapters.store import drop_generation, generations
from adapters.store.database import Database
from adapters.store.generations import prepare, rebuild, verify
from adapters.store.ledger import Ledger
from adapters.store.locks import rebuilding
from adapters.store.log import read_generations
from domain.base.actor import CLI
from domain.base.errors import Conflict
from domain.commands.persons import create_person, merge_persons
from domain.events.person import PersonBridged, PersonCreated
from domain.undo.operations import undo
from projections import verify as comparison

ROOT = Path(__file__).resolve().parents[2]
BUILDER = """
import sys
sys.path.insert(0, {root!r})
from adapters.store import generations
from adapters.store.database import Database
from adapters.store.ledger import Ledger
generations.FIRST_BATCH = generations.SMALLEST_BATCH = generations.LARGEST_BATCH = 20
ledger = Ledger(Database({url!r}))
generations.{act}(ledger)
"""


def named(ledger: Ledger, name: str) -> int:
    with ledger.transaction(CLI) as uow:
        return create_person(uow, name)


def crowd(ledger: Ledger, count: int) -> None:
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "named a crowd")
        uow.append(*(PersonCreated(id_, f"person {id_}") for id_ in uow.new_ids("person", count)))


def states(ledger: Ledger) -> list[str]:
    with ledger.database.reading() as connection:
        return list(connection.execute(select(read_generations.c.state)).scalars())


def tables(ledger: Ledger) -> set[str]:
    with ledger.database.reading() as connection:
        return set(connection.dialect.get_table_names(connection))


def test_tables_whose_rows_refer_to_one_another_go_in_small_steps(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_generation, "EMPTY_AT_ONCE", 2)
    first, *others = [named(ledger, f"person {number}") for number in range(5)]
    operations = [merged(ledger, other, first) for other in others]
    with ledger.transaction(CLI) as uow:
        undo(uow, operations[-1])
    before = len(tables(ledger))
    rebuild(ledger)
    assert verify(ledger) == []
    assert len(tables(ledger)) == before
    with pytest.raises(Conflict):
        bridge_to_nowhere(ledger)


def merged(ledger: Ledger, person: int, into: int) -> int:
    with ledger.transaction(CLI) as uow:
        merge_persons(uow, person, into)
        return uow.operation_id or 0


def bridge_to_nowhere(ledger: Ledger) -> None:
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "a bridge to nowhere")
        uow.append(PersonBridged(1, 99))


def test_a_reference_that_is_refused_at_the_end_of_a_command_hinders_no_later_one(ledger: Ledger) -> None:
    named(ledger, "Anna")
    head = ledger.head()
    for _ in range(2):
        with pytest.raises(Conflict):
            bridge_to_nowhere(ledger)
    assert ledger.head() == head
    assert named(ledger, "Bob") == 2
    assert verify(ledger) == []


def test_a_rebuild_or_comparison_beside_another_one_is_refused_and_changes_nothing(ledger: Ledger, url: str) -> None:
    named(ledger, "Anna")
    other = Ledger(Database(url))
    with rebuilding(other.database):
        for act in (rebuild, verify):
            with pytest.raises(Conflict, match="another rebuild or verify is at work"):
                act(ledger)
        assert states(ledger) == ["live"]
    other.close()
    rebuild(ledger)
    assert verify(ledger) == []


def test_a_server_that_starts_while_another_builds_its_tables_waits_for_them(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "ASK_AGAIN_SECONDS", 0.01)
    crowd(ledger, 30)
    with ledger.database.writing() as connection:
        connection.execute(update(read_generations).values(fingerprint="older"))
    other = Ledger(Database(url))
    waits = threading.Event()
    waiting = threading.Thread(target=prepare, args=(other, lambda done, total: waits.set()))
    with rebuilding(ledger.database):
        waiting.start()
        assert waits.wait(60)
        assert not other.is_ready()
    waiting.join(60)
    assert other.is_ready()
    assert verify(other) == []
    other.close()


@pytest.mark.parametrize("act", ["rebuild", "verify"])
def test_one_that_is_killed_lets_go_and_leaves_nothing_that_the_next_one_does_not_clear(
    ledger: Ledger, url: str, act: str
) -> None:
    crowd(ledger, 1000)
    before = len(tables(ledger))
    process = subprocess.Popen([sys.executable, "-c", BUILDER.format(root=str(ROOT), url=url, act=act)])
    waited = threading.Event()
    for _ in range(2000):
        if len(states(ledger)) > 1 and furthest_unfinished(ledger) > 100:
            break
        waited.wait(0.01)
    process.kill()
    process.wait()
    named(ledger, "meanwhile")
    assert rebuild(ledger).events == ledger.head()
    assert states(ledger) == ["live"]
    assert len(tables(ledger)) == before
    assert verify(ledger) == []


def furthest_unfinished(ledger: Ledger) -> int:
    t = read_generations
    with ledger.database.reading() as connection:
        return connection.execute(select(func.max(t.c.position)).where(t.c.state != "live")).scalar_one() or 0


def test_a_reader_keeps_its_tables_though_others_took_their_place(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_generation, "READERS_END_SECONDS", 0.1)
    named(ledger, "Anna")
    with ledger.reading(CLI) as snapshot:
        rebuild(ledger)
        named(ledger, "Bob")
        assert dict(snapshot.persons_with_faces.names()) == {1: "Anna"}
        assert snapshot.faces.stats(None).persons == 1
    rebuild(ledger)
    assert states(ledger) == ["live"], "what a reader kept is dropped by the next rebuild"


def test_unfinished_tables_of_another_version_are_cleared_and_live_ones_only_when_asked(ledger: Ledger) -> None:
    named(ledger, "Anna")
    with ledger.database.writing() as connection:
        for state in ("live", "building"):
            number = ledger.make_generation(connection, state).number
            connection.exec_driver_sql(f"CREATE TABLE only_of_that_version_{number} (id INTEGER)")
            older = update(read_generations).where(read_generations.c.number == number)
            connection.execute(older.values(fingerprint="older"))
    rebuild(ledger)
    assert sorted(states(ledger)) == ["live", "live"]
    assert {name for name in tables(ledger) if name.startswith("only_of")} == {"only_of_that_version_2"}
    rebuild(ledger, drop_old=True)
    assert states(ledger) == ["live"]
    assert not any(name.startswith("only_of") for name in tables(ledger))


def test_a_comparison_that_fails_leaves_no_tables(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    named(ledger, "Anna")
    before = tables(ledger)

    def failing(*_: object) -> Iterator[comparison.Difference]:
        raise RuntimeError("oops")

    with monkeypatch.context() as patch:
        patch.setattr(generations, "differences", failing)
        with pytest.raises(RuntimeError, match="oops"):
            verify(ledger)
    assert tables(ledger) == before
    assert verify(ledger) == []


def test_a_comparison_while_others_write_tells_no_difference_that_is_none(ledger: Ledger) -> None:
    crowd(ledger, 200)
    stop, failures = threading.Event(), list[Exception]()

    def write() -> None:
        number = 0
        try:
            while not stop.is_set():
                named(ledger, f"meanwhile {(number := number + 1)}")
        except Exception as error:  # noqa: BLE001 - the test tells it
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [verify(ledger) for _ in range(3)] == [[], [], []]
    finally:
        stop.set()
        writer.join()
    assert failures == []


def test_a_comparison_ends_however_often_somebody_writes_behind_its_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(ledger, 20)
    fill, rounds = generations._fill, itertools.count(1)

    def filled_too_early(*arguments: Any) -> None:
        fill(*arguments)
        named(ledger, f"behind its back {(number := next(rounds))}")
        assert number < 3, "it ran after the writer"

    monkeypatch.setattr(generations, "_fill", filled_too_early)
    assert verify(ledger) == []


def test_what_differs_is_told_by_key_up_to_a_number_and_counted_beyond(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "SHOWN", 2)
    crowd(ledger, 9)

    def tamper(connection: Connection) -> None:
        t = ledger.live(connection).tables.persons.table
        connection.execute(update(t).where(t.c.id <= 5).values(birth_date="2001-01-01"))
        connection.execute(t.delete().where(t.c.id > 6))

    with ledger.database.writing() as connection:
        pairs = ledger.live(connection).tables.operation_persons.table
        connection.execute(pairs.delete().where(pairs.c.person_id > 6))
        tamper(connection)
    assert [str(difference) for difference in verify(ledger) if difference.table == "persons"] == [
        "persons 1: birth_date is '2001-01-01' live and None in the replay",
        "persons 2: birth_date is '2001-01-01' live and None in the replay",
        "persons: and 3 more rows",
        "persons 7: only in the replay",
        "persons 8: only in the replay",
        "persons: and 1 more rows",
    ]
