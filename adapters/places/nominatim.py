"""The geocoder that asks a Nominatim server which the user names (https://nominatim.org/release-docs/latest/api/Reverse/).

It keeps to the usage policy of OpenStreetMap's own server, whichever server it is: one request a second for all
processes of a data folder, an identifying User-Agent, answers kept, attribution. Where the server does not answer, or
too many are waiting for their turn, the offline geocoder answers.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
from typing import Final

import msgspec

from adapters.places.cache import AnswerBook
from adapters.places.json_server import JsonServer, Rest, one_line
from domain.base.errors import Unavailable
from domain.ports.geocoding import Geocoder, Place

log = logging.getLogger(__name__)

ATTRIBUTION: Final = "© OpenStreetMap contributors"
"""Asked for by the Open Database License (https://www.openstreetmap.org/copyright)."""

_SECONDS = 4.0
_EVERY_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0
_REST_SECONDS = 60.0
_SUBURB_ZOOM = "14"
_EARTH_METRES = 6_371_008.8
_NAMES = (
    "city",
    "town",
    "village",
    "municipality",
    "hamlet",
    "isolated_dwelling",
    "suburb",
    "island",
    "locality",
    "county",
)
_REGIONS = ("state", "region", "province", "state_district", "county")


class _Reverse(msgspec.Struct):
    """An answer of `/reverse?format=jsonv2`; `error` alone says that nothing is there."""

    lat: str = ""
    lon: str = ""
    name: str | None = None
    address: dict[str, str] = {}
    error: str | None = None


class NominatimGeocoder:
    """`Geocoder` on the Nominatim server at `base_url`, with `fallback` where that does not answer.

    Positions are rounded to three decimals (some 100 m) before they leave: which town it is does not depend on more.
    """

    def __init__(
        self,
        base_url: str,
        book: AnswerBook,
        fallback: Geocoder,
        *,
        version: str = "",
        seconds: float = _SECONDS,
        every_seconds: float = _EVERY_SECONDS,
        rest_seconds: float = _REST_SECONDS,
    ) -> None:
        self._server = JsonServer(
            base_url, seconds=seconds, user_agent=f"imageapi/{version} (self-hosted photo library)"
        )
        self._book = book
        self.fallback = fallback
        self._every = every_seconds
        self._rest = Rest(rest_seconds)
        self._lock = threading.Lock()
        self._is_closed = threading.Event()

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place at a position in degrees as the server names it, else the fallback's."""
        rounded = (round(latitude, 3), round(longitude, 3))
        try:
            return self._kept_or_fetched(*rounded)
        except (Unavailable, sqlite3.Error) as error:
            with self._lock:
                if self._rest.begin():
                    log.warning("Places are named offline for now: %s; see NOMINATIM_URL", error)
        except _NoTurn:
            log.debug("A place is named offline: too many wait for %s", self._server.host)
        return self.fallback.nearest(latitude, longitude)

    def ask(self, latitude: float, longitude: float) -> Place | None:
        """What the server says of a position, asked at once.

        Raises:
            Unavailable: it does not answer, or not as Nominatim does.
        """
        query = {
            "format": "jsonv2",
            "lat": f"{latitude:.3f}",
            "lon": f"{longitude:.3f}",
            "zoom": _SUBURB_ZOOM,
            "addressdetails": "1",
            "accept-language": "en",
        }
        answer = self._server.ask("/reverse", query, _Reverse)
        if answer is None:
            raise Unavailable(f"there is no Nominatim at {self._server.host} (status 404)")
        if answer.error is not None:
            return None
        return self._place(answer, latitude, longitude)

    def close(self) -> None:
        """Close connections and the file of kept answers."""
        self._is_closed.set()
        self._server.close()
        self._book.close()

    def _kept_or_fetched(self, latitude: float, longitude: float) -> Place | None:
        key = f"{self._server.base} {latitude:.3f} {longitude:.3f}"
        kept = self._book.get(key)
        if kept is not None:
            return msgspec.msgpack.decode(kept, type=Place | None)
        with self._lock:
            if self._rest.is_on:
                raise _NoTurn
        wait = self._book.take_turn(self._server.base, every=self._every, patience=_PATIENCE_SECONDS)
        if wait is None or self._is_closed.wait(wait):
            raise _NoTurn
        place = self.ask(latitude, longitude)
        with self._lock:
            if self._rest.end():
                log.info("Places are named by %s again", self._server.host)
        self._book.put(key, msgspec.msgpack.encode(place))
        return place

    def _place(self, answer: _Reverse, latitude: float, longitude: float) -> Place | None:
        try:
            there = (float(answer.lat), float(answer.lon))
        except ValueError as error:
            raise Unavailable(f"{self._server.host} answers without a position") from error
        parts = {key: one_line(value) for key, value in answer.address.items()}
        name = next((parts[key] for key in _NAMES if parts.get(key)), one_line(answer.name or ""))
        region = next((parts[key] for key in _REGIONS if parts.get(key)), "")
        if not (name or region or parts.get("country")):
            return None
        code = parts.get("country_code", "").upper()
        metres = _metres((latitude, longitude), there)
        if not name:
            name, region = (region, "") if region else (parts["country"], "")
        country = parts.get("country", "")
        return Place(
            name,
            region=region,
            country=country if country != name else "",
            country_code=code,
            distance_m=metres,
            attribution=ATTRIBUTION,
        )


class _NoTurn(Exception):
    """It is not asked now."""


def _metres(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The distance of two positions in degrees (haversine formula)."""
    (north, east), (other_north, other_east) = (map(math.radians, position) for position in (here, there))
    half = math.sin((other_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    return 2 * _EARTH_METRES * math.asin(math.sqrt(min(1.0, half)))
