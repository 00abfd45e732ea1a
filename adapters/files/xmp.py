"""XMP: keywords and face regions read out of a packet, and written into one without losing what else it holds.

Regions are those of the Metadata Working Group (mwg-rs; Lightroom, digiKam and Picasa write them), else Microsoft's
(MP). Both are relative to the picture as it is stored, before its EXIF orientation is applied, so who reads or writes
them says how the picture is stored. RDF allows several spellings of one thing (ISO 16684-1, annex C): properties as
elements or attributes, structures as `rdf:parseType="Resource"` or as an inner `rdf:Description`; all are read.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.parsers import expat

import msgspec

from domain.errors import Unreadable
from domain.geometry import Box, clamped
from domain.xmp import Description, Region

LARGEST_PACKET: Final = 16 * 2**20
"""Bytes of XMP that are looked at. Adobe's own limit for one in a JPEG is 64 KB; histories of edits grow past it."""
MOST_KEYWORDS, MOST_REGIONS = 1000, 1000
ASPECT_TOLERANCE: Final = 0.03
"""By how much the proportions of the picture that regions were drawn on may differ from this one's: more than rounding,
less than any crop."""

_NAMESPACES: Final = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    # Of others, so that what is kept keeps its usual prefix.
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "darktable": "http://darktable.sf.net/",
}
for _prefix, _uri in _NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)


def _named(prefix: str, name: str) -> str:
    return f"{{{_NAMESPACES[prefix]}}}{name}"


_RDF, _DESCRIPTION, _ABOUT = _named("rdf", "RDF"), _named("rdf", "Description"), _named("rdf", "about")
_PARSE_TYPE, _ITEM, _BAG = _named("rdf", "parseType"), _named("rdf", "li"), _named("rdf", "Bag")
_ARRAYS: Final = (_BAG, _named("rdf", "Seq"), _named("rdf", "Alt"))
_SUBJECT, _REGIONS = _named("dc", "subject"), _named("mwg-rs", "Regions")
_HIERARCHIES: Final = ((_named("lr", "hierarchicalSubject"), "|"), (_named("digiKam", "TagsList"), "/"))
_MICROSOFT: Final = _named("MP", "RegionInfo")
_WRAPPED: Final = re.compile(r"<\?xpacket[^>]*\?>")

Node = ET.Element | str
"""A value of a property: an element, or the text of an attribute."""


class Stored(msgspec.Struct, frozen=True):
    """How a picture lies in its file: `width` and `height` in pixels before `orientation` (EXIF, 1 to 8) is applied."""

    width: int
    height: int
    orientation: int


class OfAnotherPicture(Unreadable):
    """Regions that cannot be placed: they were drawn before the picture was cropped. `description` is the rest."""

    def __init__(self, description: Description) -> None:
        super().__init__("its regions were drawn on a picture of other proportions")
        self.description = description


def description_of(packet: bytes, stored: Stored | None) -> Description:
    """The keywords and face regions of a packet of XMP. Regions need to know how the picture is `stored`; None leaves
    them out.

    A keyword within a hierarchy counts by its last part. Regions of other things than faces are left out.

    Raises:
        Unreadable: this is no XMP; the text says why.
        OfAnotherPicture: the regions were drawn on a picture of other proportions. What it says besides is in the
            error.
    """
    properties = _properties(_parsed(packet))
    keywords = [_text(item) for item in _items(properties.get(_SUBJECT))]
    for name, separator in _HIERARCHIES:
        keywords += [_text(item).rpartition(separator)[2] for item in _items(properties.get(name))]
    found = tuple(dict.fromkeys(word.strip() for word in keywords if word.strip()))[:MOST_KEYWORDS]
    if stored is None:
        return Description(found)
    if _orientation_of(_drawn_on(properties), stored) is None:
        raise OfAnotherPicture(Description(found))
    return Description(found, tuple(_regions(properties, stored))[:MOST_REGIONS])


def written(packet: bytes | None, keywords: Iterable[str], regions: Iterable[Region], stored: Stored | None) -> bytes:
    """A packet with just these keywords and these regions of faces; of an older `packet` all else is kept, regions of
    other things than faces among it.

    `stored` is needed where there are regions. The same input gives the same bytes.

    Raises:
        Unreadable: the older packet is no XMP.
    """
    root = _empty() if packet is None else _parsed(packet)
    rdf = root if root.tag == _RDF else root.find(f".//{_RDF}")
    if rdf is None:
        raise Unreadable("no XMP: it holds no rdf:RDF")
    others = [] if stored is None else list(_of_other_things(_properties(root)))
    for description in rdf.findall(_DESCRIPTION):
        for name in (_SUBJECT, *(name for name, _ in _HIERARCHIES), *((_REGIONS, _MICROSOFT) if stored else ())):
            for element in description.findall(name):
                description.remove(element)
        if not len(description) and set(description.attrib) <= {_ABOUT}:
            rdf.remove(description)
    ours = ET.SubElement(rdf, _DESCRIPTION, {_ABOUT: ""})
    _add_keywords(ours, keywords)
    if stored is not None:
        _add_regions(ours, regions, stored, others)
    if not len(ours):
        rdf.remove(ours)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n' + text + '\n<?xpacket end="w"?>\n').encode()


def _empty() -> ET.Element:
    root = ET.Element(_named("x", "xmpmeta"))
    ET.SubElement(root, _RDF)
    return root


# Reading


def _parsed(packet: bytes) -> ET.Element:
    if len(packet) > LARGEST_PACKET:
        raise Unreadable(f"more than {LARGEST_PACKET // 2**20} MB of XMP")
    packet = packet.strip(b"\0 \r\n\t")
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _refuse_document_type
    try:
        guard.Parse(packet, True)
        return ET.fromstring(packet)  # noqa: S314 - without a document type there is no entity to expand or to fetch
    except (expat.ExpatError, ET.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"no XMP: {error}") from error


def _refuse_document_type(*_: object) -> None:
    raise Unreadable("no XMP: it declares a document type")


def _properties(root: ET.Element) -> Mapping[str, Node]:
    """Every property of the packet by its name, the first of a name."""
    found: dict[str, Node] = {}
    rdf = root if root.tag == _RDF else root.find(f".//{_RDF}")
    for description in () if rdf is None else rdf.findall(_DESCRIPTION):
        for name, value in _fields(description).items():
            found.setdefault(name, value)
    return found


def _fields(value: Node) -> Mapping[str, Node]:
    """The fields of a structure in any of its spellings."""
    if isinstance(value, str):
        return {}
    found: dict[str, Node] = dict(value.attrib)
    for child in value:
        if child.tag == _DESCRIPTION and value.tag != _RDF:
            found.update(_fields(child))
        else:
            found.setdefault(child.tag, child)
    return found


def _items(value: Node | None) -> Iterator[Node]:
    """The items of an array; a value that is none is its only item."""
    if value is None:
        return
    if isinstance(value, ET.Element):
        for array in value:
            if array.tag in _ARRAYS:
                yield from array.findall(_ITEM)
                return
    yield value


def _text(value: Node | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    for item in _items(value):  # a text in several languages: the first, which is the default
        if item is not value:
            return _text(item)
    inner = _fields(value).get(_named("rdf", "value"))
    return _text(inner) if inner is not None else (value.text or "")


def _number(value: Node | None) -> float:
    try:
        number = float(_text(value))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _drawn_on(properties: Mapping[str, Node]) -> tuple[float, float]:
    """Width and height of the picture that regions were drawn on, not a number where that is not said."""
    size = _fields(_fields(properties.get(_REGIONS, "")).get(_named("mwg-rs", "AppliedToDimensions"), ""))
    return _number(size.get(_named("stDim", "w"))), _number(size.get(_named("stDim", "h")))


def _listed(properties: Mapping[str, Node]) -> Sequence[Node]:
    return list(_items(_fields(properties.get(_REGIONS, "")).get(_named("mwg-rs", "RegionList"))))


def _regions(properties: Mapping[str, Node], stored: Stored) -> Iterator[Region]:
    """The regions of faces."""
    items, size = _listed(properties), _drawn_on(properties)
    if not items:
        yield from _microsoft_regions(properties, stored)
    for item in items:
        fields = _fields(item)
        kind, name = _text(fields.get(_named("mwg-rs", "Type"))), _text(fields.get(_named("mwg-rs", "Name")))
        area = _area(_fields(fields.get(_named("mwg-rs", "Area"), "")), size)
        box = _box(area, _orientation_of(size, stored) or 1)
        if box is not None and (kind.casefold() == "face" or (not kind and name.strip())):
            yield Region(box, name.strip())


def _microsoft_regions(properties: Mapping[str, Node], stored: Stored) -> Iterator[Region]:
    info = _fields(properties.get(_MICROSOFT, ""))
    for item in _items(info.get(_named("MPRI", "Regions"))):
        fields = _fields(item)
        parts = [_number(part) for part in _text(fields.get(_named("MPReg", "Rectangle"))).split(",")]
        if len(parts) == 4:
            left, top, width, height = parts
            box = _box((left + width / 2, top + height / 2, width, height), stored.orientation)
            if box is not None:
                yield Region(box, _text(fields.get(_named("MPReg", "PersonDisplayName"))).strip())


def _of_other_things(properties: Mapping[str, Node]) -> Iterator[ET.Element]:
    """The items of a list of regions that are of pets, focus points, bar codes."""
    for item in _listed(properties):
        kind = _text(_fields(item).get(_named("mwg-rs", "Type"))).casefold()
        if kind not in ("", "face") and isinstance(item, ET.Element):
            yield item


def _area(fields: Mapping[str, Node], size: tuple[float, float]) -> tuple[float, float, float, float]:
    x, y, w, h = (_number(fields.get(_named("stArea", name))) for name in ("x", "y", "w", "h"))
    if _text(fields.get(_named("stArea", "unit"))).casefold() == "pixel":
        return x / size[0], y / size[1], w / size[0], h / size[1]
    return x, y, w, h


def _orientation_of(size: tuple[float, float], stored: Stored) -> int | None:
    """The orientation to apply to regions that were drawn on a picture of this size, None where it was another picture.

    Some programs apply the orientation to the regions too; where it swaps the sides, the size tells.
    """
    width, height = size
    if not (width > 0 and height > 0):
        return stored.orientation
    if _is_like(width / height, stored.width / stored.height):
        return stored.orientation
    swapped = stored.orientation >= 5 and _is_like(width / height, stored.height / stored.width)
    return 1 if swapped else None


def _is_like(one: float, other: float) -> bool:
    return abs(math.log(one / other)) <= ASPECT_TOLERANCE


def _box(area: tuple[float, float, float, float], orientation: int) -> Box | None:
    """The box on the upright picture of an area (its middle and its sides) of the stored one; None where there can be
    none."""
    if any(math.isnan(number) for number in area):
        return None
    x, y, w, h = turned(area, orientation)
    box = clamped(Box(x - w / 2, y - h / 2, w, h))
    return box if box.w > 0 and box.h > 0 else None


def turned(area: tuple[float, float, float, float], orientation: int) -> tuple[float, float, float, float]:
    """An area (middle and sides) of the stored picture on the upright one, by its EXIF orientation (EXIF 3.0)."""
    x, y, w, h = area
    if orientation >= 5:
        w, h = h, w
    middle = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (1 - y, x),
        7: (1 - y, 1 - x),
        8: (y, 1 - x),
    }.get(orientation, (x, y))
    return (*middle, w, h)


# Writing


def _add_keywords(description: ET.Element, keywords: Iterable[str]) -> None:
    words = list(keywords)
    if words:
        bag = ET.SubElement(ET.SubElement(description, _SUBJECT), _BAG)
        for word in words:
            ET.SubElement(bag, _ITEM).text = word


def _add_regions(
    description: ET.Element, regions: Iterable[Region], stored: Stored, others: Iterable[ET.Element]
) -> None:
    items = [*(_item_of(region, stored) for region in regions), *others]
    if not items:
        return
    info = ET.SubElement(description, _REGIONS, {_PARSE_TYPE: "Resource"})
    size = {"w": str(stored.width), "h": str(stored.height), "unit": "pixel"}
    ET.SubElement(
        info, _named("mwg-rs", "AppliedToDimensions"), {_named("stDim", name): value for name, value in size.items()}
    )
    ET.SubElement(ET.SubElement(info, _named("mwg-rs", "RegionList")), _BAG).extend(items)


def _item_of(region: Region, stored: Stored) -> ET.Element:
    box = region.box
    back = {6: 8, 8: 6}.get(stored.orientation, stored.orientation)
    x, y, w, h = turned((box.x + box.w / 2, box.y + box.h / 2, box.w, box.h), back)
    area = {"x": f"{x:.6f}", "y": f"{y:.6f}", "w": f"{w:.6f}", "h": f"{h:.6f}", "unit": "normalized"}
    item = ET.Element(_ITEM, {_PARSE_TYPE: "Resource"})
    if region.name:
        ET.SubElement(item, _named("mwg-rs", "Name")).text = region.name
    ET.SubElement(item, _named("mwg-rs", "Type")).text = "Face"
    ET.SubElement(item, _named("mwg-rs", "Area"), {_named("stArea", name): value for name, value in area.items()})
    return item
