"""What was noticed of one library, gathered until somebody asks: bounded, whatever happens on the disk."""

from __future__ import annotations

import threading
from typing import Final

from domain.base.paths import folder_of, text_of
from domain.ports.watching import Noticed

MOST_PLACES: Final = 500
"""Changed folders beyond which one look at the whole library costs less than one at each."""
MOST_WRITTEN: Final = 20_000
"""Names of written files that are kept, some 3 MB. Beyond, a rewrite that changes neither size nor time is missed."""


class PendingChanges:
    """Gathers in one thread what another takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unfinished: set[str] = set()
        self._clear()

    def _clear(self) -> None:
        self._folders: set[str] = set()
        self._trees: set[str] = set()
        self._written: set[str] = set()
        self._everything = False

    def file(self, path: bytes, *, written: bool) -> None:
        """A file at a path below the root came, changed or went; `written` where it holds new bytes, all of them."""
        text = text_of(path)
        with self._lock:
            self._folders.add(folder_of(text))
            self._unfinished.discard(text)
            if written and len(self._written) < MOST_WRITTEN:
                self._written.add(text)
            self._bound()

    def begun(self, path: bytes) -> None:
        """A file was made at a path below the root, and what is in it is still to come."""
        with self._lock:
            if len(self._unfinished) < MOST_WRITTEN:
                self._unfinished.add(text_of(path))

    def tree(self, path: bytes) -> None:
        """A folder came or went with all that is below it."""
        text = text_of(path)
        with self._lock:
            self._trees.add(text)
            if self._unfinished:
                self._unfinished = {each for each in self._unfinished if not each.startswith(f"{text}/")}
            self._bound()

    def everything(self) -> None:
        """Anything may have changed."""
        with self._lock:
            self._everything = True
            self._unfinished.clear()
            self._bound()

    def _bound(self) -> None:
        if self._everything or len(self._folders) + len(self._trees) > MOST_PLACES:
            self._everything = True
            self._folders.clear()
            self._trees.clear()

    def take(self) -> Noticed | None:
        """What was noticed since the last time, or None."""
        with self._lock:
            if not (self._everything or self._folders or self._trees):
                return None
            taken = Noticed(
                frozenset(self._folders),
                frozenset(self._trees),
                frozenset(self._written),
                self._everything,
                frozenset(self._unfinished),
            )
            self._clear()
            return taken
