"""Every fake of the tests; each stands at a port of the domain where the real thing cannot do what is tested."""

from __future__ import annotations

import string
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date

import anyio
import numpy as np

from adapters.background.scan import Scanner
from adapters.files.change_watcher import ChangeWatcher
from adapters.files.scan_report import Report, ScanReport
from adapters.store.ledger import Ledger
from domain.base.conversation import ConversationMessage
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box
from domain.commands.media import ReadFile
from domain.events.library import Library
from domain.ports.face_engine import Detection, Embedding, FaceEngine, Resemblance, Thresholds
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
from domain.ports.text_embedder import EmbeddedAs
from domain.ports.watching import Noticed, Watching

PLACE_ALONE = Resemblance(lambda _, __: 1.0, -1.0)
"""Any two faces may be one person's: where their vectors say nothing."""


class Renamed:
    """The real engine under the name of another model."""

    def __init__(self, engine: FaceEngine, version: str) -> None:
        self._engine = engine
        self.model_version = version

    @property
    def thresholds(self) -> Thresholds:
        """As the port says."""
        return self._engine.thresholds

    def detect(self, picture: bytes) -> Detection:
        """As the port says."""
        return Detection(self.model_version, self._engine.detect(picture).faces)

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """As the port says."""
        return Embedding(self.model_version, self._engine.embed(picture, box).vector)

    def close(self) -> None:
        """The real one is closed by its fixture."""


class Failing:
    """An engine at the port that raises `error`, or asks the real one where there is none."""

    model_version = "failing"

    def __init__(self, engine: FaceEngine | None, error: Exception | None) -> None:
        self._engine = engine
        self.error = error
        if engine is not None:
            self.model_version = engine.model_version

    @property
    def thresholds(self) -> Thresholds:
        """As the port says."""
        return Thresholds(0.5, 0.4, 0.5, 0.5)

    def detect(self, picture: bytes) -> Detection:
        """As the port says."""
        if self.error is not None or self._engine is None:
            raise self.error or AssertionError
        return self._engine.detect(picture)

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """As the port says."""
        raise self.error or AssertionError

    def close(self) -> None:
        """Nothing to give back."""


class ScriptedChanges(ChangeWatcher):
    """Notices what a test says: `news` by library, each told once."""

    def __init__(self) -> None:
        super().__init__("off")
        self.news: dict[int, Noticed] = {}
        self.state = Watching("native")
        self.followed: list[int] = []
        self.stopped = False

    def follow(self, libraries: Sequence[Library]) -> None:
        """As the real one, which would watch these folders."""
        self.followed = [library.id for library in libraries]

    def take(self, library_id: int) -> Noticed | None:
        """As the real one."""
        return self.news.pop(library_id, None)

    def states(self) -> Mapping[int, Watching]:
        """As the real one: the same of every library."""
        return dict.fromkeys(self.followed, self.state)

    def stop(self) -> None:
        """As the real one."""
        self.stopped = True


class ScriptedScanner(Scanner):
    """Keeps what it was to scan, as `(library id, full, what was noticed)`, and looks at no disk."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, self._read_nothing, [])
        self.scanned: list[tuple[int, bool, Noticed | None]] = []
        self.accepted: list[bool] = []
        self.looked = 0.0
        self.deferred = self.outdated = 0
        self.failure: Exception | None = None

    def scan(
        self,
        library: Library,
        *,
        full: bool = False,
        noticed: Noticed | None = None,
        report: Report | None = None,
        stopping: Callable[[], bool] = lambda: False,
        accept_missing: bool = False,
        operation_id: int | None = None,
    ) -> ScanReport:
        """As the real one, which would walk the library."""
        self.scanned.append((library.id, full, noticed))
        self.accepted.append(accept_missing)
        if self.failure is not None:
            raise self.failure
        return ScanReport(looked=self.looked, deferred=self.deferred, outdated=self.outdated, operation_id=operation_id)

    def away(self) -> None:
        """From now on every root is missing."""
        self.failure = Unavailable("the library folder cannot be read")

    @staticmethod
    def _read_nothing(*_: object) -> Future[ReadFile]:
        raise AssertionError("nothing is read")


class Talks:
    """Conversations at the port: those of a list; `away` is raised where it is set."""

    def __init__(self, said: Sequence[ConversationMessage] = ()) -> None:
        self.said = said
        self.away: Exception | None = None
        self.asked: list[tuple[date, date, str | None]] = []

    def messages(self, first: date, last: date, contact: str | None = None) -> tuple[ConversationMessage, ...]:
        """As the port says."""
        self.asked.append((first, last, contact))
        if self.away is not None:
            raise self.away
        found = [each for each in self.said if first <= each.sent_at.date() <= last]
        if contact is not None:
            found = [each for each in found if each.contact.casefold() == contact.casefold()]
        return tuple(sorted(found, key=lambda each: (each.sent_at, each.id)))


class LettersEmbedder:
    """A text embedder at the port, under any name: texts with the same letters lie close together."""

    def __init__(self, model: str = "letters") -> None:
        self.model = model
        self.away: Exception | None = None
        self.unreadable = ""
        self.embedded: list[tuple[str, EmbeddedAs]] = []

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """As the port says."""
        if self.away is not None:
            raise self.away
        if self.unreadable and any(self.unreadable in text for text in texts):
            raise Unreadable("not this text")
        self.embedded += [(text, purpose) for text in texts]
        return [_letters(text) for text in texts]

    def close(self) -> None:
        """Nothing to give back."""


def _letters(text: str) -> bytes:
    counts = np.array([text.casefold().count(letter) + 0.01 for letter in string.ascii_lowercase])
    vector: bytes = (counts / np.linalg.norm(counts)).astype("<f4").tobytes()
    return vector


Line = str | ToolCall | Exception | threading.Event | ThinkingDelta
"""What a scripted answer is made of: words, a call, a failure, a moment to wait for, a thought."""


@dataclass
class Scripted:
    """A language model at the port that answers what a test wrote, one list of lines an answer, and remembers what it
    was asked. A title is asked for in between, and does not count."""

    script: list[list[Line]] = field(default_factory=list)
    title: str | Exception = "A square"
    name: str = "scripted"
    away: Exception | None = None
    can: frozenset[Capability] = frozenset({Capability.TOOLS, Capability.VISION})
    asked: list[Chat] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    async def chat(self, chat: Chat) -> AsyncGenerator[Delta, None]:
        """As the port says."""
        if chat.messages[0].text.startswith("Write a title"):
            if isinstance(self.title, Exception):
                raise self.title
            yield self._answer(self.title, ())
            return
        self.asked.append(chat)
        words, calls, ended = "", list[ToolCall](), False
        try:
            for line in self.script.pop(0) if self.script else ["It is a square."]:
                if isinstance(line, Exception):
                    raise line
                if isinstance(line, threading.Event):
                    while not line.is_set():  # noqa: ASYNC110 - a test sets it from its own thread
                        await anyio.sleep(0.01)
                elif isinstance(line, ToolCall):
                    calls.append(line)
                elif isinstance(line, ThinkingDelta):
                    yield line
                else:
                    words += line
                    yield TextDelta(line)
            ended = True
            yield self._answer(words, tuple(calls))
        finally:
            if not ended:
                self.stopped.set()

    def _answer(self, text: str, calls: tuple[ToolCall, ...]) -> Completion:
        return Completion(Message(Role.ASSISTANT, text, calls=calls, thinking="hm"), self.name, "test")

    async def embed(self, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
        """Nothing here is embedded."""
        raise Unavailable("no embeddings here")

    async def models(self) -> Sequence[Model]:
        """As the port says."""
        return [await self.describe()]

    async def describe(self, model: str | None = None) -> Model:
        """As the port says; raises where it is `away`."""
        if self.away is not None:
            raise self.away
        return Model(model or self.name, "test", self.can, 4096)
