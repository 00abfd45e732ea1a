"""The hash of a coded picture is what it was after somebody wrote about the photo, and another after the picture
changed."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from adapters.media.coded_data import film_hash, picture_hash
from adapters.media.magic import format_of
from tests import footage

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
SAVED: dict[str, dict[str, object]] = {
    "jpg": {"quality": 80},
    "progressive.jpg": {"quality": 80, "progressive": True},
    "png": {},
    "webp": {"lossless": True},
    "tif": {},
    "big.tif": {"big_tiff": True},
    "jp2": {},
    "avif": {},
    "heic": {},
}
WRITABLE = [name for name in SAVED if name != "big.tif"]


def picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8))


def saved(name: str, seed: int = 1) -> bytes:
    """A picture in the format that the suffix says."""
    buffer = io.BytesIO()
    if name == "heic":
        pillow_heif.from_pillow(picture(seed)).save(buffer, quality=60)
    else:
        suffix = name.rpartition(".")[2]
        kind = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(suffix, suffix.upper())
        picture(seed).save(buffer, kind, **SAVED[name])
    return buffer.getvalue()


def hashed(content: bytes) -> str | None:
    return picture_hash(content, format_of(content[:4096]) or "")


@needs_exiftool
@pytest.mark.parametrize("name", WRITABLE)
def test_words_that_are_written_into_a_photo_leave_the_hash_of_its_picture(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(saved(name))
    before = hashed(path.read_bytes())
    words = ["-XMP:Rating=5", "-EXIF:ImageDescription=By the sea", "-Orientation#=6", "-m"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *words, path], check=True, timeout=60)
    assert path.read_bytes() != saved(name)
    assert before is not None
    assert hashed(path.read_bytes()) == before


@pytest.mark.parametrize("name", [name for name in SAVED if name != "big.tif"])
def test_another_picture_has_another_hash(name: str) -> None:
    assert hashed(saved(name)) != hashed(saved(name, seed=2))


@pytest.mark.parametrize("name", SAVED)
def test_what_is_cut_off_or_spoilt_is_hashed_or_not_and_never_an_error(name: str) -> None:
    whole = saved(name)
    kind = format_of(whole[:4096]) or ""
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        picture_hash(whole[:length], kind)
        picture_hash(whole[:length] + b"\xff" * 40 + whole[length + 40 :], kind)


def test_a_format_that_is_not_known_here_has_no_hash() -> None:
    assert picture_hash(b"GIF89a....", "gif") is None


@needs_exiftool
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_words_that_are_written_into_a_video_leave_the_hash_of_its_film(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    footage.footage(path, seconds=1)
    with path.open("rb") as file:
        before = film_hash(file)
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP:Rating=5", path], check=True, timeout=60)
    with path.open("rb") as file:
        assert (before is not None, film_hash(file)) == (True, before)
    assert film_hash(io.BytesIO(saved("jpg"))) is None
