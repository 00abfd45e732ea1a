"""The read tables `facts` and `insight_examinations`: what is said of entities, and which insights were read for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    insert,
    update,
)

from domain.base.names import name_key
from domain.events.entity import FactCorrected, FactDeleted, FactRecorded, FactRestored, InsightExamined, Statement
from domain.events.erasure import ContentErased
from domain.events.event import Recorded
from domain.events.insight import InsightFollowed
from projections.tables.projection import Id, Projection, Row, id_column


class FactsTable(Projection):
    """One row a fact that was ever recorded; one that was deleted keeps its row, so that it is not proposed again.

    `entity_id` is the entity that it was said of, which may have been merged since. `text_key` is the text as it stands
    and `first_key` as it was recorded, in the form under which two texts are one. The columns of the source are NULL
    where a user wrote it.
    """

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("facts"),
            self.metadata,
            id_column(),
            Column("entity_id", Id, self.reference("entities"), nullable=False),
            Column("text", Text, nullable=False),
            Column("text_key", Text, nullable=False),
            Column("first_key", Text, nullable=False),
            Column("object_id", Id, self.reference("entities")),
            Column("since", Text),
            Column("until", Text),
            Column("insight_id", Id, self.reference("insights")),
            Column("insight_version", Integer),
            Column("content_hash", LargeBinary),
            Column("model", Text),
            Column("prompt_version", Integer),
            Column("recorded_by", Text, nullable=False),
            Column("recorded_at", BigInteger, nullable=False),
            Column("erased", Boolean, nullable=False),
            Column("deleted", Boolean, nullable=False),
            Column("version", Integer, nullable=False),
        )
        Index(self.named("facts_entity"), t.c.entity_id)
        Index(self.named("facts_object"), t.c.object_id)
        Index(self.named("facts_content"), t.c.content_hash)
        self.on(FactRecorded, insert(t), _recorded)
        change = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
        columns = ("text", "text_key", "object_id", "since", "until")
        statement: dict[str, Any] = {name: bindparam(f"to_{name}") for name in columns}
        self.on(
            FactCorrected,
            change.values(**statement),
            lambda e, r: {
                "key": e.fact_id,
                **{f"to_{name}": value for name, value in _statement_columns(e.statement).items()},
            },
        )
        gone = change.values(deleted=bindparam("to"))
        self.on(FactDeleted, gone, lambda e, r: {"key": e.fact_id, "to": True})
        self.on(FactRestored, gone, lambda e, r: {"key": e.fact_id, "to": False})
        of_insight = (t.c.insight_id == bindparam("key")) & (t.c.content_hash == bindparam("was"))
        self.on(
            InsightFollowed,
            update(t).where(of_insight).values(content_hash=bindparam("to")),
            lambda e, r: {"key": e.insight_id, "was": e.was, "to": e.content_hash},
        )
        erased = update(t).where(t.c.content_hash == bindparam("content")).values(erased=True)
        self.on(ContentErased, erased, lambda e, r: {"content": e.content_hash})


class ExaminationsTable(Projection):
    """One row a time that a model read an insight for entities and facts, so that nobody asks it twice."""

    def define(self) -> None:
        """Columns and the write."""
        self.table = t = Table(
            self.named("insight_examinations"),
            self.metadata,
            Column("insight_id", Id, self.reference("insights"), nullable=False),
            Column("prompt_version", Integer, nullable=False),
            Column("model", Text, nullable=False),
            PrimaryKeyConstraint("insight_id", "prompt_version", "model", name=self.named("insight_examinations_once")),
        )
        self.on(
            InsightExamined,
            insert(t),
            lambda e, r: {"insight_id": e.insight_id, "prompt_version": e.prompt_version, "model": e.model},
        )


def _statement_columns(statement: Statement) -> dict[str, object]:
    return {
        "text": statement.text,
        "text_key": name_key(statement.text),
        "object_id": statement.object_id,
        "since": statement.since,
        "until": statement.until,
    }


def _recorded(event: FactRecorded, recorded: Recorded) -> Row:
    source = event.source
    return {
        "id": event.fact_id,
        "entity_id": event.entity_id,
        **_statement_columns(event.statement),
        "first_key": name_key(event.statement.text),
        "insight_id": None if source is None else source.insight_id,
        "insight_version": None if source is None else source.insight_version,
        "content_hash": None if source is None else source.content_hash,
        "model": None if source is None else source.model,
        "prompt_version": None if source is None else source.prompt_version,
        "recorded_by": recorded.actor,
        "recorded_at": recorded.recorded_at,
        "erased": False,
        "deleted": False,
        "version": 1,
    }
