"""What is asked of a language model about a photo, and what is heard while it answers."""

from __future__ import annotations

import msgspec

from domain.events.insight import RecordedToolCall


class TurnRequest(msgspec.Struct, frozen=True):
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


class TurnProgress(msgspec.Struct, frozen=True):
    """One thing that happened in a turn: `kind` is `text`, `tool_call`, `tool_result`, `notice`, or at the end `done`
    or `error`; the other fields are what the kind has. A turn that is `done` was recorded."""

    kind: str
    text: str = ""
    call: RecordedToolCall | None = None
    failed: bool = False
    insight_id: int | None = None
    operation_id: int | None = None
    error: Exception | None = None
