"""`imageapi xmp read` and `write`: names and keywords out of what other programs wrote, and into sidecars."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import msgspec

from adapters.runner.policies import Previews
from domain.actor import CLI
from domain.commands.xmp import Taken, take_over, to_draw
from domain.errors import NotFound, Unavailable, Unreadable
from domain.geometry import Box
from domain.media import Media
from domain.names import name_key
from domain.ports import Embedding, FaceEngine
from domain.tag import MediaTagged, TagCreated, TagRenamed
from domain.xmp import Description, said_of
from projections.lookups import Ledger, Lookups

log = logging.getLogger(__name__)

BATCH: Final = 64
"""Files that are read before what they say is recorded, in one transaction."""
AT_ONCE: Final = 4
LONGEST_HISTORY: Final = 1000
"""Events of a photo or a tag that are looked at for the names of tags that it had."""
Report = Callable[[int, int], None]


class Told(Protocol):
    """What is said of one photo; `adapters.files.descriptions.Told`."""

    @property
    def description(self) -> Description:
        """Its keywords and regions."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read."""


class Sidecars(Protocol):
    """The files beside the photos, and what stands in these; `adapters.files.descriptions.Descriptions`."""

    def read(self, media: Media, width: int | None, height: int | None) -> Told:
        """What a file and its sidecars say; raises `NotFound` and `Unavailable`."""

    def write(
        self, media: Media, width: int | None, height: int | None, say: Callable[[Description | None], Description]
    ) -> bool:
        """Write what `say` answers to the sidecar; whether that changed anything. Raises `Unreadable` too."""


File = tuple[Media, int | None, int | None]


class Written(msgspec.Struct):
    """What became of the sidecars: how many were written, how many said it all already, and what went wrong where."""

    written: int = 0
    unchanged: int = 0
    failed: list[str] = msgspec.field(default_factory=list)


class ReadsXmp:
    """Takes over what other programs say of the photos: all of it is one operation."""

    def __init__(self, ledger: Ledger, sidecars: Sidecars, engine: FaceEngine | None, previews: Previews) -> None:
        self._ledger, self._sidecars, self._engine, self._previews = ledger, sidecars, engine, previews

    def run(self, library: int | None, report: Report, *, dry_run: bool) -> tuple[Taken, int | None]:
        """Read every file of a library, or of all; what was taken over, and the operation, None where there was
        nothing. A dry run records nothing and says the same."""
        whole, operation_id = Taken(), None
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="xmp") as threads:
            for files in _batches(self._ledger, library, report):
                told = [*zip(files, threads.map(lambda file: self._read(*file), files), strict=True)]
                whole.left += [f"{file[0].path}: {problem}" for file, (_, problems) in told for problem in problems]
                said = [(file[0], description) for file, (description, _) in told if description is not None]
                if said:
                    operation_id = self._take_over(said, whole, operation_id, dry_run=dry_run)
        if operation_id is not None and not dry_run:
            with self._ledger.transaction(CLI, operation_id=operation_id) as turn:
                turn.end(f"read names and keywords from XMP: {whole}")
        return whole, operation_id

    def _read(self, media: Media, width: int | None, height: int | None) -> tuple[Description | None, Sequence[str]]:
        try:
            told = self._sidecars.read(media, width, height)
        except (NotFound, Unavailable) as error:
            return None, [str(error)]
        is_empty = not told.description.keywords and not told.description.regions
        return None if is_empty else told.description, told.problems

    def _take_over(
        self, said: Sequence[tuple[Media, Description]], whole: Taken, operation_id: int | None, *, dry_run: bool
    ) -> int | None:
        embedded = [{} if dry_run else self._embedded(media, description) for media, description in said]
        with self._ledger.transaction(CLI, operation_id=operation_id, dry_run=dry_run) as turn:
            for (media, description), vectors in zip(said, embedded, strict=True):
                taken = take_over(turn, media.content_hash or b"", description, vectors)
                taken.left = [f"{media.path}: {reason}" for reason in taken.left]
                whole.add(taken)
            return turn.operation_id

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
            picture = self._previews.preview(media)
            for region in regions:
                vectors[region.box] = self._engine.embed(picture, region.box)
        except (Unreadable, NotFound, Unavailable) as error:
            log.warning("%s: a face is drawn without an embedding: %s", media.path, error)
        return vectors


class WritesXmp:
    """Writes what was decided about the photos to sidecars; the photos are never touched."""

    def __init__(self, ledger: Ledger, sidecars: Sidecars) -> None:
        self._ledger, self._sidecars = ledger, sidecars

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
        media = file[0]
        content = media.content_hash or b""
        with self._ledger.reading(CLI) as tables:
            faces = tables.faces.on_content(content)
            names = {view.id: view.person_name for view in tables.faces.shown_on(content) if view.person_name}
            tags = [tag.name for tag in tables.tagged.of_content(content)]
        asked: list[Description | None] = []

        def say(other: Description | None) -> Description:
            once = set() if other is None or not other.keywords else self._tags_once_on(content)
            said = said_of(faces, names, tags, once, other or Description())
            asked.append(None if other is None and said == Description() else said)
            return said

        try:
            was_written = self._sidecars.write(*file, say)
        except (NotFound, Unavailable, Unreadable) as error:
            return str(error)
        return None if asked == [None] else was_written

    def _tags_once_on(self, content: bytes) -> set[str]:
        """The name keys of every tag that a content ever had, under every name that the tag ever had."""
        events = self._ledger.history([f"content-{content.hex()}"], LONGEST_HISTORY)
        tags = {recorded.event.tag_id for recorded in events if isinstance(recorded.event, MediaTagged)}
        if not tags:
            return set()
        named = self._ledger.history([f"tag-{tag_id}" for tag_id in tags], LONGEST_HISTORY)
        return {name_key(each.event.name) for each in named if isinstance(each.event, (TagCreated, TagRenamed))}


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
        after, done = files[-1][0].id, done + len(files)
        report(done, max(done, total))


def _count(tables: Lookups) -> int:
    return sum(photos + videos for photos, videos, _ in tables.media.counts().values())
