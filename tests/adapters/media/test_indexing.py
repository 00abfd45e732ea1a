"""A file is indexed in one read: what it is, when it was taken, and renditions that show it upright in true colours."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import subprocess
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from adapters.media import contents, pictures
from adapters.media.indexing import IndexedFile, index_file, metadata
from adapters.media.opening import open_photo
from adapters.media.renditions import rendition_path
from adapters.media.worker import prepare
from adapters.workers.pool import WorkerPool
from domain.base.errors import NotFound, StillChanging, Unavailable, Unreadable
from tests.adapters.media.material import (
    EXTENSIONS,
    QUARTERS,
    STORED_BY,
    corners,
    encoded,
    put,
    quarters,
    scene,
    with_orientation,
)


def indexed(folder: Path, content: bytes, name: str = "a.jpg") -> IndexedFile:
    """Write a file and index it, with renditions in a folder beside it."""
    return index_file(put(folder, name, content), str(folder / "renditions"), "photo")


def rendition(folder: Path, file: IndexedFile, which: str = "preview") -> Image.Image:
    """A rendition that was made of a file, which must be a JPEG without orientation or profile."""
    assert file.content_hash is not None
    assert which in ("preview", "thumb")
    path = rendition_path(str(folder / "renditions"), file.content_hash, "preview" if which == "preview" else "thumb")
    image = Image.open(io.BytesIO(Path(path).read_bytes()))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert not image.getexif()
    assert "icc_profile" not in image.info
    return image


@pytest.mark.parametrize("format_name", EXTENSIONS)
def test_a_photo_of_every_format_is_indexed_and_rendered(tmp_path: Path, format_name: str) -> None:
    content = encoded(quarters(64, 48), format_name)
    file = indexed(tmp_path, content, f"a.{EXTENSIONS[format_name]}")
    assert (file.kind, file.problem, file.has_renditions) == ("photo", None, True)
    assert (file.width, file.height, file.orientation) == (64, 48, 1)
    assert file.content_hash == hashlib.sha256(content).digest()
    assert file.size == len(content)
    assert corners(rendition(tmp_path, file)) == QUARTERS
    assert corners(rendition(tmp_path, file, "thumb")) == QUARTERS


@pytest.mark.parametrize("orientation", STORED_BY)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_is_shown_upright(tmp_path: Path, orientation: int, format_name: str) -> None:
    file = indexed(tmp_path, with_orientation(orientation, format_name))
    assert (file.width, file.height, file.orientation) == (64, 48, orientation)
    assert rendition(tmp_path, file).size == (64, 48)
    assert corners(rendition(tmp_path, file)) == QUARTERS


@pytest.mark.parametrize("orientation", STORED_BY)
def test_a_heic_is_turned_once_and_not_twice(tmp_path: Path, orientation: int) -> None:
    stored = quarters()
    for step in STORED_BY[orientation]:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = indexed(tmp_path, encoded(stored, "HEIF", exif=exif.tobytes()))
    assert (file.format, file.width, file.height, file.orientation) == ("heic", 64, 48, orientation)
    assert corners(rendition(tmp_path, file)) == QUARTERS


@pytest.mark.parametrize(
    ("size", "preview", "thumb"),
    [
        ((3000, 2000), (1440, 960), (512, 341)),
        ((2000, 3000), (960, 1440), (341, 512)),
        ((1441, 1000), (1440, 999), (512, 355)),
        ((1000, 700), (1000, 700), (512, 358)),
        ((300, 200), (300, 200), (300, 200)),
        ((4000, 10), (1440, 4), (512, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_renditions_have_their_long_side_and_never_grow(
    tmp_path: Path, size: tuple[int, int], preview: tuple[int, int], thumb: tuple[int, int], format_name: str
) -> None:
    file = indexed(tmp_path, encoded(Image.new("RGB", size, "teal"), format_name))
    made = [rendition(tmp_path, file, which).size for which in ("preview", "thumb")]
    assert np.abs(np.array(made) - np.array([preview, thumb])).max() <= 1
    assert [max(each) for each in made] == [max(preview), max(thumb)]


def likeness(one: Image.Image, other: Image.Image) -> float:
    """How alike two pictures of one size are, in decibels (PSNR)."""
    error = np.mean((np.asarray(one).astype(float) - np.asarray(other).astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_the_fast_way_looks_like_the_slow_way(tmp_path: Path, options: dict[str, object]) -> None:
    content = encoded(scene(2600, 1800), "JPEG", **options)
    file = indexed(tmp_path, content)
    for which in ("preview", "thumb"):
        made = rendition(tmp_path, file, which)
        slow = Image.open(io.BytesIO(content)).resize(made.size, Image.Resampling.LANCZOS)
        assert likeness(made, slow) > 33


def wide_gamut() -> bytes:
    """A profile whose red and green lie far outside sRGB's: sRGB's own with the primaries of Rec. 2020."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    content = bytearray(profile.tobytes())
    for tag, xyz in {
        b"rXYZ": (0.6735, 0.2790, -0.0019),
        b"gXYZ": (0.1656, 0.6753, 0.0299),
        b"bXYZ": (0.1251, 0.0456, 0.7969),
    }.items():
        entry = content.index(tag)
        at = int.from_bytes(content[entry + 4 : entry + 8], "big")
        content[at + 8 : at + 20] = b"".join(round(each * 65536).to_bytes(4, "big", signed=True) for each in xyz)
    return bytes(content).replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")).replace(b"sRGB", b"wide")


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_colour_profile_is_applied(tmp_path: Path, format_name: str) -> None:
    colour = (120, 160, 90)
    content = encoded(Image.new("RGB", (40, 40), colour), format_name, icc_profile=wide_gamut())
    shown = np.asarray(rendition(tmp_path, indexed(tmp_path, content)))[20, 20].astype(int)
    assert shown[1] > colour[1] + 3
    assert shown[0] < colour[0] - 15


def test_srgb_and_broken_profiles_leave_the_colours_alone(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile", srgb[:200], bytes(200)):
        file = indexed(tmp_path, encoded(quarters(), "JPEG", icc_profile=profile))
        assert file.problem is None
        assert corners(rendition(tmp_path, file)) == QUARTERS


@pytest.mark.parametrize(
    ("mode", "format_name", "expected"),
    [
        ("L", "JPEG", (76, 76, 76)),
        ("L", "PNG", (76, 76, 76)),
        ("CMYK", "JPEG", (255, 0, 0)),
        ("CMYK", "TIFF", (255, 0, 0)),
        ("LAB", "TIFF", (255, 0, 0)),
        ("P", "PNG", (255, 0, 0)),
        ("1", "PNG", (255, 255, 255)),
        ("LA", "PNG", (76, 76, 76)),
        ("YCbCr", "TIFF", (255, 0, 0)),
    ],
)
def test_every_way_to_store_colours_is_shown(
    tmp_path: Path, mode: str, format_name: str, expected: tuple[int, int, int]
) -> None:
    red = Image.new("RGB", (32, 32), (255, 0, 0))
    if mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        stored = ImageCms.profileToProfile(red, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
        assert stored is not None
    elif mode == "1":
        stored = Image.new("1", (32, 32), 1)
    else:
        stored = red.convert(mode)
    file = indexed(tmp_path, encoded(stored, format_name))
    assert file.problem is None
    shown = np.asarray(rendition(tmp_path, file))[16, 16].astype(int)
    assert np.abs(shown - expected).max() <= 6


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((8, 8), 32768, np.uint16), 128),
        (np.full((8, 8), 0.5, np.float32), 128),
        (np.full((8, 8), 200, np.int32), 200),
        (np.full((8, 8), np.nan, np.float32), 0),
    ],
)
def test_grey_of_more_than_eight_bits_keeps_its_brightness(
    tmp_path: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], expected: int
) -> None:
    file = indexed(tmp_path, encoded(Image.fromarray(values), "TIFF"))
    assert file.problem is None
    assert abs(int(np.asarray(rendition(tmp_path, file))[4, 4, 0]) - expected) <= 1


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_transparency_is_laid_on_white(tmp_path: Path, format_name: str) -> None:
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    image.paste((220, 30, 30, 255), (0, 0, 32, 48))
    file = indexed(tmp_path, encoded(image, format_name))
    assert corners(rendition(tmp_path, file)) == ["red", "white", "red", "white"]


def test_a_palette_with_a_transparent_colour_is_laid_on_white(tmp_path: Path) -> None:
    image = quarters().quantize(8)
    index_of_red = image.getpixel((2, 2))
    file = indexed(tmp_path, encoded(image, "GIF", transparency=index_of_red))
    assert corners(rendition(tmp_path, file)) == ["white", "green", "blue", "yellow"]


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "TIFF", "PNG", "AVIF"])
def test_of_several_frames_or_pages_the_first_is_shown(tmp_path: Path, format_name: str) -> None:
    others = [Image.new("RGB", (64, 48), colour) for colour in ("black", "white")]
    file = indexed(tmp_path, encoded(quarters(), format_name, save_all=True, append_images=others))
    assert corners(rendition(tmp_path, file)) == QUARTERS


@pytest.mark.parametrize(
    ("content", "name", "kind", "format_name"),
    [
        (encoded(quarters(), "PNG"), "a.jpg", "photo", "png"),
        (encoded(quarters(), "JPEG"), "a.heic", "photo", "jpeg"),
        (encoded(quarters(), "JPEG"), "a.nef", "photo", "jpeg"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100), "a.jpg", "video", "mp4"),
    ],
)
def test_a_misnamed_file_is_what_its_bytes_are(
    tmp_path: Path, content: bytes, name: str, kind: str, format_name: str
) -> None:
    file = indexed(tmp_path, content, name)
    assert (file.kind, file.format) == (kind, format_name)
    assert file.has_renditions == (kind == "photo")


def test_a_photo_with_the_name_of_a_video_is_a_photo(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mp4", encoded(quarters(), "JPEG"))
    file = index_file(path, str(tmp_path / "renditions"), "video")
    assert (file.kind, file.has_renditions) == ("photo", True)


def test_a_video_that_cannot_be_decoded_is_hashed_to_its_end_and_says_so(tmp_path: Path) -> None:
    content = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + os.urandom(3_000_001)
    file = index_file(put(tmp_path, "VID_20240501_120000.mp4", content), str(tmp_path / "renditions"), "video")
    assert file.content_hash == hashlib.sha256(content).digest()
    assert (file.kind, file.size, file.has_renditions) == ("video", len(content), False)
    assert file.problem is not None
    assert (file.taken_source, file.taken_at) == ("filename", 1_714_564_800_000_000)
    assert not (tmp_path / "renditions").exists()


def test_a_raw_is_recorded_with_its_camera_and_not_decoded_as_a_tiff(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "NIKON CORPORATION"
    exif[ExifTags.Base.DNGVersion] = b"\1\4\0\0"
    exif[ExifTags.Base.DateTime] = "2024:05:01 12:00:00"
    content = exif.tobytes().removeprefix(b"Exif\0\0")
    file = indexed(tmp_path, content + bytes(1000), "a.dng")
    assert (file.kind, file.format, file.has_renditions) == ("photo", "dng", False)
    assert file.problem == "no picture can be found in this DNG file, nor made of it"
    assert (file.width, file.make, file.taken_source) == (None, "NIKON CORPORATION", "modified")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty file"),
        (b"hello, this is no picture\n", "not a picture: text"),
        (b"%PDF-1.7\n", "not a picture: a PDF document"),
        (bytes(5000), "not a picture: zero bytes alone"),
    ],
)
def test_what_is_no_picture_is_recorded_with_its_reason(tmp_path: Path, content: bytes, problem: str) -> None:
    file = indexed(tmp_path, content)
    assert (file.problem, file.has_renditions, file.width) == (problem, False, None)
    assert file.content_hash == hashlib.sha256(content).digest()


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_truncated_jpeg_shows_what_there_is_and_says_what_is_missing(
    tmp_path: Path, options: dict[str, object]
) -> None:
    content = encoded(scene(900, 600), "JPEG", **options)
    file = indexed(tmp_path, content[: len(content) * 2 // 3])
    assert (file.problem, file.has_renditions) == ("truncated: the lower part is missing", True)
    assert (file.width, file.height) == (900, 600)
    shown = np.asarray(rendition(tmp_path, file)).astype(float)
    assert likeness(rendition(tmp_path, file).crop((0, 0, 900, 200)), scene(900, 600).crop((0, 0, 900, 200))) > 15
    assert shown[-1].std() < 5 or options


@pytest.mark.parametrize("format_name", ["PNG", "GIF", "TIFF", "BMP"])
def test_a_truncated_picture_of_other_formats_shows_what_there_is_or_says_why_not(
    tmp_path: Path, format_name: str
) -> None:
    content = encoded(scene(300, 200), format_name)
    file = indexed(tmp_path, content[: len(content) * 2 // 3])
    assert file.problem is not None
    assert file.problem.startswith(("truncated", "damaged", "cannot be decoded"))
    if file.has_renditions:
        assert rendition(tmp_path, file).size == (300, 200)


def test_a_jpeg_that_lacks_only_its_end_mark_has_no_problem(tmp_path: Path) -> None:
    file = indexed(tmp_path, encoded(scene(300, 200), "JPEG").removesuffix(b"\xff\xd9"))
    assert (file.problem, file.has_renditions) == (None, True)


def test_a_jpeg_with_bytes_after_its_end_has_no_problem(tmp_path: Path) -> None:
    file = indexed(tmp_path, encoded(scene(300, 200), "JPEG") + b"\0" * 5000)
    assert (file.problem, file.has_renditions) == (None, True)


@pytest.mark.parametrize("format_name", [each for each in EXTENSIONS if each != "BMP"])
def test_a_picture_cut_after_its_first_bytes_is_unreadable_with_its_reason(tmp_path: Path, format_name: str) -> None:
    file = indexed(tmp_path, encoded(scene(900, 600), format_name)[:60])
    assert file.problem is not None
    assert "0x" not in file.problem
    assert (file.kind, file.has_renditions) == ("photo", False)


def test_a_jpeg_that_ends_with_its_first_row_says_where(tmp_path: Path) -> None:
    content = encoded(scene(900, 600), "JPEG")
    file = indexed(tmp_path, content[:900])
    assert (file.problem, file.has_renditions) == ("truncated after 1 KB, nothing to see", False)


def test_a_picture_of_too_many_pixels_is_left_alone() -> None:
    with pytest.raises(Unreadable, match=r"^2000 x 1000: more than 1 million pixels$"):
        open_photo(encoded(quarters(2000, 1000), "JPEG"), "jpeg", max_pixels=1_000_000)


def test_a_decompression_bomb_is_an_ordinary_problem(tmp_path: Path) -> None:
    """A PNG of 100 bytes that promises 60,000 x 60,000 pixels."""
    content = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    file = indexed(tmp_path, bytes(content))
    assert (file.problem, file.has_renditions) == ("more than 250 million pixels", False)


def test_a_photo_too_large_for_the_memory_is_hashed_and_left_alone(tmp_path: Path) -> None:
    content = encoded(quarters(), "JPEG") + bytes(2_000_000)
    read = contents.read_content(put(tmp_path, "a.jpg", content), "photo", max_photo_bytes=1024 * 1024)
    assert (read.problem, read.photo) == ("larger than 1 MB", None)
    assert read.sha256 == hashlib.sha256(content).digest()


def test_a_file_without_permission_is_recorded_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by the call that opens it, because the tests may run as root, whom permissions do not stop."""
    path = put(tmp_path, "IMG_20240501_120000.jpg", encoded(quarters(), "JPEG"))

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    file = index_file(path, str(tmp_path), "photo")
    assert (file.content_hash, file.problem, file.taken_source) == (None, "permission denied", "filename")
    assert file.size == os.path.getsize(path)


def test_a_pipe_is_recorded_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    file = index_file(bytes(tmp_path / "pipe.jpg"), str(tmp_path), "photo")
    assert (file.content_hash, file.problem) == (None, "not a regular file")


def test_a_file_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        index_file(bytes(tmp_path / "gone.jpg"), str(tmp_path), "photo")


def test_a_file_system_that_does_not_answer_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.jpg", encoded(quarters(), "JPEG"))

    def fail(*_: object) -> bytes:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(Unavailable, match="stale file handle"):
        index_file(path, str(tmp_path), "photo")


@pytest.mark.parametrize("change", ["grows", "shrinks", "same size", "replaced", "deleted"])
def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    content = encoded(quarters(), "JPEG")
    path = put(tmp_path, "a.jpg", content)
    before = os.stat(path)
    read = contents._read

    def change_then_read(descriptor: int, length: int) -> bytes:
        if change == "grows":
            with open(path, "ab") as file:
                file.write(b"more")
        elif change == "shrinks":
            os.truncate(path, 10)
        elif change == "same size":
            os.utime(path, ns=(0, before.st_mtime_ns + 1))
        elif change == "replaced":
            put(tmp_path, "b.jpg", content)
            os.replace(tmp_path / "b.jpg", path)
        else:
            os.unlink(path)
        monkeypatch.setattr(contents, "_read", read)
        return read(descriptor, length)

    monkeypatch.setattr(contents, "_read", change_then_read)
    with pytest.raises(NotFound if change == "deleted" else StillChanging) as raised:
        index_file(path, str(tmp_path / "renditions"), "photo")
    assert not (tmp_path / "renditions").exists()
    assert str(copy.copy(raised.value)) == str(raised.value)


def test_a_copy_is_told_the_same_without_being_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(scene(900, 600), "JPEG")
    first = indexed(tmp_path, content[: len(content) * 2 // 3], "a.jpg")

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(pictures.Picture, "decoded", refuse)
    second = indexed(tmp_path, content[: len(content) * 2 // 3], "b.jpg")
    assert second.problem == first.problem == "truncated: the lower part is missing"
    assert (second.placeholder, second.has_renditions) == (first.placeholder, True)


@pytest.mark.parametrize("damage", ["preview gone", "thumb gone", "preview empty", "thumb broken"])
def test_renditions_that_are_not_whole_are_made_again(tmp_path: Path, damage: str) -> None:
    content = encoded(quarters(), "JPEG")
    file = indexed(tmp_path, content)
    assert file.content_hash
    which, what = damage.split()
    path = Path(
        rendition_path(str(tmp_path / "renditions"), file.content_hash, "preview" if which == "preview" else "thumb")
    )
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if what == "empty" else b"\xff\xd8\xff\xe0")
    assert indexed(tmp_path, content, "b.jpg").placeholder == file.placeholder
    assert corners(rendition(tmp_path, file, which)) == QUARTERS


def test_two_workers_may_render_one_content_at_once(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", encoded(scene(1600, 1200), "JPEG"))
    found: list[IndexedFile] = []
    threads = [
        threading.Thread(target=lambda: found.append(index_file(path, str(tmp_path / "renditions"), "photo")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(str, found))) == 1
    assert sorted(each.suffix for each in (tmp_path / "renditions").rglob("*.*")) == [".jpg", ".jpg"]


def test_without_a_folder_for_renditions_nothing_is_written(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", encoded(quarters(), "JPEG"))
    file = index_file(path, None, "photo")
    assert (file.width, file.has_renditions, file.placeholder) == (64, False, None)
    assert os.listdir(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", b"-rf.jpg", b"a\nb.jpg", "😀\u202e.jpg".encode(), b"n" * 246 + b".jpg"]
)
def test_a_name_of_any_bytes_is_indexed(tmp_path: Path, name: bytes) -> None:
    path = os.path.join(bytes(tmp_path), name)
    with open(path, "wb") as file:
        file.write(encoded(quarters(), "JPEG"))
    assert index_file(path, str(tmp_path / "renditions"), "photo").has_renditions


def test_a_worker_process_gives_what_this_process_gives(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", encoded(quarters(), "JPEG"))
    pool = WorkerPool(1, initializer=prepare)
    try:
        file = pool.submit(index_file, path, str(tmp_path / "renditions"), "photo", timeout=60).result()
        gone = pool.submit(index_file, path + b"x", None, "photo", timeout=60).exception()
    finally:
        pool.close()
    assert file == index_file(path, str(tmp_path / "renditions"), "photo")
    assert isinstance(gone, NotFound)


def test_metadata_holds_the_files_facts_and_its_tags_as_plain_values(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon<script>\0junk"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"\xff" * 50
    content = encoded(quarters(), "JPEG", exif=exif)
    facts = metadata(put(tmp_path, "a.jpg", content))
    assert (facts["width"], facts["format"], facts["f_number"], facts["make"]) == (64, "jpeg", 2.8, "Canon<script>")
    assert facts["content_hash"] == hashlib.sha256(content).hexdigest()
    assert facts["exif"] == {"Make": "Canon<script>", "FNumber": 2.8}


@pytest.mark.parametrize("content", [b"", b"text", bytes(3000), b"\xff\xd8\xff"])
def test_metadata_of_what_is_no_photo_tells_the_files_facts(tmp_path: Path, content: bytes) -> None:
    facts = metadata(put(tmp_path, "a.jpg", content))
    assert facts["problem"]
    assert (facts["size"], facts["exif"]) == (len(content), {})


@pytest.mark.exiftool
def test_facts_agree_with_exiftool(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", encoded(quarters(), "JPEG"))
    written = [
        "-DateTimeOriginal=2024:05:01 12:30:45",
        "-SubSecTimeOriginal=25",
        "-OffsetTimeOriginal=-03:30",
        "-Make=Nikon",
        "-Model=Z 6",
        "-LensModel=NIKKOR Z 50mm",
        "-GPSLatitude=33.8688",
        "-GPSLatitudeRef=S",
        "-GPSLongitude=151.2093",
        "-GPSLongitudeRef=E",
        "-GPSAltitude=58",
        "-GPSAltitudeRef=Above Sea Level",
        "-ExposureTime=1/250",
        "-FNumber=2.8",
        "-ISO=400",
        "-FocalLength=50",
    ]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *written, os.fsdecode(path)], check=True)
    file = index_file(path, None, "photo")
    assert (file.taken_at, file.taken_offset_minutes, file.taken_source) == (1_714_566_645_250_000, -210, "exif")
    assert (file.make, file.model, file.lens) == ("Nikon", "Z 6", "NIKKOR Z 50mm")
    position = [file.latitude, file.longitude, file.altitude]
    assert position == pytest.approx([-33.8688, 151.2093, 58])
    assert [file.exposure, file.f_number, file.iso, file.focal_length] == pytest.approx([0.004, 2.8, 400, 50])
