"""The Nominatim client: what leaves, how often, what is kept, and that the offline places answer where it cannot."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.places.cache import AnswerBook
from adapters.places.nominatim import ATTRIBUTION, NominatimGeocoder
from adapters.places.offline import OfflineGeocoder
from domain.ports.geocoding import Place
from tests.loopback import Asked, Loopback, Reply

LISBON = (38.716912, -9.139921)
REVERSE = {
    "place_id": 270471,
    "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
    "osm_type": "relation",
    "osm_id": 5400890,
    "lat": "38.7077507",
    "lon": "-9.1365919",
    "category": "boundary",
    "type": "administrative",
    "place_rank": 14,
    "importance": 0.7,
    "addresstype": "suburb",
    "name": "Baixa",
    "display_name": "Baixa, Santa Maria Maior, Lisbon, Portugal",
    "address": {
        "suburb": "Santa Maria Maior",
        "city": "Lisbon",
        "ISO3166-2-lvl6": "PT-11",
        "state": "Lisbon District",
        "country": "Portugal",
        "country_code": "pt",
    },
    "boundingbox": ["38.70", "38.72", "-9.15", "-9.12"],
}
"""As Nominatim 5 answers `/reverse?format=jsonv2&zoom=14`; docs/integrations.md shows the same."""


@pytest.fixture(scope="module")
def offline() -> OfflineGeocoder:
    return OfflineGeocoder()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[AnswerBook]:
    book = AnswerBook(tmp_path / "places.db")
    yield book
    book.close()


@pytest.fixture
def geocoder(server: Loopback, book: AnswerBook, offline: OfflineGeocoder) -> Iterator[NominatimGeocoder]:
    server.answer = Reply(REVERSE)
    geocoder = NominatimGeocoder(server.url + "/", book, offline, version="1.0", seconds=20, every_seconds=0.0)
    yield geocoder
    geocoder.close()


def test_a_rounded_position_goes_there_with_who_asks_and_the_place_comes_back(
    server: Loopback, geocoder: NominatimGeocoder
) -> None:
    place = geocoder.nearest(*LISBON)
    assert place is not None
    assert (place.name, place.region, place.country, place.country_code) == (
        "Lisbon",
        "Lisbon District",
        "Portugal",
        "PT",
    )
    assert place.attribution == ATTRIBUTION
    assert place.distance_m == pytest.approx(1070, abs=40)
    (asked,) = server.asked
    assert asked.path == "/reverse"
    assert asked.query == {
        "format": "jsonv2",
        "lat": "38.717",
        "lon": "-9.140",
        "zoom": "14",
        "addressdetails": "1",
        "accept-language": "en",
    }
    assert asked.headers["user-agent"].startswith("imageapi/1.0 ")


@pytest.mark.parametrize(
    ("address", "name", "region", "country"),
    [
        ({"village": "Lungern", "state": "Obwalden", "country": "Switzerland"}, "Lungern", "Obwalden", "Switzerland"),
        ({"county": "Cork", "country": "Ireland"}, "Cork", "Cork", "Ireland"),
        ({"city": "Singapore", "country": "Singapore"}, "Singapore", "", ""),
        ({"state": "Nunavut", "country": "Canada"}, "Nunavut", "", "Canada"),
        ({"country": "Mongolia"}, "Mongolia", "", ""),
    ],
)
def test_the_name_is_the_best_that_the_address_has(
    server: Loopback, geocoder: NominatimGeocoder, address: dict[str, str], name: str, region: str, country: str
) -> None:
    server.answer = Reply({"lat": "0", "lon": "0", "address": address})
    place = geocoder.nearest(*LISBON)
    assert place is not None
    assert (place.name, place.region, place.country) == (name, region, country)


def test_an_answer_is_kept_through_a_restart(
    server: Loopback, geocoder: NominatimGeocoder, tmp_path: Path, offline: OfflineGeocoder
) -> None:
    first = geocoder.nearest(*LISBON)
    geocoder.close()
    later = NominatimGeocoder(server.url, AnswerBook(tmp_path / "places.db"), offline)
    assert later.nearest(38.71701, -9.14002) == first
    assert len(server.asked) == 1
    later.close()


def test_that_nothing_is_there_is_an_answer_too_and_kept(server: Loopback, geocoder: NominatimGeocoder) -> None:
    server.answer = Reply({"error": "Unable to geocode"})
    assert geocoder.nearest(*LISBON) is None
    assert geocoder.nearest(*LISBON) is None
    assert len(server.asked) == 1


def test_answers_of_one_server_are_not_those_of_another(
    server: Loopback, other: Loopback, book: AnswerBook, geocoder: NominatimGeocoder, offline: OfflineGeocoder
) -> None:
    geocoder.nearest(*LISBON)
    other.answer = Reply(REVERSE | {"address": {"town": "Elsewhere"}})
    place = NominatimGeocoder(other.url, book, offline).nearest(*LISBON)
    assert place is not None
    assert place.name == "Elsewhere"


BROKEN = {
    "an error": Reply({"error": "overloaded"}, status=503),
    "too many requests": Reply(status=429),
    "no such route": Reply(status=404),
    "no JSON": Reply(b"<html>blocked</html>"),
    "another shape": Reply({"address": "Lisbon"}),
    "no position": Reply({"address": {"city": "Lisbon"}, "lat": "here"}),
    "half an answer": Reply(REVERSE, cut=True),
    "too much": Reply(REVERSE | {"name": "x" * 300_000}),
}
SLOW = {"nothing for long": Reply(REVERSE, pause=30), "a byte now and then": Reply(REVERSE, drip=0.05)}


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [*((reply, 20.0) for reply in BROKEN.values()), *((reply, 0.5) for reply in SLOW.values())],
    ids=[*BROKEN, *SLOW],
)
def test_where_it_fails_the_offline_places_answer_and_the_log_says_so_once(
    server: Loopback,
    book: AnswerBook,
    offline: OfflineGeocoder,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    seconds: float,
) -> None:
    server.answer = reply
    geocoder = NominatimGeocoder(server.url, book, offline, seconds=seconds, every_seconds=0.0)
    with caplog.at_level(logging.WARNING):
        assert geocoder.nearest(*LISBON) == offline.nearest(*LISBON)
        assert geocoder.nearest(35.69, 139.7) == offline.nearest(35.69, 139.7)
    assert len(server.asked) == 1
    (record,) = caplog.records
    assert "offline" in record.getMessage()
    assert "NOMINATIM_URL" in record.getMessage()
    geocoder.close()


def test_what_the_offline_places_answered_is_not_kept(
    server: Loopback, book: AnswerBook, offline: OfflineGeocoder
) -> None:
    geocoder = NominatimGeocoder(server.url, book, offline, every_seconds=0.0, rest_seconds=0.0)
    server.answer = Reply(status=500)
    geocoder.nearest(*LISBON)
    server.answer = Reply(REVERSE)
    place = geocoder.nearest(*LISBON)
    assert place is not None
    assert place.attribution == ATTRIBUTION


def test_a_redirect_is_not_followed(server: Loopback, other: Loopback, geocoder: NominatimGeocoder) -> None:
    server.answer = Reply(status=301, headers={"Location": f"{other.url}/reverse"})
    geocoder.nearest(*LISBON)
    assert not other.asked


def test_all_who_share_a_data_folder_take_turns_a_while_apart(tmp_path: Path) -> None:
    books = [AnswerBook(tmp_path / "places.db") for _ in range(2)]
    waits = [books[n % 2].take_turn("server", every=10.0, patience=25.0) for n in range(4)]
    assert waits[:3] == pytest.approx([0.0, 10.0, 20.0], abs=5)
    assert waits[3] is None
    assert books[1].take_turn("another server", every=10.0, patience=25.0) == 0.0
    for book in books:
        book.close()


def test_a_turn_that_comes_soon_is_waited_for(server: Loopback, book: AnswerBook, offline: OfflineGeocoder) -> None:
    server.answer = Reply(REVERSE)
    geocoder = NominatimGeocoder(server.url, book, offline, every_seconds=0.3)
    geocoder.nearest(*LISBON)
    place = geocoder.nearest(35.69, 139.7)
    assert place is not None
    assert place.attribution == ATTRIBUTION
    assert len(server.asked) == 2


def test_who_would_wait_too_long_is_answered_offline(
    server: Loopback, book: AnswerBook, offline: OfflineGeocoder
) -> None:
    server.answer = Reply(REVERSE)
    geocoder = NominatimGeocoder(server.url, book, offline, every_seconds=30.0)
    geocoder.nearest(*LISBON)
    assert geocoder.nearest(35.69, 139.7) == offline.nearest(35.69, 139.7)
    assert len(server.asked) == 1


def test_closing_wakes_who_waits_for_a_turn(server: Loopback, book: AnswerBook, offline: OfflineGeocoder) -> None:
    answered = threading.Event()

    def answer(_: Asked) -> Reply:
        answered.set()
        return Reply(REVERSE)

    server.answer = answer
    geocoder = NominatimGeocoder(server.url, book, offline, every_seconds=1.9)
    geocoder.nearest(*LISBON)
    waiting = threading.Thread(target=geocoder.nearest, args=(35.69, 139.7))
    waiting.start()
    time.sleep(0.05)
    geocoder.close()
    waiting.join()
    assert len(server.asked) == 1


def test_the_book_keeps_no_more_than_it_may_and_forgets_the_oldest(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path / "places.db", most=20)
    for number in range(50):
        book.put(str(number), b"x")
    kept = [number for number in range(50) if book.get(str(number))]
    assert len(kept) <= 20
    assert kept == list(range(50 - len(kept), 50))
    book.close()


def test_a_damaged_book_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "places.db").write_bytes(b"no database at all" * 500)
    book = AnswerBook(tmp_path / "places.db")
    book.put("key", b"said")
    assert book.get("key") == b"said"
    book.close()


def test_a_book_that_cannot_be_written_costs_the_answers_and_nothing_else(
    server: Loopback, tmp_path: Path, offline: OfflineGeocoder, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "places.db").mkdir()
    geocoder = NominatimGeocoder(server.url, AnswerBook(tmp_path / "places.db"), offline)
    assert geocoder.nearest(*LISBON) == offline.nearest(*LISBON)
    assert "NOMINATIM_URL" in caplog.text


def test_a_clock_that_was_set_back_stops_nobody_for_long(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path / "places.db")
    book.take_turn("server", every=1.0, patience=2.0)
    with sqlite3.connect(tmp_path / "places.db") as connection:
        connection.execute("UPDATE turn SET free_at = free_at + 86400")
    connection.close()
    assert book.take_turn("server", every=1.0, patience=2.0) == 0.0
    book.close()


def test_the_book_is_for_its_owner_alone(tmp_path: Path) -> None:
    book = AnswerBook(tmp_path / "data" / "places.db")
    book.put("key", b"said")
    assert (tmp_path / "data" / "places.db").stat().st_mode & 0o077 == 0
    book.close()


def test_a_place_survives_the_book_as_it_was(book: AnswerBook, server: Loopback, offline: OfflineGeocoder) -> None:
    server.answer = Reply(REVERSE)
    geocoder = NominatimGeocoder(server.url, book, offline)
    assert isinstance(geocoder.nearest(*LISBON), Place)
    assert geocoder.nearest(*LISBON) == geocoder.nearest(*LISBON)
