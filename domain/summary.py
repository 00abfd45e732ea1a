"""Daily summaries: what a language model says of one conversation on one day, from the messages of that day.

A summary is never changed: where its messages, the model or what it is asked for change, a new one takes its place, and
the old one stays in the history. Its vector, by which it is found by meaning, is an attachment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from domain.conversation import Message
from domain.event import Event, recorded_as

USUAL_DAYS: Final = 30
"""Closed days that are summarised where nobody says which."""


class Summary(msgspec.Struct, frozen=True):
    """A summary's row as a command sees it.

    `day` is YYYY-MM-DD, `messages` how many it was made from; `source_hash` names them. `superseded_by` is the one that
    took its place. `masked` says that an erasure took a name out of it. `embedding_model` is None where it has no
    vector yet.
    """

    id: int
    day: str
    contact: str
    contact_key: str
    source_hash: bytes
    messages: int
    prompt_version: int
    model: str
    text: str
    written_at: int
    superseded_by: int | None
    deleted: bool
    masked: bool
    embedding_id: int | None
    embedding_model: str | None


class Source(msgspec.Struct, frozen=True):
    """What a summary is made from: `day` is YYYY-MM-DD, `contact_key` the name key of the contact."""

    day: str
    contact: str
    contact_key: str
    hash: bytes
    messages: int


@recorded_as("SummaryWritten", "summary", "summary_id", opens=True, private=True)
class SummaryWritten(Event, frozen=True, omit_defaults=True):
    """A language model summarised a conversation of one day; `supersedes` is the summary whose place this one took,
    `masked` says that an erasure took a name out of it."""

    summary_id: int
    day: str
    contact: str
    source_hash: bytes
    messages: int
    prompt_version: int
    model: str
    text: str
    supersedes: int | None = None
    masked: bool = False


@recorded_as("SummaryEmbedded", "summary", "summary_id", private=True)
class SummaryEmbedded(Event, frozen=True, omit_defaults=True):
    """A summary got a vector of a model; None where an erasure took it."""

    summary_id: int
    model_version: str
    embedding_id: int | None = None


@recorded_as("SummaryDeleted", "summary", "summary_id", private=True)
class SummaryDeleted(Event, frozen=True, omit_defaults=True):
    """A summary is no longer shown, and none of that conversation and day is made again."""

    summary_id: int


@recorded_as("SummaryRestored", "summary", "summary_id", private=True)
class SummaryRestored(Event, frozen=True, omit_defaults=True):
    """A summary that was deleted is shown again."""

    summary_id: int


def source_hash(messages: Iterable[Message]) -> bytes:
    """Names the messages of a conversation, 32 bytes: the same whoever sends them in which order, another one where a
    message came, went or was changed."""
    told = sorted((m.id, m.sent_at.isoformat(), m.direction, m.body) for m in messages)
    return hashlib.sha256(msgspec.msgpack.encode(told)).digest()


def is_wanted(
    source: Source, standing: Sequence[Summary], prompt_version: int, models: Collection[str], *, again: bool = False
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
