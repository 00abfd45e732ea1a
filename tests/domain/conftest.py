"""Worlds to test the domain in: one ledger for all tests, whose database each test finds as it was in the beginning."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.events.library import LibraryAdded
from tests.domain.world import World


class RemembersTables(Ledger):
    """A ledger that never forgets how the tables of a generation are described.

    In a database that is restored, the tables of each comparison have the same number: what was compiled for the first
    one serves all.
    """

    def forget(self, number: int) -> None:
        """The description stays true of whatever gets that number next."""


@pytest.fixture(scope="session")
def anew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Ledger]]:
    """Gives the ledger with its database as it was in the beginning: opening another one takes longer than a test."""
    file = tmp_path_factory.mktemp("world") / "log.db"
    ledger = RemembersTables(Database(f"sqlite:///{file}"))
    with ledger.transaction(CLI) as uow:
        uow.begin("library.add", "added the library Family")
        uow.append(LibraryAdded(uow.new_id("library"), "Family", "/photos/family"))
    with closing(sqlite3.connect(":memory:")) as beginning, closing(sqlite3.connect(file)) as live:
        live.backup(beginning)

        def restored() -> Ledger:
            beginning.backup(live)
            return ledger

        yield restored
    ledger.close()


@pytest.fixture
def world(anew: Callable[[], Ledger]) -> World:
    """A world with the library Family, which has the id 1, and nothing else."""
    return World(anew())


@pytest.fixture
def replayed(world: World) -> Iterator[None]:
    """In the end a replay of the log comes to the same tables, row for row."""
    yield
    assert verify(world.ledger) == []
