"""Erasure: the one change to the past that the log permits, what it leaves, and what it masks in which event.

An erased face keeps its place on the picture, so that detection does not find it again, and nothing else: no vector, no
person, no decision. An erased person keeps its id, under a name that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any

import msgspec
from msgspec.structs import replace

from domain.base.names import name_key
from domain.events.entity import (
    EntityAliased,
    EntityCreated,
    EntityDescribed,
    EntityRenamed,
    FactCorrected,
    FactRecorded,
    Statement,
)
from domain.events.erasure import FaceErased, FaceFactErased
from domain.events.event import Event, Recorded
from domain.events.face import (
    AUTO,
    MANUAL,
    FaceDetected,
    FaceDrawn,
    FaceEmbedded,
    FaceFollowed,
    FaceMoved,
    FaceRedetected,
    FaceRetracted,
)
from domain.events.insight import InsightWritten, TranscriptAppended, TranscriptMessage
from domain.events.operation import OperationBegan, OperationEnded
from domain.events.person import PersonBirthDateSet, PersonCreated, PersonNoted, PersonRenamed
from domain.events.summary import SummaryEmbedded, SummaryWritten
from domain.events.tag import TagCreated, TagRenamed
from domain.rules.masking import Masks

ERASED_FACT = "erased"
"""Stands in the place of what was said of an entity that an erased person was bridged to."""


class Erasure(msgspec.Struct, frozen=True, dict=True):
    """What one erasure takes out of the log.

    `persons` and `tags` map ids to the names that stand in the place of theirs, `called` every name that goes (as it
    was written) to the same. `kept` are names of others, which a text may hold and keeps. `copied` are notes that a
    merge wrote to another person. `tombstones` are the faces that go, by id; `retracted` those that stay retracted;
    `embeddings` the attachments that go, those of masked summaries too, `bare` other faces that shared one. `concerned`
    are the operations whose texts may hold a name. `bridged` are the entities that the persons are bridged to, `facts`
    what is said of these, and `entity_keys` the name keys that entities ever had.
    """

    persons: Mapping[int, str]
    tags: Mapping[int, str]
    called: Mapping[str, str]
    kept: AbstractSet[str]
    copied: AbstractSet[tuple[int, str]]
    tombstones: Mapping[int, FaceErased]
    retracted: AbstractSet[int]
    embeddings: AbstractSet[int]
    bare: AbstractSet[int]
    concerned: AbstractSet[int]
    bridged: AbstractSet[int] = frozenset()
    facts: AbstractSet[int] = frozenset()
    entity_keys: AbstractSet[str] = frozenset()

    @cached_property
    def keys(self) -> frozenset[str]:
        """The name keys of every name that goes."""
        return frozenset(map(name_key, self.called))

    @property
    def photos(self) -> int:
        """On how many contents faces are erased."""
        return len({tombstone.content_hash for tombstone in self.tombstones.values()})

    def rewritten(self, recorded: Recorded) -> Event:
        """The event as it stands in the log after the erasure; the same object where nothing of it goes."""
        event = recorded.event
        face_id: int = getattr(event, "face_id", 0) if event.subject == "face" else 0
        if face_id in self.tombstones:
            return self._of_face(face_id, event)
        if face_id in self.bare:
            return self._bared(event)
        if event.subject == "person":
            return self._of_person(event)
        if isinstance(event, (TagCreated, TagRenamed)) and event.tag_id in self.tags:
            return self._of_tag(event, self.tags[event.tag_id])
        if isinstance(event, (OperationBegan, OperationEnded)):
            return self._of_operation(event)
        others = {"entity": self._of_graph, "fact": self._of_graph, "summary": self._of_summary}
        return others.get(event.subject, self._of_insight)(event)

    def _of_face(self, face_id: int, event: Event) -> Event:
        if event.opens:
            return self.tombstones[face_id]
        return event if isinstance(event, FaceRetracted) and face_id in self.retracted else FaceFactErased(face_id)

    def _bared(self, event: Event) -> Event:
        if isinstance(event, (FaceDrawn, FaceMoved, FaceFollowed)) and event.embedding_id in self.embeddings:
            event = replace(event, embedding_id=None)
        if isinstance(event, (FaceMoved, FaceFollowed)) and event.was_embedding_id in self.embeddings:
            event = replace(event, was_embedding_id=None)
        return event

    def _of_person(self, event: Event) -> Event:
        mask = self.persons.get(getattr(event, "person_id", 0))
        if isinstance(event, PersonNoted) and mask is None:
            notes, was = ("" if (event.person_id, t) in self.copied else t for t in (event.notes, event.was))
            return event if (notes, was) == (event.notes, event.was) else replace(event, notes=notes, was=was)
        if mask is None:
            return event
        if isinstance(event, PersonCreated):
            return PersonCreated(event.person_id, mask, hidden=event.hidden)
        if isinstance(event, PersonRenamed):
            return replace(event, name=mask, was=mask)
        if isinstance(event, PersonNoted):
            return replace(event, notes="", was="")
        return replace(event, birth_date=None, was=None) if isinstance(event, PersonBirthDateSet) else event

    def _of_tag(self, event: TagCreated | TagRenamed, mask: str) -> Event:
        name = mask if name_key(event.name) in self.keys else event.name
        if isinstance(event, TagCreated):
            return replace(event, name=name)
        return replace(event, name=name, was=mask if name_key(event.was) in self.keys else event.was)

    def _of_operation(self, event: OperationBegan | OperationEnded) -> Event:
        text = self.masked(event.text) if event.operation_id in self.concerned else event.text
        if isinstance(event, OperationEnded):
            return replace(event, text=text)
        return replace(event, text=text, why=None if event.why is None else self.masked(event.why))

    def _of_graph(self, event: Event) -> Event:
        return self._of_fact(event) if event.subject == "fact" else self._of_entity(event, getattr(event, event.key))

    def _of_entity(self, event: Event, entity_id: int) -> Event:
        """A name that holds one that goes becomes one of its own, so that no two entities come to have the same."""
        if isinstance(event, EntityCreated):
            name, aliases = self._called(event.name, entity_id), self._aliases(event.aliases, entity_id)
            return replace(event, name=name, aliases=aliases, description=self._about(event.description, entity_id))
        if isinstance(event, EntityRenamed):
            return replace(event, name=self._called(event.name, entity_id), was=self._called(event.was, entity_id))
        if isinstance(event, EntityAliased):
            return replace(
                event, aliases=self._aliases(event.aliases, entity_id), was=self._aliases(event.was, entity_id)
            )
        if isinstance(event, EntityDescribed):
            described, was = (self._about(text, entity_id) for text in (event.description, event.was))
            return replace(event, description=described, was=was)
        return event

    def _called(self, name: str, entity_id: int) -> str:
        goes = entity_id in self.bridged or self.masked(name) != name
        return free_mask(f"erased entity {entity_id}", self.entity_keys) if goes else name

    def _aliases(self, aliases: tuple[str, ...], entity_id: int) -> tuple[str, ...]:
        is_bridged = entity_id in self.bridged
        return () if is_bridged else tuple(alias for alias in aliases if self.masked(alias) == alias)

    def _about(self, description: str, entity_id: int) -> str:
        return "" if entity_id in self.bridged else self.masked(description)

    def _of_fact(self, event: Event) -> Event:
        if isinstance(event, FactRecorded):
            return replace(event, statement=self._stated(event.statement, event.fact_id))
        if isinstance(event, FactCorrected):
            stated, was = (self._stated(statement, event.fact_id) for statement in (event.statement, event.was))
            return replace(event, statement=stated, was=was)
        return event

    def _stated(self, statement: Statement, fact_id: int) -> Statement:
        if fact_id in self.facts:
            return Statement(ERASED_FACT)
        return replace(statement, text=self.masked(statement.text))

    def _of_insight(self, event: Event) -> Event:
        if isinstance(event, InsightWritten):
            return replace(event, title=self.masked(event.title), text=self.masked(event.text))
        if isinstance(event, TranscriptAppended):
            return replace(event, messages=tuple(map(self._of_message, event.messages)))
        return event

    def _of_summary(self, event: Event) -> Event:
        if isinstance(event, SummaryEmbedded) and event.embedding_id in self.embeddings:
            return replace(event, embedding_id=None)
        if not isinstance(event, SummaryWritten):
            return event
        contact, text = self.masked(event.contact), self.masked(event.text)
        if (contact, text) == (event.contact, event.text):
            return event
        return replace(event, contact=contact, text=text, masked=True)

    def _of_message(self, message: TranscriptMessage) -> TranscriptMessage:
        calls = tuple(replace(call, arguments=self._masked_json(call.arguments)) for call in message.calls)
        return replace(message, text=self._masked_json(message.text), calls=calls)

    def _masked_json(self, text: str) -> str:
        """As `masked`; where the text is JSON, in which a name may be written with escapes, each string in it."""
        try:
            value = msgspec.json.decode(text)
            masked = self._masked_value(value)
            return text if masked == value else msgspec.json.encode(masked).decode()
        except (msgspec.DecodeError, RecursionError):
            return self.masked(text)

    def _masked_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.masked(value)
        if isinstance(value, list):
            return [self._masked_value(each) for each in value]
        if isinstance(value, dict):
            return {self.masked(key): self._masked_value(each) for key, each in value.items()}
        return value

    def masked(self, text: str) -> str:
        """The text with every name that goes masked where it stands as a word; longer names of others that hold one
        stay: Anna goes, Anna Lee stays."""
        return self._names.put(text)

    @cached_property
    def _names(self) -> Masks:
        return Masks(self.called, self.kept)


def tombstone(events: Sequence[Event]) -> FaceErased | None:
    """What stays of a face with these events, None where it was erased before.

    The place is where an engine last saw the face, not where a person moved its box to, since an engine will see it
    there again; a face that was drawn, and that no engine found, is where its box was last. It is on the content that
    it went along to last.
    """
    first = events[0]
    if not isinstance(first, (FaceDetected, FaceDrawn)):
        return None
    content, box, model, seen = first.content_hash, first.box, first.model_version, None
    for event in events:
        if isinstance(event, FaceRedetected) or (isinstance(event, FaceMoved) and isinstance(first, FaceDrawn)):
            box = event.box
        if isinstance(event, (FaceRedetected, FaceEmbedded, FaceMoved)):
            model = event.model_version
        if isinstance(event, FaceEmbedded):
            seen = event.found or seen
        if isinstance(event, FaceFollowed):
            content, box, seen, model = event.content_hash, event.box, event.found, event.model_version
    source = MANUAL if isinstance(first, FaceDrawn) else AUTO
    return FaceErased(first.face_id, content, seen or box, model, source)


def embeddings_of(events: Iterable[Event]) -> set[int]:
    """The attachments that these events refer to."""
    named = (getattr(event, field, None) for event in events for field in ("embedding_id", "was_embedding_id"))
    return {id_ for id_ in named if id_ is not None}


def free_mask(mask: str, taken: AbstractSet[str]) -> str:
    """`mask`, or the first like it whose name key nobody ever had: a replay must not find two of one name."""
    numbered = (f"{mask} ({number})" for number in range(2, len(taken) + 3))
    return mask if name_key(mask) not in taken else next(name for name in numbered if name_key(name) not in taken)
