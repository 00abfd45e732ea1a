"""The read table `transcripts`: one row a message of a conversation about a photo."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text, bindparam, delete, insert

from domain.events.event import Recorded
from domain.events.insight import TranscriptAppended, TranscriptRewound
from projections.tables.projection import Id, Projection, Row


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
