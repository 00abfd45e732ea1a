"""What the HTTP API is put together from: `app.py` fills in the real parts, tests the ones they need.

Everything here blocks and is called from threads, but `Work.progress`, which only looks at memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.accounts.limits import SignInLimits
from adapters.accounts.links import LinkBook
from adapters.accounts.passwords import Passwords
from adapters.accounts.tokens import Tokens
from adapters.background.job_counts import Figure
from adapters.background.rebuilds import Rebuilds
from adapters.background.summary_writing import WritesSummaries
from adapters.background.work import Work
from adapters.face_engines.model_card import packaged_thresholds
from adapters.http.web.metrics import PrometheusRegistry
from adapters.insights.narrator import Narrator
from adapters.meaning.semantic_search import PhotoSearch
from adapters.media.gallery import Gallery
from adapters.media.video_clips import VideoClips
from adapters.media.video_stream import VideoStreams
from adapters.store.key_uses import KeyUses
from adapters.store.ledger import Ledger
from adapters.summaries.summary_search import SummarySearch
from adapters.vectors.alike_persons import PersonSuggestions
from adapters.vectors.similarity import Similarity
from domain.base.errors import Unavailable
from domain.ports.face_engine import FaceEngine, Likeness, Thresholds
from domain.ports.geocoding import Location


@dataclass(frozen=True)
class Accounts:
    """How users prove who they are. `key_limits` is the limit on wrong API keys, apart from that on signing in, so that
    a program with an old key keeps nobody out."""

    passwords: Passwords
    tokens: Tokens
    links: LinkBook
    limits: SignInLimits
    key_limits: SignInLimits
    key_uses: KeyUses


@dataclass(frozen=True)
class StreamPace:
    """Seconds: every `beat` a stream says that it is alive and asks whether the session still is; every `look` it asks
    whether a job changed, which is a comparison in memory. For `first` it waits for what a turn of a language model
    begins with, so that what fails at once has a status of its own."""

    beat: float = 15.0
    look: float = 0.5
    first: float = 1.0


@dataclass(frozen=True)
class Dependencies:
    """Everything that the routes reach.

    `locate` and `open_original` take a library's id and the path text of a file, never leave the library, and raise
    `NotFound` or `Unavailable`: the one gives the real path, the other a descriptor open for reading, which the caller
    closes. `likeness` compares two faces that are at hand. `figures` are the server's for whoever watches it,
    `policies` says how far each has come. `page` is the folder of the static page. `engine` is None where none is
    configured, and `engine_absent` then says why. `location` says where a position in degrees is, and is None where
    that is off. `excluded_dirs` are the folders left out of memories. `narrator` is None where no language model is
    configured, `search` and `summary_search` where nothing embeds texts, `summariser` where no conversations are.
    `cors_origins` are whose pages may read answers, `*` for anybody's.
    """

    ledger: Ledger
    pictures: Gallery
    locate: Callable[[int, str], Path]
    open_original: Callable[[int, str], int]
    videos: VideoStreams
    clips: VideoClips
    similarity: Similarity
    person_suggestions: PersonSuggestions
    likeness: Likeness
    accounts: Accounts
    work: Work
    rebuilds: Rebuilds
    figures: Callable[[], Sequence[Figure]]
    policies: Callable[[], Mapping[str, int]]
    page: Path
    version: str
    engine: FaceEngine | None = None
    engine_absent: str = "no face engine is configured: unset FACE_ENGINE=off, or set APOLLO_FACE_API_BASE_URL"
    location: Callable[[float, float], Location | None] | None = None
    excluded_dirs: Sequence[str] = ()
    narrator: Narrator | None = None
    search: PhotoSearch | None = None
    summariser: WritesSummaries | None = None
    summary_search: SummarySearch | None = None
    cors_origins: Sequence[str] = ()
    pace: StreamPace = StreamPace()
    metrics: PrometheusRegistry = field(default_factory=PrometheusRegistry)

    def thresholds_of(self, model_version: str) -> Thresholds | None:
        """The cosines that count among vectors of a model: those of the engine where it is the engine's, or of a
        packaged one; None for vectors of a model that nothing here knows any more."""
        packaged = packaged_thresholds(model_version)
        if packaged is not None or self.engine is None:
            return packaged
        try:
            is_engines = self.engine.model_version == model_version
        except Unavailable:
            is_engines = True  # it was not reached since the start, and is likely what it was
        return self.engine.thresholds if is_engines else None
