"""What is written into files of every format is found where programs put it, without decoding, and is what exiftool
says; a stranger's bytes break nothing."""

from __future__ import annotations

import json
import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it brings no types
import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from adapters.media.magic import HEAD_BYTES, format_of
from adapters.media.stated import Stated, stated_of, thumbnail_in
from adapters.media.taking import taken_of
from tests.adapters.media.material import EXTENSIONS, encoded, jxl, mutated, quarters, with_exif
from tests.adapters.media.raws import BUILDERS, PREVIEW

XMP = {
    "XMP-dc:Title": "Sea",
    "XMP-dc:Description": "At noon",
    "XMP-dc:Subject": "boat",
    "XMP-xmp:Rating": "4",
    "XMP-photoshop:City": "Bern",
    "XMP-aux:Lens": "Noctilux",
    "XMP-exif:GPSLatitude": "47.5",
    "XMP-exif:GPSLongitude": "8.25",
    "XMP-photoshop:DateCreated": "2017:03:03 03:03:03",
}
IPTC = {
    "IPTC:ObjectName": "Lake",
    "IPTC:Caption-Abstract": "At ten",
    "IPTC:Keywords": "oar",
    "IPTC:City": "Thun",
    "IPTC:DateCreated": "2018:03:03",
    "IPTC:TimeCreated": "04:04:04+01:00",
}
EXIF = {
    "EXIF:ImageDescription": "By the camera",
    "EXIF:XPTitle": "Windows",
    "EXIF:XPKeywords": "a;b",
    "EXIF:Rating": "2",
}


def write(path: Path, tags: dict[str, str]) -> bytes:
    """The bytes of a file after exiftool wrote these into it."""
    words = [f"-{name}={value}" for name, value in tags.items()]
    subprocess.run(["exiftool", "-q", "-m", "-overwrite_original", *words, str(path)], check=True)
    return path.read_bytes()


def stated(content: bytes, *sidecars: bytes) -> Stated:
    """What a photo's bytes state."""
    return stated_of(content, format_of(content[:HEAD_BYTES]), None, sidecars)


def picture(tmp_path: Path, name: str) -> Path:
    """A picture of a format of Pillow, or `JXL`."""
    path = tmp_path / f"a.{EXTENSIONS.get(name, 'jxl')}"
    if name == "JXL":
        path.write_bytes(b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl " + boxed(b"jxlc", jxl(quarters())))
    else:
        path.write_bytes(encoded(quarters(), name))
    return path


def boxed(kind: bytes, content: bytes) -> bytes:
    """A box of ISO media."""
    return struct.pack(">I", len(content) + 8) + kind + content


def when(found: Stated) -> tuple[int, str]:
    """When it was taken, by whom."""
    clock, source = taken_of(found.times, "a.jpg", 1)
    return clock.micros, source


@pytest.mark.exiftool
@pytest.mark.ffmpeg
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF", "JPEG2000", "JXL"])
def test_xmp_of_every_format_says_what_exiftool_wrote(tmp_path: Path, name: str) -> None:
    found = stated(write(picture(tmp_path, name), XMP))
    words = found.written
    assert (words.title, words.description, words.rating, words.keywords) == ("Sea", "At noon", 4, ("boat",))
    assert (words.place, found.camera.lens) == ("Bern", "Noctilux")
    assert (found.camera.latitude, found.camera.longitude) == (47.5, 8.25)
    assert when(found) == (1_488_510_183_000_000, "xmp")


@pytest.mark.exiftool
@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "JPEG2000"])
def test_iptc_says_what_exiftool_wrote(tmp_path: Path, name: str) -> None:
    found = stated(write(picture(tmp_path, name), IPTC))
    words = found.written
    assert (words.title, words.description, words.keywords, words.place) == ("Lake", "At ten", ("oar",), "Thun")
    assert when(found) == (1_520_049_844_000_000, "iptc")


@pytest.mark.exiftool
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_exif_says_what_windows_and_cameras_write(tmp_path: Path, name: str) -> None:
    words = stated(write(picture(tmp_path, name), EXIF)).written
    assert (words.title, words.description, words.keywords) == ("Windows", "By the camera", ("a", "b"))
    assert words.rating == 2


@pytest.mark.exiftool
@pytest.mark.parametrize("name", ["nef", "dng", "cr2", "orf", "raf", "cr3"])
def test_a_raw_says_what_exiftool_wrote(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"a.{name}"
    path.write_bytes(BUILDERS[name](PREVIEW, 1))
    content = write(path, {"XMP-dc:Title": "Sea", "XMP-xmp:Rating": "3"})
    words = stated_of(content, name).written
    assert (words.title, words.rating) == ("Sea", 3)


@pytest.mark.exiftool
def test_of_each_thing_the_sidecar_comes_first_then_xmp_iptc_and_exif(tmp_path: Path) -> None:
    content = write(picture(tmp_path, "JPEG"), {**XMP, **IPTC, **EXIF, "EXIF:DateTimeOriginal": "2016:01:01 00:00:00"})
    assert stated(content).written.title == "Sea"
    assert when(stated(content))[1] == "exif"
    sidecar = tmp_path / "a.xmp"
    words = ["-XMP-dc:Title=Beside", "-XMP-photoshop:DateCreated=2019:01:01 10:00:00"]
    subprocess.run(["exiftool", "-q", *words, str(sidecar)], check=True)
    found = stated(content, sidecar.read_bytes())
    assert (found.written.title, found.written.keywords) == ("Beside", ("boat",))
    assert when(found)[1] == "sidecar"
    without_xmp = stated(write(tmp_path / "a.jpg", {"XMP:all": ""}))
    assert (without_xmp.written.title, without_xmp.written.rating) == ("Lake", 2)


def test_what_a_jpeg_xl_holds_packed_is_read() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    packet += b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="Sea"/></rdf:RDF></x:xmpmeta>'
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + boxed(b"ftyp", b"jxl \0\0\0\0jxl ")
    packed = boxed(b"brob", b"Exif" + brotli.compress(bytes(4) + exif_bytes()))
    found = stated(head + packed + boxed(b"brob", b"xml " + brotli.compress(packet)))
    assert (found.camera.make, found.written.title) == ("Canon", "Sea")
    assert when(found) == (1_714_564_800_000_000, "exif")
    broken = stated(head + boxed(b"brob", b"Exifno brotli") + boxed(b"brob", b"xml ") + boxed(b"brob", b"xm"))
    assert (broken.camera.make, broken.written.title) == (None, None)
    bomb = stated(head + boxed(b"brob", b"xml " + brotli.compress(bytes(2**26))))
    assert bomb.written.title is None


def exif_bytes() -> bytes:
    """An EXIF block from its TIFF header on."""
    return with_exif().tobytes().removeprefix(b"Exif\0\0")


def hexadecimal(name: str, block: bytes) -> str:
    """A block as ImageMagick writes it into the text of a PNG."""
    return f"\n{name}\n{len(block):8}\n{block.hex()}\n"


def png(**texts: str) -> bytes:
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("_", " "), text, zip=len(text) > 200)
    return encoded(quarters(), "PNG", pnginfo=info)


def resources(number: int, block: bytes) -> bytes:
    """Photoshop's resources with one in it, behind another of an odd length."""
    odd = b"8BIM" + struct.pack(">H", 0x03ED) + b"\0\0" + struct.pack(">I", 3) + b"abc\0"
    return odd + b"8BIM" + struct.pack(">H", number) + b"\3abc" + struct.pack(">I", len(block)) + block


def in_photoshop(block: bytes) -> bytes:
    """A JPEG with Photoshop's resources."""
    segment = b"Photoshop 3.0\0" + block
    plain = encoded(quarters(), "JPEG")
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


@pytest.mark.parametrize(
    "make",
    [
        lambda: png(Raw_profile_type_exif=hexadecimal("exif", b"Exif\0\0" + exif_bytes())),
        lambda: png(Raw_profile_type_APP1=hexadecimal("generic", b"Exif\0\0" + exif_bytes())),
        lambda: in_photoshop(resources(0x0422, exif_bytes())),
        lambda: png(Raw_profile_type_8bim=hexadecimal("8bim", resources(0x0422, exif_bytes()))),
    ],
)
def test_exif_in_the_text_of_a_png_and_in_photoshops_resources_is_read(make: Callable[[], bytes]) -> None:
    found = stated(make())
    assert found.camera.make == "Canon"
    assert when(found) == (1_714_564_800_000_000, "exif")


def test_photoshops_resources_in_a_tiff_are_read() -> None:
    block = resources(0x0404, b"\x1c\x02\x05\x00\x03Sea")
    tiff = encoded(quarters(), "TIFF", tiffinfo={34377: block})
    assert stated(tiff).written.title == "Sea"


def test_a_png_says_title_description_and_when_it_was_saved() -> None:
    chunk = struct.pack(">HBBBBB", 2019, 5, 6, 7, 8, 9)
    content = png(Title="Sea", Description="At noon")
    at = content.index(b"IDAT") - 4
    content = content[:at] + struct.pack(">I", 7) + b"tIME" + chunk + bytes(4) + content[at:]
    found = stated(content)
    assert (found.written.title, found.written.description) == ("Sea", "At noon")
    assert when(found) == (1_557_126_489_000_000, "modified")


@pytest.mark.parametrize(
    "text", ["OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "DCIM\\100MEDIA\\DJI_0001.JPG", " ", "Created with GIMP"]
)
def test_what_cameras_write_into_every_photo_is_no_description(text: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = text
    assert stated(encoded(quarters(), "JPEG", exif=exif)).written.description is None


def test_texts_are_one_line_or_lines_and_hold_nothing_that_is_not_seen() -> None:
    found = stated(png(Title="\u202eSea\n\tlake\x07", Description="one\r\ntwo\u200b\n\n" + "x" * 9000)).written
    assert found.title == "Sea lake"
    assert found.description is not None
    assert found.description.startswith("one\ntwo\n\nxxx")
    assert len(found.description) == 5000


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_lens_in_makers_notes_is_read(order: str) -> None:
    text = b"EF24-70mm f/2.8L USM\0"

    def directory(*entries: tuple[int, int, int, bytes]) -> bytes:
        return struct.pack(f"{order}H", len(entries)) + b"".join(
            struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in entries
        )

    def pointer(at: int) -> bytes:
        return struct.pack(f"{order}I", at)

    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    numbers = struct.pack(f"{order}8I", 24, 1, 70, 1, 28, 10, 28, 10)
    nikon = b"Nikon\0\x02\x10\0\0" + header + directory((0x84, 5, 4, pointer(26))) + bytes(4) + numbers
    equipment = directory((0x0203, 2, len(text), pointer(60))) + bytes(4)
    olympus = b"OLYMPUS\0" + header[:2] + b"\3\0" + directory((0x2010, 13, 1, pointer(40))) + bytes(14)
    olympus = olympus.ljust(40, b"\0") + equipment.ljust(20, b"\0") + text
    for make, note, lens in (
        ("NIKON CORPORATION", nikon, "24-70mm f/2.8"),
        ("OLYMPUS CORPORATION", olympus, "EF24-70mm f/2.8L USM"),
    ):
        exif = Image.Exif()
        exif[ExifTags.Base.Make] = make
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = note
        assert stated(encoded(quarters(), "JPEG", exif=exif)).camera.lens == lens
        for cut in range(len(note)):
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = note[:cut]
            stated(encoded(quarters(8, 8), "JPEG", exif=exif))


def test_the_lens_in_canons_note_is_found_though_its_place_is_counted_from_the_exif_block() -> None:
    exif, text = Image.Exif(), b"EF24-70mm f/2.8L USM\0"
    exif[ExifTags.Base.Make] = "Canon"
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    note = struct.pack(">HHHII", 1, 0x95, 2, len(text), 0xAAAAAAAA) + bytes(4) + text
    photo[ExifTags.Base.MakerNote] = note
    block = exif.tobytes()
    at = block.index(note) - 6
    mended = note.replace(struct.pack(">I", 0xAAAAAAAA), struct.pack(">I", at + 18))
    plain = encoded(quarters(), "JPEG", exif=block.replace(note, mended))
    assert stated(plain).camera.lens == "EF24-70mm f/2.8L USM"


def test_a_lens_that_is_told_in_numbers_is_told_in_words() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensSpecification] = (18.0, 55.0, 3.5, 5.6)
    assert stated(encoded(quarters(), "JPEG", exif=exif)).camera.lens == "18-55mm f/3.5-5.6"


@pytest.mark.exiftool
def test_a_heic_whose_picture_is_broken_keeps_its_exif_and_its_small_picture(tmp_path: Path) -> None:
    small = tmp_path / "small.jpg"
    small.write_bytes(encoded(quarters(160, 120), "JPEG"))
    path = picture(tmp_path, "HEIF")
    content = write(path, {"EXIF:Make": "Apple", "ThumbnailImage<": str(small)})
    broken = content.replace(b"hvcC", b"xxxx").replace(b"iloc", b"xxxx")
    found = stated(broken)
    assert found.camera.make == "Apple"
    assert thumbnail_in(found.exif) == small.read_bytes()


@pytest.mark.exiftool
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "HEIF", "JPEG2000"])
def test_no_strangers_bytes_break_the_reading(tmp_path: Path, name: str) -> None:
    content = write(picture(tmp_path, name), {**XMP, **IPTC, **EXIF})
    chance = random.Random(name)
    for _ in range(300):
        broken = mutated(content, chance)
        found = stated_of(broken, format_of(content[:HEAD_BYTES]))
        thumbnail_in(found.exif)
        taken_of(found.times, "a.jpg", 1)


@pytest.mark.exiftool
def test_what_is_told_is_what_exiftool_tells(tmp_path: Path) -> None:
    path = picture(tmp_path, "JPEG")
    content = write(path, {**XMP, **IPTC})
    tool = ["exiftool", "-json", "-n", "-G1", str(path)]
    said: dict[str, Any] = json.loads(subprocess.run(tool, capture_output=True, check=True).stdout)[0]
    found = stated(content)
    assert found.written.title == said["XMP-dc:Title"]
    assert found.written.description == said["XMP-dc:Description"]
    assert found.written.rating == said["XMP-xmp:Rating"]
    assert found.camera.lens == said["XMP-aux:Lens"]
    assert found.camera.latitude == said["XMP-exif:GPSLatitude"]


def test_what_no_parser_foresaw_costs_the_words_of_that_file_alone() -> None:
    class Broken(Image.Exif):
        def __len__(self) -> int:
            raise ValueError("never seen before")

    found = stated_of(encoded(quarters(), "JPEG", exif=with_exif()), "jpeg", Broken())
    assert (found.camera.make, found.written.title) == (None, None)
    assert taken_of(found.times, "IMG_20240501_120000.jpg", 1)[1] == "filename"
