"""Insights: what a language model wrote about photos, and conversations about them; `/insights` and what lies below."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    FieldError,
    FilePath,
    Id,
    Invalid,
    LibraryRef,
    Limit,
    Page,
    Reply,
    Routes,
    id_of,
    next_cursor,
    photo_at,
    write,
)
from adapters.http.web.chat_responses import TurnResponse, TurnStream
from adapters.http.web.validation import OneOf
from adapters.http.web.views.insights import (
    Conversation,
    InsightView,
    Models,
    Rating,
    TurnResult,
    insight_view,
    insight_views,
    message_views,
    model_view,
)
from adapters.http.web.views.media import PhotoQuery
from adapters.insights.narrator import Narrator
from adapters.insights.turns import RunningTurn
from domain.base.errors import NotFound, Unavailable
from domain.commands.insights import rate_insight, rewind_transcript
from domain.events.insight import Insight
from domain.events.media import Media
from domain.ports.conversation_turns import TurnProgress, TurnRequest
from domain.ports.language_model import Model
from domain.rules.access import seen_insight
from projections.queries.reading import Lookups

routes = Routes("Insights")

Backend = Annotated[
    Literal["local", "hybrid"], Meta(description="hybrid: pictures stay on this machine, words go to OpenRouter")
]
ModelName = Annotated[str, Meta(max_length=200, description="left out: the configured one")]
Text = Annotated[str, Meta(max_length=8000)]
MessageText = Annotated[str, Meta(min_length=1, max_length=8000)]
Iterations = Annotated[
    int, Meta(ge=1, le=100, description="rounds of tools at most; the server has a limit of its own")
]
Linger = Annotated[float, Meta(ge=0, le=60, description="seconds for which the turn goes on when nobody listens")]
ANSWERED: Final = (404, 409, 422, 502)
"""What a turn may be refused with, beside what follows from its route."""
NO_INSIGHT: Final = "there is no insight about this photo yet: generate one first"


class HistoryOf(PhotoQuery):
    """Which photo's conversation: the newest insight's, where none is named."""

    insight_id: Id | None = None


class AllQuery(msgspec.Struct):
    """How many, and from where on."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class ModelsQuery(msgspec.Struct):
    """Whose models."""

    backend: Backend = "local"


class AttachQuery(msgspec.Struct):
    """Which turn, by the header `Turn-Id` of its beginning; `Last-Event-ID` says what was heard of it."""

    turn: Annotated[str, Meta(max_length=100)]


class GenerateWish(msgspec.Struct):
    """What to write about. `agentic` lets the model look things up; `amend` takes the place of the newest insight."""

    path: FilePath
    library: LibraryRef | None = None
    message: Text = ""
    backend: Backend = "local"
    model: ModelName | None = None
    agentic: bool = False
    max_iterations: Iterations | None = None
    amend: bool = False


class ChatWish(msgspec.Struct):
    """What to say. The conversation is the newest insight's where none is named; `agentic` lets the model look things
    up; `amend` writes a new insight, with the conversation so far, instead of going on with this one."""

    path: FilePath
    message: MessageText
    library: LibraryRef | None = None
    insight_id: Id | None = None
    backend: Backend = "local"
    model: ModelName | None = None
    agentic: bool = True
    max_iterations: Iterations | None = None
    amend: bool = False
    linger: Linger = 0.0


class RateWish(msgspec.Struct):
    """Which insight, by its id or as the newest one of a photo, and what of it; null takes a rating back."""

    excludes: ClassVar = (OneOf(("id", "path")),)

    rating: Rating | None
    id: Id | None = None
    path: FilePath | None = None
    library: LibraryRef | None = None


class RewindWish(msgspec.Struct):
    """Whose conversation, and the message, as the history counts them from 0, that goes with all that follow it."""

    path: FilePath
    index: Annotated[int, Meta(ge=0, le=100_000)]
    library: LibraryRef | None = None
    insight_id: Id | None = None


@routes(
    "POST", "/insights/generate", body=GenerateWish, answers=InsightView, status=201, role="editor", errors=ANSWERED
)
def generate(call: Call, body: GenerateWish) -> Reply:
    """Let a language model write about a photo.

    It is told what the library knows, and shown the photo where it can see. A client that leaves stops it.
    """
    media = _photo(call, body.path, body.library)
    wish = _wish(body)
    turn = _narrator(call).generate(call.actor, media, wish)
    return Reply(response=TurnResponse(turn, lambda done: _result(call, done).insight, 201))


@routes("GET", "/insights", query=PhotoQuery, answers=Page[InsightView], errors=(404,))
def list_insights(call: Call, query: PhotoQuery) -> Reply:
    """The insights about a photo and its copies, the newest first."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        return Reply(Page(insight_views(tables, tables.insights.of_content(media.content_hash or b""))))


@routes("GET", "/insights/all", query=AllQuery, answers=Page[InsightView])
def list_all_insights(call: Call, query: AllQuery) -> Reply:
    """The insights about every photo that the asker sees, the newest first."""
    before = id_of(query.cursor)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = tables.insights.latest(query.limit + 1, before)
        views = insight_views(tables, rows[: query.limit])
    cursor = next_cursor(rows, query.limit)
    return Reply(Page(views, cursor))


@routes("POST", "/insights/rate", body=RateWish, answers=InsightView, role="editor", errors=(404, 422))
def rate(call: Call, body: RateWish) -> Reply:
    """Say whether an insight is good or bad."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        insight = (
            _insight(tables, photo_at(tables, body.path, body.library), None)
            if body.path is not None
            else seen_insight(tables, body.id or 0)
        )
    return write(
        call,
        lambda uow: rate_insight(uow, insight.id, body.rating),
        lambda uow, _: insight_view(uow, seen_insight(uow, insight.id)),
    )


@routes("GET", "/insights/models", query=ModelsQuery, answers=Models, errors=(502,))
def list_models(call: Call, query: ModelsQuery) -> Reply:
    """The models of a backend that can be chosen."""
    return Reply(_models(call, query.backend))


@routes("GET", "/insights/openrouter/models", answers=Models, errors=(502,))
def list_openrouter_models(call: Call) -> Reply:
    """The models at OpenRouter that this server allows."""
    return Reply(_models(call, "hybrid"))


@routes("POST", "/insights/chat", body=ChatWish, answers=TurnResult, role="editor", errors=ANSWERED, versioned=True)
def chat(call: Call, body: ChatWish) -> Reply:
    """Say something about a photo and wait for the answer.

    One turn of a conversation is answered at a time (409). A client that leaves stops it, and nothing is recorded.
    """
    turn = _begun(call, body)
    return Reply(response=TurnResponse(turn, lambda done: _result(call, done)))


@routes(
    "POST",
    "/insights/chat/stream",
    body=ChatWish,
    records=False,
    media_types=("text/event-stream",),
    role="editor",
    errors=ANSWERED,
    versioned=True,
)
def chat_live(call: Call, body: ChatWish) -> Reply:
    """Say something about a photo and hear the answer as it comes.

    Events: `text` (`{text}`), `tool_call` (`{id, name, arguments}`), `tool_result` (`{id, name, result, failed}`),
    `notice` (`{text}`), and at the end `done` (as `POST /insights/chat` answers) or `error` (a problem). What fails at
    once has its status instead.

    The header `Turn-Id` names the turn, `operation_id` of `done` the operation that it was. Its asker may listen again
    with `GET`; when nobody has listened for `linger` seconds, the language model is stopped and nothing is recorded.
    """
    turn = _begun(call, body)
    return Reply(response=TurnStream(turn, lambda done: _result(call, done), call.dependencies.pace))


@routes(
    "GET",
    "/insights/chat/stream",
    query=AttachQuery,
    media_types=("text/event-stream",),
    role="editor",
    errors=(404, 409, 422, 502),
)
def listen_again(call: Call, query: AttachQuery) -> Reply:
    """Listen to a turn of your own that is being answered, or ended within the last minute, from where you left it."""
    turn = _attached(call, query.turn)
    heard = call.headers.get("last-event-id", "").strip()
    after = int(heard) if heard.isascii() and heard.isdigit() and len(heard) < 10 else 0
    return Reply(response=TurnStream(turn, lambda done: _result(call, done), call.dependencies.pace, after))


@routes("DELETE", "/insights/chat/stream", query=AttachQuery, status=204, role="editor", errors=(404,), records=False)
def stop_turn(call: Call, query: AttachQuery) -> Reply:
    """Stop a turn of your own now, whoever listens: nothing of it is recorded, unless it has just ended."""
    _attached(call, query.turn).stop()
    return Reply(status=204)


@routes("GET", "/insights/chat/history", query=HistoryOf, answers=Conversation, errors=(404,))
def show_conversation(call: Call, query: HistoryOf) -> Reply:
    """The conversation about a photo as it is shown, its first message first."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, query.path, query.library)
        return Reply(_conversation(call, tables, _insight(tables, media, query.insight_id).id))


@routes(
    "POST",
    "/insights/chat/rewind",
    body=RewindWish,
    answers=Conversation,
    role="editor",
    errors=(404, 409, 422),
    versioned=True,
)
def rewind(call: Call, body: RewindWish) -> Reply:
    """Drop a message, the tools that led to it and all that follows; the first message stays."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        insight = _insight(tables, photo_at(tables, body.path, body.library), body.insight_id)
    return write(
        call,
        lambda uow: rewind_transcript(uow, insight.id, body.index, call.expected),
        lambda uow, _: _conversation(call, uow, insight.id),
    )


def _attached(call: Call, turn: str) -> RunningTurn:
    if call.dependencies.narrator is None:
        raise NotFound("there is no such turn")
    return call.dependencies.narrator.attached(call.actor, turn)


def _narrator(call: Call) -> Narrator:
    if call.dependencies.narrator is None:
        raise Unavailable("no language model is configured: set OLLAMA_PRIMARY_URL")
    return call.dependencies.narrator


def _begun(call: Call, body: ChatWish) -> RunningTurn:
    if not body.message.strip():
        raise Invalid((FieldError("message", "say something"),))
    with call.dependencies.ledger.reading(call.actor) as tables:
        media = photo_at(tables, body.path, body.library)
        insight = _insight(tables, media, body.insight_id)
    wish = _wish(body, body.linger)
    return _narrator(call).chat(call.actor, media, insight.id, wish, call.expected)


def _wish(body: GenerateWish | ChatWish, linger: float = 0.0) -> TurnRequest:
    return TurnRequest(
        message=body.message,
        backend=body.backend,
        model=body.model,
        agentic=body.agentic,
        rounds=body.max_iterations,
        amend=body.amend,
        linger=linger,
    )


def _models(call: Call, backend: str) -> Models:
    models = asyncio.run(_models_of(_narrator(call), backend))
    return Models(backend, [model_view(model) for model in models])


async def _models_of(narrator: Narrator, backend: str) -> Sequence[Model]:
    return await narrator.models(backend)


def _photo(call: Call, path: str, library: int | str | None) -> Media:
    with call.dependencies.ledger.reading(call.actor) as tables:
        return photo_at(tables, path, library)


def _insight(tables: Lookups, media: Media, insight_id: int | None) -> Insight:
    """The insight about a photo that is named, or else its newest; raises `NotFound`."""
    of_photo = tables.insights.of_content(media.content_hash or b"")
    found = next((each for each in of_photo if insight_id in {None, each.id}), None)
    if found is None:
        raise NotFound(NO_INSIGHT if insight_id is None else f"there is no insight {insight_id} about this photo")
    return found


def _conversation(call: Call, tables: Lookups, insight_id: int) -> Conversation:
    insight = seen_insight(tables, insight_id)
    narrator = call.dependencies.narrator
    turn = None if narrator is None else narrator.going_on(call.actor, insight_id)
    messages = message_views(tables.transcripts.of(insight_id))
    return Conversation(
        insight_view(tables, insight), messages, insight.turns_version, None if turn is None else turn.id
    )


def _result(call: Call, done: TurnProgress) -> TurnResult:
    with call.dependencies.ledger.reading(call.actor) as tables:
        insight = seen_insight(tables, done.insight_id or 0)
        messages = message_views(tables.transcripts.of(insight.id))
        return TurnResult(insight_view(tables, insight), messages[-1], insight.turns_version, done.operation_id)
