"""What a video says of itself, by ffprobe: size, length, codecs, when, where and with what it was taken.

Times are the hard part. QuickTime's own date is the wall clock with its offset, and comes first. `creation_time` is UTC
by its definition (ISO 14496-12, 8.2.2), and many cameras write their wall clock there all the same. Here it counts as a
wall clock without offset where the maker is known for that; where the file's name tells a wall clock that is off by
quarters of an hour, as phones name their files, that name is the wall clock and the difference the offset; else it is
what it says it is, UTC.
"""

from __future__ import annotations

import calendar
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.media.dates import WallClock, wall_clock_of_exif, wall_clock_of_name
from adapters.media.exif import clean_text
from adapters.media.ffmpeg import ffprobe
from domain.base.errors import Unreadable

PROBE_SECONDS: Final = 30.0
_LARGEST_SIDE: Final = 16_384
_LONGEST_SECONDS: Final = 30 * 24 * 3600
_MOST_TAGS: Final = 100
_DAY_MICROS: Final = 24 * 3600 * 1_000_000
_QUARTER_MICROS: Final = 15 * 60 * 1_000_000
_NAMED_LATE_MICROS: Final = 60 * 1_000_000
"""A phone names the file when recording begins and notes the time when it ends: the name may be that much earlier,
beside the video's length."""
_NAMED_EARLY_MICROS: Final = 2_000_000
_FIRST_DIGITAL_YEAR: Final = 1990
"""Clocks that were never set say 1904 (QuickTime's zero), 1970 or 1980."""
_WALL_CLOCK_AS_UTC: Final = re.compile(
    r"\b(gopro|canon|nikon|panasonic|olympus|om digital|fujifilm|pentax|ricoh|dji|garmin|casio)\b", re.IGNORECASE
)
"""Makers whose cameras have no time zone to speak of and write their wall clock as UTC (ExifTool's documentation of the
option QuickTimeUTC warns of them)."""
_ISO_6709: Final = re.compile(r"([+-]\d{2,6}(?:\.\d+)?)([+-]\d{3,7}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:CRS[^/]*)?/?")


class Film(msgspec.Struct, frozen=True, kw_only=True):
    """A video as ffprobe sees it.

    `format` is the container by ffmpeg's names. `width` and `height` are pixels as it is to be seen: turned, and with
    square pixels. `rotation` is by how many degrees clockwise players turn it, 0 to 359. `duration`, `picture_seconds`
    (without sound that goes on) and `start` are in seconds, `frame_rate` in frames a second on average, `base_rate`
    the rate that all its times are multiples of, `bit_rate` in bits a second. `video_stream` and `audio_stream` number
    the streams that are shown and heard. `taken` is None where the container has no date; position in degrees north
    and east, `altitude` in metres.
    """

    format: str
    width: int
    height: int
    rotation: int
    duration: float | None
    picture_seconds: float | None
    start: float
    video_stream: int
    video_codec: str
    pixel_format: str
    interlaced: bool
    transfer: str
    frame_rate: float | None
    base_rate: float | None
    audio_stream: int | None
    audio_codec: str | None
    audio_channels: int
    bit_rate: int | None
    taken: WallClock | None = None
    only_utc: bool = False
    make: str | None = None
    model: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    tags: dict[str, str] = {}


def film_of(path: bytes, name: str, fds: Sequence[int] = ()) -> Film:
    """Ask ffprobe about the video at an absolute path; `name` is its file's name, which may tell the wall clock. The
    path may be `/dev/fd/N` of a descriptor in `fds`.

    Raises:
        Unreadable: it is no video that can be decoded, or takes too long.
        Unavailable: ffprobe is not installed.
    """
    try:
        words = ("-show_format", "-show_streams", "-of", "json")
        probed = json.loads(ffprobe(path, *words, seconds=PROBE_SECONDS, fds=fds))
    except ValueError as error:
        raise Unreadable("cannot be decoded: ffprobe's answer makes no sense") from error
    streams = [each for each in probed.get("streams", []) if isinstance(each, dict)]
    video = _first(streams, "video")
    if video is None or not video.get("codec_name"):
        raise Unreadable("no picture in it: sound alone" if _first(streams, "audio") else "no video in it")
    return _film(probed.get("format", {}), streams, video, name)


def _first(streams: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    """The stream that players take: the first of its kind that is no cover picture."""
    of_kind = [each for each in streams if each.get("codec_type") == kind]
    return next((each for each in of_kind if not each.get("disposition", {}).get("attached_pic")), None)


def _film(whole: Mapping[str, Any], streams: Sequence[Any], video: Mapping[str, Any], name: str) -> Film:
    audio = _first(streams, "audio")
    tags = _tags(whole, video)
    duration = _seconds(whole.get("duration")) or _seconds(video.get("duration"))
    width, height, rotation = _size(video)
    latitude, longitude, altitude = _place(tags)
    make = _tag(tags, "com.apple.quicktime.make", "com.android.manufacturer", "make", "manufacturer")
    taken, only_utc = _taken(tags, name, make, duration or 0.0)
    return Film(
        format=str(whole.get("format_name", "")),
        width=width,
        height=height,
        rotation=rotation,
        duration=duration,
        picture_seconds=_seconds(video.get("duration")) or _clock(tags.get("duration")),
        start=_number(whole.get("start_time")) or 0.0,
        video_stream=int(video["index"]),
        video_codec=str(video["codec_name"]),
        pixel_format=str(video.get("pix_fmt", "")),
        interlaced=video.get("field_order") in {"tt", "bb", "tb", "bt"},
        transfer=str(video.get("color_transfer", "")),
        frame_rate=_rate(video.get("avg_frame_rate")),
        base_rate=_rate(video.get("r_frame_rate")),
        audio_stream=int(audio["index"]) if audio and audio.get("codec_name") else None,
        audio_codec=str(audio["codec_name"]) if audio and audio.get("codec_name") else None,
        audio_channels=int(_number(audio.get("channels")) or 0) if audio else 0,
        bit_rate=int(_number(whole.get("bit_rate")) or 0) or None,
        taken=taken,
        only_utc=only_utc,
        make=make,
        model=_tag(tags, "com.apple.quicktime.model", "com.android.model", "model"),
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        tags=dict(tags),
    )


def _size(video: Mapping[str, Any]) -> tuple[int, int, int]:
    width, height = int(_number(video.get("width")) or 0), int(_number(video.get("height")) or 0)
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise Unreadable(f"a picture of {width} x {height} cannot be shown")
    across, _, down = str(video.get("sample_aspect_ratio", "1:1")).partition(":")
    if across.isdigit() and down.isdigit() and int(down) and 0.1 < int(across) / int(down) < 10:
        width = max(1, round(width * int(across) / int(down)))
    turns = [side.get("rotation") for side in video.get("side_data_list", []) if isinstance(side, dict)]
    turn = next((number for each in turns if (number := _number(each)) is not None), None)
    if turn is None:
        turn = -(_number(video.get("tags", {}).get("rotate")) or 0)
    rotation = round(-turn / 90) * 90 % 360
    return (height, width, rotation) if rotation in {90, 270} else (width, height, rotation)


def _tags(whole: Mapping[str, Any], video: Mapping[str, Any]) -> dict[str, str]:
    """The tags of the container and of its picture, cleaned, by name in lower case."""
    found: dict[str, str] = {}
    for tags in (video.get("tags", {}), whole.get("tags", {})):
        for name, value in list(tags.items())[:_MOST_TAGS]:
            kept = clean_text(value)
            if kept and (label := clean_text(name)):
                found[label.lower()] = kept
    return found


def _tag(tags: Mapping[str, str], *names: str) -> str | None:
    return next((tags[name] for name in names if name in tags), None)


def _taken(tags: Mapping[str, str], name: str, make: str | None, duration: float) -> tuple[WallClock | None, bool]:
    """When it was taken, and whether that is UTC because nothing tells what clocks on a wall showed."""
    local = _tag(tags, "com.apple.quicktime.creationdate")
    if local is not None and (found := _iso_time(local)) is not None:
        return found, False
    universal = _iso_time(_tag(tags, "creation_time", "date") or "")
    if universal is None or universal.offset_minutes is None:
        return universal, False
    if _WALL_CLOCK_AS_UTC.search(" ".join((make or "", tags.get("handler_name", ""), tags.get("encoder", "")))):
        return WallClock(universal.micros, None), False
    named = wall_clock_of_name(name)
    if named is None or named.offset_minutes is not None or named.micros % _DAY_MICROS == 0:
        return universal, universal.offset_minutes == 0
    found = _localised(universal, named, duration)
    return found, found is universal and universal.offset_minutes == 0


def _localised(universal: WallClock, named: WallClock, duration: float) -> WallClock:
    """The wall clock of a file's name with the offset that the container's UTC gives it, where the two belong
    together; without offset where they are equal, as UTC may be a wall clock then; else UTC."""
    ahead = named.micros - universal.micros
    offset = -(-(ahead - _NAMED_EARLY_MICROS) // _QUARTER_MICROS) * _QUARTER_MICROS
    late = offset - ahead
    if abs(offset) > 14 * 4 * _QUARTER_MICROS or late > _NAMED_LATE_MICROS + duration * 1_000_000:
        return universal
    return WallClock(named.micros, offset // 60_000_000 if offset else None)


def _iso_time(text: str) -> WallClock | None:
    """The time in ISO 8601 text with its offset, such as `2024-05-01T12:00:00+0200`; None before digital cameras."""
    offset = text[19:].lstrip(".0123456789")
    found = wall_clock_of_exif(text.replace("T", " "), "", offset)
    if found is None or found.micros < _FIRST_DIGITAL_MICROS:
        return None
    return found


_FIRST_DIGITAL_MICROS: Final = calendar.timegm((_FIRST_DIGITAL_YEAR, 1, 1, 0, 0, 0)) * 10**6


def _place(tags: Mapping[str, str]) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude and altitude of an ISO 6709 text such as `+47.3769+008.5417+408.0/`."""
    text = _tag(tags, "com.apple.quicktime.location.iso6709", "location", "location-eng", "xyz") or ""
    match = _ISO_6709.fullmatch(text.strip())
    if match is None:
        return None, None, None
    latitude, longitude = _degrees(match[1], 2), _degrees(match[2], 3)
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None, None, None  # zero, zero is what receivers without a fix write
    return latitude, longitude, float(match[3]) if match[3] else None


def _degrees(text: str, digits: int) -> float:
    """Degrees, degrees and minutes, or degrees, minutes and seconds, told apart by the digits before the point."""
    sign = -1 if text[0] == "-" else 1
    whole, _, fraction = text[1:].partition(".")
    parts = [whole]
    if len(whole) - digits in {2, 4}:
        parts = [whole[:digits], *(whole[at : at + 2] for at in range(digits, len(whole), 2))]
    numbers = [float(part) for part in parts]
    numbers[-1] += float(f"0.{fraction or 0}")
    return round(sign * sum(number / 60.0**power for power, number in enumerate(numbers)), 8)


def _seconds(value: object) -> float | None:
    number = _number(value)
    return None if number is None or not 0 < number <= _LONGEST_SECONDS else round(number, 3)


def _clock(text: str | None) -> float | None:
    """Seconds in Matroska's tag of a stream's length, `00:01:02.500000000`."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text or "")
    return _seconds(int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])) if match else None


def _rate(value: object) -> float | None:
    """Frames a second in ffprobe's `30000/1001`."""
    above, _, below = str(value).partition("/")
    over, under = _number(above), _number(below or "1")
    if not over or not under or not 0 < over / under <= 100_000:
        return None
    return round(over / under, 3)


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
