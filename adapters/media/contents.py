"""The bytes of a file in a library: read once, hashed, recognised, and only while nobody else is writing them.

Only regular files are opened, and opening never waits. What the operating system refuses about this one file is
`Unreadable`, a fact about it; what it refuses about the whole file system is `Unavailable`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from typing import BinaryIO, Final

import msgspec

from adapters.media.magic import HEAD_BYTES, MediaKind, description_of, format_of, kind_of_format, raw_format_of
from adapters.xmp.rdf import LARGEST_PACKET
from domain.base.errors import NotFound, StillChanging, Unavailable, Unreadable

MAX_PHOTO_BYTES: Final = 512 * 1024 * 1024
"""A photo up to this size is held in memory to be decoded; a larger one is hashed in pieces and left alone."""
_CHUNK: Final = 1024 * 1024
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FAILING: Final = frozenset(
    {errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A file's bytes and what they are.

    `sha256` is 32 bytes, `size` in bytes, `mtime_ns` since 1970, `format` from `magic` or None, `kind` by the format,
    else as the name suggested. `photo` is the bytes themselves where they are a photo that can be held in memory,
    `problem` why they are not, or None.
    """

    sha256: bytes
    size: int
    mtime_ns: int
    kind: MediaKind
    format: str | None
    photo: bytes | None
    problem: str | None


def read_content(path: bytes, expected: MediaKind, max_photo_bytes: int = MAX_PHOTO_BYTES) -> Content:
    """Read a file of a library once, from its first byte to its last.

    Raises:
        NotFound: it is not there (any more).
        StillChanging: its size or time changed meanwhile, or another file took its place.
        Unreadable: the operating system refuses this file: no permission, a broken disk, no regular file.
        Unavailable: the file system does not answer.
    """
    descriptor = _opened(path)
    try:
        before = os.fstat(descriptor)
        head = os.pread(descriptor, HEAD_BYTES, 0)
        name = format_of(head)
        kind = kind_of_format(name) or expected
        photo, length, digest = None, 0, hashlib.sha256()
        if kind == "photo" and before.st_size <= max_photo_bytes:
            photo = _read(descriptor, before.st_size)
            digest.update(photo)
            length = len(photo)
        while chunk := _read(descriptor, _CHUNK):  # a photo has ended here, unless it grew
            digest.update(chunk)
            length += len(chunk)
        _demand_unchanged(path, descriptor, before, length)
    except OSError as error:
        raise _refused(error) from error
    finally:
        os.close(descriptor)
    if name == "tiff" and photo is not None:
        name = raw_format_of(photo) or name
    problem = _problem(head, name, kind, None if photo is not None else max_photo_bytes)
    photo = photo if problem is None and name is not None else None
    size, mtime_ns = before.st_size, before.st_mtime_ns
    return Content(
        sha256=digest.digest(), size=size, mtime_ns=mtime_ns, kind=kind, format=name, photo=photo, problem=problem
    )


def read_photo(path: bytes) -> tuple[bytes, str]:
    """The bytes of a photo and its format.

    Raises:
        NotFound, StillChanging, Unavailable: as `read_content`.
        Unreadable: as `read_content`, and where it is no photo.
    """
    content = read_content(path, "photo")
    if content.photo is None or content.format is None:
        raise Unreadable(content.problem or "not a photo")
    return content.photo, content.format


def packets_in(sidecars: Iterable[bytes]) -> list[bytes]:
    """The packets of XMP in the sidecars at these paths; one that cannot be read, or is too large, says nothing."""
    found = []
    for path in sidecars:
        with contextlib.suppress(NotFound, Unreadable, Unavailable, OSError), open_media(path) as file:
            packet = file.read(LARGEST_PACKET + 1)
            if len(packet) <= LARGEST_PACKET:
                found.append(packet)
    return found


def open_media(path: bytes) -> BinaryIO:
    """A file of a library, open for reading.

    Raises:
        NotFound, Unreadable, Unavailable: as `read_content`.
    """
    return open(_opened(path), "rb")


def _problem(head: bytes, name: str | None, kind: MediaKind, exceeded: int | None) -> str | None:
    """What is wrong with a file; `exceeded` are the bytes that a photo may have, where it has more."""
    if not head:
        return "empty file"
    if kind == "photo" and exceeded is not None:
        return f"larger than {exceeded // 1024 // 1024} MB"
    if name is None:
        return f"not a {'picture' if kind == 'photo' else 'video'}: {description_of(head)}"
    return None


def _opened(path: bytes) -> int:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        raise _refused(error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("not a regular file")
    return descriptor


def _read(descriptor: int, length: int) -> bytes:
    """Up to `length` bytes, fewer only at the end of the file."""
    parts = []
    while length and (part := os.read(descriptor, length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _demand_unchanged(path: bytes, descriptor: int, before: os.stat_result, length: int) -> None:
    now, there = os.fstat(descriptor), os.stat(path)
    if (there.st_dev, there.st_ino) != (now.st_dev, now.st_ino):
        raise StillChanging("another file took its place while it was read")
    if length != before.st_size or (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise StillChanging("it is still being written")


def _refused(error: OSError) -> NotFound | Unavailable | Unreadable:
    reason = (error.strerror or type(error).__name__).lower()
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFound("the file is not there any more")
    return Unavailable(reason) if error.errno in _FAILING else Unreadable(reason)
