"""How a conversation is rebuilt from its events, and what of it a person is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from domain.events.event import Event
from domain.events.insight import ASSISTANT, TOOL, USER, TranscriptAppended, TranscriptMessage, TranscriptRewound


class ToolUse(msgspec.Struct, frozen=True):
    """A tool call with its result, both JSON texts; None where the turn ended without one."""

    name: str
    arguments: str
    result: str | None


class ShownMessage(msgspec.Struct, frozen=True):
    """A message as a reader sees it: the tools that led to it are folded in. `start` and `end` are the places in the
    transcript that it covers, the latter excluded."""

    role: str
    text: str
    tools: tuple[ToolUse, ...]
    model: str | None
    start: int
    end: int


def folded(events: Iterable[Event]) -> tuple[TranscriptMessage, ...]:
    """The transcript that the events of one insight come to."""
    messages: list[TranscriptMessage] = []
    for event in events:
        if isinstance(event, TranscriptAppended):
            messages[event.start :] = event.messages
        elif isinstance(event, TranscriptRewound):
            del messages[event.kept :]
    return tuple(messages)


def shown(messages: Sequence[TranscriptMessage]) -> tuple[ShownMessage, ...]:
    """A transcript as a reader sees it: what users and models said, each with the tools that the model used before.

    Tools that no answer followed are shown with an empty one, so that nothing of a transcript is out of a rewind's
    reach.
    """
    found: list[ShownMessage] = []
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


def _shown(part: Sequence[TranscriptMessage], start: int) -> ShownMessage:
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
    return ShownMessage(
        role,
        text,
        tools=tuple(use for _, use in uses),
        model=models[-1] if models else None,
        start=start,
        end=start + len(part),
    )
