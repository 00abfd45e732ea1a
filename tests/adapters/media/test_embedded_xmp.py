"""What other programs wrote into a photo is found in every format, with how the picture is stored."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from adapters.files.xmp import Xmp
from adapters.media.embedded_xmp import EmbeddedXmp, embedded_xmp
from domain.base.errors import NotFound, Unreadable
from tests.adapters.media.material import encoded, jxl, quarters
from tests.adapters.media.raws import BUILDERS, PREVIEW

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "heic": "HEIF", "avif": "AVIF"}


def embedded(path: Path, *tags: str) -> EmbeddedXmp:
    """What is found after exiftool wrote these."""
    subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, path], check=True, capture_output=True)
    return embedded_xmp(os.fsencode(path))


@pytest.mark.exiftool
@pytest.mark.parametrize("extension", FORMATS)
def test_what_exiftool_wrote_into_a_photo_is_found(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    path.write_bytes(encoded(quarters(), FORMATS[extension]))
    assert embedded_xmp(os.fsencode(path)) == EmbeddedXmp(None, (), 1)
    found = embedded(path, "-XMP-dc:Subject=Beach")
    assert found.packet is not None
    assert Xmp(found.packet).description(None).keywords == ("Beach",)


@pytest.mark.exiftool
@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("extension", "orientation"), [("jp2", 6), ("cr3", 6), ("jxl", 1), ("arw", 6), ("dng", 6), ("nef", 6)]
)
def test_what_exiftool_wrote_into_boxes_and_raw_files_is_found(
    tmp_path: Path, extension: str, orientation: int
) -> None:
    made = {"jp2": encoded(quarters(), "JPEG2000"), "jxl": jxl(quarters())}
    path = tmp_path / f"a.{extension}"
    path.write_bytes(made.get(extension) or BUILDERS[extension](PREVIEW, 1))
    found = embedded(path, "-m", "-XMP-dc:Subject=Beach", "-n", "-EXIF:Orientation=6")
    assert found.packet is not None
    assert Xmp(found.packet).description(None).keywords == ("Beach",)
    assert found.orientation == orientation


@pytest.mark.exiftool
def test_how_the_picture_is_stored_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(quarters(), "JPEG"))
    assert embedded(path, "-n", "-Orientation=6").orientation == 6


@pytest.mark.exiftool
@pytest.mark.parametrize("charset", ["UTF8", "Latin"])
def test_keywords_from_before_there_was_xmp_are_found_in_either_alphabet(tmp_path: Path, charset: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(quarters(), "JPEG"))
    found = embedded(path, "-charset", f"iptc={charset}", "-IPTC:Keywords=Straße", "-IPTC:Keywords=Beach")
    assert (found.packet, found.keywords) == (None, ("Straße", "Beach"))


def test_a_file_that_is_gone_or_is_no_photo_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        embedded_xmp(os.fsencode(tmp_path / "no.jpg"))
    for name, content in (("words.jpg", b"words"), ("half.png", encoded(quarters(), "PNG")[:60])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unreadable):
            embedded_xmp(os.fsencode(tmp_path / name))
