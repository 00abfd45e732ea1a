"""Events that were stored once must mean the same for ever: golden files of every topic version ever written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.store.log import EventMapper
from domain.events.event import Recorded, class_of, topics
from projections.apply import Applier
from projections.tables.schema import ReadTables
from tests.golden.add import FOLDER, LEAST, Golden, file_of, told

FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("topic", sorted(topics()))
def test_every_topic_has_a_golden_file(topic: str) -> None:
    assert file_of(topic).exists(), "add it with: python -m tests.golden.add"
    assert file_of(topic, LEAST).exists(), "add it with: python -m tests.golden.add"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_stored_still_decodes_to_what_it_meant(file: Path) -> None:
    golden = msgspec.json.decode(file.read_bytes(), type=Golden)
    event = EventMapper().event_of(golden.topic, bytes.fromhex(golden.payload))
    assert type(event) is class_of(golden.topic)[0]
    if golden.topic in topics():
        meant = msgspec.json.decode(msgspec.json.encode(event))
        assert part_of(meant, golden.fields) == golden.fields


@pytest.mark.parametrize("file", sorted(LEAST.glob("*.json")), ids=lambda file: file.stem)
def test_what_an_event_left_unsaid_still_means_the_same(file: Path) -> None:
    golden = msgspec.json.decode(file.read_bytes(), type=Golden)
    event = EventMapper().event_of(golden.topic, bytes.fromhex(golden.payload))
    if golden.topic in topics():
        meant = msgspec.json.decode(msgspec.json.encode(told(event)))
        assert part_of(meant, golden.fields) == golden.fields


def part_of(meant: Any, golden: Any) -> Any:
    """What was told at the time; fields that were added since are left out."""
    if not isinstance(golden, dict) or not isinstance(meant, dict):
        return meant
    return {name: part_of(meant.get(name, "no longer there"), golden[name]) for name in golden}


@pytest.fixture(scope="module")
def ledger(empty_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """An empty ledger, from which every test takes a snapshot that is rolled back."""
    file = tmp_path_factory.mktemp("golden") / "log.db"
    shutil.copyfile(empty_log, file)
    ledger = Ledger(Database(f"sqlite:///{file}"))
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def applier(ledger: Ledger) -> Applier:
    """What writes into its tables."""
    return Applier(ReadTables(1), ledger.database.dialect)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_stored_can_be_projected(file: Path, ledger: Ledger, applier: Applier) -> None:
    golden = msgspec.json.decode(file.read_bytes(), type=Golden)
    event = EventMapper().event_of(golden.topic, bytes.fromhex(golden.payload))
    with ledger.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        applier.apply(connection, [Recorded(1, event.stream, 1, event, 1, "golden", 1)])
