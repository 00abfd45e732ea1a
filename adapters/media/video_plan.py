"""How a video becomes HLS: where its parts begin, what is copied and what is encoded, the playlist, the command lines.

A plan is made once for a content, from what ffprobe tells in a moment, so the whole playlist is there before the first
part is. Parts are MPEG transport streams on the video's own clock, which any number of ffmpeg may make, from any part
on, and which fit together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.media.ffmpeg import Word, ffmpeg_command, ffprobe, opening
from adapters.media.film import Film, film_of
from adapters.media.video_frames import fitted, scaling
from domain.base.errors import Unreadable

VERSION: Final = 2
"""Counts changes that make parts of an older plan unfit; a plan with another number is made anew."""
COPIED_SECONDS: Final = 4.0
ENCODED_SECONDS: Final = 2.0
"""A jump waits for one part: of 1080 lines, HEVC before, two seconds take 1.9 s of CPU, three 2.8."""
FIRST_SECONDS: Final = 1.0
"""The first part that is encoded is short, so that there soon is a picture."""
_LONGEST_COPIED_SECONDS: Final = 60.0
"""A video with fewer keyframes than this is encoded: a player would have to load a part for long before it shows it."""
_SHORTEST_TAIL: Final = 1.5
_NEAR_THE_END: Final = 1.5
"""Seconds by which a container may say more than its last picture lasts."""
_MOST_PARTS: Final = 5000
_LISTING_SECONDS: Final = 30.0
_RUN_UP: Final = 0.3
"""Seconds before its first part at which a run begins to decode: an encoder of sound needs some frames to settle."""
_SKEW: Final = 0.01
"""Seconds by which a part is cut early, so that rounding never puts the keyframe it begins with into the one before."""
_LATER: Final = "output_ts_offset=10"
"""All parts are ten seconds late alike: sound and reordered pictures may begin before zero, which a part cannot say."""
_LONGEST_SIDE, _SHORTEST_SIDE = 1920, 1080
_FASTEST_RATE: Final = 60.0
_INDEXED: Final = frozenset({"mov", "matroska", "avi", "flv"})
"""Containers in which ffmpeg finds keyframes by an index, without reading what lies between."""
_H264_FORMATS: Final = frozenset({"yuv420p", "yuvj420p"})
"""H.264 that every browser decodes: not ten bits, not 4:2:2."""


class Plan(msgspec.Struct, frozen=True):
    """One video as HLS. `times` are the seconds at which parts begin, from 0, and the end of the last; `copies_picture`
    and `copies_sound` whether these streams go into the parts as they are."""

    version: int
    film: Film
    times: tuple[float, ...]
    copies_picture: bool
    copies_sound: bool

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.times) - 1


def plan_of(path: bytes, fds: Sequence[int] = ()) -> Plan:
    """Plan the video at an absolute path, or at `/dev/fd/N` of a descriptor in `fds`.

    Raises:
        Unreadable: it cannot be decoded, or nothing tells how long it is.
        Unavailable: ffprobe is not installed.
    """
    film = film_of(path, "", fds)
    keyframes = _keyframes(path, film, fds) if _is_copied(film) else None
    seconds = film.picture_seconds or film.duration
    seconds = _length_by_reading(path, film, fds) if seconds is None else _until_its_end(path, film, seconds, fds)
    copies_sound = film.audio_codec == "aac" and film.audio_channels <= 6
    if keyframes is not None and keyframes[-1] < seconds:
        times = (*_spaced(keyframes, COPIED_SECONDS), seconds)
        if max(_lengths(times)) <= _LONGEST_COPIED_SECONDS:
            return Plan(VERSION, film, times, copies_picture=True, copies_sound=copies_sound)
    return Plan(VERSION, film, (*_even(seconds), seconds), copies_picture=False, copies_sound=False)


def playlist(plan: Plan) -> str:
    """The playlist of all parts (RFC 8216), each at an address relative to it."""
    lengths = _lengths(plan.times)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{math.ceil(max(lengths))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    for number, length in enumerate(lengths):
        lines += [f"#EXTINF:{length:.6f},", part_name(number)]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def part_name(number: int) -> str:
    """The file of a part."""
    return f"{number}.ts"


def command(plan: Plan, path: bytes, first: int, count: int, folder: str) -> list[Word]:
    """The ffmpeg that writes `count` parts from `first` on into `folder`, and to standard output a line for each as it
    is whole: `<file>,<start>,<end>`. It also writes what comes before and after them, which `part_begun_at` tells."""
    begin, last = plan.times[first], min(first + count, plan.parts)
    run_up = max(0.0, begin - _RUN_UP)
    seek = ["-ss", f"{run_up:.6f}"] if first else []
    end = ["-to", f"{plan.times[last] + _RUN_UP:.6f}"] if last < plan.parts else []
    cuts = plan.times[max(first, 1) : last + 1 if last < plan.parts else last]
    splits = ["-segment_times", ",".join(f"{max(0.0, cut - _SKEW):.6f}" for cut in cuts)]
    if not cuts:
        splits = ["-segment_time", "1000000"]
    return ffmpeg_command(
        *("-copyts", *seek, *opening(path), *end, "-start_at_zero", "-map_metadata", "-1", "-sn", "-dn"),
        *("-map", f"0:{plan.film.video_stream}", *_picture(plan, cuts)),
        *(() if plan.film.audio_stream is None else ("-map", f"0:{plan.film.audio_stream}", *_sound(plan))),
        *("-avoid_negative_ts", "disabled", "-muxdelay", "0", "-muxpreload", "0", "-max_muxing_queue_size", "4096"),
        *("-f", "segment", "-segment_format", "mpegts", "-segment_format_options", _LATER, *splits),
        *("-segment_list", "pipe:1", "-segment_list_type", "csv", f"{folder}/%d.ts"),
    )


def part_begun_at(plan: Plan, wanted: range, line: str) -> tuple[str, int] | None:
    """The file and the number of the part that a line of `command`'s output tells of; None for what comes before and
    after the parts that were `wanted`, which is not whole. ffmpeg gives the time 0 to whatever it writes first."""
    name, _, rest = line.strip().partition(",")
    try:
        start = float(rest.partition(",")[0])
    except ValueError:
        return None
    nearest = min(range(plan.parts), key=lambda number: abs(plan.times[number] - start))
    near = abs(plan.times[nearest] - start) < 0.5
    return (name, nearest) if near and nearest in wanted else None


def _is_copied(film: Film) -> bool:
    """Whether the picture may go into parts as it is. A transport stream cannot say that a picture is to be turned."""
    is_plain = film.video_codec == "h264" and film.pixel_format in _H264_FORMATS
    return is_plain and film.rotation == 0 and not film.interlaced


def _keyframes(path: bytes, film: Film, fds: Sequence[int]) -> list[float] | None:
    """Seconds of keyframes from 0 on, about `COPIED_SECONDS` apart or as they come; None where they cannot be told."""
    words: list[Word] = ["-select_streams", str(film.video_stream), "-show_entries", "packet=pts_time,flags"]
    if not _INDEXED.isdisjoint(film.format.split(",")) and film.duration:
        step = max(COPIED_SECONDS, film.duration / _MOST_PARTS)
        marks = (film.start + number * step for number in range(math.ceil(film.duration / step)))
        words += ["-read_intervals", ",".join(f"{mark:.3f}%+#1" for mark in marks)]
    try:
        listed = ffprobe(path, *words, "-of", "csv=p=0", seconds=_LISTING_SECONDS, fds=fds)
    except Unreadable:
        return None
    packets = [line.split(",")[:2] for line in listed.decode("ascii", "replace").split() if line.count(",")]
    if "-read_intervals" in words and not all("K" in flags for _, flags in packets):
        return None
    found = sorted({_micro(time) - film.start for time, flags in packets if "K" in flags and _is_time(time)})
    if not found or not -0.5 < found[0] < 0.5:
        return None
    return [0.0, *found[1:]]


def _lengths(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(times)]


def _is_time(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _micro(text: str) -> float:
    return round(float(text), 6)


def _spaced(keyframes: Sequence[float], least: float) -> list[float]:
    """Some of the keyframes, the first among them, `least` seconds and more apart."""
    kept = [keyframes[0]]
    for time in keyframes[1:]:
        if time - kept[-1] >= least - 0.1:
            kept.append(time)
    return kept


def _even(seconds: float) -> list[float]:
    """Where parts begin that are encoded: a short one, then even ones; the last is never a mere rest."""
    step = max(ENCODED_SECONDS, seconds / _MOST_PARTS)
    times, at = [0.0], FIRST_SECONDS
    while at < seconds - _SHORTEST_TAIL:
        times.append(round(at, 6))
        at += step
    return times


def _until_its_end(path: bytes, film: Film, seconds: float, fds: Sequence[int]) -> float:
    """The seconds of a video that has `seconds` by its container, and fewer where it was cut off: no part is promised
    of what is not there."""
    if _last_end(path, film, fds, max(0.0, seconds - _NEAR_THE_END)) >= seconds - _NEAR_THE_END:
        return seconds
    end = _last_end(path, film, fds)
    if end <= 0:
        raise Unreadable("cannot be played: it ends before its first picture")
    return min(seconds, end)


def _length_by_reading(path: bytes, film: Film, fds: Sequence[int]) -> float:
    """The seconds of a video whose container does not tell: browsers record such."""
    end = _last_end(path, film, fds)
    if end <= 0:
        raise Unreadable("nothing tells how long it is")
    return end


def _last_end(path: bytes, film: Film, fds: Sequence[int], after: float | None = None) -> float:
    """When the last picture that is in the file ends, in seconds from the first; of those from `after` on, 0 where
    there is none."""
    words: list[Word] = ["-select_streams", str(film.video_stream)]
    words += [] if after is None else ["-read_intervals", f"{film.start + after:.3f}%"]
    words += ["-show_entries", "packet=pts_time,duration_time", "-of", "csv=p=0"]
    try:
        listed = ffprobe(path, *words, seconds=_LISTING_SECONDS, fds=fds).decode("ascii", "replace")
    except Unreadable:
        if after is None:
            raise
        return 0.0
    rows = [line.split(",") for line in listed.split()]
    ends = [float(row[0]) - film.start + _length(row[1:]) for row in rows if _is_time(row[0])]
    return round(max(ends, default=0.0), 3)


def _length(row: Sequence[str]) -> float:
    return float(row[0]) if row and _is_time(row[0]) else 0.0


def _picture(plan: Plan, cuts: Sequence[float]) -> list[Word]:
    if plan.copies_picture:
        return ["-c:v", "copy"]
    film = plan.film
    longer, shorter = max(film.width, film.height), min(film.width, film.height)
    side = min(_LONGEST_SIDE, longer * _SHORTEST_SIDE // shorter)
    rate = _rate(film)
    keyframes = ["-force_key_frames", ",".join(f"{cut:.6f}" for cut in cuts)] if cuts else []
    return [
        *("-vf", f"fps={rate:g},{scaling(film, fitted(film, side))}", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "superfast", "-profile:v", "high", "-crf", "23"),
        *("-maxrate", "8M", "-bufsize", "16M", "-g", "600", "-sc_threshold", "0", *keyframes),
    ]


def _rate(film: Film) -> float:
    """Frames a second of what is encoded, always even: a video that holds one frame for long would have no keyframe
    where a part begins."""
    if film.base_rate is not None and 5 <= film.base_rate <= _FASTEST_RATE:
        return film.base_rate
    return min(_FASTEST_RATE, max(30.0, film.frame_rate or 30.0))


def _sound(plan: Plan) -> list[Word]:
    if plan.copies_sound:
        return ["-c:a", "copy"]
    return ["-c:a", "aac", "-b:a", "160k", "-ac", str(min(2, max(1, plan.film.audio_channels))), "-ar", "48000"]
