"""Pictures of more than eight bits a sample, which Pillow reads in part, wrongly or not at all: PNG and TIFF.

A TIFF may have samples of any number of bits, whole or floating point, in pixels or in planes, with offsets of 32 or 64
bits. tifffile reads all of that where nothing is compressed in a way of its own; OpenCV's libtiff and Pillow's read the
rest, each what it is known to read rightly. What none of them does is named, never guessed.
"""

from __future__ import annotations

import io
import logging
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import ExifTags, Image

from adapters.media.colour import Samples, stretched
from adapters.media.exif import PARSING_ERRORS, orientation_of, quiet
from adapters.media.pixel_limit import demand_few
from domain.base.errors import Unreadable

_DEEP: Final = 8
"""Bits of a sample beyond which Pillow is not asked first."""
_GREYS, _RGB, _INKS, _WHITE_IS_ZERO = (0, 1), 2, 5, 0
"""Photometric interpretations (TIFF 6.0, section 8)."""
_IN_PLANES: Final = 2
_FLOAT: Final = 3
_PILLOWS_OWN: Final = 1
"""Uncompressed: what Pillow reads without libtiff, and in planes wrongly."""
_PROFILE: Final = 34675
_SHORT: Final = 2
"""Bytes of a number that is taken to be filled."""
_ROOM: Final = 16
"""By how much the largest of longer numbers may be below what they can hold."""
logging.getLogger("tifffile").disabled = True  # it tells of broken files without their names


class DeepTiff:
    """The first picture of a TIFF whose samples have more than eight bits or that Pillow cannot open; as
    `opening.Photo`, with the `profile` of its colours."""

    def __init__(self, content: bytes, max_pixels: int) -> None:
        """Read the header.

        Raises:
            Unreadable: it is broken, of colours that are not known here, or has more than `max_pixels`.
        """
        self._content, self._page = content, _first_page(content)
        self.exif = _exif(content, self._page)
        self.orientation = orientation_of(self.exif)
        stored = self._page.imagewidth, self._page.imagelength
        demand_few(*stored, max_pixels)
        self.width: int | None
        self.height: int | None
        self.width, self.height = stored[::-1] if self.orientation >= 5 else stored
        value = self._page.tags.valueof(_PROFILE)
        self.profile: bytes | None = value if isinstance(value, bytes) else None
        if self._page.photometric not in (*_GREYS, _RGB, _INKS):
            raise Unreadable(f"cannot be decoded: a TIFF of {self._words()}")

    @property
    def is_deep(self) -> bool:
        """Whether Pillow is not to be asked first."""
        return self._page.bitspersample > _DEEP or self._page.sampleformat == _FLOAT

    @property
    def is_of_inks(self) -> bool:
        """Whether it is printed and not lit."""
        return bool(self._page.photometric == _INKS)

    def samples(self, long_side: int) -> Samples:
        """The picture as stored, made smaller where it is far larger than `long_side`.

        Raises:
            Unreadable: nothing here decodes it rightly, or it is broken.
        """
        with quiet():
            tried = (_tried(way, self._content, self._page) for way in _WAYS)
            array = next((found for found in tried if found is not None), None)
        if array is None:
            raise Unreadable(f"cannot be decoded: a TIFF of {self._words()}")
        if array.ndim == 2:
            array = array[:, :, None]
        samples = fewer(array, long_side)
        return 1 - samples if self._page.photometric == _WHITE_IS_ZERO else samples

    def _words(self) -> str:
        page = self._page
        order = " in planes" if page.planarconfig == _IN_PLANES and page.samplesperpixel > 1 else ""
        return f"{page.bitspersample} bits{order}, {_name(page.photometric)}, {_name(page.compression)}"


def deep_png_samples(content: bytes) -> npt.NDArray[np.generic]:
    """The samples of a PNG of sixteen bits: height x width x channels, RGB in that order.

    Raises:
        ValueError: it is broken.
    """
    try:
        return _in_order(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED))
    except cv2.error as error:
        raise ValueError(str(error)) from error


def fewer(array: npt.NDArray[Any], long_side: int) -> Samples:
    """Samples of any kind as 0 to 1, averaged to at least `long_side` pixels where they are more than twice as many."""
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    factor = max(array.shape[:2]) // long_side
    if array.dtype not in (np.uint8, np.uint16, np.float32):
        array = _scaled(array)
    if factor >= 2:
        size = max(1, array.shape[1] // factor), max(1, array.shape[0] // factor)
        array = np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA))
        array = array if array.ndim == 3 else array[:, :, None]
    return _scaled(array)


def _scaled(array: npt.NDArray[Any]) -> Samples:
    if array.dtype.kind not in "iu":
        return stretched(array)
    least, most, limit = int(array.min()), int(array.max()), int(np.iinfo(array.dtype).max)
    if least < 0 or (array.dtype.itemsize > _SHORT and most < limit / _ROOM):
        return stretched(array)  # of fewer bits than it says
    return (array.astype(np.float64) / limit).astype(np.float32)


def _first_page(content: bytes) -> tifffile.TiffPage:
    try:
        page = tifffile.TiffFile(io.BytesIO(content)).pages[0]
    except (tifffile.TiffFileError, *PARSING_ERRORS) as error:
        raise Unreadable("cannot be decoded: its first directory is broken") from error
    if not isinstance(page, tifffile.TiffPage) or page.imagewidth <= 0 or page.imagelength <= 0:
        raise Unreadable("cannot be decoded: no picture in its first directory")
    return page


def _exif(content: bytes, page: tifffile.TiffPage) -> Image.Exif:
    """What its directories say, by Pillow where it can open them."""
    with quiet():
        try:
            with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
                return image.getexif()
        except PARSING_ERRORS:
            pass
    exif, names = Image.Exif(), {name: tag for tag, name in ExifTags.TAGS.items()}
    for tag in page.tags:
        value = int(tag.value) if isinstance(tag.value, int) else tag.value
        if isinstance(value, int | str):
            exif[tag.code] = value
        elif tag.code == ExifTags.IFD.Exif and isinstance(value, dict):
            exif.get_ifd(ExifTags.IFD.Exif).update({names[name]: each for name, each in value.items() if name in names})
    return exif


def _name(number: object) -> str:
    return str(getattr(number, "name", number)).lower()


def _tried(way: Any, content: bytes, page: tifffile.TiffPage) -> npt.NDArray[Any] | None:
    try:
        array: npt.NDArray[Any] = way(content, page)
    except (tifffile.TiffFileError, cv2.error, *PARSING_ERRORS):
        return None
    is_whole = array.shape[:2] == (page.imagelength, page.imagewidth)
    return array if is_whole and array.ndim in (2, 3) else None


def _by_tifffile(_: bytes, page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """Everything but what is compressed in a way of its own, for which it asks other packages."""
    array = page.asarray(maxworkers=1).squeeze()
    if page.planarconfig == _IN_PLANES and array.ndim == 3:
        array = np.moveaxis(array, 0, -1)
    return np.ascontiguousarray(array.reshape(page.imagelength, page.imagewidth, -1))


def _by_opencv(content: bytes, page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """What is in pixels and of light; samples of 10, 12 and 14 bits come as 16."""
    if page.planarconfig == _IN_PLANES and page.samplesperpixel > 1:
        raise ValueError("in planes, which it mixes up")
    return _in_order(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED))


def _by_pillow(content: bytes, page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """What libtiff decompresses for it, but for tiles in planes, which it mixes up."""
    if page.compression == _PILLOWS_OWN or (page.is_tiled and page.planarconfig == _IN_PLANES):
        raise ValueError("it reads that wrongly")
    with quiet(), Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        image.load()
        return np.asarray(image)


_WAYS: Final = (_by_tifffile, _by_opencv, _by_pillow)


def _in_order(array: Any) -> npt.NDArray[np.generic]:
    """OpenCV's picture with its channels as RGB."""
    if array is None:
        raise ValueError("it cannot be decoded")
    if array.ndim == 2:
        return np.asarray(array[:, :, None])
    return np.ascontiguousarray(array[:, :, [2, 1, 0, 3][: array.shape[2]]] if array.shape[2] >= 3 else array)
