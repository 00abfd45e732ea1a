"""What programs say of a photo, put together from its file and its sidecars, and written to a sidecar.

What stands in the file is read by `adapters.media`, what lies beside it by `adapters.files`: they meet here.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from adapters.files.confinement import reason_of
from adapters.files.regions import MOST_REGIONS, Stored
from adapters.files.sidecars import read_sidecar, sidecar_to_write, sidecars_of, write_sidecar
from adapters.files.xmp import OfAnotherPicture, Xmp
from adapters.media.embedded_xmp import EmbeddedXmp
from adapters.xmp.words import MOST_KEYWORDS
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.base.geometry import intersection_over_union
from domain.events.media import Media
from domain.rules.face_pairing import DRAWN_FACE_IOU
from domain.rules.xmp import Description, Region


class ReadDescription(msgspec.Struct, frozen=True):
    """What is said of one photo, and in plain words what could not be read of it."""

    description: Description
    problems: tuple[str, ...] = ()


class Descriptions:
    """Reads and writes what is said of the files of the libraries; blocking, safe from any thread."""

    def __init__(self, locate: Callable[[int, str], Path], embedded: Callable[[Path], EmbeddedXmp]) -> None:
        """`locate` resolves a library's id and a path text to the file, `embedded` reads what stands in it."""
        self._locate = locate
        self._embedded = embedded
        self._writing = tuple(threading.Lock() for _ in range(64))

    def read(self, media: Media, width: int | None, height: int | None) -> ReadDescription:
        """What a file and its sidecars say of it; `width` and `height` are those of the upright picture.

        All of them count, a region once: where two show one face, that of the sidecar. What the file said when
        imageapi wrote a sidecar is in that one, or was decided otherwise, and does not count again. A region without a
        name counts where imageapi wrote it: others mark whatever looks like a face.

        Raises:
            NotFound, Unavailable: the file is not to be had, or changed since it was scanned.
        """
        path = self._unchanged(media)
        problems: list[str] = []
        inside = self._inside(media, path, problems)
        stored = _stored(width, height, None if inside is None else inside.orientation)
        found: list[Description] = []
        marks = set()
        for sidecar in sidecars_of(path):
            try:
                xmp = Xmp(read_sidecar(sidecar))
            except Unreadable as error:
                problems.append(f"{_name(sidecar)}: {error}")
            else:
                marks.add(xmp.mark)
                found.append(_described(xmp, stored, _name(sidecar), problems, nameless=xmp.mark is not None))
        if inside is not None and _mark(inside) not in marks:
            found.append(_described_inside(inside, stored, problems))
        return ReadDescription(_together(found), tuple(problems))

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
        with self._writing[hash(sidecar) % len(self._writing)]:  # one that several files share is written in turn
            older = read_sidecar(sidecar)
            if older is None and say(None) == Description():
                return False
            inside = self._inside(media, path, [])
            stored = _stored(width, height, None if inside is None else inside.orientation)
            xmp = _begun(inside, stored) if older is None else Xmp(older)
            mark = "" if inside is None else _mark(inside)
            found = [xmp.description(stored)]
            if inside is not None and xmp.mark != mark:
                found.append(_described_inside(inside, stored, []))
            packet = xmp.say(say(_together(found)), stored, mark)
            if packet == older:
                return False
            write_sidecar(sidecar, packet)
            return True

    def _inside(self, media: Media, path: bytes, problems: list[str]) -> EmbeddedXmp | None:
        """What stands in the file, None where it is no photo that can be opened."""
        if media.kind != "photo":
            return None
        try:
            return self._embedded(Path(os.fsdecode(path)))
        except Unreadable as error:
            problems.append(str(error))
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


def _described(
    xmp: Xmp, stored: Stored | None, name: str, problems: list[str], *, nameless: bool = False
) -> Description:
    try:
        description = xmp.description(stored)
    except OfAnotherPicture as error:
        problems.append(f"{name}: {error}")
        return error.description
    if stored is None and xmp.has_regions:
        problems.append(f"{name}: its regions are left out, as the size of the picture is not known")
    regions = tuple(region for region in description.regions if region.name or nameless)
    return Description(description.keywords, regions)


def _described_inside(inside: EmbeddedXmp, stored: Stored | None, problems: list[str]) -> Description:
    """What the file itself says; IPTC's keywords count where XMP has none."""
    description = Description()
    if inside.packet is not None:
        try:
            description = _described(Xmp(inside.packet), stored, "its XMP", problems)
        except Unreadable as error:
            problems.append(f"its XMP: {error}")
    return Description(description.keywords or inside.keywords, description.regions)


def _together(found: Sequence[Description]) -> Description:
    keywords = dict.fromkeys(word for each in found for word in each.keywords)
    regions: list[Region] = []
    for each in found:
        before = [*regions]
        regions += [
            region
            for region in each.regions
            if all(intersection_over_union(region.box, known.box) <= DRAWN_FACE_IOU for known in before)
        ]
    return Description(tuple(keywords)[:MOST_KEYWORDS], tuple(regions)[:MOST_REGIONS])


def _begun(inside: EmbeddedXmp | None, stored: Stored | None) -> Xmp:
    """What a new sidecar begins with: all that the file holds, as far as it can be read."""
    if inside is None or inside.packet is None:
        return Xmp()
    try:
        xmp = Xmp(inside.packet)
        if inside.extension is not None:
            xmp.add(inside.extension)
    except Unreadable:
        return Xmp()
    try:
        xmp.description(stored)
    except OfAnotherPicture:
        xmp.forget_regions()
    return xmp


def _mark(inside: EmbeddedXmp) -> str:
    """What tells one state of a file's words from another."""
    parts = (inside.packet or b"", inside.extension or b"", "\n".join(inside.keywords).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _stored(width: int | None, height: int | None, orientation: int | None) -> Stored | None:
    if not width or not height or orientation is None:
        return None
    return Stored(height, width, orientation) if orientation >= 5 else Stored(width, height, orientation)


def _name(path: bytes) -> str:
    return os.path.basename(path).decode("utf-8", "replace")
