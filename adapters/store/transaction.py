"""One unit of work: its events and the read tables change together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any

from eventsourcing.persistence import EventStore, Recording
from sqlalchemy import Connection, Dialect, make_url, select

from adapters.store.log import EventMapper, LogRecorder, head, last_versions, log_events, take_ids
from domain.base.actor import Actor
from domain.events.event import Event, Recorded
from domain.events.operation import OperationBegan, OperationEnded
from domain.ports.face_engine import Embedding
from projections.apply import Applier
from projections.queries.reading import Change, Lookups
from projections.tables.attachments import stored_vector
from projections.tables.schema import read_tables


class Generation:
    """The read tables of one number with the applier that keeps them true."""

    def __init__(self, number: int, dialect: Dialect) -> None:
        self.number = number
        self.tables = read_tables(number)
        self.applier = Applier(self.tables, dialect)
        self._dialect = dialect

    def create(self, connection: Connection) -> None:
        """Make its tables, empty, within the caller's transaction."""
        for statement in self._statements:
            connection.exec_driver_sql(statement)

    @cached_property
    def _statements(self) -> Sequence[str]:
        return self.tables.statements(self._dialect)


@lru_cache(maxsize=8)
def generation_of(number: int, driver: str) -> Generation:
    """A generation, described once a process for each driver such as `sqlite`: to describe it takes ten times as long
    as to make its tables."""
    return Generation(number, make_url(f"{driver}://").get_dialect()())


class ProjectingStore(EventStore[str]):
    """An event store whose `put` appends **and** projects, within the transaction that the caller passes."""

    mapper: EventMapper
    recorder: LogRecorder

    def put(self, domain_events: Sequence[Any], **kwargs: Any) -> list[Recording[str]]:
        """Append `Recorded` events and apply them to the live read tables: `connection` and `generation` say where."""
        generation: Generation = kwargs.pop("generation")
        recordings = super().put(domain_events, recorded=domain_events, **kwargs)
        generation.applier.apply(kwargs["connection"], domain_events)
        return recordings


class Transaction(Lookups):
    """The one real `UnitOfWork`. It decides from the read tables as they stand, and sees its own writes."""

    def __init__(
        self,
        connection: Connection,
        generation: Generation,
        actor: Actor,
        store: ProjectingStore,
        *,
        now: int,
        operation_id: int | None = None,
        causation: int | None = None,
    ) -> None:
        super().__init__(connection, generation.tables, actor)
        self._store = store
        self._mapper = store.mapper
        self._generation = generation
        self._versions: dict[str, int] = {}
        self._causation = causation
        self.position, latest = head(connection)
        self.now = max(now, latest)
        self.operation_id = operation_id
        self.text = ""
        self.appended: list[Event] = []

    def begin(self, kind: str, text: str, *, why: str | None = None, undoes: int | None = None) -> int:
        """Say what this transaction does, before the first event; the id of the operation comes back."""
        self.text = text
        if self.operation_id is None:
            self.operation_id = self.new_id("operation")
            self.append(OperationBegan(self.operation_id, kind, text, why, undoes))
        return self.operation_id

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A block whose events are all taken back where it raises."""
        before = (self.position, dict(self._versions), self.operation_id, self.text, len(self.appended))
        self.connection.exec_driver_sql("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT attempt")
            self.position, self._versions, self.operation_id, self.text, kept = before
            del self.appended[kept:]
            raise
        finally:
            self.connection.exec_driver_sql("RELEASE SAVEPOINT attempt")

    def resume(self, operation_id: int) -> None:
        """What follows belongs to this operation, which began before."""
        self.operation_id = operation_id

    def next_operation(self, *, caused_by: int | None = None) -> None:
        """What follows is another operation, which has to `begin`; `caused_by` is the position of the event that it
        answers."""
        self.operation_id = None
        self._causation = self._causation if caused_by is None else caused_by

    def end(self, text: str) -> None:
        """Say what came of a long operation."""
        if self.operation_id is not None:
            self.text = text
            self.append(OperationEnded(self.operation_id, text))

    def new_ids(self, counter: str, count: int) -> range:
        """`count` public ids that were never used and never will be again."""
        return take_ids(self.connection, counter, count)

    def new_id(self, counter: str) -> int:
        """One public id."""
        return self.new_ids(counter, 1)[0]

    def attach(self, embeddings: Sequence[Embedding]) -> Sequence[int]:
        """Store vectors as attachments of this transaction's events; their ids come back in order."""
        if not embeddings:
            return ()
        ids = self.new_ids("embedding", len(embeddings))
        rows = [(id_, e.model_version, stored_vector(e.vector)) for id_, e in zip(ids, embeddings, strict=True)]
        self._store.recorder.attach(self.connection, rows)
        return ids

    def append(self, *events: Event) -> None:
        """Append events and project them at once.

        Raises:
            RuntimeError: `begin` was not called: every event belongs to an operation.
        """
        if self.operation_id is None:
            raise RuntimeError("an event was appended before the operation said what it is")
        if not events:
            return
        recorded = self._recorded(events, self.operation_id)
        self._store.put(recorded, connection=self.connection, generation=self._generation)
        self.position = recorded[-1].position
        self.appended.extend(events)

    def _recorded(self, events: Sequence[Event], operation_id: int) -> list[Recorded]:
        streams = [event.stream for event in events]
        unknown = {
            stream
            for stream, event in zip(streams, events, strict=True)
            if not event.opens and stream not in self._versions
        }
        self._versions.update(last_versions(self.connection, sorted(unknown)))
        recorded = []
        for offset, (stream, event) in enumerate(zip(streams, events, strict=True), start=1):
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            recorded.append(
                Recorded(
                    position=self.position + offset,
                    stream=stream,
                    version=version,
                    event=event,
                    recorded_at=self.now,
                    actor=self.actor.signature,
                    operation_id=operation_id,
                    causation=self._causation,
                )
            )
        return recorded

    def rehearse(self) -> None:
        """Mark the place that `rehearsed` rolls back to."""
        self.connection.exec_driver_sql("SAVEPOINT rehearsal")

    def rehearsed(self) -> list[Change]:
        """What the events appended so far change; they are rolled back by this call, so it comes last in a dry run."""
        touched = list(dict.fromkeys(subject for event in self.appended for subject in event.touches()))
        after = {subject: self.row_of(*subject) for subject in touched}
        self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT rehearsal")
        before = {subject: self.row_of(*subject) for subject in touched}
        return [
            Change(kind, id_, before[kind, id_], after[kind, id_])
            for kind, id_ in touched
            if before[kind, id_] != after[kind, id_]
        ]

    def events_of(self, operation_id: int, most: int | None = None) -> list[Recorded]:
        """Everything that one operation appended, or the first `most` of it, in order."""
        statement = select(log_events).where(log_events.c.operation_id == operation_id)
        rows = self.connection.execute(statement.order_by(log_events.c.position).limit(most))
        return [self._mapper.recorded(row) for row in rows]

    def later_in(self, stream: str, position: int) -> list[Recorded]:
        """What happened to one thing after `position`, in order."""
        statement = select(log_events).where(log_events.c.stream == stream, log_events.c.position > position)
        rows = self.connection.execute(statement.order_by(log_events.c.position))
        return [self._mapper.recorded(row) for row in rows]
