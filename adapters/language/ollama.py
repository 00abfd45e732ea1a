"""Ollama's own protocol: `/api/chat` as lines of JSON, `/api/embed`, `/api/show` and `/api/tags`.

Its habit of cutting a conversation that is too long is switched off (`truncate`, `shift`): whole turns are left out
here instead. A schema for the answer (`format`) is never sent together with tools, because it keeps models from calling
any.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

import anyio
import msgspec

from adapters.language.text_vectors import packed, prefixed
from adapters.language.trimming import trimmed
from adapters.language.upstream import (
    CONNECT_SECONDS,
    TOTAL_SECONDS,
    Deadline,
    Upstream,
    detail_of,
    error_in,
    retry_after,
)
from domain.base.errors import ImageApiError, RuleViolation, Unavailable
from domain.ports.language_model import (
    Capability,
    Chat,
    Completion,
    Delta,
    EmbeddingPurpose,
    Message,
    Model,
    Role,
    TextDelta,
    TextEmbeddings,
    ThinkingDelta,
    ToolCall,
)

EMBEDDING_MODEL: Final = "nomic-embed-text:v1.5"
CONTEXT_LIMIT: Final = 16384
"""Tokens of context that are asked for where the model has more: a context takes memory whether it is used or not."""
USUAL_CONTEXT: Final = 8192
_DESCRIBED_SECONDS: Final = 300.0
_TEXTS_AT_ONCE: Final = 64
_SHOWN_AT_ONCE: Final = 4
_CAPABILITIES: Final = {capability.value: capability for capability in Capability}


class ModelMissing(Unavailable):
    """The server answers and does not have the model: another one may, and this one is not to blame."""


class _OllamaFunction(msgspec.Struct):
    name: str = ""
    arguments: Any = None


class _OllamaCall(msgspec.Struct):
    function: _OllamaFunction
    id: str | None = None


class _OllamaMessage(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_OllamaCall] | None = None


class _Line(msgspec.Struct):
    model: str = ""
    message: _OllamaMessage | None = None
    done: bool = False
    done_reason: str | None = None
    error: Any = None
    prompt_eval_count: int = 0
    eval_count: int = 0


class _OllamaVectors(msgspec.Struct):
    embeddings: list[list[float]]


class _Shown(msgspec.Struct):
    capabilities: list[str] | None = None
    model_info: dict[str, Any] | None = None


class _Named(msgspec.Struct):
    name: str


class _Tags(msgspec.Struct):
    models: list[_Named] | None = None


class Ollama:
    """`domain.ports.language_model.LanguageModel` on one Ollama server.

    `model` answers and sees, `embedding_model` embeds; `setting` names the variable of the address. `seconds` bounds
    one call in all, `connect_seconds` what it takes to be connected.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        embedding_model: str = EMBEDDING_MODEL,
        *,
        setting: str = "OLLAMA_PRIMARY_URL",
        seconds: float = TOTAL_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self.model = model
        self.embedding_model = embedding_model
        self._upstream = Upstream("Ollama", base_url, setting, connect_seconds=connect_seconds)
        self._seconds = seconds
        self._described: dict[str, tuple[float, Model]] = {}

    @property
    def place(self) -> str:
        """The server, as the log and messages name it."""
        return self._upstream.place

    async def chat(self, chat: Chat, deadline: Deadline | None = None) -> AsyncGenerator[Delta, None]:
        """Stream an answer by `deadline`, by default in the seconds of a call; see the port.

        Raises:
            ModelMissing: the server does not have the model.
            Unavailable, Rejected, RuleViolation: as the port says.
        """
        deadline = deadline or Deadline(self._seconds)
        model = await self._described_as(chat.model or self.model, deadline)
        _require(model, chat)
        reading = _OllamaReading(model.name, self.place)
        async with self._upstream.answering("POST", "/api/chat", _chat_body(chat, model), deadline) as response:
            if response.status_code != 200:
                body = await self._upstream.body(response, deadline)
                raise self._refusal(response.status_code, body, model.name, retry_after(response.headers))
            async with aclosing(self._upstream.lines(response, deadline)) as lines:
                async for text in lines:
                    if not text.strip():
                        continue
                    for delta in reading.deltas(self._line(text)):
                        yield delta
                    if reading.answer is not None:
                        yield reading.answer
                        return
        raise self._upstream.broken_off()

    async def embed(
        self, texts: Sequence[str], purpose: EmbeddingPurpose, deadline: Deadline | None = None
    ) -> TextEmbeddings:
        """Embed texts, with the prefixes that the embedding model was trained with; see the port.

        Raises:
            ModelMissing, Unavailable, Rejected: as `chat`.
        """
        deadline = deadline or Deadline(self._seconds)
        name = self.embedding_model
        vectors: list[bytes] = []
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = [prefixed(text, purpose, name) for text in texts[first : first + _TEXTS_AT_ONCE]]
            body = await self._ask("POST", "/api/embed", {"model": name, "input": batch}, name, deadline)
            try:
                vectors += packed(self._upstream.read(body, _OllamaVectors).embeddings, len(batch))
            except ValueError as error:
                raise self._upstream.malformed(str(error)) from error
        return TextEmbeddings(name, tuple(vectors))

    async def models(self) -> Sequence[Model]:
        """Every model that the server has, with what it says of each.

        Raises:
            Unavailable, Rejected: as `chat`.
        """
        deadline = Deadline(self._seconds)
        body = await self._ask("GET", "/api/tags", None, "", deadline)
        names = [each.name for each in self._upstream.read(body, _Tags).models or ()]
        found: dict[str, Model] = {}
        turns = anyio.CapacityLimiter(_SHOWN_AT_ONCE)

        async def show(name: str) -> None:
            async with turns:
                try:
                    found[name] = await self._described_as(name, deadline)
                except ImageApiError:
                    found[name] = Model(name, self.place)  # it is on the list, and says nothing of itself

        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(show, name)
        return [found[name] for name in names]

    async def describe(self, model: str | None = None) -> Model:
        """What the server says of a model, remembered for five minutes.

        Raises:
            ModelMissing, Unavailable, Rejected: as `chat`.
        """
        return await self._described_as(model or self.model, Deadline(self._seconds))

    async def _described_as(self, name: str, deadline: Deadline) -> Model:
        at, model = self._described.get(name, (-_DESCRIBED_SECONDS, Model(name, self.place)))
        if time.monotonic() - at < _DESCRIBED_SECONDS:
            return model
        shown = self._upstream.read(await self._ask("POST", "/api/show", {"model": name}, name, deadline), _Shown)
        capabilities = None
        if shown.capabilities is not None:
            capabilities = frozenset(_CAPABILITIES[each] for each in shown.capabilities if each in _CAPABILITIES)
        lengths = [
            value
            for key, value in (shown.model_info or {}).items()
            if key.endswith(".context_length") and isinstance(value, int) and value > 0
        ]
        model = Model(name, self.place, capabilities, min(lengths, default=None))
        self._described[name] = (time.monotonic(), model)
        return model

    async def _ask(self, method: str, path: str, body: object, model: str, deadline: Deadline) -> bytes:
        status, headers, answer = await self._upstream.ask(method, path, body, deadline)
        if status != 200:
            raise self._refusal(status, answer, model, retry_after(headers))
        return answer

    def _line(self, text: bytes) -> _Line:
        try:
            line = msgspec.json.decode(text, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._upstream.broken_off() from error
        if line.error is not None:
            raise Unavailable(
                f"{self.place} stopped with an error: {error_in(line.error)[1] or 'it does not say which'}"
            )
        return line

    def _refusal(self, status: int, body: bytes, model: str, again: float | None) -> ImageApiError:
        _, detail = detail_of(body)
        if status == 404 and model and "not found" in detail:
            return ModelMissing(
                f"{self.place} has no model {model}: `ollama pull {model}` gets it there, or name another one."
            )
        if status == 400 and "does not support" in detail:
            return RuleViolation(f"{self.place}: {detail}: choose another model.", "model")
        return self._upstream.refusal(status, detail, again)


class _OllamaReading:
    """An answer while it comes, line by line; `answer` once it is whole."""

    def __init__(self, model: str, place: str) -> None:
        self._model, self._place = model, place
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[ToolCall] = []
        self.answer: Completion | None = None

    def deltas(self, line: _Line) -> list[Delta]:
        """What a line adds."""
        found: list[Delta] = []
        piece = line.message or _OllamaMessage()
        if piece.thinking:
            self._thinking.append(piece.thinking)
            found.append(ThinkingDelta(piece.thinking))
        if piece.content:
            self._text.append(piece.content)
            found.append(TextDelta(piece.content))
        for call in piece.tool_calls or ():
            self._calls.append(self._called(call))
        if line.done:
            message = Message(
                Role.ASSISTANT, "".join(self._text), calls=tuple(self._calls), thinking="".join(self._thinking)
            )
            self.answer = Completion(
                message,
                model=line.model or self._model,
                server=self._place,
                complete=line.done_reason != "length",
                prompt_tokens=line.prompt_eval_count,
                answer_tokens=line.eval_count,
            )
        return found

    def _called(self, call: _OllamaCall) -> ToolCall:
        known = {each.id for each in self._calls}
        given = call.id if call.id and call.id not in known else new_call_id()
        arguments = call.function.arguments
        text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
        return ToolCall(given, call.function.name, text or "{}")


def new_call_id() -> str:
    """An id for a call that came without one, or with one that another call has."""
    return f"call_{uuid.uuid4().hex[:12]}"


def _require(model: Model, chat: Chat) -> None:
    """Refuses what the model says that it cannot do.

    Raises:
        RuleViolation: it cannot see pictures, or call tools.
    """
    if chat.tools and not model.can(Capability.TOOLS):
        raise RuleViolation(f"{model.name} cannot call tools: choose a model that can.", "model")
    if any(message.images for message in chat.messages) and not model.can(Capability.VISION):
        raise RuleViolation(f"{model.name} cannot see pictures: choose a model that can.", "model")


def _chat_body(chat: Chat, model: Model) -> dict[str, Any]:
    """The body of `/api/chat`."""
    context = min(model.context or USUAL_CONTEXT, CONTEXT_LIMIT)
    chat = trimmed(chat, context)
    body: dict[str, Any] = {
        "model": model.name,
        "messages": [_written(message) for message in chat.messages],
        "stream": True,
        "options": {"num_ctx": context},
        "truncate": False,
        "shift": False,
    }
    if chat.tools:
        body["tools"] = [{"type": "function", "function": msgspec.to_builtins(tool)} for tool in chat.tools]
    elif chat.shape is not None:
        body["format"] = chat.shape
    if chat.thinking is not None and model.can(Capability.THINKING):
        body["think"] = chat.thinking
    return body


def _written(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.images:
        written["images"] = [base64.b64encode(image).decode() for image in message.images]
    if message.thinking:
        written["thinking"] = message.thinking
    if message.calls:
        written["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": arguments_of(call)}} for call in message.calls
        ]
    if message.role is Role.TOOL:
        written |= {"tool_name": message.tool, "tool_call_id": message.call_id}
    return written


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """A call's arguments as an object; empty where the model wrote none that is one."""
    try:
        return msgspec.json.decode(call.arguments, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}
