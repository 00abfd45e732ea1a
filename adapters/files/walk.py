"""The walk over a library: every file that belongs to it, with the facts that a scan compares, and nothing else.

Names stay bytes until they are yielded, so that any name on disk can be walked. Files are stat'ed and never opened: a
FIFO, socket or device is passed over without being touched. Links to folders are not followed; a link to a file is,
where the file it leads to lies in the library as well and is not skipped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from adapters.files.confinement import reason_of, resolve_folder
from adapters.files.skipped import Fence, is_skipped
from domain.base.errors import Unavailable
from domain.base.paths import name_of, text_of

MediaKind = Literal["photo", "video"]

PHOTO_EXTENSIONS: Final = frozenset(
    [
        *("jpg", "jpeg", "jpe", "png", "webp", "gif", "heic", "heif", "avif", "tif", "tiff", "bmp"),
        *("hif", "avifs", "apng", "dib", "insp"),
        *("jxl", "jp2", "j2k", "j2c", "jpf", "jpx", "jls", "jfif", "mpo"),
        *("arw", "nef", "cr2", "cr3", "dng", "raf", "orf", "rw2", "pef", "srw"),
        *("nrw", "rwl", "3fr", "fff", "erf", "mef", "mos", "dcr", "kdc", "sr2", "x3f", "crw", "mrw", "iiq", "gpr"),
    ]
)
VIDEO_EXTENSIONS: Final = frozenset(
    [
        *("mp4", "mov", "m4v", "avi", "mkv", "webm", "mts", "m2ts", "3gp", "3g2", "mpg", "mpeg"),
        *("wmv", "asf", "flv", "vob", "ogv", "mod", "tod", "mp"),
        *("f4v", "m2v", "mxf", "dv", "insv", "ts"),
    ]
)
"""`.MP` is how Google Takeout names the clip of a Pixel's motion photo."""
_SHARED: Final = frozenset({"ts"})
"""Extensions that other programs have too (TypeScript): such a file is taken only where its bytes say what it is."""
SIDECAR_EXTENSION: Final = ".xmp"


class FoundFile(msgspec.Struct, frozen=True):
    """A regular file of a library.

    `path` is the text of its path below the root, parts joined by a slash, `size` in bytes, `mtime_ns` the time of its
    last change in nanoseconds since 1970, `inode` its number on its file system, `ctime_ns` when anything about it
    changed last, be it only its name.
    Through a link all but `path` are those of the file that it leads to. `sidecars` are the files beside it that belong
    to it, once they are known.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    sidecars: tuple[FoundFile, ...] = ()

    @property
    def sidecar_state(self) -> str | None:
        """What tells one state of its sidecars from another; None where it has none."""
        return " ".join(f"{each.mtime_ns}-{each.size}" for each in self.sidecars) or None


class WalkProblem(msgspec.Struct, frozen=True):
    """A folder or file that could not be looked at: `path` as in `FoundFile` (empty for the root), and why.

    What lies at or below `path` is unknown, which is not the same as gone.
    """

    path: str
    reason: str


def kind_of(path: str) -> MediaKind | None:
    """Whether the extension of a path is one of a photo or of a video; None for any other file."""
    _, dot, extension = name_of(path).lower().rpartition(".")
    if not dot:
        return None
    if extension in PHOTO_EXTENSIONS:
        return "photo"
    return "video" if extension in VIDEO_EXTENSIONS else None


def is_sidecar(path: str) -> bool:
    """Whether a file may hold what is written about one beside it."""
    return path.lower().endswith(SIDECAR_EXTENSION)


def is_shared_name(path: str) -> bool:
    """Whether the extension of a path is one that other programs give their files too."""
    return name_of(path).lower().rpartition(".")[2] in _SHARED


def walk(
    root: Path | bytes, excluded: Iterable[Path | bytes] = (), below: str = "", *, deep: bool = True
) -> Iterator[FoundFile | WalkProblem]:
    """Every file of the library at `root`, in no particular order, and a `WalkProblem` for each unreadable entry.

    `excluded` folders are skipped with all that is in them (the data folder, where it lies in the library). `below`
    is the path text of a folder to walk alone, without the folders in it where not `deep`. Memory does not grow with
    the number of files.

    Raises:
        Unavailable: the root is not there or cannot be listed; nothing may be concluded about its files. Raised by the
            call itself, before the first file.
        NotFound: there is no folder `below` that a walk of the library would come to.
    """
    real_root = os.path.realpath(os.fsencode(root))
    try:
        os.scandir(real_root).close()
    except OSError as error:
        text = text_of(os.fsencode(root))
        raise Unavailable(f"the library folder {text} cannot be read: {reason_of(error)}") from error
    fence = Fence(real_root, excluded)
    start = resolve_folder(root, below) if below else real_root
    return iter(()) if fence.excludes(start) else _walk(start, below, fence, deep=deep)


def _walk(start: bytes, below: str, fence: Fence, *, deep: bool) -> Iterator[FoundFile | WalkProblem]:
    folders = [(start, below)]
    while folders:
        folder, text = folders.pop()
        if folder in fence.excluded:
            continue
        prefix = text + "/" if text else ""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if is_skipped(entry.name):
                        continue
                    path = prefix + text_of(entry.name)
                    found = _look_at(entry, path, fence)
                    if found is _FOLDER:
                        if deep:
                            folders.append((entry.path, path))
                    elif isinstance(found, FoundFile | WalkProblem):
                        yield found
        except OSError as error:  # also a folder that vanished meanwhile: its disk may have gone
            yield WalkProblem(text, reason_of(error))


_FOLDER = object()


def _look_at(entry: os.DirEntry[bytes], path: str, fence: Fence) -> FoundFile | WalkProblem | object | None:
    try:
        if entry.is_dir(follow_symlinks=False):  # some network file systems have to be asked for it
            return _FOLDER
        facts = fence.target_of(entry.path) if entry.is_symlink() else entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # deleted since its folder was listed
    except OSError as error:
        return WalkProblem(path, reason_of(error))
    if facts is None or not stat.S_ISREG(facts.st_mode):
        return None
    return FoundFile(path, facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_ctime_ns)
