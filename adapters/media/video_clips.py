"""Short looping clips and GIFs of videos, for a wall of them: made in the background, one at a time, the last asked for
first.

A clip is a file named after its video's content, written under another name and renamed. Where none can be made, a file
`<clip>.failed` beside where it would be holds the reason, and nothing is tried again until somebody deletes that.

Clips take no more room than they may: those that were not asked for the longest go first, and are made again when
somebody asks. The time of a file's last reading says when that was; the time of its change stays, by which browsers
know it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from adapters.media.contents import open_media
from adapters.media.ffmpeg import Word, ffmpeg, opening
from adapters.media.film import Film, film_of
from adapters.media.motion import copy_motion
from adapters.media.renditions import replace_whole, write_whole
from adapters.media.video_cache import ABANDONED_SECONDS, Kept, keep_to
from adapters.media.video_frames import fitted, scaling
from adapters.workers.pool import WorkerPool
from domain.base.errors import NotFound, NotInTime, Unavailable, Unreadable
from domain.base.paths import shown
from domain.events.media import Media

ClipKind = Literal["preview", "gif"]

PREVIEW_SECONDS: Final = 4.0
GIF_SECONDS: Final = 3.0
_BEGIN_SHARE: Final = 0.2
"""Where in a video its clip begins: past the opening, before the hand that reaches for the button."""
_PREVIEW_LINES, _PREVIEW_RATE = 480, 24
_GIF_SIDE, _GIF_RATE = 320, 10
_MAKING_SECONDS: Final = 120.0
MOST_WANTED: Final = 500
"""Clips that wait to be made; of more, those asked for the longest ago are forgotten until they are asked for again."""


class Clip(msgspec.Struct, frozen=True):
    """How it stands with a clip: `status` is `ready`, `pending` or `failed`, `detail` why it failed."""

    status: Literal["ready", "pending", "failed"]
    detail: str | None = None


log = logging.getLogger(__name__)


class VideoClips:
    """Clips by content. Safe from any thread; only `make_next` takes long."""

    def __init__(
        self,
        workers: WorkerPool,
        previews: Path,
        gifs: Path,
        locate: Callable[[int, str], Path],
        *,
        most_bytes: int,
        most_wanted: int = MOST_WANTED,
    ) -> None:
        """`locate` resolves a library's id and a path text to the file, and raises `NotFound` where there is none;
        `most_bytes` is what all clips may take on the disk."""
        self._workers = workers
        self._most_bytes, self._most_wanted = most_bytes, most_wanted
        self._folders: dict[ClipKind, tuple[Path, str]] = {"preview": (previews, "mp4"), "gif": (gifs, "gif")}
        self._locate = locate
        self._lock = threading.Lock()
        self._wanted: OrderedDict[tuple[bytes, ClipKind], Media] = OrderedDict()
        self.on_wanted: Callable[[], object] = lambda: None

    def want(self, media: Media, kind: ClipKind) -> Clip:
        """How it stands with the clip of a video; one that is not there is made soon."""
        path = self.path(media, kind)
        if _used(path):
            return Clip("ready")
        with contextlib.suppress(OSError):
            return Clip("failed", _failure(path).read_text("utf-8", "replace"))
        key = (media.content_hash or b"", kind)
        with self._lock:
            self._wanted[key] = media
            self._wanted.move_to_end(key)
            while len(self._wanted) > self._most_wanted:
                self._wanted.popitem(last=False)
        self.on_wanted()
        return Clip("pending")

    def path(self, media: Media, kind: ClipKind) -> Path:
        """Where the clip of a video is once it is made."""
        folder, ending = self._folders[kind]
        name = (media.content_hash or b"").hex()
        return folder / name[:2] / f"{name}.{ending}"

    @property
    def wanted(self) -> int:
        """How many clips were asked for and are not made yet."""
        return len(self._wanted)

    def make_next(self) -> bool:
        """Make the clip that was asked for last, where one is wanted; whether one was.

        Raises:
            Unavailable: it cannot be made now, and stays wanted.
        """
        with self._lock:
            if not self._wanted:
                return False
            key, media = self._wanted.popitem()
        try:
            self._make(media, key[1])
        except NotInTime as error:
            log.info("no clip of %s for now: %s", shown(media.path), error)  # whoever shows it asks again
        except Unavailable:
            with self._lock:
                self._wanted.setdefault(key, media)
            raise
        return True

    def close(self) -> None:
        """End the clip that is being made; `make_next` then makes none any more."""
        self._workers.close()

    def _make(self, media: Media, kind: ClipKind) -> None:
        target = self.path(media, kind)
        try:
            path = self._locate(media.library_id, media.path)
            facts = path.stat()
        except (NotFound, FileNotFoundError):
            return  # it left since it was asked for
        except OSError as error:
            raise Unavailable(f"{shown(media.path)} cannot be read now: {error.strerror}") from error
        if target.exists() or (facts.st_size, facts.st_mtime_ns) != (media.size, media.mtime_ns):
            return
        limit = 2 * _MAKING_SECONDS
        part = (media.motion_at or 0, media.motion_bytes or 0) if media.has_motion else None
        made = self._workers.submit(make_clip, os.fsencode(path), kind, os.fspath(target), part, timeout=limit)
        try:
            made.result()
        except Unreadable as error:
            try:
                write_whole(_failure(target), str(error).encode("utf-8", "replace"))
            except OSError as problem:
                raise Unavailable(f"clips cannot be written to {target.parent}: {problem.strerror}") from problem
        keep_to(self._most_bytes, self._made())

    def _made(self) -> Iterator[Kept]:
        """Every clip; what killed servers left goes on the way."""
        for folder, ending in self._folders.values():
            for path in folder.glob("[0-9a-f][0-9a-f]/*"):
                with contextlib.suppress(OSError):
                    facts = path.stat()
                    if path.suffix == f".{ending}":
                        yield facts.st_atime, facts.st_size, path
                    elif path.suffix == ".tmp" and time.time() - facts.st_mtime > ABANDONED_SECONDS:
                        path.unlink()


def _used(path: Path) -> bool:
    """Whether a clip is there; it counts as used now."""
    try:
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    except FileNotFoundError:
        return False
    except OSError:  # on a disk that was made read-only; it is served all the same
        return path.exists()
    return True


def make_clip(path: bytes, kind: ClipKind, target: str, part: tuple[int, int] | None = None) -> None:
    """Make a clip of the video at an absolute path, or of the video that is this part (place, bytes) of a photo's file;
    runs in a worker process.

    Raises:
        Unreadable: none can be made.
        Unavailable: ffmpeg is not installed, or the clip cannot be written.
    """
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        os.makedirs(folder, exist_ok=True)
        with _video(path, part, folder) as video:
            film = film_of(video, "")
            ffmpeg(*_words(video, film, kind), "-y", b"file:" + os.fsencode(temporary), seconds=_MAKING_SECONDS)
        if not os.path.exists(temporary) or not os.path.getsize(temporary):
            raise Unreadable("cannot be decoded: not a single frame")
        replace_whole(temporary, target)
    except OSError as error:
        raise Unavailable(f"clips cannot be written to {folder}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


@contextlib.contextmanager
def _video(path: bytes, part: tuple[int, int] | None, folder: str) -> Iterator[bytes]:
    """The path of a video: its own, or that of a copy of a part of a file, which goes again."""
    if part is None:
        yield path
        return
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp") as copy:
        with open_media(path) as photo:
            copy_motion(photo.fileno(), copy.fileno(), *part)
        yield os.fsencode(copy.name)


def _words(path: bytes, film: Film, kind: ClipKind) -> list[Word]:
    seconds = PREVIEW_SECONDS if kind == "preview" else GIF_SECONDS
    begin = max(0.0, min((film.duration or 0.0) * _BEGIN_SHARE, (film.duration or 0.0) - seconds))
    opened = [*("-ss", f"{begin:.3f}"), *opening(path), "-t", f"{seconds:g}", "-map", f"0:{film.video_stream}"]
    if kind == "gif":
        scaled = f"fps={_GIF_RATE},{scaling(film, fitted(film, _GIF_SIDE))}"
        palette = f"{scaled},split[a][b];[a]palettegen=max_colors=128:stats_mode=diff[p];[b][p]paletteuse=dither=bayer"
        return [*opened, "-an", "-vf", palette, "-loop", "0", "-f", "gif"]
    shorter, longer = sorted((film.width, film.height))
    size = fitted(film, max(2, _PREVIEW_LINES * longer // shorter if shorter > _PREVIEW_LINES else longer))
    filters = f"fps={min(_PREVIEW_RATE, film.frame_rate or _PREVIEW_RATE):g},{scaling(film, size)}"
    how = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    return [*opened, "-an", "-sn", "-map_metadata", "-1", "-vf", filters, *how, "-f", "mp4"]


def _failure(path: Path) -> Path:
    return path.with_name(path.name + ".failed")
