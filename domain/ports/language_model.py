"""The port to language models: what is said, what a model may call, what comes back; nothing here knows a provider.

Everything is asynchronous, unlike the other ports: an answer is streamed for up to two minutes from a server's event
loop to a client that may leave at any moment, and closing the stream is how the one who asked says so. A thread for
each stream could neither be interrupted in the middle of a read nor be had fifty times without being missed elsewhere.
What runs in a thread of its own (background work, a command) calls `asyncio.run`: a model holds nothing of one event
loop between two calls.

A stream is closed by whoever opened it, also where reading it was cancelled:

    async with aclosing(model.chat(chat)) as deltas:
        async for delta in deltas: ...
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Role(StrEnum):
    """Who speaks; `tool` is the result of a call."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Capability(StrEnum):
    """What a model can do beyond text."""

    VISION = "vision"
    TOOLS = "tools"
    THINKING = "thinking"
    EMBEDDING = "embedding"


class EmbeddingPurpose(StrEnum):
    """What a text is embedded for: to be found, or to find; models want to be told which."""

    DOCUMENT = "document"
    QUERY = "query"


class ToolCall(msgspec.Struct, frozen=True):
    """A model's wish to call a tool: `id` is unique within an answer; `arguments` is the JSON text that the model
    wrote, which may be none, or not what the tool takes."""

    id: str
    name: str
    arguments: str = "{}"


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a conversation.

    `images` are encoded pictures (JPEG, PNG or WebP bytes). An assistant's message may have `calls`; each is answered
    by a tool's message with its `call_id` and the tool's name. `thinking` and `reasoning` are what the model said to
    itself: the first for people, the second a provider's own JSON text, which goes back to it as it came.
    """

    role: Role
    text: str = ""
    images: tuple[bytes, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    tool: str = ""
    thinking: str = ""
    reasoning: str = ""


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool as a model is told of it; `parameters` is the JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class Chat(msgspec.Struct, frozen=True):
    """What a model is asked to go on with.

    `model` None means the configured one. `thinking` None leaves it to the model whether it thinks aloud. `shape` is
    the JSON schema of an answer that is to be JSON; a provider may not hold the model to it, and it goes with no tools.
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    model: str | None = None
    thinking: bool | None = None
    shape: dict[str, Any] | None = None


class TextDelta(msgspec.Struct, frozen=True, tag="text"):
    """The next piece of the answer's text, never empty."""

    text: str


class ThinkingDelta(msgspec.Struct, frozen=True, tag="thinking"):
    """The next piece of what the model says to itself, never empty."""

    text: str


class Completion(msgspec.Struct, frozen=True, tag="answer"):
    """The whole answer, the last thing in a stream.

    `message` is the assistant's, with the calls that it wants made. `model` and `server` say who answered. `complete`
    is False where the model was cut off by its limit of length. Token counts are 0 where the server does not tell.
    """

    message: Message
    model: str
    server: str
    complete: bool = True
    prompt_tokens: int = 0
    answer_tokens: int = 0


Delta = TextDelta | ThinkingDelta | Completion


class TextEmbeddings(msgspec.Struct, frozen=True):
    """Texts as points of one model's space: each of `vectors` is little-endian float32 of L2 norm 1, in the order of
    the texts. Vectors of two models are never compared."""

    model: str
    vectors: tuple[bytes, ...]


class Model(msgspec.Struct, frozen=True):
    """A model that can be asked. `capabilities` None means that its server does not tell; `context` is in tokens, None
    where not told."""

    name: str
    server: str
    capabilities: frozenset[Capability] | None = None
    context: int | None = None

    def can(self, capability: Capability) -> bool:
        """Whether it can do this, as far as is known: a model that nothing is known of is given the benefit."""
        return self.capabilities is None or capability in self.capabilities


class LanguageModel(Protocol):
    """A provider of chat and embeddings; safe to use from many tasks and any event loop.

    Every method raises `Unavailable` where nobody can answer now (its text says which setting or command mends it;
    `Busy` where the provider says when to come again), `Rejected` where the provider refuses for good (key, credit, a
    request that it cannot take), and `RuleViolation` with the field `model` where the model that was asked for does not
    exist or cannot do what is asked of it.
    """

    def chat(self, chat: Chat) -> AsyncGenerator[Delta, None]:
        """Stream an answer: pieces as they come, then exactly one `Answer`; a stream that ends without it raises.

        Closing the generator ends the request at the server. What was streamed before an error was really said, and is
        not said again.
        """

    async def embed(self, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
        """Embed texts for a purpose."""

    async def models(self) -> Sequence[Model]:
        """The models that a user may pick."""

    async def describe(self, model: str | None = None) -> Model:
        """What is known of a model, by default the configured one."""


class Tool(msgspec.Struct, frozen=True):
    """Something that a model may look up; a tool only reads, and what it reads of was fixed before the model speaks.

    `takes` is a msgspec Struct: its fields are the arguments, its `Meta` their limits. `run` may block, it is called in
    a thread with a checked `takes` and answers what msgspec can write as JSON; a `LibraryError` or `AdapterError` of it
    is told to the model. After `seconds` it is given up; of its JSON no more than `limit` characters are passed on.
    """

    name: str
    description: str
    takes: type[msgspec.Struct]
    run: Callable[[Any], Any]
    seconds: float = 10.0
    limit: int = 8000


class ToolCalled(msgspec.Struct, frozen=True, tag="tool_call"):
    """The model calls a tool; its `ToolAnswered` follows."""

    call: ToolCall


class ToolAnswered(msgspec.Struct, frozen=True, tag="tool_result"):
    """A tool's result as the model is told it: JSON text; `failed` where it is an error."""

    call: ToolCall
    text: str
    failed: bool = False


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """Something that a user should know about the answer, such as a limit that was reached."""

    text: str


class Finished(msgspec.Struct, frozen=True, tag="done"):
    """The end of a turn: all its new messages in order, calls and results among them, the answer last; `rounds` of
    tools were made."""

    messages: tuple[Message, ...]
    model: str
    server: str
    rounds: int = 0


Step = TextDelta | ThinkingDelta | ToolCalled | ToolAnswered | Notice | Finished


class Agent(Protocol):
    """Lets a model answer with the help of tools."""

    def run(self, chat: Chat, tools: Sequence[Tool], rounds: int) -> AsyncGenerator[Step, None]:
        """One turn: stream it, make the calls that the model wants, and go on, at most `rounds` times; after that the
        model answers with what it has. `chat.tools` is left empty.

        The last step is exactly one `Finished`. Errors and closing are those of `LanguageModel.chat`.
        """
