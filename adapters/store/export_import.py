"""The way out and in: the whole log as lines of JSON, and back into an empty database, row for row the same.

The format is described for other programs in `docs/export.md`.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Final

import msgspec
import orjson
from sqlalchemy import Connection, RowMapping, Table, insert, select

from adapters.store.ledger import Ledger
from adapters.store.log import head, log_counters, log_embeddings, log_events, policy_checkpoints
from domain.base.errors import Conflict, RuleViolation
from domain.events.event import class_of
from projections.apply import rendered

FORMAT: Final = 2
"""What is written. Format 1, in which no vector was stored as halves, is read as well."""
BATCH = 1000
POLICIES_THAT_DECIDE = ("autobind", "keywords")
"""Their checkpoints travel: a policy that read the log anew would decide again where a person has decided since."""
Report = Callable[[int, int], None]


def export_log(ledger: Ledger, out: BinaryIO, report: Report = lambda done, total: None) -> int:
    """Write the whole log, as it stands at this moment, to `out`; the number of events."""
    with ledger.database.reading() as connection:
        last, at = head(connection)
        _line(out, {"imageapi": "log", "format": FORMAT, "events": last, "recorded_until": at})
        for counter, value in connection.execute(select(log_counters).order_by(log_counters.c.name)):
            if counter != "generation":
                _line(out, {"counter": counter, "last": value})
        for policy, position in connection.execute(select(policy_checkpoints)):
            if policy in POLICIES_THAT_DECIDE:
                _line(out, {"policy": policy, "position": position})
        embeddings = 0
        for row in _rows(connection, log_embeddings, "id"):
            vector = base64.b64encode(row["vector"]).decode()
            _line(out, {"embedding": row["id"], "model_version": row["model_version"], "vector": vector})
            embeddings += 1
        for row in _rows(connection, log_events, "position"):
            _line(out, _event_line(row))
            if row["position"] % BATCH == 0:
                report(row["position"], last)
        _line(out, {"end": True, "events": last, "embeddings": embeddings})
    return last


def import_log(ledger: Ledger, lines: Iterable[bytes], report: Report = lambda done, total: None) -> int:
    """Fill an empty database from an export, all of it or nothing, and bring the read tables up to it; the number of
    events.

    Raises:
        Conflict: the log is not empty.
        RuleViolation: the text is no whole export; the line is named.
    """
    with ledger.database.writing() as connection:
        if head(connection)[0]:
            raise Conflict("the database has a log already: import goes into an empty one (another IMAGEAPI_DATA)")
        ledger.live(connection)
        count = _Import(ledger, connection, report).run(lines)
    ledger.catch_up()
    return count


class _Import:
    """One import under way."""

    def __init__(self, ledger: Ledger, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._report = report
        dialect = ledger.database.dialect
        self._events = rendered(insert(log_events), dialect)
        self._embeddings = rendered(insert(log_embeddings), dialect)
        self._encode = msgspec.msgpack.Encoder().encode
        self._total = self._position = 0
        self._seen = {"events": 0, "embeddings": 0}
        self._whole = False

    def run(self, lines: Iterable[bytes]) -> int:
        numbered = enumerate((line for line in lines if line.strip()), start=1)
        self._begin(*next(numbered, (1, b"")))
        for kind, group in itertools.groupby(_parsed(numbered), key=lambda entry: _kind(entry[1])):
            for batch in _batches(group):
                self._take(kind, batch)
        if not self._whole:
            raise RuleViolation("the export has no end: it was cut off, and nothing was imported")
        return self._seen["events"]

    def _begin(self, number: int, line: bytes) -> None:
        first = _json(number, line)
        if first.get("imageapi") != "log":
            raise RuleViolation("this is no export of imageapi: its first line does not say so")
        if first.get("format") not in range(1, FORMAT + 1):
            raise RuleViolation(f"this export has format {first.get('format')}; this version reads 1 to {FORMAT}")
        self._total = int(first["events"])

    def _take(self, kind: str, batch: list[tuple[int, dict[str, Any]]]) -> None:
        number = batch[0][0]
        try:
            if kind == "position":
                self._connection.exec_driver_sql(self._events.sql, [self._event(line) for _, line in batch])
                self._seen["events"] += len(batch)
                self._report(self._seen["events"], self._total)
            elif kind == "embedding":
                rows = [
                    (line["embedding"], line["model_version"], base64.b64decode(line["vector"], validate=True))
                    for _, line in batch
                ]
                self._connection.exec_driver_sql(self._embeddings.sql, rows)
                self._seen["embeddings"] += len(batch)
            elif kind == "counter":
                rows_of = [{"name": line["counter"], "last": line["last"]} for _, line in batch]
                self._replace_counters(rows_of)
            elif kind == "policy":
                self._connection.execute(insert(policy_checkpoints), [line for _, line in batch])
            else:
                self._end(batch[0][1])
        except (KeyError, TypeError, ValueError, LookupError) as error:
            raise RuleViolation(f"the export cannot be read near line {number}: {error}") from error

    def _replace_counters(self, rows: list[dict[str, Any]]) -> None:
        names = [row["name"] for row in rows]
        self._connection.execute(log_counters.delete().where(log_counters.c.name.in_(names)))
        self._connection.execute(insert(log_counters), rows)

    def _event(self, line: dict[str, Any]) -> tuple[object, ...]:
        self._position += 1
        if line["position"] != self._position:
            raise ValueError(f"position {line['position']} stands where {self._position} should")
        class_of(line["type"])
        payload = self._encode(_from_json(line["data"]))
        return (
            line["position"],
            line["stream"],
            line["version"],
            line["type"],
            payload,
            line["at"],
            line["actor"],
            line["operation"],
            line["causation"],
        )

    def _end(self, line: dict[str, Any]) -> None:
        if (line["events"], line["embeddings"]) != (self._seen["events"], self._seen["embeddings"]):
            raise ValueError("the numbers at the end are not those of the lines before")
        self._whole = True


def _rows(connection: Connection, table: Table, key: str) -> Iterator[RowMapping]:
    statement = select(table).order_by(table.c[key])
    yield from connection.execution_options(yield_per=BATCH).execute(statement).mappings()


def _event_line(row: RowMapping) -> dict[str, Any]:
    return {
        "position": row["position"],
        "stream": row["stream"],
        "version": row["version"],
        "type": row["topic"],
        "at": row["recorded_at"],
        "actor": row["actor"],
        "operation": row["operation_id"],
        "causation": row["causation"],
        "data": _to_json(msgspec.msgpack.decode(row["payload"])),
    }


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _to_json(item) for name, item in value.items()}
    return [_to_json(item) for item in value] if isinstance(value, list) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"], validate=True)
        return {name: _from_json(item) for name, item in value.items()}
    return [_from_json(item) for item in value] if isinstance(value, list) else value


def _line(out: BinaryIO, value: dict[str, Any]) -> None:
    out.write(orjson.dumps(value) + b"\n")


def _parsed(numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered:
        yield number, _json(number, line)


def _json(number: int, line: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RuleViolation(f"line {number} of the export is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RuleViolation(f"line {number} of the export is not an object")
    return value


def _kind(line: dict[str, Any]) -> str:
    return next((name for name in ("policy", "counter", "embedding", "end", "position") if name in line), "unknown")


def _batches(entries: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    source = iter(entries)
    while batch := list(itertools.islice(source, BATCH)):
        yield batch
