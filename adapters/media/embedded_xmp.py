"""What other programs wrote into a photo about it: the packet of XMP, the older IPTC keywords, and how it is stored.

Runs in worker processes. Of most formats no more than the header is read, however large the file.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

import msgspec
from PIL import Image, ImageFile, IptcImagePlugin

from adapters.media.boxes import boxes, told_in
from adapters.media.contents import open_media, read_photo
from adapters.media.exif import PARSING_ERRORS, boxed_exif, directory, orientation_of, quiet, raw_exif
from adapters.media.magic import HEAD_BYTES, RAWS, format_of
from adapters.media.pictures import DECODERS
from domain.base.errors import Unreadable

_XMP_TAG: Final = 700
"""The TIFF tag that holds a packet (XMP specification, part 3)."""
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_XMP_BOXES: Final = ((b"xml ", b""), (b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac")))
"""Boxes that hold a packet: of JPEG XL (ISO 18181-2), and of JPEG 2000 and CR3, which begin with a name."""
_KEYWORDS: Final = (2, 25)
"""The data set of IPTC-IIM."""


class EmbeddedXmp(msgspec.Struct, frozen=True):
    """`packet` is XMP as it stands in the file, None where there is none, `extension` what a JPEG holds of it beyond
    64 KB; `keywords` are IPTC's; `orientation` is EXIF's, 1 to 8."""

    packet: bytes | None
    keywords: tuple[str, ...]
    orientation: int
    extension: bytes | None = None


def embedded_xmp(path: bytes) -> EmbeddedXmp:
    """What a photo's file says of it, and how the picture lies in it.

    Raises:
        NotFound, Unavailable, StillChanging: it is not to be had now.
        Unreadable: it is no photo that can be opened; the text says why.
    """
    with open_media(path) as file:
        name = format_of(file.read(HEAD_BYTES))
        file.seek(0)
        if name in DECODERS and name not in ("tiff", "jp2"):
            return _of_picture(file, name)
    content, name = read_photo(path)  # a TIFF may turn out to be a RAW
    if name in ("jp2", "jxl", "cr3"):
        return _of_boxes(content, name)
    if name in RAWS:
        exif = raw_exif(content, name)
        packet = directory(exif, None).get(_XMP_TAG)
        return EmbeddedXmp(packet if isinstance(packet, bytes) else None, (), orientation_of(exif))
    with open_media(path) as file:
        return _of_picture(file, name)


def _of_boxes(content: bytes, name: str) -> EmbeddedXmp:
    """What stands in boxes of its own; a JPEG XL is turned by its header, whatever its EXIF says."""
    told = ((told_in(content, box, (kind,)), start) for box in boxes(content) for kind, start in _XMP_BOXES)
    packets = (each[1][len(start) :] for each, start in told if each is not None and each[1].startswith(start))
    exif = raw_exif(content, name) if name == "cr3" else boxed_exif(content)
    return EmbeddedXmp(next(packets, None), (), 1 if name == "jxl" else orientation_of(exif))


def _of_picture(file: BinaryIO, name: str) -> EmbeddedXmp:
    with quiet():
        try:
            with Image.open(file, formats=DECODERS[name]) as image:
                original = image.info.get("original_orientation")
                orientation = original if isinstance(original, int) else orientation_of(image.getexif())
                if name == "png" and "xmp" not in image.info:
                    image.load()  # what programs add to a PNG may stand after its pixels
                packet = image.info.get("xmp")
                packet = packet if isinstance(packet, bytes) else None
                return EmbeddedXmp(packet, _iptc_keywords(image), orientation, _extension(image))
        except PARSING_ERRORS as error:
            raise Unreadable(f"cannot be opened: {' '.join(str(error).split())[:120]}") from error


def _extension(image: ImageFile.ImageFile) -> bytes | None:
    """Extended XMP of a JPEG, put together from its segments (XMP specification, part 3, 1.1.3.1); None where there is
    none or a piece is missing."""
    pieces: dict[int, bytes] = {}
    whole = 0
    for marker, segment in getattr(image, "applist", ()):
        if marker == "APP1" and segment.startswith(_EXTENSION) and len(segment) > len(_EXTENSION) + 40:
            length, offset = struct.unpack_from(">II", segment, len(_EXTENSION) + 32)
            pieces[offset], whole = segment[len(_EXTENSION) + 40 :], length
    extension = b"".join(pieces[offset] for offset in sorted(pieces))
    return extension if extension and len(extension) == whole else None


def _iptc_keywords(image: ImageFile.ImageFile) -> tuple[str, ...]:
    """The keywords of the block that programs wrote before there was XMP, in UTF-8 or else Windows' Latin."""
    try:
        block = IptcImagePlugin.getiptcinfo(image) or {}
    except PARSING_ERRORS:
        return ()
    values = block.get(_KEYWORDS, [])
    texts = []
    for value in values if isinstance(values, list) else [values]:
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            texts.append(value.decode("cp1252", "replace"))
    return tuple(texts)
