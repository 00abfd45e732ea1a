"""How far ahead of UTC the clocks on the walls of a place were, from the map of time zones that a package holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzfpy


def offset_at(latitude: float, longitude: float, micros: int) -> int | None:
    """Minutes east of UTC at a position in degrees and a time in microseconds since 1970 UTC; None where no zone is
    known there. At sea they follow from the longitude."""
    name = tzfpy.get_tz(longitude, latitude)
    if not name:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        offset = moment.astimezone(ZoneInfo(name)).utcoffset()
    except (ZoneInfoNotFoundError, OverflowError, ValueError):
        return None
    return None if offset is None else round(offset.total_seconds() / 60)
