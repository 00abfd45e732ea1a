"""The second walk of a scan: reads what is new, several files at once, and those still being written at its end."""

from __future__ import annotations

import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Final

import msgspec

from adapters.background.scan_news import LibraryWalk, News
from adapters.background.scan_recording import ScanRecording
from adapters.files.recently_read import RecentlyRead
from adapters.files.scan_report import ScanReport
from adapters.files.walk import FoundFile, MediaKind, kind_of
from domain.base.errors import NotFound, StillChanging, Unavailable, Unreadable
from domain.base.paths import bytes_of, shown
from domain.commands.media import ReadFile
from domain.events.library import Library
from domain.events.media import FileFacts
from domain.ports.watching import Noticed

log = logging.getLogger(__name__)

READ_AHEAD: Final = 64
"""Files that are read or wait for a worker at once: enough to keep every worker busy, few enough to stay flat."""

LOOK_SECONDS: Final = 0.5
"""How often a scan that waits for a file looks whether it is to stop."""

ReadMedia = Callable[[bytes, str, MediaKind, int, Sequence[bytes]], Future[ReadFile]]
"""Reads one file in a worker (`adapters.media.gallery.Gallery.read`): its path, the path text of it, its kind by its
name, its size, the paths of its sidecars. Fails with `Unavailable` where it cannot be read now (still written, disk
away), `NotFound` where it is gone, `Unreadable` where reading it hangs or crashes."""


class Reading:
    """One second walk of one library."""

    def __init__(
        self,
        read: ReadMedia,
        recent: RecentlyRead,
        library: Library,
        noticed: Noticed,
        recording: ScanRecording,
        *,
        settle_seconds: float,
        stopping: Callable[[], bool],
    ) -> None:
        """A file that was written less than `settle_seconds` ago may be half of itself, unless the end of its writing
        was noticed."""
        self._read, self._recent, self._library, self._noticed = read, recent, library, noticed
        self._recording, self._settle_seconds, self._stopping = recording, settle_seconds, stopping
        self._root = bytes_of(library.root)

    def run(self, walk: LibraryWalk, news: News, done: ScanReport) -> None:
        """Read all news of the walk, counting into `done`, until the scan is to stop."""
        reading: deque[tuple[FoundFile, Future[ReadFile]]] = deque()
        young: list[FoundFile] = []
        for file in self._news(walk, news):
            if file.path not in self._noticed.written and _age(file) < self._settle_seconds:
                young.append(file)
                continue
            reading.append((file, self._begin(file)))
            if len(reading) >= READ_AHEAD:
                self._take(*reading.popleft(), done)
        for file, future in reading:
            self._take(file, future, done)
        self._recording.record()  # what is read does not wait for what has to settle
        for file in young:
            if not self._stopping():
                self._take_settled(file, done)
        self._recording.record()

    def _news(self, walk: LibraryWalk, news: News) -> Iterator[FoundFile]:
        """The files to read, until the scan is to stop."""
        for folder, found in walk.folders():
            if not isinstance(found, list):
                continue
            known = walk.known(folder)
            for file in found:
                if self._stopping():
                    return
                if news.takes(file, known.get(file.path)):
                    yield file

    def _take_settled(self, file: FoundFile, done: ScanReport) -> None:
        """Read a young file once it has stood still for long enough, or leave it for the next scan."""
        while (rest := self._settle_seconds - _age(file)) > 0 and not self._stopping():
            time.sleep(min(rest, LOOK_SECONDS))
        try:
            now = os.stat(self._whole(file))
        except OSError:
            return  # gone since the walk
        if (now.st_size, now.st_mtime_ns) == (file.size, file.mtime_ns):
            self._take(file, self._begin(file), done)
        else:
            done.deferred += 1
            log.info("%s is still being written: it is left for the next scan", shown(file.path))

    def _is_read(self, future: Future[ReadFile]) -> bool:
        """Whether a file was read before the scan has to stop."""
        while not self._stopping():
            if wait([future], LOOK_SECONDS).done:
                return True
        return future.done()

    def _begin(self, file: FoundFile) -> Future[ReadFile]:
        self._recent.remember(self._library.id, file)
        kind = kind_of(file.path) or "photo"
        return self._read(self._whole(file), file.path, kind, file.size, [self._whole(each) for each in file.sidecars])

    def _whole(self, file: FoundFile) -> bytes:
        return os.path.join(self._root, bytes_of(file.path))

    def _take(self, file: FoundFile, future: Future[ReadFile], done: ScanReport) -> None:
        """Wait for a file that is being read, and hand it to the recording; one that takes longer than the scan may go
        on is left for the next scan."""
        if not self._is_read(future):
            future.cancel()
            self._recent.forget(self._library.id, file)
            return
        done.read += 1
        if future.exception() is not None:
            self._recent.forget(self._library.id, file)
        try:
            read = future.result()
            facts = msgspec.structs.replace(read.facts, sidecar=file.sidecar_state)
            self._recording.add(msgspec.structs.replace(read, facts=facts))
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
            self._recording.add(_unread(file, str(error)))
        self._recording.record_when_due()


def _age(file: FoundFile) -> float:
    """Seconds since the file was written; a time in the future counts as long ago."""
    age = time.time() - file.mtime_ns / 1e9
    return age if age >= 0 else math.inf


def _unread(file: FoundFile, problem: str) -> ReadFile:
    kind = kind_of(file.path) or "photo"
    return ReadFile(file.path, None, FileFacts(file.size, file.mtime_ns, kind, problem=problem))
