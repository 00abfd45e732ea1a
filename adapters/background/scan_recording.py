"""What a scan puts on record, as one operation: files that were read in batches, files that are missing, bursts."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Self

from adapters.background.moves_between_libraries import left_elsewhere
from adapters.background.scan_likeness import Likenesses
from adapters.files.existence import ExistingFiles
from adapters.files.recently_read import tells_nothing
from adapters.files.scan_report import Report, ScanReport
from adapters.store.ledger import Ledger
from adapters.store.transaction import Transaction
from domain.base.actor import WATCHER
from domain.base.errors import ImageApiError, Unavailable
from domain.base.paths import folder_of, shown
from domain.commands.bursts import link_bursts
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.videos import zone_videos, zones_of
from domain.events.library import Library
from domain.events.media import Media
from domain.rules.bursts import changes_of

log = logging.getLogger(__name__)

BATCH_FILES: Final = 500
EDITED_FILES: Final = 50
"""Of photos that were saved anew, whose tags and faces go along, fewer are recorded at once: each takes some 4 ms, and
who writes meanwhile waits."""
BATCH_SECONDS: Final = 1.5
"""A batch is recorded when it is full or this old, so that photos appear while the scan goes on."""


def unfinished_scan(library: str) -> str:
    """What is said of a scan that could not go on: not why, which may name a folder of the server."""
    return f"could not scan {library} to its end; /health and the log of the server say why"


class ScanRecording:
    """The operation of one scan of one library, begun by who asked for it, or with the first thing that there is to
    record; it ends with the block that it is entered for."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        likenesses: Likenesses,
        done: ScanReport,
        report: Report,
        *,
        written: Collection[str],
        faces_follow: bool,
        batch_files: int,
        edited_files: int,
    ) -> None:
        """`batch_files` are recorded in one transaction, of edited ones `edited_files`. `written` are the files whose
        writing was noticed; what is recorded is counted into `done` and reported. With `faces_follow` what is new is
        looked at for faces afterwards, and what only these can tell waits for that."""
        self._ledger, self._library, self._written = ledger, library, written
        self._likenesses, self._faces_follow = likenesses, faces_follow
        self._batch_files, self._edited_files = batch_files, edited_files
        self._done, self._report = done, report
        self._batch: list[ReadFile] = []
        self._held: list[ReadFile] = []
        self._changing: set[int] = set()
        self._began = time.monotonic()
        self._vanished: set[int] = set()
        self._touched: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Close the operation, where anything was recorded or somebody asked, with the scan in words."""
        name = self._library.name
        if error is None:
            self._end(self._done.text(name))
        elif isinstance(error, ImageApiError):
            self._end(unfinished_scan(name))
        else:
            self._end(f"began to scan {name}, and was interrupted")

    def expect(self, vanished: set[int], changing: set[int], touched: set[str]) -> None:
        """The ids of files that are gone from their places, of which a file that is read may be one that moved, of
        those that are still to be read since they changed, and the folders where bursts may have changed."""
        self._vanished, self._changing, self._touched = vanished, changing, touched

    def add(self, read: ReadFile) -> None:
        """A file was read."""
        self._batch.append(read)

    def record_when_due(self) -> None:
        """Record the batch where it is full or old."""
        if len(self._batch) >= self._batch_files or time.monotonic() - self._began > BATCH_SECONDS:
            self.record()

    def record(self) -> None:
        """Record what was read so far, but for files that may have changed places: these wait for each other."""
        batch, self._batch = self._without_unchanged(self._batch), []
        self._began = time.monotonic()
        for read in batch:
            if read.facts.problem is not None:
                log.warning("%s: %s", shown(os.path.join(self._library.root, read.path)), read.facts.problem)
        self._record(self._without_waiting(batch))
        self._report(self._done)

    def record_held(self) -> None:
        """Record the files that changed places, now that all are read."""
        held, self._held = self._held, []
        self._record(held, together=True)
        self._report(self._done)

    def _record(self, batch: Sequence[ReadFile], *, together: bool = False) -> None:
        """Record files, all `together` where one may have taken another's place."""
        if not batch:
            return
        done = self._done
        vanished = self._vanished | left_elsewhere(self._ledger, self._library.id, batch, self._vanished)
        likenesses = self._likenesses.of(self._library.id, batch, vanished)
        for part in [batch] if together else self._parts(batch, likenesses):
            with self._transaction() as uow:
                recorded = record_files(
                    uow, self._library.id, part, vanished, likenesses=likenesses, faces_follow=self._faces_follow
                )
            done.discovered += recorded.discovered
            done.changed, done.again = done.changed + recorded.changed, done.again + recorded.again
            done.moved += recorded.moved
        self._touched |= {folder_of(read.path) for read in batch}

    def _parts(self, batch: Sequence[ReadFile], edited: Container[str]) -> Iterator[Sequence[ReadFile]]:
        """What is recorded in one transaction each."""
        if plain := [read for read in batch if read.path not in edited]:
            yield plain
        others = [read for read in batch if read.path in edited]
        for start in range(0, len(others), self._edited_files):
            yield others[start : start + self._edited_files]

    def _without_waiting(self, batch: Sequence[ReadFile]) -> Sequence[ReadFile]:
        """What was read but for files whose bytes, or picture, are those of a file that is still to be read, or gone:
        whether they changed places is known when all are read. As many are held as changed places."""
        if not self._changing:
            return batch
        with self._ledger.reading(WATCHER) as tables:
            known = tables.media.at_each(self._library.id, [read.path for read in batch])
            arrived = [read for read in batch if not read.has_bytes_of(known.get(read.path))]
            contents = {read.content_hash for read in arrived if read.content_hash is not None}
            pictures = {read.facts.picture_hash for read in arrived if read.facts.picture_hash is not None}
            holders = [*tables.media.of_contents(contents), *tables.media.of_pictures(pictures)]
        free = [media for media in holders if media.id in self._changing or media.id in self._vanished]
        waiting = {media.content_hash for media in free} | {media.picture_hash for media in free} - {None}
        held = [
            read
            for read in arrived
            if read.content_hash in waiting
            or (read.facts.picture_hash in waiting and not read.has_picture_of(known.get(read.path)))
        ]
        self._held += held
        paths = {read.path for read in held}
        return [read for read in batch if read.path not in paths]

    def record_missing(self) -> None:
        """Mark what is gone and was not met elsewhere; a file that came back since the first walk is left for the next
        scan."""
        for ids in _batches(sorted(self._vanished)):
            existing = ExistingFiles(self._library.root)
            with self._ledger.reading(WATCHER) as tables:
                met = (tables.media.find(id_) for id_ in ids)
                still = [media for media in met if media is not None and self._is_gone(media, existing)]
            if not still:
                continue
            with self._transaction() as uow:
                missing = record_missing(uow, [media.id for media in still])
            self._done.missing += missing
            self._touched |= {folder_of(media.path) for media in still}

    def link_bursts(self, stopping: Callable[[], bool]) -> None:
        """Record what became of the bursts in the folders where anything changed, and in all where the scan is full:
        an earlier one may have been interrupted."""
        for folder in sorted(self._touched):
            if stopping():
                return
            with self._ledger.reading(WATCHER) as tables:
                if not changes_of(tables.media.shots_in(self._library.id, folder)):
                    continue
            with self._transaction() as uow:
                linked = link_bursts(uow, self._library.id, folder)
            self._done.in_bursts += linked

    def zone_videos(self, stopping: Callable[[], bool], *, full: bool) -> None:
        """Record what photos tell of the videos that know only UTC, where anything changed or the scan is full."""
        if stopping() or not (full or self._touched):
            return
        with self._ledger.reading(WATCHER) as tables:
            if not zones_of(tables.media, self._library.id, self._touched):
                return
        with self._transaction() as uow:
            zone_videos(uow, self._library.id, self._touched)

    def _end(self, text: str) -> None:
        if self._done.operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=self._done.operation_id) as uow:
                uow.end(text)
        self._report(self._done)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        """A transaction of the scan's operation, which counts once it is committed. The scan is over where the library
        was removed or moved since it began."""
        with self._ledger.transaction(WATCHER, operation_id=self._done.operation_id) as uow:
            library = uow.libraries.get(self._library.id)
            if library is None or library.removed or library.root != self._library.root:
                raise Unavailable(f"the library {self._library.name} was removed or moved while it was scanned")
            operation_id = uow.begin("scan", f"began to scan {self._library.name}")
            yield uow
        self._done.operation_id = operation_id

    def _without_unchanged(self, batch: Sequence[ReadFile]) -> list[ReadFile]:
        """What was read but for written files whose bytes are what they were: of them there is nothing to record."""
        written = [read.path for read in batch if read.path in self._written]
        if not written:
            return [*batch]
        with self._ledger.reading(WATCHER) as tables:
            known = tables.media.at_each(self._library.id, written)
        return [read for read in batch if read.path not in known or not tells_nothing(read, known[read.path])]

    def _is_gone(self, media: Media, existing: ExistingFiles) -> bool:
        if not media.present or media.library_id != self._library.id:
            return False
        return not existing.has(media.path)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH_FILES):
        yield ids[start : start + BATCH_FILES]
