"""A ledger on each database that imageapi runs on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database, which is a file or a real server's: with an empty log for a test of the ledger, else with nothing."""
    of_ledger = "ledger" in request.fixturenames
    if request.param == "sqlite":
        if of_ledger:
            shutil.copyfile(request.getfixturevalue("empty_log"), tmp_path / "imageapi.db")
        return f"sqlite:///{tmp_path}/imageapi.db"
    chosen: str = request.getfixturevalue("furnished_postgres_url" if of_ledger else "fresh_postgres_url")
    return chosen


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """An empty ledger."""
    ledger = Ledger(Database(url))
    yield ledger
    ledger.close()
