"""Sidecars: the `.xmp` files beside a photo that hold what programs say of it without touching it.

Two names are usual: `photo.jpg.xmp` (digiKam, darktable) and, for RAW files, `photo.xmp` (Adobe). The second belongs to
the RAW file where others of the same name lie beside it, and where several do that are none, to none of them.
A video has sidecars of its whole name alone.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from adapters.files.confinement import reason_of
from adapters.files.walk import PHOTO_EXTENSIONS, FoundFile, is_sidecar, kind_of
from adapters.xmp.rdf import LARGEST_PACKET
from domain.base.errors import Unavailable, Unreadable

_RAWS: Final = frozenset(["arw", "nef", "cr2", "cr3", "dng", "raf", "orf", "rw2", "pef", "srw"])
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
_EXTENSIONS: Final = (b".xmp", b".XMP")


def sidecars_of(path: bytes) -> list[bytes]:
    """The sidecars that belong to the file at `path`, the one of its whole name first."""
    stem = os.path.splitext(path)[0]
    found = _regular(path + each for each in _EXTENSIONS)
    short = _regular(stem + each for each in _EXTENSIONS)
    if short and _owns_stem(path):
        found |= {key: name for key, name in short.items() if key not in found}
    return list(found.values())


def _regular(names: Iterable[bytes]) -> dict[tuple[int, int], bytes]:
    """Those of some names that are regular files, each file once: where case makes no difference, two names are one."""
    found: dict[tuple[int, int], bytes] = {}
    for name in names:
        with contextlib.suppress(OSError):  # none of this name, which is the usual case
            facts = os.stat(name, follow_symlinks=False)
            if stat.S_ISREG(facts.st_mode):
                found.setdefault((facts.st_dev, facts.st_ino), name)
    return found


def sidecar_to_write(path: bytes) -> bytes:
    """Where what is said of the file at `path` is written: its sidecar where it has one, else one of its whole name."""
    return (sidecars_of(path) or [path + b".xmp"])[0]


def _owns_stem(path: bytes) -> bool:
    """Whether the sidecar of the short name is this file's: a RAW's, or the only photo's of this name."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    try:
        beside = [each for each in os.listdir(folder) if os.path.splitext(each)[0] == stem]
    except OSError:
        return False
    return _owner(beside) == name


def _owner(of_stem: Iterable[bytes]) -> bytes | None:
    """Whose the sidecar of the short name is, among the files of that name."""
    names = list(of_stem)
    photos = [each for each in names if _extension(each) in PHOTO_EXTENSIONS]
    raws = [each for each in photos if _extension(each) in _RAWS]
    owners = raws or photos
    return owners[0] if len(owners) == 1 else None


def with_sidecars(files: Sequence[FoundFile]) -> list[FoundFile]:
    """The media files among those of one folder, each with the sidecars that belong to it as in `sidecars_of`."""
    sidecars: dict[str, list[FoundFile]] = {}
    for file in files:
        if is_sidecar(file.path):
            sidecars.setdefault(os.path.splitext(file.path)[0], []).append(file)
    media = [file for file in files if kind_of(file.path) is not None]
    if not sidecars:
        return media
    of_stem: dict[str, list[bytes]] = {}
    for file in media:
        of_stem.setdefault(os.path.splitext(file.path)[0], []).append(os.fsencode(file.path))
    owners = {stem: _owner(names) for stem, names in of_stem.items() if stem in sidecars}
    found = []
    for file in media:
        stem = os.path.splitext(file.path)[0]
        short = sidecars.get(stem, ()) if owners.get(stem) == os.fsencode(file.path) else ()
        own = dict.fromkeys((*sidecars.get(file.path, ()), *short))
        found.append(msgspec.structs.replace(file, sidecars=tuple(own)) if own else file)
    return found


def _extension(name: bytes) -> str:
    return os.path.splitext(name)[1][1:].lower().decode("ascii", "replace")


def read_sidecar(path: bytes) -> bytes | None:
    """The bytes of a sidecar, None where it is not there (any more).

    Raises:
        Unreadable: it is no regular file, too large, or the operating system refuses it.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable(reason_of(error)) from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise Unreadable("not a regular file")
        if facts.st_size > LARGEST_PACKET:
            raise Unreadable(f"larger than {LARGEST_PACKET // 2**20} MB")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST_PACKET + 1)
    except OSError as error:
        raise Unreadable(reason_of(error)) from error
    finally:
        os.close(descriptor)


def write_sidecar(path: bytes, packet: bytes) -> None:
    """Write a sidecar, wholly or not at all, with the rights of the one that it replaces, else those of a new file.

    Raises:
        Unavailable: it cannot be written; what stood there stands.
    """
    folder, name = os.path.split(path)
    temporary: str | bytes = b""
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=b"." + name[:100], suffix=b".part", dir=folder)
        with open(descriptor, "wb") as file:
            file.write(packet)
            file.flush()
            os.fsync(descriptor)
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise Unavailable(f"it cannot be written: {reason_of(error)}") from error


def _mode(path: bytes) -> int:
    """The rights of a file that is to be replaced, else of a new one."""
    with contextlib.suppress(OSError):
        return stat.S_IMODE(os.stat(path, follow_symlinks=False).st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
