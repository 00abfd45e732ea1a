"""What the domain needs from outside, as Protocols; `app.py` passes the real ones in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from domain.account import User
from domain.actor import Actor
from domain.api_key import ApiKey
from domain.bursts import Shot
from domain.entity import Entity, Fact
from domain.event import Event, Recorded
from domain.faces import DETECTED, Face
from domain.geometry import Box
from domain.insight import Insight, Message
from domain.library import Library
from domain.media import Media
from domain.operation import Operation
from domain.person import Person
from domain.summary import Summary
from domain.tag import Tag

EMBEDDING_DIMENSIONS = 512


class Embedding(msgspec.Struct, frozen=True):
    """A face or a text as a point of one model's space: `vector` is little-endian float32 of L2 norm 1, of a face 512
    (2048 bytes)."""

    model_version: str
    vector: bytes


class DetectedFace(msgspec.Struct, frozen=True):
    """One face that an engine found: `box` normalised to 0..1 of the upright picture, `confidence` 0..1,
    `vector` as in `Embedding`."""

    box: Box
    confidence: float
    vector: bytes


class Detection(msgspec.Struct, frozen=True):
    """All that one engine found on one picture; no faces is an answer, not a failure."""

    model_version: str
    faces: tuple[DetectedFace, ...]


class Thresholds(msgspec.Struct, frozen=True):
    """Cosine similarities that belong to one model: bind by the tag rule from `autobind`, suggest from `suggest`,
    group unassigned faces from `cluster`."""

    autobind: float
    suggest: float
    cluster: float


class FaceEngine(Protocol):
    """Finds and embeds faces. Calls block: they are made from threads, never from the event loop.

    Every method raises `Unreadable` where this picture can never be used (the caller marks it `failed`), and
    `Unavailable` where the engine cannot answer now (the caller defers and marks nothing).
    """

    @property
    def model_version(self) -> str:
        """Names detector and embedder together; vectors of two versions are never compared.

        Raises:
            Unavailable: a remote engine has not been reached yet.
        """

    @property
    def thresholds(self) -> Thresholds:
        """The model's own thresholds, before the environment overrides them."""

    def detect(self, picture: bytes) -> Detection:
        """Find and embed the faces on an encoded upright picture (JPEG, PNG or WebP bytes)."""

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """Embed one face that a person drew: `picture` is the whole upright picture, `box` the drawn box."""

    def close(self) -> None:
        """Give back worker processes and connections; the engine cannot be used afterwards."""


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

    def find(self, media_id: int) -> Media | None:
        """The file with this id, whether or not the actor sees its library."""

    def at_each(self, library_id: int, paths: Sequence[str]) -> Mapping[str, Media]:
        """The files at these places, missing or not; a place without one is left out."""

    def of_contents(self, content_hashes: Collection[bytes]) -> list[Media]:
        """Every file with one of these contents, missing ones too."""

    def shows_content(self, content_hash: bytes) -> bool:
        """Whether the actor sees a present file with these bytes."""

    def shots_in(self, library_id: int, folder: str) -> Sequence[Shot]:
        """The present, readable files of one folder of a library."""


class PersonLookups(Protocol):
    """What commands ask about persons."""

    def get(self, person_id: int) -> Person | None:
        """The person with this id, merged and deleted ones too."""

    def named(self, name: str) -> Person | None:
        """The live person with this name, without regard to case."""

    def behind(self, person_id: int) -> list[int]:
        """This person and everyone merged into it."""


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

    def outside(self, person_ids: Collection[int], status: str = DETECTED) -> int:
        """How many faces of these persons, of this status, lie in no library that the actor may see."""

    def deleted_with(self, person_id: int, said: Collection[int]) -> list[int]:
        """The faces that were deleted with a person, of those that say one of the persons `said`."""

    def count_of(self, person_ids: Collection[int]) -> int:
        """How many faces say one of these persons."""

    def some_of(self, person_ids: Collection[int], limit: int) -> list[Face]:
        """Some of the faces that say one of these persons, the newest ones."""

    def vectors(self, embedding_ids: Iterable[int]) -> Mapping[int, bytes]:
        """Attachments by id."""

    def exemplars(self, person_id: int, model_version: str, limit: int) -> list[bytes]:
        """Vectors of a canonical person's faces of one model, those that a user decided about first."""


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

    def outside(self, tag_id: int) -> int:
        """How many contents with this tag lie in no library that the actor may see."""


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

    def facts_said_of(self, entity_id: int) -> list[int]:
        """The facts that stand and say this very entity."""

    def said_of(self, entity_id: int) -> set[str]:
        """The keys of all texts that were ever recorded of this entity and of those merged into it."""

    def was_examined(self, insight_id: int, model: str, prompt_version: int) -> bool:
        """Whether this model was asked this question of an insight."""


class InsightLookups(Protocol):
    """What commands ask about insights."""

    def get(self, insight_id: int) -> Insight | None:
        """The insight with this id, one that was taken back too."""


class TranscriptLookups(Protocol):
    """What commands ask about conversations."""

    def of(self, insight_id: int) -> Sequence[Message]:
        """The messages of an insight's transcript, the first one first."""


class SummaryLookups(Protocol):
    """What commands ask about daily summaries."""

    def get(self, summary_id: int) -> Summary | None:
        """The summary with this id, a deleted one or one that another took the place of too."""

    def of_day(self, day: str) -> Sequence[Summary]:
        """The summaries of a day (YYYY-MM-DD) that none took the place of, deleted ones too."""


class Turn(Protocol):
    """A command's turn at the log: it holds the write lock, decides from the tables as they stand, and appends or does
    nothing."""

    @property
    def actor(self) -> Actor:
        """Who acts."""

    @property
    def visible(self) -> frozenset[int]:
        """The libraries that the actor may see."""

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

    def begin(self, kind: str, text: str, *, why: str | None = None, undoes: int | None = None) -> int:
        """Say what is being done, before the first event; the operation's id."""

    def attempt(self) -> AbstractContextManager[None]:
        """A block whose events are all taken back where it raises, so that another way can be tried in the same
        turn."""

    def next_operation(self) -> None:
        """What follows is another operation, which has to `begin`; both happen, or neither."""

    def new_ids(self, counter: str, count: int) -> range:
        """Public ids that were never used."""

    def new_id(self, counter: str) -> int:
        """One public id."""

    def attach(self, embeddings: Sequence[Embedding]) -> Sequence[int]:
        """Store vectors beside the events; their ids."""

    def append(self, *events: Event) -> None:
        """Append events and project them at once."""

    def events_of(self, operation_id: int) -> list[Recorded]:
        """Everything that one operation appended."""

    def later_in(self, stream: str, position: int) -> list[Recorded]:
        """What happened to one thing after a position."""


class Likeness(Protocol):
    """Compares faces of one model; the arithmetic lives outside the domain."""

    def __call__(self, vector: bytes, exemplars: Sequence[bytes]) -> float:
        """Cosine of a face to a person known by `exemplars` (vectors as in `Embedding`), -1 to 1."""


class Resemblance(msgspec.Struct, frozen=True):
    """Whether two faces of one model may be one person's: from a `likeness` of `least` on, a cosine from -1 to 1."""

    likeness: Likeness
    least: float

    def is_possible(self, one: bytes, other: bytes) -> bool:
        """Whether these two may be (vectors as in `Embedding`)."""
        return self.likeness(one, [other]) >= self.least
