"""A small world for the rules of the domain: a real ledger on SQLite, one library, photos and faces with vectors."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import pytest

from adapters.store.ledger import Ledger
from adapters.store.transaction import Transaction
from domain.base.actor import CLI, WATCHER, Actor
from domain.base.errors import Conflict, InTheWay
from domain.base.geometry import Box
from domain.commands.detection import record_detection
from domain.commands.faces import FaceChanges, change_face
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import PersonChanges, change_person, create_person, merge_persons
from domain.events.event import Event
from domain.events.face import Face
from domain.events.media import FileFacts, Media
from domain.events.operation import Operation
from domain.events.person import Person
from domain.events.tag import Tag
from domain.ports.face_engine import DetectedFace, Detection, Embedding, Resemblance
from domain.undo.operations import undo
from projections.queries.reading import Lookups
from projections.tables.attachments import read_vector, stored_vector

DIMENSIONS = 128
MODEL, OTHER_MODEL = "model-1", "model-2"
LEFT, RIGHT, BELOW = Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.1, 0.2, 0.2), Box(0.3, 0.6, 0.2, 0.2)
EDITOR = Actor("ed", "editor")
VIEWER = Actor("vic", "viewer")
ONE_LIBRARY = Actor("rex", "editor", frozenset({1}))
NOW_RESTRICTED = Actor(EDITOR.name, "editor", frozenset({1}))
"""The editor after some libraries were taken from them: their own deeds stay theirs to undo, as far as they see."""
Answer = TypeVar("Answer")


def content(name: str) -> bytes:
    """The content hash of bytes that say `name`."""
    return hashlib.sha256(name.encode()).digest()


def vector(degrees: float = 0.0) -> bytes:
    """A unit vector as the log gives it back: the cosine of two of them is that of the angle between them."""
    angle = math.radians(degrees)
    exact = struct.pack(f"<{DIMENSIONS}f", math.cos(angle), math.sin(angle), *[0.0] * (DIMENSIONS - 2))
    return read_vector(stored_vector(exact))


def cosine(vector: bytes, exemplars: Sequence[bytes]) -> float:
    """The greatest cosine of a vector to others, rounded, so that a threshold can be met exactly."""
    return max(round(_dot(vector, other), 4) for other in exemplars)


def _dot(one: bytes, other: bytes) -> float:
    return sum(a * b for a, b in zip(_numbers(one), _numbers(other), strict=True))


def _numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{DIMENSIONS}f", vector)


def found(box: Box, degrees: float = 0.0, confidence: float = 0.9) -> DetectedFace:
    """A face as an engine finds it."""
    return DetectedFace(box, confidence, vector(degrees))


def photo(path: str, name: str | None = None, **more: int | str) -> ReadFile:
    """A photo at `path` that was just read; its bytes say `name`, or else its path."""
    size, mtime_ns, problem = int(more.get("size", 1000)), int(more.get("mtime_ns", 1)), more.get("problem")
    return ReadFile(
        path,
        content(name or path),
        FileFacts(size, mtime_ns, "photo", width=100, height=100, problem=None if problem is None else str(problem)),
    )


class World:
    """The ledger with short words for what stands in it, what is done to it, and what that appended."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    # What is done

    def uow(self, actor: Actor = EDITOR) -> AbstractContextManager[Transaction]:
        """A turn at the log."""
        return self.ledger.transaction(actor)

    def do(self, command: Callable[..., Answer], *arguments: object, actor: Actor = EDITOR, **more: Any) -> Answer:
        """Run one command in a transaction of its own."""
        with self.uow(actor) as uow:
            return command(uow, *arguments, **more)

    def operation_of(self, command: Callable[..., object], *arguments: object, **more: Any) -> int:
        """Run one command; the id of the operation that it was, 0 where it appended nothing."""
        before = self.head
        self.do(command, *arguments, **more)
        appended = self.ledger.events(before, 1)
        return appended[0].operation_id if appended else 0

    def library(self, name: str, root: str | None = None) -> int:
        """Add a library."""
        return self.do(add_library, root or f"/photos/{name}", name, actor=CLI)

    def scan(self, *files: ReadFile, library: int = 1, vanished: Sequence[int] = (), **more: Any) -> None:
        """Record files as a scan does."""
        with self.uow(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, library, files, vanished, **more)

    def detect(self, name: str, *faces: DetectedFace, model: str = MODEL, **embedded: bytes) -> list[int]:
        """Record what an engine found on a content; the ids of the new faces. `embedded` is `face_<id>=vector`."""
        again = {int(key.removeprefix("face_")): Embedding(model, value) for key, value in embedded.items()}
        before = {face.id for face in self.faces(name)}
        with self.uow(WATCHER) as uow:
            uow.begin("detect", "looked for faces")
            record_detection(uow, content(name), Detection(model, faces), Resemblance(cosine, 0.4, 0.9), again)
        return [face.id for face in self.faces(name) if face.id not in before]

    def shows(self, name: str, *faces: DetectedFace, library: int = 1) -> list[int]:
        """Add a photo `name` with faces on it; their ids."""
        self.scan(photo(name), library=library)
        return self.detect(name, *faces)

    def a_face(self, name: str = "one.jpg", library: int = 1) -> int:
        """Add a photo with one face; its id."""
        return self.shows(name, found(LEFT), library=library)[0]

    def a_person(self, name: str, *face_ids: int, **known: Any) -> int:
        """Create a person with these faces; its id."""
        person_id = self.do(create_person, name, **known)
        for face_id in face_ids:
            self.assign(face_id, person_id)
        return person_id

    def assign(self, face_id: int, person_id: int | None, actor: Actor = EDITOR) -> int:
        """Assign a face; the operation's id."""
        return self.operation_of(change_face, face_id, FaceChanges(person_id=person_id), actor=actor)

    def change(self, person_id: int, *, actor: Actor = EDITOR, expected: int | None = None, **changes: Any) -> int:
        """Change a person; the operation's id."""
        return self.operation_of(change_person, person_id, PersonChanges(**changes), expected, actor=actor)

    def merge(self, person_id: int, into: int) -> int:
        """Merge a person; the operation's id."""
        return self.operation_of(merge_persons, person_id, into)

    def undo(self, operation_id: int, actor: Actor = EDITOR) -> int:
        """Undo an operation; the id of the operation that did so."""
        return self.do(undo, operation_id, actor=actor)

    # What stands

    def reading(self, actor: Actor = CLI) -> AbstractContextManager[Lookups]:
        """Queries on the tables as they stand."""
        return self.ledger.reading(actor)

    @property
    def head(self) -> int:
        """The last position."""
        return self.ledger.head()

    def since(self, position: int) -> list[Event]:
        """What was appended after a position, without the words of operations."""
        events = [recorded.event for recorded in self.ledger.events(position, 10_000)]
        return [event for event in events if event.subject != "operation"]

    def person(self, person_id: int) -> Person:
        """A person, merged or deleted ones too."""
        with self.reading() as tables:
            person = tables.persons.get(person_id)
        assert person is not None
        return person

    def named(self, name: str) -> Person | None:
        """The live person with a name."""
        with self.reading() as tables:
            return tables.persons.named(name)

    def faces_of(self, person_id: int) -> list[int]:
        """The faces that clients see under a person."""
        with self.reading() as tables:
            return [face.id for face in tables.faces.of_person(person_id, 0, 1000)]

    def face(self, face_id: int) -> Face:
        """A face, deleted ones too."""
        with self.reading() as tables:
            face = tables.faces.get(face_id)
        assert face is not None
        return face

    def faces(self, name: str) -> list[Face]:
        """Every face on a content."""
        with self.reading() as tables:
            return tables.faces.on_content(content(name))

    def markers(self, name: str) -> list[tuple[str, str]]:
        """The markers of a content: status and model."""
        with self.reading() as tables:
            return [(status, model) for _, status, model in tables.faces.markers(content(name))]

    def vector_of(self, face_id: int) -> bytes:
        """The vector of a face as it stands."""
        embedding_id = self.face(face_id).embedding_id or 0
        with self.reading() as tables:
            return tables.faces.vectors([embedding_id])[embedding_id]

    def media(self, path: str, library: int = 1) -> Media:
        """The file at a place."""
        with self.reading() as tables:
            return tables.media.at_each(library, [path])[path]

    def tags(self, name: str) -> list[str]:
        """The tags of a content."""
        with self.reading() as tables:
            return [tag.name for tag in tables.tagged.of_content(content(name))]

    def tags_at(self, path: str, library: int = 1) -> list[str]:
        """The tags of what lies at a place."""
        content_hash = self.media(path, library).content_hash
        with self.reading() as tables:
            return [] if content_hash is None else [tag.name for tag in tables.tagged.of_content(content_hash)]

    def tag(self, name: str) -> Tag:
        """The live tag with a name."""
        with self.reading() as tables:
            tag = tables.tags.named(name)
        assert tag is not None
        return tag

    def operation(self, operation_id: int) -> Operation:
        """An operation."""
        with self.reading() as tables:
            operation = tables.operations.get(operation_id)
        assert operation is not None
        return operation


@contextmanager
def in_the_way(operation_id: int) -> Iterator[None]:
    """The block is refused, with the operation that stands in the way by its number, and in words."""
    with pytest.raises(Conflict) as refusal:
        yield
    assert isinstance(refusal.value, InTheWay), f"no operation is named: {refusal.value}"
    assert refusal.value.operation_id == operation_id
    assert f"operation {operation_id} " in str(refusal.value)


@contextmanager
def nothing_appended(world: World) -> Iterator[None]:
    """The log ends where it ended before."""
    before = world.head
    yield
    assert world.head == before, world.since(before)
