"""What a packet of XMP says of a photo in words and numbers: title, rating, keywords, times, place and lens.

A packet is a stranger's text: what makes no sense is left out, and the rest stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from adapters.xmp.rdf import DESCRIPTION, RDF, Node, fields_of, items_of, named, parsed, text_of_value
from domain.base.errors import Unreadable

MOST_KEYWORDS: Final = 1000
"""How many of one photo are taken over; those beyond are kept where they are."""
SUBJECT: Final = named("dc", "subject")
HIERARCHIES: Final = ((named("lr", "hierarchicalSubject"), "|"), (named("digiKam", "TagsList"), "/"))
"""Keywords within one another, with what parts them."""
_TITLES: Final = (named("dc", "title"), named("photoshop", "Headline"))
_DESCRIPTIONS: Final = (named("dc", "description"), named("tiff", "ImageDescription"))
_LENSES: Final = (named("exifEX", "LensModel"), named("aux", "Lens"))
_ORIGINAL: Final = (named("exif", "DateTimeOriginal"), named("photoshop", "DateCreated"))
_DIGITISED: Final = (named("exif", "DateTimeDigitized"), named("xmp", "CreateDate"))
_MODIFIED: Final = (named("xmp", "ModifyDate"), named("tiff", "DateTime"))
_PLACES: Final = (
    named("Iptc4xmpCore", "Location"),
    *(named("photoshop", name) for name in ("City", "State", "Country")),
)
_SHOWN_PLACES: Final = tuple(named("Iptc4xmpExt", name) for name in ("LocationShown", "LocationCreated"))
_PARTS_OF_PLACE: Final = tuple(
    named("Iptc4xmpExt", name) for name in ("Sublocation", "City", "ProvinceState", "CountryName")
)
_PERCENT_OF_STARS: Final = ((88, 5), (63, 4), (38, 3), (13, 2), (1, 1))
"""Microsoft's hundredths, of which Windows writes 1, 25, 50, 75 and 99."""
_GPS: Final = re.compile(
    r"\s*(\d{1,3})(?:,(\d{1,2}(?:\.\d+)?))?(?:,(\d{1,2}(?:\.\d+)?))?\s*([NSEW])\s*|\s*([+-]?\d{1,3}(?:\.\d+)?)\s*",
    re.ASCII | re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\s*([+-]?\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?\s*", re.ASCII)


class XmpWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a packet says, as it was written: times as text, `rating` 1 to 5 or -1 for rejected, degrees north and east,
    metres above the sea. `original` is when the photo was taken, `digitised` when it was scanned or stored, `modified`
    when a program saved it; `place` the names of where it was taken, the nearest first."""

    title: str = ""
    description: str = ""
    rating: int | None = None
    keywords: tuple[str, ...] = ()
    original: str = ""
    digitised: str = ""
    modified: str = ""
    place: str = ""
    lens: str = ""
    make: str = ""
    model: str = ""
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None


NOTHING: Final = XmpWords()


def words_of_xmp(packet: bytes | None, extension: bytes | None = None) -> XmpWords:
    """What a packet says, with what a JPEG holds of it beyond 64 KB; nothing where it cannot be read."""
    properties: dict[str, Node] = {}
    for part in (packet, extension):
        if part is not None:
            try:
                _gather(part, properties)
            except Unreadable:
                continue
    return _words(properties) if properties else NOTHING


def keywords_of(properties: Mapping[str, Node]) -> tuple[str, ...]:
    """The keywords among the properties of a packet, each once; one within a hierarchy counts by its last part."""
    keywords = [text_of_value(item) for item in items_of(properties.get(SUBJECT))]
    for name, separator in HIERARCHIES:
        keywords += [leaf_of(item, separator) for item in items_of(properties.get(name))]
    return tuple(dict.fromkeys(word.strip() for word in keywords if word.strip()))


def leaf_of(item: Node, separator: str) -> str:
    """The last part of a keyword in a hierarchy."""
    return text_of_value(item).rpartition(separator)[2]


def _gather(packet: bytes, properties: dict[str, Node]) -> None:
    """Add every property of a packet that is not known yet; raises `Unreadable` where this is no XMP."""
    root = parsed(packet)
    rdf = root if root.tag == RDF else root.find(f".//{RDF}")
    for description in [] if rdf is None else rdf.findall(DESCRIPTION):
        for name, value in fields_of(description).items():
            properties.setdefault(name, value)


def _words(properties: Mapping[str, Node]) -> XmpWords:
    latitude = _degrees(properties.get(named("exif", "GPSLatitude")), "NS", 90)
    longitude = _degrees(properties.get(named("exif", "GPSLongitude")), "EW", 180)
    is_placed = latitude is not None and longitude is not None and not latitude == longitude == 0
    return XmpWords(
        title=_first(properties, _TITLES),
        description=_first(properties, _DESCRIPTIONS),
        rating=_rating(properties),
        keywords=keywords_of(properties)[:MOST_KEYWORDS],
        original=_first(properties, _ORIGINAL),
        digitised=_first(properties, _DIGITISED),
        modified=_first(properties, _MODIFIED),
        place=", ".join(_place(properties)),
        lens=_first(properties, _LENSES),
        make=_first(properties, (named("tiff", "Make"),)),
        model=_first(properties, (named("tiff", "Model"),)),
        latitude=latitude if is_placed else None,
        longitude=longitude if is_placed else None,
        altitude=_altitude(properties),
    )


def _first(properties: Mapping[str, Node], names: tuple[str, ...]) -> str:
    texts = (text_of_value(properties.get(name)).strip() for name in names)
    return next((text for text in texts if text), "")


def _rating(properties: Mapping[str, Node]) -> int | None:
    stars = _number(text_of_value(properties.get(named("xmp", "Rating"))))
    if stars is not None and (stars == -1 or 0.5 <= stars < 5.5):
        return int(stars + 0.5) if stars > 0 else -1
    percent = _number(text_of_value(properties.get(named("MicrosoftPhoto", "Rating")))) if not stars else None
    return stars_of_percent(percent)


def stars_of_percent(percent: float | None) -> int | None:
    """The stars that Microsoft's hundredths stand for; None for none, and for what is no percentage."""
    if percent is None or not 1 <= percent <= 100:
        return None
    return next(stars for least, stars in _PERCENT_OF_STARS if percent >= least)


def _place(properties: Mapping[str, Node]) -> Iterator[str]:
    """The names of a place from the nearest on, of IPTC's core or else of its extension, each once."""
    names = [text_of_value(properties.get(name)).strip() for name in _PLACES]
    for shown in _SHOWN_PLACES:
        if not any(names):
            items = items_of(properties.get(shown))
            fields = next((fields_of(item) for item in items), {})
            names = [text_of_value(fields.get(name)).strip() for name in _PARTS_OF_PLACE]
    yield from dict.fromkeys(name for name in names if name)


def _degrees(value: Node | None, signs: str, most: int) -> float | None:
    """Degrees of `47,22.6N`, `47,22,36N` (XMP specification, part 2, 2.6) or, as some write, `-47.37`."""
    match = _GPS.fullmatch(text_of_value(value))
    if match is None:
        return None
    whole, minutes, seconds, side, plain = match.groups()
    if plain is not None:
        degrees = float(plain)
    elif side.upper() in signs:
        degrees = int(whole) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
        degrees = -degrees if side.upper() == signs[1] else degrees
    else:
        return None
    return round(degrees, 8) if abs(degrees) <= most else None


def _altitude(properties: Mapping[str, Node]) -> float | None:
    metres = _number(text_of_value(properties.get(named("exif", "GPSAltitude"))))
    if metres is None or abs(metres) > 100_000:
        return None
    is_below = text_of_value(properties.get(named("exif", "GPSAltitudeRef"))).strip() == "1"
    return -metres if is_below and metres > 0 else metres


def _number(text: str) -> float | None:
    """The number in a text, which may be a fraction."""
    match = _NUMBER.fullmatch(text)
    if match is None or (match[2] is not None and int(match[2]) == 0):
        return None
    number = float(match[1]) / int(match[2] or 1)
    return number if math.isfinite(number) else None
