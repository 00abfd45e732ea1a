"""A rebuild of 500,000 events beside live reads and writes, twice in a row, while a scan records files.

    python -m bench.rebuild [--events 500000] [--postgres]

The rebuild is a process of its own, as `imageapi rebuild` is. Meanwhile this process reads pages of photos and persons,
renames persons, one command after the other with a short pause, and records batches of discoveries as a scan does. The
same reads and writes are measured before, alone. What limits the rebuild is shown by the rate of decoding the same log.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from bench.ledger import BATCH, add_faces, database, decode_all, discoveries
from domain.base.actor import CLI, WATCHER
from domain.commands.libraries import add_library
from domain.commands.media import record_files
from domain.commands.persons import PersonChanges, change_person, create_person
from projections.queries.photo_filter import PhotoFilter

REBUILD = """
import sys
from adapters.store.database import Database
from adapters.store.generations import rebuild
from adapters.store.ledger import Ledger
ledger = Ledger(Database(sys.argv[1]))
print(rebuild(ledger))
ledger.close()
"""
PAUSE_SECONDS = 0.005
ALONE_SECONDS = 5.0


class Load:
    """Reads, writes and a scan, each in a thread of its own, until it is stopped; how long each took."""

    def __init__(self, ledger: Ledger, library: int, persons: list[int], first_file: int) -> None:
        self._ledger, self._library, self._persons, self._file = ledger, library, persons, first_file
        self._stopping = threading.Event()
        self.seconds: dict[str, list[float]] = {"read": [], "write": [], "scan batch": []}
        self.errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(what, each))
            for what, each in (("read", self._read), ("write", self._write), ("scan batch", self._scan))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, what: str, each: Callable[[int], None]) -> None:
        number = 0
        while not self._stopping.is_set():
            began = time.perf_counter()
            try:
                each(number)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the figures are to show
                self.errors.append(f"{what}: {error!r}")
            self.seconds[what].append(time.perf_counter() - began)
            number += 1
            self._stopping.wait(0.5 if what == "scan batch" else PAUSE_SECONDS)

    def _read(self, number: int) -> None:
        with self._ledger.reading(CLI) as tables:
            if number % 2:
                tables.timeline.page(PhotoFilter(), sort="taken_at", after=None, limit=100)
            else:
                tables.persons_with_faces.view(self._persons[number % len(self._persons)])

    def _write(self, number: int) -> None:
        with self._ledger.transaction(CLI) as uow:
            change_person(uow, self._persons[number % len(self._persons)], PersonChanges(notes=f"note {number}"))

    def _scan(self, _: int) -> None:
        with self._ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, self._library, discoveries(self._file)[:100])
        self._file += BATCH

    def told(self) -> str:
        """Medians, p99 and worst, in milliseconds."""
        parts = []
        for what, seconds in self.seconds.items():
            ordered = sorted(1000 * each for each in seconds)
            p99 = ordered[int(0.99 * (len(ordered) - 1))]
            median, worst = statistics.median(ordered), ordered[-1]
            parts.append(f"{what} {median:.1f} / {p99:.1f} / {worst:.1f} ms ({len(ordered)})")
        return "; ".join(parts) + f"; {len(self.errors)} errors {self.errors[:3] or ''}"


def fill(ledger: Ledger, events: int) -> tuple[int, list[int], int]:
    """A log of about so many events: the library, persons, and the number of the next file."""
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos")
    persons = []
    for number in range(50):
        with ledger.transaction(CLI) as uow:
            persons.append(create_person(uow, f"Person {number}"))
    while ledger.head() + 100_000 < events:
        add_many(ledger)
    file = 0
    while ledger.head() < events:
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, library, discoveries(file))
        file += BATCH
    return library, persons, file


def add_many(ledger: Ledger) -> None:
    """100,000 events of faces and assignments, whose persons then have other names."""
    for person in add_faces(ledger):
        with ledger.transaction(CLI) as uow:
            change_person(uow, person, PersonChanges(name=f"Somebody {person}"))


def measure(url: str, events: int) -> None:
    """Print every figure of one database."""
    ledger = Ledger(Database(url))
    library, persons, file = fill(ledger, events)
    began = time.perf_counter()
    with ledger.database.reading() as connection:
        decode_all(ledger, connection)
    decoding = ledger.head() / (time.perf_counter() - began)
    print(f"  {ledger.head():,} events; decoding alone {decoding:,.0f} events/s")
    print("  median / p99 / worst (how many):")
    with Load(ledger, library, persons, file) as alone:
        time.sleep(ALONE_SECONDS)
    print(f"  alone: {alone.told()}")
    for again in (1, 2):
        head = ledger.head()
        with Load(ledger, library, persons, file := file + 500_000) as load:
            began = time.perf_counter()
            command = [sys.executable, "-c", REBUILD, url]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            taken = time.perf_counter() - began
        print(f"  rebuild {again}: {said}; {head / taken / decoding:.2f} of decoding")
        print(f"    beside it: {load.told()}")
    ledger.close()


def main(words: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuild")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--postgres", action="store_true", help="measure on PostgreSQL")
    chosen = parser.parse_args(words)
    print("rebuild on", "PostgreSQL" if chosen.postgres else "SQLite")
    with database(chosen.postgres) as url:
        measure(url, chosen.events)


if __name__ == "__main__":
    main(sys.argv[1:])
