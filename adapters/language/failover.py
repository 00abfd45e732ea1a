"""Which server is asked: the first that works, and once an answer has begun only that one.

A server that cannot be reached, or fails before it has said anything, is left out for half a minute: an answer with ten
rounds of tools would else wait for it ten times. A server that lacks the model is asked again, which costs one quick
refusal. A request that is refused is refused: another server would only hide why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final

from adapters.language.call_counts import TALLY
from adapters.language.ollama import ModelMissing, Ollama
from adapters.language.upstream import TOTAL_SECONDS, Deadline, TooSlow
from domain.base.errors import RuleViolation, Unavailable
from domain.ports.language_model import Chat, Completion, Delta, EmbeddingPurpose, Model, TextEmbeddings

log = logging.getLogger(__name__)

KEPT_OUT_SECONDS: Final = 30.0


class Failover:
    """`domain.ports.language_model.LanguageModel` on several servers, the first that works of `servers` in their order.

    `seconds` bounds one call in all, over however many servers. `are_set` says that somebody named them: one that is
    merely hoped for at its usual address, and is away, is nothing to warn of.
    """

    def __init__(
        self,
        servers: Sequence[Ollama],
        *,
        are_set: bool = True,
        seconds: float = TOTAL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._level = logging.WARNING if are_set else logging.DEBUG
        self._seconds = seconds
        self._servers = tuple(servers)
        self._clock = clock
        self._out: dict[str, float] = {}

    async def chat(self, chat: Chat) -> AsyncGenerator[Delta, None]:
        """Stream an answer; see the port.

        Raises:
            Unavailable, Rejected, RuleViolation: as the port says, of the last server that was asked.
        """
        begun, deadline = self._clock(), Deadline(self._seconds)
        for server, following in self._candidates():
            spoken = False
            try:
                async with aclosing(server.chat(chat, deadline)) as deltas:
                    async for delta in deltas:
                        spoken = True
                        if isinstance(delta, Completion):
                            self._log_answer(server, delta.model, begun)
                        yield delta
                return
            except Unavailable as error:
                if spoken:
                    name = chat.model or server.model
                    log.warning("%s failed in the middle of an answer by %s: %s", server.place, name, error)
                    raise
                self._failed(server, following, error, chat.model)

    async def embed(self, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
        """Embed texts; see the port.

        Raises:
            Unavailable, Rejected: as the port says.
        """
        begun, deadline = self._clock(), Deadline(self._seconds)
        for server, following in self._candidates():
            try:
                embeddings = await server.embed(texts, purpose, deadline)
            except Unavailable as error:
                self._failed(server, following, error, None)
            else:
                self._log_answer(server, embeddings.model, begun)
                return embeddings
        raise AssertionError

    async def models(self) -> Sequence[Model]:
        """The models of every server that answers, each once.

        Raises:
            Unavailable: none of them answers.
        """
        found: dict[str, Model] = {}
        failure: Unavailable | None = None
        for server, _ in self._candidates():
            try:
                for model in await server.models():
                    found.setdefault(model.name, model)
            except Unavailable as error:
                log.log(self._level, "%s does not say which models it has: %s", server.place, error)
                failure = error
        if not found and failure is not None:
            raise failure
        return list(found.values())

    async def describe(self, model: str | None = None) -> Model:
        """What the server that would be asked says of a model.

        Raises:
            Unavailable, Rejected, RuleViolation: as the port says.
        """
        for server, following in self._candidates():
            try:
                return await server.describe(model)
            except Unavailable as error:
                self._failed(server, following, error, model)
        raise AssertionError

    def _candidates(self) -> list[tuple[Ollama, Ollama | None]]:
        """The servers to ask, each with the one after it: all of them where every one is left out."""
        now = self._clock()
        working = [server for server in self._servers if self._out.get(server.place, now) <= now] or list(self._servers)
        return list(zip(working, [*working[1:], None], strict=True))

    def _failed(self, server: Ollama, following: Ollama | None, error: Unavailable, model: str | None) -> None:
        """Notes a failure before the first word.

        Raises:
            RuleViolation: no server has the model that the request named.
            Unavailable: `error`, where nobody is left.
        """
        if not isinstance(error, ModelMissing):
            self._out[server.place] = self._clock() + KEPT_OUT_SECONDS
        if following is not None and not isinstance(error, TooSlow):
            TALLY.failed_over(server.place)
            log.warning("failover from %s to %s: %s", server.place, following.place, error)
            return
        log.log(self._level, "%s failed: %s", server.place, error)
        if isinstance(error, ModelMissing) and model is not None:
            raise RuleViolation(str(error), "model") from error
        raise error

    def _log_answer(self, server: Ollama, model: str, begun: float) -> None:
        log.info("%s answered with %s in %.1f s", server.place, model, self._clock() - begun)
