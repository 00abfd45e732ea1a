"""A RAW shows the picture that its camera put into it, upright, wherever its format keeps that; else what can be
made."""

from __future__ import annotations

import io
import os
import random
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from adapters.media import programs, raw, raw_pictures
from adapters.media.indexing import IndexedFile, index_file
from adapters.media.magic import kind_of_format, raw_format_of
from adapters.media.opening import open_photo
from adapters.media.raw import LEAST, embedded_jpegs, sensor_size
from adapters.media.raw_pictures import RawPicture
from adapters.media.renditions import rendition_path
from domain.base.errors import NotInTime
from tests.adapters.media import raws
from tests.adapters.media.material import QUARTERS, STORED_BY, corners, encoded, put, quarters, scene
from tests.adapters.media.raws import BUILDERS, HEIGHT, PREVIEW, WIDTH


def indexed(folder: Path, content: bytes, name: str = "a.raw") -> IndexedFile:
    """Write a file and index it."""
    return index_file(put(folder, name, content), str(folder / "renditions"), "photo")


def preview(folder: Path, file: IndexedFile) -> Image.Image:
    """The preview that was made of a file."""
    assert file.content_hash is not None
    path = rendition_path(str(folder / "renditions"), file.content_hash, "preview")
    return Image.open(io.BytesIO(Path(path).read_bytes()))


def stored(orientation: int, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """`quarters` as a camera with this orientation stores it, of this size as stored."""
    upright = quarters(height, width) if orientation >= 5 else quarters(width, height)
    for step in STORED_BY[orientation]:
        upright = upright.transpose(step)
    return upright


@pytest.mark.parametrize("name", BUILDERS)
def test_a_raw_of_every_format_shows_its_largest_picture_and_tells_its_size(tmp_path: Path, name: str) -> None:
    content = BUILDERS[name](PREVIEW, 1)
    file = indexed(tmp_path, content, f"a.{name}")
    assert (file.kind, file.format, file.problem, file.has_renditions) == ("photo", name, None, True)
    shown = preview(tmp_path, file)
    assert (shown.size, corners(shown)) == ((WIDTH, HEIGHT), QUARTERS)
    whole = {"cr2": (WIDTH, HEIGHT), "cr3": (WIDTH, HEIGHT), "raf": (WIDTH, HEIGHT), "dng": (600, 400)}
    assert (file.width, file.height) == whole.get(name, (6000, 4000))


@pytest.mark.parametrize("name", BUILDERS)
def test_a_raw_that_was_taken_on_its_side_is_turned_once(tmp_path: Path, name: str) -> None:
    content = BUILDERS[name](encoded(stored(6), "JPEG"), 6)
    file = indexed(tmp_path, content, f"a.{name}")
    assert (file.orientation, preview(tmp_path, file).size) == (6, (HEIGHT, WIDTH))
    assert corners(preview(tmp_path, file)) == QUARTERS
    assert file.width is not None
    assert file.height is not None
    assert file.width < file.height


@pytest.mark.parametrize("orientation", STORED_BY)
def test_every_orientation_of_a_raw_is_shown_upright(tmp_path: Path, orientation: int) -> None:
    file = indexed(tmp_path, raws.arw(encoded(stored(orientation), "JPEG"), orientation))
    assert corners(preview(tmp_path, file)) == QUARTERS


def test_a_picture_that_was_turned_before_it_was_embedded_is_not_turned_again(tmp_path: Path) -> None:
    file = indexed(tmp_path, raws.arw(encoded(quarters(HEIGHT, WIDTH), "JPEG"), 6))
    assert (preview(tmp_path, file).size, corners(preview(tmp_path, file))) == ((HEIGHT, WIDTH), QUARTERS)


@pytest.mark.parametrize("own", [1, 6, 8])
def test_the_raw_knows_better_than_the_jpeg_in_it_how_that_lies(tmp_path: Path, own: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = own
    file = indexed(tmp_path, raws.arw(encoded(stored(6), "JPEG", exif=exif), 6))
    assert (preview(tmp_path, file).size, corners(preview(tmp_path, file))) == ((HEIGHT, WIDTH), QUARTERS)


def test_a_raw_that_does_not_say_how_it_lies_leaves_that_to_the_jpeg_in_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    jpeg = encoded(stored(6), "JPEG", exif=exif)
    file = indexed(tmp_path, raws.tiff([raws.readings(32767) | raws.jpeg_pointer(jpeg) | {0x0103: (3, [32767])}]))
    assert corners(preview(tmp_path, file)) == QUARTERS


@pytest.mark.exiftool
@pytest.mark.parametrize("name", BUILDERS)
def test_exiftool_takes_the_file_for_its_format_and_finds_no_larger_picture(tmp_path: Path, name: str) -> None:
    content = BUILDERS[name](PREVIEW, 1)
    words = ["-FileType", "-Error", "-Warning", os.fsdecode(put(tmp_path, f"a.{name}", content))]
    read_back = msgspec.json.decode(subprocess.run(["exiftool", "-j", *words], check=True, capture_output=True).stdout)[
        0
    ]
    assert read_back == {"SourceFile": read_back["SourceFile"], "FileType": name.upper()}
    found = programs.exiftool_previews(content)
    ours = embedded_jpegs(content, name)[0]
    assert content[ours.at : ours.at + ours.length] == max(found, key=len)


@pytest.fixture
def by_its_places_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search through the whole file finds nothing."""
    monkeypatch.setattr(raw, "_starts", lambda _: iter(()))


OWN_PLACES = {
    "arw": [(WIDTH, HEIGHT), (160, 120)],
    "nef": [(WIDTH, HEIGHT)],
    "cr2": [(WIDTH, HEIGHT), (160, 120)],
    "cr3": [(WIDTH, HEIGHT), (160, 120), (160, 120)],
    "dng": [(WIDTH, HEIGHT)],
    "raf": [(WIDTH, HEIGHT)],
    "orf": [],
    "rw2": [(WIDTH, HEIGHT)],
    "pef": [(WIDTH, HEIGHT), (160, 120)],
    "srw": [(WIDTH, HEIGHT), (160, 120)],
}


@pytest.mark.usefixtures("by_its_places_alone")
@pytest.mark.parametrize(("name", "sizes"), OWN_PLACES.items())
def test_the_places_of_a_format_hold_pictures_and_never_the_sensors_readings(
    name: str, sizes: list[tuple[int, int]]
) -> None:
    found = embedded_jpegs(BUILDERS[name](PREVIEW, 1), name)
    assert [(each.width, each.height) for each in found] == sizes


@pytest.mark.usefixtures("by_its_places_alone")
@pytest.mark.parametrize("where", ["track", "box"])
def test_a_cr3_is_looked_at_in_its_boxes_and_its_tracks(where: str) -> None:
    content = raws.cr3(where=where)
    largest = embedded_jpegs(content, "cr3")[0]
    assert content[largest.at : largest.at + largest.length] == PREVIEW


@pytest.mark.usefixtures("by_its_places_alone")
@pytest.mark.parametrize(("frame", "precision"), [(0xC3, 8), (0xC1, 12)])
def test_a_jpeg_of_a_kind_that_no_viewer_shows_is_no_picture(frame: int, precision: int) -> None:
    """Lossless, as CR2 and DNG store readings, and of twelve bits."""
    at = PREVIEW.index(b"\xff\xc0")
    unseen = PREVIEW[:at] + bytes([0xFF, frame, 0, 17, precision]) + PREVIEW[at + 5 :]
    assert embedded_jpegs(raws.nef(unseen), "nef") == []


def test_a_picture_in_a_makers_note_is_found_where_the_directories_name_none(tmp_path: Path) -> None:
    """The thumbnail has a place of its own, so that the file is searched because that is small."""
    first = raws.camera(b"NIKON CORPORATION", b"NIKON D70", 1) | raws.jpeg_pointer(raws.THUMBNAIL)
    content = raws.tiff([first | {0x014A: (4, [raws.readings(34713)])}]) + b"\xff\xd8\xff\xff" + PREVIEW + raws.NOISE
    file = indexed(tmp_path, content)
    assert (file.format, preview(tmp_path, file).size) == ("nef", (WIDTH, HEIGHT))
    assert file.problem is None


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_bitmap_is_taken_from_libraw_and_turned_as_the_raw_says(tmp_path: Path, orientation: int) -> None:
    content = raws.dng(None, orientation, raws.bitmap(1100, 733))
    file = indexed(tmp_path, content)
    upside_down = quarters(1100, 733).rotate({1: 180, 3: 0, 6: 90}[orientation], expand=True)
    assert preview(tmp_path, file).size == upside_down.size
    assert corners(preview(tmp_path, file)) == corners(upside_down)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_raw_without_a_picture_of_some_size_is_developed_from_its_sensors_readings(
    tmp_path: Path, orientation: int
) -> None:
    file = indexed(tmp_path, raws.dng(None, orientation))
    lying = quarters(300, 200).rotate({1: 0, 3: 180, 6: -90}[orientation], expand=True)
    assert (preview(tmp_path, file).size, corners(preview(tmp_path, file))) == (lying.size, corners(lying))
    assert file.problem is None


def test_a_sensor_of_too_many_readings_is_not_developed() -> None:
    pixels = open_photo(raws.dng(None, 1), "dng", max_pixels=200_000).decoded(1440).pixels
    assert pixels.shape[:2] == (120, 160)


def with_changed_beginning() -> bytes:
    """A preview whose first byte the camera changed, as some do, in a maker's note of a file that LibRaw refuses."""
    return raws.orf(b"\x02\xd8" + PREVIEW[PREVIEW.index(b"\xff\xdb") :])


@pytest.mark.exiftool
def test_what_only_exiftool_finds_is_taken_from_it(tmp_path: Path) -> None:
    file = indexed(tmp_path, with_changed_beginning())
    assert (file.problem, preview(tmp_path, file).size) == (None, (WIDTH, HEIGHT))


def test_without_exiftool_on_the_path_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = indexed(tmp_path, with_changed_beginning())
    assert (file.problem, file.has_renditions) == ("no picture can be found in this ORF file, nor made of it", False)
    assert (file.make, file.taken_source) == ("OLYMPUS CORPORATION", "exif")


@pytest.mark.parametrize("script", ["echo '[{'", "echo '[7]'", 'echo \'[{"PreviewImage":"base64:?"}]\'; exit 0'])
def test_an_exiftool_that_talks_nonsense_costs_its_answer_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program = tmp_path / "exiftool"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert programs.exiftool_previews(with_changed_beginning()) == []


def test_an_exiftool_that_hangs_is_left_and_what_else_there_is_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "exiftool"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(NotInTime):
        programs.exiftool_previews(with_changed_beginning(), seconds=0.1)
    monkeypatch.setattr(raw_pictures, "exiftool_previews", _late)
    assert RawPicture(raws.dng(None), "dng").decoded(1440).problem is None
    with pytest.raises(NotInTime):
        RawPicture(with_changed_beginning(), "orf").decoded(1440)


def _late(*_: object) -> list[bytes]:
    raise NotInTime("exiftool was not over")


def test_a_small_picture_serves_where_nothing_larger_is_found(tmp_path: Path) -> None:
    file = indexed(tmp_path, raws.pef(encoded(quarters(320, 213), "JPEG"), 1))
    assert (preview(tmp_path, file).size, file.problem) == ((320, 213), None)
    assert (file.width, file.height) == (6000, 4000)


def test_a_picture_too_small_for_anybody_is_not_taken_for_the_photo(tmp_path: Path) -> None:
    tiny = encoded(quarters(LEAST - 8, 80), "JPEG")
    file = indexed(tmp_path, raws.orf(tiny))
    assert (file.has_renditions, file.problem) == (False, "no picture can be found in this ORF file, nor made of it")


def test_a_broken_picture_gives_way_to_a_smaller_whole_one(tmp_path: Path) -> None:
    broken = encoded(scene(2000, 1333), "JPEG")
    whole = encoded(quarters(1050, 700), "JPEG")
    first = raws.camera(b"SONY", b"ILCE-7M3", 1) | raws.jpeg_pointer(broken[: len(broken) // 2])
    file = indexed(tmp_path, raws.tiff([first | {0x014A: (4, [raws.readings(32767), raws.jpeg_pointer(whole)])}]))
    assert (file.problem, preview(tmp_path, file).size) == (None, (1050, 700))


def test_a_raw_that_was_cut_off_shows_what_there_is_of_its_picture(tmp_path: Path) -> None:
    jpeg = encoded(scene(WIDTH, HEIGHT), "JPEG")
    content = raws.raf(jpeg)
    file = indexed(tmp_path, content[: content.index(jpeg[20:]) + len(jpeg) // 2])
    assert (file.problem, file.has_renditions) == ("truncated: the lower part is missing", True)


def test_a_copy_of_a_raw_is_told_the_same(tmp_path: Path) -> None:
    content = raws.cr3()
    first, second = indexed(tmp_path, content, "a.cr3"), indexed(tmp_path, content, "b.cr3")
    assert msgspec.structs.replace(second, mtime_ns=first.mtime_ns, taken_at=first.taken_at) == first


@given(st.sampled_from([*BUILDERS]), st.integers(0, 2**32), st.integers(1, 12))
def test_no_bytes_whatever_confuse_the_walk(name: str, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    content = bytearray(BUILT[name])
    for _ in range(changes):
        content[chance.randrange(min(len(content), 900))] = chance.choice([0, 1, 127, 255, chance.randrange(256)])
    broken = bytes(content[: chance.choice([len(content), chance.randrange(len(content))])])
    for each in embedded_jpegs(broken, name):
        assert 0 < each.at < each.at + each.length <= len(broken)
        assert max(each.width, each.height) >= LEAST
    size = sensor_size(broken, name)
    assert size is None or min(size) > 0
    assert kind_of_format(raw_format_of(broken)) in (None, "photo")


BUILT = {name: build(PREVIEW, 6) for name, build in BUILDERS.items()}


def test_directories_that_lead_in_a_circle_are_met_once() -> None:
    content = bytearray(raws.tiff([raws.jpeg_pointer(PREVIEW), raws.jpeg_pointer(raws.THUMBNAIL)]))
    second = content.rindex(b"\x03\0\x03\x01")  # the count of the second directory, and its first tag
    content[second + 2 + 36 : second + 6 + 36] = (8).to_bytes(4, "little")
    found = embedded_jpegs(bytes(content), "arw")
    assert [(each.width, each.height) for each in found] == [(WIDTH, HEIGHT), (160, 120)]
