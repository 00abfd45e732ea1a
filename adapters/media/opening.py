"""From the bytes of a photo to a picture of it, by whichever decoder can: Pillow's first, RAW by what is in it, ffmpeg
where nothing else can."""

from __future__ import annotations

from shutil import which
from typing import Final, Protocol

from PIL import Image

from adapters.media.exif import boxed_exif, orientation_of
from adapters.media.magic import RAWS
from adapters.media.pictures import MAX_PIXELS, Decoded, Picture, TooManyPixels, open_picture, shrunk, upright
from adapters.media.programs import ffmpeg_pixels
from adapters.media.raw_pictures import RawPicture
from domain.base.errors import Unreadable

_NO_JXL: Final = "a JPEG XL picture, which is shown where ffmpeg is installed"


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

    def __init__(
        self,
        content: bytes,
        format_name: str,
        reason: Unreadable,
        picture: Picture | None = None,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        pixels = ffmpeg_pixels(content, format_name, max_pixels)
        if pixels is None:
            raise reason
        self.exif = boxed_exif(content) if picture is None else picture.exif
        self.orientation = orientation_of(self.exif)
        turned_already = format_name == "jxl"  # by its own header, whatever EXIF says
        self._pixels = pixels if turned_already else upright(pixels, self.orientation)
        self.width: int | None = self._pixels.shape[1]
        self.height: int | None = self._pixels.shape[0]

    def decoded(self, long_side: int) -> Decoded:
        """The photo as ffmpeg decoded it; never raises."""
        return Decoded(shrunk(self._pixels, long_side), None)


class _Trying:
    """A photo that Pillow opened; where it cannot be decoded in the end, ffmpeg is asked."""

    def __init__(self, content: bytes, picture: Picture, max_pixels: int) -> None:
        self._content, self._picture, self._max_pixels = content, picture, max_pixels
        self.exif = picture.exif
        self.orientation = picture.orientation
        self.width: int | None = picture.width
        self.height: int | None = picture.height

    def decoded(self, long_side: int) -> Decoded:
        """The photo by Pillow, else by ffmpeg; raises as `Photo.decoded`."""
        try:
            return self._picture.decoded(long_side)
        except Unreadable as reason:
            name, limit = self._picture.format, self._max_pixels
            return Rescued(self._content, name, reason, self._picture, max_pixels=limit).decoded(long_side)


def open_photo(content: bytes, format_name: str, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read the header of a photo's bytes, `format_name` being what `magic` made of them.

    Raises:
        Unreadable: it is broken, or has more than `max_pixels`.
    """
    if format_name in RAWS:
        return RawPicture(content, format_name, max_pixels)
    if format_name == "jxl":
        reason = Unreadable(_NO_JXL if which("ffmpeg") is None else "cannot be decoded")
        return Rescued(content, format_name, reason, max_pixels=max_pixels)
    try:
        return _Trying(content, open_picture(content, format_name, max_pixels), max_pixels)
    except TooManyPixels:
        raise
    except Unreadable as error:
        return Rescued(content, format_name, error, max_pixels=max_pixels)
