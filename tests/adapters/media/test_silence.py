"""Decoders' own lines do not reach the log, where nobody could tell which file they are about."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.media.indexing import index_file
from adapters.media.silence import unheard
from tests.adapters.media.material import encoded, put, scene
from tests.adapters.media.tiffs import tiff


def torn(content: bytes) -> bytes:
    """The same with its picture overwritten."""
    half = len(content) // 2
    return content[: half // 2] + b"\xff" * half + content[half // 2 + half :]


TORN = {
    "libtiff by Pillow": torn(encoded(scene(300, 200), "TIFF", compression="tiff_lzw")),
    "libtiff by OpenCV": tiff(np.zeros((60, 80, 3)), depth=12)[:500],
    "libjpeg": torn(encoded(scene(300, 200), "JPEG")),
    "openjpeg": torn(encoded(scene(300, 200), "JPEG2000")),
    "libheif": torn(encoded(scene(300, 200), "HEIF")),
}


@pytest.mark.parametrize("name", TORN)
def test_native_decoders_are_not_heard(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    index_file(put(tmp_path, "a.tif", TORN[name]), f"{tmp_path}/renditions", "photo")
    assert capfd.readouterr().err == ""


def test_libtiff_does_complain(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="decoder error"), Image.open(io.BytesIO(TORN["libtiff by Pillow"])) as image:
        image.load()
    assert "tempfile.tif: " in capfd.readouterr().err


def test_afterwards_all_is_heard_again(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileNotFoundError), unheard():
        os.stat("/no/such/file" * os.write(2, b"w"))
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
