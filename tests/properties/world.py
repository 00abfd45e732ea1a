"""A ledger for the properties: many small histories, so nothing waits for the disk and nothing is described twice."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, delete, event, update

from adapters.store.database import Database
from adapters.store.generations import SCRATCH
from adapters.store.ledger import Ledger
from adapters.store.log import head, read_generations
from adapters.store.transaction import Generation
from domain.base.actor import CLI, WATCHER
from domain.base.geometry import Box
from domain.commands.detection import record_detection
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.events.face import FaceCarried
from domain.events.insight import Insight, TranscriptMessage
from domain.events.media import FileFacts
from domain.events.summary import Summary
from domain.ports.face_engine import DetectedFace, Detection
from projections.queries.faces import FaceView
from projections.queries.graph import EntityView, FactView, KnowledgeGraph
from projections.queries.persons_with_faces import PersonView
from projections.verify import Difference, differences
from tests.fakes import PLACE_ALONE

MODEL = "model-1"
LEFT, RIGHT = Box(0.25, 0.25, 0.25, 0.25), Box(0.7, 0.2, 0.2, 0.2)


class Saved(NamedTuple):
    """A world to begin with, as it was saved."""

    database: bytes
    library: int
    contents: tuple[bytes, ...]


class Stand(NamedTuple):
    """All that a person sees, versions aside: persons, faces with the persons they are not, what was said to wrong
    suggestions (pairs of persons, faces with theirs), tags of photos, insights with their conversations, entities with
    their facts, summaries."""

    persons: dict[int, PersonView]
    faces: dict[int, tuple[FaceView, set[int]]]
    apart: set[tuple[int, int]]
    confirmed: dict[int, set[int]]
    tags: dict[bytes, tuple[str, ...]]
    insights: dict[int, tuple[Insight, tuple[TranscriptMessage, ...]]]
    entities: dict[int, tuple[EntityView, tuple[FactView, ...]]]
    summaries: dict[int, Summary]


class World:
    """One library with photos; the ledger is real and on disk, and is thrown away."""

    def __init__(self, photos: int = 0, saved: Saved | None = None) -> None:
        """A new world of photos with one face each, or one that was saved."""
        self.folder = tempfile.TemporaryDirectory(prefix="history-")
        self.path = Path(self.folder.name) / "imageapi.db"
        if saved is not None:
            self.path.write_bytes(saved.database)
        database = Database(f"sqlite:///{self.path}")
        for engine in (database._writer, database._reader):
            event.listen(engine, "connect", _do_not_wait_for_the_disk)
        self.ledger = Ledger(database)
        self.contents: list[bytes] = [] if saved is None else list(saved.contents)
        self._scratch: Generation | None = None
        if saved is not None:
            self.library = saved.library
            return
        with self.ledger.transaction(CLI) as uow:
            self.library = add_library(uow, "/photos")
        for number in range(photos):
            self.add_photo(number)

    def saved(self) -> Saved:
        """The world as it is now; it is closed by this."""
        self.ledger.close()
        kept = Saved(self.path.read_bytes(), self.library, tuple(self.contents))
        self.folder.cleanup()
        return kept

    def add_photo(self, number: int) -> None:
        """A new file with one face."""
        content = content_of(number)
        with self.ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, self.library, [ReadFile(f"{number}.jpg", content, facts_of(number))])
        self.detect(content, number)
        self.contents.append(content)

    def detect(self, content: bytes, seed: int, model: str = MODEL, boxes: tuple[Box, ...] = (LEFT,)) -> None:
        """Let a model find faces in these places."""
        faces = tuple(DetectedFace(box, 0.9, vector(seed + place)) for place, box in enumerate(boxes))
        with self.ledger.transaction(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            record_detection(uow, content, Detection(model, faces), PLACE_ALONE)

    def faces_by_person(self) -> dict[int | None, set[int]]:
        """The detected faces of each canonical person; under None those of nobody."""
        found: dict[int | None, set[int]] = {}
        with self.ledger.reading(CLI) as tables:
            for face in tables.faces.newest(unassigned=False, before=None, limit=10_000):
                found.setdefault(face.person_id, set()).add(face.id)
        return found

    def heirs_of(self, face_id: int) -> list[int]:
        """The faces that decisions about this one were carried to."""
        events = [recorded.event for recorded in self.ledger.history([f"face-{face_id}"], 1000)]
        return [event.heir for event in events if isinstance(event, FaceCarried)]

    def stand(self) -> Stand:
        """All that a person sees."""
        with self.ledger.reading(CLI) as tables:
            persons = tables.persons_with_faces.page(sort="name", after=None, limit=10_000, include_hidden=True)
            shown = tables.faces.newest(unassigned=False, before=None, limit=10_000)
            told = tables.insights.latest(10_000)
            graph = tables.entities
            entities = [view for view, _ in graph.page(10_000)]
            tags = {content: tuple(names) for content, names in tables.tagged.of_contents(self.contents).items()}
            return Stand(
                {person.id: msgspec.structs.replace(person, version=0) for person, _ in persons},
                {face.id: (msgspec.structs.replace(face, version=0), tables.faces.rejected(face.id)) for face in shown},
                tables.persons.told_apart(),
                {face.id: tables.faces.confirmations(face.id) for face in shown},
                {content: names for content, names in tags.items() if names},
                {each.id: (without_versions(each), tables.transcripts.of(each.id)) for each in told},
                {each.id: (but_version(each), facts_in(graph, each)) for each in entities},
                {each.id: each for each in tables.summaries.page(10_000, superseded=True)},
            )

    def replayed_differs(self, batch: int) -> list[Difference]:
        """Where the live tables differ from a replay in batches of this size."""
        with self.ledger.database.writing() as connection:
            scratch = self._emptied(connection)
            self._fill(connection, scratch, batch)
        with self.ledger.database.reading() as connection:
            return list(differences(connection, self.ledger.live(connection).tables, scratch.tables))

    def _emptied(self, connection: Connection) -> Generation:
        """Tables to replay into, made at the first call."""
        if self._scratch is None:
            self._scratch = self.ledger.make_generation(connection, SCRATCH)
            return self._scratch
        for table in reversed(self._scratch.tables.tables):
            connection.execute(delete(table))
        t = read_generations
        connection.execute(update(t).where(t.c.number == self._scratch.number).values(position=0))
        return self._scratch

    def _fill(self, connection: Connection, scratch: Generation, batch: int) -> None:
        reached = 0
        while events := self.ledger.next_batch(connection, scratch.number, batch):
            self.ledger.project(connection, scratch, events)
            reached = events[-1].position
        assert reached == head(connection)[0]

    def forget_scratch(self) -> None:
        """An erasure dropped the tables to replay into."""
        self._scratch = None

    def close(self) -> None:
        """Throw it away."""
        self.ledger.close()
        self.folder.cleanup()


@cache
def saved(build: Callable[[], World]) -> Saved:
    """The world that `build` makes, built once."""
    return build().saved()


def without_versions(insight: Insight) -> Insight:
    """An insight as far as an undo brings it back."""
    return msgspec.structs.replace(insight, version=0, turns_version=0)


def but_version(entity: EntityView) -> EntityView:
    """An entity as far as an undo brings it back."""
    return msgspec.structs.replace(entity, version=0)


def facts_in(graph: KnowledgeGraph, entity: EntityView) -> tuple[FactView, ...]:
    """What is said of an entity itself, as far as an undo brings it back."""
    told = graph.facts_of(entity.id, 0, 10_000) if entity.fact_count else ()
    return tuple(msgspec.structs.replace(fact, version=0) for fact in told if fact.entity_id == entity.id)


def content_of(number: int) -> bytes:
    """The hash of a file's bytes."""
    return hashlib.sha256(str(number).encode()).digest()


def facts_of(number: int) -> FileFacts:
    """What was read of a file."""
    return FileFacts(number, number, "photo", width=100, height=100, taken_at=number)


@cache
def vector(seed: int) -> bytes:
    """A face's embedding."""
    values = np.random.default_rng(seed).normal(size=512).astype("<f4")
    return bytes((values / np.linalg.norm(values)).astype("<f4").tobytes())


def _do_not_wait_for_the_disk(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]  # a DBAPI connection
