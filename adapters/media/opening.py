"""From the bytes of a photo to a picture of it, by whichever decoder can: Pillow's first, RAW by what is in it, ffmpeg
where nothing else can."""

from __future__ import annotations

from typing import Protocol

from PIL import Image

from adapters.media.magic import RAWS
from adapters.media.pictures import Decoded, Picture, TooManyPixels, open_picture, shrunk, upright
from adapters.media.programs import ffmpeg_pixels
from adapters.media.raw_pictures import RawPicture
from domain.errors import Unreadable


class Photo(Protocol):
    """A photo whose header was read: upright `width` and `height` (None where only decoding tells), the stored
    `orientation` (1..8), and `exif`."""

    exif: Image.Exif
    orientation: int
    width: int | None
    height: int | None

    def decoded(self, long_side: int) -> Decoded:
        """The photo, upright, with a long side of at most `long_side` pixels.

        Raises:
            Unreadable: no decoder can make a picture of it; the text says why.
        """


class Rescued:
    """A photo that Pillow cannot decode and ffmpeg perhaps can; `reason` is why Pillow cannot."""

    def __init__(self, content: bytes, format_name: str, reason: Unreadable, picture: Picture | None = None) -> None:
        pixels = ffmpeg_pixels(content, format_name)
        if pixels is None:
            raise reason
        self.exif = Image.Exif() if picture is None else picture.exif
        self.orientation = 1 if picture is None else picture.orientation
        self._pixels = pixels
        width, height = pixels.shape[1], pixels.shape[0]
        self.width: int | None
        self.height: int | None
        self.width, self.height = (height, width) if self.orientation >= 5 else (width, height)

    def decoded(self, long_side: int) -> Decoded:
        """The photo as ffmpeg decoded it; never raises."""
        return Decoded(upright(shrunk(self._pixels, long_side), self.orientation), None)


class _Trying:
    """A photo that Pillow opened; where it cannot be decoded in the end, ffmpeg is asked."""

    def __init__(self, content: bytes, picture: Picture) -> None:
        self._content = content
        self._picture = picture
        self.exif = picture.exif
        self.orientation = picture.orientation
        self.width: int | None = picture.width
        self.height: int | None = picture.height

    def decoded(self, long_side: int) -> Decoded:
        """The photo by Pillow, else by ffmpeg; raises as `Photo.decoded`."""
        try:
            return self._picture.decoded(long_side)
        except Unreadable as reason:
            return Rescued(self._content, self._picture.format, reason, self._picture).decoded(long_side)


def open_photo(content: bytes, format_name: str) -> Photo:
    """Read the header of a photo's bytes, `format_name` being what `magic` made of them.

    Raises:
        Unreadable: it is broken, or larger than is allowed.
    """
    if format_name in RAWS:
        return RawPicture(content, format_name)
    try:
        return _Trying(content, open_picture(content, format_name))
    except TooManyPixels:
        raise
    except Unreadable as reason:
        return Rescued(content, format_name, reason)
