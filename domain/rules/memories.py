"""Which days of earlier years a memory is made of.

A day is what the clock on the wall showed: a photo of Christmas Eve stays one, wherever it is looked at. A week is the
seven days around the date, three before and three after, because numbered weeks begin on another date each year. 29
February is remembered on the 28th where a year has none, and so are the photos that were taken on it.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Literal, TypeVar

Span = Literal["day", "week", "month"]
T = TypeVar("T")
AROUND = timedelta(days=3)


def days_in(year: int, today: date, span: Span) -> tuple[date, date]:
    """The first and last day of `year` that are remembered on `today`; those of a week may reach into the year before
    or after.

    Raises:
        ValueError, OverflowError: no calendar holds them.
    """
    if span == "month":
        return date(year, today.month, 1), date(year, today.month, calendar.monthrange(year, today.month)[1])
    is_leap_day = (today.month, today.day) == (2, 29)
    that_day = date(year, 2, 28) if is_leap_day and not calendar.isleap(year) else today.replace(year=year)
    if span == "week":
        return that_day - AROUND, that_day + AROUND
    stands_for_leap_day = (today.month, today.day) == (2, 28) and not calendar.isleap(today.year)
    last = date(year, 2, 29) if stands_for_leap_day and calendar.isleap(year) else that_day
    return that_day, last


def is_left_out(folder: str, excluded: Collection[str]) -> bool:
    """Whether a folder is, or lies in, one of the folders that memories leave out: names, or paths of several, that may
    lie anywhere in a library; case makes no difference."""
    here = f"/{folder.casefold()}/"
    return any(f"/{name.casefold().strip('/')}/" in here for name in excluded if name.strip("/"))


def spread(things: Sequence[T], most: int) -> list[T]:
    """At most so many of them, in their order and evenly spread, so that a long day is shown from morning to night."""
    if len(things) <= most:
        return list(things)
    return [things[place * len(things) // most] for place in range(most)]
