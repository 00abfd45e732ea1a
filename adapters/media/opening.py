"""From the bytes of a photo to a picture of it, by whichever decoder can: Pillow's first, RAW by what is in it, ffmpeg
where nothing else can."""

from __future__ import annotations

from shutil import which
from typing import Final, Protocol

from PIL import Image

from adapters.media.bitmap import MaskedBitmap
from adapters.media.colour import pixels_of_samples
from adapters.media.deep_pictures import DeepTiff
from adapters.media.exif import boxed_exif, orientation_of
from adapters.media.jxl import jxl_header
from adapters.media.magic import RAWS
from adapters.media.memory import wait_for_room
from adapters.media.pictures import Decoded, Picture, open_picture, shrunk, upright
from adapters.media.pixel_limit import MAX_PIXELS, TooManyPixels, demand_few
from adapters.media.programs import ffmpeg_png
from adapters.media.raw_pictures import RawPicture
from adapters.media.stated_colours import stated_by_exif
from domain.base.errors import Unreadable

_NO_JXL: Final = "a JPEG XL picture, which is shown where ffmpeg is installed"


class Photo(Protocol):
    """A photo whose header was read: upright `width` and `height` (None where only decoding tells), the stored
    `orientation` (1..8), and `exif`."""

    @property
    def doubt(self) -> str | None:
        """Why perhaps no picture can be made of it; None where nothing says so."""

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
    """A photo that Pillow cannot decode and ffmpeg perhaps can; `reason` is why Pillow cannot. Its size is known where
    its header was read."""

    def __init__(
        self,
        content: bytes,
        format_name: str,
        reason: Unreadable,
        picture: Picture | None = None,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._content, self._format, self._reason, self._max_pixels = content, format_name, reason, max_pixels
        self.exif = boxed_exif(content) if picture is None else picture.exif
        self.orientation = orientation_of(self.exif)
        self.doubt = str(reason) if picture is None else None
        self._profile = stated_by_exif(self.exif) if picture is None else picture.profile
        self.width: int | None = None if picture is None else picture.width
        self.height: int | None = None if picture is None else picture.height

    def decoded(self, long_side: int) -> Decoded:
        """The photo as ffmpeg decodes it; raises the reason where it does not."""
        wait_for_room(self._format, self.width, self.height, len(self._content))
        png = ffmpeg_png(self._content, self._format, self._max_pixels)
        if png is None:
            raise self._reason
        return open_picture(png, "png", self._max_pixels, self._profile).decoded(long_side, self._left_to_do())

    def _left_to_do(self) -> int:
        return self.orientation


class JpegXl(Rescued):
    """A JPEG XL, of which ffmpeg alone makes a picture here, and which is turned by its own header, whatever EXIF
    says."""

    def __init__(self, content: bytes, max_pixels: int) -> None:
        reason = Unreadable(_NO_JXL if which("ffmpeg") is None else "cannot be decoded")
        header = jxl_header(content)
        if header is None:
            raise reason
        demand_few(header.width, header.height, max_pixels)
        super().__init__(content, "jxl", reason, max_pixels=max_pixels)
        self.doubt = None if which("ffmpeg") else _NO_JXL
        stored = header.width, header.height
        self.width, self.height = stored[::-1] if header.orientation >= 5 else stored

    def _left_to_do(self) -> int:
        return 1


class _OfSamples:
    """A photo that none of the large decoders reads rightly: a TIFF of many bits, a bitmap with masks."""

    doubt: str | None = None

    def __init__(self, found: DeepTiff | MaskedBitmap, length: int) -> None:
        self._found, self._length = found, length
        self.width: int | None = found.width
        self.height: int | None = found.height
        self.exif, self._profile, self._is_of_inks = Image.Exif(), None, False
        if isinstance(found, DeepTiff):
            self.exif, self._is_of_inks = found.exif, found.is_of_inks
            self._profile = found.profile or stated_by_exif(found.exif)
        self.orientation = orientation_of(self.exif)

    def decoded(self, long_side: int) -> Decoded:
        """The photo, with its profile applied to all of its bits; raises as `Photo.decoded`."""
        wait_for_room("tiff", self.width, self.height, self._length)
        samples = self._found.samples(long_side)
        pixels = pixels_of_samples(samples, self._profile, inks=self._is_of_inks)
        return Decoded(upright(shrunk(pixels, long_side), self.orientation), None)


class _Trying:
    """A photo that Pillow opened; where it cannot be decoded in the end, ffmpeg is asked."""

    doubt: str | None = None

    def __init__(self, content: bytes, picture: Picture, max_pixels: int) -> None:
        self._content, self._picture, self._max_pixels = content, picture, max_pixels
        self.exif = picture.exif
        self.orientation = picture.orientation
        self.width: int | None = picture.width
        self.height: int | None = picture.height

    def decoded(self, long_side: int) -> Decoded:
        """The photo by Pillow, else by ffmpeg; raises as `Photo.decoded`."""
        wait_for_room(self._picture.format, self.width, self.height, len(self._content))
        try:
            return self._picture.decoded(long_side)
        except Unreadable as reason:
            name, limit = self._picture.format, self._max_pixels
            return Rescued(self._content, name, reason, self._picture, max_pixels=limit).decoded(long_side)


def open_photo(content: bytes, format_name: str, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read the header of a photo's bytes, `format_name` being what `magic` made of them; no pixel is decoded.

    Raises:
        Unreadable: it is broken, or has more than `max_pixels`.
    """
    if format_name in RAWS:
        return RawPicture(content, format_name, max_pixels)
    if format_name == "jxl":
        return JpegXl(content, max_pixels)
    deep = _deep_tiff(content, max_pixels) if format_name == "tiff" else None
    if deep is not None and deep.is_deep:
        return _OfSamples(deep, len(content))
    try:
        return _Trying(content, open_picture(content, format_name, max_pixels), max_pixels)
    except TooManyPixels:
        raise
    except Unreadable as error:
        found = _masked_bitmap(content, max_pixels) if format_name == "bmp" else deep
        return (
            Rescued(content, format_name, error, max_pixels=max_pixels)
            if found is None
            else _OfSamples(found, len(content))
        )


def _deep_tiff(content: bytes, max_pixels: int) -> DeepTiff | None:
    """What tifffile makes of the header; None where that is nothing, and Pillow may make more of it."""
    try:
        return DeepTiff(content, max_pixels)
    except TooManyPixels:
        raise
    except Unreadable:
        return None


def _masked_bitmap(content: bytes, max_pixels: int) -> MaskedBitmap | None:
    try:
        return MaskedBitmap(content, max_pixels)
    except TooManyPixels:
        raise
    except Unreadable:
        return None
