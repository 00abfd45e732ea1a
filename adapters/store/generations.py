"""Building read tables anew beside the live ones, swapping, and comparing: rebuild and verify.

A rebuild fills a new generation in small batches, each a write transaction of its own, so that readers never wait and
writers wait for one batch at most. What was built survives a kill: the next rebuild goes on with it. The swap is the
change of one row, after which the old tables are emptied in small steps and dropped. Generations of another version of
imageapi stay until they are asked to go, because that version may be serving from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, delete, or_, select, update

from adapters.store.ledger import BUILDING, LIVE, RETIRED, Generation, Ledger
from adapters.store.log import head, read_generations
from domain.errors import Conflict
from projections.verify import Difference, differences

SCRATCH = "scratch"
BATCH = 2000
"""Events a transaction: some 30 ms of the write lock."""
SWAP_WITHIN = 100
"""Events that may be left for the transaction that swaps."""
EMPTY_AT_ONCE = 5000
PAUSE_SECONDS = 0.002
"""Between batches, so that a writer that waits gets its turn: SQLite's lock is not fair."""
Report = Callable[[int, int], None]


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did."""

    events: int
    seconds: float
    generation: int

    def __str__(self) -> str:
        """In words."""
        return (
            f"rebuilt the read tables from {self.events} events in {self.seconds:.1f} s (generation {self.generation})"
        )


def rebuild(ledger: Ledger, report: Report | None = None, *, drop_old: bool = False) -> Rebuilt:
    """Build the read tables anew from the log, swap, and drop the old ones; reads and writes go on meanwhile.

    Raises:
        Conflict: another rebuild is at it.
    """
    began = time.monotonic()
    generation = _begun(ledger)
    reached = _filled(ledger, generation, report or (lambda done, total: None))
    _drop_retired(ledger, drop_old=drop_old)
    return Rebuilt(reached, time.monotonic() - began, generation.number)


def prepare(ledger: Ledger, report: Report) -> None:
    """Make the read tables of this version live: catch up where they are, build them where they are not."""
    if ledger.is_ready():
        ledger.catch_up()
    else:
        rebuild(ledger, report)


def verify(ledger: Ledger) -> list[Difference]:
    """Replay the log into scratch tables and compare every row with the live ones; writes go on meanwhile.

    Raises:
        Unavailable: the tables of this version are not built yet.
    """
    with _scratch(ledger) as scratch:
        while True:
            _replayed(ledger, scratch)
            with ledger.database.reading() as connection:
                live = ledger.live(connection)
                if _position(connection, scratch.number) == _position(connection, live.number) == head(connection)[0]:
                    return list(differences(connection, live.tables, scratch.tables))
            ledger.catch_up()


def _begun(ledger: Ledger) -> Generation:
    """The generation to fill: a new one, or one that an interrupted rebuild of this version left."""
    with ledger.database.writing() as connection:
        t = read_generations
        mine = t.c.fingerprint == ledger.fingerprint
        left = connection.execute(select(t.c.number).where(t.c.state == BUILDING, mine)).scalars().all()
        if left:
            return ledger.generation(left[-1])
        return ledger.make_generation(connection, BUILDING)


def _filled(ledger: Ledger, generation: Generation, report: Report) -> int:
    """Fill a generation and make it live; the last position."""
    while True:
        reached, last = _step(ledger, generation)
        report(reached, last)
        if last - reached <= SWAP_WITHIN:
            break
        time.sleep(PAUSE_SECONDS)
    with ledger.database.writing() as connection:
        _require_building(connection, generation.number)
        while batch := ledger.next_batch(connection, generation.number, BATCH):
            ledger.project(connection, generation, batch)
        _swap(connection, ledger.fingerprint, generation.number)
        return head(connection)[0]


def _step(ledger: Ledger, generation: Generation) -> tuple[int, int]:
    """Apply the next batch, which is read and decoded before the write lock is taken; how far that is, and the head."""
    with ledger.database.reading() as connection:
        before = _position(connection, generation.number)
        batch = ledger.next_batch(connection, generation.number, BATCH)
        last = head(connection)[0]
    if not batch:
        return last, last
    with ledger.database.writing() as connection:
        if _position(connection, generation.number) == before:
            ledger.project(connection, generation, batch)
    return batch[-1].position, last


def _require_building(connection: Connection, number: int) -> None:
    t = read_generations
    state = connection.execute(select(t.c.state).where(t.c.number == number)).scalar_one_or_none()
    if state != BUILDING:
        raise Conflict("another rebuild finished these tables: nothing is left to do")


def _swap(connection: Connection, fingerprint: str, number: int) -> None:
    t = read_generations
    old = update(t).where(t.c.state == LIVE, t.c.fingerprint == fingerprint).values(state=RETIRED)
    connection.execute(old)
    connection.execute(update(t).where(t.c.number == number).values(state=LIVE))


def _drop_retired(ledger: Ledger, *, drop_old: bool) -> None:
    t = read_generations
    over = t.c.state.in_([RETIRED, SCRATCH])
    gone = or_(over, t.c.fingerprint != ledger.fingerprint) if drop_old else over
    with ledger.database.reading() as connection:
        numbers: Sequence[int] = connection.execute(select(t.c.number).where(gone)).scalars().all()
    for number in numbers:
        drop(ledger, number)


def drop(ledger: Ledger, number: int) -> None:
    """Empty the tables of one generation in small steps, then drop them."""
    generation = ledger.generation(number)
    for table in reversed(generation.tables.tables):
        key = next(iter(table.primary_key.columns))
        while True:
            with ledger.database.writing() as connection:
                if not connection.dialect.has_table(connection, table.name):
                    break
                some = select(key).order_by(key).limit(EMPTY_AT_ONCE)
                if not connection.execute(delete(table).where(key.in_(some))).rowcount:
                    break
            time.sleep(PAUSE_SECONDS)
    with ledger.database.writing() as connection:
        generation.tables.metadata.drop_all(connection, tables=list(generation.tables.tables))
        connection.execute(delete(read_generations).where(read_generations.c.number == number))
    ledger.forget(number)


@contextmanager
def _scratch(ledger: Ledger) -> Iterator[Generation]:
    with ledger.database.writing() as connection:
        generation = ledger.make_generation(connection, SCRATCH)
    try:
        yield generation
    finally:
        drop(ledger, generation.number)


def _replayed(ledger: Ledger, generation: Generation) -> None:
    reached, last = 0, 1
    while reached < last:
        reached, last = _step(ledger, generation)
        time.sleep(PAUSE_SECONDS)


def _position(connection: Connection, number: int) -> int:
    t = read_generations
    position = connection.execute(select(t.c.position).where(t.c.number == number)).scalar_one_or_none()
    if position is None:
        raise Conflict("another rebuild finished these tables: nothing is left to do")
    return int(position)
