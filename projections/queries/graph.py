"""Queries on entities and facts: what commands decide by, and what the asker may see.

A fact that comes from a photo is seen by whoever sees a file of that photo, like the insight that it was read from; one
that a user wrote, by whoever sees its entity. An entity is seen by who sees every library, by who sees one of the
photos that it or its facts come from, by who made it, and by who knows of a person that is linked to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Exists, RowMapping, Select, and_, case, func, or_, select, true

from domain.base.names import name_key, search_words
from domain.events.entity import AMENDED, ERASED, GONE, REWOUND, STANDS, Entity, Fact
from domain.events.insight import ASSISTANT
from projections.queries.person_sight import PersonSight
from projections.tables.schema import ReadTables

_ALIASES = tuple[str, ...]
Type = Literal["person", "place", "organisation", "event", "thing"]
Standing = Literal["stands", "amended", "rewound", "gone", "erased"]


class EntityView(msgspec.Struct, frozen=True):
    """An entity as clients see it: `fact_count` counts what the asker may see, `merged_into` names the entity that a
    merged one became."""

    id: int
    name: str
    type: Type
    description: str
    aliases: Sequence[str]
    fact_count: int
    merged_into: int | None
    version: int


class FactSource(msgspec.Struct, frozen=True):
    """What a fact was read from: the insight in the version that it had, the photo that it is about, the model that
    read it and the version of the question that it was asked."""

    insight_id: int
    insight_version: int
    content_hash: str
    model: str
    prompt_version: int


class FactView(msgspec.Struct, frozen=True):
    """A fact as clients see it, of an entity and perhaps about another, `object_id`. `standing` says what became of the
    insight that it was read from, `corrected` that its text is no longer the one that was recorded. `source` is null
    where a user wrote it; `recorded_by` is who did, `recorded_at` microseconds since 1970 UTC."""

    id: int
    entity_id: int
    entity_name: str
    text: str
    object_id: int | None
    object_name: str | None
    since: str | None
    until: str | None
    standing: Standing
    corrected: bool
    source: FactSource | None
    recorded_by: str
    recorded_at: int
    version: int


class KnowledgeGraph:
    """Queries on the knowledge graph; `libraries` are the ids that the asker may see, and `sight` says of which persons
    they know, None where they see every library."""

    def __init__(
        self, connection: Connection, tables: ReadTables, libraries: Collection[int], sight: PersonSight | None
    ) -> None:
        self._connection = connection
        self._entities, self._behind = tables.entities.table, tables.entities.behind
        self._aliases, self._facts = tables.entity_aliases.table, tables.facts.table
        self._examinations = tables.examinations.table
        self._insights, self._transcripts = tables.insights.table, tables.transcripts.table
        self._persons, self._media = tables.persons.table, tables.media.table
        self._libraries, self._sight = tuple(libraries), sight

    # What commands decide by

    def get(self, entity_id: int) -> Entity | None:
        """The entity with this id, merged, deleted and unseen ones too."""
        t = self._entities
        columns = (t.c[name] for name in Entity.__struct_fields__)
        row = self._connection.execute(select(*columns).where(t.c.id == entity_id)).one_or_none()
        if row is None:
            return None
        known = dict(zip(Entity.__struct_fields__, row, strict=True))
        return Entity(**{**known, "aliases": msgspec.json.decode(known["aliases"], type=_ALIASES)})

    def named(self, name: str, type_: str) -> int | None:
        """The id of the live entity with this name, without regard to case, and of this type."""
        t = self._entities
        live = (t.c.merged_into.is_(None), t.c.deleted.is_(False))
        statement = select(t.c.id).where(t.c.name_key == name_key(name), t.c.type == type_, *live)
        return self._connection.execute(statement).scalar_one_or_none()

    def called(self, name: str, type_: str) -> list[int | None]:
        """What a name or other name of this type leads to: the ids of live entities, the one with the very name first;
        None stands for those that were deleted."""
        t, a = self._entities, self._aliases
        key = name_key(name)
        other = select(a.c.entity_id).where(a.c.name_key == key)
        statement = select(t.c.canonical_id, (t.c.name_key == key).label("is_name"), t.c.merged_into).where(
            t.c.type == type_, or_(t.c.name_key == key, t.c.id.in_(other))
        )
        rows = self._connection.execute(statement.order_by(t.c.id)).mappings().all()
        best = sorted(
            rows, key=lambda row: (row["canonical_id"] is None, not row["is_name"], row["merged_into"] is not None)
        )
        return list(dict.fromkeys(row["canonical_id"] for row in best))

    def behind(self, entity_id: int) -> list[int]:
        """The ids of this entity and of all that were merged into it, directly or by others."""
        return list(self._connection.execute(self._behind, {"key": entity_id}).scalars())

    def outside(self, entity_id: int) -> int:
        """How many photos that this entity, what was merged into it, or a fact about them comes from lie in no library
        that the asker may see; those of a content that no file has any more lie nowhere."""
        e, f = self._entities, self._facts
        behind = self.behind(entity_id)
        mentioned = or_(f.c.entity_id.in_(behind), f.c.object_id.in_(behind))
        contents = (
            select(f.c.content_hash)
            .where(mentioned, f.c.deleted.is_(False))
            .union(
                select(e.c.content_hash).where(e.c.id.in_(behind)),
                select(e.c.description_hash).where(e.c.id.in_(behind)),
            )
            .subquery()
        )
        column = contents.c.content_hash
        statement = select(func.count()).select_from(contents).where(self._is_out_of_sight(column))
        return self._connection.execute(statement).scalar_one()

    def bridged(self, entity_id: int) -> list[int]:
        """The live persons that are bridged to this entity or to one that was merged into it."""
        p = self._persons
        statement = select(p.c.id).where(
            p.c.entity_id.in_(self.behind(entity_id)), p.c.deleted.is_(False), p.c.merged_into.is_(None)
        )
        return list(self._connection.execute(statement.order_by(p.c.id)).scalars())

    def bridges(self, entity_ids: Collection[int]) -> Mapping[int, list[int]]:
        """The live persons that are bridged to each of these live entities or to one that was merged into it."""
        p, e = self._persons, self._entities
        statement = (
            select(e.c.canonical_id, p.c.id)
            .join(e, e.c.id == p.c.entity_id)
            .where(e.c.canonical_id.in_(tuple(entity_ids)), p.c.deleted.is_(False), p.c.merged_into.is_(None))
        )
        found: dict[int, list[int]] = {}
        for entity_id, person_id in self._connection.execute(statement.order_by(p.c.id)):
            found.setdefault(entity_id, []).append(person_id)
        return found

    def fact(self, fact_id: int) -> Fact | None:
        """The fact with this id, deleted and unseen ones too."""
        f = self._facts
        columns = (f.c[name] for name in Fact.__struct_fields__)
        row = self._connection.execute(select(*columns).where(f.c.id == fact_id)).one_or_none()
        return None if row is None else Fact(*row)

    def own_facts(self, entity_id: int) -> list[int]:
        """The ids of the facts that stand and say this very entity."""
        f = self._facts
        statement = select(f.c.id).where(f.c.entity_id == entity_id, f.c.deleted.is_(False))
        return list(self._connection.execute(statement.order_by(f.c.id)).scalars())

    def fact_texts(self, entity_id: int) -> set[str]:
        """The texts of all facts of this entity and those merged into it, deleted ones too, as they stand and as they
        were recorded, in the form under which two texts are one."""
        f = self._facts
        statement = select(f.c.text_key, f.c.first_key).where(f.c.entity_id.in_(self.behind(entity_id)))
        return {key for row in self._connection.execute(statement) for key in row}

    def was_examined(self, insight_id: int, model: str, prompt_version: int) -> bool:
        """Whether this model was asked this question of an insight."""
        t = self._examinations
        statement = select(t.c.insight_id).where(
            t.c.insight_id == insight_id, t.c.model == model, t.c.prompt_version == prompt_version
        )
        return self._connection.execute(statement).first() is not None

    # What the asker sees

    def sees(self, entity_id: int) -> bool:
        """Whether the asker sees this entity, merged as it may be; a deleted one is seen by nobody."""
        return self.view(entity_id) is not None

    def sees_fact(self, fact_id: int) -> bool:
        """Whether the asker sees this fact; a deleted one is seen by nobody."""
        return self.fact_view(fact_id) is not None

    def _is_seen(self, content: ColumnElement[Any]) -> Exists:
        m = self._media
        return (
            select(m.c.id)
            .where(m.c.content_hash == content, m.c.present, m.c.library_id.in_(self._libraries))
            .correlate_except(m)
            .exists()
        )

    def _is_out_of_sight(self, content: ColumnElement[Any]) -> ColumnElement[bool]:
        m = self._media
        anywhere = select(m.c.id).where(m.c.content_hash == content).correlate_except(m)
        return and_(anywhere.exists(), ~anywhere.where(m.c.library_id.in_(self._libraries)).exists())

    def _is_visible(self, canonical: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether the asker sees the entity whose canonical id is in a column."""
        if self._sight is None:
            return canonical.is_not(None)
        e, f = self._entities.alias("origin"), self._facts.alias("mention")
        mate = self._entities.alias("mate")
        origins = select(e.c.id).where(e.c.canonical_id == canonical).correlate_except(e)
        mentions = (
            select(f.c.id)
            .join(mate, or_(mate.c.id == f.c.entity_id, mate.c.id == f.c.object_id))
            .where(mate.c.canonical_id == canonical, f.c.deleted.is_(False))
            .correlate_except(f, mate)
        )
        some = (origins, e.c.content_hash), (mentions, f.c.content_hash)
        seen = or_(*(query.where(self._is_seen(content)).exists() for query, content in some))
        linked = self._persons.alias("linked")
        known = (
            select(linked.c.id)
            .join(mate, mate.c.id == linked.c.entity_id)
            .where(mate.c.canonical_id == canonical, self._sight.knows(linked.c.canonical_id))
            .correlate_except(linked, mate)
        )
        made = origins.where(self._sight.is_actors(e.c.made_by))
        return and_(canonical.is_not(None), or_(seen, known.exists(), made.exists()))

    def _fact_count(self, canonical: ColumnElement[Any]) -> ColumnElement[int]:
        f, mate = self._facts.alias("counted"), self._entities.alias("counted_of")
        return (
            select(func.count(f.c.id))
            .join(mate, mate.c.id == f.c.entity_id)
            .where(
                mate.c.canonical_id == canonical,
                f.c.deleted.is_(False),
                or_(f.c.content_hash.is_(None), self._is_seen(f.c.content_hash)),
            )
            .correlate_except(f, mate)
            .scalar_subquery()
        )

    def _select(self) -> Select[*tuple[Any, ...]]:
        t = self._entities
        described = or_(t.c.description_hash.is_(None), self._is_seen(t.c.description_hash))
        return select(
            *(t.c.id, t.c.name, t.c.type, t.c.aliases, t.c.canonical_id, t.c.merged_into, t.c.version, t.c.name_key),
            case((described, t.c.description), else_="").label("description"),
            self._fact_count(t.c.id).label("fact_count"),
        ).where(self._is_visible(t.c.canonical_id))

    def view(self, entity_id: int) -> EntityView | None:
        """The entity with this id where the asker sees it; a merged one says into what, a deleted one is not found."""
        return next(iter(self.views([entity_id]).values()), None)

    def views(self, entity_ids: Collection[int]) -> Mapping[int, EntityView]:
        """As `view`, for many at once, by id."""
        ids = tuple(set(entity_ids))
        if not ids:
            return {}
        rows = self._connection.execute(self._select().where(self._entities.c.id.in_(ids))).mappings()
        return {row["id"]: _view(row) for row in rows}

    def page(
        self, limit: int, *, after: tuple[str, int] | None = None, q: str | None = None, type_: str | None = None
    ) -> list[tuple[EntityView, str]]:
        """Live entities that the asker sees, by name, each with its name's key; `after` is the key and id of the last
        one of the page before, `q` words of a name or other name, in any order."""
        t, a = self._entities, self._aliases
        statement = self._select().where(t.c.merged_into.is_(None), t.c.deleted.is_(False))
        if q:
            words = search_words(q)
            own, other = (
                and_(true(), *(table.c.search_key.contains(word, autoescape=True) for word in words))
                for table in (t, a)
            )
            statement = statement.where(or_(own, t.c.id.in_(select(a.c.entity_id).where(other))))
        if type_ is not None:
            statement = statement.where(t.c.type == type_)
        if after is not None:
            beyond = and_(t.c.name_key == after[0], t.c.id > after[1])
            statement = statement.where(or_(t.c.name_key > after[0], beyond))
        rows = self._connection.execute(statement.order_by(t.c.name_key, t.c.id).limit(limit)).mappings()
        return [(_view(row), row["name_key"]) for row in rows]

    def _standing(self) -> ColumnElement[str]:
        f, i, message = self._facts, self._insights, self._transcripts
        newer = self._insights.alias("newer")
        amended = select(newer.c.id).where(newer.c.amends == i.c.id, newer.c.deleted.is_(False)).correlate_except(newer)
        there = select(message.c.place).where(
            message.c.insight_id == i.c.id, message.c.role == ASSISTANT, message.c.text == i.c.text
        )
        return case(
            (f.c.insight_id.is_(None), STANDS),
            (f.c.erased, ERASED),
            (i.c.deleted, GONE),
            (amended.exists(), AMENDED),
            (~there.correlate_except(message).exists(), REWOUND),
            else_=STANDS,
        )

    def _select_facts(self) -> Select[*tuple[Any, ...]]:
        """Facts that the asker sees, with their entities as these are today."""
        f, i = self._facts, self._insights
        subject, thing = self._entities.alias("subject"), self._entities.alias("object")
        return (
            select(f, subject.c.canonical_id, thing.c.canonical_id.label("thing"), self._standing().label("standing"))
            .join(subject, subject.c.id == f.c.entity_id)
            .outerjoin(thing, thing.c.id == f.c.object_id)
            .outerjoin(i, i.c.id == f.c.insight_id)
            .where(
                f.c.deleted.is_(False),
                or_(f.c.content_hash.is_(None), self._is_seen(f.c.content_hash)),
                self._is_visible(subject.c.canonical_id),
            )
            .order_by(f.c.id)
        )

    def _fact_views(self, statement: Select[*tuple[Any, ...]]) -> list[FactView]:
        rows = self._connection.execute(statement).mappings().all()
        mentioned = {id_ for row in rows for id_ in (row["canonical_id"], row["thing"]) if id_ is not None}
        named = {id_: view.name for id_, view in self.views(mentioned).items()}
        return [_fact_view(row, named) for row in rows]

    def fact_view(self, fact_id: int) -> FactView | None:
        """The fact with this id where the asker sees it; a deleted one is not found."""
        return next(iter(self._fact_views(self._select_facts().where(self._facts.c.id == fact_id))), None)

    def facts_of(self, entity_id: int, after: int, limit: int, *, standing: bool = False) -> list[FactView]:
        """The facts of this entity and of those merged into it, and those of others that are about one of them, by id,
        after an id; only those that stand where `standing`."""
        if not self.sees(entity_id):
            return []
        f, behind = self._facts, self.behind(entity_id)
        about = or_(f.c.entity_id.in_(behind), f.c.object_id.in_(behind))
        statement = self._select_facts().where(about, f.c.id > after).limit(limit)
        return self._fact_views(statement.where(self._standing() == STANDS) if standing else statement)

    def facts_from(self, content_hash: bytes, after: int, limit: int) -> list[FactView]:
        """The facts that were read from insights about this content, by id, after an id."""
        f = self._facts
        return self._fact_views(
            self._select_facts().where(f.c.content_hash == content_hash, f.c.id > after).limit(limit)
        )

    def fact_ids(self, entity_ids: Collection[int]) -> list[int]:
        """The ids of the facts that say one of these entities, deleted and unseen ones too."""
        f = self._facts
        return list(self._connection.execute(select(f.c.id).where(f.c.entity_id.in_(tuple(entity_ids)))).scalars())


def _view(row: RowMapping) -> EntityView:
    return EntityView(
        id=row["id"],
        name=row["name"],
        type=row["type"],
        description=row["description"],
        aliases=msgspec.json.decode(row["aliases"], type=_ALIASES),
        fact_count=row["fact_count"] if row["merged_into"] is None else 0,
        merged_into=row["canonical_id"] if row["merged_into"] is not None else None,
        version=row["version"],
    )


def _fact_view(row: RowMapping, named: Mapping[int, str]) -> FactView:
    source = None
    if row["insight_id"] is not None:
        content = bytes(row["content_hash"]).hex()
        source = FactSource(row["insight_id"], row["insight_version"], content, row["model"], row["prompt_version"])
    return FactView(
        id=row["id"],
        entity_id=row["canonical_id"],
        entity_name=named.get(row["canonical_id"], ""),
        text=row["text"],
        object_id=row["thing"] if row["thing"] in named else None,
        object_name=named.get(row["thing"]),
        since=row["since"],
        until=row["until"],
        standing=row["standing"],
        corrected=row["text_key"] != row["first_key"],
        source=source,
        recorded_by=row["recorded_by"],
        recorded_at=row["recorded_at"],
        version=row["version"],
    )
