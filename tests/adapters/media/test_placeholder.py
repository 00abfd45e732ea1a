"""The placeholder of a photo is the ThumbHash that every other encoder makes of it."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from PIL import Image

from adapters.media.placeholder import placeholder_of
from tests.adapters.media.material import scene


def pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture as an array."""
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (scene(64, 48), "o2cGTYj4hJbGVHdohoiYd4+M2LFQ"),
        (scene(48, 64), "omcCTQjchflhp1N4h3t6h4+M2LFQ"),
        (scene(64, 9), "4mcGSYiMovaIh4h3j4y4oVA="),
        (scene(50, 50), "omcCTwi/dZq5codYlpaoiIZ3+MiIHQsF"),
    ],
)
def test_the_placeholder_equals_that_of_the_reference_encoder(image: Image.Image, expected: str) -> None:
    """The expected values were made with the package thumbhash-python 1.0.1."""
    assert placeholder_of(pixels(image)) == expected


def test_a_flat_picture_has_its_colour_and_nothing_else() -> None:
    header = int.from_bytes(
        base64.b64decode(placeholder_of(pixels(Image.new("RGB", (300, 200), (255, 0, 0)))))[:5], "little"
    )
    lightness, yellow_blue, red_green = header & 63, header >> 6 & 63, header >> 12 & 63
    assert (lightness, yellow_blue, red_green) == (21, 47, 63)
    assert (header >> 18 & 31, header >> 27 & 63, header >> 33 & 63) == (0, 0, 0)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3), (1440, 1080)])
def test_every_shape_has_a_short_placeholder(size: tuple[int, int]) -> None:
    assert 5 < len(base64.b64decode(placeholder_of(pixels(scene(*size))))) <= 32
