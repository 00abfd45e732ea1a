"""What a photo and its sidecars say together, and that writing a sidecar neither loses nor brings back anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.background.descriptions import Descriptions
from adapters.files.xmp import Xmp
from adapters.media.embedded_xmp import EmbeddedXmp
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.base.geometry import Box
from domain.events.media import Media
from domain.rules.xmp import Description, Region
from tests.adapters.files.packets import DIGIKAM, description_of, packet, regions

ANN = Region(Box(0.2, 0.15, 0.2, 0.1), "Ann")
SIZE = 4000, 3000


class Photo:
    """One photo on disk, what stands in it, and its sidecar."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "one.jpg"
        self.path.write_bytes(b"pixels")
        self.sidecar = folder / "one.jpg.xmp"
        self.inside: EmbeddedXmp | Unreadable = EmbeddedXmp(None, (), 1)
        self.descriptions = Descriptions(lambda library, path: folder / path, self._embedded)

    def _embedded(self, path: Path) -> EmbeddedXmp:
        assert path == self.path
        if isinstance(self.inside, Unreadable):
            raise self.inside
        return self.inside

    @property
    def media(self) -> Media:
        """The row of a scan that just came by."""
        facts = self.path.stat()
        return Media(1, 1, "one.jpg", b"x" * 32, facts.st_size, facts.st_mtime_ns, "photo", None, True)

    def read(self, size: tuple[int | None, int | None] = SIZE) -> Description:
        """What is said of it."""
        return self.descriptions.read(self.media, *size).description

    def write(self, *keywords: str, faces: tuple[Region, ...] = (), kept: bool = False) -> Description | None:
        """Write these words, with those that are there where asked; what was said before."""
        before_each: list[Description | None] = []

        def say(other: Description | None) -> Description:
            before_each.append(other)
            before = other if kept and other else Description()
            return Description((*before.keywords, *keywords), (*before.regions, *faces))

        self.descriptions.write(self.media, *SIZE, say)
        return before_each[-1]


@pytest.fixture
def photo(tmp_path: Path) -> Photo:
    """A photo of which nothing is said yet."""
    return Photo(tmp_path)


def subject(*words: str) -> bytes:
    """A packet with keywords."""
    return packet("<dc:subject><rdf:Bag>" + "".join(f"<rdf:li>{w}</rdf:li>" for w in words) + "</rdf:Bag></dc:subject>")


def test_keywords_of_file_and_sidecar_count_and_a_face_that_both_mark_is_the_sidecars(photo: Photo) -> None:
    photo.inside = EmbeddedXmp(regions(DIGIKAM.replace("Ann", "Anna") + _far("Bob")), ("Old",), 1)
    photo.sidecar.write_bytes(regions(DIGIKAM))
    description = photo.read()
    assert [region.name for region in description.regions] == ["Ann", "Bob"]
    photo.inside = EmbeddedXmp(subject("Beach"), ("Old",), 1)
    photo.sidecar.write_bytes(subject("Sea"))
    assert photo.read().keywords == ("Sea", "Beach")


def _far(name: str) -> str:
    area = 'stArea:x="0.8" stArea:y="0.8" stArea:w="0.1" stArea:h="0.1"'
    return f'<rdf:li mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area {area}/></rdf:li>'


def test_the_older_keywords_count_where_the_files_xmp_has_none_whatever_the_sidecar_says(photo: Photo) -> None:
    photo.inside = EmbeddedXmp(packet(""), ("Old", "Older"), 1)
    photo.sidecar.write_bytes(subject("Sea"))
    assert photo.read().keywords == ("Sea", "Old", "Older")


def test_what_was_taken_away_does_not_come_back_from_the_file_and_what_is_added_to_it_later_does(photo: Photo) -> None:
    photo.inside = EmbeddedXmp(regions(DIGIKAM), ("Beach",), 1)
    photo.write("Mine")
    assert photo.read() == Description(("Mine",))
    photo.inside = EmbeddedXmp(regions(DIGIKAM + _far("Bob")), ("Beach", "Sea"), 1)
    description = photo.read()
    assert (description.keywords, [region.name for region in description.regions]) == (
        ("Mine", "Beach", "Sea"),
        ["Ann", "Bob"],
    )
    before = photo.write("Mine", kept=True)
    assert before is not None
    assert before.keywords == ("Mine", "Beach", "Sea")
    assert photo.read().keywords == ("Mine", "Beach", "Sea")


def test_a_face_without_a_name_counts_where_imageapi_wrote_it_and_not_where_a_phone_did(photo: Photo) -> None:
    photo.inside = EmbeddedXmp(regions(DIGIKAM.replace("<mwg-rs:Name>Ann</mwg-rs:Name>", "")), (), 1)
    assert photo.read() == Description()
    photo.write(faces=(Region(ANN.box),))
    assert [region.name for region in photo.read().regions] == [""]


def test_a_new_sidecar_begins_with_all_that_the_file_holds_beyond_64_kb_too(photo: Photo) -> None:
    long = packet('<odd:thing xmlns:odd="urn:odd">long</odd:thing>')
    short = packet("", 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="AB" xmp:Rating="4"')
    photo.inside = EmbeddedXmp(short, ("Old",), 1, long)
    photo.write("Mine", kept=True)
    text = photo.sidecar.read_text()
    assert [word in text for word in ('xmp:Rating="4"', ">long<", "Mine", "Old", "HasExtendedXMP")] == [
        *[True] * 4,
        False,
    ]


def test_regions_of_a_picture_that_was_cropped_are_not_taken_into_a_new_sidecar(photo: Photo) -> None:
    photo.inside = EmbeddedXmp(regions(DIGIKAM, (4000, 1000)), (), 1)
    read = photo.descriptions.read(photo.media, *SIZE)
    assert read.problems == ("its XMP: its regions were drawn on a picture of other proportions",)
    photo.write(faces=(ANN,))
    assert [region.name for region in photo.read().regions] == ["Ann"]


def test_a_sidecar_of_a_picture_that_was_cropped_is_left_as_it_is(photo: Photo) -> None:
    photo.sidecar.write_bytes(regions(DIGIKAM, (4000, 1000)))
    with pytest.raises(Unreadable, match="other proportions"):
        photo.write("Mine")
    assert b"Mine" not in photo.sidecar.read_bytes()


def test_without_the_size_of_the_picture_regions_are_left_out_and_told(photo: Photo) -> None:
    photo.sidecar.write_bytes(regions(DIGIKAM))
    read = photo.descriptions.read(photo.media, None, None)
    assert read.description == Description()
    assert read.problems == ("one.jpg.xmp: its regions are left out, as the size of the picture is not known",)


def test_a_photo_that_cannot_be_opened_says_so_and_its_sidecar_counts(photo: Photo) -> None:
    photo.inside = Unreadable("cannot be opened")
    photo.sidecar.write_bytes(subject("Sea"))
    read = photo.descriptions.read(photo.media, *SIZE)
    assert (read.description.keywords, read.problems) == (("Sea",), ("cannot be opened",))


def test_a_folder_where_the_sidecar_would_be_is_told(photo: Photo) -> None:
    photo.sidecar.mkdir()
    assert photo.read() == Description()
    with pytest.raises(Unreadable, match="not a regular file"):
        photo.write("Mine")


def test_a_file_that_changed_or_went_since_its_scan_is_left_for_the_next(photo: Photo) -> None:
    media = photo.media
    os.utime(photo.path, ns=(1, 1))
    with pytest.raises(Unavailable, match="scan first"):
        photo.descriptions.read(media, *SIZE)
    photo.path.unlink()
    with pytest.raises(NotFound):
        photo.descriptions.read(media, *SIZE)


def test_where_there_is_nothing_to_say_no_sidecar_is_made_and_the_file_is_not_opened(photo: Photo) -> None:
    photo.inside = Unreadable("opened")
    assert photo.write() is None
    assert not photo.sidecar.exists()


def test_the_mark_of_what_the_file_said_is_the_only_thing_that_is_added(photo: Photo) -> None:
    photo.write("Mine")
    xmp = Xmp(photo.sidecar.read_bytes())
    assert (xmp.mark is not None, xmp.has_regions) == (True, False)
    assert description_of(photo.sidecar.read_bytes(), None).keywords == ("Mine",)
