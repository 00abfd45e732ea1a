"""The composition root: settings -> store -> engine, pictures, policies -> Starlette app, and `main()` of the
`imageapi` command.

Parts meet here and nowhere else; what each does is decided in its own folder.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from adapters.accounts.limits import SignInLimits
from adapters.accounts.links import LinkBook, LinkPurpose
from adapters.accounts.passwords import Passwords
from adapters.accounts.signing_key import signing_key
from adapters.accounts.tokens import Tokens
from adapters.background.face_detection import DetectsFaces
from adapters.background.fact_learning import LearnsFacts
from adapters.background.job_counts import Figures
from adapters.background.jobs import JobBoard
from adapters.background.library_watch import Watcher
from adapters.background.loops import FollowsLog, Loop
from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.background.rebuilds import Rebuilds
from adapters.background.scan import Scanner
from adapters.background.summary_vectors import EmbedsSummaries
from adapters.background.summary_writing import Limits, WritesSummaries
from adapters.background.tag_binding import BindsByTag
from adapters.background.thumbnail_mirror import MirrorsThumbnails
from adapters.background.vector_upkeep import KeepsVectors
from adapters.background.work import Work
from adapters.background.xmp import ReadsXmp, WritesXmp, Written
from adapters.cli import doctor
from adapters.cli.doctor import Finding
from adapters.cli.main import run
from adapters.face_engines.absent import AbsentEngine
from adapters.face_engines.apollo_faces import ApolloEngine
from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import face_model
from adapters.face_engines.serve import faces_app
from adapters.files.change_watcher import Notices
from adapters.files.confinement import open_below, resolve
from adapters.files.descriptions import Descriptions
from adapters.http.asgi import create_http_app
from adapters.http.keeping import Upkeep
from adapters.http.server import run_web
from adapters.http.web.dependencies import Accounts, Parts
from adapters.http.web.metrics import PrometheusMeters
from adapters.insights.known import facts_about
from adapters.insights.narrator import HYBRID, LOCAL, Narrator
from adapters.insights.sources import Backend, Reach, Sources
from adapters.language import probe
from adapters.language.agent import ToolAgent
from adapters.language.blocking import Blocking
from adapters.language.call_counts import TALLY
from adapters.language.failover import Failover
from adapters.language.hybrid import Hybrid
from adapters.language.ollama import EMBEDDING_MODEL, Ollama
from adapters.language.openrouter import OpenRouter
from adapters.language.served_embedder import ServedEmbedder
from adapters.language.upstream import TOTAL_SECONDS
from adapters.meaning.semantic_search import Asker, PhotoSearch
from adapters.meaning.store import MeaningStore
from adapters.meaning.vector_index import MeaningIndex
from adapters.media import worker
from adapters.media.gallery import Gallery
from adapters.media.video_clips import VideoClips
from adapters.media.video_stream import VideoStreams
from adapters.places.locator import Locator
from adapters.settings import FaceEngineChoice, Geocoder, Settings
from adapters.settings.catalogue import cores
from adapters.sms.client import SmsClient
from adapters.store.database import Database
from adapters.store.erase import erase, erasure_of, finish, is_unfinished
from adapters.store.export_import import export_log, import_log
from adapters.store.generation_status import standing
from adapters.store.generations import prepare as prepare_tables
from adapters.store.generations import rebuild as rebuild_tables
from adapters.store.generations import verify as verify_tables
from adapters.store.key_uses import KeyUses
from adapters.store.ledger import Ledger
from adapters.store.locks import alone, serving
from adapters.summaries.day_summariser import DaySummariser
from adapters.summaries.summary_search import SummarySearch
from adapters.text_embedding import bundled
from adapters.text_embedding.bundled import BundledEmbedder
from adapters.text_embedding.choosing import Serves, who_embeds
from adapters.vectors.similarity import Similarity, likeness
from adapters.workers.pool import WorkerPool
from domain.base.actor import CLI, WATCHER
from domain.base.errors import NotFound, Unavailable
from domain.base.paths import bytes_of, text_of
from domain.commands.xmp import Taken
from domain.events.library import Library
from domain.ports.face_engine import FaceEngine
from domain.ports.language_model import LanguageModel
from domain.ports.text_embedder import TextEmbedder
from domain.ports.watching import Watching
from domain.rules.erasure import Erasure
from projections.verify import Difference

VERSION = "0.1.0"
DECODER_MEMORY = 3 * 2**30
"""Bytes a decoding worker may use: the largest picture that is allowed needs about half of it."""
RECOGNISER_MEMORY = 2 * 2**30
"""Bytes a recognising worker may use: the nets and a picture of 100 megapixels."""
EMBEDDER_MEMORY = 2**30
"""Bytes the text embedder's worker may use: the model takes 160 MB, a batch of long texts some more."""
IDLE_SECONDS = 30.0
NO_EMBEDDER = "nothing was set or installed that embeds texts (run `make search`, or set OLLAMA_PRIMARY_URL)"
INVITATION_LIFETIME = timedelta(days=7)
PAGE = Path(__file__).resolve().parent / "adapters" / "page"


class Server:
    """The server with all its background work, put together and not started yet."""

    def __init__(self, application: Application) -> None:
        self._house = application
        self.board = application.board
        self._links = LinkBook(application.settings.links_file)
        self._app = create_http_app(application.parts(self._links))

    def run(self, on_ready: Callable[[str], None]) -> None:
        """Serve until interrupted."""
        bind, work = self._house.settings.bind_url, self._house.work
        work.start()
        try:
            run_web(self._app, bind.host, bind.port, on_ready)
        finally:
            work.stop()

    def link(self, base_url: str, *, on_terminal: bool) -> str | None:
        """The first admin's one-time link, or on a terminal one to sign in with."""
        if not self._house.ledger.is_ready():
            return None
        with self._house.ledger.reading(CLI) as tables:
            admin = next((user for user in tables.users.all() if user.role == "admin"), None)
        return self._links.at_start(base_url, admin, on_terminal=on_terminal)


class Application:
    """Every part, made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing: list[Callable[[], None]] = []
        self._pools: dict[str, WorkerPool] = {}
        self._followers: list[FollowsLog] = []

    @cached_property
    def ledger(self) -> Ledger:
        """The log and its read tables."""
        self.settings.make_data_folder()
        ledger = Ledger(Database(self.settings.database_url))
        self._closing.append(ledger.close)
        return ledger

    @cached_property
    def engine(self) -> FaceEngine | None:
        """The configured face engine, None where it is off."""
        settings = self.settings
        if settings.face_engine is FaceEngineChoice.OFF:
            return None
        engine: FaceEngine
        if settings.face_engine is FaceEngineChoice.APOLLO and settings.apollo_face_api_base_url is not None:
            engine = ApolloEngine(settings.apollo_face_api_base_url, seconds=settings.face_detect_timeout_sec)
        else:
            try:
                engine = self.embedded_engine()
            except Unavailable as error:
                engine = AbsentEngine(str(error))
        self._closing.append(engine.close)
        return engine

    def embedded_engine(self) -> EmbeddedEngine:
        """The nets that packages carry, or the user's own embedder, in worker processes."""
        model = face_model(self.settings.face_model)
        pool = WorkerPool(
            self.settings.embedded_face_workers,
            initializer=functools.partial(prepare, model),
            memory_limit=RECOGNISER_MEMORY,
        )
        self._pools["faces"] = pool
        return EmbeddedEngine(pool, model, self.settings.face_detect_timeout_sec)

    @cached_property
    def gallery(self) -> Gallery:
        """Originals, renditions, crops and the mirror of thumbnails."""
        background = WorkerPool(cores(), initializer=worker.prepare, memory_limit=DECODER_MEMORY)
        waiting = WorkerPool(cores(), initializer=worker.prepare, memory_limit=DECODER_MEMORY, niceness=0)
        self._closing += [background.close, waiting.close]
        self._pools |= {"pictures": background, "pictures-asked": waiting}
        return Gallery(background, waiting, self.settings.renditions, self.settings.thumbnails, self.locate)

    @cached_property
    def videos(self) -> VideoStreams:
        """Videos as HLS."""
        settings = self.settings
        videos = VideoStreams(
            settings.video_path,
            self.open_original,
            at_once=settings.video_concurrency,
            most_bytes=settings.video_cache_megabytes * 2**20,
        )
        self._closing.append(videos.close)
        return videos

    @cached_property
    def clips(self) -> VideoClips:
        """Short clips of videos."""
        settings = self.settings
        pool = WorkerPool(1, initializer=worker.prepare, memory_limit=DECODER_MEMORY)
        self._closing.append(pool.close)
        self._pools["clips"] = pool
        return VideoClips(
            pool,
            settings.preview_clips_directory,
            settings.gifs_directory,
            self.locate,
            most_bytes=settings.video_clips_megabytes * 2**20,
        )

    def open_original(self, library_id: int, path: str) -> int:
        """A descriptor of the file at a path of a library, opened without following a link out of it."""
        with self.ledger.reading(WATCHER) as tables:
            library = tables.libraries.get(library_id)
        if library is None or library.removed:
            raise NotFound(f"there is no library {library_id}")
        return open_below(bytes_of(library.root), path)

    def locate(self, library_id: int, path: str) -> Path:
        """The file at a path of a library, which it never leaves."""
        with self.ledger.reading(WATCHER) as tables:
            library = tables.libraries.get(library_id)
        if library is None or library.removed:
            raise NotFound(f"there is no library {library_id}")
        return resolve(bytes_of(library.root), path)

    @cached_property
    def scanner(self) -> Scanner:
        """Scans libraries; the server's own folders are never part of one."""
        return Scanner(self.ledger, self.gallery.read, self.own_folders, try_again=self.gallery.try_again)

    @property
    def own_folders(self) -> Sequence[Path]:
        """What the server makes, which is no part of a library that holds it."""
        settings = self.settings
        own = (settings.imageapi_data, settings.thumbnails, settings.video_path)
        return (*own, settings.gifs_directory, settings.preview_clips_directory)

    @cached_property
    def board(self) -> JobBoard:
        """What is being done."""
        return JobBoard()

    @cached_property
    def watcher(self) -> Watcher:
        """Looks at the libraries again and again."""
        settings = self.settings
        quick, full = settings.watch_quick_interval_seconds, settings.watch_full_interval_seconds
        return Watcher(self.ledger, self.scanner, self.board, quick, full, self.notices)

    @cached_property
    def notices(self) -> Notices:
        """Notices what changes in the libraries."""
        return Notices(self.settings.watch_mode.value, self.own_folders)

    def ollama_servers(self, seconds: float = TOTAL_SECONDS) -> list[Ollama]:
        """The configured Ollama servers in the order in which they are asked."""
        settings = self.settings
        primary = "OLLAMA_PRIMARY_URL (or OLLAMA_URL)"
        servers = [Ollama(settings.ollama_primary_url, settings.ollama_primary_model, setting=primary, seconds=seconds)]
        if (url := settings.ollama_fallback_url) is not None:
            model = settings.ollama_fallback_model
            servers.append(Ollama(url, model, setting="OLLAMA_FALLBACK_URL", seconds=seconds))
        return servers

    def openrouter(self, seconds: float = TOTAL_SECONDS) -> OpenRouter | None:
        """OpenRouter, None where there is no key for it."""
        settings = self.settings
        if settings.openrouter_api_key is None:
            return None
        return OpenRouter(
            settings.openrouter_base_url,
            settings.openrouter_api_key,
            settings.openrouter_default_model,
            settings.openrouter_embedding_model,
            allowed=settings.openrouter_allowed_models,
            referer=settings.openrouter_http_referer,
            title=settings.openrouter_app_title,
            seconds=seconds,
        )

    @cached_property
    def local_model(self) -> Failover:
        """The language model on this machine or in this house."""
        return Failover(self.ollama_servers())

    @cached_property
    def hybrid_model(self) -> Hybrid | None:
        """The local model for pictures and vectors, OpenRouter for words; None where there is no key for it."""
        router = self.openrouter()
        return None if router is None else Hybrid(self.local_model, router)

    @property
    def language_models(self) -> Mapping[str, LanguageModel]:
        """The models that write insights, by the name of their backend."""
        local: dict[str, LanguageModel] = {LOCAL: self.local_model}
        return local if self.hybrid_model is None else local | {HYBRID: self.hybrid_model}

    @cached_property
    def narrator(self) -> Narrator:
        """Insights and conversations about photos."""
        settings, local, hybrid = self.settings, self.local_model, self.hybrid_model
        backends = {LOCAL: Backend(LOCAL, local, ToolAgent(local))}
        if hybrid is not None:
            backends[HYBRID] = Backend(HYBRID, hybrid, ToolAgent(hybrid), is_remote=True, eyes=local)
        absent = {HYBRID: "nothing talks to OpenRouter: set OPENROUTER_API_KEY"}
        talks, where = self.conversations, self.locator
        own = where.personal
        sources = Sources(
            location=where.location if own is not None or where.geocoder is not None else None,
            personal=None if own is None else own.at,
            messages=None if talks is None else (lambda day: talks.messages(day, day)),
            facts=facts_about,
            summaries=None if talks is None else self.summary_search.around,
            private_remotely=settings.sms_to_openrouter,
        )
        limits = (settings.agentic_max_iterations, settings.agentic_chat_max_iterations)
        return Narrator(Reach(self.ledger, self.gallery.preview, sources, *limits), backends, absent)

    @cached_property
    def loops(self) -> Sequence[Loop]:
        """The background work, not started."""
        ledger = self.ledger
        mirror = MirrorsThumbnails(ledger, self.gallery)
        follow = FollowsLog(ledger, "thumbnails", mirror.TOPICS, mirror.answer)
        self._followers.append(follow)
        clips = Loop("clips", self.clips.make_next, idle_seconds=IDLE_SECONDS, on_stop=self.clips.close)
        self.clips.on_wanted = clips.wake
        loops = [self.watcher.loop, clips, Loop("thumbnails", follow.step, idle_seconds=IDLE_SECONDS)]
        if self.engine is not None:
            detects = DetectsFaces(ledger, self.engine, self.gallery, self.board, self.faces_at_once, likeness)
            self._closing.append(detects.close)
            binds = BindsByTag(ledger, self.engine, self.settings.face_autobind_min_cos, likeness)
            keeps = KeepsVectors(ledger, self.engine, self.similarity)
            bind = FollowsLog(ledger, "autobind", binds.TOPICS, binds.answer)
            self._followers.append(bind)
            loops += [
                Loop("detection", detects.step, idle_seconds=IDLE_SECONDS, on_stop=detects.ask_to_stop),
                Loop("autobind", bind.step, idle_seconds=IDLE_SECONDS),
                Loop("vectors", keeps.step, idle_seconds=IDLE_SECONDS),
            ]
        stop = self.background_text_embedder.close
        loops.append(Loop("meaning", self.keeps_meaning.step, idle_seconds=IDLE_SECONDS, on_stop=stop))
        if self.settings.entities_from_insights:
            learns = LearnsFacts(ledger, self.language_models)
            learn = FollowsLog(ledger, "entities", learns.TOPICS, learns.answer)
            self._followers.append(learn)
            loops.append(Loop("entities", learn.step, idle_seconds=IDLE_SECONDS, on_stop=learns.ask_to_stop))
        for loop in loops[2:]:
            ledger.on_commit(loop.wake)
        return [*loops, *self._summary_loops()]

    def _summary_loops(self) -> Iterable[Loop]:
        """What writes daily summaries where conversations are set, and embeds them."""
        if (writes := self.summariser) is not None:
            loop = Loop("summaries", writes.step, idle_seconds=IDLE_SECONDS, on_stop=writes.close)
            writes.on_request = loop.wake
            yield loop
        embedder = self.private_text_embedder
        embeds = EmbedsSummaries(self.ledger, embedder, self.board)
        yield Loop("summary vectors", embeds.step, idle_seconds=IDLE_SECONDS, on_stop=embedder.close)

    @cached_property
    def summariser(self) -> WritesSummaries | None:
        """Writes daily summaries, None where there are no conversations to summarise."""
        settings, talks = self.settings, self.conversations
        if talks is None:
            return None
        summarises = self._day_summariser()
        self._closing.append(summarises.close)
        return WritesSummaries(
            self.ledger,
            conversations=talks,
            summariser=summarises,
            embedder=self.private_text_embedder,
            jobs=self.board,
            limits=Limits(settings.daily_summary_from, settings.daily_summary_to, settings.daily_summary_contacts),
            today=today,
        )

    def _day_summariser(self) -> DaySummariser:
        """What summarises: Ollama; OpenRouter where no address of an Ollama is set and messages may go there."""
        settings, router = self.settings, self.openrouter()
        if router is not None and settings.sms_to_openrouter and not self._embedders["ollama_is_set"]:
            return DaySummariser(Blocking(router), [settings.openrouter_default_model])
        return DaySummariser(Blocking(self.local_model), [server.model for server in self.ollama_servers()])

    @cached_property
    def summary_search(self) -> SummarySearch:
        """Search among daily summaries by meaning."""
        return SummarySearch(self.ledger, self.private_text_embedder)

    @cached_property
    def similarity(self) -> Similarity:
        """The vectors in memory, and comparisons of them."""
        return Similarity()

    @cached_property
    def locator(self) -> Locator:
        """Where photos were taken."""
        settings = self.settings
        locator = Locator.of(
            offline=settings.geocoder is Geocoder.OFFLINE,
            nominatim=settings.nominatim_url if settings.geocoder is Geocoder.NOMINATIM else None,
            apollo=settings.apollo_api_base_url,
            book=settings.places_file,
            version=VERSION,
        )
        self._closing.append(locator.close)
        return locator

    @cached_property
    def conversations(self) -> SmsClient | None:
        """The user's conversations, None where no service is set."""
        if self.settings.sms_api_url is None:
            return None
        client = SmsClient(self.settings.sms_api_url, self.settings.sms_api_token)
        self._closing.append(client.close)
        return client

    @cached_property
    def bundled_embedder(self) -> BundledEmbedder | None:
        """The text model on this machine, None where it is not installed."""
        if not bundled.is_installed():
            return None
        pool = WorkerPool(1, initializer=bundled.prepare, memory_limit=EMBEDDER_MEMORY, niceness=0)
        self._pools["texts"] = pool
        embedder = BundledEmbedder(pool)
        self._closing.append(embedder.close)
        return embedder

    @cached_property
    def text_embedder(self) -> TextEmbedder:
        """Embeds what the library knows of its photos."""
        return self._embedder(who_embeds(**self._embedders, openrouter_is_set=self._openrouter_embeds))

    @cached_property
    def background_text_embedder(self) -> TextEmbedder:
        """The same model for work in the background: the bundled one in a process of its own that steps aside for
        others, so that nobody's query waits for it."""
        if self.bundled_embedder is None or self.text_embedder is not self.bundled_embedder:
            return self.text_embedder
        embedder = BundledEmbedder(WorkerPool(1, initializer=bundled.prepare, memory_limit=EMBEDDER_MEMORY))
        self._closing.append(embedder.close)
        return embedder

    @cached_property
    def private_text_embedder(self) -> TextEmbedder:
        """Embeds what people wrote to each other, which goes to OpenRouter only where the user says so."""
        may_leave = self._openrouter_embeds and self.settings.sms_to_openrouter
        return self._embedder(who_embeds(**self._embedders, openrouter_is_set=may_leave))

    @property
    def _embedders(self) -> dict[str, bool]:
        settings = self.settings
        is_set = any(settings.is_set(name) for name in ("OLLAMA_PRIMARY_URL", "OLLAMA_FALLBACK_URL"))
        return {"ollama_is_set": is_set, "bundled_is_installed": bundled.is_installed()}

    @property
    def _openrouter_embeds(self) -> bool:
        settings = self.settings
        return settings.openrouter_api_key is not None and settings.is_set("OPENROUTER_EMBEDDING_MODEL")

    def _embedder(self, serves: Serves) -> TextEmbedder:
        router, own = self.openrouter(), self.bundled_embedder
        if serves is Serves.BUNDLED and own is not None:
            return own
        if serves is Serves.OPENROUTER and router is not None:
            served = ServedEmbedder(router, self.settings.openrouter_embedding_model)
        else:
            served = ServedEmbedder(self.local_model, EMBEDDING_MODEL)
        self._closing.append(served.close)
        return served

    @cached_property
    def meaning_store(self) -> MeaningStore:
        """The vectors of what is known of the photos, in a file of their own."""
        store = MeaningStore(self.settings.meaning_file)
        self._closing.append(store.close)
        return store

    @cached_property
    def meaning_index(self) -> MeaningIndex:
        """The same in memory."""
        return MeaningIndex()

    @cached_property
    def keeps_meaning(self) -> KeepsMeaning:
        """Keeps them as the library is. Places are named by what is on this machine: in the background, and for every
        photo, no server is asked."""
        return KeepsMeaning(
            self.ledger,
            self.meaning_store,
            self.meaning_index,
            self.background_text_embedder,
            jobs=self.board,
            placed=self.locator.offline_name,
            places="" if self.locator.geocoder is None else "offline",
            is_configured=self._embeds_on_purpose,
        )

    @cached_property
    def photo_search(self) -> PhotoSearch:
        """Finds photos by meaning."""
        hint = "" if self._embeds_on_purpose else f"{NO_EMBEDDER}: "
        return PhotoSearch(self.meaning_index, Asker(self.text_embedder, hint), lambda: self.keeps_meaning.reason)

    @property
    def _embeds_on_purpose(self) -> bool:
        """Whether an embedder was set or installed, and not merely hoped for at Ollama's usual address."""
        return any((*self._embedders.values(), self._openrouter_embeds))

    @property
    def faces_at_once(self) -> int:
        """Photos looked at by the engine at a time."""
        if self.settings.face_engine is FaceEngineChoice.APOLLO:
            return self.settings.face_detect_concurrency
        return self.settings.embedded_face_workers

    @cached_property
    def work(self) -> Work:
        """All background work as one."""
        return Work(self.board, self.watcher, self.loops, self._prepare)

    def _prepare(self, board: JobBoard) -> None:
        """Bring the read tables up to the log, or build them anew where another version wrote them."""
        if self.ledger.is_ready():
            self.ledger.catch_up()
            return
        with board.job("rebuild", "building the read tables") as job:
            prepare_tables(self.ledger, job.at)

    def policies(self) -> Mapping[str, int]:
        """How far each policy has come: this process knows its own better than their checkpoints."""
        kept, own = self.ledger.checkpoints(), dict(each.reached for each in self._followers)
        return {name: max(kept.get(name, 0), own.get(name, 0)) for name in {**kept, **own}}

    @cached_property
    def upkeep(self) -> Upkeep:
        """The server in figures, and its read tables."""
        ledger, board = self.ledger, self.board
        figures = Figures(VERSION, ledger, board, self._pools, TALLY, self.policies, lambda: self.clips.wanted)
        rebuilds = Rebuilds(
            board, lambda report, begin, drop_old: rebuild_tables(ledger, report, drop_old=drop_old, on_begin=begin)
        )
        self._closing.append(rebuilds.stop)
        return Upkeep(figures, lambda: standing(ledger), self.policies, rebuilds.start, PrometheusMeters())

    def parts(self, links: LinkBook) -> Parts:
        """What the HTTP routes reach."""
        key = self.settings.secret_key or signing_key(self.settings.secret_key_file)

        def invite(role: str, libraries: tuple[int, ...] | None) -> str:
            return links.issue(LinkPurpose.INVITATION, role=role, libraries=libraries, lifetime=INVITATION_LIFETIME)

        uses = KeyUses(self.ledger.database)
        return Parts(
            ledger=self.ledger,
            pictures=self.gallery,
            locate=self.locate,
            open_original=self.open_original,
            videos=self.videos,
            clips=self.clips,
            similarity=self.similarity,
            likeness=likeness,
            accounts=Accounts(Passwords(), Tokens(key), links, SignInLimits(), invite, SignInLimits(), uses),
            work=self.work,
            upkeep=self.upkeep,
            page=PAGE,
            version=VERSION,
            engine=self.engine,
            location=self.locator.location,
            excluded_dirs=self.settings.excluded_dirs,
            cors_origins=self.settings.cors_origins,
            narrator=self.narrator,
            search=self.photo_search,
            summariser=self.summariser,
            found_summaries=self.summary_search.find,
        )

    def server(self) -> Server:
        """The server with all its background work; no erasure runs beside it."""
        database = self.ledger.database
        if is_unfinished(self.ledger):
            with alone(database):
                finish(self.ledger)
        presence = ExitStack()
        presence.enter_context(serving(database))
        self._closing.append(presence.close)
        return Server(self)

    def faces_server(self, key: str | None) -> Callable[[str, int, Callable[[str], None]], None]:
        """Offers the embedded face engine until interrupted."""
        engine = self.embedded_engine()
        self._closing.append(engine.close)
        return functools.partial(run_web, faces_app(engine, key))

    # What single commands ask for

    def rebuild(self, report: Callable[[int, int], None], *, drop_old: bool) -> str:
        """Build the read tables anew beside the live ones and swap; what came of it."""
        return str(rebuild_tables(self.ledger, report, drop_old=drop_old))

    def verify(self) -> Sequence[Difference]:
        """Replay the log and compare every row with the live tables."""
        return verify_tables(self.ledger)

    def scan(self, libraries: Sequence[Library], *, full: bool) -> int:
        """Scan these libraries now; the number of files that are not, or not wholly, shown."""
        for library in libraries:
            self.watcher.look_at(library, full=full)
        with self.ledger.reading(WATCHER) as tables:
            return sum(tables.media.counts().get(library.id, (0, 0, 0))[2] for library in libraries)

    @property
    def descriptions(self) -> Descriptions:
        """What programs say of the photos, in the photos and beside them."""
        return Descriptions(self.locate, self.gallery.embedded_xmp)

    def read_xmp(
        self, library: int | None, report: Callable[[int, int], None], *, dry_run: bool
    ) -> tuple[Taken, int | None]:
        """Take over names and keywords; what was taken, and the operation."""
        return ReadsXmp(self.ledger, self.descriptions, self.engine, self.gallery).run(library, report, dry_run=dry_run)

    def write_xmp(self, library: int | None, report: Callable[[int, int], None]) -> Written:
        """Write names and keywords to sidecars; what became of them."""
        return WritesXmp(self.ledger, self.descriptions).run(library, report)

    def export_log(self, out: BinaryIO, report: Callable[[int, int], None]) -> int:
        """Write the whole log; the number of events."""
        return export_log(self.ledger, out, report)

    def import_log(self, lines: Iterable[bytes], report: Callable[[int, int], None]) -> int:
        """Fill an empty database from an export; the number of events."""
        return import_log(self.ledger, lines, report)

    def alone(self) -> AbstractContextManager[None]:
        """Keep servers away from the database."""
        return alone(self.ledger.database)

    def erasure_of(self, subject: int | bytes) -> Erasure:
        """What erasing a person or the faces of a content would take."""
        return erasure_of(self.ledger, CLI, subject)

    def erase(self, subject: int | bytes, report: Callable[[int, int], None]) -> str:
        """Erase it for good; what was done."""
        said = erase(self.ledger, CLI, subject, report)
        self._clean_meaning()
        return said

    def finish_erasure(self, report: Callable[[int, int], None]) -> bool:
        """Clean up after an erasure that was interrupted; whether there was one."""
        was_left = is_unfinished(self.ledger)
        if was_left:
            finish(self.ledger, report)
            self._clean_meaning()
        return was_left

    def _clean_meaning(self) -> None:
        """Take the vectors of what was erased out of this host's file; another host's server does it when it reads of
        the erasure in the log."""
        if self.meaning_store.exists():
            self.keeps_meaning.clean()

    def meaning_state(self) -> str:
        """How far search by meaning is, and which model it is of."""
        return self.meaning_store.progress_text(self.text_embedder.model, is_ready=self.ledger.is_ready())

    def hash_password(self, password: str, name: str) -> str:
        """The hash to store for a new password."""
        return Passwords().hash(password, user_name=name)

    def path_text(self, folder: Path) -> str:
        """The text under which the API speaks of a folder."""
        return text_of(os.fsencode(folder))

    def doctor(self) -> Sequence[Finding]:
        """What is installed and what each part adds."""
        texts, talks, summaries = self.bundled_embedder, self.conversations, self.summariser
        seconds = probe.SECONDS
        surveyed = probe.survey(self.ollama_servers(seconds), self.openrouter(seconds))
        findings = [
            *doctor.programs(),
            doctor.faces(lambda: self.engine),
            *(Finding(*found) for found in self.locator.findings()),
            Finding(
                "text model",
                None if texts is None else texts.model,
                "adds search by meaning without Ollama (make search)",
            ),
            Finding("search by meaning", self.meaning_state(), "finds texts that mean what is asked"),
        ]
        if talks is not None:
            findings.append(Finding("conversations", talks.state(), "tells what was said on a photo's day"))
        if summaries is not None:
            findings.append(Finding("daily summaries", str(summaries), "tells days in a few sentences each"))
        database = "SQLite" if self.ledger.database.is_sqlite else "PostgreSQL"
        return [
            *findings,
            *(Finding(each.what, each.found, f"adds {each.adds}") for each in surveyed),
            doctor.watching(self._foreseen()),
            Finding("database", f"{database}, {self.ledger.head()} events", "keeps the log"),
        ]

    def _foreseen(self) -> Mapping[str, Watching]:
        if not self.ledger.is_ready():
            return {}
        with self.ledger.reading(CLI) as tables:
            return {library.name: self.notices.foreseen(library) for library in tables.libraries.shown()}

    def close(self) -> None:
        """Give back what was opened, the last first."""
        while self._closing:
            self._closing.pop()()


def today() -> date:
    """The day that it is now where the server is (`TZ`, or the system's time zone)."""
    return datetime.now(UTC).astimezone().date()


def main() -> int:
    """The `imageapi` command; its exit status."""

    def load(overrides: dict[str, str]) -> Settings:
        return Settings.load(os.environ, Path.cwd(), overrides)

    return run(sys.argv[1:], load, Application)
