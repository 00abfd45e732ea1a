"""What people and their programs wrote about photos, as the tables hold it after a scan of real files."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from adapters.background.keyword_tags import TagsByKeywords
from adapters.background.loops import FollowsLog
from adapters.media.indexing import index_file, index_undecoded
from adapters.media.renditions import rendition_path
from adapters.store.generations import verify
from domain.base.actor import CLI
from domain.commands.libraries import change_library
from domain.commands.tags import tag_contents, untag_contents
from domain.undo.operations import undo
from projections.queries.photo_filter import PhotoFilter
from tests.adapters.media.material import corners
from tests.footage import AAC, H264, footage
from tests.scenarios.conftest import Place

pytestmark = pytest.mark.exiftool


def exiftool(*words: str) -> None:
    """Write into files."""
    subprocess.run(["exiftool", "-q", "-overwrite_original", *words], check=True)


def rows(place: Place) -> dict[str, dict[str, Any]]:
    """What the tables hold of each present file, by path."""
    with place.ledger.reading(CLI) as tables:
        found = [tables.media.row(media.id) for media in place.files().values() if media.present]
    return {row["path"]: dict(row) for row in found if row is not None}


def taken(row: dict[str, Any]) -> tuple[str, int | None, str]:
    """When a file was taken, by which offset in minutes, and who says so."""
    at = datetime.fromtimestamp(row["taken_at"] / 1e6, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}", row["taken_offset"], row["taken_source"]


def shown(place: Place) -> list[str]:
    """The paths of what the timeline shows, by name."""
    with place.ledger.reading(CLI) as tables:
        found, _ = tables.timeline.first_page(PhotoFilter(stacked=True), sort="name", limit=100)
    return [row["path"] for row in found]


def test_the_day_that_xmp_iptc_or_a_png_alone_tells_is_the_day_and_said_to_be_theirs(place: Place) -> None:
    for name, colour in (("xmp", "red"), ("iptc", "green"), ("both", "blue"), ("beside", "teal"), ("day", "pink")):
        place.picture(f"{name}.jpg", colour)
    place.picture("IMG_20100102_030405.jpg", "black")
    Image.new("RGB", (20, 10), "white").save(place.root / "a.png")
    text = PngInfo()
    text.add_text("Creation Time", "Fri, 03 Mar 2017 03:03:03 +0100", zip=True)
    Image.new("RGB", (20, 10), "grey").save(place.root / "rfc.png", pnginfo=text)

    def at(name: str) -> str:
        return str(place.root / name)

    exiftool("-XMP-photoshop:DateCreated=2017:03:03 03:03:03", at("xmp.jpg"), at("both.jpg"), at("beside.jpg"))
    exiftool("-IPTC:DateCreated=2017:03:04", "-IPTC:TimeCreated=04:04:04+02:00", at("iptc.jpg"), at("both.jpg"))
    exiftool("-EXIF:DateTimeOriginal=2017:03:05 05:05:05", "-EXIF:OffsetTime=+01:00", at("both.jpg"))
    exiftool("-XMP-exif:DateTimeOriginal=2017:03:06 06:06:06", "-o", at("beside.jpg.xmp"), at("beside.jpg"))
    exiftool("-XMP-photoshop:DateCreated=1955:07:01", "-EXIF:CreateDate=2019:01:01 01:01:01", at("day.jpg"))
    exiftool("-PNG:CreationTime=2017:03:03 03:03:03", at("a.png"))
    exiftool("-EXIF:ModifyDate=2018:08:08 08:08:08", at("IMG_20100102_030405.jpg"))
    place.scan()
    assert {path: taken(row) for path, row in rows(place).items()} == {
        "xmp.jpg": ("2017-03-03 03:03:03", None, "xmp"),
        "iptc.jpg": ("2017-03-04 04:04:04", 120, "iptc"),
        "both.jpg": ("2017-03-05 05:05:05", 60, "exif"),
        "beside.jpg": ("2017-03-06 06:06:06", None, "sidecar"),
        "day.jpg": ("1955-07-01 00:00:00", None, "xmp"),
        "a.png": ("2017-03-03 03:03:03", None, "png"),
        "rfc.png": ("2017-03-03 03:03:03", 60, "png"),
        "IMG_20100102_030405.jpg": ("2010-01-02 03:04:05", None, "filename"),
    }


def test_a_photo_that_is_renamed_and_rated_in_one_step_has_its_rating(place: Place) -> None:
    place.picture("x.jpg")
    exiftool("-EXIF:DateTimeOriginal=2020:02:03 04:05:06", str(place.root / "x.jpg"))
    place.scan()
    words = ["-FileName<DateTimeOriginal", "-d", "%Y%m%d_%H%M%S.jpg", "-XMP:Rating=4"]
    exiftool(*words, str(place.root / "x.jpg"))
    place.scan()
    assert {path: row["rating"] for path, row in rows(place).items()} == {"20200203_040506.jpg": 4}


def named(place: Place, name: str, facts: dict[str, str]) -> None:
    """A JPEG, whose bytes depend on its name, with facts in it."""
    file = place.root / name
    Image.new("RGB", (64, 48), (len(name) * 9, sum(name.encode()) % 256, 3)).save(file, "JPEG")
    exiftool(*(f"-EXIF:{tag}={value}" for tag, value in facts.items()), str(file))


@pytest.mark.ffmpeg
def test_nothing_stands_behind_a_photo_by_its_name_alone(place: Place) -> None:
    named(place, "IMG_1.JPG", {"DateTimeOriginal": "2024:08:15 12:00:00"})
    named(place, "IMG_2.JPG", {"DateTimeOriginal": "2024:08:15 12:00:00"})
    for name, at in (("IMG_1.MOV", "2024-08-15T10:00:01Z"), ("IMG_2.MOV", "2024-09-01T10:00:00Z")):
        footage(place.root / name, 3, *H264, *AAC, "-metadata", f"creation_time={at}")
    Image.new("RGB", (20, 10), "white").save(place.root / "S.PNG")
    footage(place.root / "S.MOV", 3, *H264, *AAC)
    assert place.scan().in_bursts == 0
    assert shown(place) == ["IMG_1.JPG", "IMG_2.JPG", "IMG_2.MOV", "S.MOV", "S.PNG"]
    assert verify(place.ledger) == []
    (place.root / "IMG_2.MOV").unlink()
    place.scan()
    assert shown(place) == ["IMG_1.JPG", "IMG_2.JPG", "S.MOV", "S.PNG"]
    assert place.scan(full=True).operation_id is None, "there is nothing more to say"


NEW_YORK = ["-metadata", "creation_time=2024-01-01T03:30:00Z", "-metadata", "location=+40.7128-074.0060/"]


@pytest.mark.ffmpeg
def test_a_video_that_knows_only_utc_stands_at_the_time_of_where_it_was_taken(place: Place) -> None:
    named(place, "eve.jpg", {"DateTimeOriginal": "2023:12:31 22:35:00", "OffsetTimeOriginal": "-05:00"})
    footage(place.root / "a.mp4", 1, *H264, *NEW_YORK)
    place.scan()
    found = rows(place)
    assert taken(found["a.mp4"]) == ("2023-12-31 22:30:00", -300, "video")
    assert found["a.mp4"]["offset_source"] == "position"
    assert found["a.mp4"]["taken_at"] < found["eve.jpg"]["taken_at"]


@pytest.mark.ffmpeg
def test_without_a_position_the_nearest_photo_tells_the_offset_of_the_same_folder_first(place: Place) -> None:
    for folder in ("a", "b", "c"):
        (place.root / folder).mkdir()
        utc = "2024-03-01T03:30:00Z" if folder == "c" else "2024-01-01T03:30:00Z"
        footage(place.root / folder / "v.mp4", 1, *H264, "-metadata", f"creation_time={utc}")
    place.scan()
    assert [row["offset_source"] for row in rows(place).values()] == ["utc"] * 3
    named(place, "a/far.jpg", {"DateTimeOriginal": "2023:12:31 20:00:00", "OffsetTimeOriginal": "-05:00"})
    named(place, "near.jpg", {"DateTimeOriginal": "2024:01:01 09:00:00", "OffsetTimeOriginal": "+05:30"})
    named(place, "PXL_20240301_033000000.jpg", {})
    place.scan()
    found = rows(place)
    assert taken(found["a/v.mp4"]) == ("2023-12-31 22:30:00", -300, "video")
    assert taken(found["b/v.mp4"]) == ("2024-01-01 09:00:00", 330, "video")
    assert taken(found["c/v.mp4"]) == ("2024-03-01 03:30:00", 0, "video"), "a name that tells UTC knows no more"
    assert [found[f"{name}/v.mp4"]["offset_source"] for name in "abc"] == ["photos", "photos", "utc"]
    assert verify(place.ledger) == []
    assert place.scan(full=True).operation_id is None
    named(place, "b/here.jpg", {"DateTimeOriginal": "2023:12:31 15:00:00", "OffsetTimeOriginal": "-08:00"})
    place.scan()
    assert taken(rows(place)["b/v.mp4"]) == ("2023-12-31 19:30:00", -480, "video"), "a nearer witness came"


def test_a_picture_that_cannot_be_decoded_keeps_its_facts_and_shows_the_small_one_in_its_exif(place: Place) -> None:
    whole = place.picture("whole.jpg", "red")
    small = place.root.parent / "small.jpg"
    Image.new("RGB", (160, 120), "blue").save(small, "JPEG")
    words = [f"-ThumbnailImage<={small}", "-EXIF:DateTimeOriginal=2020:02:03 04:05:06", "-EXIF:Make=Canon"]
    exiftool(*words, "-XMP:Rating=3", str(whole))
    content = whole.read_bytes()
    Path(place.root / "broken.jpg").write_bytes(
        content[: content.index(b"\xff\xdb", content.rindex(b"http://ns.adobe"))]
    )
    whole.unlink()
    place.scan()
    row = rows(place)["broken.jpg"]
    assert (row["make"], row["rating"], taken(row)) == ("Canon", 3, ("2020-02-03 04:05:06", None, "exif"))
    assert row["problem"].endswith("; shown is the small picture in its EXIF")
    shown_now = place.gallery.rendition(row["content_hash"], "thumb")
    assert shown_now is not None
    with Image.open(shown_now) as picture:
        assert picture.size == (160, 120)
        assert corners(picture) == ["blue"] * 4


def tags(place: Place, path: str) -> list[str]:
    """The tags of a file."""
    with place.ledger.reading(CLI) as tables:
        return [tag.name for tag in tables.tagged.of_content(place.files()[path].content_hash or b"")]


def test_keywords_become_tags_where_the_library_says_so_and_not_against_what_was_decided(place: Place) -> None:
    for name, colour in (("a.jpg", "red"), ("b.jpg", "blue"), ("c.jpg", "teal")):
        exiftool("-XMP-dc:Subject=Sea", "-IPTC:Keywords=Old", str(place.picture(name, colour)))
    place.scan()
    policy = TagsByKeywords(place.ledger)
    follower = FollowsLog(place.ledger, "keywords", policy.TOPICS, policy.answer)
    follower.step()
    assert tags(place, "a.jpg") == []
    with place.ledger.transaction(CLI) as uow:
        tag_contents(uow, [place.files()["b.jpg"].content_hash or b""], "sea")
        untag_contents(uow, [place.files()["b.jpg"].content_hash or b""], "sea")
    with place.ledger.transaction(CLI) as uow:
        change_library(uow, place.library.id, keywords_as_tags=True)
    follower.step()
    assert [tags(place, f"{name}.jpg") for name in "abc"] == [["sea"], [], ["sea"]], "what was taken off stays off"
    with place.ledger.reading(CLI) as tables:
        operation = tables.operations.latest(1)[0]
    assert operation.text == "made tags of the keywords in 2 files: 2 tags put on"
    with place.ledger.transaction(CLI) as uow:
        undo(uow, operation.id)
    assert tags(place, "a.jpg") == []
    exiftool("-XMP-dc:Subject=Hill", str(place.picture("d.jpg", "pink")))
    place.scan()
    follower.step()
    assert (tags(place, "d.jpg"), tags(place, "a.jpg")) == (["Hill"], [])
    head = place.ledger.head()
    FollowsLog(place.ledger, "again", policy.TOPICS, policy.answer).step()
    assert place.ledger.head() == head, "what was undone is not done again, nor anything twice"


def test_a_picture_that_a_decoder_can_read_by_now_takes_the_place_of_the_small_one(place: Place) -> None:
    path = place.picture("a.jpg", "red")
    small = place.root.parent / "small.jpg"
    Image.new("RGB", (160, 120), "blue").save(small, "JPEG")
    exiftool(f"-ThumbnailImage<={small}", str(path))
    root = str(place.root.parent / "renditions")
    hung = index_undecoded(bytes(path), root, "photo", "it took too long")
    assert (hung.problem, hung.width) == ("it took too long; shown is the small picture in its EXIF", 160)
    read = index_file(bytes(path), root, "photo")
    assert (read.problem, read.width) == (None, 64)
    with Image.open(rendition_path(root, read.content_hash or b"", "thumb")) as picture:
        assert corners(picture) == ["red"] * 4
