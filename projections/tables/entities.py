"""The read tables `entities` and `entity_aliases`: nodes of the knowledge graph, and the names that lead to them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    update,
)

from domain.base.names import name_key, search_key
from domain.events.entity import (
    TYPES,
    EntityAliased,
    EntityCreated,
    EntityDeleted,
    EntityDescribed,
    EntityMerged,
    EntityRenamed,
    EntityRestored,
    EntityRetyped,
    EntityUnmerged,
)
from domain.events.event import Recorded
from domain.events.insight import InsightFollowed
from projections.tables.merging import follow_merges
from projections.tables.projection import Id, Projection, Row, id_column


class EntitiesTable(Projection):
    """One row an entity that ever was. `content_hash` is the photo from whose insight it was made and
    `description_hash` the one that its description comes from, NULL where a user wrote it; `aliases` is JSON."""

    def define(self) -> None:
        """Columns, the unique name of a type among entities that are neither merged nor deleted, and the writes."""
        self.table = t = Table(
            self.named("entities"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("made_by", Text, nullable=False),
            Column("search_key", Text, nullable=False),
            Column("type", Text, nullable=False),
            Column("description", Text, nullable=False),
            Column("description_hash", LargeBinary),
            Column("aliases", Text, nullable=False),
            Column("content_hash", LargeBinary),
            Column("merged_into", Id, self.reference("entities")),
            Column("canonical_id", Id),
            Column("deleted", Boolean, nullable=False),
            Column("created_at", BigInteger, nullable=False),
            Column("version", Integer, nullable=False),
            CheckConstraint("merged_into <> id", name=self.named("entities_not_into_itself")),
            CheckConstraint(f"type IN ({', '.join(map(repr, TYPES))})", name=self.named("entities_type")),
        )
        live = t.c.merged_into.is_(None) & t.c.deleted.is_(False)
        columns = (t.c.name_key, t.c.type)
        Index(self.named("entities_name"), *columns, unique=True, sqlite_where=live, postgresql_where=live)
        Index(self.named("entities_merged"), t.c.merged_into)
        Index(self.named("entities_canonical"), t.c.canonical_id)
        self.on(EntityCreated, insert(t), _created)
        self._define_changes(t)
        for column in (t.c.content_hash, t.c.description_hash):
            self.on(
                InsightFollowed,
                update(t).where(column == bindparam("was")).values({column: bindparam("to")}),
                lambda e, r: {"was": e.was, "to": e.content_hash},
            )
        self.behind = follow_merges(
            self, t, merged=EntityMerged, unmerged=EntityUnmerged, deleted=EntityDeleted, restored=EntityRestored
        )

    def _define_changes(self, t: Table) -> None:
        change = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
        self.on(
            EntityRenamed,
            change.values(name=bindparam("to"), name_key=bindparam("to_key"), search_key=bindparam("to_search")),
            lambda e, r: {
                "key": e.entity_id,
                "to": e.name,
                "to_key": name_key(e.name),
                "to_search": search_key(e.name),
            },
        )
        self.on(EntityRetyped, change.values(type=bindparam("to")), lambda e, r: {"key": e.entity_id, "to": e.type})
        self.on(
            EntityDescribed,
            change.values(description=bindparam("to"), description_hash=bindparam("to_hash")),
            lambda e, r: {"key": e.entity_id, "to": e.description, "to_hash": e.description_hash},
        )
        self.on(
            EntityAliased,
            change.values(aliases=bindparam("to")),
            lambda e, r: {"key": e.entity_id, "to": _json(e.aliases)},
        )


class EntityAliasesTable(Projection):
    """One row an other name of an entity, in the form under which two names are one, and in that in which it is
    found."""

    def define(self) -> None:
        """Columns and the writes."""
        self.table = t = Table(
            self.named("entity_aliases"),
            self.metadata,
            Column("entity_id", Id, self.reference("entities"), nullable=False),
            Column("name_key", Text, nullable=False),
            Column("search_key", Text, nullable=False),
            PrimaryKeyConstraint("name_key", "entity_id", name=self.named("entity_aliases_pair")),
        )
        Index(self.named("entity_aliases_entity"), t.c.entity_id)
        forget = delete(t).where(t.c.entity_id == bindparam("key"))
        self.on_each(EntityCreated, insert(t), _aliases)
        self.on(EntityAliased, forget, lambda e, r: {"key": e.entity_id})
        self.on_each(EntityAliased, insert(t), _aliases)


def _created(event: EntityCreated, recorded: Recorded) -> Row:
    content = None if event.source is None else event.source.content_hash
    return {
        "id": event.entity_id,
        "name": event.name,
        "name_key": name_key(event.name),
        "search_key": search_key(event.name),
        "type": event.type,
        "description": event.description,
        "description_hash": content if event.description else None,
        "aliases": _json(event.aliases),
        "content_hash": content,
        "merged_into": None,
        "canonical_id": event.entity_id,
        "deleted": False,
        "created_at": recorded.recorded_at,
        "made_by": recorded.actor,
        "version": 1,
    }


def _aliases(event: EntityCreated | EntityAliased, _recorded: Recorded) -> Iterator[Row]:
    for key in sorted(set(map(name_key, event.aliases))):
        yield {"entity_id": event.entity_id, "name_key": key, "search_key": search_key(key)}


def _json(aliases: tuple[str, ...]) -> str:
    return msgspec.json.encode(aliases).decode()
