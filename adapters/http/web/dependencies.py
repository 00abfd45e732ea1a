"""What the HTTP API is put together from: `app.py` fills in the real parts, tests the ones they need.

Everything here blocks and is called from threads, but `Work.progress`, which only looks at memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Never, Protocol

from adapters.http.keeping import Job, Upkeep
from adapters.store.ledger import Ledger
from domain.base.actor import Actor
from domain.base.errors import Unavailable
from domain.base.geometry import Box
from domain.events.face import Face
from domain.events.media import Media
from domain.events.summary import Summary
from domain.ports.conversation_turns import TurnProgress, TurnRequest
from domain.ports.face_engine import FaceEngine, Likeness, Thresholds
from domain.ports.language_model import Model
from domain.ports.places import Location
from domain.ports.watching import Watching
from domain.rules.summaries import SummaryWish
from projections.queries.photo_filter import PhotoFilter
from projections.queries.reading import Lookups

Rendition = Literal["preview", "thumb"]
Kind = Literal["photo", "video"]


class Pictures(Protocol):
    """The pictures made of the libraries' files."""

    def made(self, media: Media, which: Rendition) -> Path:
        """The file of a rendition, made now where it is missing.

        Raises:
            Unreadable: no picture can be made of this content.
            NotFound, Unavailable: its file is not to be had now.
        """

    def preview(self, media: Media) -> bytes:
        """The upright preview as a JPEG; raises as `made`."""

    def crop(self, media: Media, box: Box, size: int) -> bytes:
        """The square around a face as a JPEG of `size` pixels; raises as `made`."""

    def metadata(self, path: Path, kind: Kind) -> dict[str, object]:
        """A file's facts and EXIF as they are now, as plain values; raises as `made`."""


class VideoStreams(Protocol):
    """Videos as HLS; `copies` are the present files of one content that the user may see."""

    def playlist(self, copies: Sequence[Media]) -> str:
        """The playlist of a video.

        Raises:
            Unreadable: it cannot be decoded.
            NotFound, Unavailable: no file of it is to be had now, or ffmpeg is not installed.
        """

    def part(self, copies: Sequence[Media], number: int, is_left: Callable[[], bool] = lambda: False) -> int:
        """A descriptor of one part, which the caller closes; `is_left` says whether nobody waits for it any more.

        Raises:
        as `playlist`, `NotFound` past the last part."""


class Clip(Protocol):
    """How it stands with a short clip of a video."""

    @property
    def status(self) -> Literal["ready", "pending", "failed"]:
        """Whether it is there, will be, or never can."""

    @property
    def detail(self) -> str | None:
        """Why it failed."""


class VideoClips(Protocol):
    """Short clips of videos, made in the background."""

    def want(self, media: Media, kind: Literal["preview", "gif"]) -> Clip:
        """How it stands with the clip of a video; one that is not there is made soon."""

    def path(self, media: Media, kind: Literal["preview", "gif"]) -> Path:
        """Where it is once it is ready."""


class Cluster(Protocol):
    """Faces that are likely one person's."""

    @property
    def key(self) -> int:
        """The lowest id among them."""

    @property
    def face_ids(self) -> Sequence[int]:
        """All of them, the most typical first."""

    @property
    def tightness(self) -> float:
        """The mean cosine of those that are next to each other."""


class Similarity(Protocol):
    """Compares faces of one model."""

    def suggest(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The canonical persons likest to `face`, at `least` that cosine: `(person_id, similarity)`, best first."""

    def similar(self, lookups: Lookups, face: Face, limit: int, least: float) -> list[tuple[int, float]]:
        """The visible unassigned faces likest to `face`: `(face_id, similarity)`, the likest first."""

    def suggest_for_all(
        self, lookups: Lookups, face: Face, face_ids: Sequence[int], limit: int, least: float
    ) -> list[tuple[int, float]]:
        """As `suggest` for `face`, without the persons that any of these faces was said not to be."""

    def clusters(self, lookups: Lookups, model: str, least: float) -> Sequence[Cluster]:
        """The visible unassigned faces of one model in groups of two and more, the best first."""


class Work(Protocol):
    """The server's own work in the background."""

    def progress(self) -> Sequence[Job]:
        """Every job of this process, the newest first; never blocks."""

    def scan(self, library_id: int) -> None:
        """Scan this library soon; comes back at once."""

    def missing_roots(self) -> Mapping[int, str]:
        """The libraries whose folder cannot be reached now, with the reason."""

    def watching(self) -> Mapping[int, Watching]:
        """How each library is watched, by its id."""

    def troubles(self) -> Mapping[str, str]:
        """Parts that do not work now (`detection`, `scan` …), each with the reason in words."""


class Passwords(Protocol):
    """Hashes and checks passwords."""

    def hash(self, password: str, *, user_name: str = "") -> str:
        """The hash to store; raises `RuleViolation` for one that cannot be, `Unavailable` where too many wait."""

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether `stored` was made from `password`; takes as long where there is nothing stored."""


class IssuedToken(Protocol):
    """A token and when it ends."""

    @property
    def token(self) -> str:
        """The text that its bearer sends."""

    @property
    def expires_at(self) -> datetime:
        """From when on it is refused; aware."""


class Claims(Protocol):
    """What a valid token says."""

    @property
    def user_id(self) -> int:
        """Whose it is."""

    @property
    def epoch(self) -> int:
        """The user's session epoch when it was issued."""


class Tokens(Protocol):
    """Signs and checks tokens."""

    def issue(self, user_id: int, epoch: int) -> IssuedToken:
        """A new token for a user."""

    def verify(self, token: str) -> Claims:
        """The claims of a valid token; raises an `ImageApiError` that says what is wrong with it."""


class Link(Protocol):
    """An open one-time link."""

    @property
    def purpose(self) -> str:
        """`first-admin`, `sign-in` or `invitation`."""

    @property
    def user_id(self) -> int | None:
        """Who signs in with it."""

    @property
    def role(self) -> str | None:
        """The role that an invitation gives."""

    @property
    def libraries(self) -> tuple[int, ...] | None:
        """The libraries that an invitation grants, None for all."""


class Links(Protocol):
    """The open one-time links; both raise `NotFound` where no open link has the code."""

    def peek(self, code: str) -> Link:
        """The link, which stays open."""

    def consuming(self, code: str) -> AbstractContextManager[Link]:
        """Close the link; it opens again where the block raises."""


class SignInLimits(Protocol):
    """The limit on trying to sign in."""

    def attempt(self, name: str, address: str) -> None:
        """Let an attempt through and count it; raises an `ImageApiError` where it must wait."""

    def retry_after(self, name: str, address: str) -> int:
        """Whole seconds until an attempt may go ahead."""

    def succeeded(self, name: str, address: str) -> None:
        """The attempt let through last was good."""


class KeyUses(Protocol):
    """When API keys were last used."""

    def note(self, key_id: int) -> None:
        """A key was used now; cheap, and never fails."""

    def all(self) -> Mapping[int, int]:
        """The last use of each, to the hour, in microseconds since 1970 UTC."""


@dataclass(frozen=True)
class Accounts:
    """How users prove who they are. `invite` opens an invitation to a role and libraries (None for all): its code.
    `key_limits` is the limit on wrong API keys, apart from that on signing in, so that a program with an old key keeps
    nobody out."""

    passwords: Passwords
    tokens: Tokens
    links: Links
    limits: SignInLimits
    invite: Callable[[str, tuple[int, ...] | None], str]
    key_limits: SignInLimits
    key_uses: KeyUses


class RunningTurn(Protocol):
    """A turn that a language model is answering; it is listened to on the event loop."""

    @property
    def id(self) -> str:
        """Its name in this process."""

    def listening(self) -> AbstractContextManager[None]:
        """Listen to the turn, which begins with its first listener, and may end with its last one."""

    async def news(self, after: int) -> Sequence[TurnProgress]:
        """What happened after the first `after` things, as soon as there is more; nothing at the end."""

    def stop(self) -> None:
        """End the turn now, whoever listens; from any thread."""


class Narrator(Protocol):
    """What needs a language model. Turns are begun from threads; `Unavailable` says which setting is missing."""

    def generate(self, actor: Actor, media: Media, wish: TurnRequest) -> RunningTurn:
        """A turn that writes an insight about a photo; raises `Conflict` where one is being written already."""

    def chat(
        self, actor: Actor, media: Media, insight_id: int, wish: TurnRequest, expected: int | None = None
    ) -> RunningTurn:
        """A turn of the conversation of an insight; raises `Conflict` where one is being answered already."""

    def attached(self, actor: Actor, turn_id: str) -> RunningTurn:
        """The turn that the actor began; raises `NotFound` where it is not, or no longer, there."""

    def going_on(self, actor: Actor, insight_id: int) -> RunningTurn | None:
        """The turn of this conversation that the actor began and that is being answered now, if there is one."""

    async def models(self, backend: str) -> Sequence[Model]:
        """The models of a backend."""


class FoundPlace(Protocol):
    """Where a photo stands among those that were found; the greatest comes first."""

    @property
    def by_words(self) -> bool:
        """Whether it holds all the words."""

    @property
    def likeness(self) -> int:
        """Its cosine in millionths."""

    @property
    def media_id(self) -> int:
        """Which photo."""


class FoundPhoto(Protocol):
    """A photo that was found."""

    @property
    def place(self) -> FoundPlace:
        """Where it stands."""

    @property
    def score(self) -> float:
        """The reciprocal ranks of both lists, added up."""


class PhotoSearch(Protocol):
    """Finds photos by meaning and by words."""

    def question(self, words: str) -> Any:
        """What is searched for, embedded, which may take long; raises `Unavailable` where that cannot be done now."""

    def find(self, tables: Lookups, narrowed: PhotoFilter, question: Any) -> Sequence[FoundPhoto]:
        """The photos that fit, the best first."""

    def embedded(self, libraries: frozenset[int]) -> int:
        """How many photos of these libraries can be found by meaning."""

    @property
    def trouble(self) -> str | None:
        """Why it cannot be used now, as far as is known."""


def _nothing_embeds(*_: object) -> Never:
    raise Unavailable("nothing here embeds texts: run `make search`, or set OLLAMA_PRIMARY_URL")


class SummaryHit(Protocol):
    """A daily summary that was found."""

    @property
    def summary(self) -> Summary:
        """It."""

    @property
    def similarity(self) -> float:
        """The cosine to the question."""


class FoundSummaries(Protocol):
    """What a search by meaning found."""

    @property
    def hits(self) -> Sequence[SummaryHit]:
        """The likest first."""

    @property
    def model(self) -> str:
        """Whose vectors were compared."""

    @property
    def pending(self) -> int:
        """How many summaries have no vector of it yet."""


class Summariser(Protocol):
    """Writes daily summaries in the background."""

    def ask(self, first: date | None, last: date | None, contacts: Sequence[str], *, again: bool) -> SummaryWish:
        """Summarise these days and contacts soon, by default the usual ones; what is meant comes back at once. Raises
        `RuleViolation` where they cannot be, `Busy` where too many wait."""


@dataclass(frozen=True)
class Parts:
    """Everything that the routes reach.

    `locate` and `open_original` take a library's id and the path text of a file, never leave the library, and raise
    `NotFound` or `Unavailable`: the one gives the real path, the other a descriptor open for reading, which the caller
    closes. `likeness` compares two faces that are at hand. `engine` is None where none is configured, and
    `engine_absent` then says why. `thresholds` overrides the engine's own. `page` is the folder of the static page.
    `location` says where a position in degrees is, and is None where that is off. `excluded_dirs` are the folders left
    out of memories. `narrator` is None where no language model is configured, `search` where nothing embeds texts,
    `summariser` where no conversations are. `found_summaries` takes who asks, a question, how many at most, the days
    (YYYY-MM-DD) and the contact to keep to; it raises `Unavailable` where nothing embeds the question. `cors_origins`
    are whose pages may read answers, `*` for anybody's.
    """

    ledger: Ledger
    pictures: Pictures
    locate: Callable[[int, str], Path]
    open_original: Callable[[int, str], int]
    videos: VideoStreams
    clips: VideoClips
    similarity: Similarity
    likeness: Likeness
    accounts: Accounts
    work: Work
    upkeep: Upkeep
    page: Path
    version: str
    engine: FaceEngine | None = None
    engine_absent: str = "no face engine is configured: unset FACE_ENGINE=off, or set APOLLO_FACE_API_BASE_URL"
    thresholds: Thresholds | None = None
    location: Callable[[float, float], Location | None] | None = None
    excluded_dirs: Sequence[str] = ()
    narrator: Narrator | None = None
    search: PhotoSearch | None = None
    summariser: Summariser | None = None
    found_summaries: Callable[[Actor, str, int, str | None, str | None, str | None], FoundSummaries] = _nothing_embeds
    cors_origins: Sequence[str] = ()
