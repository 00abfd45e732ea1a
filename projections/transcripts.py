"""The read table `transcripts`: one row a message of a conversation about a photo."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)

from domain.event import Recorded
from domain.insight import Message, ToolCall, TranscriptAppended, TranscriptRewound
from projections.projection import Id, Projection, Row

_CALLS = tuple[ToolCall, ...]


class TranscriptsTable(Projection):
    """The messages that stand, by insight and place (0 is the first); what was gone back behind is in the log alone.

    `calls` are the tools that a message asks for, as JSON.
    """

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("transcripts"),
            self.metadata,
            Column("insight_id", Id, self.reference("insights"), nullable=False),
            Column("place", Integer, nullable=False),
            Column("role", Text, nullable=False),
            Column("text", Text, nullable=False),
            Column("calls", Text),
            Column("answers", Text),
            Column("model", Text),
            PrimaryKeyConstraint("insight_id", "place", name=self.named("transcripts_place")),
            CheckConstraint("role IN ('user', 'assistant', 'tool')", name=self.named("transcripts_role")),
        )
        self.on_each(TranscriptAppended, insert(t), _rows)
        self.on(
            TranscriptRewound,
            delete(t).where(t.c.insight_id == bindparam("key"), t.c.place >= bindparam("kept")),
            lambda e, r: {"key": e.insight_id, "kept": e.kept},
        )


def _rows(event: TranscriptAppended, recorded: Recorded) -> Iterator[Row]:
    for place, message in enumerate(event.messages, start=event.start):
        yield {
            "insight_id": event.insight_id,
            "place": place,
            "role": message.role,
            "text": message.text,
            "calls": msgspec.json.encode(message.calls).decode() if message.calls else None,
            "answers": message.answers,
            "model": message.model,
        }


class Transcripts:
    """Queries on `transcripts`."""

    def __init__(self, connection: Connection, table: TranscriptsTable) -> None:
        self._connection = connection
        self._table = table.table

    def of(self, insight_id: int) -> tuple[Message, ...]:
        """The messages of an insight's transcript, the first one first."""
        t = self._table
        statement = select(t.c.role, t.c.text, t.c.calls, t.c.answers, t.c.model).where(t.c.insight_id == insight_id)
        return tuple(
            Message(role, text, () if calls is None else msgspec.json.decode(calls, type=_CALLS), answers, model)
            for role, text, calls, answers, model in self._connection.execute(statement.order_by(t.c.place))
        )
