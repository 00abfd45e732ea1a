"""Memories: photos of this day, week or month in earlier years."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from adapters.http.web import Call, FieldError, Invalid, LibraryParam, Reply, Routes, within
from adapters.http.web.views.media import MediaRow, media_row
from domain.events.media import PICTURE
from domain.rules.memories import Span, days_in, is_left_out, spread
from projections.queries.memories import DatedFile
from projections.queries.reading import Lookups

routes = Routes("Photos")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FARTHEST: Final = 14 * 3_600 * 1_000_000
"""No place is further from UTC."""
_YEAR: Final = 365 * 86_400 * 1_000_000 + 6 * 3_600 * 1_000_000
_FIRST_YEAR, _LAST_YEAR = 1826, 2100
"""Those of photographs; the last change of a file can name any other."""
Days = tuple[date, date, int]
"""The first and the last day of a memory, and its year."""
Day = Annotated[str, Meta(description="YYYY-MM-DD", extra_json_schema={"format": "date"})]


class MemoriesQuery(msgspec.Struct):
    """Which day, and how much around it."""

    date: Annotated[str, Meta(description="YYYY-MM-DD; left out: today in `timezone`")] | None = None
    span: Annotated[Span, Meta(description="a week is three days before to three after")] = "day"
    library: LibraryParam | None = None
    timezone: (
        Annotated[
            str, Meta(max_length=100, description="such as Europe/Zurich: which day today is, and when UTC times were")
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="how many items of each year at most")] = 20


class YearOfMemories(msgspec.Struct):
    """One earlier year: its days from `first` to `last`, how many photos are of them, and some, spread evenly."""

    year: int
    years_ago: int
    first: Day
    last: Day
    total: int
    items: Sequence[MediaRow]


class MemoriesPage(msgspec.Struct):
    """The earlier years that have photos, the last one first."""

    date: Day
    span: Span
    items: Sequence[YearOfMemories]
    next_cursor: None = None


@routes("GET", "/memories", query=MemoriesQuery, answers=MemoriesPage, errors=(404,))
def list_memories(call: Call, query: MemoriesQuery) -> Reply:
    """Photos of a day, of the week around it or of its month, in earlier years.

    The day is the wall clock's; a time that is known in UTC alone is read in `timezone`. What only the file's last
    change dates is shown where nothing else is of those days. Folders in EXCLUDED_DIRS are left out, and of copies, as
    of a photo and its companions, one is shown.
    """
    zone = _zone(query.timezone)
    today = _day(query.date, zone)
    with call.dependencies.ledger.reading(call.actor) as everything:
        tables = within(everything, query.library)
        found = _remembered(tables, list(_years(tables, today, query.span)), zone, call.dependencies.excluded_dirs)
        shown = {days: [each.id for each in spread(taken, query.limit)] for days, taken in found.items()}
        rows = tables.memories.rows([id_ for ids in shown.values() for id_ in ids])
        tags = tables.tagged.of_contents({bytes(row["content_hash"]) for row in rows.values()})
        companions = tables.timeline.companions(list(rows.values()))
    years = []
    for (first, last, year), taken in found.items():
        items = [media_row(rows[id_], tags, companions) for id_ in shown[first, last, year]]
        days = (first.isoformat(), last.isoformat())
        years.append(YearOfMemories(year, today.year - year, *days, len(taken), items))
    return Reply(MemoriesPage(today.isoformat(), query.span, years))


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return datetime.now().astimezone().tzinfo or UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: the name of a folder of zones
        raise Invalid(
            (FieldError("timezone", f"there is no time zone {name!r}: write one as Europe/Zurich"),)
        ) from error


def _day(text: str | None, zone: tzinfo) -> date:
    if text is None:
        return datetime.now(zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid((FieldError("date", "write a day as YYYY-MM-DD"),)) from error


def _years(tables: Lookups, today: date, span: Span) -> Iterator[Days]:
    """The days of every earlier year that may have photos, the last one first."""
    known = tables.memories.reach()
    if known is None:
        return
    oldest, newest = (_EPOCH.year + micros // _YEAR for micros in known)
    for year in range(min(today.year, newest + 2, _LAST_YEAR) - 1, max(oldest - 2, _FIRST_YEAR) - 1, -1):
        yield *days_in(year, today, span), year


def _remembered(
    tables: Lookups, years: Sequence[Days], zone: tzinfo, excluded: Collection[str]
) -> dict[Days, list[DatedFile]]:
    """What was taken on these days, oldest first; of several copies the first. Years without any are left out."""
    near = tables.memories.between(
        ((_micros(first) - _FARTHEST), _micros(last + timedelta(days=1)) + _FARTHEST) for first, last, _ in years
    )
    remembered = {}
    for days, taken in zip(years, near, strict=True):
        first, last, _ = days
        # Between these it is one of the days wherever it was.
        surely, no_more = _micros(first) + _FARTHEST, _micros(last + timedelta(days=1)) - _FARTHEST
        found: dict[bytes, DatedFile] = {}
        for each in taken:
            is_of_them = surely <= each.at < no_more or first <= _day_of(each, zone) <= last
            if is_of_them and not (excluded and is_left_out(each.folder, excluded)):
                found.setdefault(each.content_hash, each)
        dated = [each for each in found.values() if each.source != "mtime"]
        if found:
            remembered[days] = _foremost(dated or list(found.values()))
    return remembered


def _micros(day: date) -> int:
    return (day.toordinal() - _EPOCH.toordinal()) * 86_400_000_000


def _foremost(taken: Sequence[DatedFile]) -> list[DatedFile]:
    """What has nothing before it in its stack; what is of none stays."""
    least: dict[int, int] = {}
    for each in taken:
        if each.rank >= PICTURE:
            least[each.stack] = min(each.rank, least.get(each.stack, each.rank))
    return [each for each in taken if each.rank <= least.get(each.stack, each.rank)]


def _day_of(taken: DatedFile, zone: tzinfo) -> date:
    """The day that the wall clock showed; where only UTC is known (videos, names that phones give), that of `zone`.
    Cameras write the offset of the place into EXIF, also where it is none."""
    at = _EPOCH + taken.at * _MICROSECOND
    if taken.offset == 0 and taken.source != "exif":
        return at.astimezone(zone).date()
    return at.date()
