"""Everything about insights that needs a language model: the turns, and which models there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from adapters.insights.answering import Answering
from adapters.insights.sources import Backend, Reach
from adapters.insights.turns import RunningTurn, Tell, Turns
from domain.base.actor import Actor
from domain.base.errors import Unavailable
from domain.events.media import Media
from domain.ports.conversation_turns import TurnRequest
from domain.ports.language_model import Model

LOCAL: Final = "local"
HYBRID: Final = "hybrid"


class Narrator:
    """Begins turns. `backends` are there by name, `absent` says of the others which setting is missing."""

    def __init__(self, reach: Reach, backends: Mapping[str, Backend], absent: Mapping[str, str]) -> None:
        self._reach, self._backends, self._absent = reach, backends, absent
        self._turns = Turns()

    def generate(self, actor: Actor, media: Media, wish: TurnRequest) -> RunningTurn:
        """A turn that writes an insight about a photo.

        Raises:
            Conflict: one is being written about it already.
            Unavailable: the backend is not configured.
        """
        backend = self._backend(wish.backend)

        async def work(tell: Tell) -> None:
            await Answering(self._reach, backend, actor=actor, media=media, wish=wish, tell=tell).generate()

        return self._turns.claim(f"content-{(media.content_hash or b'').hex()}", actor, work, wish.linger)

    def chat(
        self, actor: Actor, media: Media, insight_id: int, wish: TurnRequest, expected: int | None = None
    ) -> RunningTurn:
        """A turn of the conversation of an insight, which is about that photo; `expected` is the version of the
        transcript that the user saw.

        Raises:
            Conflict: a turn of it is being answered already.
            Unavailable: the backend is not configured.
        """
        backend = self._backend(wish.backend)

        async def work(tell: Tell) -> None:
            answering = Answering(self._reach, backend, actor=actor, media=media, wish=wish, tell=tell)
            await answering.chat(insight_id, expected)

        return self._turns.claim(f"insight-{insight_id}", actor, work, wish.linger)

    def attached(self, actor: Actor, turn_id: str) -> RunningTurn:
        """The turn that the actor began; raises `NotFound` where it is not, or no longer, there."""
        return self._turns.find(turn_id, actor)

    def going_on(self, actor: Actor, insight_id: int) -> RunningTurn | None:
        """The turn of this conversation that the actor began and that is being answered now, if there is one."""
        return self._turns.going_on(f"insight-{insight_id}", actor)

    @property
    def backends(self) -> Sequence[str]:
        """The backends that are there."""
        return tuple(self._backends)

    async def models(self, backend: str) -> Sequence[Model]:
        """The models of a backend; raises as `LanguageModel.models`, and `Unavailable` where it is not configured."""
        return await self._backend(backend).model.models()

    def _backend(self, name: str | None) -> Backend:
        found = self._backends.get(name or LOCAL)
        if found is None:
            raise Unavailable(self._absent.get(name or LOCAL, f"there is no backend {name}"))
        return found
