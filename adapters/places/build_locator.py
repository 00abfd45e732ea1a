"""Which sources of places the settings name."""

from __future__ import annotations

from adapters.places.locator import Locator
from adapters.settings import GeocoderChoice, Settings


def build_locator(settings: Settings, version: str) -> Locator:
    """The configured sources; `version` is what they are told who asks."""
    return Locator.of(
        offline=settings.geocoder is GeocoderChoice.OFFLINE,
        nominatim=settings.nominatim_url if settings.geocoder is GeocoderChoice.NOMINATIM else None,
        apollo=settings.apollo_api_base_url,
        book=settings.places_file,
        version=version,
    )
