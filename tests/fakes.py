"""Every fake of the tests; each stands at a port of the domain where the real thing cannot do what is tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from domain.errors import Unavailable
from domain.geometry import Box
from domain.library import Library
from domain.ports import Detection, Embedding, FaceEngine, Thresholds
from domain.watching import Noticed, Watching


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
        return Thresholds(0.5, 0.4, 0.5)

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


class ScriptedNotices:
    """Notices what a test says: `news` by library, each told once."""

    def __init__(self) -> None:
        self.news: dict[int, Noticed] = {}
        self.state = Watching("native")
        self.followed: list[int] = []
        self.stopped = False

    def begin(self, wake: Callable[[], None]) -> None:
        """As the port says; nobody is ever woken."""

    def follow(self, libraries: Sequence[Library]) -> None:
        """As the port says."""
        self.followed = [library.id for library in libraries]

    def take(self, library_id: int) -> Noticed | None:
        """As the port says."""
        return self.news.pop(library_id, None)

    def states(self) -> Mapping[int, Watching]:
        """As the port says: the same of every library."""
        return dict.fromkeys(self.followed, self.state)

    def stop(self) -> None:
        """As the port says."""
        self.stopped = True


class CountedScan:
    """What a scripted scan came to."""

    def __init__(self, looked: float, deferred: int) -> None:
        self.looked = looked
        self.read = self.to_read = self.found = 0
        self.deferred = deferred
        self.trouble: str | None = None

    def text(self, library: str) -> str:
        """As the port says."""
        return library


class ScriptedScans:
    """Keeps what was asked of it, as `(library id, full, what was noticed)`."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bool, Noticed | None]] = []
        self.looked = 0.0
        self.deferred = 0
        self.failure: Exception | None = None

    def scan(
        self,
        library: Library,
        *,
        full: bool,
        noticed: Noticed | None,
        report: Callable[[CountedScan], None],
        stopping: Callable[[], bool],
    ) -> CountedScan:
        """As the port says."""
        self.asked.append((library.id, full, noticed))
        if self.failure is not None:
            raise self.failure
        return CountedScan(self.looked, self.deferred)

    def away(self) -> None:
        """From now on every root is missing."""
        self.failure = Unavailable("the library folder cannot be read")
