"""What the rules and commands of the domain ask of the read tables, subject by subject, and all of it as one snapshot.

A command asks inside the transaction in which it decides, a query in the snapshot from which it answers: the rules of
access are the same for both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from domain.base.actor import Actor
from domain.events.account import User
from domain.events.api_key import ApiKey
from domain.events.burst import Shot
from domain.events.entity import Entity, Fact
from domain.events.face import DETECTED, Face
from domain.events.insight import Insight, TranscriptMessage
from domain.events.library import Library
from domain.events.media import Media, UtcVideo
from domain.events.operation import Operation
from domain.events.person import Person
from domain.events.summary import Summary
from domain.events.tag import Tag


class LibraryLookups(Protocol):
    """What commands ask about libraries."""

    def get(self, library_id: int) -> Library | None:
        """The library with this id, removed or not."""

    def named(self, name: str) -> Library | None:
        """The shown library with this name, without regard to case."""

    def shown(self) -> list[Library]:
        """Every library that is not removed."""


class MediaLookups(Protocol):
    """What commands ask about files."""

    def get(self, media_id: int) -> Media | None:
        """The file with this id in a library that the actor sees, missing or not."""

    def find(self, media_id: int) -> Media | None:
        """The file with this id, whether or not the actor sees its library."""

    def at_each(self, library_id: int, paths: Sequence[str]) -> Mapping[str, Media]:
        """The files at these places, missing or not; a place without one is left out."""

    def of_contents(self, content_hashes: Collection[bytes]) -> list[Media]:
        """Every file with one of these contents, missing ones too."""

    def of_pictures(self, picture_hashes: Collection[str]) -> list[Media]:
        """Every file with one of these coded pictures, missing ones too."""

    def has_any(self, library_id: int) -> bool:
        """Whether a library ever held a file."""

    def shows_content(self, content_hash: bytes) -> bool:
        """Whether the actor sees a present file with these bytes."""

    def shots_in(self, library_id: int, folder: str) -> Sequence[Shot]:
        """The present, readable files of one folder of a library."""

    def utc_videos(self, library_id: int) -> Sequence[UtcVideo]:
        """The present videos of a library that know only UTC."""

    def offset_around(self, library_id: int, folder: str, utc: int, apart: int) -> int | None:
        """The offset of the photo of a library that was taken nearest to a time (both in microseconds), of the same
        folder where one is at most so far `apart`; None where there is none."""


class PersonLookups(Protocol):
    """What commands ask about persons."""

    def get(self, person_id: int) -> Person | None:
        """The person with this id, merged and deleted ones too."""

    def named(self, name: str) -> Person | None:
        """The live person with this name, without regard to case."""

    def behind(self, person_id: int) -> list[int]:
        """This person and everyone merged into it."""

    def told_apart(self) -> set[tuple[int, int]]:
        """The pairs of canonical persons that were said to be two, the lower id first."""

    def told_apart_from(self, person_id: int) -> set[int]:
        """The persons that this very one was said not to be, as they were named then."""


class FaceLookups(Protocol):
    """What commands ask about faces."""

    def get(self, face_id: int) -> Face | None:
        """The face with this id, deleted ones too."""

    def on_content(self, content_hash: bytes) -> list[Face]:
        """Every face of one content, deleted ones too."""

    def has_rows(self, content_hash: bytes, model_version: str) -> bool:
        """Whether anything stands for this content and model."""

    def markers(self, content_hash: bytes) -> list[tuple[int, str, str]]:
        """The markers of one content: id, status, model version."""

    def rejected(self, face_id: int) -> set[int]:
        """The canonical persons that this face was said not to be."""

    def rejections(self, face_id: int) -> set[int]:
        """The persons that this face was said not to be, as they were named then."""

    def confirmations(self, face_id: int) -> set[int]:
        """The persons that this face was said to be all the same, as they were named then."""

    def deleted_with(self, person_id: int, persons: Collection[int]) -> list[int]:
        """The faces that were deleted with a person, of those that say one of `persons`."""

    def count_of(self, person_ids: Collection[int]) -> int:
        """How many faces say one of these persons."""

    def some_of(self, person_ids: Collection[int], limit: int) -> list[Face]:
        """Some of the faces that say one of these persons, the newest ones."""

    def vectors(self, embedding_ids: Iterable[int]) -> Mapping[int, bytes]:
        """Attachments by id."""

    def unmatched_on(self, content_hash: bytes) -> set[int]:
        """The faces that found no place on this content, which took the place of theirs."""

    def unmatched_contents(self, face_id: int) -> list[bytes]:
        """The contents on which this face found no place."""


class ExemplarLookups(Protocol):
    """What commands ask about the faces that stand for persons."""

    def vectors_of(self, person_id: int, model_version: str) -> list[bytes]:
        """The vectors of a canonical person's exemplars of one model."""


class TagLookups(Protocol):
    """What commands ask about tags."""

    def get(self, tag_id: int) -> Tag | None:
        """The live tag with this id."""

    def named(self, name: str) -> Tag | None:
        """The live tag with this name, without regard to case."""

    def name_of(self, tag_id: int) -> str:
        """The name of a tag, live or deleted; empty where there never was one."""


class TaggedLookups(Protocol):
    """What commands ask about what is tagged."""

    def of_content(self, content_hash: bytes) -> list[Tag]:
        """The tags of one content."""

    def ids_of_content(self, content_hash: bytes) -> set[int]:
        """The ids of the tags of one content, deleted ones too."""

    def contents_of(self, tag_id: int) -> set[bytes]:
        """Every content that has this tag."""

    def uses(self, tag_id: int) -> int:
        """How many contents have this tag."""


class OperationLookups(Protocol):
    """What commands ask about operations."""

    def get(self, operation_id: int) -> Operation | None:
        """The operation with this id."""


class UserLookups(Protocol):
    """What commands ask about accounts."""

    def get(self, user_id: int) -> User | None:
        """The open account with this id."""

    def named(self, name: str) -> User | None:
        """The open account with this name, without regard to case."""

    def was_named(self, name: str) -> bool:
        """Whether an account, open or closed, ever had this name, without regard to case."""

    def all(self) -> list[User]:
        """Every open account."""


class ApiKeyLookups(Protocol):
    """What commands ask about keys; revoked ones are never found, expired ones are."""

    def get(self, key_id: int) -> ApiKey | None:
        """The key with this id."""

    def named(self, user_id: int, name: str) -> ApiKey | None:
        """The user's key of this name, without regard to case."""

    def of(self, user_id: int | None) -> list[ApiKey]:
        """Every key of a user, of every user where None, by id."""


class EntityLookups(Protocol):
    """What commands ask about the knowledge graph."""

    def get(self, entity_id: int) -> Entity | None:
        """The entity with this id, merged and deleted ones too."""

    def named(self, name: str, type_: str) -> int | None:
        """The id of the live entity with this name, without regard to case, and of this type."""

    def called(self, name: str, type_: str) -> list[int | None]:
        """What a name or other name of this type leads to: live entities, the best first; None for deleted ones."""

    def behind(self, entity_id: int) -> list[int]:
        """This entity and all that were merged into it."""

    def sees(self, entity_id: int) -> bool:
        """Whether the actor sees this entity; a deleted one is seen by nobody."""

    def outside(self, entity_id: int) -> int:
        """How many photos that this entity or a fact about it comes from lie in no library that the actor may see."""

    def bridged(self, entity_id: int) -> list[int]:
        """The live persons that are bridged to this entity or to one that was merged into it."""

    def fact(self, fact_id: int) -> Fact | None:
        """The fact with this id, deleted ones too."""

    def sees_fact(self, fact_id: int) -> bool:
        """Whether the actor sees this fact; a deleted one is seen by nobody."""

    def own_facts(self, entity_id: int) -> list[int]:
        """The facts that stand and say this very entity."""

    def fact_texts(self, entity_id: int) -> set[str]:
        """The keys of all texts that were ever recorded of this entity and of those merged into it."""

    def was_examined(self, insight_id: int, model: str, prompt_version: int) -> bool:
        """Whether this model was asked this question of an insight."""


class InsightLookups(Protocol):
    """What commands ask about insights."""

    def get(self, insight_id: int) -> Insight | None:
        """The insight with this id, one that was taken back too."""

    def ids_of_content(self, content_hash: bytes) -> list[int]:
        """The ids of the insights about a content, those that were taken back too."""


class TranscriptLookups(Protocol):
    """What commands ask about conversations."""

    def of(self, insight_id: int) -> Sequence[TranscriptMessage]:
        """The messages of an insight's transcript, the first one first."""


class SummaryLookups(Protocol):
    """What commands ask about daily summaries."""

    def get(self, summary_id: int) -> Summary | None:
        """The summary with this id, a deleted one or one that another took the place of too."""

    def of_day(self, day: str) -> Sequence[Summary]:
        """The summaries of a day (YYYY-MM-DD) that none took the place of, deleted ones too."""


class VisibilityLookups(Protocol):
    """What the rules of access ask: how much of a thing a present file of a library that the actor sees shows."""

    def faces_of(self, person_id: int) -> int:
        """How many faces that the actor sees are a canonical person's; none of one that was merged or deleted."""

    def knows_person(self, canonical_id: int) -> bool:
        """Whether who sees some libraries only knows of a live canonical person: a face of it lies or lay there, or it
        never had one, and they made it or see a photo with the tag of its name."""

    def faces_outside(self, person_ids: Collection[int], status: str = DETECTED) -> int:
        """How many faces of these persons, of this status, lie in no library that the actor may see."""

    def faces_among(self, face_ids: Collection[int]) -> set[int]:
        """Those of these faces, deleted ones too, whose content the actor sees."""

    def contents_among(self, contents: Collection[bytes]) -> set[bytes]:
        """Those of these contents that the actor sees."""

    def tagged(self, tag_id: int) -> int:
        """How many contents that the actor sees have this tag."""

    def tagged_outside(self, tag_id: int) -> int:
        """How many contents with this tag lie in no library that the actor may see."""


class Snapshot(Protocol):
    """The read tables as they stand for one actor, at one moment or inside one transaction."""

    @property
    def actor(self) -> Actor:
        """Who asks."""

    @property
    def visible(self) -> frozenset[int]:
        """The libraries that the actor may see."""

    @property
    def visibility(self) -> VisibilityLookups:
        """Queries on how much the actor sees."""

    @property
    def libraries(self) -> LibraryLookups:
        """Queries on libraries."""

    @property
    def media(self) -> MediaLookups:
        """Queries on files."""

    @property
    def persons(self) -> PersonLookups:
        """Queries on persons."""

    @property
    def faces(self) -> FaceLookups:
        """Queries on faces."""

    @property
    def exemplars(self) -> ExemplarLookups:
        """Queries on the faces that stand for persons."""

    @property
    def tags(self) -> TagLookups:
        """Queries on tags."""

    @property
    def tagged(self) -> TaggedLookups:
        """Queries on what is tagged."""

    @property
    def operations(self) -> OperationLookups:
        """Queries on operations."""

    @property
    def users(self) -> UserLookups:
        """Queries on accounts."""

    @property
    def api_keys(self) -> ApiKeyLookups:
        """Queries on the keys of programs."""

    @property
    def entities(self) -> EntityLookups:
        """Queries on the knowledge graph."""

    @property
    def insights(self) -> InsightLookups:
        """Queries on insights."""

    @property
    def transcripts(self) -> TranscriptLookups:
        """Queries on conversations."""

    @property
    def summaries(self) -> SummaryLookups:
        """Queries on daily summaries."""
