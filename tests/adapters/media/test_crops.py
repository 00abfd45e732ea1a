"""The square around one face, at any size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from adapters.media.crops import face_crop
from domain.base.errors import NotFound, Unreadable
from domain.base.geometry import Box
from tests.adapters.media.material import GREEN, corners, encoded, put, quarters, with_orientation


def opened(content: bytes) -> Image.Image:
    """A JPEG as a picture."""
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    return image


def marked(width: int, height: int, box: Box) -> Image.Image:
    """A black picture with a green rectangle where the box is."""
    image = Image.new("RGB", (width, height))
    left, top = round(box.x * width), round(box.y * height)
    image.paste(GREEN, (left, top, left + round(box.w * width), top + round(box.h * height)))
    return image


@pytest.mark.parametrize("size", [64, 112, 300, 900])
def test_a_face_lies_in_the_middle_of_its_square(tmp_path: Path, size: int) -> None:
    box = Box(0.4, 0.3, 0.2, 0.3)
    image = opened(face_crop(put(tmp_path, "a.jpg", encoded(marked(1200, 800, box), "JPEG")), box, size))
    assert image.size == (size, size)
    green = np.asarray(image)[:, :, 1] > 90
    rows, columns = np.flatnonzero(green.any(axis=1)), np.flatnonzero(green.any(axis=0))
    assert abs(rows.mean() / size - 0.5) < 0.02
    assert abs(columns.mean() / size - 0.5) < 0.02
    assert abs(len(columns) / size - 1 / 1.6) < 0.03  # the box is 240 pixels square, with 0.3 of that on either side


def test_a_box_is_of_the_upright_picture(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", with_orientation(6))
    image = opened(face_crop(path, Box(0.6, 0.1, 0.3, 0.3), 40, padding=0))
    assert corners(image) == ["green"] * 4


@pytest.mark.parametrize("box", [Box(0, 0, 0.2, 0.2), Box(0.9, 0.9, 0.1, 0.1), Box(-0.1, 0.5, 0.2, 0.2)])
def test_a_square_at_the_edge_is_moved_onto_the_picture(tmp_path: Path, box: Box) -> None:
    image = opened(face_crop(put(tmp_path, "a.png", encoded(Image.new("RGB", (300, 200), "white"), "PNG")), box, 50))
    assert image.size == (50, 50)
    assert np.asarray(image).min() > 240


@pytest.mark.parametrize("box", [Box(1.2, 0.2, 0.1, 0.1), Box(0.2, 0.2, 0, 0.1), Box(0.5, 0.5, -0.2, 0.1)])
def test_a_box_that_is_not_on_the_picture_is_refused(tmp_path: Path, box: Box) -> None:
    with pytest.raises(Unreadable, match="not on the picture"):
        face_crop(put(tmp_path, "a.jpg", encoded(quarters(), "JPEG")), box, 50)


SIDE = st.floats(-0.5, 1.5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.builds(Box, SIDE, SIDE, SIDE, SIDE), st.integers(1, 80), st.floats(0, 3), st.integers(1, 90), st.integers(1, 90)
)
def test_any_box_gives_a_square_of_the_size_asked_for_or_is_refused(
    tmp_path: Path, box: Box, size: int, padding: float, width: int, height: int
) -> None:
    path = put(tmp_path, "a.jpg", encoded(Image.new("RGB", (width, height)), "JPEG"))
    try:
        content = face_crop(path, box, size, padding)
    except Unreadable:
        return
    assert opened(content).size == (size, size)


def test_what_cannot_be_decoded_or_found_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="not a picture: text"):
        face_crop(put(tmp_path, "a.jpg", b"text"), Box(0, 0, 1, 1), 50)
    with pytest.raises(Unreadable):
        face_crop(put(tmp_path, "a.jpg", b"\xff\xd8\xff"), Box(0, 0, 1, 1), 50)
    with pytest.raises(NotFound):
        face_crop(bytes(tmp_path / "gone.jpg"), Box(0, 0, 1, 1), 50)
