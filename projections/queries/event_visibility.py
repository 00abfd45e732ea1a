"""What who sees some libraries only is told of what others did: the events that concern what they see, and no more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from domain.events.event import Event, Recorded
from domain.events.media import MediaDiscovered, MediaMoved
from projections.queries.reading import Lookups

_OF_CONTENTS: Final = frozenset({"content", "face", "insight"})


def in_sight(tables: Lookups, events: Sequence[Recorded]) -> list[Recorded]:
    """Those of these events that are about what the asker sees: a library, file, face, content with its tags, insight,
    entity, fact, or a person with a visible face. What an operation says of itself and what concerns accounts is never
    among them."""
    faces = tables.faces.in_sight({id_ for each in events for id_ in _face(each.event)})
    contents: dict[bytes, bool] = {}

    def shows(event: Event) -> bool:
        content = _insights(tables, event) if event.subject == "insight" else getattr(event, "content_hash", None)
        if content is None or event.subject not in _OF_CONTENTS:
            return _is_in_sight(tables, event, faces)
        if content not in contents:
            contents[content] = tables.media.shows_content(content)
        return contents[content]

    return [each for each in events if not each.event.private and shows(each.event)]


def _insights(tables: Lookups, event: Event) -> bytes | None:
    insight = tables.insights.get(getattr(event, event.key))
    return None if insight is None else insight.content_hash


def _face(event: Event) -> Iterator[int]:
    if event.subject == "face":
        yield getattr(event, event.key)


def _is_in_sight(tables: Lookups, event: Event, faces: Collection[int]) -> bool:
    key = getattr(event, event.key)
    if event.subject == "library":
        return key in tables.visible
    if isinstance(event, (MediaDiscovered, MediaMoved)):
        return event.library_id in tables.visible
    if event.subject == "media":
        return tables.media.get(key) is not None
    if event.subject == "face":
        return key in faces
    if event.subject == "person":
        return is_person_in_sight(tables, key)
    return event.subject in {"entity", "fact"} and _is_graph_in_sight(tables, event, key)


def _is_graph_in_sight(tables: Lookups, event: Event, key: int) -> bool:
    """Whether what an event says of an entity or a fact, deleted ones too, is the asker's to see: it may hold what only
    one photo tells."""
    fact = tables.entities.fact(key) if event.subject == "fact" else None
    source, hashes = getattr(event, "source", None), [getattr(event, "description_hash", None)]
    hashes += [getattr(event, "was_hash", None), getattr(source, "content_hash", None)]
    hashes += [None if fact is None else fact.content_hash]
    if not all(tables.media.shows_content(content) for content in hashes if content is not None):
        return False
    entity = tables.entities.get(fact.entity_id if fact is not None else key)
    if entity is None:
        return False
    is_deleted = entity.canonical_id is None
    return not tables.entities.outside(entity.id) if is_deleted else tables.entities.sees(entity.id)


def is_person_in_sight(tables: Lookups, person_id: int) -> bool:
    """Whether the asker sees a face of this person."""
    view = tables.persons_with_faces.view(person_id)
    return view is not None and view.face_count > 0
