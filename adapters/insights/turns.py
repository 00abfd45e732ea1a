"""Turns that are being answered now: who listens, who may come back, and when nobody does.

A turn belongs to the server, not to the connection that began it: whoever asked may listen again, from where it was
left. It is stopped, and with it the request to the language model, when nobody has listened for as long as it was asked
to linger (by default at once), or when the one who asked says so. What was said until then is not recorded. Turns live
in one process: another one does not know them, and the version of the transcript is what keeps two turns from being
recorded on top of each other.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from domain.base.actor import Actor
from domain.base.errors import Conflict, ImageApiError, NotFound
from domain.ports.conversation_turns import TurnProgress

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 60.0
"""For how long the end of a turn can still be listened to."""
UNCLAIMED_SECONDS: Final = 30.0
"""After which a turn that nobody ever listened to is given up."""
Tell = Callable[[TurnProgress], None]
Work = Callable[[Tell], Awaitable[None]]


class RunningTurn:
    """One turn, from its claim to its end. Apart from its making, everything happens on one event loop."""

    def __init__(self, owner: str, work: Work, linger: float, release: Callable[[RunningTurn], None]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.owner = owner
        self.claimed_at = time.monotonic()
        self.ended_at: float | None = None
        self._work, self._linger, self._release = work, linger, release
        self._heard: list[TurnProgress] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners = 0
        self._stop: asyncio.TimerHandle | None = None

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody ever came to listen."""
        return self._task is None and time.monotonic() - self.claimed_at > UNCLAIMED_SECONDS

    @property
    def is_past(self) -> bool:
        """Whether it ended long enough ago to be forgotten."""
        return self.ended_at is not None and time.monotonic() - self.ended_at > KEPT_SECONDS

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to the turn, which begins with its first listener, and may end with its last one."""
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = loop.create_task(self._run())
            self._task.add_done_callback(self._ended)
        if self._stop is not None:
            self._stop.cancel()
        self._listeners += 1
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self.ended_at is None:
                self._stop = loop.call_later(self._linger, self._task.cancel)

    async def news(self, after: int) -> Sequence[TurnProgress]:
        """What happened after the first `after` things, as soon as there is more; nothing at the end."""
        while after >= len(self._heard) and self.ended_at is None:
            await self._news.wait()
        return self._heard[after:]

    def stop(self) -> None:
        """End the turn now, whoever listens; from any thread."""
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def _run(self) -> None:
        await self._work(self._tell)

    def _tell(self, progress: TurnProgress) -> None:
        self._heard.append(progress)
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._stop is not None:
            self._stop.cancel()
        self._release(self)
        if task.cancelled():
            log.info("a turn about a photo was stopped before its end")
        elif (error := task.exception()) is not None:
            if not isinstance(error, ImageApiError):
                log.error("a turn about a photo failed", exc_info=error)
            self._heard.append(TurnProgress("error", error=error if isinstance(error, Exception) else None))
        self.ended_at = time.monotonic()
        self._wake()


class Turns:
    """The turns of this process. At most one at a time is about one thing: a transcript, or a photo that is written
    about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, RunningTurn] = {}
        self._active: dict[str, RunningTurn] = {}

    def claim(self, about: str, actor: Actor, work: Work, linger: float) -> RunningTurn:
        """A new turn, which begins when it is listened to.

        Raises:
            Conflict: another one about the same is going on.
        """
        with self._lock:
            self._by_id = {id_: turn for id_, turn in self._by_id.items() if not (turn.is_past or turn.is_abandoned)}
            active = self._active.get(about)
            if active is not None and not active.is_abandoned:
                raise Conflict("a turn about this is being answered already: wait for its end, or stop listening to it")
            turn = RunningTurn(actor.name, work, linger, lambda ended: self._release(about, ended))
            self._by_id[turn.id] = self._active[about] = turn
            return turn

    def going_on(self, about: str, actor: Actor) -> RunningTurn | None:
        """The turn about this that the actor began and that has not ended, if there is one."""
        with self._lock:
            turn = self._active.get(about)
        return turn if turn is not None and turn.owner == actor.name and not turn.is_abandoned else None

    def find(self, turn_id: str, actor: Actor) -> RunningTurn:
        """The turn with this id, which the actor began and which has not long ended.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            turn = self._by_id.get(turn_id)
        if turn is None or turn.owner != actor.name or turn.is_past:
            raise NotFound("there is no such turn any more: read the conversation's history instead")
        return turn

    def _release(self, about: str, turn: RunningTurn) -> None:
        with self._lock:
            if self._active.get(about) is turn:
                del self._active[about]
