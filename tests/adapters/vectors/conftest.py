"""A ledger with one library to put faces into."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from tests.domain.world import World


@pytest.fixture
def world(tmp_path: Path, empty_log: Path) -> Iterator[World]:
    """A world with the library Family, which has the id 1."""
    shutil.copyfile(empty_log, tmp_path / "log.db")
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/log.db"))
    world = World(ledger)
    world.library("Family")
    yield world
    ledger.close()
