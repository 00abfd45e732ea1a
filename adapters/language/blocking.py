"""A language model for threads that wait for its answer: background work, a route with a question to embed.

`LanguageModel` is asynchronous because answers are streamed to clients that may leave; here nobody listens in between,
and whoever waits is let go by `close`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeVar

from domain.base.errors import Unavailable
from domain.ports.language_model import Chat, Completion, EmbeddingPurpose, LanguageModel, Model, TextEmbeddings

T = TypeVar("T")

STOPS: Final = "the language model is asked no more: the server stops"


class Blocking:
    """A language model by blocking calls, from any thread but the event loop's."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = set()
        self._closed = False

    def answer(self, chat: Chat) -> Completion:
        """The whole answer.

        Raises:
            Unavailable, Rejected, RuleViolation: as `LanguageModel`; Unavailable also once it is closed.
        """
        return self._wait(lambda: self._answered(chat))

    def embed(self, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
        """Embed texts; raises as `answer`."""
        return self._wait(lambda: _embedded(self._model, texts, purpose))

    def describe(self) -> Model:
        """What is known of the configured model; raises as `answer`."""
        return self._wait(lambda: _described(self._model))

    def close(self) -> None:
        """Give up what is being waited for, and be asked no more."""
        with self._lock:
            self._closed = True
            for loop, task in self._waiting:
                loop.call_soon_threadsafe(task.cancel)

    async def _answered(self, chat: Chat) -> Completion:
        async with aclosing(self._model.chat(chat)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Completion):
                    return delta
        raise Unavailable("the language model stopped in the middle of its answer")

    def _wait(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async def waited() -> T:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - it is this coroutine's own
            entry = (asyncio.get_running_loop(), task)
            with self._lock:
                if self._closed:
                    raise Unavailable(STOPS)
                self._waiting.add(entry)
            try:
                return await call()
            except asyncio.CancelledError as error:
                if not self._closed:
                    raise
                raise Unavailable(STOPS) from error
            finally:
                with self._lock:
                    self._waiting.discard(entry)

        return asyncio.run(waited())


async def _embedded(model: LanguageModel, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
    return await model.embed(texts, purpose)


async def _described(model: LanguageModel) -> Model:
    return await model.describe()
