"""Worlds to test the domain in: one database is made once, and each test gets a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.actor import CLI
from domain.library import LibraryAdded
from tests.domain.world import World


@pytest.fixture(scope="session")
def empty_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one library, made once: each test gets a copy."""
    file = tmp_path_factory.mktemp("world") / "log.db"
    ledger = Ledger(Database(f"sqlite:///{file}"))
    with ledger.transaction(CLI) as turn:
        turn.begin("library.add", "added the library Family")
        turn.append(LibraryAdded(turn.new_id("library"), "Family", "/photos/family"))
    ledger.close()
    return file


@pytest.fixture
def world(empty_world: Path, tmp_path: Path) -> Iterator[World]:
    """A world of one's own with the library Family, which has the id 1."""
    shutil.copy(empty_world, tmp_path / "log.db")
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/log.db"))
    yield World(ledger)
    ledger.close()
