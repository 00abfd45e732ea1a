"""What XMP says of a photo in words and numbers, in any spelling, and nothing where it makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.xmp.words import NOTHING, XmpWords, words_of_xmp

PREFIXES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


def packet(inside: str = "", attributes: str = "") -> bytes:
    """A packet with these properties."""
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {names} {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def words(inside: str = "", attributes: str = "") -> XmpWords:
    """What such a packet says."""
    return words_of_xmp(packet(inside, attributes))


@pytest.mark.parametrize(
    ("inside", "attributes", "said"),
    [
        ("<dc:title><rdf:Alt><rdf:li>Sea</rdf:li></rdf:Alt></dc:title>", "", {"title": "Sea"}),
        ("<photoshop:Headline>Sea</photoshop:Headline>", 'dc:title=""', {"title": "Sea"}),
        ("", 'dc:title="Sea" photoshop:Headline="Lake"', {"title": "Sea"}),
        ("", 'dc:description="At noon"', {"description": "At noon"}),
        ("", 'exif:DateTimeOriginal="2017-03-03" photoshop:DateCreated="2018"', {"original": "2017-03-03"}),
        ("", 'xmp:CreateDate="2019" xmp:ModifyDate="2020"', {"digitised": "2019", "modified": "2020"}),
        ("", 'aux:Lens="50mm"', {"lens": "50mm"}),
        ("", 'aux:Lens="50mm" exifEX:LensModel="Nikkor"', {"lens": "Nikkor"}),
        ("", 'tiff:Make="Canon" tiff:Model="EOS"', {"make": "Canon", "model": "EOS"}),
        ("", 'photoshop:City="Bern" photoshop:Country="CH" Iptc4xmpCore:Location="Dom"', {"place": "Dom, Bern, CH"}),
        (
            (
                "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li Iptc4xmpExt:City='Bern' Iptc4xmpExt:CountryName='CH'/>"
                "</rdf:Bag></Iptc4xmpExt:LocationShown>"
            ),
            "",
            {"place": "Bern, CH"},
        ),
        (
            (
                "<dc:subject><rdf:Bag><rdf:li> a </rdf:li><rdf:li/></rdf:Bag></dc:subject>"
                "<lr:hierarchicalSubject><rdf:Bag><rdf:li>x|b</rdf:li></rdf:Bag></lr:hierarchicalSubject>"
            ),
            "",
            {"keywords": ("a", "b")},
        ),
    ],
)
def test_each_thing_is_read_where_programs_write_it(inside: str, attributes: str, said: dict[str, Any]) -> None:
    assert words(inside, attributes) == XmpWords(**said)


@pytest.mark.parametrize(
    ("attributes", "stars"),
    [
        ('xmp:Rating="4"', 4),
        ('xmp:Rating="4.6"', 5),
        ('xmp:Rating="-1"', -1),
        ('xmp:Rating="0"', None),
        ('xmp:Rating="99"', None),
        ('xmp:Rating="many"', None),
        ('xmp:Rating="0" MicrosoftPhoto:Rating="75"', 4),
        ('MicrosoftPhoto:Rating="1"', 1),
        ('MicrosoftPhoto:Rating="99"', 5),
        ('MicrosoftPhoto:Rating="101"', None),
        ('xmp:Rating="2" MicrosoftPhoto:Rating="99"', 2),
    ],
)
def test_a_rating_is_one_to_five_stars_or_a_rejection(attributes: str, stars: int | None) -> None:
    assert words("", attributes).rating == stars


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        ("47,22.6N", "8,32.5W", (47.37666667, -8.54166667)),
        ("33,52,7.68S", "151,12,33.48E", (-33.8688, 151.2093)),
        ("-47.5", "8.25", (-47.5, 8.25)),
        ("91,0N", "8,0E", (None, None)),
        ("47,0N", "8,0N", (None, None)),
        ("47,0N", "", (None, None)),
        ("0,0N", "0,0E", (None, None)),
        ("forty", "8,0E", (None, None)),
    ],
)
def test_a_position_is_believed_where_it_is_on_this_planet(
    latitude: str, longitude: str, place: tuple[float | None, float | None]
) -> None:
    found = words("", f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}"')
    assert (found.latitude, found.longitude) == place


@pytest.mark.parametrize(
    ("attributes", "metres"),
    [
        ('exif:GPSAltitude="4085/10"', 408.5),
        ('exif:GPSAltitude="30/1" exif:GPSAltitudeRef="1"', -30),
        ('exif:GPSAltitude="30/0"', None),
        ('exif:GPSAltitude="1000000"', None),
    ],
)
def test_an_altitude_is_a_fraction_above_or_below_the_sea(attributes: str, metres: float | None) -> None:
    assert words("", attributes).altitude == metres


def test_what_a_jpeg_holds_beyond_its_first_packet_adds_to_it() -> None:
    found = words_of_xmp(packet("", 'dc:title="Sea"'), packet("", 'dc:title="Lake" xmp:Rating="3"'))
    assert (found.title, found.rating) == ("Sea", 3)
    assert words_of_xmp(b"no XMP", packet("", 'xmp:Rating="3"')).rating == 3


@pytest.mark.parametrize("broken", [None, b"", b"<", packet()[:-5], b"<!DOCTYPE a []><a/>", b"<a>" * 300, b"\0" * 9])
def test_a_broken_packet_says_nothing(broken: bytes | None) -> None:
    assert words_of_xmp(broken) == NOTHING


@given(st.text(max_size=60), st.sampled_from(["xmp:Rating", "exif:GPSLatitude", "dc:subject", "photoshop:DateCreated"]))
def test_no_value_whatever_breaks_the_reading(value: str, name: str) -> None:
    escaped = "".join(f"&#{ord(letter)};" if letter.isprintable() else " " for letter in value)
    words("", f'{name}="{escaped}"')
    words_of_xmp(value.encode("utf-8", "replace"))
