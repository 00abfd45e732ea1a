"""exiftool and ffmpeg, asked for pictures that nothing else finds or decodes; where one is missing, nothing is asked.

Both get the bytes through their standard input and no name of a file, so that no name can be taken for an option, a
command or an address, and so that they see the bytes that were hashed. They run in the process group of their worker
with its memory limit, and are killed at the latest when their own time, of computing and of waiting, is over.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.media.pixel_limit import MAX_PIXELS
from adapters.workers.limited_program import run_limited
from domain.base.errors import Unreadable

_HEAD: Final = 4096
"""Bytes in which ffmpeg has written all chunks of a PNG that come before its profile."""
SECONDS: Final = 30.0
"""Neither needs a tenth of it for a photo that it can read."""

_PREVIEWS: Final = ("JpgFromRaw", "PreviewImage", "OtherImage")
_DEMUXERS: Final = {
    "jpeg": "jpeg_pipe",
    "png": "png_pipe",
    "webp": "webp_pipe",
    "gif": "gif",
    "bmp": "bmp_pipe",
    "tiff": "tiff_pipe",
    "dng": "tiff_pipe",
    "jxl": "jpegxl_pipe",
    "jp2": "j2k_pipe",
}
"""Formats whose demuxer reads a picture and nothing else: a playlist has no way in. HEIC and AVIF are left out, of
which older versions read nothing and newer ones one tile."""


def exiftool_previews(content: bytes, seconds: float = SECONDS) -> list[bytes]:
    """The JPEGs that exiftool finds in a RAW file, none where it is not on the PATH or takes more than `seconds`."""
    program = shutil.which("exiftool")
    if program is None:
        return []
    wanted = [f"-{name}" for name in _PREVIEWS]
    listed = _output([program, "-config", "", "-j", "-b", *wanted, "-"], content, seconds)
    try:
        found = msgspec.json.decode(listed or b"[]", type=list[dict[str, str | int | float]])
        values = [each.get(name) for each in found for name in _PREVIEWS]
        encoded = [value.removeprefix("base64:") for value in values if isinstance(value, str)]
        return [base64.b64decode(value, validate=True) for value in encoded]
    except (msgspec.DecodeError, ValueError):
        return []


def ffmpeg_png(content: bytes, format_name: str, max_pixels: int = MAX_PIXELS) -> bytes | None:
    """A photo as ffmpeg decodes it, as it is stored, as a PNG: with its profile, depth and transparency. None where
    ffmpeg is missing, does not know the format, finds the file damaged or larger than `max_pixels`."""
    program, demuxer = shutil.which("ffmpeg"), _DEMUXERS.get(format_name)
    if program is None or demuxer is None:
        return None
    strict = ["-v", "error", "-xerror", "-err_detect", "explode", "-max_pixels", str(max_pixels)]
    whole = ["-frame_size", str(len(content))] if format_name == "jxl" else []  # of which older versions know no end
    limits = ["-nostdin", *strict, "-protocol_whitelist", "pipe", "-noautorotate"]
    given = [*limits, "-f", demuxer, *whole, "-i", "pipe:0"]
    output = ["-frames:v", "1", "-c:v", "png", "-compression_level", "1", "-f", "image2pipe", "pipe:1"]
    png = _output([program, *given, *output], content)
    return _without_gamma(png) if png else None


def _without_gamma(png: bytes) -> bytes:
    """A PNG without the gamma that ffmpeg writes for every curve, sRGB's too."""
    at = png.find(b"gAMA", 0, _HEAD)
    return png if at < 0 else png[: at - 4] + png[at + 12 :]


def _output(command: Sequence[str], content: bytes, seconds: float = SECONDS) -> bytes | None:
    """What a program writes about `content`; None where it fails or computes for too long.

    Raises:
        NotInTime: it was not over in time, on a busy machine.
    """
    try:
        done = run_limited(command, seconds, content)
    except (OSError, Unreadable):
        return None
    return done.stdout if done.returncode == 0 else None
