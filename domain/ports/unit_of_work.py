"""What a command works with: the write lock, the tables as they stand, and the log that it appends to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from domain.events.event import Event, Recorded
from domain.ports.face_engine import Embedding
from domain.ports.lookups import Snapshot


class UnitOfWork(Snapshot, Protocol):
    """What one command works with: it holds the write lock, decides from the tables as they stand, its own writes among
    them, and appends or does nothing. Its actor is who acts."""

    def begin(self, kind: str, text: str, *, why: str | None = None, undoes: int | None = None) -> int:
        """Say what is being done, before the first event; the operation's id."""

    @property
    def position(self) -> int:
        """The last position of the log, its own events among them."""

    @property
    def text(self) -> str:
        """What was said that is being done; empty before that."""

    def resume(self, operation_id: int) -> None:
        """What follows belongs to this operation, which began before."""

    def end(self, text: str) -> None:
        """Say what came of the operation."""

    def attempt(self) -> AbstractContextManager[None]:
        """A block whose events are all taken back where it raises, so that another way can be tried in the same
        unit of work."""

    def next_operation(self, *, caused_by: int | None = None) -> None:
        """What follows is another operation, which has to `begin`; both happen, or neither. `caused_by` is the position
        of the event that it answers."""

    def new_ids(self, counter: str, count: int) -> range:
        """Public ids that were never used."""

    def new_id(self, counter: str) -> int:
        """One public id."""

    def attach(self, embeddings: Sequence[Embedding]) -> Sequence[int]:
        """Store vectors beside the events; their ids."""

    def append(self, *events: Event) -> None:
        """Append events and project them at once."""

    def events_of(self, operation_id: int, most: int | None = None) -> list[Recorded]:
        """Everything that one operation appended, or the first `most` of it, in order."""

    def later_in(self, stream: str, position: int) -> list[Recorded]:
        """What happened to one thing after a position."""
