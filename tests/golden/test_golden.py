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
from domain.events.event import class_of, topics
from tests.golden.files import LEAST, decoded, fields_of, file_of, golden_files
from tests.golden.rows import recorded


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("topic", sorted(topics()))
def test_every_topic_has_a_golden_file(topic: str) -> None:
    assert file_of(topic).exists(), "add it with: python -m tests.golden.add"
    assert file_of(topic, LEAST).exists(), "add it with: python -m tests.golden.add"


@pytest.mark.parametrize("file", golden_files(), ids=name_of)
def test_what_was_stored_still_decodes_to_what_it_meant(file: Path) -> None:
    golden, event = decoded(file)
    assert type(event) is class_of(golden.topic)[0]
    if golden.topic in topics():
        meant = msgspec.json.decode(msgspec.json.encode(fields_of(event)))
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


@pytest.mark.parametrize("file", [file for file in golden_files() if file.parent != LEAST], ids=name_of)
def test_what_was_stored_can_be_projected(file: Path, ledger: Ledger) -> None:
    event = decoded(file)[1]
    with ledger.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        ledger.live(connection).applier.apply(connection, [recorded(event)])
