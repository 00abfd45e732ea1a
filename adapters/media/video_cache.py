"""The folder of HLS parts: a folder for each content with its plan and the parts that were wanted, up to a size.

Parts appear whole, under their name, by renaming. What was not watched for the longest goes first; a part that somebody
reads stays readable to the end, as its file is only taken out of the folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from adapters.media.motion import copy_motion
from adapters.media.renditions import replace_whole, write_whole
from adapters.media.video_plan import VERSION, Plan, part_name
from domain.base.errors import Unavailable
from domain.events.media import Media

_KEPT_SHARE: Final = 0.9
"""What is left of the limit when room was made, so that it is not made for each part."""
_SCRATCH: Final = "run-"
_PACKET: Final = 188
"""Bytes of a packet of a transport stream (ISO 13818-1)."""
ABANDONED_SECONDS: Final = 3600.0


Kept = tuple[float, int, Path]
"""A file that can be made again: when it was last used, its bytes, and where it is."""


def keep_to(most_bytes: int, files: Iterable[Kept]) -> None:
    """Delete the files that were not used for the longest where all of them take more than they may."""
    oldest_first = sorted(files)
    total = sum(size for _, size, _ in oldest_first)
    if total <= most_bytes:
        return
    for _, size, path in oldest_first:
        if total <= most_bytes * _KEPT_SHARE:
            break
        with contextlib.suppress(OSError):  # gone already, or not ours to delete: the next one then
            path.unlink()
            total -= size


def _is_of_packets(size: int) -> bool:
    """Whether a part of so many bytes is whole packets: a full disk or a power cut may have left less."""
    return size > 0 and size % _PACKET == 0


class PartCache:
    """Plans and parts by content; safe from any thread."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()

    def plan(self, content: bytes) -> Plan | None:
        """The plan that was kept for a content, None where there is none that fits this version."""
        try:
            kept = msgspec.json.decode((self._of(content) / "plan.json").read_bytes(), type=Plan)
        except (OSError, msgspec.DecodeError):
            return None
        return kept if kept.version == VERSION else None

    def keep_plan(self, content: bytes, plan: Plan) -> None:
        """Keep a plan, unless another thread just did; the parts of an older version's plan go.

        Raises:
            Unavailable: the folder cannot be written now.
        """
        try:
            with self._lock:
                if self.plan(content) is None:
                    shutil.rmtree(self._of(content), ignore_errors=True)
                    write_whole(self._of(content) / "plan.json", msgspec.json.encode(plan))
        except OSError as error:
            raise Unavailable(f"parts of videos cannot be written to {self._folder}: {error.strerror}") from error

    def opened(self, content: bytes, number: int) -> int | None:
        """A descriptor of a part, which the caller closes and which counts as watched; None where it is not whole."""
        try:
            descriptor = os.open(self._part(content, number), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"parts of videos cannot be read from {self._folder}: {error.strerror}") from error
        if not _is_of_packets(os.fstat(descriptor).st_size):
            os.close(descriptor)
            return None
        with contextlib.suppress(OSError):  # on a disk that was made read-only; the part is served all the same
            os.utime(descriptor)
        return descriptor

    def holds(self, content: bytes, number: int) -> bool:
        """Whether a part is there, and whole."""
        try:
            return _is_of_packets(self._part(content, number).stat().st_size)
        except OSError:
            return False

    @contextlib.contextmanager
    def scratch(self, content: bytes) -> Iterator[Path]:
        """A folder for parts that are being made; what is left in it goes with it.

        Raises:
            Unavailable: it cannot be made.
        """
        folder = self._of(content) / f"{_SCRATCH}{secrets.token_hex(8)}"
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise Unavailable(f"parts of videos cannot be written to {self._folder}: {error.strerror}") from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def alone(self, descriptor: int, media: Media) -> Iterator[int]:
        """A descriptor of a video: of the file itself, or of a copy without a name of what is in a photo.

        Raises:
            Unavailable: there is no room for the copy.
        """
        if not media.has_motion:
            yield descriptor
            return
        with contextlib.ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                copy = stack.enter_context(tempfile.TemporaryFile(dir=self._folder))
                copy_motion(descriptor, copy.fileno(), media.motion_at or 0, media.motion_bytes or 0)
            except OSError as error:
                raise Unavailable(f"the video in the photo cannot be copied now: {error.strerror}") from error
            yield copy.fileno()

    def take(self, content: bytes, number: int, made: Path) -> None:
        """Put a part that is whole in its place."""
        replace_whole(made, self._part(content, number))

    def make_room(self) -> None:
        """Delete what killed servers left, and the parts longest unwatched where they take more than they may."""
        with self._lock:
            keep_to(self._most_bytes, self._parts())

    def _parts(self) -> Iterator[Kept]:
        """Every part; what was abandoned goes on the way."""
        for folder in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            for path in folder.glob("*"):
                with contextlib.suppress(OSError):
                    facts = path.stat()
                    if path.suffix == ".ts":
                        yield facts.st_mtime, facts.st_size, path
                    elif path.name.startswith(_SCRATCH) and time.time() - facts.st_mtime > ABANDONED_SECONDS:
                        shutil.rmtree(path, ignore_errors=True)

    def _of(self, content: bytes) -> Path:
        name = content.hex()
        return self._folder / name[:2] / name

    def _part(self, content: bytes, number: int) -> Path:
        return self._of(content) / part_name(number)
