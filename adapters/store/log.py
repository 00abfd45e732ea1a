"""The log: its tables, and the recorder and mapper that `eventsourcing` builds on.

Of `eventsourcing` the path of a write is used: `EventStore.put` maps each event to what is stored and hands all to the
recorder, within the transaction that also projects them. What it has for reading is not: a `Notification` lacks when,
by whom and in which operation an event was recorded, which whoever follows the log goes by; so policies, the feed and
rebuilds all read `events_after`, in batches.

Owns `log_events` (append-only, `position` is the total order), `log_embeddings` (attachments), `log_counters` (public
ids), `read_generations` (which read tables are live, and up to which position) and `policy_checkpoints`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import AggregateRecorder, Mapper, StoredEvent, Transcoder
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)

from adapters.store.database import Database
from domain.events.event import Event, Recorded, class_of, stored_names
from projections.apply import rendered
from projections.tables.attachments import embeddings_table
from projections.tables.projection import Id

metadata = MetaData()
log_events = Table(
    "log_events",
    metadata,
    Column("position", Id, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("operation_id", BigInteger, nullable=False),
    Column("causation", BigInteger),
    UniqueConstraint("stream", "version", name="log_events_stream"),
)
Index("log_events_operation", log_events.c.operation_id)
log_embeddings = embeddings_table(metadata)
log_counters = Table(
    "log_counters", metadata, Column("name", Text, primary_key=True), Column("last", BigInteger, nullable=False)
)
read_generations = Table(
    "read_generations",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)
policy_checkpoints = Table(
    "policy_checkpoints",
    metadata,
    Column("policy", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
api_key_uses = Table(
    "api_key_uses",
    metadata,
    Column("key_id", Id, primary_key=True, autoincrement=False),
    Column("used_at", BigInteger, nullable=False),
)


class MsgpackTranscoder(Transcoder):
    """msgspec's msgpack, both ways; appends half as much again as JSON in the same time."""

    def __init__(self) -> None:
        self._encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
        self._decode = msgspec.msgpack.Decoder().decode

    def encode(self, obj: Any) -> bytes:
        """Any msgspec Struct or plain value as msgpack."""
        return self._encode(obj)

    def decode(self, data: bytes) -> Any:
        """Plain values; `EventMapper` gives them a type."""
        return self._decode(data)


class EventMapper(Mapper[str]):
    """Turns `Recorded` into rows and back; old payloads are lifted by the upcaster beside the event class."""

    def __init__(self) -> None:
        super().__init__(MsgpackTranscoder())
        self._decoders: dict[str, Callable[[bytes], Event]] = {}

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """A `Recorded` as `eventsourcing` stores it; position, actor and operation are the recorder's columns."""
        return StoredEvent(
            domain_event.stream,
            domain_event.version,
            domain_event.event.topic,
            self.transcoder.encode(domain_event.event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a stored row.

        Raises:
            LookupError: a newer imageapi wrote it.
            msgspec.ValidationError: the payload does not fit its class.
        """
        return self.event_of(stored_event.topic, stored_event.state)

    def event_of(self, topic: str, payload: bytes) -> Event:
        """Decode one payload, lifted to today's fields."""
        decode = self._decoders.get(topic)
        if decode is None:
            decode = self._decoders[topic] = self._decoder_of(topic)
        return decode(payload)

    def _decoder_of(self, topic: str) -> Callable[[bytes], Event]:
        cls, upcast = class_of(topic)
        if upcast is None:
            return msgspec.msgpack.Decoder(cls).decode
        lift = upcast
        return lambda payload: msgspec.convert(lift(self.transcoder.decode(payload)), cls)

    def recorded(self, row: Row[*tuple[Any, ...]]) -> Recorded:
        """A row of `log_events` in the order of its columns."""
        position, stream, version, topic, payload, recorded_at, actor, operation_id, causation = row
        event = self.event_of(topic, payload)
        return Recorded(
            position=position,
            stream=stream,
            version=version,
            event=event,
            recorded_at=recorded_at,
            actor=actor,
            operation_id=operation_id,
            causation=causation,
        )


class LogRecorder(AggregateRecorder):
    """Records on SQLAlchemy Core: appends within the caller's transaction, so that read tables change in it too."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = rendered(insert(log_events), database.dialect)
        self._attach = rendered(insert(log_embeddings), database.dialect)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """Append within `kwargs["connection"]`, which holds the write lock; `kwargs["recorded"]` are the envelopes, and
        hold the positions.

        Raises:
            sqlalchemy.exc.IntegrityError: another event has the place in its stream.
        """
        connection: Connection = kwargs["connection"]
        envelopes: Sequence[Recorded] = kwargs["recorded"]
        rows = [
            (
                envelope.position,
                stored.originator_id,
                stored.originator_version,
                stored.topic,
                stored.state,
                envelope.recorded_at,
                envelope.actor,
                envelope.operation_id,
                envelope.causation,
            )
            for stored, envelope in zip(stored_events, envelopes, strict=True)
        ]
        self._insert.run(connection, rows)

    def attach(self, connection: Connection, rows: Sequence[tuple[int, str, bytes]]) -> None:
        """Append attachments: id, model version, and the vector as `stored_vector` has it."""
        self._attach.run(connection, rows)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream, by version, as `EventStore.get` asks for them."""
        t = log_events
        statement = select(t.c.stream, t.c.version, t.c.topic, t.c.payload).where(t.c.stream == str(originator_id))
        statement = statement.order_by(t.c.version.desc() if desc else t.c.version).limit(limit)
        if gt is not None:
            statement = statement.where(t.c.version > gt)
        if lte is not None:
            statement = statement.where(t.c.version <= lte)
        with self._database.reading() as connection:
            return [StoredEvent(*row) for row in connection.execute(statement)]


def head(connection: Connection) -> tuple[int, int]:
    """The last position and when it was recorded (microseconds since 1970 UTC); (0, 0) in an empty log."""
    t = log_events
    statement = select(t.c.position, t.c.recorded_at).order_by(t.c.position.desc()).limit(1)
    return next(iter(connection.execute(statement).all()), (0, 0))


def last_versions(connection: Connection, streams: Sequence[str]) -> Mapping[str, int]:
    """The last version of each of these streams; a stream without events is left out."""
    t = log_events
    found: dict[str, int] = {}
    for start in range(0, len(streams), 500):
        statement = select(t.c.stream, func.max(t.c.version)).where(t.c.stream.in_(streams[start : start + 500]))
        found.update(connection.execute(statement.group_by(t.c.stream)).all())
    return found


def take_ids(connection: Connection, counter: str, count: int) -> range:
    """`count` ids of `counter`, never given out before; the caller holds the write lock."""
    t = log_counters
    last = connection.execute(select(t.c.last).where(t.c.name == counter)).scalar_one_or_none()
    if last is None:
        connection.execute(insert(t), {"name": counter, "last": count})
        return range(1, count + 1)
    connection.execute(update(t).where(t.c.name == counter).values(last=last + count))
    return range(last + 1, last + count + 1)


def events_after(position: int, limit: int, topics: Sequence[str] = ()) -> Select[*tuple[Any, ...]]:
    """Rows of the log, whole, in the order of their positions, from the one after `position`; of these events where any
    are given, by their current stored names, in whatever version the log holds them."""
    t = log_events
    statement = select(t).where(t.c.position > position).order_by(t.c.position).limit(limit)
    return statement.where(t.c.topic.in_(stored_names(topics))) if topics else statement
