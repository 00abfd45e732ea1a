"""A whole imageapi for the tests: real ledger, real files, real renditions, put together as the server does it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
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

from adapters.accounts.build_tokens import build_tokens
from adapters.accounts.limits import SignInLimits
from adapters.accounts.passwords import Passwords
from adapters.accounts.tokens import Tokens
from adapters.background.build_loops import Loops
from adapters.background.face_detection import DetectsFaces
from adapters.background.library_watch import WatchesLibraries
from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.background.scan import Scanner
from adapters.background.summary_writing import Limits, WritesSummaries
from adapters.http.asgi import create_http_app, declared, declared_streams
from adapters.http.web.dependencies import Accounts, Dependencies
from adapters.http.web.openapi import document
from adapters.insights.narrator import Narrator
from adapters.insights.sources import Backend, Reach, Sources
from adapters.language.agent import ToolAgent
from adapters.language.blocking import Blocking
from adapters.meaning.semantic_search import Asker, PhotoSearch
from adapters.media.gallery import Gallery
from adapters.media.video_clips import VideoClips
from adapters.page import FILES
from adapters.settings import Settings
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.summaries.day_summariser import DaySummariser
from adapters.summaries.summary_search import SummarySearch
from adapters.vectors.similarity import likeness
from adapters.workers.pool import WorkerPool
from adapters.workers.pools import Pools
from app import VERSION, Application
from domain.base.actor import CLI, WATCHER
from domain.base.conversation import ConversationMessage
from domain.base.paths import text_of
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
PAGE = FILES
KEY = "a key of the tests that is long enough"
DOCUMENT = msgspec.json.decode(msgspec.json.encode(document(declared(), declared_streams(), VERSION)))
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


class World(Application):
    """One imageapi as `app.py` puts it together, but for what would be slow, ask another machine or tell the time; and
    clients for its users. What is set here is read when the HTTP application is first asked for."""

    def __init__(self, ledger: Ledger, workers: WorkerPool, folder: Path, data: Path) -> None:
        environ = {"IMAGEAPI_DATA": str(data), "GEOCODER": "off", "SECRET_KEY": KEY}
        super().__init__(Settings.load(environ, data), {"ledger": ledger, "pools": Pools(pictures=workers)})
        self.workers, self.folder, self.data = workers, folder, data
        self.has_engine = self.has_talks = self.has_model = True
        self.model, self.eyes = Scripted(), Scripted()
        self.sources = Sources()
        self.talks: list[ConversationMessage] = []
        self.embedder: TextEmbedder = LettersEmbedder()
        self.photo_embedder: TextEmbedder | None = None
        self.place = ""
        self.now = 0.0
        self.clients: list[Api] = []

    @cached_property
    def engine(self) -> PaintedFaces:
        """Finds painted faces."""
        return PaintedFaces()

    @cached_property
    def passwords(self) -> Passwords:
        """Cheap hashes: a real one takes longer than most tests."""
        return Passwords(hasher=CHEAP)

    @cached_property
    def accounts(self) -> Accounts:
        """As the real one, with limits that go by `now`."""
        limits = SignInLimits(clock=lambda: self.now)
        keys = SignInLimits(clock=lambda: self.now)
        return replace(super().accounts, limits=limits, key_limits=keys)

    @property
    def tokens(self) -> Tokens:
        """The tokens."""
        return build_tokens(self.settings)

    @cached_property
    def gallery(self) -> Gallery:
        """The pictures, made by the workers of the whole run."""
        settings, locate = self.settings, self.originals.locate
        return Gallery(self.workers, self.workers, settings.renditions, settings.thumbnails, locate)

    @cached_property
    def clips(self) -> VideoClips:
        """Short clips of videos, made by the same; `make_next` makes one."""
        previews, gifs = self.settings.preview_clips_directory, self.settings.gifs_directory
        return VideoClips(self.workers, previews, gifs, self.originals.locate, most_bytes=2**30)

    @cached_property
    def watcher(self) -> WatchesLibraries:
        """What scans, at once; its loop is not started."""
        scanner = Scanner(self.ledger, self.gallery.read, [self.data], settle_seconds=0, places=self.gallery.placement)
        return WatchesLibraries(self.ledger, scanner, self.board, quick_seconds=3600, full_seconds=3600)

    @cached_property
    def loops(self) -> Loops:
        """No work of its own."""
        return Loops([self.watcher.loop])

    @cached_property
    def narrator(self) -> Narrator:
        """What writes insights, with the scripted model as the local and the remote one."""
        agent = ToolAgent(self.model)
        backends = {
            "local": Backend("local", self.model, agent),
            "hybrid": Backend("hybrid", self.model, agent, is_remote=True, eyes=self.eyes),
        }
        return Narrator(Reach(self.ledger, self.gallery.preview, self.sources, 4, 2), backends, {})

    @cached_property
    def keeps_meaning(self) -> KeepsMeaning:
        """What embeds the photos' texts; every position lies at `place`."""
        assert self.photo_embedder is not None
        store, index = self.meaning_store, self.meaning_index
        return KeepsMeaning(
            self.ledger, store, index, self.photo_embedder, jobs=self.board, placed=lambda *_: self.place
        )

    @cached_property
    def photo_search(self) -> PhotoSearch:
        """What finds photos by meaning."""
        asker = Asker(self.photo_embedder or self.embedder)
        return PhotoSearch(self.meaning_index, asker, lambda: self.keeps_meaning.reason)

    @cached_property
    def summary_search(self) -> SummarySearch:
        """What finds summaries."""
        return SummarySearch(self.ledger, self.embedder)

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
    def dependencies(self) -> Dependencies:
        """What the HTTP application is put together from."""
        dependencies = super().dependencies
        return replace(
            dependencies,
            engine=self.engine if self.has_engine else None,
            narrator=dependencies.narrator if self.has_model else None,
            search=dependencies.search if self.photo_embedder is not None else None,
            summariser=dependencies.summariser if self.has_talks else None,
        )

    @cached_property
    def app(self) -> Starlette:
        """The HTTP application."""
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

    def understand(self) -> None:
        """Embed what is due."""
        while self.keeps_meaning.step():
            pass

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
        super().close()
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
