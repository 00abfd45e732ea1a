"""A ledger for the properties: many small histories, so nothing waits for the disk."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from adapters.store.database import Database
from adapters.store.generations import SCRATCH, drop
from adapters.store.ledger import Generation, Ledger
from adapters.store.log import head
from domain.actor import CLI, WATCHER
from domain.commands.detection import record_detection
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.geometry import Box
from domain.media import FileFacts
from domain.ports import DetectedFace, Detection
from projections.verify import Difference, differences

MODEL = "model-1"


class World:
    """One library with photos, each with one face; the ledger is real and on disk, and is thrown away."""

    def __init__(self, photos: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="history-")
        self.ledger = Ledger(Database(f"sqlite:///{Path(self.folder.name)}/imageapi.db"))
        with self.ledger.transaction(CLI) as turn:
            self.library = add_library(turn, "/photos")
        self.contents: list[bytes] = []
        for number in range(photos):
            self.add_photo(number)

    def add_photo(self, number: int) -> None:
        """A new file with one face."""
        content = hashlib.sha256(str(number).encode()).digest()
        facts = FileFacts(number, number, "photo", width=100, height=100, taken_at=number)
        with self.ledger.transaction(WATCHER) as turn:
            turn.begin("scan", "scanned")
            record_files(turn, self.library, [ReadFile(f"{number}.jpg", content, facts)])
        self.detect(content, number)
        self.contents.append(content)

    def detect(self, content: bytes, seed: int, model: str = MODEL) -> None:
        """Let a model find the one face."""
        vector = np.random.default_rng(seed).normal(size=512).astype("<f4")
        vector /= np.linalg.norm(vector)
        face = DetectedFace(Box(0.25, 0.25, 0.25, 0.25), 0.9, vector.tobytes())
        with self.ledger.transaction(WATCHER) as turn:
            turn.begin("detect", "looked for faces")
            record_detection(turn, content, Detection(model, (face,)))

    def faces_by_person(self) -> dict[int | None, set[int]]:
        """The detected faces of each canonical person; under None those of nobody."""
        found: dict[int | None, set[int]] = {}
        with self.ledger.reading(CLI) as tables:
            for content in self.contents:
                for face in tables.faces.shown_on(content):
                    found.setdefault(face.person_id, set()).add(face.id)
        return found

    def replayed_differs(self, batch: int) -> list[Difference]:
        """Where the live tables differ from a replay in batches of this size."""
        with self.ledger.database.writing() as connection:
            scratch = self.ledger.make_generation(connection, SCRATCH)
        try:
            with self.ledger.database.writing() as connection:
                self._fill(connection, scratch, batch)
            with self.ledger.database.reading() as connection:
                return list(differences(connection, self.ledger.live(connection).tables, scratch.tables))
        finally:
            drop(self.ledger, scratch.number)

    def _fill(self, connection: Connection, scratch: Generation, batch: int) -> None:
        while events := self.ledger.next_batch(connection, scratch.number, batch):
            self.ledger.project(connection, scratch, events)
        assert head(connection)[0] == self.ledger.head()

    def close(self) -> None:
        """Throw it away."""
        self.ledger.close()
        self.folder.cleanup()
