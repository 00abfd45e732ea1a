"""A ledger on each database, and photos in it of which no file is needed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.events.media import FileFacts
from domain.ports.text_embedder import Purpose


class Drawn:
    """A text embedder whose vectors are drawn by the text; `seen` is what it embedded."""

    def __init__(self, model: str = "drawn", length: int = 32) -> None:
        self.model = model
        self.seen: list[str] = []
        self._length = length

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> list[bytes]:
        """A vector for each."""
        self.seen += texts
        vectors = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            vector = np.random.default_rng(seed).standard_normal(self._length)
            vectors.append((vector / np.linalg.norm(vector)).astype("<f4").tobytes())
        return vectors

    def close(self) -> None:
        """Nothing is held."""


def content(number: int) -> bytes:
    """The hash of a photo's bytes."""
    return hashlib.sha256(b"%d" % number).digest()


def word(number: int) -> str:
    """A word of its own for each number."""
    return "".join("bcdfghjklm"[int(digit)] + "a" for digit in f"{number:04}")


def add_photos(ledger: Ledger, count: int) -> list[int]:
    """Photos 0 to `count` in a library, each named by its `word`; their ids."""
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos", "Photos")
    files = [
        ReadFile(f"{word(n)}.jpg", content(n), FileFacts(n, n, "photo", taken_source="mtime")) for n in range(count)
    ]
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "found")
        record_files(uow, library, files)
        return [media.id for media in uow.media.of_contents([content(n) for n in range(count)])]


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("empty_log"), tmp_path / "imageapi.db")
        url = f"sqlite:///{tmp_path}/imageapi.db"
    else:
        url = request.getfixturevalue("furnished_postgres_url")
    ledger = Ledger(Database(url))
    yield ledger
    ledger.close()


@pytest.fixture
def embedder() -> Drawn:
    """A text embedder that costs nothing."""
    return Drawn()
