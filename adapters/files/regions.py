"""The regions of faces in XMP: those of the Metadata Working Group (mwg-rs; Lightroom, digiKam and Picasa write them)
and Microsoft's (MP).

Both are relative to the picture as it is stored, before its EXIF orientation is applied, so who reads or writes them
says how the picture is stored.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from adapters.xmp.rdf import ITEM, PARSE_TYPE, Node, fields_of, items_of, named, number_of, text_of_value, without_field
from domain.base.geometry import Box, clamped, intersection_over_union
from domain.rules.face_pairing import DRAWN_FACE_IOU
from domain.rules.xmp import Region

MOST_REGIONS: Final = 1000
"""How many of one photo are taken over; those beyond are kept where they are."""
ASPECT_TOLERANCE: Final = 0.03
"""By how much the proportions of the picture that regions were drawn on may differ from this one's: more than rounding,
less than any crop."""

REGIONS, LIST, DRAWN_ON = (named("mwg-rs", name) for name in ("Regions", "RegionList", "AppliedToDimensions"))
MICROSOFT = named("MP", "RegionInfo")
_NAME, _TYPE, _AREA = (named("mwg-rs", name) for name in ("Name", "Type", "Area"))
_MICROSOFT_LIST = named("MPRI", "Regions")
_RECTANGLE, _PERSON = named("MPReg", "Rectangle"), named("MPReg", "PersonDisplayName")

Area = tuple[float, float, float, float]
"""The middle of a rectangle, its width and its height."""


class Stored(msgspec.Struct, frozen=True):
    """How a picture lies in its file: `width` and `height` in pixels before `orientation` (EXIF, 1 to 8) is applied."""

    width: int
    height: int
    orientation: int


def drawn_on(properties: Mapping[str, Node]) -> tuple[float, float]:
    """Width and height of the picture that regions were drawn on, not a number where that is not said."""
    size = fields_of(fields_of(properties.get(REGIONS, "")).get(DRAWN_ON, ""))
    return number_of(size.get(named("stDim", "w"))), number_of(size.get(named("stDim", "h")))


def listed(properties: Mapping[str, Node]) -> list[ET.Element]:
    """The items of the list of the Metadata Working Group, of faces and of other things."""
    items = items_of(fields_of(properties.get(REGIONS, "")).get(LIST))
    return [item for item in items if isinstance(item, ET.Element)]


def faces(properties: Mapping[str, Node], stored: Stored) -> Iterator[tuple[ET.Element, Region]]:
    """The regions of faces, each with the item that says so."""
    yield from marked(properties, stored) if listed(properties) else microsoft(properties, stored)


def marked(properties: Mapping[str, Node], stored: Stored) -> Iterator[tuple[ET.Element, Region]]:
    """The faces in the list of the Metadata Working Group."""
    size = drawn_on(properties)
    orientation = orientation_of_regions(size, stored) or stored.orientation
    for item in listed(properties):
        fields = fields_of(item)
        kind, name = text_of_value(fields.get(_TYPE)), text_of_value(fields.get(_NAME))
        box = _box(_area(fields_of(fields.get(_AREA, "")), size), orientation)
        if box is not None and (kind.casefold() == "face" or (not kind and name.strip())):
            yield item, Region(box, name.strip())


def microsoft(properties: Mapping[str, Node], stored: Stored) -> Iterator[tuple[ET.Element, Region]]:
    """The faces in Microsoft's list that have a place."""
    for item in items_of(fields_of(properties.get(MICROSOFT, "")).get(_MICROSOFT_LIST)):
        fields = fields_of(item)
        parts = [number_of(part) for part in text_of_value(fields.get(_RECTANGLE)).split(",")]
        if len(parts) == 4 and isinstance(item, ET.Element):
            left, top, width, height = parts
            box = _box((left + width / 2, top + height / 2, width, height), stored.orientation)
            if box is not None:
                yield item, Region(box, text_of_value(fields.get(_PERSON)).strip())


def _area(fields: Mapping[str, Node], size: tuple[float, float]) -> Area:
    x, y, w, h = (number_of(fields.get(named("stArea", name))) for name in ("x", "y", "w", "h"))
    if text_of_value(fields.get(named("stArea", "unit"))).casefold() == "pixel":
        across, down = (side if side > 0 else math.nan for side in size)
        return x / across, y / down, w / across, h / down
    return x, y, w, h


def orientation_of_regions(size: tuple[float, float], stored: Stored) -> int | None:
    """The orientation to apply to regions that were drawn on a picture of this size, None where it was another picture.

    Some programs apply the orientation to the regions too; where it swaps the sides, the size tells.
    """
    width, height = size
    if not (width > 0 and height > 0):
        return stored.orientation
    if _is_like(width * stored.height, height * stored.width):
        return stored.orientation
    swapped = stored.orientation >= 5 and _is_like(width * stored.width, height * stored.height)
    return 1 if swapped else None


def _is_like(one: float, other: float) -> bool:
    return abs(one - other) <= ASPECT_TOLERANCE * min(one, other)


def _box(area: Area, orientation: int) -> Box | None:
    """The box on the upright picture of an area of the stored one; None where there can be none."""
    if any(math.isnan(number) for number in area):
        return None
    x, y, w, h = turned(area, orientation)
    box = clamped(Box(x - w / 2, y - h / 2, w, h))
    return box if box.w > 0 and box.h > 0 else None


def turned(area: Area, orientation: int) -> Area:
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


def meant_by(region: Region, wanted: Sequence[Region]) -> Region | None:
    """The region of `wanted` that an older one becomes: itself, else the one that shows the same face."""
    if region in wanted:
        return region
    best = max(wanted, key=lambda each: intersection_over_union(region.box, each.box), default=None)
    if best is None or intersection_over_union(region.box, best.box) <= DRAWN_FACE_IOU:
        return None
    return best


def change(item: ET.Element, was: Region, meant: Region, orientation: int) -> None:
    """Say another name or place in an item, and leave all else that it says."""
    if was.name != meant.name:
        holder = without_field(item, _NAME)
        if meant.name:
            ET.SubElement(holder, _NAME).text = meant.name
    if was.box != meant.box:
        without_field(item, _AREA).append(_area_of(meant, orientation))


def change_microsoft(item: ET.Element, was: Region, meant: Region, orientation: int) -> None:
    """As `change`, in an item of Microsoft's list."""
    if was.name != meant.name:
        ET.SubElement(without_field(item, _PERSON), _PERSON).text = meant.name
    if was.box != meant.box:
        x, y, w, h = _on_stored(meant, orientation)
        text = f"{x - w / 2:.6f}, {y - h / 2:.6f}, {w:.6f}, {h:.6f}"
        ET.SubElement(without_field(item, _RECTANGLE), _RECTANGLE).text = text


def new_item(region: Region, orientation: int) -> ET.Element:
    """An item for a face."""
    item = ET.Element(ITEM, {PARSE_TYPE: "Resource"})
    if region.name:
        ET.SubElement(item, _NAME).text = region.name
    ET.SubElement(item, _TYPE).text = "Face"
    item.append(_area_of(region, orientation))
    return item


def _area_of(region: Region, orientation: int) -> ET.Element:
    x, y, w, h = _on_stored(region, orientation)
    area = {"x": f"{x:.6f}", "y": f"{y:.6f}", "w": f"{w:.6f}", "h": f"{h:.6f}", "unit": "normalized"}
    return ET.Element(_AREA, {named("stArea", name): value for name, value in area.items()})


def _on_stored(region: Region, orientation: int) -> Area:
    box = region.box
    back = {6: 8, 8: 6}.get(orientation, orientation)
    return turned((box.x + box.w / 2, box.y + box.h / 2, box.w, box.h), back)
