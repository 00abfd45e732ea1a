"""`imageapi xmp read` and `write`: names and keywords out of what other programs wrote, and into sidecars."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from adapters.background.descriptions import Descriptions, ReadDescription
from adapters.media.gallery import Gallery
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.base.errors import Conflict, NotFound, Unavailable, Unreadable
from domain.base.geometry import Box
from domain.base.names import name_key
from domain.commands.xmp import TakenOver, take_over, to_draw
from domain.events.erasure import FaceErased
from domain.events.event import Event
from domain.events.face import (
    DETECTED,
    Face,
    FaceAssigned,
    FaceDeleted,
    FaceDrawn,
    FaceIgnored,
    FaceMoved,
    FaceRejected,
    FaceUnassigned,
)
from domain.events.media import Media
from domain.events.tag import MediaTagged, TagCreated, TagRenamed
from domain.ports.face_engine import Embedding, FaceEngine
from domain.rules.xmp import Description, described
from projections.queries.reading import Lookups

log = logging.getLogger(__name__)

BATCH: Final = 64
"""Files that are read before what they say is recorded, in one transaction."""
AT_ONCE: Final = 4
LONGEST_HISTORY: Final = 1000
"""Events of a photo or a tag that are looked at for the names of tags that it had."""
DECISIONS: Final = (
    FaceAssigned,
    FaceDeleted,
    FaceDrawn,
    FaceErased,
    FaceIgnored,
    FaceMoved,
    FaceRejected,
    FaceUnassigned,
)
Report = Callable[[int, int], None]


File = tuple[Media, int | None, int | None]
"""A file and the width and height of its upright picture."""


class Written(msgspec.Struct):
    """What became of the sidecars: how many were written, how many said it all already, and what went wrong where."""

    written: int = 0
    unchanged: int = 0
    failed: list[str] = msgspec.field(default_factory=list)


class ReadsXmp:
    """Takes over what other programs say of the photos: all of it is one operation."""

    def __init__(self, ledger: Ledger, descriptions: Descriptions, engine: FaceEngine | None, gallery: Gallery) -> None:
        self._ledger, self._descriptions, self._engine, self._gallery = ledger, descriptions, engine, gallery
        self._operation_id: int | None = None

    def run(self, library: int | None, report: Report, *, dry_run: bool) -> tuple[TakenOver, int | None]:
        """Read every file of a library, or of all; what was taken over, and the operation, None where there was
        nothing. A dry run records nothing and says the same."""
        whole = TakenOver()
        self._operation_id = None
        try:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="xmp") as threads:
                for files in _batches(self._ledger, library, report):
                    described: list[tuple[Media, Description]] = []
                    for (media, _, _), read in zip(files, threads.map(self._read, files), strict=True):
                        whole.left += [f"{media.path}: {problem}" for problem in read.problems]
                        if read.description != Description():
                            described.append((media, read.description))
                    if described:
                        self._take_over(described, whole, dry_run=dry_run)
        except KeyboardInterrupt:
            whole.interrupted = True
        finally:
            self._end(whole, dry_run=dry_run)
        return whole, self._operation_id

    def _end(self, whole: TakenOver, *, dry_run: bool) -> None:
        """Say what was taken over, also where it was interrupted: that can be taken back."""
        if self._operation_id is None or dry_run:
            return
        with self._ledger.transaction(CLI, operation_id=self._operation_id) as uow:
            if not _was_undone(uow, self._operation_id):
                uow.end(f"read names and keywords from XMP: {whole}")

    def _read(self, file: File) -> ReadDescription:
        try:
            return self._descriptions.read(*file)
        except (NotFound, Unavailable) as error:
            return ReadDescription(Description(), (str(error),))

    def _take_over(self, described: Sequence[tuple[Media, Description]], whole: TakenOver, *, dry_run: bool) -> None:
        embedded = [{} if dry_run else self._embedded(media, description) for media, description in described]
        operation_id = None if dry_run else self._operation_id
        with self._ledger.transaction(CLI, operation_id=operation_id, dry_run=dry_run) as uow:
            if operation_id is not None and _was_undone(uow, operation_id):
                raise Conflict(f"operation {operation_id} was undone meanwhile: nothing more is read")
            batch = TakenOver()
            for (media, description), vectors in zip(described, embedded, strict=True):
                taken = take_over(uow, media.content_hash or b"", description, vectors)
                taken.left = [f"{media.path}: {reason}" for reason in taken.left]
                batch.add(taken)
            reached = uow.operation_id
        whole.add(batch)
        self._operation_id = reached

    def _embedded(self, media: Media, description: Description) -> dict[Box, Embedding]:
        """Vectors for the faces to draw, where detection has been there already and will not come again."""
        if self._engine is None or not description.regions:
            return {}
        content = media.content_hash or b""
        with self._ledger.reading(CLI) as tables:
            regions = to_draw(tables.faces.on_content(content), description)
        vectors: dict[Box, Embedding] = {}
        try:
            with self._ledger.reading(CLI) as tables:
                if not regions or not tables.faces.has_rows(content, self._engine.model_version):
                    return {}
            picture = self._gallery.preview(media)
            for region in regions:
                vectors[region.box] = self._engine.embed(picture, region.box)
        except (Unreadable, NotFound, Unavailable) as error:
            log.warning("%s: a face is drawn without an embedding: %s", media.path, error)
        return vectors


def _was_undone(uow: Lookups, operation_id: int) -> bool:
    operation = uow.operations.get(operation_id)
    return operation is not None and operation.undone_by is not None


class WritesXmp:
    """Writes what was decided about the photos to sidecars; the photos are never touched."""

    def __init__(self, ledger: Ledger, descriptions: Descriptions) -> None:
        self._ledger, self._descriptions = ledger, descriptions

    def run(self, library: int | None, report: Report) -> Written:
        """Write the sidecar of every file of a library, or of all, that has something to say."""
        became = Written()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="xmp") as threads:
            for files in _batches(self._ledger, library, report):
                for (media, _, _), outcome in zip(files, threads.map(self._write, files), strict=True):
                    if isinstance(outcome, str):
                        became.failed.append(f"{media.path}: {outcome}")
                    else:
                        became.written += outcome is True
                        became.unchanged += outcome is False
        return became

    def _write(self, file: File) -> bool | str | None:
        """Whether a sidecar was written, why it could not be, or None where there is nothing to say."""
        media, _, _ = file
        content = media.content_hash or b""
        with self._ledger.reading(CLI) as tables:
            faces = tables.faces.on_content(content)
            names = {view.id: view.person_name for view in tables.faces.shown_on(content) if view.person_name}
            tags = [tag.name for tag in tables.tagged.of_content(content)]
        answers: list[Description | None] = []

        def say(before: Description | None) -> Description:
            other = before or Description()
            once = self._tags_once_on(content) if other.keywords else set()
            decided = self._decided(faces)
            answer = described(faces=faces, names=names, decided=decided, tags=tags, once=once, other=other)
            answers.append(None if before is None and answer == Description() else answer)
            return answer

        try:
            was_written = self._descriptions.write(*file, say)
        except (NotFound, Unavailable, Unreadable) as error:
            return str(error)
        return None if answers == [None] else was_written

    def _tags_once_on(self, content: bytes) -> set[str]:
        """The name keys of every tag that somebody gave a content, under every name that the tag ever had; what was
        undone was never given."""
        events = self._standing([f"content-{content.hex()}"])
        tags = {event.tag_id for event in events if isinstance(event, MediaTagged)}
        named = self._standing([f"tag-{tag_id}" for tag_id in tags]) if tags else []
        return {name_key(event.name) for event in named if isinstance(event, (TagCreated, TagRenamed))}

    def _decided(self, faces: Sequence[Face]) -> set[int]:
        """The faces that somebody decided anything about, what was undone aside."""
        return {face.id for face in faces if face.status != DETECTED or (face.touched and self._is_decided(face))}

    def _is_decided(self, face: Face) -> bool:
        return any(isinstance(event, DECISIONS) for event in self._standing([f"face-{face.id}"]))

    def _standing(self, streams: Sequence[str]) -> list[Event]:
        """What happened to these things, without what was undone and without the undoing."""
        events = self._ledger.history(streams, LONGEST_HISTORY)
        with self._ledger.reading(CLI) as tables:
            operations = {each.operation_id: tables.operations.get(each.operation_id) for each in events}
        standing = {id_ for id_, each in operations.items() if each and each.undone_by is None and each.undoes is None}
        return [each.event for each in events if each.operation_id in standing]


def _batches(ledger: Ledger, library: int | None, report: Report) -> Iterator[list[File]]:
    """The readable files, by id, a batch at a time."""
    with ledger.reading(CLI, library) as tables:
        total = _count(tables)
    after = done = 0
    while True:
        with ledger.reading(CLI, library) as tables:
            files = tables.media.readable(after, BATCH)
        if not files:
            return
        yield files
        last, _, _ = files[-1]
        after, done = last.id, done + len(files)
        report(done, max(done, total))


def _count(tables: Lookups) -> int:
    return sum(photos + videos for photos, videos, _ in tables.media.counts().values())
