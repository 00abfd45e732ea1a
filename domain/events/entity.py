"""Entities and facts: the knowledge graph that insights write and users correct.

An entity is what texts speak of; a fact is one sentence about it, with what it was read from. What a user wrote is
never touched by what a model says, what a user took out is never proposed again, and only a user bridges a person to an
entity: what a language model said is never mixed with what a face row says.
"""

from __future__ import annotations

import re
from datetime import date

import msgspec

from domain.events.event import Event, recorded_as

TYPES = ("person", "place", "organisation", "event", "thing")
STANDS, AMENDED, REWOUND, GONE, ERASED = "stands", "amended", "rewound", "gone", "erased"
"""What became of the insight that a fact was read from: it stands, a newer one took its place, the conversation went
back behind its text, it was taken back, or the faces of its photo were erased."""


class FactOrigin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a language model's word was read from: an insight, of which version, about which content; which `model` read
    it, and with which version of the question."""

    insight_id: int
    insight_version: int
    content_hash: bytes
    model: str
    prompt_version: int


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a fact says: `text` is one sentence, `object_id` the other entity that it is about, `since` and `until` are
    ISO 8601 days, months or years."""

    text: str
    object_id: int | None = None
    since: str | None = None
    until: str | None = None


class Entity(msgspec.Struct, frozen=True):
    """An entity's row as a command sees it. `content_hash` is the photo from whose insight it was made, None where a
    user made it; `merged_into` points one step on, `canonical_id` to the end of the chain (None where that was
    deleted)."""

    id: int
    name: str
    type: str
    description: str
    aliases: tuple[str, ...]
    content_hash: bytes | None
    description_hash: bytes | None
    merged_into: int | None
    canonical_id: int | None
    deleted: bool
    version: int


class Fact(msgspec.Struct, frozen=True):
    """A fact's row as a command sees it: `entity_id` is the entity that it was said of, `content_hash` the photo that
    it comes from, None where a user wrote it."""

    id: int
    entity_id: int
    text: str
    object_id: int | None
    since: str | None
    until: str | None
    content_hash: bytes | None
    deleted: bool
    version: int

    @property
    def statement(self) -> Statement:
        """What it says."""
        return Statement(self.text, self.object_id, self.since, self.until)


@recorded_as("EntityCreated", "entity", "entity_id", opens=True)
class EntityCreated(Event, frozen=True, omit_defaults=True):
    """Something that texts speak of got a node of its own; without a `source` a user made it."""

    entity_id: int
    name: str
    type: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    source: FactOrigin | None = None


@recorded_as("EntityRenamed", "entity", "entity_id")
class EntityRenamed(Event, frozen=True, omit_defaults=True):
    """An entity got another name."""

    entity_id: int
    name: str
    was: str


@recorded_as("EntityRetyped", "entity", "entity_id")
class EntityRetyped(Event, frozen=True, omit_defaults=True):
    """An entity turned out to be of another type."""

    entity_id: int
    type: str
    was: str


@recorded_as("EntityDescribed", "entity", "entity_id")
class EntityDescribed(Event, frozen=True, omit_defaults=True):
    """An entity's description was written; the hashes name the photo that a model's description comes from, None where
    a user wrote it."""

    entity_id: int
    description: str
    was: str = ""
    description_hash: bytes | None = None
    was_hash: bytes | None = None


@recorded_as("EntityAliased", "entity", "entity_id")
class EntityAliased(Event, frozen=True, omit_defaults=True):
    """It was said which other names an entity has."""

    entity_id: int
    aliases: tuple[str, ...] = ()
    was: tuple[str, ...] = ()


@recorded_as("EntityMerged", "entity", "entity_id")
class EntityMerged(Event, frozen=True, omit_defaults=True):
    """An entity turned out to be another one. The facts keep saying the old one; the pointer is the whole change."""

    entity_id: int
    into: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """Both entities."""
        return (("entity", self.entity_id), ("entity", self.into))


@recorded_as("EntityUnmerged", "entity", "entity_id")
class EntityUnmerged(Event, frozen=True, omit_defaults=True):
    """A merge was taken back: the entity is itself again, with exactly the facts that still say so."""

    entity_id: int
    was: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """Both entities, as for the merge."""
        return (("entity", self.entity_id), ("entity", self.was))


@recorded_as("EntityDeleted", "entity", "entity_id")
class EntityDeleted(Event, frozen=True, omit_defaults=True):
    """An entity was deleted with all that were merged into it and with its facts, and is not proposed again."""

    entity_id: int


@recorded_as("EntityRestored", "entity", "entity_id")
class EntityRestored(Event, frozen=True, omit_defaults=True):
    """A deleted entity is back, with its facts and bridges."""

    entity_id: int


@recorded_as("FactRecorded", "fact", "fact_id", opens=True)
class FactRecorded(Event, frozen=True, omit_defaults=True):
    """Something was said of an entity; without a `source` a user said so."""

    fact_id: int
    entity_id: int
    statement: Statement
    source: FactOrigin | None = None

    def touches(self) -> tuple[tuple[str, int], ...]:
        """The fact, and the entity that has one more."""
        return (("fact", self.fact_id), ("entity", self.entity_id))


@recorded_as("FactCorrected", "fact", "fact_id")
class FactCorrected(Event, frozen=True, omit_defaults=True):
    """A user said what is right in the place of what a fact said."""

    fact_id: int
    statement: Statement
    was: Statement


@recorded_as("FactDeleted", "fact", "fact_id")
class FactDeleted(Event, frozen=True, omit_defaults=True):
    """A fact is wrong: it is no longer shown, and never proposed again for that entity."""

    fact_id: int


@recorded_as("FactRestored", "fact", "fact_id")
class FactRestored(Event, frozen=True, omit_defaults=True):
    """A deleted fact stands again."""

    fact_id: int


@recorded_as("InsightExamined", "insight", "insight_id")
class InsightExamined(Event, frozen=True, omit_defaults=True):
    """A model was asked once which entities and facts an insight tells of. The text of an insight never changes: an
    amended one has an id of its own."""

    insight_id: int
    model: str
    prompt_version: int


LONGEST_TEXT = 500


def is_day(text: str) -> bool:
    """Whether this is an ISO 8601 day, month or year."""
    if re.fullmatch(r"\d{4}(-\d\d){0,2}", text, re.ASCII) is None:
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True
