"""What the commands need of the rest: `app.py` is the one that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from adapters.cli.doctor import Finding
from adapters.cli.progress import Board
from adapters.settings import Settings
from adapters.store.ledger import Ledger
from domain.commands.xmp import TakenOver
from domain.events.library import Library
from domain.rules.erasure import Erasure


class Difference(Protocol):
    """A row in which live and replayed tables differ."""

    def __str__(self) -> str:
        """Table, key, column and both values."""


class Written(Protocol):
    """What became of the sidecars."""

    @property
    def written(self) -> int:
        """How many were written."""

    @property
    def unchanged(self) -> int:
        """How many said it all already."""

    @property
    def failed(self) -> Sequence[str]:
        """What went wrong where."""


class Server(Protocol):
    """A server that is put together but not started yet."""

    @property
    def board(self) -> Board:
        """Its jobs."""

    def link(self, base_url: str, *, on_terminal: bool) -> str | None:
        """What to print beside the address: the first admin's one-time link, or on a terminal one to sign in with."""

    def run(self, on_ready: Callable[[str], None]) -> None:
        """Serve until interrupted; `on_ready` is called with the base URL once requests are answered."""


class Application(Protocol):
    """Everything that a command may ask for; parts are made when they are asked for."""

    @property
    def settings(self) -> Settings:
        """The settings of this process."""

    @property
    def ledger(self) -> Ledger:
        """The log and its read tables."""

    def server(self) -> Server:
        """The server with all its background work."""

    def faces_server(self, key: str | None) -> Callable[[str, int, Callable[[str], None]], None]:
        """A function that offers the embedded face engine at a host and port until interrupted, and tells its URL."""

    def scan(self, libraries: Sequence[Library], *, full: bool) -> int:
        """Scan these libraries now, with thumbnails and without faces; the number of problems that stand after it."""

    def rebuild(self, report: Callable[[int, int], None], *, drop_old: bool) -> str:
        """Build the read tables anew beside the live ones and swap; what came of it."""

    def verify(self) -> Sequence[Difference]:
        """Replay the log and compare every row with the live tables."""

    def read_xmp(
        self, library: int | None, report: Callable[[int, int], None], *, dry_run: bool
    ) -> tuple[TakenOver, int | None]:
        """Take over what other programs wrote about the photos; what was taken, and the operation, None where there was
        nothing."""

    def write_xmp(self, library: int | None, report: Callable[[int, int], None]) -> Written:
        """Write what was decided about the photos to sidecars."""

    def export_log(self, out: BinaryIO, report: Callable[[int, int], None]) -> int:
        """Write the whole log; the number of events."""

    def import_log(self, lines: Iterable[bytes], report: Callable[[int, int], None]) -> int:
        """Fill an empty database from an export; the number of events."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep servers away from the database; raises `Conflict` where one is running."""

    def erasure_of(self, subject: int | bytes) -> Erasure:
        """What erasing a person (by id) or the faces of a content (by hash) would take."""

    def erase(self, subject: int | bytes, report: Callable[[int, int], None]) -> str:
        """Erase it for good; what was done."""

    def finish_erasure(self, report: Callable[[int, int], None]) -> bool:
        """Clean up after an erasure that was interrupted; whether there was one."""

    def meaning_state(self) -> str:
        """How far search by meaning is."""

    def hash_password(self, password: str, name: str) -> str:
        """The hash to store for a new password."""

    def doctor(self) -> Sequence[Finding]:
        """What is installed, reachable and missing."""

    def path_text(self, folder: Path) -> str:
        """The text under which the API speaks of a folder."""

    def close(self) -> None:
        """Give back what was opened."""
