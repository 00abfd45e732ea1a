"""What an erasure would take: everything in the log that tells of a person, or of the faces of a content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, or_, select

from adapters.store.log import EventMapper, log_events
from domain.base.errors import AlreadyMerged, Conflict, NotFound
from domain.base.names import name_key
from domain.events.entity import EntityAliased, EntityCreated, EntityRenamed
from domain.events.erasure import FaceErased, PersonErased
from domain.events.event import Event, Recorded
from domain.events.face import FaceDetected, FaceDrawn, FaceRetracted
from domain.events.operation import OperationBegan
from domain.events.person import PersonCreated, PersonNoted, PersonRenamed
from domain.events.summary import SummaryEmbedded, SummaryWritten
from domain.events.tag import MediaTagged, MediaUntagged, TagCreated, TagRenamed
from domain.rules.erasure import Erasure, embeddings_of, free_mask, tombstone
from projections.queries.reading import Lookups

Subject = int | bytes
"""A person's id or a content's hash."""
AT_ONCE = 500
SUMMARIES = ("SummaryWritten", "SummaryEmbedded")
"""Events that hold the text of a daily summary, or name a vector of it."""
T = TypeVar("T")


def survey(tables: Lookups, mapper: EventMapper, subject: Subject) -> Erasure:
    """What erasing a person or the faces of a content takes, as the tables and the log stand.

    Raises:
        NotFound: there is no such person, or no face on such a content.
        AlreadyMerged: the person was merged; the survivor is named.
        Conflict: it was erased before.
    """
    log = _LogQuestions(tables.connection, mapper)
    if isinstance(subject, bytes):
        faces = _FacesThatGo(tables, log, ())
        found = faces.found_on([subject])
        if not found:
            raise NotFound(f"there is no face to erase on content {subject.hex()}")
        faces.take(found)
        if not faces.tombstones:
            raise Conflict(f"the faces of content {subject.hex()} were erased already")
        return _erasure(_NamesThatGo(), faces, frozenset(), _GraphThatGoes())
    persons = _persons(tables, log, subject)
    graph = _graph(tables, log, persons)
    names = _names(tables, log, persons, graph)
    faces = _FacesThatGo(tables, log, persons)
    faces.take(faces.of_persons())
    on = {face.content_hash for face in faces.tombstones.values()}
    retracted = faces.retracted_on(on)
    faces.take(retracted)
    return _with_summaries(log, _erasure(names, faces, retracted, graph))


def named(*events: str) -> ColumnElement[bool]:
    """The rows of these events, in every version."""
    return or_(*(log_events.c.topic.startswith(f"{event}:", autoescape=True) for event in events))


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as a statement takes at a time."""
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


class _LogQuestions:
    """Questions to the log."""

    def __init__(self, connection: Connection, mapper: EventMapper) -> None:
        self._connection = connection
        self._mapper = mapper

    def where(self, where: ColumnElement[bool]) -> Iterator[Recorded]:
        """Events in order."""
        statement = select(log_events).where(where).order_by(log_events.c.position)
        for row in self._connection.execute(statement):
            yield self._mapper.recorded(row)

    def streams(self, subject: str, ids: Collection[int]) -> Mapping[int, list[Recorded]]:
        """All events of these persons, faces or tags, by id."""
        found: dict[int, list[Recorded]] = {}
        for some in chunks(sorted(ids)):
            streams = {f"{subject}-{id_}": id_ for id_ in some}
            for recorded in self.where(log_events.c.stream.in_(tuple(streams))):
                found.setdefault(streams[recorded.stream], []).append(recorded)
        return found

    def on_graph(self) -> frozenset[int]:
        """The operations on the knowledge graph, and what undid them."""
        t = log_events
        on = or_(t.c.stream.startswith("entity-"), t.c.stream.startswith("fact-"))
        return frozenset(self._connection.execute(select(t.c.operation_id).where(on)).scalars())


class _NamesThatGo(NamedTuple):
    """The part of an erasure that is about names and notes."""

    persons: Mapping[int, str] = {}
    tags: Mapping[int, str] = {}
    called: Mapping[str, str] = {}
    kept: frozenset[str] = frozenset()
    copied: frozenset[tuple[int, str]] = frozenset()
    concerned: frozenset[int] = frozenset()


class _GraphThatGoes(NamedTuple):
    """The part of an erasure that is about the knowledge graph; `called` are the names of what is bridged."""

    bridged: frozenset[int] = frozenset()
    facts: frozenset[int] = frozenset()
    keys: frozenset[str] = frozenset()
    called: Mapping[str, int] = {}
    concerned: frozenset[int] = frozenset()


def _graph(tables: Lookups, log: _LogQuestions, persons: frozenset[int]) -> _GraphThatGoes:
    """What the persons are bridged to, with all that was merged into it, and what is said of that."""
    whose: dict[int, int] = {}
    for person_id in sorted(persons):
        person = tables.persons.get(person_id)
        entity = None if person is None or person.entity_id is None else tables.entities.get(person.entity_id)
        if entity is not None:
            whose |= dict.fromkeys(tables.entities.behind(entity.canonical_id or entity.id), person_id)
    keys: set[str] = set()
    called: dict[str, int] = {}
    for recorded in log.where(named("EntityCreated", "EntityRenamed", "EntityAliased")):
        event = recorded.event
        if isinstance(event, (EntityCreated, EntityRenamed, EntityAliased)):
            names = _entity_names(event)
            keys |= set(map(name_key, names))
            if event.entity_id in whose:
                called |= dict.fromkeys(names, whose[event.entity_id])
    return _GraphThatGoes(
        bridged=frozenset(whose),
        facts=frozenset(tables.entities.fact_ids(whose)),
        keys=frozenset(keys),
        called=called,
        concerned=log.on_graph(),
    )


def _entity_names(event: EntityCreated | EntityRenamed | EntityAliased) -> set[str]:
    if isinstance(event, EntityCreated):
        return {event.name, *event.aliases}
    return {event.name, event.was} if isinstance(event, EntityRenamed) else {*event.aliases, *event.was}


def _erasure(names: _NamesThatGo, faces: _FacesThatGo, retracted: frozenset[int], graph: _GraphThatGoes) -> Erasure:
    return Erasure(
        persons=names.persons,
        tags=names.tags,
        called=names.called,
        kept=names.kept,
        copied=names.copied,
        tombstones=faces.tombstones,
        retracted=retracted,
        embeddings=faces.embeddings,
        bare=faces.bare,
        concerned=names.concerned | graph.concerned,
        bridged=graph.bridged,
        facts=graph.facts,
        entity_keys=graph.keys,
    )


def _with_summaries(log: _LogQuestions, erasure: Erasure) -> Erasure:
    """The erasure with the vectors of every summary that it masks: they were made of the names too."""
    masked: set[int] = set()
    vectors: dict[int, set[int]] = defaultdict(set)
    for recorded in log.where(named(*SUMMARIES)):
        event = recorded.event
        if isinstance(event, SummaryWritten) and erasure.rewritten(recorded) is not event:
            masked.add(event.summary_id)
        if isinstance(event, SummaryEmbedded) and event.embedding_id is not None:
            vectors[event.summary_id].add(event.embedding_id)
    gone = {id_ for summary_id in masked for id_ in vectors[summary_id]}
    return msgspec.structs.replace(erasure, embeddings=erasure.embeddings | gone)


def _persons(tables: Lookups, log: _LogQuestions, person_id: int) -> frozenset[int]:
    """The person and everyone merged into it, deleted or not."""
    person = tables.persons.get(person_id)
    if person is None:
        raise NotFound(f"there is no person {person_id}")
    last = person
    while last.merged_into is not None:
        following = tables.persons.get(last.merged_into)
        if following is None:
            break
        last = following
    if last.id != person_id:
        raise AlreadyMerged(
            f"person {person_id} was merged into person {last.id}: erase person {last.id}, which erases both, "
            "or undo the merge first"
        )
    if any(isinstance(recorded.event, PersonErased) for recorded in log.streams("person", [person_id])[person_id]):
        raise Conflict(f"person {person_id} was erased already")
    return frozenset(tables.persons.behind(person_id))


def _names(tables: Lookups, log: _LogQuestions, persons: frozenset[int], graph: _GraphThatGoes) -> _NamesThatGo:
    streams = log.streams("person", persons)
    mine = {id_: _spellings(recorded.event for recorded in events) for id_, events in streams.items()}
    keys = {name_key(name) for names in mine.values() for name in names}
    of_others: set[str] = set()
    for recorded in log.where(named("PersonCreated", "PersonRenamed")):
        if getattr(recorded.event, "person_id", 0) not in persons:
            of_others |= _spellings([recorded.event])
    living = {name_key(name) for id_, name in tables.persons_with_faces.names().items() if id_ not in persons}
    tags: dict[int, set[str]] = defaultdict(set)
    for recorded in log.where(named("TagCreated", "TagRenamed")):
        if isinstance(recorded.event, (TagCreated, TagRenamed)):
            tags[recorded.event.tag_id] |= _spellings([recorded.event])
    same = {tag for tag, names in tags.items() if any(name_key(name) in keys - living for name in names)}
    taken = {name_key(name) for name in of_others.union(*tags.values())}
    masks = {id_: free_mask(f"erased person {id_}", taken) for id_ in persons}
    called = {name: masks[id_] for id_, names in sorted(mine.items()) for name in names}
    for tag in sorted(same):
        alike = {name_key(name): mask for name, mask in called.items()}
        called |= {name: alike[name_key(name)] for name in tags[tag] if name_key(name) in keys - living}
    called = {
        name: masks[whose] for name, whose in sorted(graph.called.items()) if name_key(name) not in living
    } | called
    others = of_others.union(*tags.values())
    kept = frozenset(name for name in others if name_key(name) not in keys and _holds(name, keys))
    return _NamesThatGo(
        persons=masks,
        tags={tag: free_mask(f"erased tag {tag}", taken) for tag in same},
        called=called,
        kept=kept,
        copied=_copied(tables, log, persons, streams),
        concerned=_operations_on(tables, log, persons, same),
    )


def _spellings(events: Collection[Event] | Iterator[Event]) -> set[str]:
    """The names that persons or tags have in these events."""
    found: set[str] = set()
    for event in events:
        if isinstance(event, (PersonCreated, PersonRenamed, TagCreated, TagRenamed)):
            found.add(event.name)
        if isinstance(event, (PersonRenamed, TagRenamed)):
            found.add(event.was)
    return found


def _holds(name: str, keys: set[str]) -> bool:
    """Whether a name has one of `keys` as a part."""
    whole = name_key(name)
    return any(key in whole for key in keys)


def _operations_on(tables: Lookups, log: _LogQuestions, persons: frozenset[int], tags: set[int]) -> frozenset[int]:
    """The operations whose texts may hold a name: those on the persons and the tags, and what undid them."""
    o = tables.tables.operation_persons.table
    found = set(tables.connection.execute(select(o.c.operation_id).where(o.c.person_id.in_(tuple(persons)))).scalars())
    if tags:
        for events in log.streams("tag", tags).values():
            found |= {recorded.operation_id for recorded in events}
        for recorded in log.where(named("MediaTagged", "MediaUntagged")):
            if isinstance(recorded.event, (MediaTagged, MediaUntagged)) and recorded.event.tag_id in tags:
                found.add(recorded.operation_id)
    for recorded in log.where(named("OperationBegan")):
        if isinstance(recorded.event, OperationBegan) and recorded.event.undoes in found:
            found.add(recorded.operation_id)
    return frozenset(found)


def _copied(
    tables: Lookups, log: _LogQuestions, persons: frozenset[int], streams: Mapping[int, list[Recorded]]
) -> frozenset[tuple[int, str]]:
    """Notes of the persons that merges, undone since, wrote to others: (the other, the notes)."""
    notes = {t for events in streams.values() for recorded in events for t in _notes_in(recorded.event)}
    merges = {r.operation_id for events in streams.values() for r in events if hasattr(r.event, "into")}
    found = set()
    if notes and merges:
        for recorded in log.where(log_events.c.operation_id.in_(tuple(merges)) & named("PersonNoted")):
            event = recorded.event
            if isinstance(event, PersonNoted) and event.person_id not in persons and event.notes in notes:
                found.add((event.person_id, event.notes))
    return frozenset(found)


def _notes_in(event: Event) -> set[str]:
    if isinstance(event, PersonCreated):
        return {event.notes} - {""}
    return {event.notes, event.was} - {""} if isinstance(event, PersonNoted) else set()


class _FacesThatGo:
    """The part of an erasure that is about faces."""

    def __init__(self, tables: Lookups, log: _LogQuestions, persons: Collection[int]) -> None:
        self._tables = tables
        self._log = log
        self._persons = persons
        self.tombstones: dict[int, FaceErased] = {}
        self.embeddings: set[int] = set()
        self.bare: set[int] = set()

    def of_persons(self) -> frozenset[int]:
        """The faces that say one of the persons, deleted ones too."""
        f = self._tables.tables.faces.table
        found = self._tables.connection.execute(select(f.c.id).where(f.c.person_id.in_(tuple(self._persons))))
        return frozenset(found.scalars())

    def found_on(self, contents: Collection[bytes]) -> frozenset[int]:
        """Every face that was ever found or drawn on these contents, erased ones too."""
        return frozenset(
            recorded.event.face_id
            for recorded in self._log.where(named("FaceDetected", "FaceDrawn", "FaceErased"))
            if isinstance(recorded.event, (FaceDetected, FaceDrawn, FaceErased))
            and recorded.event.content_hash in contents
        )

    def retracted_on(self, contents: Collection[bytes]) -> frozenset[int]:
        """Faces on these contents that nobody decided about and that a later detection no longer found: one may have
        been the person's."""
        if not contents:
            return frozenset()
        found = self.found_on(contents)
        retracted = (r.event for r in self._log.where(named("FaceRetracted")))
        return frozenset(e.face_id for e in retracted if isinstance(e, FaceRetracted) and e.face_id in found)

    def take(self, faces: Collection[int]) -> None:
        """Add faces, and those that share a vector with one of them, as a face that was drawn does with its copy on a
        file that was saved anew. Where such a copy is said to be somebody else, it stays without the vector."""
        sharing = self._sharing()
        waiting = set(faces)
        while waiting:
            for id_, events in self._log.streams("face", waiting).items():
                stone = tombstone([recorded.event for recorded in events])
                if stone is not None:
                    self.tombstones[id_] = stone
                    self.embeddings |= embeddings_of(recorded.event for recorded in events)
            alike = {id_ for id_, shared in sharing.items() if id_ not in self.tombstones and shared & self.embeddings}
            self.bare = {id_ for id_ in alike if self._is_anothers(id_)}
            waiting = alike - self.bare

    def _sharing(self) -> Mapping[int, set[int]]:
        """The vectors of every face that a person drew or moved: no others are shared."""
        found: dict[int, set[int]] = defaultdict(set)
        for recorded in self._log.where(named("FaceDrawn", "FaceMoved")):
            face_id = getattr(recorded.event, "face_id", 0)
            found[face_id] |= embeddings_of([recorded.event])
        return found

    def _is_anothers(self, face_id: int) -> bool:
        face = self._tables.faces.get(face_id)
        person = None if face is None or face.person_id is None else self._tables.persons.get(face.person_id)
        return person is not None and person.canonical_id is not None and person.id not in self._persons
