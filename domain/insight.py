"""Insights: a title and text that a language model wrote about a photo, and the conversation about it.

An insight belongs to the content, so that copies of a file share it; a transcript belongs to one insight. What a model
thought to itself is not part of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from domain.event import Event, recorded_as

USER, ASSISTANT, TOOL = "user", "assistant", "tool"
GOOD, BAD = "good", "bad"
RATINGS = (GOOD, BAD)
LONGEST_TITLE = 200


class ToolCall(msgspec.Struct, frozen=True):
    """A tool that the model asked for: `id` names the call within its turn, `arguments` is the JSON text that the model
    wrote, which may be none."""

    id: str
    name: str
    arguments: str = "{}"


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a transcript.

    `role` is `user`, `assistant` or `tool`. An assistant's message names the `model` that wrote it, and may ask for
    tools by `calls`; a tool's message `answers` one of them by its id.
    """

    role: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
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


class ToolUse(msgspec.Struct, frozen=True):
    """A tool call with its result, both JSON texts; None where the turn ended without one."""

    name: str
    arguments: str
    result: str | None


class Shown(msgspec.Struct, frozen=True):
    """A message as a reader sees it: the tools that led to it are folded in. `start` and `end` are the places in the
    transcript that it covers, the latter excluded."""

    role: str
    text: str
    tools: tuple[ToolUse, ...]
    model: str | None
    start: int
    end: int


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
    messages: tuple[Message, ...]


@recorded_as("TranscriptRewound", "insight", "insight_id")
class TranscriptRewound(Event, frozen=True, omit_defaults=True):
    """A transcript went back to its first `kept` messages; the events before hold the others."""

    insight_id: int
    kept: int


def folded(events: Iterable[Event]) -> tuple[Message, ...]:
    """The transcript that the events of one insight come to."""
    messages: list[Message] = []
    for event in events:
        if isinstance(event, TranscriptAppended):
            messages[event.start :] = event.messages
        elif isinstance(event, TranscriptRewound):
            del messages[event.kept :]
    return tuple(messages)


def shown(messages: Sequence[Message]) -> tuple[Shown, ...]:
    """A transcript as a reader sees it: what users and models said, each with the tools that the model used before.

    Tools that no answer followed are shown with an empty one, so that nothing of a transcript is out of a rewind's
    reach.
    """
    found: list[Shown] = []
    start = 0
    for place, message in enumerate(messages):
        if message.role == USER and start < place:
            found.append(_shown(messages[start:place], start))
            start = place
        if message.role == USER or (message.role == ASSISTANT and not message.calls):
            found.append(_shown(messages[start : place + 1], start))
            start = place + 1
    if start < len(messages):
        found.append(_shown(messages[start:], start))
    return tuple(found)


def _shown(part: Sequence[Message], start: int) -> Shown:
    uses: list[tuple[str, ToolUse]] = []
    for message in part:
        uses += [(call.id, ToolUse(call.name, call.arguments, None)) for call in message.calls]
        for place, (call_id, use) in enumerate(uses):
            if message.role == TOOL and call_id == message.answers and use.result is None:
                uses[place] = (call_id, msgspec.structs.replace(use, result=message.text))
                break
    role = USER if part[-1].role == USER else ASSISTANT
    text = "\n\n".join(message.text for message in part if message.role == role and message.text)
    models = [message.model for message in part if message.model is not None]
    return Shown(role, text, tuple(use for _, use in uses), models[-1] if models else None, start, start + len(part))


class Wish(msgspec.Struct, frozen=True):
    """What a user asks of a language model about a photo.

    `message` is what the user says. `backend` and `model` choose who answers, by default the configured ones. `agentic`
    lets it look things up, in at most `rounds` rounds where that is less than the server's own limit. `amend` makes a
    new insight of a turn. `linger` is for how many seconds a turn goes on when nobody listens any more.
    """

    message: str = ""
    backend: str | None = None
    model: str | None = None
    agentic: bool = False
    rounds: int | None = None
    amend: bool = False
    linger: float = 0.0


class Progress(msgspec.Struct, frozen=True):
    """One thing that happened in a turn: `kind` is `text`, `tool_call`, `tool_result`, `notice`, or at the end `done`
    or `error`; the other fields are what the kind has. A turn that is `done` was recorded."""

    kind: str
    text: str = ""
    call: ToolCall | None = None
    failed: bool = False
    insight_id: int | None = None
    operation_id: int | None = None
    error: Exception | None = None
