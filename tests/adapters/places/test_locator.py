"""Both sources of a place folded into one line, and either one missing."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from adapters.places.locator import Locator
from tests.loopback import Loopback, Reply

LISBON = (38.7169, -9.1399)


def text(locator: Locator, latitude: float = LISBON[0], longitude: float = LISBON[1]) -> str | None:
    """Where that is."""
    try:
        location = locator.location(latitude, longitude)
        return None if location is None else location.text
    finally:
        locator.close()


def test_the_users_own_place_comes_first_and_the_town_after(server: Loopback, tmp_path: Path) -> None:
    server.answer = Reply({"name": "Home"})
    locator = Locator.of(offline=True, nominatim=None, apollo=server.url, book=tmp_path / "b", version="1")
    assert text(locator) == "Home, Lisbon, Portugal"


def test_both_servers_are_asked_where_both_are_named(server: Loopback, other: Loopback, tmp_path: Path) -> None:
    server.answer = Reply({"name": "Work"})
    other.answer = Reply({"lat": "38.7", "lon": "-9.1", "address": {"city": "Lisboa", "country": "Portugal"}})
    locator = Locator.of(offline=False, nominatim=other.url, apollo=server.url, book=tmp_path / "b", version="1")
    assert text(locator) == "Work, Lisboa, Portugal"


def test_a_server_of_own_places_alone_is_enough(server: Loopback, tmp_path: Path) -> None:
    server.answer = Reply({"name": "Home"})
    locator = Locator.of(offline=False, nominatim=None, apollo=server.url, book=tmp_path / "b", version="1")
    assert text(locator) == "Home"


def test_where_all_is_off_nothing_is_known(tmp_path: Path) -> None:
    assert text(Locator.of(offline=False, nominatim=None, apollo=None, book=tmp_path / "b", version="1")) is None


@pytest.mark.parametrize(("latitude", "longitude"), [(math.nan, 0.0), (0.0, math.inf), (91.0, 0.0), (0.0, -181.0)])
def test_what_is_no_position_is_sent_nowhere(
    server: Loopback, tmp_path: Path, latitude: float, longitude: float
) -> None:
    locator = Locator.of(offline=True, nominatim=server.url, apollo=server.url, book=tmp_path / "b", version="1")
    assert text(locator, latitude, longitude) is None
    assert not server.asked


def test_findings_say_of_each_source_that_is_off_by_which_setting(tmp_path: Path) -> None:
    locator = Locator.of(offline=False, nominatim=None, apollo=None, book=tmp_path / "b", version="1")
    assert [*locator.findings()] == [
        ("places", "off: GEOCODER is off", None),
        ("personal places", "off: APOLLO_API_BASE_URL is not set", None),
    ]


def test_findings_say_of_each_server_whether_it_answers(server: Loopback, tmp_path: Path) -> None:
    server.answer = Reply(status=500)
    locator = Locator.of(offline=False, nominatim=server.url, apollo=server.url, book=tmp_path / "b", version="1")
    assert [(what, "status 500" in state, works) for what, state, works in locator.findings()] == [
        ("nominatim", True, False),
        ("personal places", True, False),
    ]
    server.answer = Reply({"error": "Unable to geocode", "name": "x"})
    assert [(state, works) for _, state, works in locator.findings()] == [("answers", True), ("answers", True)]
    locator.close()
