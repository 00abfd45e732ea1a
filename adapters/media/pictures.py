"""One photo, decoded once: upright, in sRGB, at about the size that is asked for.

JPEG is decoded by libjpeg-turbo straight to a fraction of its size, which is most of what makes thumbnails cheap; all
other formats, and JPEG in colours that it does not convert, by Pillow with pillow-heif. A picture that ends too early
is decoded as far as it goes and says so. Decoders run on untrusted bytes: only the one for the format that the magic
promises is tried, and pixels and bytes have limits. Time and memory are limited by the process this runs in.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final

import cv2
import msgspec
import numpy as np
import pillow_heif
import simplejpeg  # type: ignore[import-untyped]  # it brings stubs but not the py.typed that makes them count
from PIL import Image, ImageFile

from adapters.media.colour import Pixels, in_srgb, is_srgb, pixels_of, pixels_of_samples
from adapters.media.deep_pictures import deep_png_samples, fewer
from adapters.media.exif import PARSING_ERRORS, boxed_exif, orientation_of, quiet
from adapters.media.pixel_limit import MAX_PIXELS, TooManyPixels, demand_few
from adapters.media.stated_colours import stated_by_exif, stated_by_file
from domain.base.errors import Unreadable

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

DECODERS: Final = {
    "jpeg": ("JPEG",),
    "png": ("PNG",),
    "webp": ("WEBP",),
    "gif": ("GIF",),
    "bmp": ("BMP", "DIB"),
    "tiff": ("TIFF",),
    "heic": ("HEIF",),
    "avif": ("AVIF",),
    "jp2": ("JPEG2000",),
}
"""Pillow's decoder for each format of `magic`: the only one that is tried."""
_TURNED_WHEN_OPENED: Final = ("heic", "tiff")
"""Formats whose size Pillow gives upright from the start, and whose pixels it turns itself while it loads them."""
_HARMLESS: Final = re.compile(
    r"extraneous bytes|Unsupported marker|JFIF major revision|unknown JFIF|Invalid SOS", re.IGNORECASE
)

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH: Final = 24
"""Where the header of a PNG says how many bits a sample has."""
_TRUNCATED: Final = "truncated: the lower part is missing"


class Decoded(msgspec.Struct, frozen=True):
    """`pixels` of a whole upright picture, and what is missing of it, None where all is there."""

    pixels: Pixels
    problem: str | None


class Picture:
    """A photo whose header was read: `format`, `width` and `height` upright, the stored `orientation`, `exif`, the
    colour `profile` that it has or states, None for sRGB."""

    def __init__(self, content: bytes, format_name: str, image: Image.Image, profile: bytes | None = None) -> None:
        """Take what Pillow made of the header of `content`; `open_picture` does, and tells what may go wrong."""
        self.format = format_name
        self.exif = boxed_exif(content) if format_name == "jp2" else _exif_of(image, content)
        self._content = content
        self._image = image
        original = image.info.get("original_orientation")
        self.orientation = original if isinstance(original, int) and 1 <= original <= 8 else orientation_of(self.exif)
        self.width, self.height = image.size
        if self.orientation >= 5 and format_name not in _TURNED_WHEN_OPENED:
            self.width, self.height = self.height, self.width
        own = image.info.get("icc_profile")
        own = own if isinstance(own, bytes) and own else stated_by_file(content, format_name, image.info)
        self.profile: bytes | None = own or stated_by_exif(self.exif) or profile

    def decoded(self, long_side: int, orientation: int | None = None) -> Decoded:
        """The picture with a long side of exactly `long_side` pixels, or its own size where it is smaller.

        `orientation` is taken for how the picture is stored, whatever it says itself: a RAW knows better than the JPEG
        in it.

        Raises:
            Unreadable: not a single pixel can be decoded; the text says why.
        """
        with quiet():
            try:
                if self.format == "jpeg" and self._image.mode == "RGB":
                    try:
                        return self._decoded_scaled(long_side, orientation)
                    except ValueError:
                        pass  # a subsampling that TurboJPEG does not know; Pillow may
                return self._decoded_whole(long_side, orientation)
            except PARSING_ERRORS as error:
                raise Unreadable(f"cannot be decoded: {_words(error)}") from error

    def _decoded_scaled(self, long_side: int, orientation: int | None) -> Decoded:
        eighths = _eighths(max(self._image.size), long_side)
        width, height = (-(-side * eighths // 8) for side in self._image.size)
        pixels, problem = _jpeg_pixels(self._content, width, height)
        pixels = shrunk(pixels, long_side)
        if not is_srgb(self.profile):
            pixels = np.asarray(in_srgb(Image.fromarray(pixels), self.profile))
        return Decoded(upright(pixels, orientation or self.orientation), problem)

    def _decoded_whole(self, long_side: int, orientation: int | None) -> Decoded:
        if self.format == "jpeg":
            scale = min(1.0, long_side / max(self._image.size))
            self._image.draft(None, (round(self._image.width * scale), round(self._image.height * scale)))
        if self.format == "jp2":
            orientation = orientation or self.orientation  # Pillow does not see it
        if (pixels := self._deep_pixels(long_side)) is not None:
            return Decoded(upright(pixels, orientation or self.orientation), None)
        image, problem = _loaded(self._image, self._content, DECODERS[self.format])
        left = orientation_of(image.getexif())  # to do: the decoder may have turned it already
        turned = orientation or left
        factor = max(image.size) // long_side
        if factor >= 2 and image.mode in ("RGB", "RGBA", "L", "LA", "CMYK"):
            image = image.reduce(factor)  # averaged first, so that colours are converted on few pixels
        pixels = shrunk(pixels_of(image, self.profile), long_side)
        return Decoded(upright(pixels, turned), problem)

    def _deep_pixels(self, long_side: int) -> Pixels | None:
        """The stored picture of a PNG of sixteen bits whose profile would tear its eight bits apart; None where it is
        another one, or broken: then Pillow shows what there is."""
        if self.format != "png" or self._content[_PNG_DEPTH] <= 8 or is_srgb(self.profile):
            return None
        try:
            samples = fewer(deep_png_samples(self._content), long_side)
        except PARSING_ERRORS:
            return None
        return shrunk(pixels_of_samples(samples, self.profile), long_side)


def open_picture(
    content: bytes, format_name: str, max_pixels: int = MAX_PIXELS, profile: bytes | None = None
) -> Picture:
    """Read the header of a photo's bytes, `format_name` being what `magic.format_of` made of them; `profile` is that of
    its colours where it says nothing of them.

    Raises:
        TooManyPixels: the picture has more than `max_pixels`.
        Unreadable: the header is broken.
    """
    with quiet():
        try:
            image = Image.open(io.BytesIO(content), formats=DECODERS[format_name])
            picture = Picture(content, format_name, image, profile)
        except Image.DecompressionBombError as error:
            raise TooManyPixels(f"more than {MAX_PIXELS // 1_000_000} million pixels") from error
        except PARSING_ERRORS as error:
            raise Unreadable(f"cannot be decoded: {_words(error)}") from error
    demand_few(picture.width, picture.height, max_pixels)
    return picture


def _exif_of(image: Image.Image, content: bytes) -> Image.Exif:
    """The EXIF of a picture; of a PNG that has none before its pixels, what stands behind them, which Pillow would
    decode them for."""
    if image.format != "PNG" or "exif" in image.info or "Raw profile type exif" in image.info:
        return image.getexif()
    exif, at = Image.Exif(), len(PNG_START)
    while (kind := content[at + 4 : at + 8]) and kind != b"IEND":
        length = int.from_bytes(content[at : at + 4], "big")
        if kind == b"eXIf":
            exif.load(content[at + 8 : at + 8 + length])
            break
        at += length + 12
    return exif


def shrunk(pixels: Pixels, long_side: int) -> Pixels:
    """A picture made smaller so that its long side is `long_side` pixels; never made larger.

    Averages two by two while it is twice too large, then interpolates: 0.6 ms from 1440 to 512 pixels, where Pillow's
    Lanczos takes 14 ms, at 48 dB of it. What remains is cubic where next to nothing has to go, linear up to 1.7 times
    (2 ms a preview, 47 to 50 dB), and averaged by area beyond, where linear begins to skip pixels (10 ms, 51 dB).
    """
    height, width = pixels.shape[:2]
    ratio = max(height, width) / long_side
    if ratio <= 1:
        return pixels
    size = max(1, round(width / ratio)), max(1, round(height / ratio))
    while ratio >= 2:
        ratio /= 2
        half = max(width // 2, size[0]), max(height // 2, size[1])
        pixels = _resized(pixels, half, cv2.INTER_AREA)
        width, height = half
    way = cv2.INTER_CUBIC if ratio < 1.15 else cv2.INTER_LINEAR if ratio <= 1.7 else cv2.INTER_AREA
    return _resized(pixels, size, way)


def _resized(pixels: Pixels, size: tuple[int, int], interpolation: int) -> Pixels:
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=interpolation), np.uint8)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """A picture turned and mirrored to how it is to be seen, from how EXIF says that it is stored (1 to 8)."""
    turned: Any = pixels
    if orientation in (5, 7):
        turned = cv2.transpose(turned)
    if orientation in (2, 4):
        turned = cv2.flip(turned, 1 if orientation == 2 else 0)
    elif orientation in _ROTATIONS:
        turned = cv2.rotate(turned, _ROTATIONS[orientation])
    return np.asarray(turned, np.uint8)


_ROTATIONS: Final = {
    3: cv2.ROTATE_180,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_180,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def _eighths(have: int, wanted: int) -> int:
    """By how many eighths of its size to decode a JPEG of `have` pixels for at least `wanted`.

    libjpeg-turbo has vector code for 1, 2, 4 and 8 alone: of a 12-megapixel JPEG, 3 cost more than 4 (33.0 and 30.4 ms)
    and 5, 6 and 7 more than the whole (45 to 62 and 36 ms).
    """
    least = -(-wanted * 8 // have)
    return next(eighths for eighths in (1, 2, 4, 8) if eighths >= min(least, 8))


def _jpeg_pixels(content: bytes, width: int, height: int) -> tuple[Pixels, str | None]:
    """A JPEG decoded to the smallest whole number of eighths that is at least this size, and what is missing of it.

    libjpeg's warnings are errors in its strict mode: that is how a missing part is noticed.
    """

    def decode(of: bytes, strict: bool) -> Pixels:
        return np.asarray(simplejpeg.decode_jpeg(of, min_width=width, min_height=height, strict=strict), np.uint8)

    try:
        return decode(content, True), None
    except ValueError as error:
        words = str(error)
    problem = None if _HARMLESS.search(words) else f"damaged: {_words(words)}"
    if "premature end of jpeg file" in words.lower():
        try:
            return decode(content + b"\xff\xd9", True), None  # only the end mark was missing
        except ValueError:
            problem = _TRUNCATED
    pixels = decode(content, False)
    if problem and _is_blank(pixels):
        raise Unreadable(_nothing_to_see(problem, content))
    return pixels, problem


def _loaded(image: Image.Image, content: bytes, formats: tuple[str, ...]) -> tuple[Image.Image, str | None]:
    """A picture with its pixels read, as far as they go, and what is missing of it."""
    try:
        image.load()
    except PARSING_ERRORS as error:
        problem = _TRUNCATED if "truncated" in str(error) else f"damaged: {_words(error)}"
    else:
        return image, None
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image = Image.open(io.BytesIO(content), formats=formats)
        image.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    if _is_blank(np.asarray(image)):
        raise Unreadable(_nothing_to_see(problem, content))
    return image, problem


def _nothing_to_see(problem: str, content: bytes) -> str:
    return f"{problem.partition(':')[0]} after {max(1, round(len(content) / 1024))} KB, nothing to see"


def _is_blank(pixels: np.ndarray[Any, Any]) -> bool:
    """Whether all but a hundredth of a broken picture is the one colour that decoders fill what is missing with."""
    differing = pixels != pixels[-1, -1]
    return bool((differing.any(axis=2) if pixels.ndim > 2 else differing).mean() < 1 / 100)


def _words(error: Exception | str) -> str:
    """A decoder's own words in one short line, without the address of a buffer."""
    text = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        text = "it needs too much memory"
    return re.sub(r"\s*<[^>]*>", "", " ".join(text.split()))[:120]
