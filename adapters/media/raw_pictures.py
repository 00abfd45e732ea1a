"""One RAW photo as a picture: what its camera embedded, in the order of who finds it, else what its sensor read.

The container's own places come first, since that costs least; then LibRaw, which also finds bitmaps; then exiftool
where it is installed. Where none has a picture of some size, the sensor's readings are developed by LibRaw at half
their size. What is smaller serves only where nothing else does. LibRaw is native code and may crash: it runs where this
is survived.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import rawpy
from PIL import ExifTags

from adapters.media.colour import Pixels
from adapters.media.exif import PARSING_ERRORS, directory, orientation_of, quiet, raw_exif
from adapters.media.memory import wait_for_room
from adapters.media.pictures import Decoded, open_picture, shrunk, upright
from adapters.media.pixel_limit import MAX_PIXELS
from adapters.media.programs import exiftool_previews, ffmpeg_png
from adapters.media.raw import ENOUGH, LEAST, embedded_jpegs, has_readings, sensor_size
from adapters.media.silence import unheard
from adapters.media.stated_colours import stated_by_exif
from domain.base.errors import NotInTime, Unreadable

_LIBRAW_ERRORS: Final = (rawpy.LibRawError, rawpy.NotSupportedError, *PARSING_ERRORS)
_ALIKE: Final = 0.05
"""By how much of their ratio two sizes of one photo differ at most: cameras cut a few rows from what a sensor reads."""


class RawPicture:
    """A RAW photo: `format`, `exif`, the `orientation` of the camera, and the upright `width` and `height` of the whole
    photo, None where only a decoded picture can tell."""

    doubt: str | None = None

    def __init__(self, content: bytes, format_name: str, max_pixels: int = MAX_PIXELS) -> None:
        self.format = format_name
        self.exif = raw_exif(content, format_name)
        self.orientation = orientation_of(self.exif)
        self._content, self._max_pixels = content, max_pixels
        self._jpegs = embedded_jpegs(content, format_name)
        self._late: NotInTime | None = None
        self._sensor = sensor_size(content, format_name)
        self.width: int | None
        self.height: int | None
        self.width, self.height = self._size() or (None, None)

    def decoded(self, long_side: int) -> Decoded:
        """The best picture of the photo, upright, with a long side of at most `long_side` pixels.

        Raises:
            Unreadable: nothing finds a picture in it, or makes one of it.
            NotInTime: nothing does, and exiftool was not over in time.
        """
        wait_for_room(self.format, self.width, self.height, len(self._content))
        best: Decoded | None = None
        with quiet():
            for found in self._found(long_side):
                if best is None or _rank(found) > _rank(best):
                    best = found
                if best.problem is None and max(best.pixels.shape) >= self._enough(long_side):
                    return best
            best = best or self._as_stored(long_side)
        if best is None:
            if self._late is not None:
                raise self._late
            raise Unreadable(f"no picture can be found in this {self.format.upper()} file, nor made of it")
        return best

    def _found(self, long_side: int) -> Iterator[Decoded]:
        """Every picture that there is, the likely ones first; later ones are asked for only where these are small."""
        for jpeg in self._jpegs:
            yield from self._of_jpeg(self._content[jpeg.at : jpeg.at + jpeg.length], long_side)
        yield from self._of_libraw(long_side)
        for content in self._previews():
            yield from self._of_jpeg(content, long_side)
        yield from self._developed(long_side)

    def _previews(self) -> list[bytes]:
        try:
            return exiftool_previews(self._content)
        except NotInTime as error:
            self._late = error  # it counts where nothing else finds a picture
            return []

    def _of_jpeg(self, jpeg: bytes, long_side: int) -> Iterator[Decoded]:
        try:
            picture = open_picture(jpeg, "jpeg", self._max_pixels, stated_by_exif(self.exif))
            turned = picture.orientation >= 5
            stored = (picture.height, picture.width) if turned else (picture.width, picture.height)
            if max(stored) >= LEAST:
                yield picture.decoded(long_side, self._left_to_do(*stored))
        except Unreadable:
            return

    def _of_libraw(self, long_side: int) -> Iterator[Decoded]:
        try:
            with unheard(), rawpy.imread(io.BytesIO(self._content)) as raw:
                thumb = raw.extract_thumb()
        except _LIBRAW_ERRORS:
            return
        if isinstance(thumb.data, bytes):
            yield from self._of_jpeg(thumb.data, long_side)
        elif max(thumb.data.shape) >= LEAST:
            yield self._decoded(np.ascontiguousarray(thumb.data, np.uint8), long_side)

    def _developed(self, long_side: int) -> Iterator[Decoded]:
        """The sensor's readings as a picture, with the camera's white balance; LibRaw turns it by itself."""
        try:
            with unheard(), rawpy.imread(io.BytesIO(self._content)) as raw:
                readings = raw.sizes.raw_width * raw.sizes.raw_height
                if readings > self._max_pixels or not has_readings(self._content, readings) or _is_even(raw.raw_image):
                    return
                pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
        except _LIBRAW_ERRORS:
            return
        yield Decoded(shrunk(np.ascontiguousarray(pixels, np.uint8), long_side), None)

    def _as_stored(self, long_side: int) -> Decoded | None:
        """The first directory as if it were that of a picture: a bitmap, where no JPEG is; else what ffmpeg makes."""
        try:
            picture = open_picture(self._content, "tiff", self._max_pixels)
            if max(picture.width, picture.height) >= LEAST:
                return picture.decoded(long_side)
        except Unreadable:
            pass
        png = ffmpeg_png(self._content, self.format, self._max_pixels)
        if png is None:
            return None
        decoded = open_picture(png, "png", self._max_pixels).decoded(long_side, 1)
        return self._decoded(decoded.pixels, long_side)

    def _decoded(self, stored: Pixels, long_side: int) -> Decoded:
        height, width = stored.shape[:2]
        return Decoded(upright(shrunk(stored, long_side), self._left_to_do(width, height) or 1), None)

    def _left_to_do(self, width: int, height: int) -> int | None:
        """How a picture of this stored size is to be turned: as the camera says, unless that was done already, which
        shows where a photo on its side has a picture that stands. None leaves it to what the picture says itself."""
        if ExifTags.Base.Orientation not in directory(self.exif, None):
            return None
        if self.orientation >= 5 and self._sensor and _alike(self._sensor, (width, height)):
            was_turned = (width > height) != (self._sensor[0] > self._sensor[1])
            return 1 if was_turned else self.orientation
        return self.orientation

    def _enough(self, long_side: int) -> float:
        return min(ENOUGH, long_side, 0.9 * max(self._sensor or (ENOUGH,)))

    def _size(self) -> tuple[int, int] | None:
        """Upright pixels of the whole photo: as the camera states them, where the pictures in it have that shape."""
        photo = directory(self.exif, ExifTags.IFD.Exif)
        stated = (photo.get(ExifTags.Base.ExifImageWidth), photo.get(ExifTags.Base.ExifImageHeight))
        shown = (self._jpegs[0].width, self._jpegs[0].height) if self._jpegs else None
        for size in (stated, self._sensor):
            match size:
                case (int(width), int(height)) if min(size) > 0 and (shown is None or _alike(size, shown)):
                    return (height, width) if self.orientation >= 5 and width > height else (width, height)
        if shown is None:
            return None
        return shown[::-1] if (self._left_to_do(*shown) or 1) >= 5 else shown


def _is_even(readings: npt.NDArray[np.generic] | None) -> bool:
    """Whether all readings are one number, which no sensor gives, not in the dark either."""
    return readings is not None and bool((readings == readings.flat[0]).all())


def _rank(decoded: Decoded) -> tuple[bool, int]:
    return decoded.problem is None, decoded.pixels.size


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are of one shape, lying or standing."""
    ratios = [max(size) / min(size) for size in (one, other)]
    return abs(ratios[0] / ratios[1] - 1) <= _ALIKE
