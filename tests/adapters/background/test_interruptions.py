"""What was going on when the process died is told to its end when the server next starts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.background.build_loops import prepare_tables
from adapters.background.jobs import JobBoard
from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, INSIGHT, WATCHER, Actor

ED = Actor("ed", "editor")


@pytest.fixture
def ledger(tmp_path: Path, empty_log: Path) -> Iterator[Ledger]:
    shutil.copyfile(empty_log, tmp_path / "imageapi.db")
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/imageapi.db"))
    yield ledger
    ledger.close()


def began(ledger: Ledger, actor: Actor, kind: str, text: str, end: str | None = None) -> int:
    """An operation that began, and ended where `end` is what was said then."""
    with ledger.transaction(actor) as uow:
        operation_id = uow.begin(kind, text)
        if end is not None:
            uow.end(end)
    return operation_id


def texts(ledger: Ledger) -> dict[int, str]:
    """What is said of each operation."""
    with ledger.reading(CLI) as tables:
        return {operation.id: operation.text for operation in tables.operations.latest(100)}


def test_a_long_operation_whose_process_died_is_closed_at_the_next_start(ledger: Ledger) -> None:
    scan = began(ledger, ED, "scan", "asked for a scan of Family")
    looked = began(ledger, WATCHER, "detect", "looked for faces")
    wrote = began(ledger, INSIGHT, "summary.write", "wrote daily summaries")
    read = began(ledger, CLI, "xmp.read", "read names and keywords from XMP")
    prepare_tables(ledger, JobBoard())
    assert texts(ledger) == {
        scan: "asked for a scan of Family, and was interrupted",
        looked: "looked for faces, and was interrupted",
        wrote: "wrote daily summaries, and was interrupted",
        read: "read names and keywords from XMP, and was interrupted",
    }
    head = ledger.head()
    prepare_tables(ledger, JobBoard())
    assert ledger.head() == head, "it is said once"
    assert verify(ledger) == []


def test_what_ended_and_what_was_done_at_once_stays_as_it_is(ledger: Ledger) -> None:
    before = {
        began(ledger, WATCHER, "scan", "began to scan Family", "scanned Family: 3 new"): "scanned Family: 3 new",
        began(ledger, ED, "detect", "looked for faces on a.jpg again"): "looked for faces on a.jpg again",
        began(ledger, ED, "person.create", "created Anna"): "created Anna",
    }
    prepare_tables(ledger, JobBoard())
    assert texts(ledger) == before


def test_what_another_process_is_still_at_says_in_the_end_what_came_of_it(ledger: Ledger) -> None:
    scan = began(ledger, WATCHER, "scan", "began to scan Family")
    prepare_tables(ledger, JobBoard())
    with ledger.transaction(WATCHER, operation_id=scan) as uow:
        uow.end("scanned Family: 3 new")
    assert texts(ledger) == {scan: "scanned Family: 3 new"}
