"""Where a photo was taken, in one line: the user's own place and the geocoded one, as far as each is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.places.apollo_places import ApolloPlaces
from adapters.places.cache import AnswerBook
from adapters.places.nominatim import NominatimGeocoder
from adapters.places.offline import OfflineGeocoder
from domain.base.errors import Unavailable
from domain.ports.geocoding import Geocoder, Location, PersonalPlaces, located


class Locator:
    """Asks both sources; either may be absent. Calls block, for some seconds where a server hangs."""

    def __init__(self, geocoder: Geocoder | None, personal: PersonalPlaces | None = None) -> None:
        self.geocoder = geocoder
        self.personal = personal

    @classmethod
    def of(cls, *, offline: bool, nominatim: str | None, apollo: str | None, book: Path, version: str) -> Locator:
        """The configured sources: places on this machine where `offline`, the servers where they have addresses, and
        `book` as the file of what Nominatim answered."""
        geocoder: Geocoder | None = OfflineGeocoder() if offline or nominatim else None
        if geocoder is not None and nominatim is not None:
            geocoder = NominatimGeocoder(nominatim, AnswerBook(book), geocoder, version=version)
        return cls(geocoder, None if apollo is None else ApolloPlaces(apollo, version=version))

    def location(self, latitude: float, longitude: float) -> Location | None:
        """What is known of a position in degrees; None where nothing is, or where that is no position on earth."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return None
        personal = self.personal.at(latitude, longitude) if self.personal else None
        place = self.geocoder.nearest(latitude, longitude) if self.geocoder else None
        return located(personal, place)

    def offline_name(self, latitude: float, longitude: float) -> str:
        """The name of a position in degrees as this machine knows it, asking nobody; empty where there is none, and
        where places are off."""
        geocoder = self.geocoder
        if isinstance(geocoder, NominatimGeocoder):
            geocoder = geocoder.fallback
        if geocoder is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return ""
        found = located(None, geocoder.nearest(latitude, longitude))
        return "" if found is None else found.text

    def findings(self) -> Iterator[tuple[str, str, bool | None]]:
        """For each source its name, what it says, and whether it answers, None where it is off; servers are asked about
        0° north, 0° east."""
        geocoder, personal = self.geocoder, self.personal
        if isinstance(geocoder, NominatimGeocoder):
            yield "nominatim", *_state(lambda: geocoder.ask(0, 0))
        elif isinstance(geocoder, OfflineGeocoder):
            yield "places", *_state(lambda: geocoder.index().summary)
        else:
            yield "places", "off: GEOCODER is off", None
        if isinstance(personal, ApolloPlaces):
            yield "personal places", *_state(lambda: personal.ask(0, 0))
        else:
            yield "personal places", "off: APOLLO_API_BASE_URL is not set", None

    def close(self) -> None:
        """Give back connections and files."""
        for source in (self.geocoder, self.personal):
            if isinstance(source, NominatimGeocoder | ApolloPlaces):
                source.close()


def _state(ask: Callable[[], object]) -> tuple[str, bool]:
    """What a source says where that is text, that it answers, or why it does not; and whether it does."""
    try:
        answer = ask()
    except Unavailable as error:
        return str(error), False
    return (answer if isinstance(answer, str) else "answers"), True
