"""What the log keeps of an indexed file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from adapters.media.exif import PARSING_ERRORS
from adapters.media.indexing import IndexedFile, index_file, index_undecoded
from adapters.media.magic import MediaKind
from domain.base.errors import ImageApiError, Unreadable
from domain.commands.media import ReadFile
from domain.events.media import READINGS, FileFacts

log = logging.getLogger(__name__)


def read_media(
    path: bytes, text: str, renditions_root: str, kind: MediaKind, sidecars: Sequence[bytes] = ()
) -> ReadFile:
    """Index the file at `path`, whose path in its library reads `text`, with the sidecars at these paths; runs in a
    worker process.

    Raises:
        NotFound, StillChanging, Unavailable: as `index_file`.
        Unreadable: a decoder failed in a way that nobody foresaw, which costs this file's picture and no scan.
    """
    with _unforeseen():
        return ReadFile(text, *_kept(index_file(path, renditions_root, kind, sidecars)))


def read_undecoded(
    path: bytes, text: str, renditions_root: str, kind: MediaKind, problem: str, sidecars: Sequence[bytes] = ()
) -> ReadFile:
    """Read a file again whose decoding hung, failed or ended its process, with that as its problem.

    Raises:
        NotFound, StillChanging, Unavailable, Unreadable: as `read_media`.
    """
    with _unforeseen():
        return ReadFile(text, *_kept(index_undecoded(path, renditions_root, kind, problem, sidecars)))


@contextmanager
def _unforeseen() -> Iterator[None]:
    """Within it whatever a parser raises beside our own errors is `Unreadable`."""
    try:
        yield
    except (ImageApiError, MemoryError):
        raise  # the pool has words for the latter
    except PARSING_ERRORS as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the operating system's, and of no picture
        log.warning("a parser failed in a way that nobody foresaw", exc_info=True)
        raise Unreadable(f"cannot be decoded: its parser failed ({type(error).__name__})") from error


def _kept(indexed: IndexedFile) -> tuple[bytes | None, FileFacts]:
    return indexed.content_hash, FileFacts(
        size=indexed.size,
        mtime_ns=indexed.mtime_ns,
        kind=indexed.kind,
        format=indexed.format,
        width=indexed.width,
        height=indexed.height,
        taken_at=indexed.taken_at,
        taken_offset=indexed.taken_offset_minutes,
        taken_source=indexed.taken_source,
        make=indexed.make,
        model=indexed.model,
        lens=indexed.lens,
        latitude=indexed.latitude,
        longitude=indexed.longitude,
        placeholder=indexed.placeholder,
        problem=indexed.problem,
        duration=indexed.duration,
        video_codec=indexed.video_codec,
        audio_codec=indexed.audio_codec,
        frame_rate=indexed.frame_rate,
        bit_rate=indexed.bit_rate,
        reading=READINGS[indexed.kind],
        motion_at=indexed.motion_at,
        motion_bytes=indexed.motion_bytes,
        burst=indexed.burst,
        title=indexed.title,
        description=indexed.description,
        rating=indexed.rating,
        keywords=indexed.keywords,
        place=indexed.written_place,
        offset_source=indexed.offset_source,
        picture_hash=indexed.picture_hash,
    )
