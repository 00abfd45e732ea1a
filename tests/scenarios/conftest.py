"""A real library on a real disk, indexed by the real parts: what the scenarios play on."""

from __future__ import annotations

import functools
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from adapters.background.originals import Originals
from adapters.background.scan import Scanner
from adapters.face_engines.embedded import EmbeddedEngine, prepare
from adapters.face_engines.model_card import face_model
from adapters.files.recently_read import RecentlyRead
from adapters.files.scan_report import ScanReport
from adapters.media.gallery import Gallery
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.workers.pool import WorkerPool
from domain.base.actor import CLI
from domain.commands.libraries import add_library
from domain.events.library import Library
from domain.events.media import Media
from projections.queries.reading import Lookups


@pytest.fixture(scope="session")
def workers() -> Iterator[WorkerPool]:
    """Two worker processes for the whole run."""
    pool = WorkerPool(2)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[EmbeddedEngine]:
    """The engine that packages carry, in one worker, for the whole run."""
    model = face_model(None)
    engine = EmbeddedEngine(WorkerPool(1, initializer=functools.partial(prepare, model)), model)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def facenet() -> Iterator[EmbeddedEngine]:
    """The earlier packaged model, which embeds what is in a box though no face is seen there."""
    model = face_model("facenet")
    engine = EmbeddedEngine(WorkerPool(1, initializer=functools.partial(prepare, model)), model)
    yield engine
    engine.close()


@pytest.fixture
def ledger(tmp_path: Path, empty_log: Path) -> Iterator[Ledger]:
    """An empty ledger on SQLite."""
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copyfile(empty_log, tmp_path / "data" / "imageapi.db")
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/data/imageapi.db"))
    yield ledger
    ledger.close()


class Place:
    """One library folder with what looks at it."""

    def __init__(self, ledger: Ledger, workers: WorkerPool, root: Path, data: Path) -> None:
        self.ledger, self.root, self.data = ledger, root, data
        self.gallery = self.gallery_of(workers)
        self.scanner = self.scanner_of(self.gallery)
        self.library = self.add(root)

    def gallery_of(self, workers: WorkerPool, **limits: Any) -> Gallery:
        """Its pictures, made by these workers."""
        return Gallery(
            workers,
            workers,
            self.data / "renditions",
            self.data / "thumbnails",
            Originals(self.ledger).locate,
            **limits,
        )

    def scanner_of(self, gallery: Gallery, recent: RecentlyRead | None = None) -> Scanner:
        """What scans it, with the pictures of a gallery."""
        return Scanner(
            self.ledger,
            gallery.read,
            [self.data],
            settle_seconds=0,
            try_again=gallery.try_again,
            recent=recent,
            places=gallery.placement,
        )

    def add(self, root: Path) -> Library:
        """Make a folder a library."""
        root.mkdir(parents=True, exist_ok=True)
        with self.ledger.transaction(CLI) as uow:
            library_id = add_library(uow, str(root))
        with self.ledger.reading(CLI) as tables:
            library = tables.libraries.get(library_id)
        assert library is not None
        return library

    def picture(self, name: str, colour: str = "teal") -> Path:
        """A JPEG at `name` below the root, whose bytes depend on its colour alone."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(colour))
        return path

    def scan(self, library: Library | None = None, *, full: bool = False) -> ScanReport:
        """Scan once."""
        return self.scanner.scan(library or self.library, full=full)

    def files(self, library: Library | None = None) -> dict[str, Media]:
        """Every file that the tables hold of a library, missing ones too, by path."""
        of = (library or self.library).id
        found: dict[str, Media] = {}
        with self.ledger.reading(CLI) as tables:
            for folder in _all_folders(tables, of):
                found.update(tables.media.in_folder(of, folder))
        return found


def _all_folders(tables: Lookups, library_id: int) -> list[str]:
    t = tables.tables.media.table

    rows = tables.connection.execute(select(t.c.folder).where(t.c.library_id == library_id).distinct())
    return [row[0] for row in rows]


def jpeg(colour: str, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small JPEG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def place(ledger: Ledger, workers: WorkerPool, tmp_path: Path) -> Place:
    """An empty library with its scanner and gallery."""
    return Place(ledger, workers, tmp_path / "photos", tmp_path / "data")
