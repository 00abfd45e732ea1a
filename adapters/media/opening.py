"""From the bytes of a photo to a picture of it, by whichever decoder can: Pillow's first, RAW by what is in it, ffmpeg
where nothing else can."""

from __future__ import annotations

from shutil import which
from typing import Final, Protocol

from PIL import Image

from adapters.media.exif import boxed_exif, orientation_of
from adapters.media.magic import RAWS
from adapters.media.pictures import Decoded, Picture, TooManyPixels, open_picture, shrunk, upright
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

    def __init__(self, content: bytes, format_name: str, reason: Unreadable, picture: Picture | None = None) -> None:
        pixels = ffmpeg_pixels(content, format_name)
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
    if format_name == "jxl":
        return Rescued(content, format_name, Unreadable(_NO_JXL if which("ffmpeg") is None else "cannot be decoded"))
    try:
        return _Trying(content, open_picture(content, format_name))
    except TooManyPixels:
        raise
    except Unreadable as reason:
        return Rescued(content, format_name, reason)
