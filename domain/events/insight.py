"""Insights: a title and text that a language model wrote about a photo, and the conversation about it.

An insight belongs to the content, so that copies of a file share it; a transcript belongs to one insight. What a model
thought to itself is not part of either.
"""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as

USER, ASSISTANT, TOOL = "user", "assistant", "tool"
GOOD, BAD = "good", "bad"
RATINGS = (GOOD, BAD)
LONGEST_TITLE = 200


class RecordedToolCall(msgspec.Struct, frozen=True):
    """A tool that the model asked for: `id` names the call within its turn, `arguments` is the JSON text that the model
    wrote, which may be none."""

    id: str
    name: str
    arguments: str = "{}"


class TranscriptMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a transcript.

    `role` is `user`, `assistant` or `tool`. An assistant's message names the `model` that wrote it, and may ask for
    tools by `calls`; a tool's message `answers` one of them by its id.
    """

    role: str
    text: str = ""
    calls: tuple[RecordedToolCall, ...] = ()
    answers: str | None = None
    model: str | None = None


class Insight(msgspec.Struct, frozen=True):
    """An insight's row as a command sees it. `amends` is the insight that it took the place of; `version` counts what
    was done to it, `turns_version` what was done to its transcript."""

    id: int
    content_hash: bytes
    title: str
    text: str
    model: str
    backend: str
    agentic: bool
    amends: int | None
    rating: str | None
    deleted: bool
    written_at: int
    version: int
    turns_version: int


@recorded_as("InsightWritten", "insight", "insight_id", opens=True)
class InsightWritten(Event, frozen=True, omit_defaults=True):
    """A language model wrote about a photo; `backend` says where it runs, `agentic` whether it could use tools."""

    insight_id: int
    content_hash: bytes
    title: str
    text: str
    model: str
    backend: str
    agentic: bool = False
    amends: int | None = None


@recorded_as("InsightRated", "insight", "insight_id")
class InsightRated(Event, frozen=True, omit_defaults=True):
    """A user said whether an insight is good or bad, or took that back (None)."""

    insight_id: int
    rating: str | None = None
    was: str | None = None


@recorded_as("InsightDeleted", "insight", "insight_id")
class InsightDeleted(Event, frozen=True, omit_defaults=True):
    """An insight is no longer shown; it keeps its transcript, for undo."""

    insight_id: int


@recorded_as("InsightRestored", "insight", "insight_id")
class InsightRestored(Event, frozen=True, omit_defaults=True):
    """An insight is shown again, with the transcript that it had."""

    insight_id: int


@recorded_as("TranscriptAppended", "insight", "insight_id")
class TranscriptAppended(Event, frozen=True, omit_defaults=True):
    """A transcript went on, from its place `start` (0 is the first)."""

    insight_id: int
    start: int
    messages: tuple[TranscriptMessage, ...]


@recorded_as("TranscriptRewound", "insight", "insight_id")
class TranscriptRewound(Event, frozen=True, omit_defaults=True):
    """A transcript went back to its first `kept` messages; the events before hold the others."""

    insight_id: int
    kept: int


@recorded_as("InsightFollowed", "insight", "insight_id")
class InsightFollowed(Event, frozen=True, omit_defaults=True):
    """The photo was saved anew, and no file holds the content `was` any more: the insight is about the new one."""

    insight_id: int
    content_hash: bytes
    was: bytes
