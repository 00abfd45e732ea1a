"""What a language model may look up about a photo: read-only, and bound beforehand to that photo, to its day, and to
its library, since whoever sees the photo there reads the conversation. A model chooses how far to look, never whose or
which photo.

A tool without a source behind it is not offered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from sqlalchemy import RowMapping

from adapters.insights.known import EPOCH, Known, at, people_on, short, tags_on
from adapters.insights.sources import Sources
from adapters.store.ledger import Ledger
from domain.base.actor import Actor
from domain.ports.language_model import Tool
from projections.queries.photo_filter import PhotoFilter
from projections.queries.reading import Lookups

PRIVATE: Final = frozenset({"get_messages_of_that_day", "search_daily_summaries", "get_facts_about_people"})
"""Tools that read what people wrote to each other, or what an insight that had read it told."""
METRES_A_DEGREE: Final = 111_195.0
"""Along a meridian of the sphere with the Earth's mean radius of 6371.0088 km."""
AT_ONCE: Final = 200
"""Photos looked at in search of the nearest ones."""
WIDENING: Final = (1 / 64, 1 / 8, 1.0)
"""Parts of a span of time to look at, one after the other, until enough is found."""
Shown = Annotated[int, Meta(ge=1, le=20, description="how many photos at most")]


class NoArguments(msgspec.Struct):
    """No arguments; small models like to send some all the same."""


class NearInTime(msgspec.Struct):
    """How far to look."""

    hours: Annotated[float, Meta(gt=0, le=168, description="how many hours before and after the photo")] = 12.0
    limit: Shown = 10


class NearInPlace(msgspec.Struct):
    """How far to look."""

    kilometres: Annotated[float, Meta(gt=0, le=50, description="how far around the photo")] = 1.0
    limit: Shown = 10


class SummaryQuery(msgspec.Struct):
    """What to search for."""

    query: Annotated[str, Meta(min_length=1, max_length=300)]


def tools_for(ledger: Ledger, actor: Actor, known: Known, sources: Sources, *, remotely: bool) -> tuple[Tool, ...]:
    """The tools that there is something behind, for this photo and this user; `remotely` says that their results leave
    the machine."""
    look_ups = _LookUps(ledger, actor, known, sources)
    offered = [*look_ups.of_library(), *look_ups.of_place(), *look_ups.of_day()]
    if remotely and not sources.private_remotely:
        offered = [tool for tool in offered if tool.name not in PRIVATE]
    return tuple(offered)


class _LookUps:
    """What may be looked up about one photo, on behalf of one user."""

    def __init__(self, ledger: Ledger, actor: Actor, known: Known, sources: Sources) -> None:
        self._ledger, self._actor, self._known, self._sources = ledger, actor, known, sources
        self._content = known.media.content_hash or b""

    def _reading(self) -> AbstractContextManager[Lookups]:
        return self._ledger.reading(self._actor, self._known.media.library_id)

    def of_library(self) -> Iterator[Tool]:
        """What the library itself knows."""
        yield Tool(
            "get_people_in_photo", "Who is on this photo, with what is noted about them.", NoArguments, self._people
        )
        yield Tool("get_tags", "The tags of this photo.", NoArguments, self._tags)
        if self._known.taken is not None:
            what = "Photos taken shortly before and after this one, with their people and tags, the nearest first."
            yield Tool("get_photos_near_in_time", what, NearInTime, self._near_in_time)
        if self._known.latitude is not None:
            what = "Photos taken near the place of this one at any time, with their people and tags, the nearest first."
            yield Tool("get_photos_near_in_place", what, NearInPlace, self._near_in_place)
        if self._sources.facts is not None:
            what = "What is recorded about the people on this photo, from earlier insights and by the user."
            yield Tool("get_facts_about_people", what, NoArguments, lambda _: self._facts())

    def of_place(self) -> Iterator[Tool]:
        """Where it was."""
        if self._known.latitude is None or self._known.longitude is None:
            return
        here = (self._known.latitude, self._known.longitude)
        location, personal = self._sources.location, self._sources.personal
        if location is not None:
            place_of = location

            def where(_: NoArguments) -> Any:
                found = place_of(*here)
                return {"place": found.text if found else None}

            yield Tool("get_place", "Where this photo was taken, in words.", NoArguments, where)
        if personal is not None:
            own_place_of = personal

            def whose(_: NoArguments) -> Any:
                found = own_place_of(*here)
                return {"place": found.name, "category": found.category} if found else {"place": None}

            what = "The user's own name for the place of this photo, such as Home or Cabin."
            yield Tool("get_personal_place_at", what, NoArguments, whose)

    def of_day(self) -> Iterator[Tool]:
        """What was said at the time."""
        if self._known.taken is None:
            return
        day = self._known.taken.date()
        messages, summaries = self._sources.messages, self._sources.summaries
        if messages is not None:
            messages_of = messages
            what = "The text messages of the day of this photo."
            yield Tool("get_messages_of_that_day", what, NoArguments, lambda _: messages_of(day))
        if summaries is not None:
            search = summaries
            what = "Search the daily summaries of conversations around the day of this photo by meaning."
            yield Tool("search_daily_summaries", what, SummaryQuery, lambda wanted: search(wanted.query, day))

    def _people(self, _: NoArguments) -> Any:
        day = None if self._known.taken is None else self._known.taken.date()
        with self._reading() as tables:
            return {"people": people_on(tables, self._content, day)}

    def _tags(self, _: NoArguments) -> Any:
        with self._reading() as tables:
            return {"tags": tags_on(tables, self._content)}

    def _facts(self) -> Any:
        if self._sources.facts is None:
            return {"facts": []}
        with self._reading() as tables:
            faces = tables.faces.shown_on(self._content)
            persons = dict.fromkeys(face.person_id for face in faces if face.person_id is not None)
            return {"facts": [fact for person in persons for fact in self._sources.facts(tables, person)]}

    def _near_in_time(self, reach: NearInTime) -> Any:
        taken = self._known.taken
        if taken is None:
            return {"photos": []}

        def away(row: RowMapping) -> float:
            return abs(int(row["taken_at"]) - _micros(taken)) / 3.6e9

        found: dict[str, Any] = {"photos": []}
        for part in WIDENING:  # so that a day with very many photos does not hide the nearest ones
            span = timedelta(hours=reach.hours * part)
            narrowed = PhotoFilter(taken_from=_micros(taken - span), taken_to=_micros(taken + span) + 1)
            found = self._nearest(narrowed, away, reach.limit, "hours_away")
            if len(found["photos"]) == reach.limit:
                break
        return found

    def _near_in_place(self, reach: NearInPlace) -> Any:
        latitude, longitude = self._known.latitude, self._known.longitude
        if latitude is None or longitude is None:
            return {"photos": []}
        narrowed = PhotoFilter(within=_around(latitude, longitude, reach.kilometres * 1000))

        def away(row: RowMapping) -> float:
            return _metres(latitude, longitude, row["latitude"], row["longitude"]) / 1000

        return self._nearest(narrowed, away, reach.limit, "kilometres_away", reach.kilometres)

    def _nearest(
        self,
        narrowed: PhotoFilter,
        away: Callable[[RowMapping], float],
        limit: int,
        measure: str,
        most: float = math.inf,
    ) -> dict[str, Any]:
        with self._reading() as tables:
            rows = tables.timeline.page(narrowed, sort="taken_at", after=None, limit=AT_ONCE)
            others = {row["content_hash"]: row for row in rows if bytes(row["content_hash"]) != self._content}
            near = sorted(((away(row), row) for row in others.values()), key=itemgetter(0))
            return {"photos": [_photo(tables, row, measure, far) for far, row in near[:limit] if far <= most]}


def _photo(tables: Lookups, row: RowMapping, measure: str, far: float) -> dict[str, Any]:
    content, taken = bytes(row["content_hash"]), at(row["taken_at"])
    return {
        "file": short(row["path"]),
        "taken": None if taken is None else taken.replace(tzinfo=None).isoformat(" ", "minutes"),
        measure: round(far, 2),
        "people": [person["name"] for person in people_on(tables, content, None)],
        "tags": tags_on(tables, content),
    }


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _around(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    """South, west, north and east of a box that holds the circle; round a pole it holds every longitude."""
    tall = metres / METRES_A_DEGREE
    south, north = max(-90.0, latitude - tall), min(90.0, latitude + tall)
    narrowest = min(math.cos(math.radians(south)), math.cos(math.radians(north)))
    wide = tall / narrowest if narrowest > 1e-6 else 180.0
    if wide >= 180.0:
        return south, -180.0, north, 180.0
    return south, (longitude - wide + 180) % 360 - 180, north, (longitude + wide + 180) % 360 - 180


def _metres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The distance along the sphere, by the haversine formula."""
    a, b = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * math.degrees(math.asin(min(1.0, math.sqrt(h)))) * METRES_A_DEGREE


def uses_private(names: Sequence[str]) -> bool:
    """Whether a conversation in which these tools were used holds what people wrote to each other."""
    return not PRIVATE.isdisjoint(names)
