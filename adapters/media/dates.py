"""When a photo was taken, as the clock on the wall showed it: from EXIF text, from its file's name or last change.

A wall-clock time is kept as microseconds since 1970-01-01 00:00, as if that clock had shown UTC; how far it was ahead
of UTC is a second number, in minutes, where it is known.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_YEAR, _LAST_YEAR = 1826, 2100
"""The oldest photograph that survives, and a year that only a clock that was never set is beyond."""
_WIDEST_OFFSET: Final = 14 * 60
"""Minutes: no place is further from UTC than Kiritimati."""


class WallClock(NamedTuple):
    """`micros` since 1970 as if the clock had shown UTC; `offset_minutes` ahead of UTC, None where unknown."""

    micros: int
    offset_minutes: int | None


_EXIF_TIME: Final = re.compile(
    r"\s*(\d{4})[:/.-](\d{1,2})[:/.-](\d{1,2})[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\.(\d+))?", re.ASCII
)
_OFFSET: Final = re.compile(r"\s*([+-])(\d{2}):?(\d{2})", re.ASCII)


def wall_clock_of_exif(text: str, fraction: str = "", offset: str = "") -> WallClock | None:
    """The time in an EXIF date (`2024:05:01 12:00:00`), its sub-seconds (`123`) and its offset (`+02:00`).

    None where it is no date: cameras write spaces or zeros while their clock is not set.
    """
    match = _EXIF_TIME.match(text)
    if match is None:
        return None
    *whole, inline = match.groups()
    micros = _micros([int(part or 0) for part in whole], fraction.strip() or inline or "")
    return None if micros is None else WallClock(micros, _offset_minutes(offset))


_ISO_DAY: Final = re.compile(r"\s*(\d{4})(?:[-:](\d\d)(?:[-:](\d\d))?)?\s*", re.ASCII)


def wall_clock_of_iso(text: str) -> tuple[WallClock, bool] | None:
    """The time in `2017-03-03T03:03:03.25+01:00`, and whether it has a time of the day: XMP's dates may end after the
    year, the month or the day, and begin there then. EXIF's colons in the day are as good. None where it is no date.
    """
    if (day := _ISO_DAY.fullmatch(text)) is not None:
        micros = _micros([int(day[1]), int(day[2] or 1), int(day[3] or 1), 0, 0, 0], "")
        return None if micros is None else (WallClock(micros, None), False)
    match = _EXIF_TIME.match(text.replace("T", " ", 1))
    if match is None:
        return None
    found = wall_clock_of_exif(match[0], "", text[match.end() :])
    return None if found is None else (found, True)


_DAY: Final = r"(?P<year>{year})(?P<dash>{dash})(?P<month>0[1-9]|1[0-2])(?P=dash)(?P<day>0[1-9]|[12]\d|3[01])"
_DAY_FIRST: Final = r"(?P<day>0[1-9]|[12]\d|3[01])(?P<dash>[-.])(?P<month>0[1-9]|1[0-2])(?P=dash)(?P<year>20\d\d)"
_DAY_FIRST_ALONE: Final = (
    r"(?P<day>0[1-9]|[12]\d|3[01])(?P<dash>[-._ ])(?P<month>0[1-9]|1[0-2])(?P=dash)(?P<year>(?:19|20)\d\d)"
)
"""Between points, or of a day beyond 12: everything else may be a month and a day."""
_AT: Final = r"(?:(?:at|um|à|a las|às|alle|ore|om|kl\.|klo|o) )?"
"""The word between day and time in the names that macOS gives its screenshots, in the languages that have one."""
_TIME: Final = (
    rf"(?:,?[ _T-]{{1,3}}{_AT}|(?<=\d))(?P<hour>[01]\d|2[0-3]|\d(?=[.:]))(?P<colon>[-_.:h ]?)(?P<minute>[0-5]\d)"
    r"(?P=colon)(?P<second>[0-5]\d)(?P<fraction>\d{3})?(?![0-9])(?:[ \u202f](?P<half>[AP])M)?"
)
_NAME_TIMES: Final = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        rf"(?<!\d){_DAY.format(year=r'(?:19[7-9]|20[0-9])[0-9]', dash='')}(?:{_TIME}|(?!\d))",
        rf"(?<!\d){_DAY.format(year=r'(?:1[89]|20)[0-9][0-9]', dash='[-_.]')}(?:{_TIME}|(?!\d))",
        rf"(?:@|^Photo ){_DAY_FIRST}{_TIME}",
        rf"(?<!\d)(?<!\d[-._ ])(?=\d\d\.|(?:1[3-9]|[23]\d)[-_ ]){_DAY_FIRST_ALONE}(?:{_TIME}|(?!\d))",
    )
)
"""IMG_20240501_120000, PXL_20240501_120000123, IMG-20240501-WA0001, 2024-05-01 12.00.00, photo_2024-05-01_12-00-00,
Screenshot 2024-05-01 at 1.02.03 PM, photo_7@01-05-2024_12-00-00 (exported from Telegram), Photo 01-05-2024, 12 00 00,
31-12-2023 18.30.00, 03.04.2024. Without dashes only years since 1970 count: other digits look like dates too."""
_NAME_MILLISECONDS: Final = re.compile(
    r"(?:^|FB_IMG_|mmexport|received_|wx_camera_|Snapchat-)(1\d{12})(?:[ _(-][^.]*)?(?:\.|$)", re.ASCII
)
"""Messengers that name files by milliseconds since 1970, some by nothing else."""


def wall_clock_of_name(name: str) -> WallClock | None:
    """The time in a file's name as phones, cameras and messengers write it; midnight where it has the day alone.

    Pixel phones (`PXL_`) and names of milliseconds tell UTC; all other names tell no offset.
    """
    if match := _NAME_MILLISECONDS.search(name):
        return WallClock(int(match[1]) * 1000, 0)
    for pattern in _NAME_TIMES:
        for match in pattern.finditer(name):
            hour = int(match["hour"] or 0)
            if match["half"]:
                hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
            parts = [int(match[part] or 0) for part in ("year", "month", "day", "hour", "minute", "second")]
            micros = _micros([*parts[:3], hour, *parts[4:]], match["fraction"] or "")
            if micros is not None:
                return WallClock(micros, 0 if name.startswith("PXL_") else None)
    return None


def wall_clock_of_change(mtime_ns: int) -> WallClock:
    """The time of a file's last change as a clock showed it in this machine's time zone."""
    seconds, nanos = divmod(mtime_ns, 1_000_000_000)
    try:
        local = datetime.fromtimestamp(seconds, UTC).astimezone()
    except (ValueError, OverflowError, OSError):  # file systems can hold years that a calendar cannot
        return WallClock(mtime_ns // 1000, 0)
    offset = local.utcoffset() or timedelta()
    micros = (local.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND + nanos // 1000
    return WallClock(micros, offset // timedelta(minutes=1))


def _micros(parts: list[int], fraction: str) -> int | None:
    year, month, day, hour, minute, second = parts
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    ends_day = hour == 24 and minute == second == 0  # ISO 8601's end of the day
    try:
        moment = datetime(year, month, day, 0 if hour == 24 else hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    moment += timedelta(days=1) if ends_day else timedelta()  # else an hour that its camera counts from 1 to 24
    digits = fraction if fraction.isascii() and fraction.isdigit() else ""
    return (moment - _EPOCH) // _MICROSECOND + int(f"{digits:0<6.6}")


def _offset_minutes(text: str) -> int | None:
    if text.strip() == "Z":
        return 0
    match = _OFFSET.match(text)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if int(match[3]) > 59 or minutes > _WIDEST_OFFSET:
        return None
    return -minutes if match[1] == "-" else minutes
