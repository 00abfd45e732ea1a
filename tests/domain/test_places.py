"""A user's own place and the geocoded one as one line."""

from __future__ import annotations

import pytest

from domain.ports.geocoding import PersonalPlace, Place, located

HOME = PersonalPlace("Home", "home", 12.0)


def place(name: str = "Munich", region: str = "Bavaria", country: str = "Germany", metres: float = 900) -> Place:
    return Place(name, region, country, "DE", metres, "GeoNames")


@pytest.mark.parametrize(
    ("personal", "geocoded", "text"),
    [
        (HOME, place(), "Home, Munich, Bavaria, Germany"),
        (HOME, place("Lisbon", "Lisbon", "Portugal"), "Home, Lisbon, Portugal"),
        (HOME, None, "Home"),
        (None, place(), "Munich, Bavaria, Germany"),
        (None, place(region=""), "Munich, Germany"),
        (None, place("Singapore", "", "Singapore"), "Singapore"),
        (None, place(metres=40_000), "near Munich, Bavaria, Germany"),
        (None, place("Luxembourg", "Luxembourg", "Luxembourg", 40_000), "near Luxembourg"),
        (HOME, place(metres=40_000), "Home, Munich, Bavaria, Germany"),
    ],
)
def test_a_location_is_one_line_that_says_nothing_twice(
    personal: PersonalPlace | None, geocoded: Place | None, text: str
) -> None:
    location = located(personal, geocoded)
    assert location is not None
    assert (location.text, location.personal, location.place) == (text, personal, geocoded)


def test_where_nothing_is_known_there_is_no_location() -> None:
    assert located(None, None) is None
