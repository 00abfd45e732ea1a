"""Files that only this user may read, replaced whole and by one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.base.errors import Unavailable

PRIVATE: Final = 0o600


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` against every other thread and process that asks for it here; the lock is a file beside it.

    The folder is made, for this user alone, where it is missing. A process that dies gives its lock back.

    Raises:
        Unavailable: the folder cannot be made or written, or its file system has no locks.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
    except OSError as error:
        raise Unavailable(f"cannot open {lock}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise Unavailable(f"cannot lock {lock}: {error.strerror}") from error
        yield
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes | None:
    """The content of a file, or None where there is none.

    Raises:
        Unavailable: the file is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error


def write(path: Path, content: bytes) -> None:
    """Replace a file whole: a reader, and a machine that loses power, has the old content or the new.

    Raises:
        Unavailable: the folder cannot be written or the disk is full; the old content is still there.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    """Make the renaming of a file in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
