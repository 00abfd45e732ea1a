r"""From a path text that a client sent to a file below a library's root, and never to any other file.

A path text is taken literally: no percent-decoding, no `~`, no drive letters, and a backslash is a character like any
other. What a walk of the library would pass over (`skipped`) cannot be reached by naming it.
Whatever is refused looks to the client like a file that is not there.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from adapters.files.skipped import has_skipped_part, is_skipped
from domain.base.errors import NotFound, RuleViolation, Unavailable
from domain.base.paths import bytes_of

_NO_SUCH_FILE = "there is no file '{}' in this library"
_FAILING = frozenset(
    {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN, errno.EMFILE, errno.ENFILE}
)
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def reason_of(error: OSError) -> str:
    """The operating system's own words for an error, in lower case and without the path."""
    return (error.strerror or type(error).__name__).lower()


def resolve(root: Path | bytes, rel: str) -> Path:
    """The real path of the regular file that the path text `rel` names below `root`, links followed.

    Raises:
        NotFound: no such file, or one that lies outside `root`, is no regular file or is skipped.
        Unavailable: the file system does not say.
    """
    path = _real(root, rel)
    try:
        mode = os.stat(path, follow_symlinks=False).st_mode
    except OSError as error:
        raise _refusal(rel, error) from error
    if not stat.S_ISREG(mode):
        raise NotFound(_NO_SUCH_FILE.format(rel))
    return Path(os.fsdecode(path))


def resolve_folder(root: Path | bytes, rel: str) -> bytes:
    """The real path of the folder that the path text `rel` names below `root`, reached without following any link.

    Raises:
        NotFound: no such folder, one behind a link, or one that is skipped.
        Unavailable: the file system does not say.
    """
    path = _real(root, rel)
    if path != os.path.join(os.path.realpath(os.fsencode(root)), *_parts(rel)) or not os.path.isdir(path):
        raise NotFound(f"there is no folder '{rel}' in this library")
    return path


def open_below(root: Path | bytes, rel: str) -> int:
    """A descriptor, open for reading, of the regular file that `rel` names below `root`, without a race.

    As `resolve`, but each part is opened relative to the folder before it and none may have become a link since it was
    resolved, so that nobody who writes to the library can swap one in. Opening never waits for the other end of a FIFO.
    The caller closes the descriptor.

    Raises:
        NotFound: as `resolve`, and where a part was replaced meanwhile.
        Unavailable: the file system does not say.
    """
    real_root = os.path.realpath(os.fsencode(root))
    *folders, name = os.path.relpath(os.fsencode(resolve(root, rel)), real_root).split(b"/")
    try:
        at = os.open(real_root, _OPEN_FOLDER)
        try:
            for folder in folders:
                inner = os.open(folder, _OPEN_FOLDER, dir_fd=at)
                os.close(at)
                at = inner
            opened = os.open(name, _OPEN_FILE, dir_fd=at)
        finally:
            os.close(at)
    except OSError as error:
        raise _refusal(rel, error) from error
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise NotFound(_NO_SUCH_FILE.format(rel))
    return opened


def _parts(rel: str) -> list[bytes]:
    """The parts of a path text, each the plain name of something that a walk would come to."""
    try:
        parts = bytes_of(rel).split(b"/")
    except RuleViolation as error:
        raise NotFound(_NO_SUCH_FILE.format(rel)) from error
    if any(part in (b"", b".", b"..") or is_skipped(part) for part in parts):
        raise NotFound(_NO_SUCH_FILE.format(rel))
    return parts


def _real(root: Path | bytes, rel: str) -> bytes:
    real_root = os.path.realpath(os.fsencode(root))
    try:
        path = os.path.realpath(os.path.join(real_root, *_parts(rel)), strict=True)
    except OSError as error:
        raise _refusal(rel, error) from error
    inside = real_root.rstrip(b"/") + b"/"
    if not path.startswith(inside) or has_skipped_part(path[len(inside) :]):
        raise NotFound(_NO_SUCH_FILE.format(rel))
    return path


def _refusal(rel: str, error: OSError) -> NotFound | Unavailable:
    """A path that names nothing is not found; only a file system that fails to answer is worth another try."""
    if isinstance(error, PermissionError) or error.errno in _FAILING:
        return Unavailable(f"the file '{rel}' cannot be read now: {reason_of(error)}")
    return NotFound(_NO_SUCH_FILE.format(rel))
