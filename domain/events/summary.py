"""Daily summaries: what a language model says of one conversation on one day, from the messages of that day.

A summary is never changed: where its messages, the model or what it is asked for change, a new one takes its place, and
the old one stays in the history. Its vector, by which it is found by meaning, is an attachment.
"""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as


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


class SummarySource(msgspec.Struct, frozen=True):
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
