"""Entities and facts as clients see them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.http.web.times import Moment, moment
from projections.queries.graph import EntityView, FactSource, FactView, Standing, Type
from projections.queries.reading import Lookups


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
