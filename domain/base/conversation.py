"""What people wrote to each other, as context for photos of those days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, Protocol

import msgspec

Direction = Literal["received", "sent"]


class ConversationMessage(msgspec.Struct, frozen=True):
    """One message: `sent_at` is aware and keeps the offset it came with, `direction` is the user's side of it, `body`
    is text that a stranger may have written."""

    id: str
    contact: str
    sent_at: datetime
    direction: Direction
    body: str


class Conversations(Protocol):
    """The user's conversations. Calls block: they are made from threads, never from the event loop."""

    def messages(self, first: date, last: date, contact: str | None = None) -> tuple[ConversationMessage, ...]:
        """The messages of these days, both included, with one contact or with everyone, the oldest first.

        A message's day is that of its own wall clock.

        Raises:
            Unavailable: they cannot be had now; the text says what to do.
            Rejected: they will not be had by asking again.
        """
