"""Insights, conversations and models as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from adapters.http.web.chat_responses import shown_json
from adapters.http.web.times import Moment, moment
from domain.events.insight import Insight, TranscriptMessage
from domain.ports.language_model import Model
from domain.rules.transcripts import shown
from projections.queries.reading import Lookups

Rating = Literal["good", "bad"]


class InsightView(msgspec.Struct):
    """What a model wrote about a photo, a visible file of which is named; `amends` is the insight whose place it
    took."""

    id: int
    content_hash: str
    library_id: int
    path: str
    title: str
    text: str
    model: str
    backend: str
    agentic: bool
    amends: int | None
    rating: Rating | None
    written_at: Moment
    version: int


class ToolView(msgspec.Struct):
    """A tool that the model used: what it asked, and what it was told."""

    name: str
    arguments: Any
    result: Any


class MessageView(msgspec.Struct):
    """A message as it is shown; an assistant's names its model and the tools that led to it."""

    index: int
    role: Literal["user", "assistant"]
    text: str
    model: str | None
    tools: list[ToolView]


class Conversation(msgspec.Struct):
    """An insight with its messages. `version` is the conversation's, for `If-Match`; `turn` is one of your own that is
    being answered now."""

    insight: InsightView
    messages: list[MessageView]
    version: int
    turn: str | None


class TurnResult(msgspec.Struct):
    """What a turn came to: its last message, in the conversation of the insight that now has it. `version` is the
    conversation's."""

    insight: InsightView
    message: MessageView
    version: int
    operation_id: int | None


class ModelView(msgspec.Struct):
    """A model that can be chosen. `capabilities` and `context` (tokens) are null where its server does not tell."""

    name: str
    server: str
    capabilities: list[str] | None
    context: int | None


class Models(msgspec.Struct):
    """The models of a backend."""

    backend: str
    items: list[ModelView]


def insight_view(tables: Lookups, insight: Insight) -> InsightView:
    """An insight as the asker sees it, who sees its photo."""
    return insight_views(tables, [insight])[0]


def insight_views(tables: Lookups, rows: Sequence[Insight]) -> list[InsightView]:
    """As `insight_view`, for many at once."""
    places = tables.insights.places({row.content_hash for row in rows})
    return [_row(row, *places[row.content_hash]) for row in rows]


def _row(insight: Insight, library_id: int, path: str) -> InsightView:
    rating: Rating | None = "good" if insight.rating == "good" else "bad" if insight.rating == "bad" else None
    return InsightView(
        id=insight.id,
        content_hash=insight.content_hash.hex(),
        library_id=library_id,
        path=path,
        title=insight.title,
        text=insight.text,
        model=insight.model,
        backend=insight.backend,
        agentic=insight.agentic,
        amends=insight.amends,
        rating=rating,
        written_at=moment(insight.written_at),
        version=insight.version,
    )


def message_views(transcript: Sequence[TranscriptMessage]) -> list[MessageView]:
    """A transcript as it is shown."""
    return [
        MessageView(
            index,
            "user" if message.role == "user" else "assistant",
            message.text,
            message.model,
            [
                ToolView(tool.name, shown_json(tool.arguments), shown_json(tool.result or "null"))
                for tool in message.tools
            ],
        )
        for index, message in enumerate(shown(transcript))
    ]


def model_view(model: Model) -> ModelView:
    """A model that can be chosen."""
    capabilities = None if model.capabilities is None else sorted(map(str, model.capabilities))
    return ModelView(model.name, model.server, capabilities, model.context)
