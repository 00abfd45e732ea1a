"""XMP is read in every spelling that programs use, refused where it is hostile, and written without losing a word."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.regions import Stored, turned
from adapters.files.xmp import OfAnotherPicture, Xmp
from adapters.xmp.rdf import LARGEST_PACKET
from domain.base.errors import Unreadable
from domain.base.geometry import Box
from domain.rules.xmp import Description, Region
from tests.adapters.files.packets import AREA, DIGIKAM, description_of, packet, regions

LANDSCAPE, ON_ITS_SIDE = Stored(4000, 3000, 1), Stored(4000, 3000, 6)


def written(
    older: bytes | None, keywords: Iterable[str], regions: Iterable[Region], stored: Stored | None, mark: str = "m"
) -> bytes:
    """A packet that says this, and what an older one held besides."""
    return Xmp(older).say(Description(tuple(keywords), tuple(regions)), stored, mark)


LIGHTROOM = """<rdf:li><rdf:Description mwg-rs:Rotation="0.0" mwg-rs:Name="Ann" mwg-rs:Type="Face">
 <mwg-rs:Area stArea:h="0.1" stArea:w="0.2" stArea:x="0.3" stArea:y="0.2"/></rdf:Description></rdf:li>"""
PICASA = """<rdf:li rdf:parseType="Resource"><mwg-rs:Name> Ann </mwg-rs:Name><mwg-rs:Type>face</mwg-rs:Type>
 <mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.3</stArea:x><stArea:y>0.2</stArea:y><stArea:w>0.2</stArea:w>
 <stArea:h>0.1</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area></rdf:li>"""
PIXELS = """<rdf:li mwg-rs:Name="Ann" mwg-rs:Type="Face" ><mwg-rs:Area stArea:x="1200" stArea:y="600" stArea:w="800"
 stArea:h="300" stArea:unit="pixel"/></rdf:li>"""
IN_LANGUAGES = f"""<rdf:li rdf:parseType="Resource"><mwg-rs:Name><rdf:Alt><rdf:li xml:lang="x-default">Ann</rdf:li>
 </rdf:Alt></mwg-rs:Name><mwg-rs:Area {AREA}/></rdf:li>"""


def near(found: Box, x: float, y: float, w: float, h: float) -> bool:
    """Whether a box is this one."""
    return all(abs(a - b) < 1e-6 for a, b in zip((found.x, found.y, found.w, found.h), (x, y, w, h), strict=True))


@pytest.mark.parametrize("spelling", [LIGHTROOM, DIGIKAM, PICASA, PIXELS, IN_LANGUAGES])
def test_a_region_is_read_in_the_spelling_of_each_program(spelling: str) -> None:
    (region,) = description_of(regions(spelling), LANDSCAPE).regions
    assert region.name == "Ann"
    assert near(region.box, 0.2, 0.15, 0.2, 0.1)


def test_the_regions_of_microsoft_are_read_where_there_are_no_others() -> None:
    theirs = """<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>
     <rdf:li><rdf:Description MPReg:Rectangle="0.2, 0.15, 0.2, 0.1" MPReg:PersonDisplayName="Ann"/></rdf:li>
     <rdf:li MPReg:Rectangle="0.5, nonsense" MPReg:PersonDisplayName="Bob"/></rdf:Bag></MPRI:Regions>
     </rdf:Description></MP:RegionInfo>"""
    (region,) = description_of(packet(theirs), LANDSCAPE).regions
    assert (region.name, near(region.box, 0.2, 0.15, 0.2, 0.1)) == ("Ann", True)


def test_pets_and_focus_points_are_no_faces_and_a_face_may_have_no_name() -> None:
    pet = f'<rdf:li mwg-rs:Name="Bo" mwg-rs:Type="Pet"><mwg-rs:Area {AREA}/></rdf:li>'
    point = '<rdf:li mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.3" stArea:y="0.2"/></rdf:li>'
    nameless = f'<rdf:li mwg-rs:Type="Face"><mwg-rs:Area {AREA}/></rdf:li>'
    assert [r.name for r in description_of(regions(pet + point + nameless), LANDSCAPE).regions] == [""]


@pytest.mark.parametrize("area", ["nan 0 1 1", "5 5 1 1", "1e999 0 1 1", "0.5 0.5 -1 1", "0.5 0.5 1 "])
def test_a_region_that_cannot_be_is_left_out(area: str) -> None:
    numbers = " ".join(f'stArea:{name}="{number}"' for name, number in zip("xywh", area.split(" "), strict=True))
    item = f'<rdf:li mwg-rs:Name="Ann" mwg-rs:Type="Face"><mwg-rs:Area {numbers}/></rdf:li>'
    assert description_of(regions(item), LANDSCAPE).regions == ()


def test_a_region_of_a_picture_that_is_stored_on_its_side_is_turned_with_it() -> None:
    (region,) = description_of(regions(DIGIKAM), ON_ITS_SIDE).regions
    assert near(region.box, 1 - 0.25, 0.2, 0.1, 0.2)


def test_a_region_that_was_turned_already_is_known_by_the_size_of_its_picture() -> None:
    (region,) = description_of(regions(DIGIKAM, (1500, 2000)), ON_ITS_SIDE).regions
    assert near(region.box, 0.2, 0.15, 0.2, 0.1)


def test_regions_of_a_picture_that_was_cropped_since_are_told_and_its_keywords_count() -> None:
    cropped = regions(DIGIKAM, (4000, 2000)).replace(
        b"<mwg-rs:Regions", b"<dc:subject><rdf:Bag><rdf:li>Beach</rdf:li></rdf:Bag></dc:subject><mwg-rs:Regions"
    )
    with pytest.raises(OfAnotherPicture, match="other proportions") as refused:
        description_of(cropped, LANDSCAPE)
    assert refused.value.description == Description(("Beach",))
    assert description_of(cropped, None) == Description(("Beach",))


def test_keywords_come_from_the_subject_and_from_hierarchies_by_their_last_part() -> None:
    wanted = packet(
        """<dc:subject><rdf:Bag><rdf:li>Beach</rdf:li><rdf:li> Ann </rdf:li><rdf:li/></rdf:Bag></dc:subject>
        <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Sea|Beach</rdf:li></rdf:Bag></lr:hierarchicalSubject>
        <digiKam:TagsList><rdf:Seq><rdf:li>People/Bob</rdf:li></rdf:Seq></digiKam:TagsList>"""
    )
    assert description_of(wanted, None).keywords == ("Beach", "Ann", "Bob")


def test_a_single_keyword_without_a_list_counts() -> None:
    assert description_of(packet("", 'dc:subject="Beach"'), None).keywords == ("Beach",)


@pytest.mark.parametrize(
    "hostile",
    [
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
    ],
)
def test_a_document_type_is_refused_in_any_encoding(hostile: bytes) -> None:
    with pytest.raises(Unreadable, match="document type"):
        description_of(hostile, None)


@pytest.mark.parametrize(
    "costly",
    [
        b"<a>" * 101 + b"</a>" * 101,
        packet("<rdf:Bag><rdf:li>" * 2000 + "</rdf:li></rdf:Bag>" * 2000),
        b"<a>" + b"<b/>" * 200_001 + b"</a>",
    ],
)
def test_what_would_cost_too_much_is_refused_before_it_does(costly: bytes) -> None:
    with pytest.raises(Unreadable, match="too many elements, or too deep"):
        description_of(costly, LANDSCAPE)


@pytest.mark.parametrize("size", [(0, 0), (1e-320, 1e300), (-1, 5)])
def test_a_size_that_cannot_be_places_no_pixel(size: tuple[float, float]) -> None:
    odd = regions(PIXELS).replace(b'stDim:w="4000" stDim:h="3000"', f'stDim:w="{size[0]}" stDim:h="{size[1]}"'.encode())
    try:
        assert description_of(odd, LANDSCAPE).regions == ()
    except OfAnotherPicture:
        assert size == (1e-320, 1e300)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_every_encoding_of_xmp_is_read(encoding: str) -> None:
    text = packet("<dc:subject>Straße</dc:subject>").decode()
    assert description_of(text.encode(encoding), None).keywords == ("Straße",)


def test_an_empty_list_of_another_picture_is_no_trouble() -> None:
    assert description_of(regions("", (4000, 100)), LANDSCAPE) == Description()


def test_what_is_said_of_a_face_that_stays_is_changed_no_further_than_its_name_and_place() -> None:
    area = 'stArea:x="0.8" stArea:y="0.8" stArea:d="0.1"'
    circle = f'<rdf:li mwg-rs:Name="Cid" mwg-rs:Type="Face"><mwg-rs:Area {area}/></rdf:li>'
    more = LIGHTROOM.replace('mwg-rs:Type="Face"', 'mwg-rs:Type="Face" mwg-rs:Description="at the lake"')
    older = regions(more + circle, (400, 300))
    (was,) = description_of(older, LANDSCAPE).regions
    for meant in (was, Region(was.box, "Anna"), Region(Box(0.21, 0.16, 0.2, 0.1), "Ann")):
        text = written(older, [], [meant], LANDSCAPE)
        (now,) = description_of(text, LANDSCAPE).regions
        assert (now.name, near(now.box, meant.box.x, meant.box.y, 0.2, 0.1)) == (meant.name, True)
        for kept in (b"at the lake", b"Rotation", b"Cid", b'stArea:d="0.1"', b'stDim:w="400"'):
            assert kept in text
    gone = written(older, [], [], LANDSCAPE)
    assert (b"at the lake" in gone, b"Cid" in gone) == (False, True)


def test_a_list_of_regions_that_was_turned_already_goes_on_so() -> None:
    older = regions(DIGIKAM, (1500, 2000))
    wanted = [*description_of(older, ON_ITS_SIDE).regions, Region(Box(0.7, 0.7, 0.1, 0.2), "Bob")]
    text = written(older, [], wanted, ON_ITS_SIDE)
    assert b'stDim:w="1500"' in text
    for found, meant in zip(description_of(text, ON_ITS_SIDE).regions, wanted, strict=True):
        assert near(found.box, meant.box.x, meant.box.y, meant.box.w, meant.box.h)


def test_microsofts_list_follows_a_new_name_and_keeps_who_has_no_place() -> None:
    theirs = packet(
        """<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
        <rdf:li MPReg:Rectangle="0.2, 0.15, 0.2, 0.1" MPReg:PersonDisplayName="Ann" MPReg:PersonEmailDigest="AB"/>
        <rdf:li MPReg:PersonDisplayName="Zoe"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>"""
    )
    (ann,) = description_of(theirs, LANDSCAPE).regions
    text = written(theirs, [], [Region(ann.box, "Anna")], LANDSCAPE).decode()
    assert [word in text for word in ("Anna", ">Ann<", "AB", "Zoe")] == [True, False, True, True]
    assert [region.name for region in description_of(text.encode(), LANDSCAPE).regions] == ["Anna"]
    text = written(theirs, [], [], LANDSCAPE).decode()
    assert [word in text for word in ("Ann", "Zoe")] == [False, True]


def test_hierarchies_keep_what_is_still_a_keyword() -> None:
    older = packet(
        "<lr:hierarchicalSubject><rdf:Bag><rdf:li>People|Ann</rdf:li><rdf:li>Sea|Beach</rdf:li></rdf:Bag>"
        "</lr:hierarchicalSubject>"
    )
    text = written(older, ["ann"], [], None).decode()
    assert ("People|Ann" in text, "Beach" in text) == (True, False)
    assert "hierarchical" not in written(older, [], [], None).decode()


@pytest.mark.parametrize("broken", [b"", b"not xml", b"<a>", b"\xff\xfe\x00", packet("")[:-20], b"<a/>" * 2])
def test_what_is_no_xmp_is_unreadable_with_its_reason(broken: bytes) -> None:
    with pytest.raises(Unreadable, match="no XMP"):
        description_of(broken, None)


def test_a_packet_of_any_size_is_not_read() -> None:
    with pytest.raises(Unreadable, match="8 MB"):
        description_of(b" " * (LARGEST_PACKET + 1), None)


def test_a_packet_padded_with_zeros_and_white_space_is_read() -> None:
    assert description_of(b"\n" + packet("") + b"   \n\0\0", None) == Description()


@given(
    st.integers(1, 8),
    st.lists(
        st.builds(
            Region,
            st.builds(Box, st.floats(0, 0.6), st.floats(0, 0.6), st.floats(0.01, 0.4), st.floats(0.01, 0.4)),
            st.text("abcäß <&>'\"", max_size=5).map(str.strip),
        ),
        max_size=4,
    ),
    st.lists(st.text("abcäß <&>'\"|/", min_size=1, max_size=5).map(str.strip).filter(bool), unique=True, max_size=4),
)
def test_what_is_written_is_read_back_however_the_picture_is_stored(
    orientation: int, wanted: list[Region], keywords: list[str]
) -> None:
    stored = Stored(4000, 3000, orientation)
    found = description_of(written(None, keywords, wanted, stored), stored)
    assert found.keywords == tuple(keywords)
    assert [region.name for region in found.regions] == [region.name for region in wanted]
    for region, meant in zip(found.regions, wanted, strict=True):
        box = meant.box
        assert all(
            abs(a - b) < 1e-5
            for a, b in zip(
                (region.box.x, region.box.y, region.box.w, region.box.h), (box.x, box.y, box.w, box.h), strict=True
            )
        )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_there_and_back_comes_to_nothing(orientation: int) -> None:
    back = {6: 8, 8: 6}.get(orientation, orientation)
    there = turned((0.3, 0.2, 0.2, 0.1), orientation)
    assert turned(there, back) == pytest.approx((0.3, 0.2, 0.2, 0.1))


def test_all_else_that_a_sidecar_holds_is_kept() -> None:
    pet = f'<rdf:li mwg-rs:Name="Bo" mwg-rs:Type="Pet"><mwg-rs:Area {AREA}/></rdf:li>'
    older = (
        regions(DIGIKAM + pet)
        .replace(
            b"<mwg-rs:Regions",
            b'<odd:thing odd:with="words">kept</odd:thing>'
            b"<dc:subject><rdf:Bag><rdf:li>Old</rdf:li></rdf:Bag></dc:subject>"
            b"<mwg-rs:Regions",
        )
        .replace(b'rdf:about=""', b'rdf:about="" xmp:Rating="4"')
    )
    text = written(older, ["New"], [Region(Box(0.1, 0.1, 0.2, 0.2), "Eve")], LANDSCAPE).decode()
    for kept in ("urn:odd", "words", ">kept<", 'xmp:Rating="4"', "Bo", "Pet", "New", "Eve"):
        assert kept in text
    for gone in ("Old", ">Ann<"):
        assert gone not in text
    assert written(text.encode(), ["New"], [Region(Box(0.1, 0.1, 0.2, 0.2), "Eve")], LANDSCAPE).decode() == text


def test_saying_the_same_again_changes_nothing() -> None:
    wanted = ["New"], [Region(Box(0.1, 0.1, 0.2, 0.2), "Eve")], LANDSCAPE
    for older in (None, packet("", 'xmp:Rating="4"'), regions(DIGIKAM)):
        once = written(older, *wanted)
        assert written(once, *wanted) == once


def test_where_nothing_is_left_to_say_the_rest_stays() -> None:
    older = regions(DIGIKAM).replace(b'rdf:about=""', b'rdf:about="" xmp:Rating="4"')
    text = written(older, [], [], LANDSCAPE).decode()
    assert ("Ann" in text, 'xmp:Rating="4"' in text, "mwg-rs:Regions" in text) == (False, True, False)


def test_without_a_picture_the_regions_of_a_sidecar_are_left_alone() -> None:
    assert b"Ann" in written(regions(DIGIKAM), ["Beach"], [], None)


def test_nothing_is_written_into_what_is_no_xmp() -> None:
    for other in (b"not xml", b"<svg/>"):
        with pytest.raises(Unreadable, match="no XMP"):
            written(other, ["Beach"], [], None)


@pytest.mark.exiftool
def test_exiftool_reads_every_keyword_and_region_that_is_written(tmp_path: Path) -> None:
    wanted = [Region(Box(0.125, 0.25, 0.5, 0.25), 'Zoë "Z" <b>'), Region(Box(0, 0, 0.1, 0.1))]
    file = tmp_path / "photo.jpg.xmp"
    file.write_bytes(written(None, ["Straße", "a & b"], wanted, LANDSCAPE))
    read_back = json.loads(
        subprocess.run(["exiftool", "-json", "-struct", "-G1", file], capture_output=True, check=True).stdout
    )[0]
    assert read_back["XMP-dc:Subject"] == ["Straße", "a & b"]
    info: dict[str, Any] = read_back["XMP-mwg-rs:RegionInfo"]
    assert info["AppliedToDimensions"] == {"W": 4000, "H": 3000, "Unit": "pixel"}
    first, second = info["RegionList"]
    assert (first["Name"], first["Type"], "Name" in second) == ('Zoë "Z" <b>', "Face", False)
    assert {key: float(first["Area"][key]) for key in "XYWH"} == {"X": 0.375, "Y": 0.375, "W": 0.5, "H": 0.25}
