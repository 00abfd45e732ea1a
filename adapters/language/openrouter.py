"""OpenRouter, and whatever else speaks OpenAI's chat completions: JSON in, server-sent events out.

Providers behind it differ: an error may come with status 200 or in the middle of an answer, and `finish_reason` may
say `stop` in spite of calls. So an answer counts when its end was seen, and its calls are whatever was put together by
then.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

import anyio
import httpx
import msgspec

from adapters.language.fragments import Assembly, Piece
from adapters.language.text_vectors import packed, prefixed
from adapters.language.upstream import TOTAL_SECONDS, Deadline, Upstream, detail_of, error_in, retry_after
from domain.base.errors import Busy, ImageApiError, Rejected, RuleViolation
from domain.ports.language_model import Chat, Completion, Delta, EmbeddingPurpose, Message, Model, Role, TextEmbeddings

log = logging.getLogger(__name__)

ATTEMPTS: Final = 3
LONGEST_PAUSE_SECONDS: Final = 20.0
"""A provider that asks to wait for longer is reported instead: somebody is looking at the page."""
_MAGIC: Final = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


class _Choice(msgspec.Struct):
    delta: Piece | None = None
    message: Piece | None = None
    finish_reason: str | None = None
    error: Any = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class _Vector(msgspec.Struct):
    embedding: list[float]
    index: int = 0


class _OpenRouterVectors(msgspec.Struct):
    data: list[_Vector]


class OpenRouter:
    """`domain.ports.language_model.LanguageModel` on OpenRouter.

    `allowed` are the models that a user may pick besides `model`; nothing is asked about their capabilities. `referer`
    and `title` say to OpenRouter who asks.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        model: str,
        embedding_model: str,
        *,
        allowed: Sequence[str] = (),
        referer: str | None = None,
        title: str | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.model = model
        self._embedding_model = embedding_model
        self._allowed = tuple(allowed)
        headers = {"Authorization": f"Bearer {key}"}
        if referer:
            headers["HTTP-Referer"] = referer
        if title:
            headers |= {"X-OpenRouter-Title": title, "X-Title": title}
        self._upstream = Upstream("OpenRouter", base_url, "OPENROUTER_BASE_URL", headers)
        self._seconds = seconds

    @property
    def place(self) -> str:
        """The server, as the log and messages name it."""
        return self._upstream.place

    async def chat(self, chat: Chat) -> AsyncGenerator[Delta, None]:
        """Stream an answer; see the port. A provider that is busy is asked again, as long as nothing was said yet.

        Raises:
            Unavailable, Rejected, RuleViolation: as the port says.
        """
        name = self._picked(chat.model)
        deadline = Deadline(self._seconds)
        for attempt in range(1, ATTEMPTS + 1):
            spoken = False
            try:
                async with aclosing(self._attempt(chat, name, deadline)) as deltas:
                    async for delta in deltas:
                        spoken = True
                        yield delta
                return
            except Busy as error:
                pause = float(attempt) if error.retry_after is None else error.retry_after
                if spoken or attempt == ATTEMPTS or pause > min(LONGEST_PAUSE_SECONDS, deadline.left):
                    raise
                log.warning("%s is busy with %s, asked again in %g s", self.place, name, pause)
            await anyio.sleep(pause)

    async def embed(self, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
        """Embed texts; see the port.

        Raises:
            Unavailable, Rejected, RuleViolation: as the port says.
        """
        if not texts:
            return TextEmbeddings(self._embedding_model, ())
        body = {
            "model": self._embedding_model,
            "input": [prefixed(text, purpose, self._embedding_model) for text in texts],
            "encoding_format": "float",
        }
        status, headers, answer = await self._upstream.ask("POST", "/embeddings", body, Deadline(self._seconds))
        code, detail = detail_of(answer)
        if status != 200 or detail:
            raise _refusal(self._upstream, code or status, detail, headers)
        rows = sorted(self._upstream.read(answer, _OpenRouterVectors).data, key=lambda row: row.index)
        try:
            vectors = packed([row.embedding for row in rows], len(texts))
        except ValueError as error:
            raise self._upstream.malformed(str(error)) from error
        return TextEmbeddings(self._embedding_model, tuple(vectors))

    async def models(self) -> Sequence[Model]:
        """The curated list; empty where there is none."""
        return [Model(name, self.place) for name in self._allowed]

    async def describe(self, model: str | None = None) -> Model:
        """A model of the curated list, nothing more: what it can do shows when it is asked.

        Raises:
            RuleViolation: it is not on the list.
        """
        return Model(self._picked(model), self.place)

    async def check(self) -> None:
        """Ask whether the key is good, which costs nothing.

        Raises:
            Unavailable, Rejected: it is not, or nobody answers.
        """
        status, headers, answer = await self._upstream.ask("GET", "/key", None, Deadline(self._seconds))
        if status != 200:
            raise _refusal(self._upstream, status, detail_of(answer)[1], headers)

    def _picked(self, model: str | None) -> str:
        if model is None or model == self.model or model in self._allowed:
            return model or self.model
        raise RuleViolation(f"{model} is not among OPENROUTER_ALLOWED_MODELS.", "model")

    async def _attempt(self, chat: Chat, name: str, deadline: Deadline) -> AsyncGenerator[Delta, None]:
        reading = _OpenRouterReading(name, self._upstream)
        body = _chat_body(chat, name)
        async with self._upstream.answering("POST", "/chat/completions", body, deadline) as response:
            if response.status_code != 200 or "text/event-stream" not in response.headers.get("Content-Type", ""):
                for delta in reading.whole(response, await self._upstream.body(response, deadline)):
                    yield delta
                return
            async with aclosing(self._upstream.lines(response, deadline)) as lines:
                async for line in lines:
                    if not line.startswith(b"data:"):
                        continue  # a comment that keeps the connection alive, or an empty line
                    event = line.removeprefix(b"data:").strip()
                    if event == b"[DONE]":
                        break
                    for delta in reading.deltas(event, response.headers):
                        yield delta
        yield reading.answer()


def _refusal(upstream: Upstream, code: int, detail: str, headers: httpx.Headers) -> ImageApiError:
    """What an error means for the one who asked; `code` is a status, of the response or within it."""
    complaint = detail.lower()
    if code == 402:
        return Rejected(f"{upstream.place} says that the account's credit is used up ({detail}): add credit there.")
    if code in {401, 403}:
        return Rejected(f"{upstream.place} refuses the key (status {code}: {detail}): correct OPENROUTER_API_KEY.")
    if (code in {400, 404} and "model" in complaint) or (code == 404 and "endpoints" in complaint):
        return RuleViolation(f"{upstream.place}: {detail}: choose another model.", "model")
    return upstream.refusal(code, detail, retry_after(headers))


class _OpenRouterReading:
    """An answer while it comes, event by event."""

    def __init__(self, model: str, upstream: Upstream) -> None:
        self._model, self._upstream = model, upstream
        self._assembly = Assembly()
        self._usage = _Usage()
        self._ended: str | None = None

    def deltas(self, event: bytes, headers: httpx.Headers) -> list[Delta]:
        """What an event adds.

        Raises:
            ImageApiError: it is an error, or cut off.
        """
        try:
            chunk = msgspec.json.decode(event, type=_Chunk)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._upstream.broken_off() from error
        return self._deltas(chunk, headers)

    def whole(self, response: httpx.Response, body: bytes) -> list[Delta]:
        """The answer of a server that did not stream: an error, whatever its status, or all at once.

        Raises:
            ImageApiError: it is an error.
        """
        if response.status_code != 200:
            raise _refusal(self._upstream, response.status_code, detail_of(body)[1], response.headers)
        chunk = self._upstream.read(body, _Chunk)
        return [*self._deltas(chunk, response.headers), self.answer()]

    def answer(self) -> Completion:
        """The whole answer.

        Raises:
            Unavailable: its end never came.
        """
        if self._ended is None:
            raise self._upstream.broken_off()
        return Completion(
            self._assembly.message(),
            model=self._model,
            server=self._upstream.place,
            complete=self._ended not in {"length", "content_filter"},
            prompt_tokens=self._usage.prompt_tokens,
            answer_tokens=self._usage.completion_tokens,
        )

    def _deltas(self, chunk: _Chunk, headers: httpx.Headers) -> list[Delta]:
        found: list[Delta] = []
        choice = chunk.choices[0] if chunk.choices else _Choice()
        if (error := chunk.error or choice.error) or choice.finish_reason == "error":
            code, detail = error_in(error)
            raise _refusal(self._upstream, code or 502, detail, headers)
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        if piece := choice.delta or choice.message:
            found = self._assembly.add(piece)
        self._ended = choice.finish_reason or self._ended
        return found


def _chat_body(chat: Chat, model: str) -> dict[str, Any]:
    """The body of `/chat/completions`."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_written(message) for message in chat.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if chat.tools:
        body["tools"] = [{"type": "function", "function": msgspec.to_builtins(tool)} for tool in chat.tools]
    elif chat.shape is not None:
        named = {"name": "answer", "strict": True, "schema": chat.shape}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    if chat.thinking is not None:
        body["reasoning"] = {"enabled": chat.thinking}
    return body


def _written(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.images:
        text = [{"type": "text", "text": message.text}] if message.text else []
        written["content"] = [*text, *(_picture(image) for image in message.images)]
    if message.calls:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _sendable(call.arguments)}}
            for call in message.calls
        ]
    if message.reasoning:
        written["reasoning_details"] = msgspec.Raw(message.reasoning.encode())
    if message.role is Role.TOOL:
        written["tool_call_id"] = message.call_id
    return written


def _sendable(arguments: str) -> str:
    """Arguments as they came, or an empty object where they are none: providers refuse a history with broken JSON."""
    try:
        msgspec.json.decode(arguments, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return "{}"
    return arguments


def _picture(image: bytes) -> dict[str, Any]:
    media_type = next((name for magic, name in _MAGIC if image.startswith(magic)), "image/jpeg")
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{base64.b64encode(image).decode()}"}}
