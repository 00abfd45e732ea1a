"""Where a photo was taken, in words: the place that everybody knows, folded with the user's own name for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

NEAR_METRES = 15_000.0
"""From this distance to its centre on, a place is what a photo was taken near, not where it was taken."""


class Place(msgspec.Struct, frozen=True):
    """A town or village: `region` and `country` are names, empty where there is none; `country_code` is ISO 3166-1
    alpha-2 in capitals.

    `distance_m` is the distance in metres from the position to its centre. The licence of the names asks for
    `attribution` to be shown with them.
    """

    name: str
    region: str
    country: str
    country_code: str
    distance_m: float
    attribution: str


class PersonalPlace(msgspec.Struct, frozen=True):
    """A place that only the user calls so (Home, Work, Cabin); `distance_m` metres away where that is known."""

    name: str
    category: str = ""
    distance_m: float | None = None


class Location(msgspec.Struct, frozen=True):
    """What is known of a position: `text` says it in one line ("Home, Lisbon, Portugal"), the rest is where it is from;
    at least one of the two is there."""

    text: str
    personal: PersonalPlace | None
    place: Place | None


class Geocoder(Protocol):
    """Names the place of a position. Calls block: they are made from threads, never from the event loop."""

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place at, or else nearest to, a position in degrees; None where none is near or none can be told."""


class PersonalPlaces(Protocol):
    """Knows the user's own places. Calls block, as `Geocoder`'s."""

    def at(self, latitude: float, longitude: float) -> PersonalPlace | None:
        """The user's place at a position in degrees; None where there is none or none can be told."""


def located(personal: PersonalPlace | None, place: Place | None) -> Location | None:
    """What is known of a position as one; None where nothing is."""
    if personal is None and place is None:
        return None
    parts = [personal.name] if personal else []
    if place:
        is_near = place.distance_m >= NEAR_METRES and not personal
        parts += [f"near {place.name}" if is_near else place.name, place.region, place.country]
    return Location(", ".join(_without_echoes(parts)), personal, place)


def _without_echoes(parts: Iterable[str]) -> Iterable[str]:
    """The parts that are there and do not repeat the one before, as Luxembourg in Luxembourg would."""
    last = ""
    for part in parts:
        if part and part.casefold() != last:
            yield part
        last = part.casefold().removeprefix("near ") or last
