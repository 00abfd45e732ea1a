"""Building read tables anew beside the live ones, swapping, and comparing: rebuild and verify.

A rebuild fills a new generation in small batches, each a write transaction of its own that is read and prepared before
it takes the lock, so that readers never wait and writers wait for one batch at most. What was built survives a kill:
the next rebuild goes on with it. The swap is the change of one row, which every process meets at its next transaction;
after it the old tables are emptied in small steps and dropped. One process at a time does any of this, and whatever an
earlier one left half done is cleared away by the next. Generations that are live for another version of imageapi stay
until they are asked to go, because that version may be serving from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, and_, delete, or_, select, update

from adapters.store.drop_generation import drop_tables, readers_have_ended
from adapters.store.ledger import BUILDING, LIVE, RETIRED, Ledger
from adapters.store.locks import rebuilding
from adapters.store.log import head, read_generations
from adapters.store.transaction import Generation
from domain.base.errors import Conflict
from projections.verify import Difference, differences

SCRATCH = "scratch"
FIRST_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 500, 50, 5000
HOLD_SECONDS = 0.03
"""How long a batch may hold the write lock: its size is fitted to this, a third of what would be noticed."""
SWAP_WITHIN = 100
"""Events that may be left for the transaction that swaps."""
PAUSE_SECONDS = 0.002
"""Between batches, so that a writer that waits gets its turn: SQLite's lock is not fair."""
ASK_AGAIN_SECONDS = 0.5
Report = Callable[[int, int], None]


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did; `swap_seconds` is how long the swap took, the wait for the write lock included."""

    events: int
    seconds: float
    generation: int
    swap_seconds: float

    def __str__(self) -> str:
        """In words."""
        return (
            f"rebuilt the read tables from {self.events} events in {self.seconds:.1f} s (generation {self.generation}, "
            f"swapped in within {1000 * self.swap_seconds:.0f} ms)"
        )


def rebuild(
    ledger: Ledger, report: Report | None = None, *, drop_old: bool = False, on_begin: Callable[[], None] = lambda: None
) -> Rebuilt:
    """Build the read tables anew from the log, swap, and drop the old ones; reads and writes go on meanwhile.

    `drop_old` also drops the tables of other versions of imageapi, which must not be serving any more.
    `on_begin` is called once nothing else is at it.

    Raises:
        Conflict: another rebuild or comparison is at it.
    """
    began = time.monotonic()
    with rebuilding(ledger.database):
        on_begin()
        _clear(ledger)
        generation = _begun(ledger)
        _fill(ledger, generation, report or (lambda done, total: None))
        ledger.database.analyze([table.name for table in generation.tables.tables])
        swapping = time.monotonic()
        reached = _swapped(ledger, generation, drop_old=drop_old)
        swap = time.monotonic() - swapping
        _clear(ledger)
    return Rebuilt(reached, time.monotonic() - began, generation.number, swap)


def prepare(ledger: Ledger, report: Report) -> None:
    """Make the read tables of this version live: catch up where they are, build them where they are not, or wait for
    the process that is building them, and go on where that one ended early."""
    while not ledger.is_ready():
        try:
            rebuild(ledger, report)
        except Conflict:
            report(*building(ledger))
            time.sleep(ASK_AGAIN_SECONDS)
    ledger.catch_up()


def building(ledger: Ledger) -> tuple[int, int]:
    """How far the tables of this version are that some process builds now, and the last position of the log."""
    t = read_generations
    mine = and_(t.c.state == BUILDING, t.c.fingerprint == ledger.fingerprint)
    with ledger.database.reading() as connection:
        reached = connection.execute(select(t.c.position).where(mine)).scalars().all()
        return max(reached, default=0), head(connection)[0]


def verify(ledger: Ledger) -> list[Difference]:
    """Replay the log into scratch tables and compare every row with the live ones; writes go on meanwhile.

    The two have to be level. On PostgreSQL the snapshot that compares first applies to the scratch tables what it sees
    more of, for itself alone. SQLite would hold the write lock for that, so there the last events are applied by a
    transaction that the snapshot follows at once, and again where another process wrote in that moment.

    Raises:
        Conflict: another rebuild or comparison is at it.
        Unavailable: the tables of this version are not built yet.
    """
    with rebuilding(ledger.database), _scratch(ledger) as scratch:
        while True:
            _fill(ledger, scratch, lambda done, total: None)
            ledger.catch_up()
            with _level(ledger, scratch) as connection:
                live = ledger.live(connection)
                if _position(connection, scratch.number) == _position(connection, live.number):
                    return list(differences(connection, live.tables, scratch.tables))


@contextmanager
def _level(ledger: Ledger, scratch: Generation) -> Iterator[Connection]:
    """A snapshot in which the scratch tables have come as far as the log, unless another process wrote just then."""
    database = ledger.database
    if database.is_sqlite:
        with database.reading_after(lambda writer: _apply_rest(ledger, writer, scratch)) as connection:
            yield connection
        return
    with database.reading() as connection:
        _apply_rest(ledger, connection, scratch)
        yield connection


@contextmanager
def _scratch(ledger: Ledger) -> Iterator[Generation]:
    _clear(ledger)
    with ledger.database.writing() as connection:
        ledger.live(connection)
        generation = ledger.make_generation(connection, SCRATCH)
    try:
        yield generation
    finally:
        drop(ledger, generation.number)


def _begun(ledger: Ledger) -> Generation:
    """The generation to fill: one that an interrupted rebuild of this version left, or a new one."""
    t = read_generations
    mine = and_(t.c.state == BUILDING, t.c.fingerprint == ledger.fingerprint)
    newest = select(t.c.number).where(mine).order_by(t.c.number.desc()).limit(1)
    with ledger.database.writing() as connection:
        left = connection.execute(newest).scalar_one_or_none()
        return ledger.make_generation(connection, BUILDING) if left is None else ledger.generation(left)


def _fill(ledger: Ledger, generation: Generation, report: Report) -> None:
    """Apply the log batch by batch, until what is left is little."""
    limit = FIRST_BATCH
    while True:
        with ledger.database.reading() as connection:
            before = _position(connection, generation.number)
            events = ledger.next_batch(connection, generation.number, limit)
            last = head(connection)[0]
        if not events:
            return
        prepared = generation.applier.prepared(events)
        with ledger.database.writing() as connection:
            began = time.perf_counter()
            _require_still_at(connection, generation.number, before)
            ledger.project(connection, generation, events, prepared)
        limit = _fitted(limit, time.perf_counter() - began)
        report(events[-1].position, last)
        if last - events[-1].position <= SWAP_WITHIN:
            return
        time.sleep(PAUSE_SECONDS)


def _fitted(limit: int, held: float) -> int:
    """The size of the next batch: at most twice the last one, and what would have held the lock for `HOLD_SECONDS`."""
    wanted = int(limit * min(2.0, HOLD_SECONDS / max(held, 1e-4)))
    return max(SMALLEST_BATCH, min(wanted, LARGEST_BATCH))


def _swapped(ledger: Ledger, generation: Generation, *, drop_old: bool) -> int:
    """Apply what is left, make the generation live and retire the ones before; the last position."""
    t = read_generations
    mine = t.c.fingerprint == ledger.fingerprint
    old = t.c.number != generation.number if drop_old else and_(t.c.number != generation.number, mine)
    with ledger.database.writing() as connection:
        _apply_rest(ledger, connection, generation)
        connection.execute(update(t).where(old).values(state=RETIRED))
        connection.execute(update(t).where(t.c.number == generation.number).values(state=LIVE))
        return head(connection)[0]


def _apply_rest(ledger: Ledger, connection: Connection, generation: Generation) -> None:
    while batch := ledger.next_batch(connection, generation.number):
        ledger.project(connection, generation, batch)


def _clear(ledger: Ledger) -> None:
    """Drop what is live for nobody: scratch tables that were left, other versions' unfinished ones, and retired tables,
    these once no reader is left who may have found them live."""
    t = read_generations
    unfinished = and_(t.c.state == BUILDING, t.c.fingerprint != ledger.fingerprint)
    with ledger.database.reading() as connection:
        over = connection.execute(select(t.c.number).where(or_(t.c.state == SCRATCH, unfinished))).scalars().all()
        retired = connection.execute(select(t.c.number).where(t.c.state == RETIRED)).scalars().all()
    if retired and readers_have_ended(ledger.database):
        over = [*over, *retired]
    for number in over:
        drop(ledger, number)


def drop(ledger: Ledger, number: int) -> None:
    """Drop the tables of one generation, also one that another version of imageapi made."""
    if drop_tables(ledger.database, number):
        with ledger.database.writing() as connection:
            connection.execute(delete(read_generations).where(read_generations.c.number == number))


def _position(connection: Connection, number: int) -> int:
    t = read_generations
    position = connection.execute(select(t.c.position).where(t.c.number == number)).scalar_one_or_none()
    if position is None:
        raise Conflict("an erasure dropped these tables meanwhile: say the same again")
    return int(position)


def _require_still_at(connection: Connection, number: int, before: int) -> None:
    if _position(connection, number) != before:
        raise Conflict("another process fills the same tables: say the same again once it has ended")
