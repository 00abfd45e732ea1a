"""What programs say of a photo, put together from its file and its sidecars, and written to a sidecar."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from adapters.files.paths import reason_of
from adapters.files.sidecars import read_sidecar, sidecar_to_write, sidecars_of, write_sidecar
from adapters.files.xmp import OfAnotherPicture, Stored, description_of, written
from domain.errors import NotFound, Unavailable, Unreadable
from domain.media import Media
from domain.xmp import Description


class Embedded(Protocol):
    """What stands in a photo's own file; `adapters.media.embedded_xmp.EmbeddedXmp`."""

    @property
    def packet(self) -> bytes | None:
        """XMP, None where there is none."""

    @property
    def keywords(self) -> tuple[str, ...]:
        """Those of IPTC."""

    @property
    def orientation(self) -> int:
        """EXIF's, 1 to 8."""


class Told(msgspec.Struct, frozen=True):
    """What is said of one photo, and in plain words what could not be read of it."""

    description: Description
    problems: tuple[str, ...] = ()


class Descriptions:
    """Reads and writes what is said of the files of the libraries; blocking, safe from any thread."""

    def __init__(self, locate: Callable[[int, str], Path], embedded: Callable[[Path], Embedded]) -> None:
        """`locate` resolves a library's id and a path text to the file, `embedded` reads what stands in it."""
        self._locate = locate
        self._embedded = embedded

    def read(self, media: Media, width: int | None, height: int | None) -> Told:
        """What a file and its sidecars say of it; `width` and `height` are those of the upright picture.

        Keywords of all of them count. Regions are those of the first that has any, the sidecars before the file: a
        program that writes sidecars leaves the file as it was.

        Raises:
            NotFound, Unavailable: the file is not to be had, or changed since it was scanned.
        """
        path = self._unchanged(media)
        packets: list[tuple[str, bytes]] = []
        problems: list[str] = []
        for sidecar in sidecars_of(path):
            try:
                packet = read_sidecar(sidecar)
            except Unreadable as error:
                problems.append(f"{_name(sidecar)}: {error}")
            else:
                packets += [] if packet is None else [(_name(sidecar), packet)]
        orientation: int | None = None
        older: tuple[str, ...] = ()
        if media.kind == "photo":
            try:
                inside = self._embedded(Path(os.fsdecode(path)))
            except Unreadable as error:
                problems.append(str(error))
            else:
                orientation, older = inside.orientation, inside.keywords
                packets += [] if inside.packet is None else [("its XMP", inside.packet)]
        stored = _stored(width, height, orientation)
        found = []
        for name, packet in packets:
            try:
                found.append(description_of(packet, stored))
            except OfAnotherPicture as error:
                found.append(error.description)
                problems.append(f"{name}: {error}")
            except Unreadable as error:
                problems.append(f"{name}: {error}")
        keywords = [word for each in found for word in each.keywords] or list(older)
        regions = next((each.regions for each in found if each.regions), ())
        return Told(Description(tuple(dict.fromkeys(keywords)), regions), tuple(problems))

    def write(
        self, media: Media, width: int | None, height: int | None, say: Callable[[Description | None], Description]
    ) -> bool:
        """Write what `say` answers to the sidecar of a file; whether that changed anything.

        `say` is asked with what is said now, None where there is no sidecar. Where nothing is to be said and there is
        none, none is made; a new one begins with all the XMP that the file holds, so that a program which looks at the
        sidecar alone misses nothing.

        Raises:
            NotFound, Unavailable: the file is not to be had, or the sidecar cannot be written.
            Unreadable: the sidecar that is there cannot be read, or belongs to another picture: it is left as it is.
        """
        path = self._unchanged(media)
        sidecar = sidecar_to_write(path)
        older = read_sidecar(sidecar)
        if older is None and say(None) == Description():
            return False
        inside = self._inside(media, path)
        stored = _stored(width, height, None if inside is None else inside.orientation)
        if older is None:
            base, other = _beginning(None if inside is None else inside.packet, stored)
        else:
            base, other = older, description_of(older, stored)
        said = say(other)
        packet = written(base, said.keywords, said.regions, stored)
        if packet == older:
            return False
        write_sidecar(sidecar, packet)
        return True

    def _inside(self, media: Media, path: bytes) -> Embedded | None:
        """What stands in the file, None where it is no photo that can be opened."""
        if media.kind != "photo":
            return None
        try:
            return self._embedded(Path(os.fsdecode(path)))
        except Unreadable:
            return None

    def _unchanged(self, media: Media) -> bytes:
        path = os.fsencode(self._locate(media.library_id, media.path))
        try:
            facts = os.stat(path)
        except FileNotFoundError as error:
            raise NotFound("it is not there any more") from error
        except OSError as error:
            raise Unavailable(reason_of(error)) from error
        if (facts.st_size, facts.st_mtime_ns) != (media.size, media.mtime_ns):
            raise Unavailable("it changed since the last scan: scan first")
        return path


def _stored(width: int | None, height: int | None, orientation: int | None) -> Stored | None:
    if not width or not height or orientation is None:
        return None
    return Stored(height, width, orientation) if orientation >= 5 else Stored(width, height, orientation)


def _beginning(packet: bytes | None, stored: Stored | None) -> tuple[bytes | None, Description]:
    """What a new sidecar begins with, and what that says; nothing where the file holds no XMP that can be read."""
    try:
        return packet, Description() if packet is None else description_of(packet, stored)
    except OfAnotherPicture as error:
        return packet, error.description
    except Unreadable:
        return None, Description()


def _name(path: bytes) -> str:
    return os.path.basename(path).decode("utf-8", "replace")
