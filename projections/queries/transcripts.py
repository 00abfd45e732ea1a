"""Queries on conversations: the messages of an insight, the first one first."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from domain.events.insight import RecordedToolCall, TranscriptMessage
from projections.tables.transcripts import TranscriptsTable

_CALLS = tuple[RecordedToolCall, ...]


class Transcripts:
    """Queries on `transcripts`."""

    def __init__(self, connection: Connection, table: TranscriptsTable) -> None:
        self._connection = connection
        self._table = table.table

    def of(self, insight_id: int) -> tuple[TranscriptMessage, ...]:
        """The messages of an insight's transcript, the first one first."""
        t = self._table
        statement = select(t.c.role, t.c.text, t.c.calls, t.c.answers, t.c.model).where(t.c.insight_id == insight_id)
        return tuple(
            TranscriptMessage(
                role, text, () if calls is None else msgspec.json.decode(calls, type=_CALLS), answers, model
            )
            for role, text, calls, answers, model in self._connection.execute(statement.order_by(t.c.place))
        )
