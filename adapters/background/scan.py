"""The scan of one library: what is new, changed, moved, missing or back, found by looking and recorded in batches.

A scan walks twice. The first walk compares names, sizes and times with the tables, folder by folder, and learns how
much there is to read and which files are gone; the second reads. Memory stays flat, the progress has a total, and a
moved file is known to have left its old place before its new one is recorded. Nothing is kept between the walks but ids
of files that are gone or to be tried again, so an interrupted scan goes on with the next one.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from adapters.background.moves_between_libraries import left_elsewhere
from adapters.files.existence import ExistingFiles
from adapters.files.recently_read import RecentlyRead, tells_nothing
from adapters.files.scan_report import Report, ScanReport
from adapters.files.walk import FileProblem, FoundFile, MediaKind, kind_of, walk
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import NotFound, StillChanging, Unavailable, Unreadable
from domain.base.paths import bytes_of, folder_of, shown
from domain.commands.bursts import link_bursts
from domain.commands.media import ReadFile, record_files, record_missing
from domain.events.library import Library
from domain.events.media import NEEDS_FFMPEG, FileFacts, Media
from domain.ports.watching import Noticed
from domain.rules.bursts import changes_of
from projections.queries.reading import Lookups

log = logging.getLogger(__name__)

BATCH_FILES = 500
BATCH_SECONDS = 1.5
"""A batch is recorded when it is full or this old, so that photos appear while the scan goes on."""
SETTLE_SECONDS = 2.0
"""A file that was written more recently than this may be half of itself: it is read at the end of the scan, if by then
it has stood still that long, and otherwise by the next one."""
NOTICED_SETTLE_SECONDS = 0.5
"""The same where each end of writing is noticed: what is read too early is read again."""
EVERYTHING = Noticed(everything=True)
OUTDATED_FILES = 1000
"""Files of which more can be known since an update that a quick scan reads again: what is new does not wait for all."""
READ_AHEAD = 64
"""Files that are read or wait for a worker at once: enough to keep every worker busy, few enough to stay flat."""


class ReadMedia(Protocol):
    """Reads one file in a worker; `adapters.media` does it."""

    def __call__(self, path: bytes, text: str, kind: MediaKind, size: int) -> Future[ReadFile]:
        """The file as it is: fails with `Unavailable` where it cannot be told now (still written, disk away),
        `NotFound` where it is gone, `Unreadable` where reading it hangs or crashes."""


class Scanner:
    """Scans libraries; one scan of a library at a time is the caller's promise. Blocking."""

    def __init__(
        self,
        ledger: Ledger,
        read: ReadMedia,
        excluded: Sequence[Path],
        settle_seconds: float = SETTLE_SECONDS,
        try_again: Callable[[Media], bool] = lambda _: False,
    ) -> None:
        """`try_again` says, once, of a file that has no picture whether a full scan is to read it all the same."""
        self._ledger = ledger
        self._read = read
        self._excluded = tuple(excluded)
        self._settle_seconds = settle_seconds
        self._try_again = try_again
        self._recent = RecentlyRead()

    def scan(
        self,
        library: Library,
        *,
        full: bool = False,
        noticed: Noticed | None = None,
        report: Report | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> ScanReport:
        """Bring the tables up to what is on the disk; a `full` scan also tries again what could not be read before.

        Only what was `noticed` is looked at, where that is given, and its written files are read whatever their size
        and time say.
        `report` is called as numbers change, `stopping` says when to leave off after the current batch.

        Raises:
            Unavailable: the root is missing, or empty where files are known: nothing is marked as removed.
        """
        settle = self._settle_seconds
        if noticed is not None and not noticed.everything:
            settle = min(settle, NOTICED_SETTLE_SECONDS)
        noticed = noticed or EVERYTHING
        job = _Scan(
            self._ledger,
            self._read,
            self._excluded,
            settle,
            library,
            full,
            noticed,
            self._try_again,
            self._recent,
        )
        return job.run(report or (lambda _: None), stopping)


class _Scan:
    """One scan under way."""

    def __init__(
        self,
        ledger: Ledger,
        read: ReadMedia,
        excluded: Iterable[Path],
        settle_seconds: float,
        library: Library,
        full: bool,
        noticed: Noticed,
        try_again: Callable[[Media], bool],
        recent: RecentlyRead,
    ) -> None:
        self._ledger, self._read, self._excluded = ledger, read, excluded
        self._settle_seconds = settle_seconds
        self._library, self._full, self._noticed = library, full, noticed
        self._recent = recent
        self._report: Report = lambda _: None
        self._stopping: Callable[[], bool] = lambda: False
        self._root = bytes_of(library.root)
        self._done = ScanReport(problems=[])
        self._batch: list[ReadFile] = []
        self._batch_began = time.monotonic()
        self._vanished: set[int] = set()
        self._try_again = try_again
        self._again: set[int] = set()
        self._may_reread: float = math.inf if full else OUTDATED_FILES
        self._touched: set[str] = set()
        self._has_ffmpeg = shutil.which("ffprobe") is not None

    def run(self, report: Report, stopping: Callable[[], bool]) -> ScanReport:
        """The whole scan."""
        self._report, self._stopping = report, stopping
        done = self._done
        began = time.monotonic()
        self._vanished = self._survey()
        done.looked = time.monotonic() - began
        if done.to_read:
            self._read_all()
        if self._vanished and not self._stopping():
            self._record_missing()
        self._link_bursts()
        if done.operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=done.operation_id) as uow:
                uow.end(done.text(self._library.name))
        self._report(done)
        return done

    # The first walk

    def _survey(self) -> set[int]:
        """Count what there is to read; the ids of files that are no longer where they were."""
        done = self._done
        met: set[str] = set()
        gone: set[int] = set()
        unknown: list[str] = []
        for folder, found in self._folders():
            if isinstance(found, FileProblem):
                unknown.append(found.path)
                done.problems.append(found)
                log.warning("%s: %s", shown(os.path.join(self._library.root, found.path)), found.reason)
                continue
            met.add(folder)
            known = self._known(folder)
            done.found += len(found)
            if self._full:
                self._again |= {media.id for media in known.values() if media.present and self._try_again(media)}
            done.to_read += sum(self._is_news(file, known.get(file.path)) for file in found)
            done.outdated += sum(self._is_outdated(file, known.get(file.path)) for file in found)
            here = {file.path for file in found}
            went = {media.id for media in known.values() if media.present and media.path not in here}
            gone |= went
            if went or self._full:
                self._touched.add(folder)
            self._report(done)
        remembered = self._remembered()
        if not done.found and remembered and (self._noticed.everything or self._is_empty(remembered)):
            raise Unavailable(
                f"the folder {self._library.root} is empty, though files are known in it: is its disk mounted? "
                "Nothing was marked as removed"
            )
        for folder in remembered:
            if folder not in met and self._noticed.concerns(folder):
                gone.update(media.id for media in self._known(folder).values() if media.present)
        again = min(done.outdated, self._may_reread)
        done.to_read, done.outdated = done.to_read + int(again), done.outdated - int(again)
        return self._without_unknown(gone, unknown)

    def _remembered(self) -> Sequence[str]:
        """The folders in which files are known, at least all that were to be looked at."""
        if self._done.found and not (self._noticed.everything or self._noticed.trees):
            return sorted(self._noticed.folders)
        with self._ledger.reading(WATCHER) as tables:
            return tables.media.folders_with_files(self._library.id)

    def _is_empty(self, remembered: Iterable[str]) -> bool:
        """Whether nothing is left of a library of which a part was looked at: no other folder that is known has a
        media file."""
        others = (folder for folder in remembered if not self._noticed.concerns(folder))
        return not any(self._has_media(folder) for folder in others)

    def _has_media(self, folder: str) -> bool:
        try:
            found = walk(self._root, self._excluded, folder, deep=False)
        except (NotFound, Unavailable):
            return False
        return any(isinstance(entry, FoundFile) and kind_of(entry.path) for entry in found)

    def _without_unknown(self, gone: set[int], unknown: Sequence[str]) -> set[int]:
        if not unknown or not gone:
            return gone
        with self._ledger.reading(WATCHER) as tables:
            files = {id_: tables.media.find(id_) for id_ in gone}
        hidden = tuple(f"{path}/" for path in unknown)

        def may_be_there(media: Media | None) -> bool:
            return media is None or "" in unknown or media.path in unknown or media.path.startswith(hidden)

        return {id_ for id_, media in files.items() if not may_be_there(media)}

    def _folders(self) -> Iterator[tuple[str, list[FoundFile] | FileProblem]]:
        """The library's media files, folder by folder as the walk meets them."""
        for folder, group in itertools.groupby(self._entries(), key=lambda entry: folder_of(entry.path)):
            files = []
            for entry in group:
                if isinstance(entry, FileProblem):
                    yield folder, entry
                elif kind_of(entry.path) is not None:
                    files.append(entry)
            if files:
                yield folder, files

    def _entries(self) -> Iterator[FoundFile | FileProblem]:
        """What the walk meets, of the places that were noticed."""
        if self._noticed.everything:
            yield from walk(self._root, self._excluded)
            return
        walk(self._root, self._excluded, deep=False)  # the root must be there, else everything looks gone
        folders, trees = self._noticed.places()
        for place, deep in [*((folder, False) for folder in folders), *((tree, True) for tree in trees)]:
            try:
                yield from walk(self._root, self._excluded, place, deep=deep)
            except NotFound:
                continue  # it went, with all that was in it
            except Unavailable as error:
                yield FileProblem(place, str(error))

    def _known(self, folder: str) -> Mapping[str, Media]:
        with self._ledger.reading(WATCHER) as tables:
            return tables.media.in_folder(self._library.id, folder)

    def _is_news(self, file: FoundFile, known: Media | None) -> bool:
        if file.path in self._noticed.unfinished:
            return False
        if known is None or not known.present:
            return True
        if file.path in self._noticed.written and not self._recent.has(self._library.id, file):
            return True
        if self._full and (known.content_hash is None or known.id in self._again):
            return True
        if self._full and known.problem == NEEDS_FFMPEG and self._has_ffmpeg:
            return True
        return (known.size, known.mtime_ns) != (file.size, file.mtime_ns)

    def _is_outdated(self, file: FoundFile, known: Media | None) -> bool:
        """Whether there is no news of a file, but more to be known than was when it was read."""
        wanted = self._noticed.everything and known is not None and known.is_outdated
        return wanted and not self._is_news(file, known)

    # The second walk

    def _read_all(self) -> None:
        reading: deque[tuple[FoundFile, Future[ReadFile]]] = deque()
        young: list[FoundFile] = []
        for file in self._news():
            if file.path not in self._noticed.written and self._age(file) < self._settle_seconds:
                young.append(file)
                continue
            reading.append((file, self._begin(file)))
            if len(reading) >= READ_AHEAD:
                self._take(*reading.popleft())
        for file, future in reading:
            self._take(file, future)
        self._record()  # what is read does not wait for what has to settle
        for file in young:
            if not self._stopping():
                self._take_settled(file)
        self._record()

    def _news(self) -> Iterator[FoundFile]:
        """The files to read, until the scan is to stop."""
        for folder, found in self._folders():
            known = {} if isinstance(found, FileProblem) else self._known(folder)
            for file in () if isinstance(found, FileProblem) else found:
                if self._stopping():
                    return
                if self._is_news(file, known.get(file.path)):
                    yield file
                elif self._may_reread > 0 and self._is_outdated(file, known.get(file.path)):
                    self._may_reread -= 1
                    yield file

    def _age(self, file: FoundFile) -> float:
        """Seconds since the file was written; a time in the future counts as long ago."""
        age = time.time() - file.mtime_ns / 1e9
        return age if age >= 0 else math.inf

    def _take_settled(self, file: FoundFile) -> None:
        """Read a young file once it has stood still for long enough, or leave it for the next scan."""
        time.sleep(max(0.0, self._settle_seconds - self._age(file)))
        try:
            now = os.stat(os.path.join(self._root, bytes_of(file.path)))
        except OSError:
            return  # gone since the walk
        if (now.st_size, now.st_mtime_ns) == (file.size, file.mtime_ns):
            self._take(file, self._begin(file))
        else:
            self._done.deferred += 1
            log.info("%s is still being written: it is left for the next scan", shown(file.path))

    def _begin(self, file: FoundFile) -> Future[ReadFile]:
        self._recent.remember(self._library.id, file)
        kind = kind_of(file.path) or "photo"
        return self._read(os.path.join(self._root, bytes_of(file.path)), file.path, kind, file.size)

    def _take(self, file: FoundFile, future: Future[ReadFile]) -> None:
        done = self._done
        done.read += 1
        if future.exception() is not None:
            self._recent.forget(self._library.id, file)
        try:
            self._batch.append(future.result())
        except NotFound:
            pass  # gone since the walk: the next scan will not meet it either
        except StillChanging as error:
            done.deferred += 1
            log.info("%s is left for the next scan: %s", shown(file.path), error)
        except Unavailable as error:
            done.deferred += 1
            if done.trouble is None:
                log.warning("%s is left for the next scan: %s", shown(file.path), error)
            done.trouble = str(error)
        except Unreadable as error:
            self._batch.append(_unread(file, str(error)))
        full = len(self._batch) >= BATCH_FILES
        if full or time.monotonic() - self._batch_began > BATCH_SECONDS:
            self._record()

    def _record(self) -> None:
        batch, self._batch = self._without_unchanged(self._batch), []
        self._batch_began = time.monotonic()
        done = self._done
        if batch:
            for read in batch:
                if read.facts.problem is not None:
                    log.warning("%s: %s", shown(os.path.join(self._library.root, read.path)), read.facts.problem)
            vanished = self._vanished | left_elsewhere(self._ledger, self._library.id, batch, self._vanished)
            with self._ledger.transaction(WATCHER, operation_id=done.operation_id) as uow:
                self._require_library(uow)
                operation_id = uow.begin("scan", f"began to scan {self._library.name}")
                recorded = record_files(uow, self._library.id, batch, vanished)
            self._touched |= {folder_of(read.path) for read in batch}
            done.operation_id = operation_id
            done.discovered += recorded.discovered
            done.changed, done.again = done.changed + recorded.changed, done.again + recorded.again
            done.moved += recorded.moved
        self._report(done)

    def _without_unchanged(self, batch: Sequence[ReadFile]) -> list[ReadFile]:
        """What was read but for written files whose bytes are what they were: of them there is nothing to record."""
        written = [read.path for read in batch if read.path in self._noticed.written]
        if not written:
            return [*batch]
        with self._ledger.reading(WATCHER) as tables:
            known = tables.media.at_each(self._library.id, written)
        return [read for read in batch if read.path not in known or not tells_nothing(read, known[read.path])]

    def _require_library(self, uow: Lookups) -> None:
        """The scan is over where the library was removed or moved since it began."""
        library = uow.libraries.get(self._library.id)
        if library is None or library.removed or library.root != self._library.root:
            raise Unavailable(f"the library {self._library.name} was removed or moved while it was scanned")

    def _record_missing(self) -> None:
        """Mark what is gone and was not met elsewhere; a file that came back since the first walk is left for the next
        scan."""
        done = self._done
        for ids in _batches(sorted(self._vanished)):
            standing = ExistingFiles(self._library.root)
            with self._ledger.reading(WATCHER) as tables:
                met = (tables.media.find(id_) for id_ in ids)
                still = [media for media in met if media is not None and self._is_gone(media, standing)]
            if not still:
                continue
            with self._ledger.transaction(WATCHER, operation_id=done.operation_id) as uow:
                self._require_library(uow)
                operation_id = uow.begin("scan", f"began to scan {self._library.name}")
                done.missing += record_missing(uow, [media.id for media in still])
            self._touched |= {folder_of(media.path) for media in still}
            done.operation_id = operation_id

    def _link_bursts(self) -> None:
        """Record what became of the bursts in the folders where anything changed, and in all where the scan is full:
        an earlier one may have been interrupted."""
        done = self._done
        for folder in sorted(self._touched):
            if self._stopping():
                return
            with self._ledger.reading(WATCHER) as tables:
                if not changes_of(tables.media.shots_in(self._library.id, folder)):
                    continue
            with self._ledger.transaction(WATCHER, operation_id=done.operation_id) as uow:
                self._require_library(uow)
                operation_id = uow.begin("scan", f"began to scan {self._library.name}")
                done.in_bursts += link_bursts(uow, self._library.id, folder)
            done.operation_id = operation_id

    def _is_gone(self, media: Media, standing: ExistingFiles) -> bool:
        if not media.present or media.library_id != self._library.id:
            return False
        return not standing.has(media.path)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH_FILES):
        yield ids[start : start + BATCH_FILES]


def _unread(file: FoundFile, problem: str) -> ReadFile:
    kind = kind_of(file.path) or "photo"
    return ReadFile(file.path, None, FileFacts(file.size, file.mtime_ns, kind, problem=problem))
