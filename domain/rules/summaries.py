"""Which days are summarised, and when a summary is written anew."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from domain.base.conversation import ConversationMessage
from domain.events.summary import Summary, SummarySource

USUAL_DAYS: Final = 30
"""Closed days that are summarised where nobody says which."""


def source_hash(messages: Iterable[ConversationMessage]) -> bytes:
    """Names the messages of a conversation, 32 bytes: the same whoever sends them in which order, another one where a
    message came, went or was changed."""
    rows = sorted((m.id, m.sent_at.isoformat(), m.direction, m.body) for m in messages)
    return hashlib.sha256(msgspec.msgpack.encode(rows)).digest()


def is_wanted(
    source: SummarySource,
    standing: Sequence[Summary],
    prompt_version: int,
    models: Collection[str],
    *,
    again: bool = False,
) -> bool:
    """Whether a summary is to be made of `source`, given those that stand for its day.

    Not where one was made of the same messages, with the same prompt, by one of `models`, unless it shall be made
    `again`. Never where a user deleted it, or an erasure took a name out of it: the messages still hold that name.
    """
    of_it = [each for each in standing if source.contact_key == each.contact_key or source.hash == each.source_hash]
    if any(each.deleted or each.masked for each in of_it):
        return False
    made = (each.source_hash == source.hash and each.prompt_version == prompt_version for each in of_it)
    return again or not any(same and each.model in models for same, each in zip(made, of_it, strict=True))


class Span(msgspec.Struct, frozen=True):
    """Days, both included."""

    first: date
    last: date

    def days(self) -> list[date]:
        """The days, the newest first, none where the span is empty."""
        return [self.last - timedelta(days) for days in range((self.last - self.first).days + 1)]


def closed_days(today: date, first: date | None, last: date | None) -> Span:
    """The days to summarise: those that are over, from `first` to `last`, by default the last 30 of them."""
    yesterday = today - timedelta(days=1)
    last = yesterday if last is None else min(last, yesterday)
    usual = date.fromordinal(max(last.toordinal() - USUAL_DAYS + 1, date.min.toordinal()))
    return Span(usual if first is None else first, last)


class SummaryWish(msgspec.Struct, frozen=True):
    """What to summarise: the days, the contacts (none: everyone), and whether `again` where nothing changed."""

    span: Span
    contacts: tuple[str, ...] = ()
    again: bool = False
