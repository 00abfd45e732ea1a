"""The user's own places from an Apollo server: what goes there, and that its failures are only 'no personal place'."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from adapters.places.apollo_places import ApolloPlaces
from domain.ports.geocoding import PersonalPlace
from tests.loopback import Loopback, Reply

HOME = Reply({"name": "Home", "category": "home", "distance_m": 12.5})
LISBON = (38.716912, -9.139921)


@pytest.fixture
def places(server: Loopback) -> Iterator[ApolloPlaces]:
    server.answer = HOME
    places = ApolloPlaces(server.url + "/", version="1.0", seconds=20)
    yield places
    places.close()


def test_a_position_goes_there_as_the_contract_says_and_the_place_comes_back(
    server: Loopback, places: ApolloPlaces
) -> None:
    assert places.at(*LISBON) == PersonalPlace("Home", "home", 12.5)
    (asked,) = server.asked
    assert (asked.path, asked.query) == ("/api/places/at", {"lat": "38.71691", "lon": "-9.13992"})
    assert asked.headers["user-agent"] == "imageapi/1.0"


def test_category_and_distance_may_be_left_out_and_more_may_be_said(server: Loopback, places: ApolloPlaces) -> None:
    server.answer = Reply({"name": "Cabin", "distance_m": None, "colour": "red"})
    assert places.at(*LISBON) == PersonalPlace("Cabin", "", None)


def test_404_is_no_place_and_no_trouble(
    server: Loopback, places: ApolloPlaces, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = Reply({"detail": "none"}, status=404)
    assert places.at(*LISBON) is None
    server.answer = HOME
    assert places.at(1.0, 2.0) is not None
    assert not caplog.records


def test_an_answer_is_kept_for_a_while_also_where_it_is_no_place(server: Loopback, places: ApolloPlaces) -> None:
    assert places.at(*LISBON) == places.at(*LISBON)
    server.answer = Reply(status=404)
    assert places.at(0.0, 0.0) is places.at(0.0, 0.0) is None
    assert len(server.asked) == 2


def test_what_was_kept_too_long_is_asked_again(server: Loopback) -> None:
    server.answer = HOME
    places = ApolloPlaces(server.url, kept_seconds=0.0)
    places.at(*LISBON)
    server.answer = Reply({"name": "Work"})
    assert places.at(*LISBON) == PersonalPlace("Work")
    places.close()


BROKEN = {
    "an error": Reply({"detail": "oh"}, status=500),
    "no JSON": Reply(b"<html>"),
    "another shape": Reply([1, 2]),
    "no name": Reply({"name": " \n"}),
    "a distance that is none": Reply({"name": "Home", "distance_m": -4}),
    "nesting without end": Reply(b"[" * 100_000),
    "no UTF-8": Reply(b'{"name": "\xff"}'),
    "half an answer": Reply({"name": "Home"}, cut=True),
    "too much": Reply({"name": "Home" * 100_000}),
}
SLOW = {
    "nothing for long": Reply({"name": "Home"}, pause=30),
    "a byte now and then": Reply({"name": "Home and a long way to it"}, drip=0.1),
}


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [*((reply, 20.0) for reply in BROKEN.values()), *((reply, 0.5) for reply in SLOW.values())],
    ids=[*BROKEN, *SLOW],
)
def test_a_server_that_fails_is_no_personal_place_told_once_and_left_alone(
    server: Loopback, caplog: pytest.LogCaptureFixture, reply: Reply, seconds: float
) -> None:
    server.answer = reply
    places = ApolloPlaces(server.url, seconds=seconds)
    with caplog.at_level(logging.WARNING):
        assert places.at(*LISBON) is None
        assert places.at(1.0, 1.0) is None
    assert len(server.asked) == 1
    (record,) = caplog.records
    assert "APOLLO_API_BASE_URL" in record.getMessage()
    places.close()


def test_a_server_that_answers_again_is_believed_again(server: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    places = ApolloPlaces(server.url, rest_seconds=0.0)
    with caplog.at_level(logging.INFO, "adapters.places.apollo_places"):
        for status in (500, 500, 200, 500):
            server.answer = HOME if status == 200 else Reply(status=status)
            assert (places.at(float(len(server.asked)), 0.0) is not None) == (status == 200)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]
    places.close()


def test_a_redirect_is_not_followed(server: Loopback, other: Loopback, places: ApolloPlaces) -> None:
    server.answer = Reply(status=302, headers={"Location": f"{other.url}/api/places/at"})
    other.answer = HOME
    assert places.at(*LISBON) is None
    assert not other.asked


def test_a_proxy_of_the_environment_sees_no_position(
    server: Loopback, other: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", other.url)
    monkeypatch.setenv("ALL_PROXY", other.url)
    server.answer = HOME
    places = ApolloPlaces(server.url)
    assert places.at(*LISBON) is not None
    assert not other.asked
    places.close()


def test_a_name_is_one_line_of_sensible_length(server: Loopback, places: ApolloPlaces) -> None:
    server.answer = Reply({"name": "My\n\x1b[31m home\0" + "x" * 1000})
    place = places.at(*LISBON)
    assert place is not None
    assert place.name.startswith("My [31m home x")
    assert len(place.name) == 200


def test_a_slow_server_holds_no_more_than_eight_requests(server: Loopback) -> None:
    server.answer = Reply({"name": "Home"}, pause=0.4)
    places = ApolloPlaces(server.url, seconds=20.0)
    found: list[PersonalPlace | None] = []
    threads = [threading.Thread(target=lambda n=n: found.append(places.at(n, 0.0))) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(server.asked), found.count(None)) == (8, 4)
    places.close()


def test_a_closed_client_knows_no_place(places: ApolloPlaces) -> None:
    places.close()
    assert places.at(*LISBON) is None
