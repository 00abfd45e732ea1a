"""When a photo was taken, by the first of all who say it.

The order is: the sidecar, EXIF's time of the shutter, XMP, IPTC; then when it was digitised, by the same; a PNG's text,
a video's container, the file's name; what an editor wrote when it saved the photo; the file system. A day without a
time overrules no time that somebody states, but it stands before when a photo was scanned or saved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from adapters.media.blocks import Blocks, texts_of_iptc
from adapters.media.dates import (
    WallClock,
    wall_clock_of_change,
    wall_clock_of_exif,
    wall_clock_of_iso,
    wall_clock_of_name,
)
from adapters.media.exif import CameraFacts
from adapters.xmp.words import NOTHING, XmpWords

_CREATED, _CREATED_AT, _DIGITISED, _DIGITISED_AT = 55, 60, 62, 63
"""IPTC's data sets: days and times of when the photo was taken, and of when it was digitised."""
_IPTC_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)
_IPTC_TIME: Final = re.compile(r"(\d\d):?(\d\d):?(\d\d)?([+-]\d\d:?\d\d)?", re.ASCII)
_PNG_TIMES: Final = ("Creation Time", "create-date", "exif:DateTimeOriginal", "CreationTime")
"""The PNG specification's keyword, and those that programs use for the same."""
_SECOND: Final = 1_000_000


class Said(NamedTuple):
    """A time that somebody says, who, and whether it has a time of the day."""

    clock: WallClock
    source: str
    has_time: bool


class Times(NamedTuple):
    """What everybody says of one file: when it was `taken`, when it was `digitised`, and when it was `saved`."""

    taken: Sequence[Said]
    digitised: Sequence[Said]
    saved: Sequence[Said]


def times_of(
    facts: CameraFacts, sidecars: Sequence[XmpWords] = (), inside: XmpWords = NOTHING, blocks: Blocks | None = None
) -> Times:
    """What a file and its sidecars say, in the order in which they are believed."""
    iptc, texts = texts_of_iptc(blocks.iptc if blocks else None), blocks.texts if blocks else {}
    taken = [
        *(_of_text(words.original or words.digitised, "sidecar") for words in sidecars),
        _of_clock(facts.taken, "exif"),
        _of_text(inside.original, "xmp"),
        _of_iptc(iptc, _CREATED, _CREATED_AT),
    ]
    digitised = [
        _of_clock(facts.digitised, "exif"),
        _of_text(inside.digitised, "xmp"),
        _of_iptc(iptc, _DIGITISED, _DIGITISED_AT),
    ]
    saved = [
        _of_clock(facts.modified, "modified"),
        _of_text(inside.modified, "modified"),
        _of_text(blocks.saved if blocks else "", "modified"),
    ]
    written = (text for name in _PNG_TIMES if (text := texts.get(name)))
    taken.append(next((said for text in written if (said := _of_text(text, "png"))), None))
    return Times(*([said for said in group if said is not None] for group in (taken, digitised, saved)))


def taken_of(times: Times, name: str, mtime_ns: int, container: WallClock | None = None) -> tuple[WallClock, str]:
    """When a file was taken and who says so; `name` is its file's name, `container` the time that a video tells.

    What says the same second more exactly, or with its offset, lends that.
    """
    named = wall_clock_of_name(name)
    has_time = named is not None and (named.micros % (86_400 * _SECOND) != 0 or named.offset_minutes is not None)
    states = [
        *times.taken,
        *([Said(container, "video", True)] if container is not None else []),
        *([Said(named, "filename", has_time)] if named is not None else []),
    ]
    best = _best(states, times.digitised)
    if best is None:
        best = next(iter(times.saved), None)
    if best is None:
        return wall_clock_of_change(mtime_ns), "mtime"
    return _completed(best.clock, [*times.taken, *times.digitised]), best.source


def _best(states: Sequence[Said], digitised: Sequence[Said]) -> Said | None:
    """The first with a time of the day; those who say when it was digitised come before the container and the name,
    unless nobody says a day but them."""
    early = [said for said in states if said.source not in {"png", "video", "filename"}]
    late = [said for said in states if said not in early]
    timed = next((said for said in early if said.has_time), None)
    if timed is not None:
        return timed
    if early:
        return next((said for said in late if said.has_time), early[0])
    either = [*digitised, *late]
    return next((said for said in either if said.has_time), either[0] if either else None)


def _completed(clock: WallClock, others: Sequence[Said]) -> WallClock:
    for other in others:
        if other.has_time and other.clock.micros // _SECOND == clock.micros // _SECOND:
            fraction = clock.micros if clock.micros % _SECOND else other.clock.micros
            offset = other.clock.offset_minutes if clock.offset_minutes is None else clock.offset_minutes
            clock = WallClock(fraction, offset)
    return clock


def _of_clock(clock: WallClock | None, source: str) -> Said | None:
    return None if clock is None else Said(clock, source, True)


def _of_text(text: str, source: str) -> Said | None:
    """A time in ISO 8601, in EXIF's way or as mails have it, where a PNG's specification wants that."""
    if not text:
        return None
    found = wall_clock_of_iso(text)
    if found is not None:
        return Said(*found[:1], source, found[1])
    return _of_clock(_of_mail(text), source) if source == "png" else None


def _of_mail(text: str) -> WallClock | None:
    """A time such as `Fri, 03 Mar 2017 03:03:03 +0100` (RFC 5322)."""
    try:
        moment = parsedate_to_datetime(text[:60])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    offset = moment.utcoffset()
    wall = moment.replace(tzinfo=UTC)
    found = wall_clock_of_exif(f"{wall:%Y:%m:%d %H:%M:%S}") if wall > datetime(1826, 1, 1, tzinfo=UTC) else None
    if found is None or offset is None or "-0000" in text:
        return found
    return found._replace(offset_minutes=round(offset.total_seconds() / 60))


def _of_iptc(texts: Mapping[int, Sequence[str]], day: int, time: int) -> Said | None:
    dated = _IPTC_DAY.fullmatch(_first(texts, day))
    if dated is None:
        return None
    timed = _IPTC_TIME.fullmatch(_first(texts, time))
    year, month, of_month = dated.groups()
    if timed is None:
        found = wall_clock_of_iso(f"{year}-{month}-{of_month}")
        return None if found is None else Said(found[0], "iptc", False)
    hour, minute, second, offset = timed.groups()
    at = f"{year}:{month}:{of_month} {hour}:{minute}:{second or '00'}"
    return _of_clock(wall_clock_of_exif(at, "", offset or ""), "iptc")


def _first(texts: Mapping[int, Sequence[str]], number: int) -> str:
    return next(iter(texts.get(number, ())), "").strip()
