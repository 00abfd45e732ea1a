"""All that a file and its sidecars state: the camera's facts, what people wrote, and when it was taken."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

import msgspec
from PIL import ExifTags, Image

from adapters.media.blocks import Blocks, blocks_of
from adapters.media.exif import PARSING_ERRORS, CameraFacts, camera_facts, directory
from adapters.media.taking import Times, times_of
from adapters.media.written import (
    LONGEST_TITLE,
    WrittenWords,
    described,
    exif_of,
    keywords_of,
    line,
    together,
    written_of,
    written_of_sidecars,
    xmp_inside,
)
from adapters.xmp.words import XmpWords, words_of_xmp

log = logging.getLogger(__name__)

_XMP_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_LARGEST_PACKET: Final = 8 * 2**20
_MOST_BOXES: Final = 256
_FILM_TITLES: Final = ("title", "com.apple.quicktime.title", "com.apple.quicktime.displayname")
_FILM_DESCRIPTIONS: Final = ("description", "com.apple.quicktime.description", "comment", "synopsis")
_FILM_KEYWORDS: Final = ("keywords", "com.apple.quicktime.keywords")


class Stated(msgspec.Struct, frozen=True):
    """What is stated of one file; `exif` is without any entry where it has none."""

    camera: CameraFacts
    written: WrittenWords
    times: Times
    exif: Image.Exif


def stated_of(
    content: bytes | None, format_name: str | None, opened: Image.Exif | None = None, sidecars: Sequence[bytes] = ()
) -> Stated:
    """What a photo's bytes and the packets of its sidecars state, without decoding a picture; `opened` is the EXIF that
    its decoder found. Never raises: what no parser foresaw costs that file's words, and no scan."""
    try:
        return _stated_of(content, format_name, opened, sidecars)
    except PARSING_ERRORS as error:
        log.warning("nothing is read of what is written in a %s: %s", format_name, error)
        return Stated(CameraFacts(), WrittenWords(), Times((), (), ()), Image.Exif())


def _stated_of(
    content: bytes | None, format_name: str | None, opened: Image.Exif | None, sidecars: Sequence[bytes]
) -> Stated:
    blocks = Blocks() if content is None or format_name is None else blocks_of(content, format_name)
    exif = exif_of(opened, blocks)
    blocks.exif = exif
    beside = [words_of_xmp(packet) for packet in sidecars]
    return _stated(camera_facts(exif), beside, xmp_inside(blocks), written_of(xmp_inside(blocks), blocks), blocks)


def stated_of_film(camera: CameraFacts, tags: Mapping[str, str], file: BinaryIO, sidecars: Sequence[bytes]) -> Stated:
    """What a video's container, the XMP in it and the packets of its sidecars state; `tags` are ffprobe's."""
    inside = words_of_xmp(_packet_of_film(file))

    def first(names: Sequence[str]) -> str:
        return next((tags[name] for name in names if tags.get(name)), "")

    container = WrittenWords(
        title=line(first(_FILM_TITLES), LONGEST_TITLE),
        description=described(first(_FILM_DESCRIPTIONS)),
        keywords=keywords_of(first(_FILM_KEYWORDS).replace(";", ",").split(",")),
    )
    written = together([written_of(inside, Blocks()), container])
    return _stated(camera, [words_of_xmp(packet) for packet in sidecars], inside, written, Blocks())


def _stated(
    camera: CameraFacts, beside: Sequence[XmpWords], inside: XmpWords, written: WrittenWords, blocks: Blocks
) -> Stated:
    """A camera knows itself and its lens best; of the rest a sidecar comes first, as it was written last."""
    sidecar = written_of_sidecars(beside)
    own = WrittenWords(
        lens=camera.lens,
        make=camera.make,
        model=camera.model,
        latitude=camera.latitude,
        longitude=camera.longitude,
        altitude=camera.altitude,
    )
    words, place = together([sidecar, written]), together([sidecar, own, written])
    device = together([own, sidecar, written])
    camera = msgspec.structs.replace(
        camera,
        lens=device.lens,
        make=device.make,
        model=device.model,
        latitude=place.latitude,
        longitude=place.longitude,
        altitude=place.altitude,
    )
    return Stated(camera, words, times_of(camera, beside, inside, blocks), blocks.exif)


def thumbnail_in(exif: Image.Exif) -> bytes | None:
    """The small JPEG in an EXIF block, None where there is none."""
    tags = directory(exif, ExifTags.IFD.IFD1)
    at, length = tags.get(ExifTags.Base.JpegIFOffset), tags.get(ExifTags.Base.JpegIFByteCount)
    block = getattr(exif, "fp", None)
    if not isinstance(at, int) or not isinstance(length, int) or block is None or at < 0 or length < 4:
        return None
    try:
        block.seek(at)
        jpeg: bytes = block.read(length)
    except PARSING_ERRORS:
        return None  # a TIFF whose decoder let go of it
    return jpeg if jpeg.startswith(b"\xff\xd8") else None


def _packet_of_film(file: BinaryIO) -> bytes | None:
    """The packet of XMP in an MP4 or MOV, which has a box of its own (XMP specification, part 3, 2.2)."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return None
        length, start = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), 16
        if head[4:8] == b"uuid" and 16 + start < length <= _LARGEST_PACKET:
            file.seek(at + start)
            if file.read(16) == _XMP_UUID:
                return file.read(length - start - 16)
        if length < start:
            return None
        at += length
    return None
