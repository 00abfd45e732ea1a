"""XMP: keywords and face regions read out of a packet, and said in one without losing what else it holds."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.files.regions import (
    DRAWN_ON,
    LIST,
    MICROSOFT,
    REGIONS,
    Stored,
    change,
    change_microsoft,
    drawn_on,
    faces,
    listed,
    marked,
    meant_by,
    microsoft,
    new_item,
    orientation_of_regions,
)
from adapters.xmp.rdf import (
    ABOUT,
    ARRAYS,
    BAG,
    DESCRIPTION,
    ITEM,
    PARSE_TYPE,
    RDF,
    Node,
    fields_of,
    named,
    parsed,
    remove_from,
    text_of_value,
)
from adapters.xmp.words import HIERARCHIES, SUBJECT, keywords_of, leaf_of
from domain.base.errors import Unreadable
from domain.base.names import name_key
from domain.rules.xmp import Description, Region

_MARK: Final = named("imageapi", "Seen")
_EXTENDED: Final = named("xmpNote", "HasExtendedXMP")
_LISTS: Final = (SUBJECT, REGIONS, MICROSOFT, *(name for name, _ in HIERARCHIES))
"""Properties that say nothing without an item."""


class OfAnotherPicture(Unreadable):
    """Regions that cannot be placed: they were drawn before the picture was cropped. `description` is the rest."""

    def __init__(self, description: Description) -> None:
        super().__init__("its regions were drawn on a picture of other proportions")
        self.description = description


class Xmp:
    """A packet of XMP."""

    def __init__(self, packet: bytes | None = None) -> None:
        """Parse a packet; None makes an empty one.

        Raises:
            Unreadable: this is no XMP; the text says why.
        """
        if packet is None:
            self._root = ET.Element(named("x", "xmpmeta"))
            ET.SubElement(self._root, RDF)
        else:
            self._root = parsed(packet)
        rdf = self._root if self._root.tag == RDF else self._root.find(f".//{RDF}")
        if rdf is None:
            raise Unreadable("no XMP: it holds no rdf:RDF")
        self._rdf = rdf

    @property
    def mark(self) -> str | None:
        """What imageapi noted when it wrote this: which words of the photo's own file are in it already."""
        value = self._properties().get(_MARK)
        return text_of_value(value) if value is not None else None

    @property
    def has_regions(self) -> bool:
        """Whether anybody marked anything on the picture."""
        return bool({REGIONS, MICROSOFT} & set(self._properties()))

    def description(self, stored: Stored | None) -> Description:
        """Its keywords and face regions. Regions need to know how the picture is `stored`; None leaves them out.

        A keyword within a hierarchy counts by its last part. Regions of other things than faces are left out.

        Raises:
            OfAnotherPicture: the regions were drawn on a picture of other proportions. What it says besides is in the
                error.
        """
        properties = self._properties()
        found = keywords_of(properties)
        if stored is None:
            return Description(found)
        if listed(properties) and orientation_of_regions(drawn_on(properties), stored) is None:
            raise OfAnotherPicture(Description(found))
        return Description(found, tuple(region for _, region in faces(properties, stored)))

    def add(self, extension: bytes) -> None:
        """Add what a JPEG holds beyond the 64 KB of its first packet.

        Raises:
            Unreadable: that is no XMP.
        """
        self._rdf.extend(parsed(extension).findall(f".//{RDF}/{DESCRIPTION}"))

    def forget_regions(self) -> None:
        """Take the regions out: they are those of another picture."""
        for description in self._rdf.findall(DESCRIPTION):
            for element in [*description.findall(REGIONS), *description.findall(MICROSOFT)]:
                description.remove(element)

    def say(self, wanted: Description, stored: Stored | None, mark: str) -> bytes:
        """The packet with just these keywords and faces, and all else that it held: what it says of a face that stays
        is changed no further than its name and place. The same input gives the same bytes."""
        for description in self._rdf.findall(DESCRIPTION):
            description.attrib.pop(_MARK, None)
            description.attrib.pop(_EXTENDED, None)
            for element in description.findall(_EXTENDED):
                description.remove(element)
        self._say_keywords(wanted.keywords)
        if stored is not None:
            self._say_faces(wanted.regions, stored)
        for description in self._rdf.findall(DESCRIPTION):
            for element in [*description]:
                if element.tag in _LISTS and element.find(f".//{ITEM}") is None:
                    description.remove(element)
            if not len(description) and set(description.attrib) <= {ABOUT}:
                self._rdf.remove(description)
        ET.SubElement(self._rdf, DESCRIPTION, {ABOUT: "", _MARK: mark})
        ET.indent(self._root)
        text = ET.tostring(self._root, encoding="unicode")
        return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{text}\n<?xpacket end="w"?>\n'.encode()

    def _properties(self) -> Mapping[str, Node]:
        """Every property of the packet by its name, the first of a name."""
        found: dict[str, Node] = {}
        for description in self._rdf.findall(DESCRIPTION):
            for name, value in fields_of(description).items():
                found.setdefault(name, value)
        return found

    def _say_keywords(self, keywords: Sequence[str]) -> None:
        wanted = set(map(name_key, keywords))
        subject: ET.Element | None = None
        for description in self._rdf.findall(DESCRIPTION):
            description.attrib.pop(SUBJECT, None)
            for element in description.findall(SUBJECT):
                if subject is None:
                    subject = element  # new keywords stand where the old ones stood
                    subject.clear()
                else:
                    description.remove(element)
            for name, separator in HIERARCHIES:
                for array in (bag for element in description.findall(name) for bag in element if bag.tag in ARRAYS):
                    for item in array.findall(ITEM):
                        if name_key(leaf_of(item, separator)) not in wanted:
                            array.remove(item)
        if keywords:
            bag = ET.SubElement(ET.SubElement(self._new(), SUBJECT) if subject is None else subject, BAG)
            for word in keywords:
                ET.SubElement(bag, ITEM).text = word

    def _say_faces(self, regions: Sequence[Region], stored: Stored) -> None:
        properties = self._properties()
        orientation = orientation_of_regions(drawn_on(properties), stored) or stored.orientation
        left = list(regions)
        for item, region in [*marked(properties, stored)]:
            meant = meant_by(region, left)
            if meant is None:
                remove_from(self._root, item)
            else:
                left.remove(meant)
                change(item, region, meant, orientation)
        for item, region in [*microsoft(properties, stored)]:
            meant = meant_by(region, regions)
            if meant is None:
                remove_from(self._root, item)
            else:
                change_microsoft(item, region, meant, stored.orientation)
        if left:
            self._list(properties, stored).extend(new_item(region, orientation) for region in left)

    def _list(self, properties: Mapping[str, Node], stored: Stored) -> ET.Element:
        """The array of regions, made where there is none."""
        info = properties.get(REGIONS)
        if not isinstance(info, ET.Element):
            info = ET.SubElement(self._new(), REGIONS, {PARSE_TYPE: "Resource"})
        holder = info if (inner := info.find(DESCRIPTION)) is None else inner
        if not all(size > 0 for size in drawn_on(properties)):
            for element in holder.findall(DRAWN_ON):
                holder.remove(element)
            size = {"w": str(stored.width), "h": str(stored.height), "unit": "pixel"}
            ET.SubElement(holder, DRAWN_ON, {named("stDim", name): value for name, value in size.items()})
        listed = holder.find(LIST)
        listed = ET.SubElement(holder, LIST) if listed is None else listed
        array = next((each for each in listed if each.tag in ARRAYS), None)
        return ET.SubElement(listed, BAG) if array is None else array

    def _new(self) -> ET.Element:
        return ET.SubElement(self._rdf, DESCRIPTION, {ABOUT: ""})
