"""A photo is opened by whichever decoder can, and as the photo that it is, whatever else its file holds."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
import rawpy
import simplejpeg  # type: ignore[import-untyped]  # it brings stubs but not the py.typed that makes them count
from PIL import ExifTags, Image, ImageFile

from adapters.media import opening, pictures, programs
from adapters.media.indexing import IndexedFile, index_file, metadata
from adapters.media.jxl import jxl_header
from adapters.media.renditions import rendition_path
from domain.base.errors import Unreadable
from tests.adapters.media.bitmaps import bitmap
from tests.adapters.media.material import (
    QUARTERS,
    STORED_BY,
    corners,
    encoded,
    jxl,
    put,
    quarters,
    scene,
    with_orientation,
)
from tests.adapters.media.raws import box
from tests.adapters.media.tiffs import tiff


def indexed(folder: Path, content: bytes, name: str) -> IndexedFile:
    """Write a file and index it."""
    return index_file(put(folder, name, content), str(folder / "renditions"), "photo")


def preview(folder: Path, file: IndexedFile) -> Image.Image:
    """The preview that was made of a file."""
    assert file.content_hash is not None
    path = rendition_path(str(folder / "renditions"), file.content_hash, "preview")
    return Image.open(io.BytesIO(Path(path).read_bytes()))


@pytest.mark.ffmpeg
def test_a_jpeg_xl_is_shown_by_ffmpeg(tmp_path: Path) -> None:
    file = indexed(tmp_path, jxl(quarters()), "a.jxl")
    assert (file.kind, file.format, file.problem) == ("photo", "jxl", None)
    assert (file.width, file.height, corners(preview(tmp_path, file))) == (64, 48, QUARTERS)


def test_a_jpeg_xl_says_what_would_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = indexed(tmp_path, b"\xff\x0a" + bytes(50), "a.jxl")
    assert (file.kind, file.has_renditions) == ("photo", False)
    assert file.problem == "a JPEG XL picture, which is shown where ffmpeg is installed"


@pytest.mark.ffmpeg
def test_a_broken_jpeg_xl_is_no_picture(tmp_path: Path) -> None:
    content = jxl(scene(64, 48))
    file = indexed(tmp_path, content[: len(content) // 2], "a.jxl")
    assert (file.problem, file.has_renditions) == ("cannot be decoded", False)


@pytest.mark.exiftool
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_2000_is_turned_as_its_exif_says(tmp_path: Path, orientation: int) -> None:
    stored = quarters()
    for step in STORED_BY[orientation]:
        stored = stored.transpose(step)
    path = put(tmp_path, "a.jp2", encoded(stored, "JPEG2000"))
    arguments = ["-EXIF:Orientation#=" + str(orientation), "a.jp2"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *arguments], cwd=tmp_path, check=True)
    file = index_file(path, str(tmp_path / "renditions"), "photo")
    assert (file.width, file.height, file.orientation) == (64, 48, orientation)
    assert corners(preview(tmp_path, file)) == QUARTERS


def clip(folder: Path) -> bytes:
    """A short film, as phones put one behind a photo."""
    source = ["-f", "lavfi", "-i", "testsrc=size=176x144:rate=25:duration=0.4"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "clip.mp4"], cwd=folder, check=True)
    return (folder / "clip.mp4").read_bytes()


@pytest.mark.ffmpeg
def test_a_motion_photo_is_the_photo_and_not_its_film(tmp_path: Path) -> None:
    film = clip(tmp_path)
    for name, content in (
        ("PXL_20240501_120000123.MP.jpg", encoded(quarters(), "JPEG") + film),
        ("20240501_120000.heic", encoded(quarters(), "HEIF") + box(b"mpvd", film)),
    ):
        file = indexed(tmp_path, content, name)
        assert (file.kind, file.problem, file.width, file.height) == ("photo", None, 64, 48)
        assert corners(preview(tmp_path, file)) == QUARTERS


def test_a_photo_with_others_behind_it_is_the_first(tmp_path: Path) -> None:
    """Multi-picture files: cameras append a large thumbnail, stereo cameras the other eye, phones a gain map."""
    other = [Image.new("RGB", (64, 48), colour) for colour in ("black", "white")]
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    file = indexed(tmp_path, encoded(quarters(), "MPO", save_all=True, append_images=other, exif=exif), "a.jpg")
    assert (file.format, file.problem, file.width, file.make) == ("jpeg", None, 64, "Canon")
    assert corners(preview(tmp_path, file)) == QUARTERS
    assert metadata(bytes(tmp_path / "a.jpg"))["exif"] == {"Make": "Canon"}


def stored_on_its_side(width: int, height: int) -> Image.Image:
    """`quarters` as a camera that was turned stores it."""
    image = quarters(height, width)
    for step in STORED_BY[6]:
        image = image.transpose(step)
    return image


@pytest.mark.ffmpeg
def test_what_pillow_cannot_decode_is_asked_of_ffmpeg(tmp_path: Path) -> None:
    """JPEG-LS goes under JPEG's magic, and libjpeg does not know it."""
    put(tmp_path, "a.png", encoded(quarters(), "PNG"))
    arguments = ["-i", "a.png", "-c:v", "jpegls", "-f", "image2", "a.jpg"]
    subprocess.run(["ffmpeg", "-v", "error", *arguments], cwd=tmp_path, check=True)
    file = index_file(bytes(tmp_path / "a.jpg"), str(tmp_path / "renditions"), "photo")
    assert (file.format, file.problem, file.width, file.height) == ("jpeg", None, 64, 48)
    assert corners(preview(tmp_path, file)) == QUARTERS


@pytest.mark.ffmpeg
def test_what_is_damaged_is_not_painted_over_by_ffmpeg() -> None:
    content = encoded(scene(900, 600), "JPEG")
    assert programs.ffmpeg_png(content, "jpeg") is not None
    assert programs.ffmpeg_png(content[: len(content) // 2], "jpeg") is None


@pytest.mark.ffmpeg
def test_ffmpeg_is_not_asked_for_a_picture_of_too_many_pixels() -> None:
    content = encoded(quarters(200, 100), "PNG")
    assert programs.ffmpeg_png(content, "png") is not None
    assert programs.ffmpeg_png(content, "png", max_pixels=10_000) is None


def test_a_rescued_photo_keeps_the_orientation_that_its_header_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo whose header Pillow reads and whose pixels it cannot decode."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    content = encoded(stored_on_its_side(60, 40), "PNG", exif=exif)
    photo = opening.open_photo(content, "png")
    monkeypatch.setattr(opening, "ffmpeg_png", lambda *_: encoded(stored_on_its_side(60, 40), "PNG"))
    _refuse_once(monkeypatch)
    assert corners(Image.fromarray(photo.decoded(1440).pixels)) == QUARTERS


def _refuse_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has Pillow fail on the photo itself, and read what ffmpeg makes of it."""
    decode, asked = pictures.Picture.decoded, []

    def refuse(picture: pictures.Picture, *given: int) -> pictures.Decoded:
        asked.append(picture)
        if len(asked) == 1:
            raise Unreadable("an unknown way to compress")
        return decode(picture, *given)

    monkeypatch.setattr(pictures.Picture, "decoded", refuse)


@pytest.mark.parametrize("header", [40, 56, 108, 124])
@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0xF00, 0xF0, 0xF)),
        (16, (0xFC00, 0x3E0, 0x1F)),
        (16, (0x1F, 0x7E0, 0xF800)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF)),
        (32, (0xFF, 0xFF00, 0xFF0000)),
    ],
    ids=["444", "655", "BGR 565", "10 bits", "BGR"],
)
def test_a_bitmap_may_keep_its_colours_in_any_bits(bits: int, masks: tuple[int, int, int], header: int) -> None:
    content = bitmap(np.asarray(quarters(60, 40), np.float64) / 255, bits, masks, header=header)
    photo = opening.open_photo(content, "bmp")
    assert (photo.width, photo.height) == (60, 40)
    assert corners(Image.fromarray(photo.decoded(1440).pixels)) == QUARTERS


def test_a_bitmap_with_masks_may_begin_above_and_be_transparent() -> None:
    samples = np.dstack([np.asarray(quarters(60, 40), np.float64) / 255, np.ones((40, 60))])
    samples[20:, :, 3] = 0
    masks = (0xFF00, 0xFF0000, 0xFF, 0xFF000000)
    content = bitmap(samples, 32, masks, header=124, top_first=True)
    shown = Image.fromarray(opening.open_photo(content, "bmp").decoded(1440).pixels)
    assert corners(shown) == ["red", "green", "white", "white"]


@pytest.mark.parametrize("masks", [(0xF00, 0xF0, 0xF), (0, 0xF0, 0xF)], ids=["cut off", "a colour without bits"])
def test_a_broken_bitmap_with_masks_is_no_picture(masks: tuple[int, int, int]) -> None:
    content = bitmap(np.zeros((40, 60, 3)), 16, (0xF00, 0xF0, 0xF))
    content = content[:54] + struct.pack("<III", *masks) + content[66 : len(content) - (100 if masks[0] else 0)]
    with pytest.raises(Unreadable, match="its pixels are not all there"):
        opening.open_photo(content, "bmp").decoded(1440)


def test_a_bitmap_with_masks_and_too_many_pixels_is_refused() -> None:
    content = bitmap(np.zeros((40, 60, 3)), 16, (0xF00, 0xF0, 0xF))
    with pytest.raises(Unreadable, match="60 x 40: more than"):
        opening.open_photo(content, "bmp", max_pixels=2000)


class PixelsDecoded(BaseException):
    """Raised by every decoder in a test; no parser takes it for a fault of the file."""


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every decoder, and every program, of which an answer is a picture refuses."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PixelsDecoded

    kinds, waiting = [ImageFile.ImageFile], [*ImageFile.ImageFile.__subclasses__()]
    while waiting:
        kinds.append(waiting.pop())
        waiting += kinds[-1].__subclasses__()
    for kind in kinds:
        if "load" in vars(kind):
            monkeypatch.setattr(kind, "load", refuse)
    for module, name in ((simplejpeg, "decode_jpeg"), (cv2, "imdecode"), (rawpy, "imread"), (programs, "_output")):
        monkeypatch.setattr(module, name, refuse)


@pytest.mark.ffmpeg
@pytest.mark.usefixtures("no_decoder")
def test_metadata_decodes_no_pixels_of_any_format(tmp_path: Path) -> None:
    for name, content in of_every_format().items():
        told = metadata(put(tmp_path, name, content))
        assert (name, told["width"], told["height"], told["problem"]) == (name, 64, 48, None)


def with_exif_behind(png: bytes) -> bytes:
    """A PNG whose EXIF stands behind its pixels, as exiftool writes it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    content = exif.tobytes()[6:]
    chunk = struct.pack(">I", len(content)) + b"eXIf" + content + struct.pack(">I", zlib.crc32(b"eXIf" + content))
    return png[:-12] + chunk + png[-12:]


def of_every_format() -> dict[str, bytes]:
    """`quarters` in every format, by name."""
    return {
        "a.jpg": encoded(quarters(), "JPEG"),
        "a.png": encoded(quarters(), "PNG"),
        "behind.png": with_exif_behind(encoded(quarters(), "PNG")),
        "a.webp": encoded(quarters(), "WEBP"),
        "a.gif": encoded(quarters(), "GIF"),
        "a.tif": encoded(quarters(), "TIFF", compression="tiff_lzw"),
        "deep.tif": tiff(np.asarray(quarters(), np.float64) / 255, depth=16, planar=True),
        "big.tif": tiff(np.asarray(quarters(), np.float64) / 255, depth=8, big=True, order=">"),
        "a.bmp": encoded(quarters(), "BMP"),
        "a.heic": encoded(quarters(), "HEIF"),
        "a.avif": encoded(quarters(), "AVIF"),
        "a.jp2": encoded(quarters(), "JPEG2000"),
        "a.jxl": jxl(quarters()),
    }


@pytest.mark.usefixtures("no_decoder")
def test_exif_behind_the_pixels_of_a_png_is_found_without_these(tmp_path: Path) -> None:
    assert metadata(put(tmp_path, "a.png", with_exif_behind(encoded(quarters(), "PNG"))))["make"] == "Maker"


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    "size", [(8, 8), (256, 256), (257, 300), (64, 48), (1200, 1000), (1000, 1), (1600, 900), (5000, 40), (12, 9000)]
)
def test_the_header_of_a_jpeg_xl_tells_its_size(size: tuple[int, int]) -> None:
    header = jxl_header(jxl(Image.new("RGB", size)))
    assert header is not None
    assert (header.width, header.height, header.orientation) == (*size, 1)


@pytest.mark.cjxl
@pytest.mark.ffmpeg
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_jpeg_xl_is_told_upright_as_its_header_has_it(tmp_path: Path, orientation: int) -> None:
    """Cjxl takes the orientation of a JPEG's EXIF for that of its own header."""
    put(tmp_path, "a.jpg", with_orientation(orientation))
    subprocess.run(["cjxl", "a.jpg", "a.jxl", "--quiet", "-j", "0", "-d", "1"], cwd=tmp_path, check=True)
    file = index_file(bytes(tmp_path / "a.jxl"), str(tmp_path / "renditions"), "photo")
    shown = preview(tmp_path, file)
    assert (file.width, file.height) == shown.size == (64, 48)
    assert corners(shown) == QUARTERS


@pytest.mark.parametrize("content", [b"", b"\xff\x0a", b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a", b"\xff"])
def test_a_jpeg_xl_without_a_header_is_no_picture(content: bytes) -> None:
    with pytest.raises(Unreadable):
        opening.open_photo(content, "jxl").decoded(1440)
