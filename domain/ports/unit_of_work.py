"""What a command works with: the write lock, the tables as they stand, and the log that it appends to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from domain.base.actor import Actor
from domain.events.event import Event, Recorded
from domain.ports.face_engine import Embedding
from domain.ports.lookups import (
    ApiKeyLookups,
    EntityLookups,
    FaceLookups,
    InsightLookups,
    LibraryLookups,
    MediaLookups,
    OperationLookups,
    PersonLookups,
    SummaryLookups,
    TaggedLookups,
    TagLookups,
    TranscriptLookups,
    UserLookups,
)


class UnitOfWork(Protocol):
    """What one command works with: it holds the write lock, decides from the tables as they stand, and appends or does
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
