"""How the generations of read tables stand: which are live, which are being built, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, func, select, table

from adapters.store.drop_generation import tables_of
from adapters.store.generations import SCRATCH
from adapters.store.ledger import BUILDING, LIVE, RETIRED, Ledger
from adapters.store.log import head, read_generations

State = Literal["live", "building", "other", "old", "scratch"]
STATES: Final[Mapping[str, State]] = {BUILDING: "building", RETIRED: "old", SCRATCH: "scratch"}


class GenerationStatus(msgspec.Struct, frozen=True):
    """One generation: `state` is `live`, `building`, `other` (live for another version of imageapi), `old` (swapped
    out, and dropped soon) or `scratch` (of a comparison); `position` is the last event that it holds, of the `head`
    that the log has; `rows` counts each table, but of those that go."""

    number: int
    state: State
    fingerprint: str
    position: int
    head: int
    rows: Mapping[str, int]


def generation_statuses(ledger: Ledger) -> list[GenerationStatus]:
    """Every generation, by number, in one snapshot. Counts every row of those that stay."""
    with ledger.database.reading() as connection:
        last = head(connection)[0]
        found = connection.execute(select(read_generations).order_by(read_generations.c.number)).all()
        live = max((row.number for row in found if _is_live(row, ledger.fingerprint)), default=None)
        return [
            GenerationStatus(
                number=row.number,
                state=_state(row, is_live=row.number == live),
                fingerprint=row.fingerprint,
                position=row.position,
                head=last,
                rows={} if row.state in {RETIRED, SCRATCH} else _rows(connection, row.number),
            )
            for row in found
        ]


def _is_live(row: Any, fingerprint: str) -> bool:
    return bool(row.state == LIVE and row.fingerprint == fingerprint)


def _state(row: Any, *, is_live: bool) -> State:
    if row.state == LIVE:
        return "live" if is_live else "other"
    return STATES[row.state]


def _rows(connection: Connection, number: int) -> dict[str, int]:
    """The rows of each table of a generation, by its name without the number."""
    names = tables_of(connection, number)
    return {
        name.strip('"').removesuffix(f"_{number}"): connection.execute(
            select(func.count()).select_from(table(name.strip('"')))
        ).scalar_one()
        for name in sorted(names)
    }
