"""The background work that the settings ask for: every loop, and what wakes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from adapters.background.face_detection import DetectsFaces
from adapters.background.fact_learning import LearnsFacts
from adapters.background.interruptions import close_interrupted
from adapters.background.jobs import JobBoard
from adapters.background.keyword_tags import TagsByKeywords
from adapters.background.library_watch import WatchesLibraries
from adapters.background.loops import FollowsLog, Loop
from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.background.rebuilds import Rebuilds
from adapters.background.scan import Scanner
from adapters.background.summary_vectors import EmbedsSummaries
from adapters.background.summary_writing import Limits, WritesSummaries
from adapters.background.tag_binding import BindsByTag
from adapters.background.thumbnail_mirror import MirrorsThumbnails
from adapters.background.vector_upkeep import KeepsVectors
from adapters.face_engines.build_engine import photos_at_once
from adapters.files.change_watcher import ChangeWatcher
from adapters.files.known_roots import KnownRoots
from adapters.files.unknown_files import UnknownFiles
from adapters.insights.build_narrator import models_by_backend
from adapters.language.build_models import LanguageModels
from adapters.meaning.vector_file import MeaningStore
from adapters.meaning.vector_index import MeaningIndex
from adapters.media.gallery import Gallery
from adapters.media.magic import format_of_stray
from adapters.media.video_clips import VideoClips
from adapters.places.locator import Locator
from adapters.settings import FaceEngineChoice, Settings
from adapters.sms.client import SmsClient
from adapters.store.generations import prepare, rebuild
from adapters.store.ledger import Ledger
from adapters.summaries.build_summariser import build_summariser
from adapters.text_embedding.build_embedders import TextEmbedders
from adapters.vectors.similarity import Similarity, likeness
from domain.ports.face_engine import FaceEngine
from domain.ports.text_embedder import TextEmbedder

IDLE_SECONDS: Final = 30.0
"""How often a loop that nobody wakes looks whether there is work."""


@dataclass(frozen=True)
class Loops:
    """The loops, not started; the policies among them that follow the log, and what detects faces."""

    loops: Sequence[Loop]
    followers: Sequence[FollowsLog] = ()
    detection: DetectsFaces | None = None

    def close(self) -> None:
        """Give back the threads of the detection."""
        if self.detection is not None:
            self.detection.close()

    def reached(self, checkpoints: Mapping[str, int]) -> Mapping[str, int]:
        """How far each policy has come: this process knows its own better than their checkpoints."""
        own = dict(each.reached for each in self.followers)
        return {name: max(checkpoints.get(name, 0), own.get(name, 0)) for name in {**checkpoints, **own}}


def build_watcher(
    settings: Settings, ledger: Ledger, board: JobBoard, gallery: Gallery, changes: ChangeWatcher
) -> WatchesLibraries:
    """Looks at the libraries as often as is set; what imageapi makes itself is never part of one."""
    roots = KnownRoots(settings.roots_file)
    scanner = Scanner(
        ledger,
        gallery.read,
        settings.own_folders,
        try_again=gallery.try_again,
        roots=roots,
        unknown=UnknownFiles(format_of_stray, settings.unknown_files_file),
        places=gallery.placement,
        faces_follow=settings.face_engine is not FaceEngineChoice.OFF,
    )
    return WatchesLibraries(
        ledger,
        scanner,
        board,
        quick_seconds=settings.watch_quick_interval_seconds,
        full_seconds=settings.watch_full_interval_seconds,
        changes=changes,
        excluded=settings.own_folders,
    )


def build_meaning(
    ledger: Ledger,
    board: JobBoard,
    *,
    store: MeaningStore,
    index: MeaningIndex,
    embedders: TextEmbedders,
    locator: Locator,
) -> KeepsMeaning:
    """Keeps the vectors of photos' texts as the libraries are. Places are named by what is on this machine: in the
    background, and for every photo, no server is asked."""
    return KeepsMeaning(
        ledger,
        store,
        index,
        embedder=embedders.background,
        jobs=board,
        placed=locator.offline_name,
        places="" if locator.geocoder is None else "offline",
        is_configured=embedders.are_on_purpose,
    )


def today() -> date:
    """The day that it is now where the server is (`TZ`, or the system's time zone)."""
    return datetime.now(UTC).astimezone().date()


def build_writer(
    settings: Settings,
    conversations: SmsClient | None,
    *,
    models: LanguageModels,
    ledger: Ledger,
    embedder: TextEmbedder,
    board: JobBoard,
) -> WritesSummaries | None:
    """Writes daily summaries of the days and contacts that are set; None where there are no conversations."""
    if conversations is None:
        return None
    limits = Limits(settings.daily_summary_from, settings.daily_summary_to, settings.daily_summary_contacts)
    return WritesSummaries(
        ledger,
        conversations=conversations,
        summariser=build_summariser(settings, models),
        embedder=embedder,
        jobs=board,
        limits=limits,
        today=today,
    )


def build_loops(
    settings: Settings,
    ledger: Ledger,
    board: JobBoard,
    *,
    watcher: WatchesLibraries,
    gallery: Gallery,
    clips: VideoClips,
    engine: FaceEngine | None,
    similarity: Similarity,
    models: LanguageModels,
    meaning: KeepsMeaning,
    meaning_embedder: TextEmbedder,
    writer: WritesSummaries | None,
    private_embedder: TextEmbedder,
) -> Loops:
    """All background work; each commit wakes the loops that it may bring work."""
    followers = []

    def follow(name: str, topics: Sequence[str], answer: Callable[..., None]) -> FollowsLog:
        followers.append(FollowsLog(ledger, name, topics, answer))
        return followers[-1]

    loops = [watcher.loop, _clips(clips)]
    mirror = MirrorsThumbnails(ledger, gallery)
    loops.append(_loop("thumbnails", follow("thumbnails", mirror.TOPICS, mirror.answer).step))
    loops.append(_loop("keywords", follow("keywords", TagsByKeywords.TOPICS, TagsByKeywords(ledger).answer).step))
    detects = None
    if engine is not None:
        detects = DetectsFaces(
            ledger,
            engine,
            gallery,
            board,
            at_once=photos_at_once(settings),
            likeness=likeness,
            away=lambda: tuple(watcher.missing),
        )
        binds = BindsByTag(ledger, engine, similarity, settings.face_autobind_min_cos)
        loops += [
            _loop("detection", detects.step, on_stop=detects.ask_to_stop),
            _loop("autobind", follow("autobind", binds.TOPICS, binds.answer).step),
            _loop("vectors", KeepsVectors(ledger, engine, similarity).step),
        ]
    loops.append(_loop("meaning", meaning.step, on_stop=meaning_embedder.close))
    if settings.entities_from_insights:
        learns = LearnsFacts(ledger, models_by_backend(models))
        step = follow("entities", learns.TOPICS, learns.answer).step
        loops.append(_loop("entities", step, on_stop=learns.ask_to_stop))
    loops += _summaries(writer, EmbedsSummaries(ledger, private_embedder, board), private_embedder)
    for loop in loops:
        if loop.wakes_on_commit:
            ledger.on_commit(loop.wake)
    return Loops(loops, followers, detects)


def _loop(
    name: str, step: Callable[[], bool], on_stop: Callable[[], None] = lambda: None, *, wakes_on_commit: bool = True
) -> Loop:
    return Loop(name, step, idle_seconds=IDLE_SECONDS, on_stop=on_stop, wakes_on_commit=wakes_on_commit)


def _clips(clips: VideoClips) -> Loop:
    """What makes clips, woken where one is wanted."""
    loop = _loop("clips", clips.make_next, clips.close, wakes_on_commit=False)
    clips.on_wanted = loop.wake
    return loop


def _summaries(writer: WritesSummaries | None, embeds: EmbedsSummaries, embedder: TextEmbedder) -> Iterator[Loop]:
    """What writes daily summaries where conversations are set, woken where one is wanted; and what embeds them."""
    if writer is not None:
        loop = _loop("summaries", writer.step, writer.close, wakes_on_commit=False)
        writer.on_request = loop.wake
        yield loop
    yield _loop("summary vectors", embeds.step, embedder.close, wakes_on_commit=False)


def prepare_tables(ledger: Ledger, board: JobBoard) -> None:
    """Bring the read tables up to the log, or build them anew, as a job, where another version wrote them; then close
    what was going on when the server last died."""
    if ledger.is_ready():
        ledger.catch_up()
    else:
        with board.job("rebuild", "building the read tables") as job:
            prepare(ledger, job.at)
    close_interrupted(ledger)


def build_rebuilds(ledger: Ledger, board: JobBoard) -> Rebuilds:
    """Rebuilds of the read tables while the server serves."""

    def run(report: Callable[[int, int], None], begin: Callable[[], None], drop_old: bool) -> object:
        return rebuild(ledger, report, drop_old=drop_old, on_begin=begin)

    return Rebuilds(board, run)
