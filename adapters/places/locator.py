"""Where a photo was taken, in one line: the user's own place and the geocoded one, as far as either is configured."""

from __future__ import annotations

from domain.places import Geocoder, Location, PersonalPlaces, located


class Locator:
    """Asks both sources; either may be absent. Calls block, for some seconds where a server hangs."""

    def __init__(self, geocoder: Geocoder | None, personal: PersonalPlaces | None = None) -> None:
        self._geocoder = geocoder
        self._personal = personal

    def location(self, latitude: float, longitude: float) -> Location | None:
        """What is known of a position in degrees; None where nothing is, or where that is no position on earth."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return None
        personal = self._personal.at(latitude, longitude) if self._personal else None
        place = self._geocoder.nearest(latitude, longitude) if self._geocoder else None
        return located(personal, place)
