"""Times as clients read and write them: moments in UTC, and the wall clock of a camera."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final

from msgspec import Meta

from adapters.http.web.problems import FieldError, Invalid

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)
Moment = Annotated[str, Meta(description="RFC 3339, UTC", extra_json_schema={"format": "date-time"})]
WallClock = Annotated[
    str,
    Meta(
        description="the camera's wall clock, with its offset from UTC where that was recorded",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d)?$",
    ),
]
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def moment(micros: int) -> str:
    """Microseconds since 1970 UTC as RFC 3339 with a Z."""
    return f"{(_NAIVE_EPOCH + timedelta(microseconds=micros)).isoformat()}Z"


def wall_clock(micros: int | None, offset_minutes: int | None) -> str | None:
    """A camera's time (microseconds of its wall clock as if it were UTC) with its offset where known, None where it is
    not known or in no year that has four digits."""
    if micros is None:
        return None
    try:
        at = _NAIVE_EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None
    if offset_minutes is None or abs(offset_minutes) >= 24 * 60:
        return at.isoformat()
    return at.replace(tzinfo=timezone(timedelta(minutes=offset_minutes))).isoformat()


def bound_of(field: str, text: str | None, *, is_end: bool) -> int | None:
    """A bound of a span of wall-clock time in microseconds: a day (as an end: to its last moment), or a time.

    Raises:
        Invalid: it is neither.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        if is_end and _DAY.fullmatch(text):
            at += timedelta(days=1)
    except (ValueError, OverflowError) as error:
        message = "write a day as YYYY-MM-DD or a time as YYYY-MM-DDTHH:MM:SS"
        raise Invalid((FieldError(field, message),)) from error
    return (at - _EPOCH) // timedelta(microseconds=1)
