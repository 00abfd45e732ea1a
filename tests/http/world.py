"""A whole imageapi for the tests: real ledger, real files, real renditions, behind the real application."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types, and its stubs would be one more package
import msgspec
from argon2 import PasswordHasher
from httpx2 import Response
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from adapters.accounts.limits import SignInLimits
from adapters.accounts.links import LinkBook
from adapters.accounts.passwords import Passwords
from adapters.accounts.tokens import Tokens
from adapters.background.face_detection import DetectsFaces
from adapters.background.job_counts import Figures
from adapters.background.jobs import JobBoard
from adapters.background.library_watch import WatchesLibraries
from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.background.rebuilds import Rebuilds
from adapters.background.scan import Scanner
from adapters.background.summary_writing import Limits, WritesSummaries
from adapters.background.work import Work
from adapters.files.confinement import open_below, resolve
from adapters.http.asgi import create_http_app, declared
from adapters.http.web.dependencies import Accounts, Dependencies
from adapters.http.web.openapi import document
from adapters.insights.narrator import Narrator
from adapters.insights.sources import Backend, Reach, Sources
from adapters.language.agent import ToolAgent
from adapters.language.blocking import Blocking
from adapters.language.call_counts import TALLY
from adapters.meaning.semantic_search import Asker, PhotoSearch
from adapters.meaning.store import MeaningStore
from adapters.meaning.vector_index import MeaningIndex
from adapters.media.gallery import Gallery
from adapters.media.video_clips import VideoClips
from adapters.media.video_stream import VideoStreams
from adapters.store.database import Database
from adapters.store.generations import rebuild
from adapters.store.key_uses import KeyUses
from adapters.store.ledger import Ledger
from adapters.summaries.day_summariser import DaySummariser
from adapters.summaries.summary_search import SummarySearch
from adapters.vectors.similarity import Similarity, likeness
from adapters.workers.pool import WorkerPool
from domain.base.actor import CLI, WATCHER
from domain.base.conversation import ConversationMessage
from domain.base.errors import NotFound
from domain.base.paths import bytes_of, text_of
from domain.commands.accounts import add_user
from domain.commands.libraries import add_library
from domain.events.account import User
from domain.events.library import Library
from domain.ports.text_embedder import TextEmbedder
from tests.fakes import LettersEmbedder, Scripted, Talks
from tests.http.painted import PaintedFaces, paint

PASSWORD = "three grey herons"
USERS = {"ann": ("admin", None), "ed": ("editor", None), "vic": ("viewer", None), "rex": ("editor", (1,))}
"""Name, role and granted libraries; `rex` sees the library Family only."""
PAGE = Path(__file__).resolve().parents[2] / "adapters" / "page"
DOCUMENT = msgspec.json.decode(msgspec.json.encode(document(declared(), "test")))
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Argon2 with the least work: what is tested here is not how long guessing takes."""


def furnish(folder: Path) -> None:
    """Paint the photos of the libraries Family and Work below `folder`."""
    family, work = folder / "family", folder / "work"
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Canon", "EOS 5D", "2020:05:01 10:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2020:05:01 10:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 0.0), 3: "E", 4: (8.0, 32.0, 0.0)})
    paint(family / "trips" / "ann.jpg", ("red", 100, 100, 80), exif=exif)
    paint(family / "trips" / "both.jpg", ("red", 60, 60, 90), ("blue", 360, 60, 90))
    paint(family / "bob.jpg", ("blue", 200, 150, 100))
    paint(family / "cousin.jpg", ("pink", 200, 150, 100))
    paint(family / "plain.jpg", shade=90)
    paint(family / "nä \u2018ïve\u2019 #1.jpg", shade=70)
    (family / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    (family / "clip.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(5000))
    (family / os.fsdecode(b"latin-\xe9.jpg")).write_bytes(paint(folder / "tmp.jpg", shade=60).read_bytes())
    (folder / "tmp.jpg").unlink()
    paint(work / "boss.jpg", ("green", 200, 150, 100))
    shutil.copy(family / "bob.jpg", work / "bob-at-work.jpg")
    for number, name in enumerate(sorted(folder.rglob("*.*"))):
        os.utime(name, (1_600_000_000 + number, 1_600_000_000 + number))


class Api(TestClient):
    """A client of the application that holds every answer against its declaration."""

    def request(self, method: str, url: Any, **more: Any) -> Response:
        """As the base, then checked."""
        answer = super().request(method, url, **more)
        hold_to_contract(method, str(url), answer)
        return answer


def hold_to_contract(method: str, url: str, answer: Response) -> None:
    """Fail where an answer is not one that the OpenAPI document promises."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    operation = operation_of(method, url.partition("?")[0])
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if operation is None:
        return
    assert str(answer.status_code) in operation["responses"], f"{method} {url}: {answer.status_code} is not declared"
    promised = operation["responses"][str(answer.status_code)].get("content", {})
    if not answer.content or method == "HEAD":
        return
    assert kind in promised, f"{method} {url}: {kind} is not declared for {answer.status_code}"
    if kind.endswith("json"):
        jsonschema.Draft202012Validator(
            {**promised[kind]["schema"], "components": DOCUMENT["components"]},
            format_checker=jsonschema.FormatChecker(),
        ).validate(answer.json())


def operation_of(method: str, path: str) -> Mapping[str, Any] | None:
    """What the document says of a method and path, None where it says nothing."""
    wanted = "get" if method.upper() == "HEAD" else method.lower()
    for template, operations in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", re.sub("{id}", r"\\d+", template)), path) and wanted in operations:
            found: Mapping[str, Any] = operations[wanted]
            return found
    return None


@dataclass
class World:
    """One imageapi: its parts, and clients for its users."""

    ledger: Ledger
    workers: WorkerPool
    folder: Path
    data: Path
    engine: PaintedFaces = field(default_factory=PaintedFaces)
    has_engine: bool = True
    model: Scripted = field(default_factory=Scripted)
    eyes: Scripted = field(default_factory=Scripted)
    sources: Sources = field(default_factory=Sources)
    talks: list[ConversationMessage] = field(default_factory=list)
    embedder: TextEmbedder = field(default_factory=LettersEmbedder)
    has_talks: bool = True
    has_model: bool = True
    photo_embedder: TextEmbedder | None = None
    place: str = ""
    now: float = 0.0
    clients: list[Api] = field(default_factory=list)

    @cached_property
    def gallery(self) -> Gallery:
        """The pictures."""
        return Gallery(self.workers, self.workers, self.data / "renditions", self.data / "thumbnails", self.locate)

    @cached_property
    def board(self) -> JobBoard:
        """The jobs."""
        return JobBoard()

    @cached_property
    def watcher(self) -> WatchesLibraries:
        """What scans; its loop is not started."""
        scanner = Scanner(self.ledger, self.gallery.read, [self.data], settle_seconds=0)
        return WatchesLibraries(self.ledger, scanner, self.board, quick_seconds=3600, full_seconds=3600)

    @cached_property
    def links(self) -> LinkBook:
        """The one-time links."""
        return LinkBook(self.data / "links.json")

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens."""
        return Tokens("a key of the tests that is long enough", now=lambda: datetime.now(UTC))

    def _root(self, library_id: int) -> bytes:
        with self.ledger.reading(CLI) as tables:
            library = tables.libraries.get(library_id)
        if library is None or library.removed:
            raise NotFound(f"there is no library {library_id}")
        return bytes_of(library.root)

    def locate(self, library_id: int, path: str) -> Path:
        """The file at a path of a library."""
        return resolve(self._root(library_id), path)

    def open_original(self, library_id: int, path: str) -> int:
        """A descriptor of the file at a path of a library."""
        return open_below(self._root(library_id), path)

    @cached_property
    def videos(self) -> VideoStreams:
        """Videos as HLS."""
        return VideoStreams(self.data / "video", self.open_original, at_once=2, most_bytes=10**9)

    @cached_property
    def clips(self) -> VideoClips:
        """Short clips of videos; `make_next` makes one."""
        return VideoClips(self.workers, self.data / "preview_clips", self.data / "gifs", self.locate, most_bytes=2**30)

    @cached_property
    def dependencies(self) -> Dependencies:
        """What the application is put together from."""
        return Dependencies(
            ledger=self.ledger,
            pictures=self.gallery,
            locate=self.locate,
            open_original=self.open_original,
            videos=self.videos,
            clips=self.clips,
            similarity=Similarity(),
            likeness=likeness,
            accounts=Accounts(
                passwords=Passwords(hasher=CHEAP),
                tokens=self.tokens,
                links=self.links,
                limits=SignInLimits(clock=lambda: self.now),
                key_limits=SignInLimits(clock=lambda: self.now),
                key_uses=KeyUses(self.ledger.database),
            ),
            rebuilds=self.rebuilds,
            figures=self.figures,
            policies=self.ledger.checkpoints,
            work=Work(self.board, self.watcher, [self.watcher.loop], lambda _: None),
            page=PAGE,
            version="test",
            engine=self.engine if self.has_engine else None,
            narrator=self.narrator if self.has_model else None,
            search=self.search if self.photo_embedder is not None else None,
            summariser=self.summariser if self.has_talks else None,
            summary_search=SummarySearch(self.ledger, self.embedder),
        )

    @cached_property
    def meaning_store(self) -> MeaningStore:
        """The vectors of the photos' texts."""
        return MeaningStore(self.data / "meaning.db")

    @cached_property
    def meaning_index(self) -> MeaningIndex:
        """The same in memory."""
        return MeaningIndex()

    @cached_property
    def keeps_meaning(self) -> KeepsMeaning:
        """What embeds the photos' texts; every position lies at `place`."""
        assert self.photo_embedder is not None
        store, index = self.meaning_store, self.meaning_index
        return KeepsMeaning(
            self.ledger, store, index, self.photo_embedder, jobs=self.board, placed=lambda *_: self.place
        )

    @property
    def search(self) -> PhotoSearch:
        """What finds photos by meaning."""
        assert self.photo_embedder is not None
        return PhotoSearch(self.meaning_index, Asker(self.photo_embedder), lambda: self.keeps_meaning.reason)

    def understand(self) -> None:
        """Embed what is due."""
        while self.keeps_meaning.step():
            pass

    @cached_property
    def summariser(self) -> WritesSummaries:
        """What writes daily summaries, of what was said in `talks`, on 10 May 2020; its loop is not started."""
        talks, summariser = Talks(self.talks), DaySummariser(Blocking(self.model), ["scripted"])
        day = date(2020, 5, 10)
        return WritesSummaries(
            self.ledger,
            conversations=talks,
            summariser=summariser,
            embedder=self.embedder,
            jobs=self.board,
            limits=Limits(),
            today=lambda: day,
        )

    @cached_property
    def rebuilds(self) -> Rebuilds:
        """What rebuilds in the background."""
        return Rebuilds(
            self.board,
            lambda report, begin, drop_old: rebuild(self.ledger, report, drop_old=drop_old, on_begin=begin),
        )

    @cached_property
    def figures(self) -> Figures:
        """The server in figures."""
        pools, clips = {"pictures": self.workers}, self.clips
        return Figures(
            "test",
            self.ledger,
            self.board,
            pools=pools,
            tally=TALLY,
            policies=self.ledger.checkpoints,
            clips_wanted=lambda: clips.wanted,
        )

    @property
    def narrator(self) -> Narrator:
        """What writes insights, with the scripted model as the local and the remote one."""
        agent = ToolAgent(self.model)
        backends = {
            "local": Backend("local", self.model, agent),
            "hybrid": Backend("hybrid", self.model, agent, is_remote=True, eyes=self.eyes),
        }
        return Narrator(Reach(self.ledger, self.gallery.preview, self.sources, 4, 2), backends, {})

    @cached_property
    def app(self) -> Starlette:
        """The application."""
        return create_http_app(self.dependencies)

    def client(self, **more: Any) -> Api:
        """A client that is not signed in."""
        client = Api(self.app, **more)
        self.clients.append(client)
        return client

    def api(self, name: str) -> Api:
        """A client that sends the token of a user."""
        with self.ledger.reading(CLI) as tables:
            user = tables.users.named(name)
        assert user is not None
        return self.client(headers={"Authorization": f"Bearer {self.tokens.issue(user.id, user.epoch).token}"})

    # What happens behind the application

    def settle(self) -> None:
        """Add the libraries and users, scan, and find the faces."""
        for name in ("family", "work"):
            with self.ledger.transaction(CLI) as uow:
                add_library(uow, text_of(os.fsencode(self.folder / name)), name.title())
        with self.ledger.transaction(CLI) as uow:
            hashed = Passwords(hasher=CHEAP).hash(PASSWORD)
            for name, (role, libraries) in USERS.items():
                add_user(uow, name, role, hashed, libraries)
        self.scan()
        self.detect()

    def detect(self) -> None:
        """Find the faces that were not looked for yet."""
        detects = DetectsFaces(self.ledger, self.engine, self.gallery, self.board, at_once=1, likeness=likeness)
        while detects.step():
            pass
        detects.close()

    def libraries(self) -> list[Library]:
        """The libraries that are shown."""
        with self.ledger.reading(WATCHER) as tables:
            return tables.libraries.shown()

    def scan(self) -> None:
        """Scan every library once."""
        for library in self.libraries():
            self.watcher.look_at(library, full=True)

    def close(self) -> None:
        """Give back what was opened."""
        for client in self.clients:
            client.close()
        self.rebuilds.stop()
        self.videos.close()
        self.meaning_store.close()
        self.ledger.close()


def opened(url: str, workers: WorkerPool, folder: Path, data: Path) -> World:
    """A world on the database at `url`, with the photos of `folder`."""
    return World(Ledger(Database(url)), workers, folder, data)


def face_ids(api: Api, path: str, library: str | None = None) -> list[int]:
    """The ids of the faces on a photo, from left to right."""
    query = {"path": path} if library is None else {"path": path, "library": library}
    items = api.get("/image/faces", params=query).json()["items"]
    return [face["id"] for face in sorted(items, key=lambda face: face["box"]["x"])]


def user(world: World, name: str) -> User:
    """A user's row."""
    with world.ledger.reading(CLI) as tables:
        found = tables.users.named(name)
    assert found is not None
    return found
