"""The user's own places (Home, Work, Cabin), which an Apollo server knows."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict

import msgspec

from adapters.places.json_server import JsonServer, Rest, one_line
from domain.base.errors import Unavailable
from domain.ports.geocoding import PersonalPlace

log = logging.getLogger(__name__)

_SECONDS = 2.0
_REST_SECONDS = 60.0
_KEPT_SECONDS = 300.0
_MOST_KEPT = 5000
_MOST_AT_ONCE = 8


class _Answer(msgspec.Struct):
    """What `GET /api/places/at` says of a position."""

    name: str
    category: str = ""
    distance_m: float | None = None


class ApolloPlaces:
    """`domain.ports.geocoding.PersonalPlaces` on the Apollo server at `base_url`.

    Answers are kept in memory for `kept_seconds`. Where it fails there is no personal place: that is logged once, and
    the server left alone for `rest_seconds`. At most eight requests wait for it at a time, so that a slow one holds up
    nothing else.
    """

    def __init__(
        self,
        base_url: str,
        *,
        version: str = "",
        seconds: float = _SECONDS,
        kept_seconds: float = _KEPT_SECONDS,
        rest_seconds: float = _REST_SECONDS,
    ) -> None:
        self._server = JsonServer(base_url, seconds=seconds, user_agent=f"imageapi/{version}".rstrip("/"))
        self._kept_seconds = kept_seconds
        self._kept: OrderedDict[tuple[float, float], tuple[float, PersonalPlace | None]] = OrderedDict()
        self._rest = Rest(rest_seconds)
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def at(self, latitude: float, longitude: float) -> PersonalPlace | None:
        """The user's place at a position in degrees; None where there is none, or none can be told now."""
        key = (round(latitude, 5), round(longitude, 5))
        with self._lock:
            kept_at, kept = self._kept.get(key, (-math.inf, None))
            if time.monotonic() - kept_at < self._kept_seconds:
                return kept
            if self._rest.is_on or not self._room.acquire(blocking=False):
                return None
        try:
            place = self.ask(*key)
        except Unavailable as error:
            with self._lock:
                if self._rest.begin():
                    log.warning("Personal places are left out for now: %s; see APOLLO_API_BASE_URL", error)
            return None
        finally:
            self._room.release()
        with self._lock:
            if self._rest.end():
                log.info("Personal places are told again by %s", self._server.host)
            self._keep(key, place)
        return place

    def ask(self, latitude: float, longitude: float) -> PersonalPlace | None:
        """As `at`, without what is kept.

        Raises:
            Unavailable: it does not answer, or not as the contract says.
        """
        query = {"lat": f"{latitude:.5f}", "lon": f"{longitude:.5f}"}
        answer = self._server.ask("/api/places/at", query, _Answer)
        if answer is None:
            return None
        name, metres = one_line(answer.name), answer.distance_m
        if not name or (metres is not None and not (math.isfinite(metres) and metres >= 0)):
            raise Unavailable(
                f"{self._server.host} answers with a place without a name or with a distance that is none"
            )
        return PersonalPlace(name, one_line(answer.category), metres)

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _keep(self, key: tuple[float, float], place: PersonalPlace | None) -> None:
        self._kept[key] = (time.monotonic(), place)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
