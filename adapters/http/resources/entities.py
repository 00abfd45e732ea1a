"""The knowledge graph: `/entities`, what is said of each, and what lies below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    Done,
    Id,
    Limit,
    Moment,
    Name,
    NamePart,
    Page,
    Reply,
    Routes,
    id_of,
    is_known,
    moment,
    next_cursor,
    photo_at,
    place_with_value,
    sorted_place,
    write,
)
from adapters.http.web.views.media import PhotoQuery
from adapters.http.web.views.operations import OperationRow, operation_row
from adapters.store.transaction import Transaction
from domain.base.errors import NotFound
from domain.commands.entities import (
    EntityChanges,
    FactChanges,
    change_entity,
    correct_fact,
    create_entity,
    delete_entity,
    delete_fact,
    merge_entities,
    record_fact,
)
from domain.events.entity import Statement
from projections.queries.graph import EntityView, FactSource, FactView, Standing, Type
from projections.queries.reading import Lookups

routes = Routes("Entities")

Day = Annotated[str, Meta(max_length=10, description="YYYY-MM-DD, YYYY-MM or YYYY")]


class BridgedPerson(msgspec.Struct):
    """A person that a user bridged to an entity."""

    id: int
    name: str


class EntityRow(msgspec.Struct):
    """An entity: `fact_count` counts what the asker may see, `merged_into` names the entity that a merged one became,
    and `persons` are those who are bridged to it and whom the asker may know."""

    id: int
    name: str
    type: Type
    description: str
    aliases: Sequence[str]
    fact_count: int
    merged_into: int | None
    version: int
    persons: list[BridgedPerson]


class FactRow(msgspec.Struct):
    """A fact of an entity, perhaps about another one, as both are today. `source` says which insight it was read from
    and by which model, null where a user wrote it; `library_id` and `path` name a visible file of the photo that the
    insight is about. `standing` says what became of that insight: `stands`, `amended` by a newer one, `rewound` where
    its conversation went back behind it, `gone` where it was taken back, or `erased`. `corrected` says that a user
    changed the text since."""

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
    library_id: int | None
    path: str | None
    recorded_by: str
    recorded_at: Moment
    version: int


class EntitiesQuery(msgspec.Struct):
    """Which entities."""

    q: NamePart | None = None
    type: Type | None = None
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


FactText = Annotated[str, Meta(min_length=1, description="one sentence")]


class NewEntity(msgspec.Struct):
    """An entity to make."""

    name: Name
    type: Type
    description: str = ""
    aliases: list[str] = []


class EntityPatch(msgspec.Struct):
    """What to write about an entity; what is left out stays."""

    name: Name | UnsetType = UNSET
    type: Type | UnsetType = UNSET
    description: str | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET


class MergeEntity(msgspec.Struct):
    """The entity that the other one turns out to be."""

    into: Id


class FactsQuery(msgspec.Struct):
    """How much, and from where on."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class NewFact(msgspec.Struct):
    """A fact to record."""

    text: FactText
    object_id: Annotated[Id, Meta(description="another entity that it is about")] | None = None
    since: Day | None = None
    until: Day | None = None


class FactPatch(msgspec.Struct):
    """What is right about a fact; what is left out stays."""

    text: FactText | UnsetType = UNSET
    object_id: Id | UnsetType | None = UNSET
    since: Day | UnsetType | None = UNSET
    until: Day | UnsetType | None = UNSET


class FactsOfPhoto(PhotoQuery):
    """Which photo's, how many, and from where on."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


@routes("GET", "/entities", query=EntitiesQuery, answers=Page[EntityRow])
def list_entities(call: Call, query: EntitiesQuery) -> Reply:
    """What insights and users speak of, by name, as far as the asker sees the photos that it comes from."""
    after = None
    if query.cursor is not None:
        value, id_ = sorted_place(query.cursor, "name", str)
        after = (str(value), id_)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = tables.entities.page(query.limit + 1, after=after, q=query.q, type_=query.type)
        kept = rows[: query.limit]
        shown = entity_rows(tables, [view for view, _ in kept])
    cursor = next_cursor(rows, query.limit, place_with_value("name"))
    return Reply(Page(shown, cursor))


@routes(
    "POST", "/entities", body=NewEntity, answers=EntityRow, status=201, role="editor", errors=(409,), rehearses=True
)
def add_entity(call: Call, body: NewEntity) -> Reply:
    """Make an entity."""
    return write(
        call, lambda uow: create_entity(uow, body.name, body.type, body.description, body.aliases), _entity, status=201
    )


@routes("GET", "/entities/{id}", answers=EntityRow, errors=(404,))
def show_entity(call: Call, id: int) -> Reply:
    """One entity; a merged one says into which by `merged_into`."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        return Reply(entity_row(tables, _seen(tables, id)))


@routes(
    "PATCH",
    "/entities/{id}",
    body=EntityPatch,
    answers=EntityRow,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def patch_entity(call: Call, id: int, body: EntityPatch) -> Reply:
    """Write what is known of an entity."""
    changes = EntityChanges(**msgspec.structs.asdict(body))
    return write(call, lambda uow: change_entity(uow, id, changes, call.expected), lambda uow, _: _entity(uow, id))


@routes("DELETE", "/entities/{id}", answers=Done, role="editor", errors=(404, 409), versioned=True, rehearses=True)
def remove_entity(call: Call, id: int) -> Reply:
    """Delete an entity with its facts and all that were merged into it; no model proposes it again."""
    return write(call, lambda uow: delete_entity(uow, id, call.expected))


@routes(
    "POST",
    "/entities/{id}/merge",
    body=MergeEntity,
    answers=EntityRow,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def merge_entity(call: Call, id: int, body: MergeEntity) -> Reply:
    """Say that this entity is another one, under which its facts and bridges are found; answers that one.

    Undo brings it back with exactly the facts that were said of it.
    """
    return write(
        call, lambda uow: merge_entities(uow, id, body.into, call.expected), lambda uow, _: _entity(uow, body.into)
    )


@routes("GET", "/entities/{id}/facts", query=FactsQuery, answers=Page[FactRow], errors=(404,))
def list_facts(call: Call, id: int, query: FactsQuery) -> Reply:
    """What is said of an entity and of those merged into it, and what is said of others about it, the oldest first."""
    after = id_of(query.cursor) or 0
    with call.dependencies.ledger.reading(call.actor) as tables:
        entity = _seen(tables, id)
        rows = tables.entities.facts_of(entity.merged_into or id, after, query.limit + 1)
        return Reply(_page_of_facts(tables, rows, query.limit))


@routes("GET", "/image/facts", query=FactsOfPhoto, answers=Page[FactRow], errors=(404,))
def list_facts_of_photo(call: Call, query: FactsOfPhoto) -> Reply:
    """The facts that were read from insights about a photo and its copies, the oldest first."""
    after = id_of(query.cursor) or 0
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        rows = tables.entities.facts_from(media.content_hash or b"", after, query.limit + 1)
        return Reply(_page_of_facts(tables, rows, query.limit))


@routes(
    "POST",
    "/entities/{id}/facts",
    body=NewFact,
    answers=FactRow,
    status=201,
    role="editor",
    errors=(404, 409),
    rehearses=True,
)
def add_fact(call: Call, id: int, body: NewFact) -> Reply:
    """Say something of an entity; whoever sees the entity sees that."""
    statement = Statement(body.text, body.object_id, body.since, body.until)
    return write(call, lambda uow: record_fact(uow, id, statement), fact_row, status=201)


@routes(
    "PATCH",
    "/entities/{id}/facts/{fact_id}",
    body=FactPatch,
    answers=FactRow,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def patch_fact(call: Call, id: int, fact_id: int, body: FactPatch) -> Reply:
    """Say what is right in the place of what a fact says; the log keeps what it said."""
    changes = FactChanges(**msgspec.structs.asdict(body))
    return write(
        call, lambda uow: correct_fact(uow, id, fact_id, changes, call.expected), lambda uow, _: fact_row(uow, fact_id)
    )


@routes(
    "DELETE",
    "/entities/{id}/facts/{fact_id}",
    answers=Done,
    role="editor",
    errors=(404, 409),
    versioned=True,
    rehearses=True,
)
def remove_fact(call: Call, id: int, fact_id: int) -> Reply:
    """Say that a fact is wrong: it is gone, and no model proposes it again for this entity."""
    return write(call, lambda uow: delete_fact(uow, id, fact_id, call.expected))


@routes("GET", "/entities/{id}/history", query=FactsQuery, answers=Page[OperationRow], errors=(404,))
def history_of_entity(call: Call, id: int, query: FactsQuery) -> Reply:
    """What was done with an entity, those merged into it, and the facts about them, newest first. Who sees some
    libraries only is told of what others did there without names."""
    before = id_of(query.cursor)
    with call.dependencies.ledger.reading(call.actor) as tables:
        entity = _seen(tables, id)
        behind = tables.entities.behind(entity.merged_into or id)
        streams = [f"entity-{id_}" for id_ in behind]
        streams += [f"fact-{id_}" for id_ in tables.entities.fact_ids(behind)]
    ids = call.dependencies.ledger.operations_on(streams, query.limit + 1, before)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = tables.operations.these(ids)
    kept = rows[: query.limit]
    seen = [row for row in kept if is_known(call.dependencies.ledger, call.actor, row)]
    cursor = next_cursor(rows, query.limit)
    shown: Sequence[OperationRow] = [operation_row(row, call.actor) for row in seen]
    return Reply(Page(shown, cursor))


def _seen(tables: Lookups, entity_id: int) -> EntityView:
    """An entity, merged or not, that the asker sees; raises `NotFound`."""
    view = tables.entities.view(entity_id)
    if view is None:
        raise NotFound(f"there is no entity {entity_id}")
    return view


def _entity(uow: Transaction, entity_id: int) -> EntityRow | None:
    return entity_row(uow, uow.entities.view(entity_id))


def _page_of_facts(tables: Lookups, rows: Sequence[FactView], limit: int) -> Page[FactRow]:
    kept = rows[:limit]
    return Page(fact_rows(tables, kept), next_cursor(rows, limit))


def entity_rows(tables: Lookups, views: Sequence[EntityView]) -> list[EntityRow]:
    """Entities with the persons who are bridged to them; a merged one has none."""
    bridges = tables.entities.bridges([view.id for view in views])
    wanted = sorted({id_ for ids in bridges.values() for id_ in ids})
    names = {view.id: view.name for view in tables.persons_with_faces.views(wanted)}
    return [
        EntityRow(
            **msgspec.structs.asdict(view),
            persons=[BridgedPerson(id_, names[id_]) for id_ in bridges.get(view.id, ()) if id_ in names],
        )
        for view in views
    ]


def entity_row(tables: Lookups, view: EntityView | None) -> EntityRow | None:
    """As `entity_rows`, for one; None where it is not to be seen."""
    return None if view is None else entity_rows(tables, [view])[0]


def fact_rows(tables: Lookups, views: Sequence[FactView]) -> list[FactRow]:
    """Facts with a file of the photo that each comes from."""
    contents = {bytes.fromhex(view.source.content_hash) for view in views if view.source is not None}
    places = tables.insights.places(contents) if contents else {}
    rows = []
    for view in views:
        place = None if view.source is None else places.get(bytes.fromhex(view.source.content_hash))
        library_id, path = (None, None) if place is None else place
        known = {**msgspec.structs.asdict(view), "recorded_at": moment(view.recorded_at)}
        rows.append(FactRow(**known, library_id=library_id, path=path))
    return rows


def fact_row(tables: Lookups, fact_id: int) -> FactRow | None:
    """As `fact_rows`, for one; None where it is not to be seen."""
    view = tables.entities.fact_view(fact_id)
    return None if view is None else fact_rows(tables, [view])[0]
