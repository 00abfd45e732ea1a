"""Who may see what, and who may change it: asked in the snapshot of each query and in the unit of work of each command.

An actor sees the libraries that they are granted, the photos of which a present file lies in one of them, and what is
about such a photo: its faces, tags and insights, and the facts that were read from these. Of a person, who may be on
many photos, an actor knows where one of those is or was in their sight; of an entity where they see a photo that it is
from, made it, or know of the person that it is linked to.
What is not seen is not found. What is seen in part alone is not changed as a whole, but by an admin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from domain.base.actor import Actor
from domain.base.errors import Forbidden, NotFound
from domain.events.event import Event, Recorded
from domain.events.face import DETECTED, Face, faces_in_words
from domain.events.insight import Insight
from domain.events.library import LibraryAdded, LibraryRelocated
from domain.events.media import MediaDiscovered, MediaMoved
from domain.events.operation import Operation
from domain.events.person import Person, PersonMerged, PersonsTellingApartWithdrawn, PersonsToldApart, PersonUnmerged
from domain.ports.lookups import Snapshot

MOST_LOOKED_THROUGH: Final = 10_000
"""Events of an operation that are looked through before it counts as out of sight."""
_OF_CONTENTS: Final = frozenset({"content", "face", "insight"})
_NEVER_SHOWN: Final = frozenset({"embedding_id", "was_embedding_id"})


def reaches_everything(actor: Actor) -> bool:
    """Whether an actor may change what lies, wholly or in part, where others look."""
    return actor.is_admin or not actor.is_restricted


def knows_person(tables: Snapshot, person_id: int) -> bool:
    """Whether the actor may know of a person, merged or not: who sees every library, of each; who sees some, of one
    with a face that is or was in their sight, of one without any that they made, or whose name is a tag in their sight,
    and of none that was deleted."""
    if not tables.actor.is_restricted:
        return True
    person = tables.persons.get(person_id)
    if person is None or person.canonical_id is None:
        return False
    return tables.visibility.knows_person(person.canonical_id)


def known_person(tables: Snapshot, person_id: int) -> Person:
    """A person, merged or not.

    Raises:
        NotFound: there is none, it was deleted, or the actor may not know of it.
    """
    person = tables.persons.get(person_id)
    if person is None or person.canonical_id is None or not knows_person(tables, person_id):
        raise NotFound(f"there is no person {person_id}")
    return person


def require_faces_in_sight(tables: Snapshot, person_ids: Sequence[int], status: str = DETECTED) -> None:
    """Raises `Forbidden` where faces (of this status) of these persons lie in libraries that the actor may not see."""
    outside = 0 if reaches_everything(tables.actor) else tables.visibility.faces_outside(person_ids, status)
    if outside:
        who = tables.actor.name
        raise Forbidden(
            f"{faces_in_words(outside)} of this person lie in libraries that {who} may not see: ask an admin"
        )


def seen_face(tables: Snapshot, face_id: int) -> Face:
    """A face.

    Raises:
        NotFound: there is none, it was deleted, or no file that the actor may see shows it.
    """
    face = tables.faces.get(face_id)
    if face is None or face.status != DETECTED or not tables.media.shows_content(face.content_hash):
        raise NotFound(f"there is no face {face_id}")
    return face


def require_photos(tables: Snapshot, contents: Collection[bytes]) -> None:
    """Raises `NotFound` where one of these contents is only in libraries that the actor may not see."""
    if tables.actor.is_restricted and len(tables.visibility.contents_among(contents)) < len(set(contents)):
        raise NotFound("there is no such photo")


def require_photo_in_sight(tables: Snapshot, content_hash: bytes, what: str) -> None:
    """Raises `Forbidden` where no file that the actor may see shows this content."""
    if not reaches_everything(tables.actor) and not tables.media.shows_content(content_hash):
        raise Forbidden(f"this touches {what} that {tables.actor.name} may not see: ask an admin")


def knows_tag(tables: Snapshot, tag_id: int) -> bool:
    """Whether the actor may know of a tag: who sees some libraries only, of one that is on a photo in their sight."""
    return not tables.actor.is_restricted or tables.visibility.tagged(tag_id) > 0


def require_known_tag(tables: Snapshot, tag_id: int) -> None:
    """Raises `NotFound` where there is no such tag, or the actor may not know of it."""
    if tables.tags.get(tag_id) is None or not knows_tag(tables, tag_id):
        raise NotFound(f"there is no tag {tag_id}")


def require_tag_in_sight(tables: Snapshot, tag_id: int) -> None:
    """Raises `Forbidden` where the tag, live or deleted, is on photos in libraries that the actor may not see."""
    if not reaches_everything(tables.actor) and tables.visibility.tagged_outside(tag_id):
        name = tables.tags.name_of(tag_id)
        raise Forbidden(f"the tag {name} is on photos that {tables.actor.name} may not see: ask an admin")


def require_entity_in_sight(tables: Snapshot, entity_id: int) -> None:
    """Raises `Forbidden` where the entity or what is said of it comes from photos that the actor may not see."""
    if not reaches_everything(tables.actor) and tables.entities.outside(entity_id):
        raise Forbidden(f"this entity also comes from photos that {tables.actor.name} may not see: ask an admin")


def seen_insight(tables: Snapshot, insight_id: int) -> Insight:
    """An insight.

    Raises:
        NotFound: there is none, it was taken back, or it is about a photo that the actor may not see.
    """
    insight = tables.insights.get(insight_id)
    if insight is None or insight.deleted or not tables.media.shows_content(insight.content_hash):
        raise NotFound(f"there is no insight {insight_id}")
    return insight


def require_may_read_summaries(actor: Actor) -> None:
    """Raises `Forbidden` unless `actor` may read what people wrote to each other: an editor or admin who sees every
    library, since such a user may ask a language model for the messages of the day of any photo."""
    actor.require("editor")
    if not reaches_everything(actor):
        raise Forbidden(f"summaries are of all conversations, and {actor.name} sees some libraries only: ask an admin")


def events_in_sight(tables: Snapshot, events: Sequence[Recorded]) -> list[Recorded]:
    """Those of these events that are about what the actor sees: a library, file, face, content with its tags, insight,
    entity, fact, or a person with a face in sight. What an operation says of itself and what concerns accounts is never
    among them."""
    faces = tables.visibility.faces_among({id_ for each in events for id_ in _face(each.event)})
    contents: dict[bytes, bool] = {}

    def shows(event: Event) -> bool:
        content = _insights(tables, event) if event.subject == "insight" else getattr(event, "content_hash", None)
        if content is None or event.subject not in _OF_CONTENTS:
            return _is_in_sight(tables, event, faces)
        if content not in contents:
            contents[content] = tables.media.shows_content(content)
        return contents[content]

    return [each for each in events if not each.event.private and shows(each.event)]


def known_events(tables: Snapshot, events: Sequence[Recorded]) -> list[Recorded]:
    """Those of these events that the actor may know of: all but private ones, where they see every library, else those
    in sight; and the words of each operation that they may read."""
    is_restricted = tables.actor.is_restricted
    seen = {each.position for each in events_in_sight(tables, events)} if is_restricted else frozenset()

    def is_known(recorded: Recorded) -> bool:
        if recorded.event.private:
            return False
        if recorded.event.subject == "operation":
            operation = tables.operations.get(recorded.operation_id)
            return operation is not None and operation.may_be_read_by(tables.actor)
        return not is_restricted or recorded.position in seen

    return [each for each in events if is_known(each)]


def unseen_fields(event: Event, actor: Actor) -> frozenset[str]:
    """The fields of an event that `actor` is not shown: embeddings, the folders of libraries but to admins, and where a
    file was before but to who may see that library."""
    fields = _NEVER_SHOWN
    if isinstance(event, (LibraryAdded, LibraryRelocated)) and not actor.is_admin:
        fields |= {"root", "was"}
    if isinstance(event, MediaMoved) and actor.libraries is not None and event.was_library_id not in actor.libraries:
        fields |= {"was_library_id", "was_path"}
    return fields


def concerns(tables: Snapshot, events: Sequence[Recorded]) -> bool:
    """Whether these events did anything to what the actor sees; a merge concerns the person that stayed too."""
    return bool(events_in_sight(tables, events)) or any(_stays_in_sight(tables, each.event) for each in events)


def require_known_operation(tables: Snapshot, operation: Operation, events: Sequence[Recorded]) -> None:
    """Raises `NotFound` for who may neither read an operation nor sees anything that it did; `events` are its first
    `MOST_LOOKED_THROUGH`."""
    is_known = operation.may_be_read_by(tables.actor) or (tables.actor.is_restricted and concerns(tables, events))
    if not is_known:
        raise NotFound(f"there is no operation {operation.id}")


def require_operation_in_sight(
    tables: Snapshot, operation: Operation, events: Sequence[Recorded], most: int = MOST_LOOKED_THROUGH
) -> None:
    """Raises `Forbidden` where somebody else's operation did something that the actor does not wholly see, or too much
    to look through; `events` are its first `most`."""
    if operation.may_be_read_by(tables.actor):
        return
    done = [each for each in events if each.event.subject != "operation"]
    if len(events) >= most or len(events_in_sight(tables, done)) < len(done):
        who, others = tables.actor.name, operation.actor
        raise Forbidden(f"operation {operation.id} of {others} touches what {who} may not see: ask an admin")


def _insights(tables: Snapshot, event: Event) -> bytes | None:
    insight = tables.insights.get(getattr(event, event.key))
    return None if insight is None else insight.content_hash


def _face(event: Event) -> Iterator[int]:
    if event.subject == "face":
        yield getattr(event, event.key)


def _is_in_sight(tables: Snapshot, event: Event, faces: Collection[int]) -> bool:
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
        others = [event.other] if isinstance(event, (PersonsToldApart, PersonsTellingApartWithdrawn)) else []
        return all(_is_person_in_sight(tables, person_id) for person_id in (key, *others))
    return event.subject in {"entity", "fact"} and _is_graph_in_sight(tables, event, key)


def _is_graph_in_sight(tables: Snapshot, event: Event, key: int) -> bool:
    """Whether what an event says of an entity or a fact, deleted ones too, is the actor's to see: it may hold what only
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


def _is_person_in_sight(tables: Snapshot, person_id: int) -> bool:
    """Whether the actor sees a face that is this person's, not one merged into another."""
    return tables.visibility.faces_of(person_id) > 0


def _stays_in_sight(tables: Snapshot, event: Event) -> bool:
    return isinstance(event, (PersonMerged, PersonUnmerged)) and any(
        _is_person_in_sight(tables, id_) for kind, id_ in event.touches() if kind == "person"
    )
