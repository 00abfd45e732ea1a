"""XMP's RDF: parsed without harm, and read in any spelling that it allows (ISO 16684-1, annex C).

A property stands as an element or an attribute, a structure as `rdf:parseType="Resource"` or with an inner
`rdf:Description`, an array as one of three kinds, or, with some programs, as its only item.
"""

from __future__ import annotations

import codecs
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Final
from xml.parsers import expat

from domain.base.errors import Unreadable

LARGEST_PACKET: Final = 8 * 2**20
"""Bytes of XMP that are looked at. Adobe's own limit for one in a JPEG is 64 KB; histories of edits grow past it."""
DEEPEST, MOST_ELEMENTS = 100, 200_000
"""How deep its elements may lie in one another, and how many there may be: programs nest fewer than 20."""

NAMESPACES: Final = {
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
    "imageapi": "urn:imageapi:xmp:1",
    # Of others, so that what is kept keeps its usual prefix.
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
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
for _prefix, _uri in NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)


def named(prefix: str, name: str) -> str:
    """The full name of a property."""
    return f"{{{NAMESPACES[prefix]}}}{name}"


RDF, DESCRIPTION, ABOUT = named("rdf", "RDF"), named("rdf", "Description"), named("rdf", "about")
PARSE_TYPE, ITEM, BAG = named("rdf", "parseType"), named("rdf", "li"), named("rdf", "Bag")
ARRAYS: Final = (BAG, named("rdf", "Seq"), named("rdf", "Alt"))

Node = ET.Element | str
"""A value of a property: an element, or the text of an attribute."""


def parsed(packet: bytes) -> ET.Element:
    """The root of a packet in UTF-8 or UTF-16.

    Raises:
        Unreadable: it is no XML, declares a document type, or would cost more than a packet may.
    """
    if len(packet) > LARGEST_PACKET:
        raise Unreadable(f"more than {LARGEST_PACKET // 2**20} MB of XMP")
    if b"\0" in packet[:4] or packet.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        packet = _from_utf16(packet)
    packet = packet.strip(b"\0 \r\n\t")
    try:
        _guard(packet)
        return ET.fromstring(packet)  # noqa: S314 - without a document type there is no entity to expand or to fetch
    except (expat.ExpatError, ET.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"no XMP: {error}") from error


def _from_utf16(packet: bytes) -> bytes:
    """A packet in UTF-16, which XMP may be in, in UTF-8, without what it says of its encoding."""
    big = packet.startswith(codecs.BOM_UTF16_BE) or packet[:1] == b"\0"
    text = packet.decode("utf-16-be" if big else "utf-16-le", "replace").lstrip("\ufeff").strip("\0 \r\n\t")
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]
    return text.encode("utf-8", "replace")


def _guard(packet: bytes) -> None:
    """Raises `Unreadable` where a packet would cost more than a packet may, before it is built up in memory."""
    depth = count = 0

    def begin(*_: object) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > DEEPEST or count > MOST_ELEMENTS:
            raise Unreadable("no XMP: it has too many elements, or too deep ones")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _refuse_document_type
    guard.StartElementHandler, guard.EndElementHandler = begin, end
    guard.Parse(packet, True)


def _refuse_document_type(*_: object) -> None:
    raise Unreadable("no XMP: it declares a document type")


def fields_of(value: Node) -> Mapping[str, Node]:
    """The fields of a structure in any of its spellings."""
    if isinstance(value, str):
        return {}
    found: dict[str, Node] = dict(value.attrib)
    for child in value:
        if child.tag == DESCRIPTION and value.tag != RDF:
            found.update(fields_of(child))
        else:
            found.setdefault(child.tag, child)
    return found


def items_of(value: Node | None) -> Iterator[Node]:
    """The items of an array; a value that is none is its only item."""
    if value is None:
        return
    if isinstance(value, ET.Element):
        for array in value:
            if array.tag in ARRAYS:
                yield from array.findall(ITEM)
                return
    yield value


def text_of_value(value: Node | None) -> str:
    """The text of a value, in the default language where it has several; empty where there is none."""
    if value is None or isinstance(value, str):
        return value or ""
    for item in items_of(value):  # a text in several languages: the first, which is the default
        if item is not value:
            return text_of_value(item)
    inner = fields_of(value).get(named("rdf", "value"))
    return text_of_value(inner) if inner is not None else (value.text or "")


def number_of(value: Node | None) -> float:
    """The number that a value is, not a number where it is none."""
    try:
        number = float(text_of_value(value))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def without_field(item: ET.Element, name: str) -> ET.Element:
    """Where the fields of a structure stand, without the one of this name, so that another can be put there."""
    inner = item.find(DESCRIPTION)
    holder = item if inner is None else inner
    if inner is None and PARSE_TYPE not in item.attrib:  # attributes and elements do not go together here
        for field, value in [*item.attrib.items()]:
            if not field.startswith(f"{{{NAMESPACES['rdf']}}}"):
                ET.SubElement(item, field).text = value
                del item.attrib[field]
        item.set(PARSE_TYPE, "Resource")
    holder.attrib.pop(name, None)
    for element in holder.findall(name):
        holder.remove(element)
    return holder


def remove_from(root: ET.Element, item: ET.Element) -> None:
    """Take an element out of the tree below `root`."""
    for parent in root.iter():
        if item in list(parent):
            parent.remove(item)
            return
