"""What each golden file writes into the read tables, pinned as one hash a file in `rows.txt`.

A stored generation of read tables is taken for good as long as the fingerprint is the same, and the fingerprint sees
SQL alone. So as long as the fingerprint is the same, no event may come to other rows than before: whoever changes what
a projection writes raises `REVISION`, and only then are the changed rows pinned.

Beside the files two more things are pinned that decide about rows and that the fingerprint does not see: the values of
constants that the rows' functions read, and the SQL of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from types import CodeType
from typing import Any, Final

from sqlalchemy import Dialect, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.events.event import Event, Recorded
from projections.apply import Applier, rendered
from projections.tables import schema
from projections.tables.counting_triggers import triggers
from projections.tables.schema import ReadTables
from tests.golden.branches import Branches
from tests.golden.files import decoded, golden_files

ROWS: Final = Path(__file__).resolve().parent / "rows.txt"
ADD: Final = "python -m tests.golden.add"
HEADING: Final = f"""\
# What each golden file writes into the read tables, written by `{ADD}` and never by hand.
"""
DATA: Final = (str, bytes, int, float, bool, tuple, frozenset, set, dict)


def pinned() -> Mapping[str, str]:
    """The lines of `rows.txt`: what is pinned with its hash. The file is never made anew: it says which rows others
    have stored."""
    lines = (line for line in ROWS.read_text().splitlines() if not line.startswith("#"))
    return dict(line.split(" ", 1) for line in lines)


def computed() -> Mapping[str, str]:
    """The same as this code would write it."""
    tables = ReadTables(0)
    found = {"revision": str(schema.REVISION), "fingerprint": schema.fingerprint()}
    found |= {f"constant:{name}": value for name, value in sorted(_constants(tables).items())}
    found["postgresql"] = _hash(list(_statements(tables, make_url("postgresql+psycopg://").get_dialect()())))
    applier = Applier(tables, sqlite.dialect())
    for file in golden_files():
        written = applier.prepared([recorded(decoded(file)[1])])
        found[f"{file.parent.name}/{file.stem}"] = _hash([(statement.sql, rows) for statement, rows in written])
    return found


def pin() -> None:
    """Write `rows.txt` anew.

    Raises:
        SystemExit: rows differ that are stored already.
    """
    before, now = pinned(), computed()
    if why := refusal(before, now):
        raise SystemExit(why)
    ROWS.write_text(HEADING + "".join(f"{name} {value}\n" for name, value in now.items()))


def refusal(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """Why what is pinned must stay as it is, None where it may follow the code."""
    if int(now["revision"]) < int(before["revision"]):
        return f"REVISION in projections/tables/schema.py only rises: it was {before['revision']} already"
    gone = [name for name in before if "/" in name and name not in now]
    if gone:
        return f"golden files stay for ever, since logs hold such events: bring back {', '.join(gone)}"
    other = [name for name in before if name != "revision" and name in now and now[name] != before[name]]
    if other and now["fingerprint"] == before["fingerprint"]:
        return (
            "raise REVISION in projections/tables/schema.py, because rows that are stored already would differ from "
            f"those that this code writes, then run `{ADD}` to pin the new ones; what differs: {', '.join(other)}"
        )
    return None


def recorded(event: Event) -> Recorded:
    """An event in an envelope whose values can be told apart."""
    return Recorded(
        position=11,
        stream=event.stream,
        version=12,
        event=event,
        recorded_at=13,
        actor="golden ü",
        operation_id=14,
        causation=15,
    )


def trace(tables: ReadTables) -> Branches:
    """Which branches the golden files take when they are turned into rows."""
    branches = Branches("projections/tables", "domain/base", "domain/rules")
    applier = Applier(tables, sqlite.dialect())
    events = [recorded(decoded(file)[1]) for file in golden_files()]
    branches.run(lambda: [applier.prepared([event]) for event in events])
    return branches


def functions(tables: ReadTables) -> set[CodeType]:
    """The code of every function of rows that a projection registered."""
    rows_of = [w.rows_of for p in tables.projections for writes in p.writes.values() for w in writes]
    within = chain.from_iterable(function.__closure__ or () for function in rows_of)
    inner = (cell.cell_contents for cell in within)
    return {function.__code__ for function in chain(rows_of, inner) if hasattr(function, "__code__")}


def _constants(tables: ReadTables) -> Mapping[str, str]:
    """Each constant by its name, and where two have one name by all values."""
    values: dict[str, set[str]] = {}
    for name, value in trace(tables).constants(DATA):
        values.setdefault(name, set()).add(repr(_ordered(value)))
    return {name: _hash(sorted(of_name)) for name, of_name in values.items()}


def _ordered(value: Any) -> Any:
    if isinstance(value, (frozenset, set)):
        return sorted(map(repr, value))
    return sorted(value.items()) if isinstance(value, dict) else value


def _statements(tables: ReadTables, dialect: Dialect) -> Iterator[str]:
    """All that a database is told, to make the tables and to write into them."""
    for projection in tables.projections:
        yield str(CreateTable(projection.table).compile(dialect=dialect))
        yield from sorted(str(CreateIndex(index).compile(dialect=dialect)) for index in projection.table.indexes)
        for event, writes in sorted(projection.writes.items(), key=lambda item: item[0].topic):
            yield from (f"{event.topic} {rendered(write.statement, dialect).sql}" for write in writes)
    yield from triggers(tables.generation, dialect.name)


def _hash(value: Any) -> str:
    return sha256(repr(value).encode()).hexdigest()[:16]
