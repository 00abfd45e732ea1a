"""The two shapes of background work: a step that is repeated at its own pace, and a step that follows the log.

Nothing here runs during a replay. Work that fails for now is tried again later, with growing pauses, and says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from adapters.store.ledger import Ledger
from domain.base.errors import Unavailable
from domain.events.event import Recorded

log = logging.getLogger(__name__)
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LOG_BATCH = 500
FORGOTTEN_AT_MOST = 1000
"""Events that a policy may read again after a restart because none of them concerned it: a checkpoint is a write."""


class Loop:
    """A thread that does steps until it is stopped: at once while there is work, when woken, and now and then."""

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        idle_seconds: float,
        on_stop: Callable[[], None] = lambda: None,
        wakes_on_commit: bool = True,
    ) -> None:
        """`step` returns whether there may be more to do at once; `Unavailable` makes it wait and try again. `on_stop`
        is called when the loop is asked to stop, for a step that takes long. `wakes_on_commit` says whether each commit
        of the log may bring it work, so that `app.py` lets the ledger wake it."""
        self.name = name
        self.wakes_on_commit = wakes_on_commit
        self._step = step
        self._idle_seconds = idle_seconds
        self._on_stop = on_stop
        self._woken = threading.Event()
        self.stopping = threading.Event()
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, _position: int = 0) -> None:
        """There may be work."""
        self._woken.set()

    def ask_to_stop(self) -> None:
        """End after the current step, without waiting for that."""
        self.stopping.set()
        self._on_stop()
        self._woken.set()

    def stop(self) -> None:
        """End after the current step, and wait for that."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self.stopping.is_set():
            self._woken.clear()
            try:
                more = self._step()
                pause, self.trouble = FIRST_PAUSE_SECONDS, None
            except Unavailable as error:
                if self.stopping.is_set():
                    return
                self._say(str(error))
                self.stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            except Exception:  # a bug in one policy must not end the server's other work; it is logged whole
                log.exception("%s failed", self.name)
                self.trouble = f"{self.name} failed; the log of the server says why"
                self.stopping.wait(LONGEST_PAUSE_SECONDS)
                continue
            if not more:
                self._woken.wait(self._idle_seconds)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("%s waits: %s", self.name, trouble)
        self.trouble = trouble


class FollowsLog:
    """A policy that reads the log from its checkpoint on, in batches."""

    def __init__(
        self, ledger: Ledger, name: str, topics: Sequence[str], answer: Callable[[list[Recorded]], None]
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._topics = tuple(topics)
        self._answer = answer
        self._position = self._kept = ledger.checkpoint(name)

    @property
    def reached(self) -> tuple[str, int]:
        """The policy's name, and the last event that it looked at; its checkpoint may be behind that."""
        return self._name, self._position

    def step(self) -> bool:
        """Answer the next batch of events; whether there may be more."""
        head = self._ledger.head()
        if head <= self._position:
            return False
        events = self._ledger.events(self._position, LOG_BATCH, self._topics)
        if events:
            self._answer(events)
        reached = events[-1].position if len(events) == LOG_BATCH else head
        if events or reached - self._kept >= FORGOTTEN_AT_MOST:
            self._ledger.set_checkpoint(self._name, reached)
            self._kept = reached
        self._position = reached
        return len(events) == LOG_BATCH
