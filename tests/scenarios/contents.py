"""All that a ledger and its data folder hold: the rows, the exported log, the bytes on the disk."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from adapters.store.export_import import export_log
from adapters.store.ledger import Ledger


def rows_of(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every read table, without the generation's number."""
    rows = {}
    with ledger.database.reading() as connection:
        tables = ledger.live(connection).tables
        for table in tables.tables:
            name = table.name.rpartition("_")[0]
            found = connection.execute(table.select())
            rows[name] = sorted((tuple(map(_plain, row)) for row in found), key=repr)
    return rows


def traces_in(haystack: bytes, traces: Sequence[bytes]) -> list[bytes]:
    """Which of these bytes occur."""
    return [trace for trace in traces if trace in haystack]


def files_of(data: Path) -> bytes:
    """Every byte of every file of a data folder, the database's own among them."""
    return b"\0".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())


def exported(ledger: Ledger) -> bytes:
    """The whole log as `imageapi export` writes it."""
    out = io.BytesIO()
    export_log(ledger, out)
    return out.getvalue()


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
