"""The files made of a photo's content, its preview and thumbnail, and the tree of thumbnails that mirrors a library.

Renditions are named after the content's hash, the tree by the names in the library. Everything is written under a
temporary name and renamed, so that a reader finds a whole file or none. A thumbnail carries what was learnt while it
was made (the placeholder, what was missing) in its JPEG comment: a copy of the photo, found later, says the same
without being decoded again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import msgspec
import simplejpeg  # type: ignore[import-untyped]  # it brings stubs but not the py.typed that makes them count

from adapters.media.colour import Pixels

Rendition = Literal["preview", "thumb"]

SIDES: Final[dict[Rendition, int]] = {"preview": 1440, "thumb": 512}
"""Pixels of the long side."""
QUALITIES: Final[dict[Rendition, int]] = {"preview": 82, "thumb": 78}
_LONGEST_NAME: Final = 255
"""Bytes of a name on every file system that is likely here."""
_START: Final = b"\xff\xd8\xff\xe0"
_END: Final = b"\xff\xd9"
_COMMENT: Final = b"\xff\xfe"


class Note(msgspec.Struct, frozen=True):
    """What making the renditions told about a photo: its `placeholder` and the `problem` that remains."""

    placeholder: str
    problem: str | None


def rendition_path(root: str, content_hash: bytes, which: Rendition) -> str:
    """Where the rendition of a content lies below the folder of renditions."""
    name = content_hash.hex()
    return os.path.join(root, name[:2], f"{name}.{which}.jpg")


def encoded(pixels: Pixels, quality: int, note: Note | None = None) -> bytes:
    """A picture as a JPEG with colours at half resolution, as photos have them, and the note in its comment."""
    jpeg: bytes = simplejpeg.encode_jpeg(pixels, quality=quality, colorsubsampling="420")
    if note is None:
        return jpeg
    text = msgspec.json.encode(note)
    end = 4 + int.from_bytes(jpeg[4:6], "big")  # the JFIF segment has to stay the first
    return jpeg[:end] + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + jpeg[end:]


def is_whole(path: str | Path) -> bool:
    """Whether there is a JPEG from its first bytes to its last: a full disk or a power cut may have left a part of one,
    or zeros."""
    try:
        with open(path, "rb") as file:
            begins = file.read(len(_START)) == _START
            file.seek(-len(_END), os.SEEK_END)
            return begins and file.read() == _END
    except OSError:
        return False


def note_of(root: str, content_hash: bytes) -> Note | None:
    """The note of the renditions of a content; None where one of the two is not there wholly, or holds no note."""
    thumb = rendition_path(root, content_hash, "thumb")
    if not (is_whole(rendition_path(root, content_hash, "preview")) and is_whole(thumb)):
        return None
    try:
        with open(thumb, "rb") as file:
            head = file.read(2048)
    except OSError:
        return None
    end = 4 + int.from_bytes(head[4:6], "big")
    if not head.startswith(_START) or head[end : end + 2] != _COMMENT:
        return None
    length = int.from_bytes(head[end + 2 : end + 4], "big")
    try:
        return msgspec.json.decode(head[end + 4 : end + 2 + length], type=Note)
    except msgspec.DecodeError:
        return None


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file so that it is there wholly or not at all; its folder is made where it is missing."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    temporary = _temporary_name(folder)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name with nothing behind it
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise


def replace_whole(made: str | Path, target: str | Path) -> None:
    """Put a file that a program wrote in its place, once all of it is on the disk; raises OSError as `os.replace`."""
    descriptor = os.open(made, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(made, target)


def link_thumbnail(rendition: Path, target: Path) -> None:
    """Put a thumbnail where the mirror of the library's tree has it: a hard link, or a copy where there can be none.

    Replaces what is there, and takes back the mark that the file is unsupported.

    Raises:
        OSError: the folder of thumbnails cannot be written, or there is no such rendition.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(os.fspath(target.parent))
    try:
        try:
            os.link(rendition, temporary)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, one without links, or as many links as it allows
            shutil.copyfile(rendition, temporary)
        os.replace(temporary, target)
    finally:
        _remove(temporary)  # renaming one link over another of the same file does nothing (POSIX) and leaves it
    unsupported_mark(target).unlink(missing_ok=True)


def unsupported_mark(target: Path) -> Path:
    """The empty file that says that no thumbnail of this name can be made: `<target>.unsupported`.

    A name that this would make too long is cut and told apart by a hash of the whole.
    """
    name = os.fsencode(target.name)
    if len(name) + len(_MARK) <= _LONGEST_NAME:
        return target.with_name(target.name + os.fsdecode(_MARK))
    tail = b"~" + blake2b(name, digest_size=8).hexdigest().encode() + _MARK
    kept = os.fsdecode(name[: _LONGEST_NAME - len(tail)])
    return target.with_name(kept + os.fsdecode(tail))


_MARK: Final = b".unsupported"


def mark_unsupported(target: Path) -> None:
    """Note that no thumbnail can be made for this place; it is not tried again until the mark is deleted."""
    mark = unsupported_mark(target)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def is_unsupported(target: Path) -> bool:
    """Whether it was noted that no thumbnail can be made for this place."""
    return unsupported_mark(target).exists()


def _temporary_name(folder: str) -> str:
    return os.path.join(folder, f".{secrets.token_hex(8)}.tmp")


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
