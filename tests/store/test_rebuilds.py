"""Read tables are thrown away and built anew: interrupted, twice at once, tampered with, and never seen half done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, NullPool, Table, create_engine, delete, func, insert, select, update

from adapters.store.database import Database
from adapters.store.generations import rebuild, verify
from adapters.store.ledger import BUILDING, Ledger
from adapters.store.log import read_generations
from domain.base.actor import CLI, INSIGHT, WATCHER
from domain.base.errors import Conflict
from domain.base.geometry import Box
from domain.commands.accounts import add_user
from domain.commands.api_keys import issue_key
from domain.commands.detection import record_detection
from domain.commands.faces import change_faces, draw_face, reject_person
from domain.commands.insights import Writing, write_insight
from domain.commands.learning import learn_from_insight
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import create_person, delete_person
from domain.commands.summaries import Telling, write_summary
from domain.commands.tags import tag_contents
from domain.events.entity import EntityCreated
from domain.events.face import AUTO, MANUAL, FaceConfirmed, FaceUnmatched
from domain.events.insight import TranscriptMessage
from domain.events.media import FileFacts
from domain.events.person import PersonCreated, PersonsToldApart
from domain.events.summary import SummarySource
from domain.ports.face_engine import DetectedFace, Detection, Embedding
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from projections.tables.schema import ReadTables
from tests.domain.world import World, content, found, photo
from tests.fakes import PLACE_ALONE

HASH = b"h" * 32
TABLES = [projection.table.name.removesuffix("_0") for projection in ReadTables(0).projections]


def named(ledger: Ledger, name: str) -> int:
    with ledger.transaction(CLI) as uow:
        return create_person(uow, name)


def furnish(ledger: Ledger) -> None:
    """At least one row in every read table."""
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos")
    with ledger.transaction(CLI) as uow:
        issue_key(uow, add_user(uow, "Uma", "viewer", None), "phone", "read", HASH, 0)
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, library, [ReadFile("a.jpg", HASH, FileFacts(1, 1, "photo", width=100, height=100))])
        faces = tuple(DetectedFace(Box(x, 0.1, 0.2, 0.2), 0.9, bytes(2048)) for x in (0.1, 0.6))
        record_detection(uow, HASH, Detection("m", faces), PLACE_ALONE)
        uow.append(EntityCreated(uow.new_id("entity"), "Paris", "place", aliases=("Lutetia",)))
        uow.append(FaceUnmatched(2, bytes(32)))
    anna = named(ledger, "Anna")
    with ledger.transaction(CLI) as uow:
        change_faces(uow, [1], "assign", anna)
    with ledger.transaction(CLI) as uow:
        reject_person(uow, 2, anna)
    hanna = named(ledger, "Hanna")
    with ledger.transaction(CLI) as uow:
        uow.begin("person.apart", "said that Anna and Hanna are two")
        uow.append(PersonsToldApart(anna, hanna), FaceConfirmed(1, anna))
    with ledger.transaction(CLI) as uow:
        tag_contents(uow, [HASH], "holiday")
    said = (TranscriptMessage("user", "what is it?"), TranscriptMessage("assistant", "a square"))
    with ledger.transaction(CLI) as uow:
        written = write_insight(uow, HASH, Writing("A square", "It is a square.", "m", "local"), said)
    with ledger.transaction(INSIGHT) as uow:
        insight = uow.insights.get(written)
        assert insight is not None
        square = ProposedEntity("square", "thing", "")
        learn_from_insight(
            uow, insight, "m", Proposals((square,), (ProposedFact(0, "It is a square.", None, None, None),))
        )
    with ledger.transaction(INSIGHT) as uow:
        source = SummarySource("2020-05-01", "Anna", "anna", HASH, 2)
        write_summary(uow, source, Telling("They met.", "m", 1), ["m"], Embedding("e", bytes(8)), again=False)


def live_table(ledger: Ledger, connection: Connection, name: str) -> Table:
    return next(t for t in ledger.live(connection).tables.tables if t.name.rpartition("_")[0] == name)


def states(ledger: Ledger) -> list[str]:
    with ledger.database.reading() as connection:
        return list(connection.execute(select(read_generations.c.state)).scalars())


def crowd(ledger: Ledger) -> int:
    """So many persons that a rebuild takes several steps; how many."""
    with ledger.transaction(CLI) as uow:
        uow.begin("test", "named a crowd")
        uow.append(*(PersonCreated(id_, f"person {id_}") for id_ in uow.new_ids("person", 3000)))
    return 3000


def interrupt(done: int, total: int) -> None:
    """Ends a rebuild after its first step."""
    if done:
        raise KeyboardInterrupt


@contextmanager
def tampering_with(ledger: Ledger, url: str, table: str) -> Iterator[tuple[Connection, Table]]:
    """Somebody else's connection to the database, with every check turned off."""
    with ledger.database.reading() as connection:
        target = live_table(ledger, connection, table)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            for name in (
                connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
            ):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield connection, target
    engine.dispose()


@pytest.mark.parametrize("table", TABLES)
def test_verify_finds_a_row_that_was_taken_out_of_any_table(ledger: Ledger, url: str, table: str) -> None:
    furnish(ledger)
    assert verify(ledger) == []
    with tampering_with(ledger, url, table) as (connection, target):
        assert connection.execute(delete(target)).rowcount > 0
    found = verify(ledger)
    assert {difference.table for difference in found} == {table}
    assert {(difference.column, difference.live, difference.replayed) for difference in found} == {(None, False, True)}
    rebuild(ledger)
    assert verify(ledger) == [], "a rebuild mends it"


@pytest.mark.parametrize("table", TABLES)
def test_verify_finds_a_value_that_was_changed_in_any_table(ledger: Ledger, url: str, table: str) -> None:
    furnish(ledger)
    with tampering_with(ledger, url, table) as (connection, target):
        column, value = foreign_value(target)
        of_one = target.c[column].is_not_distinct_from(select(func.max(target.c[column])).scalar_subquery())
        connection.execute(update(target).where(of_one).values({column: value}))
    found = verify(ledger)
    assert {difference.table for difference in found} == {table}
    if column not in target.primary_key.columns:
        assert {(difference.column, difference.live) for difference in found} == {(column, value)}


def foreign_value(table: Table) -> tuple[str, Any]:
    """A column and a value that no row of the test's has there."""
    for column, value in (
        ("version", 99),
        ("text", "nothing"),
        ("name", "Mallory"),
        ("other_id", 99),
        ("seen", 99),
        ("name_key", "mallory"),
        ("prompt_version", 99),
    ):
        if column in table.columns:
            return column, value
    return ("person_id", 99) if "person_id" in table.columns else ("content_hash", b"t" * 32)


def test_a_rebuild_that_was_interrupted_goes_on_where_it_was(ledger: Ledger) -> None:
    crowd(ledger)
    with pytest.raises(KeyboardInterrupt):
        rebuild(ledger, interrupt)
    assert sorted(states(ledger)) == ["building", "live"]
    with ledger.database.reading() as connection:
        t = read_generations
        number, position = connection.execute(select(t.c.number, t.c.position).where(t.c.state == BUILDING)).one()
    assert 0 < position < ledger.head()
    named(ledger, "meanwhile")
    reports: list[int] = []
    rebuilt = rebuild(ledger, lambda done, total: reports.append(done))
    assert rebuilt.generation == number
    assert reports[0] >= position, "what was built is not built again"
    assert rebuilt.events == ledger.head()
    assert states(ledger) == ["live"]
    assert verify(ledger) == []


def test_another_process_goes_on_with_a_rebuild_that_was_interrupted(ledger: Ledger, url: str) -> None:
    crowd(ledger)
    with pytest.raises(KeyboardInterrupt):
        rebuild(ledger, interrupt)
    other = Ledger(Database(url))
    rebuild(other)
    assert verify(other) == []
    other.close()
    named(ledger, "by the first process, whose tables were swapped meanwhile")
    assert verify(ledger) == []


def test_of_two_rebuilds_at_once_one_at_least_finishes_and_nothing_is_lost(ledger: Ledger, url: str) -> None:
    count = crowd(ledger)
    other = Ledger(Database(url))
    outcomes: list[object] = []
    start = threading.Barrier(2)

    def build(mine: Ledger) -> None:
        start.wait()
        try:
            outcomes.append(rebuild(mine))
        except Conflict as error:
            outcomes.append(error)

    threads = [threading.Thread(target=build, args=(mine,)) for mine in (ledger, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(outcomes) == 2, "neither failed in another way"
    assert any(not isinstance(outcome, Conflict) for outcome in outcomes)
    rebuild(ledger)
    assert states(ledger) == ["live"]
    assert people(ledger) == count
    assert verify(ledger) == []


def test_a_reader_sees_whole_tables_throughout_a_rebuild(ledger: Ledger) -> None:
    for number in range(30):
        named(ledger, f"person {number}")
    seen: list[int] = []
    with watching(lambda: seen.append(people(ledger))):
        for _ in range(4):
            rebuild(ledger)
    assert set(seen) == {30}


def people(ledger: Ledger) -> int:
    with ledger.reading(CLI) as tables:
        return len(tables.persons_with_faces.names())


class watching:  # noqa: N801 - reads as a word in its with statement
    """Does something again and again in another thread meanwhile; what it raises is raised at the end."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._over = threading.Event()
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._act()
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            self._errors.append(error)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._errors == []


def test_ids_are_never_given_out_again(ledger: Ledger) -> None:
    first, second = named(ledger, "Anna"), named(ledger, "Bob")
    with ledger.transaction(CLI) as uow:
        delete_person(uow, second)
    rebuild(ledger)
    third = named(ledger, "Carol")
    assert [first, second, third] == [1, 2, 3]


def test_verify_leaves_no_tables_behind(ledger: Ledger) -> None:
    named(ledger, "Anna")

    def names() -> Iterator[str]:
        with ledger.database.reading() as connection:
            yield from connection.dialect.get_table_names(connection)

    before = sorted(names())
    verify(ledger)
    rebuild(ledger)
    assert len(sorted(names())) == len(before)
    assert states(ledger) == ["live"]
    with ledger.database.writing() as connection:
        connection.execute(insert(read_generations), {"number": 77, "fingerprint": "x", "position": 0, "state": "live"})
        ledger.generation(77).tables.metadata.create_all(connection, tables=list(ledger.generation(77).tables.tables))
    rebuild(ledger)
    assert len(states(ledger)) == 2, "tables of another version stay"
    rebuild(ledger, drop_old=True)
    assert len(sorted(names())) == len(before), "until they are asked to go"


def test_a_drawing_is_taken_back_and_redone_alike_on_each_database(ledger: Ledger) -> None:
    world, box, drawn_box = World(ledger), Box(0.11, 0.11, 0.18, 0.18), Box(0.1, 0.1, 0.2, 0.2)
    world.library("Family")
    world.scan(photo("one.jpg"), photo("two.jpg"))
    adopted = world.operation_of(draw_face, content("one.jpg"), drawn_box, None)
    waiting = world.operation_of(draw_face, content("two.jpg"), drawn_box, None)
    world.detect("one.jpg", found(box, confidence=0.7))
    undone = [world.undo(operation) for operation in (adopted, waiting)]
    (left,) = world.faces("one.jpg")
    assert (left.box, left.source, left.confidence, left.touched, world.faces("two.jpg")) == (box, AUTO, 0.7, False, [])
    assert verify(ledger) == []
    for operation in undone:
        world.undo(operation)
    for name in ("one.jpg", "two.jpg"):
        (again,) = world.faces(name)
        assert (again.box, again.source, again.confidence, again.touched) == (drawn_box, MANUAL, None, True)
    assert verify(ledger) == []


def test_a_decision_is_taken_back_on_a_photo_saved_anew_alike_on_each_database(ledger: Ledger) -> None:
    world, box = World(ledger), Box(0.1, 0.1, 0.2, 0.2)
    world.library("Family")
    (face,) = world.shows("one.jpg", found(box))
    ann = world.a_person("Ann", face)
    deleted = world.operation_of(delete_person, ann, with_faces=True)
    world.scan(photo("one.jpg", "one, rated", mtime_ns=2))
    (heir,) = world.detect("one, rated", found(box))
    world.undo(deleted)
    assert world.faces_of(ann) == [heir]
    assert verify(ledger) == []
