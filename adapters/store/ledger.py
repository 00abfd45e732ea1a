"""The ledger: commands append events and change the read tables in one transaction, or do nothing at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from adapters.store.database import Database
from adapters.store.log import (
    EventMapper,
    LogRecorder,
    events_after,
    head,
    log_events,
    metadata,
    policy_checkpoints,
    read_generations,
    take_ids,
)
from adapters.store.past_tables import PastTables, sweep
from adapters.store.transaction import Generation, ProjectingStore, Transaction, generation_of
from domain.base.actor import Actor
from domain.base.errors import Conflict, Unavailable
from domain.events.event import Recorded
from projections.apply import Prepared
from projections.queries.reading import Lookups
from projections.tables.schema import fingerprint

CATCH_UP_BATCH = 1000
ANALYZED_FROM = 1000
"""Events from which on it matters how a query is planned."""
LIVE, BUILDING, RETIRED = "live", "building", "retired"


class Ledger:
    """The log and the live read tables of one database; blocking, safe from any thread."""

    def __init__(self, database: Database, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` gives nanoseconds since 1970 UTC."""
        self.database = database
        self.mapper = EventMapper()
        self.recorder = LogRecorder(database)
        self.fingerprint = fingerprint()
        self._store = ProjectingStore(self.mapper, self.recorder)
        self._clock = clock
        self._listeners: list[Callable[[int], None]] = []
        self._analyzed = ANALYZED_FROM // 2
        self._past = PastTables(database, self.mapper)
        with database.writing() as connection:
            metadata.create_all(connection)
            if head(connection)[0] == 0 and self._live_number(connection) is None:
                self.make_generation(connection, LIVE)

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the last position after each commit of this process, from the committing thread."""
        self._listeners.append(listener)

    # Generations of read tables

    def generation(self, number: int) -> Generation:
        """The tables of one generation, described once."""
        return generation_of(number, self.database.url.drivername)

    def make_generation(self, connection: Connection, state: str) -> Generation:
        """Create empty read tables under the next number, within the caller's write transaction."""
        number = take_ids(connection, "generation", 1)[0]
        generation = self.generation(number)
        generation.create(connection)
        row = {"number": number, "fingerprint": self.fingerprint, "position": 0, "state": state}
        connection.execute(insert(read_generations), row)
        return generation

    def _live_number(self, connection: Connection) -> int | None:
        t = read_generations
        statement = select(t.c.number).where(t.c.state == LIVE, t.c.fingerprint == self.fingerprint)
        return connection.execute(statement.order_by(t.c.number.desc()).limit(1)).scalar_one_or_none()

    def live(self, connection: Connection) -> Generation:
        """The read tables of this version that are live.

        Raises:
            Unavailable: they are being built.
        """
        number = self._live_number(connection)
        if number is None:
            raise Unavailable(
                "the read tables of this version are being built; `imageapi status` shows how far they are"
            )
        return self.generation(number)

    def is_ready(self) -> bool:
        """Whether this version's read tables are live."""
        with self.database.reading() as connection:
            return self._live_number(connection) is not None

    def catch_up(self) -> int:
        """Bring live tables that an older or newer version of the server left behind up to the log; the events
        applied."""
        applied = 0
        while True:
            with self.database.writing() as connection:
                live = self.live(connection)
                batch = self.next_batch(connection, live.number)
                if not batch:
                    return applied
                self.project(connection, live, batch)
            applied += len(batch)

    def next_batch(self, connection: Connection, number: int, limit: int = CATCH_UP_BATCH) -> list[Recorded]:
        """The next events that a generation has not seen."""
        t = read_generations
        position = connection.execute(select(t.c.position).where(t.c.number == number)).scalar_one()
        return [self.mapper.recorded(row) for row in connection.execute(events_after(position, limit))]

    def project(
        self,
        connection: Connection,
        generation: Generation,
        events: Sequence[Recorded],
        prepared: Prepared | None = None,
    ) -> None:
        """Apply events to one generation, from what was `prepared` of them where that was done, and remember how far
        it is."""
        generation.applier.write(connection, generation.applier.prepared(events) if prepared is None else prepared)
        self._reached(connection, generation.number, events[-1].position)

    def _reached(self, connection: Connection, number: int, position: int) -> None:
        t = read_generations
        connection.execute(update(t).where(t.c.number == number).values(position=position))

    # Commands and queries

    @contextmanager
    def transaction(
        self, actor: Actor, *, operation_id: int | None = None, causation: int | None = None, dry_run: bool = False
    ) -> Iterator[Transaction]:
        """The one way to append. All of it happens, or nothing; with `dry_run` nothing in any case.

        `operation_id` goes on with a long operation, `causation` is the position of the event that a policy answers.

        Raises:
            Conflict: a constraint of the read tables or the log says no.
            Unavailable: the read tables of this version are not ready.
        """
        try:
            with self.database.writing() as connection:
                generation = self.live(connection)
                while batch := self.next_batch(connection, generation.number):
                    self.project(connection, generation, batch)
                uow = Transaction(
                    connection,
                    generation,
                    actor,
                    self._store,
                    now=self._clock() // 1000,
                    operation_id=operation_id,
                    causation=causation,
                )
                if dry_run:
                    uow.rehearse()
                yield uow
                if dry_run:
                    raise _Rehearsed  # noqa: TRY301 - it unwinds the transaction that is open here
                if uow.appended:
                    self._reached(connection, generation.number, uow.position)
        except _Rehearsed:
            return
        except IntegrityError as error:
            raise Conflict(f"the record says otherwise: {error.orig}") from error
        if uow.appended:
            self._analyze(generation, uow.position)
            for listener in self._listeners:
                listener(uow.position)

    def _analyze(self, generation: Generation, position: int) -> None:
        """Each time that the log has doubled, let the database look at its tables."""
        if position < 2 * self._analyzed:
            return
        self._analyzed = position
        with suppress(Unavailable):  # the command is done, and the database looks by itself in the end
            self.database.analyze([log_events.name, *(table.name for table in generation.tables.tables)])

    @contextmanager
    def reading(self, actor: Actor, library: int | None = None) -> Iterator[Lookups]:
        """Queries on one snapshot, limited to what `actor` may see, and to one library where given.

        Raises:
            Unavailable: the read tables of this version are not ready.
        """
        with self.database.reading() as connection:
            yield Lookups(connection, self.live(connection).tables, actor, library)

    def head(self) -> int:
        """The last position of the log, 0 where it is empty."""
        with self.database.reading() as connection:
            return head(connection)[0]

    def events(self, after: int, limit: int, topics: Sequence[str] = ()) -> list[Recorded]:
        """Events after a position, in order, of these current stored names and their older versions where given."""
        with self.database.reading() as connection:
            return [self.mapper.recorded(row) for row in connection.execute(events_after(after, limit, topics))]

    def events_of(self, operation_id: int, limit: int, after: int = 0) -> list[Recorded]:
        """The first events of one operation after a position, in order."""
        t = log_events
        within = (t.c.operation_id == operation_id) & (t.c.position > after)
        statement = select(t).where(within).order_by(t.c.position).limit(limit)
        with self.database.reading() as connection:
            return [self.mapper.recorded(row) for row in connection.execute(statement)]

    def history(self, streams: Sequence[str], limit: int, before: int | None = None) -> list[Recorded]:
        """What happened to these things, the newest first, below the position `before`."""
        t = log_events
        statement = select(t).where(t.c.stream.in_(streams)).order_by(t.c.position.desc()).limit(limit)
        if before is not None:
            statement = statement.where(t.c.position < before)
        with self.database.reading() as connection:
            return [self.mapper.recorded(row) for row in connection.execute(statement)]

    def operations_on(self, streams: Sequence[str], limit: int, before: int | None = None) -> list[int]:
        """The ids of the operations that concerned one of these things, the newest first, below the id `before`."""
        t = log_events
        statement = select(t.c.operation_id).where(t.c.stream.in_(streams)).distinct()
        statement = statement.order_by(t.c.operation_id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(t.c.operation_id < before)
        with self.database.reading() as connection:
            return list(connection.execute(statement).scalars())

    def position_at(self, micros: int) -> int:
        """The last position recorded by a time (microseconds since 1970 UTC), 0 before the first."""
        t = log_events
        low, high = 0, self.head()
        with self.database.reading() as connection:
            while low < high:
                middle = (low + high + 1) // 2
                statement = select(t.c.recorded_at).where(t.c.position == middle)
                if connection.execute(statement).scalar_one() <= micros:
                    low = middle
                else:
                    high = middle - 1
        return low

    @contextmanager
    def past(self, actor: Actor, position: int, library: int | None = None) -> Iterator[Lookups]:
        """Queries on the tables as they stood at a position, limited to what `actor` may see today.

        Raises:
            RuleViolation: the log does not reach that far.
        """
        with self._past.reading(position) as (connection, tables):
            yield Lookups(connection, tables, actor, library)

    def forget_pasts(self) -> None:
        """The log was changed by an erasure: what was built of it before is deleted."""
        self._past.close()
        sweep()

    # Checkpoints of policies

    def checkpoint(self, policy: str) -> int:
        """How far a policy has come, 0 where it never ran."""
        t = policy_checkpoints
        with self.database.reading() as connection:
            return connection.execute(select(t.c.position).where(t.c.policy == policy)).scalar_one_or_none() or 0

    def checkpoints(self) -> Mapping[str, int]:
        """How far each policy has come that ever ran."""
        t = policy_checkpoints
        with self.database.reading() as connection:
            return dict(connection.execute(select(t.c.policy, t.c.position)).all())

    def set_checkpoint(self, policy: str, position: int) -> None:
        """Remember how far a policy has come."""
        t = policy_checkpoints
        with self.database.writing() as connection:
            changed = connection.execute(update(t).where(t.c.policy == policy).values(position=position))
            if not changed.rowcount:
                connection.execute(insert(t), {"policy": policy, "position": position})

    def close(self) -> None:
        """Give back every connection."""
        self._past.close()
        self.database.close()


class _Rehearsed(Exception):
    """Unwinds a dry run, so that the database rolls it back."""
