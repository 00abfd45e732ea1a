"""Single pictures out of a video: its poster, upright and in colours that a screen without HDR shows."""

from __future__ import annotations

from typing import Final

import numpy as np

from adapters.media.colour import Pixels
from adapters.media.ffmpeg import ffmpeg, has_filters, opening
from adapters.media.film import Film
from domain.base.errors import Unreadable

POSTER_SECOND: Final = 3.0
"""Where a poster is taken: past the black and the shaking hand that most clips begin with."""
_LAST_FRAMES: Final = 0.5
_FRAME_SECONDS: Final = 40.0
_HDR: Final = frozenset({"smpte2084", "arib-std-b67"})


def poster_of(path: bytes, film: Film, long_side: int) -> Pixels:
    """The frame at three seconds, or the first of a shorter video, with a long side of at most `long_side` pixels.

    `-ss` past the last frame makes ffmpeg succeed and write nothing: then the first frame is taken too.

    Raises:
        Unreadable: no frame can be decoded in time.
        Unavailable: ffmpeg is not installed.
    """
    is_long = film.duration is None or film.duration > POSTER_SECOND + _LAST_FRAMES
    for second in (POSTER_SECOND, 0.0) if is_long else (0.0,):
        frame = _frame(path, film, second, long_side)
        if frame is not None:
            return frame
    raise Unreadable("cannot be decoded: not a single frame")


def fitted(film: Film, long_side: int) -> tuple[int, int]:
    """Even width and height of a video that fits into a square of `long_side` pixels; never larger than it is."""
    factor = min(1.0, long_side / max(film.width, film.height))
    width, height = (max(2, round(side * factor / 2) * 2) for side in (film.width, film.height))
    return width, height


def scaling(film: Film, size: tuple[int, int]) -> str:
    """The filters that bring a frame, which ffmpeg has turned, to a size, without fields and without HDR."""
    steps = ["yadif"] if film.interlaced else []
    steps += [f"scale={size[0]}:{size[1]}:flags=bicubic", "setsar=1"]
    if film.transfer in _HDR and has_filters("zscale", "tonemap"):  # first smaller, as tone mapping works on floats
        steps += [f"setparams=range=tv:color_primaries=bt2020:color_trc={film.transfer}:colorspace=bt2020nc"]
        steps += ["zscale=t=linear:npl=100", "format=gbrpf32le", "zscale=p=bt709", "tonemap=hable:desat=0"]
        steps += ["zscale=t=bt709:m=bt709:r=tv", "format=yuv420p"]
    return ",".join(steps)


def _frame(path: bytes, film: Film, second: float, long_side: int) -> Pixels | None:
    width, height = fitted(film, long_side)
    seek = ("-ss", f"{second:g}") if second else ()
    picture = ("-map", f"0:{film.video_stream}", "-frames:v", "1", "-vf", scaling(film, (width, height)))
    try:
        raw = ffmpeg(
            *seek, *opening(path), *picture, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1", seconds=_FRAME_SECONDS
        )
    except Unreadable:
        if second:
            return None
        raise
    if len(raw) != width * height * 3:
        return None
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)
