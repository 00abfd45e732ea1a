"""The pictures of the libraries as files: originals, renditions by content, the mirror of thumbnails, and crops of
faces.

Decoding is done in worker processes: one pool indexes in the background, another answers people who wait.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from adapters.media import crops
from adapters.media.embedded_xmp import EmbeddedXmp, embedded_xmp
from adapters.media.file_facts import read_media, read_undecoded
from adapters.media.indexing import index_file, metadata
from adapters.media.magic import MediaKind
from adapters.media.matching import placement_in
from adapters.media.postponed import Postponed
from adapters.media.renditions import (
    Rendition,
    is_unsupported,
    is_whole,
    link_thumbnail,
    mark_unsupported,
    rendition_path,
    unsupported_mark,
)
from adapters.workers.pool import WorkerPool
from domain.base.errors import NotInTime, Unavailable, Unreadable
from domain.base.geometry import Box, Placement
from domain.base.paths import bytes_of, shown
from domain.commands.media import ReadFile
from domain.events.media import NEEDS_FFMPEG, NOT_IN_TIME, Media

SECONDS_A_FILE = 60.0
SLOWEST_BYTES_A_SECOND = 5_000_000
"""A file may take a minute, and longer where a slow network share needs longer just to send it."""
NO_PICTURE = "no picture can be made of this file"
CROPS_KEPT_BYTES = 48 * 2**20
CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})
"""What is wrong with the disk and not with one name: everything waits until it is mended."""

log = logging.getLogger(__name__)


class Gallery:
    """Pictures by content and by place. Blocking; safe from any thread."""

    def __init__(
        self,
        background: WorkerPool,
        waiting: WorkerPool,
        renditions: Path,
        thumbnails: Path,
        locate: Callable[[int, str], Path],
        *,
        seconds_a_file: float = SECONDS_A_FILE,
        slowest_bytes_a_second: float = SLOWEST_BYTES_A_SECOND,
        patience: float | None = None,
        postponed: Postponed | None = None,
    ) -> None:
        """`background` indexes, `waiting` works for people who wait; `locate` resolves a library's id and a path text
        to the file, and raises `NotFound` where that would leave the library. A file may be computed on for
        `seconds_a_file`, and longer by what it takes to send its bytes at the slowest; it is waited for `patience`
        seconds, unless told as long as the pools do."""
        self._background = background
        self._waiting = waiting
        self._renditions = os.fspath(renditions)
        self._thumbnails = thumbnails
        self._locate = locate
        self._patience = patience
        self._seconds_a_file, self._slowest_bytes_a_second = seconds_a_file, slowest_bytes_a_second
        self._crops = _Kept(CROPS_KEPT_BYTES)
        self._lock = threading.Lock()
        self._to_mirror: dict[bytes, list[Media]] = {}
        self._postponed = Postponed() if postponed is None else postponed

    # For the scan

    def read(
        self, path: bytes, text: str, kind: MediaKind, size: int, sidecars: Sequence[bytes] = ()
    ) -> Future[ReadFile]:
        """Index one file in the background, with what its sidecars say, and make its renditions.

        Where that hangs or ends its process, the file is read once more without being decoded: it keeps its content
        and its place, and has no picture.
        """
        seconds, patience, root = self._seconds(size), self._patience, self._renditions
        whole = self._background.submit(
            read_media, path, text, root, kind, sidecars, timeout=seconds, patience=patience
        )

        def without_picture(reason: str) -> Future[ReadFile]:
            words = (path, text, root, kind, reason, sidecars)
            return self._background.submit(read_undecoded, *words, timeout=seconds)

        return _or_else(whole, without_picture, self._note)

    def _note(self, read: ReadFile) -> None:
        """Remember what was not decoded in time, and forget what was."""
        if read.facts.problem == NOT_IN_TIME:
            self._postponed.note(read.content_hash)
        else:
            self._postponed.forget(read.content_hash)
        with self._lock:
            unmirrored = self._to_mirror.pop(read.content_hash or b"", [])
        for media in unmirrored:
            with contextlib.suppress(Unavailable):
                self.put(media)

    def _is_mirrored(self, media: Media) -> bool:
        """Whether a file has a thumbnail and the mirror has it as well, put there now where it was missing."""
        path = Path(rendition_path(self._renditions, media.content_hash or b"", "thumb"))
        size = _size_of(path)
        if size is None:
            return False
        if size != _size_of(self._mirrored(media.library_id, media.path)):
            with contextlib.suppress(Unavailable):
                self.put(media)
        return True

    def try_again(self, media: Media) -> bool:
        """Whether to read a file again that has no picture: it was not decoded in time, and the machine is idle by now;
        or somebody deleted the mark that no thumbnail can be made of it, which asks to try that again.

        The mark is put back: where a thumbnail can be made now, it goes when that is put in its place. A thumbnail that
        is not in the mirror is put back, too, for which the file is read where its rendition is gone as well.
        """
        if media.content_hash is None:
            return False
        if media.problem == NOT_IN_TIME:
            return self._postponed.is_due(media.content_hash)
        if media.problem is None:
            if self._is_mirrored(media):
                return False
            with self._lock:
                self._to_mirror.setdefault(media.content_hash, []).append(media)
            return True
        target = self._mirrored(media.library_id, media.path)
        if is_unsupported(target) or target.exists():
            return False
        with contextlib.suppress(Unavailable):
            self.put(media)
        return is_unsupported(target) or target.exists()

    def placement(self, older: bytes, newer: bytes) -> Future[Placement | None]:
        """How the picture of one content shows that of an older one; None where it shows another, or one of the two has
        no picture any more. Fails with `Unavailable` or `Unreadable` where they cannot be compared now."""
        pictures = [self.rendition(content, "thumb") for content in (older, newer)]
        if pictures[0] is None or pictures[1] is None:
            unknown: Future[Placement | None] = Future()
            unknown.set_result(None)
            return unknown
        old, new = os.fsencode(pictures[0]), os.fsencode(pictures[1])
        return self._waiting.submit(placement_in, old, new, timeout=self._seconds_a_file)

    # For detection and routes

    def rendition(self, content_hash: bytes, which: Rendition) -> Path | None:
        """The file of a rendition, None where it is not there or not whole."""
        path = Path(rendition_path(self._renditions, content_hash, which))
        return path if is_whole(path) else None

    def made(self, media: Media, which: Rendition) -> Path:
        """The file of a rendition, made now where it is missing.

        Raises:
            Unreadable: no picture can be made of this content.
            NotFound, Unavailable: its file is not to be had now.
        """
        content = media.content_hash or b""
        if (path := self.rendition(content, which)) is not None:
            return path
        target = self._mirrored(media.library_id, media.path)
        if is_unsupported(target):
            raise Unreadable(media.problem or NO_PICTURE)
        if media.problem == NOT_IN_TIME and not self._postponed.is_due(content):
            raise Unavailable(NOT_IN_TIME)
        try:
            return self._made_now(media, which)
        except NotInTime:
            self._postponed.note(content)
            raise
        except Unreadable:
            if media.kind == "photo":
                with contextlib.suppress(OSError):  # then it is tried again the next time
                    mark_unsupported(target)
            raise

    def _made_now(self, media: Media, which: Rendition) -> Path:
        content = media.content_hash or b""
        original = os.fsencode(self._locate(media.library_id, media.path))
        kind: MediaKind = "video" if media.kind == "video" else "photo"
        indexed = self._waiting.submit(
            index_file, original, self._renditions, kind, timeout=self._seconds(media.size)
        ).result()
        if indexed.content_hash != content:
            raise Unavailable("the file was replaced: the next scan will say by what")
        if (path := self.rendition(content, which)) is None:
            raise Unreadable(indexed.problem or NO_PICTURE)
        return path

    def preview(self, media: Media) -> bytes:
        """The upright preview of a photo as a JPEG; raises as `made`."""
        return self.made(media, "preview").read_bytes()

    def crop(self, media: Media, box: Box, size: int) -> bytes:
        """The square around a face as a JPEG of `size` pixels; raises as `made`."""
        key = (media.content_hash, box, size)
        jpeg = self._crops.get(key)
        if jpeg is None:
            path = os.fsencode(self.made(media, "preview"))
            jpeg = self._waiting.submit(crops.face_crop, path, box, size, timeout=self._seconds_a_file).result()
            self._crops.put(key, jpeg)
        return jpeg

    def metadata(self, path: Path, kind: MediaKind, sidecars: Sequence[bytes] = ()) -> dict[str, object]:
        """A file's facts and EXIF as they are now, with what its sidecars say, as plain values; raises
        as `adapters.media.indexing.metadata`."""
        task = self._waiting.submit(metadata, os.fsencode(path), kind, sidecars, timeout=self._seconds_a_file)
        return task.result()

    def embedded_xmp(self, path: Path) -> EmbeddedXmp:
        """What other programs wrote into a photo; raises as `adapters.media.embedded_xmp.embedded_xmp`."""
        return self._background.submit(embedded_xmp, os.fsencode(path), timeout=self._seconds_a_file).result()

    # For the mirror

    def put(self, media: Media) -> None:
        """Put a file's thumbnail at its place in the mirror, or the mark that there can be none.

        A place that the mirror cannot hold (a path too long for its file system) is passed over, and said in the log.

        Raises:
            Unavailable: the folder of thumbnails cannot be written now.
        """
        target = self._mirrored(media.library_id, media.path)
        thumb = None if media.content_hash is None else self.rendition(media.content_hash, "thumb")
        try:
            if thumb is not None:
                self._make_way(target)
                link_thumbnail(thumb, target)
            elif media.content_hash is not None and media.problem not in {None, NEEDS_FFMPEG, NOT_IN_TIME}:
                self._make_way(target)
                mark_unsupported(target)
        except OSError as error:
            if error.errno in CANNOT_WRITE:
                raise Unavailable(f"thumbnails cannot be written to {self._thumbnails}: {error.strerror}") from error
            log.warning("no thumbnail in the mirror for %s: %s", shown(media.path), error.strerror)

    def remove(self, library_id: int, path: str) -> None:
        """Take the thumbnail, or the mark, at a place out of the mirror, and folders that it leaves empty."""
        target = self._mirrored(library_id, path)
        for gone in (target, unsupported_mark(target)):
            with contextlib.suppress(OSError):  # not there, or another thing by now: nothing to take away
                gone.unlink()
        for folder in target.parents:
            if folder == self._thumbnails or self._thumbnails not in folder.parents:
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def _make_way(self, target: Path) -> None:
        """Take away what an older tree left: a folder where the thumbnail goes, a file where its folder goes."""
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        for folder in target.parents:
            if folder == self._thumbnails or folder.is_dir():
                return
            if folder.is_file():
                folder.unlink()

    def _seconds(self, size: int) -> float:
        return self._seconds_a_file + size / self._slowest_bytes_a_second

    def _mirrored(self, library_id: int, path: str) -> Path:
        return self._thumbnails / str(library_id) / os.fsdecode(bytes_of(path))


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


class _Kept:
    """The last few things asked for, up to a number of bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, bytes] = OrderedDict()

    def get(self, key: object) -> bytes | None:
        """What was kept under `key`."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: object, value: bytes) -> None:
        """Keep `value`, and forget what was not asked for the longest."""
        with self._lock:
            self._bytes += len(value) - len(self._kept.pop(key, b""))
            self._kept[key] = value
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1])


def _or_else(
    first: Future[ReadFile], second: Callable[[str], Future[ReadFile]], note: Callable[[ReadFile], None]
) -> Future[ReadFile]:
    """What `first` gives, or what `second` gives, told why, where the first task hung or ended its process; `note`
    hears of it."""
    outcome: Future[ReadFile] = Future()
    outcome.set_running_or_notify_cancel()

    def settle(done: Future[ReadFile]) -> None:
        if (error := done.exception()) is None:
            note(done.result())
            outcome.set_result(done.result())
        else:
            outcome.set_exception(error)

    def look(done: Future[ReadFile]) -> None:
        error = done.exception()
        if not isinstance(error, Unreadable | NotInTime):
            settle(done)
            return
        try:
            again = second(NOT_IN_TIME if isinstance(error, NotInTime) else str(error))
        except Unavailable as closed:
            outcome.set_exception(closed)
        else:
            again.add_done_callback(settle)

    first.add_done_callback(look)
    return outcome
