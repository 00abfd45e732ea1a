"""The composition root: what is put together with what, and `main()` of the `imageapi` command.

Parts meet here and nowhere else. What each does is decided in its own folder, and which one the settings ask for in the
module of that folder whose name begins with `build_`.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path

from adapters.accounts.build_tokens import build_tokens
from adapters.accounts.limits import SignInLimits
from adapters.accounts.links import LinkBook
from adapters.accounts.passwords import Passwords
from adapters.background import build_loops as background
from adapters.background.descriptions import Descriptions
from adapters.background.job_counts import Figures
from adapters.background.jobs import JobBoard
from adapters.background.library_watch import WatchesLibraries
from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.background.originals import Originals
from adapters.background.rebuilds import Rebuilds
from adapters.background.summary_writing import WritesSummaries
from adapters.background.work import Work
from adapters.cli.main import run
from adapters.face_engines.build_engine import build_embedded_engine, build_engine
from adapters.face_engines.serve import faces_app
from adapters.files.change_watcher import ChangeWatcher
from adapters.http.asgi import create_http_app
from adapters.http.server import run_server, run_web
from adapters.http.web.dependencies import Accounts, Dependencies
from adapters.insights.build_narrator import build_narrator, build_sources
from adapters.insights.narrator import Narrator
from adapters.language.build_models import LanguageModels, build_models
from adapters.language.call_counts import TALLY
from adapters.meaning.semantic_search import Asker, PhotoSearch
from adapters.meaning.vector_file import MeaningStore
from adapters.meaning.vector_index import MeaningIndex
from adapters.media.build_pictures import build_clips, build_gallery, build_streams
from adapters.media.gallery import Gallery
from adapters.media.video_clips import VideoClips
from adapters.media.video_stream import VideoStreams
from adapters.page import FILES
from adapters.places.build_locator import build_locator
from adapters.places.locator import Locator
from adapters.settings import Settings
from adapters.sms.client import SmsClient
from adapters.store.build_ledger import build_ledger, served
from adapters.store.key_uses import KeyUses
from adapters.store.ledger import Ledger
from adapters.summaries.summary_search import SummarySearch
from adapters.text_embedding.build_embedders import TextEmbedders, build_embedders
from adapters.vectors.alike_persons import PersonSuggestions
from adapters.vectors.similarity import Similarity, likeness
from adapters.workers.pools import Pools
from domain.ports.face_engine import FaceEngine

VERSION = "0.1.0"


class Application:
    """Every part, made when it is first asked for."""

    def __init__(self, settings: Settings, overrides: Mapping[str, object] | None = None) -> None:
        """`overrides` are parts that stand in the place of those of that name, and are closed by whoever made them."""
        self.settings = settings
        self._open = ExitStack()
        for name, part in (overrides or {}).items():
            self.override(name, part)

    def override(self, name: str, part: object) -> None:
        """Let `part` stand in the place of the part `name`, which nothing has asked for yet.

        Raises:
            ValueError: there is no such part, or it is made already.
        """
        if not isinstance(getattr(type(self), name, None), cached_property):
            raise ValueError(f"{name} is no part of the application")  # noqa: TRY004 - the name is wrong, not the type
        if name in vars(self):
            raise ValueError(f"{name} is made already")
        vars(self)[name] = part

    def close(self) -> None:
        """Give back what was opened, the last first."""
        self._open.close()

    @cached_property
    def ledger(self) -> Ledger:
        """The log and its read tables."""
        return self._open.enter_context(closing(build_ledger(self.settings)))

    @cached_property
    def links(self) -> LinkBook:
        """The open one-time links."""
        return LinkBook(self.settings.links_file)

    @cached_property
    def passwords(self) -> Passwords:
        """Hashes and checks passwords."""
        return Passwords()

    @cached_property
    def accounts(self) -> Accounts:
        """How users prove who they are."""
        return Accounts(
            passwords=self.passwords,
            tokens=build_tokens(self.settings),
            links=self.links,
            limits=SignInLimits(),
            key_limits=SignInLimits(),
            key_uses=KeyUses(self.ledger.database),
        )

    @cached_property
    def originals(self) -> Originals:
        """The files of the libraries."""
        return Originals(self.ledger)

    @cached_property
    def pools(self) -> Pools:
        """The worker processes that are counted in the figures."""
        return self._open.enter_context(closing(Pools()))

    @cached_property
    def gallery(self) -> Gallery:
        """Originals, renditions, crops and the mirror of thumbnails."""
        return build_gallery(self.settings, self.originals.locate, self.pools)

    @cached_property
    def videos(self) -> VideoStreams:
        """Videos as HLS."""
        return self._open.enter_context(closing(build_streams(self.settings, self.originals.open)))

    @cached_property
    def clips(self) -> VideoClips:
        """Short clips of videos."""
        return build_clips(self.settings, self.originals.locate, self.pools)

    @cached_property
    def descriptions(self) -> Descriptions:
        """What programs say of the photos, in the photos and beside them."""
        return Descriptions(self.originals.locate, self.gallery.embedded_xmp)

    @cached_property
    def changes(self) -> ChangeWatcher:
        """Notices what changes in the libraries."""
        return ChangeWatcher(self.settings.watch_mode.value, self.settings.own_folders)

    @cached_property
    def watcher(self) -> WatchesLibraries:
        """Looks at the libraries again and again."""
        return background.build_watcher(
            self.settings, self.ledger, self.board, gallery=self.gallery, changes=self.changes
        )

    @cached_property
    def engine(self) -> FaceEngine | None:
        """The configured face engine, None where it is off."""
        engine = build_engine(self.settings, self.pools)
        return None if engine is None else self._open.enter_context(closing(engine))

    @cached_property
    def similarity(self) -> Similarity:
        """The vectors in memory, and comparisons of them."""
        return Similarity()

    @cached_property
    def locator(self) -> Locator:
        """Where photos were taken."""
        return self._open.enter_context(closing(build_locator(self.settings, VERSION)))

    @cached_property
    def conversations(self) -> SmsClient | None:
        """The user's conversations, None where no service is set."""
        url, token = self.settings.sms_api_url, self.settings.sms_api_token
        return None if url is None else self._open.enter_context(closing(SmsClient(url, token)))

    @cached_property
    def models(self) -> LanguageModels:
        """The language models."""
        return build_models(self.settings)

    @cached_property
    def narrator(self) -> Narrator:
        """Insights and conversations about photos."""
        summaries = self.summary_search.around
        sources = build_sources(self.settings, self.locator, self.conversations, summaries)
        return build_narrator(self.settings, self.ledger, self.gallery.preview, self.models, sources)

    @cached_property
    def embedders(self) -> TextEmbedders:
        """What embeds texts."""
        local, remote = self.models.local_embedder, self.models.remote_embedder
        embedders = build_embedders(self.settings, self.pools, local=local, remote=remote)
        return self._open.enter_context(closing(embedders))

    @cached_property
    def meaning_store(self) -> MeaningStore:
        """The vectors of what is known of the photos, in a file of their own."""
        return self._open.enter_context(closing(MeaningStore(self.settings.meaning_file)))

    @cached_property
    def meaning_index(self) -> MeaningIndex:
        """The same in memory."""
        return MeaningIndex()

    @cached_property
    def keeps_meaning(self) -> KeepsMeaning:
        """Keeps them as the library is."""
        return background.build_meaning(
            self.ledger,
            self.board,
            store=self.meaning_store,
            index=self.meaning_index,
            embedders=self.embedders,
            locator=self.locator,
        )

    @cached_property
    def photo_search(self) -> PhotoSearch:
        """Finds photos by meaning."""
        asker = Asker(self.embedders.photos, self.embedders.hint)
        return PhotoSearch(self.meaning_index, asker, lambda: self.keeps_meaning.reason)

    @cached_property
    def summary_search(self) -> SummarySearch:
        """Search among daily summaries by meaning."""
        return SummarySearch(self.ledger, self.embedders.private)

    @cached_property
    def summariser(self) -> WritesSummaries | None:
        """Writes daily summaries, None where there are no conversations to summarise."""
        writer = background.build_writer(
            self.settings,
            self.conversations,
            models=self.models,
            ledger=self.ledger,
            embedder=self.embedders.private,
            board=self.board,
        )
        return None if writer is None else self._open.enter_context(closing(writer))

    @cached_property
    def board(self) -> JobBoard:
        """What is being done."""
        return JobBoard()

    @cached_property
    def loops(self) -> background.Loops:
        """The background work, not started."""
        loops = background.build_loops(
            self.settings,
            self.ledger,
            self.board,
            watcher=self.watcher,
            gallery=self.gallery,
            clips=self.clips,
            engine=self.engine,
            similarity=self.similarity,
            models=self.models,
            meaning=self.keeps_meaning,
            meaning_embedder=self.embedders.background,
            writer=self.summariser,
            private_embedder=self.embedders.private,
        )
        return self._open.enter_context(closing(loops))

    @cached_property
    def work(self) -> Work:
        """All background work as one."""
        return Work(
            self.board, self.watcher, self.loops.loops, functools.partial(background.prepare_tables, self.ledger)
        )

    @cached_property
    def rebuilds(self) -> Rebuilds:
        """Rebuilds of the read tables while the server serves."""
        rebuilds = background.build_rebuilds(self.ledger, self.board)
        self._open.callback(rebuilds.stop)
        return rebuilds

    def policies(self) -> Mapping[str, int]:
        """How far each policy has come."""
        return self.loops.reached(self.ledger.checkpoints())

    @cached_property
    def figures(self) -> Figures:
        """The server in figures."""
        return Figures(
            VERSION,
            self.ledger,
            self.board,
            pools=self.pools,
            tally=TALLY,
            policies=self.policies,
            clips_wanted=lambda: self.clips.wanted,
        )

    @cached_property
    def dependencies(self) -> Dependencies:
        """What the HTTP routes reach."""
        return Dependencies(
            ledger=self.ledger,
            pictures=self.gallery,
            locate=self.originals.locate,
            open_original=self.originals.open,
            videos=self.videos,
            clips=self.clips,
            similarity=self.similarity,
            person_suggestions=PersonSuggestions(self.similarity.space),
            likeness=likeness,
            accounts=self.accounts,
            work=self.work,
            rebuilds=self.rebuilds,
            figures=self.figures,
            policies=self.policies,
            page=FILES,
            version=VERSION,
            engine=self.engine,
            location=self.locator.location,
            excluded_dirs=self.settings.excluded_dirs,
            cors_origins=self.settings.cors_origins,
            narrator=self.narrator,
            search=self.photo_search,
            summariser=self.summariser,
            summary_search=self.summary_search,
        )

    def server(self) -> Callable[[Callable[[str], None]], None]:
        """The server with all its background work, put together and not started."""
        self._open.enter_context(served(self.ledger))
        return functools.partial(run_server, create_http_app(self.dependencies), self.work, self.settings.bind_url)

    def faces_server(self, key: str | None) -> Callable[[str, int, Callable[[str], None]], None]:
        """Offers the embedded face engine, which may ask for a key, at a host and port until interrupted."""
        engine = self._open.enter_context(closing(build_embedded_engine(self.settings, self.pools)))
        return functools.partial(run_web, faces_app(engine, key))


def main() -> int:
    """The `imageapi` command; its exit status."""
    return run(sys.argv[1:], functools.partial(Settings.load, os.environ, Path.cwd()), Application)
