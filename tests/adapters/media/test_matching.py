"""One picture laid on another: what an editor makes of a photo is found on it, and another photo is not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps

from adapters.media.matching import placement_in, placement_of
from domain.base.errors import Unreadable
from domain.base.geometry import WHOLE, Box, Placement, intersection_over_union

NAMES = ("biden.jpg", "obama2.jpg", "obama3.jpg", "chelsea.png", "coffee.png", "rocket.jpg")
ALIKE = (
    "biden.jpg",
    "obama.jpg",
    "obama2.jpg",
    "obama3.jpg",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "astronaut.png",
)


def part(left: float, top: float, right: float, bottom: float) -> Callable[[Image.Image], Image.Image]:
    def crop(picture: Image.Image) -> Image.Image:
        w, h = picture.size
        return picture.crop((round(left * w), round(top * h), round(w - right * w), round(h - bottom * h)))

    return crop


def turned(how: Image.Transpose) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: picture.transpose(how)


EDITS: dict[str, tuple[Callable[[Image.Image], Image.Image], Placement]] = {
    "a fifth off the left": (part(0.2, 0, 0, 0), Placement(Box(0.2, 0, 0.8, 1))),
    "15 % off all sides": (part(0.15, 0.15, 0.15, 0.15), Placement(Box(0.15, 0.15, 0.7, 0.7))),
    "a quarter off all sides": (part(0.25, 0.25, 0.25, 0.25), Placement(Box(0.25, 0.25, 0.5, 0.5))),
    "turned right": (turned(Image.Transpose.ROTATE_270), Placement(orientation=6)),
    "turned around": (turned(Image.Transpose.ROTATE_180), Placement(orientation=3)),
    "turned left": (turned(Image.Transpose.ROTATE_90), Placement(orientation=8)),
    "mirrored": (turned(Image.Transpose.FLIP_LEFT_RIGHT), Placement(orientation=2)),
    "black and white": (lambda picture: picture.convert("L"), Placement()),
    "lighter": (lambda picture: ImageEnhance.Brightness(picture).enhance(1.4), Placement()),
    "harder": (lambda picture: ImageEnhance.Contrast(picture).enhance(1.6), Placement()),
    "framed": (
        lambda picture: ImageOps.expand(picture, picture.width // 20, "white"),
        Placement(Box(-0.05, -0.05, 1.1, 1.1)),
    ),
    "cropped and turned": (
        lambda picture: part(0.1, 0.2, 0.1, 0)(picture).transpose(Image.Transpose.ROTATE_270),
        Placement(Box(0.1, 0.2, 0.8, 0.8), 6),
    ),
}


def small(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        copy = picture.convert("RGB")
    copy.thumbnail((512, 512))
    return copy


@pytest.mark.parametrize("how", EDITS)
def test_an_edited_photo_shows_the_one_that_it_was(sample_photos: Path, how: str) -> None:
    change, expected = EDITS[how]
    for name in NAMES:
        picture = small(sample_photos / name)
        found = placement_of(picture, change(picture))
        assert found is not None, name
        assert found.orientation == expected.orientation, name
        least = 0.6 if how == "framed" else 0.85  # a border leaves less of the picture to go by
        assert intersection_over_union(found.window, expected.window) > least, (name, found)


def test_photos_of_different_things_and_people_show_nothing_of_each_other(sample_photos: Path) -> None:
    pictures = {name: small(sample_photos / name) for name in ALIKE}
    assert [
        (one, other)
        for one, other in itertools.permutations(pictures, 2)
        if placement_of(pictures[one], pictures[other]) is not None
    ] == []


def test_pictures_of_one_tone_are_taken_for_each_other_only_where_they_are_equal() -> None:
    grey, white = Image.new("RGB", (64, 48), "grey"), Image.new("RGB", (64, 48), "white")
    assert placement_of(grey, white) is None
    assert placement_of(grey, grey.resize((48, 64))) is None
    assert placement_of(grey, grey.copy()) == Placement()


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    Image.new("L", (8, 8)).save(tmp_path / "b.jpg")
    with pytest.raises(Unreadable, match="cannot be read"):
        placement_in(bytes(tmp_path / "a.jpg"), bytes(tmp_path / "b.jpg"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_lies_where_the_picture_was_turned_to_and_back(orientation: int) -> None:
    placement = Placement(Box(0.25, 0.125, 0.5, 0.5), orientation)
    box = Box(0.375, 0.25, 0.125, 0.25)
    there = placement.of(box)
    assert there is not None
    assert placement.inverse.of(there) == box
    assert placement.of(Box(0, 0, 0.3, 0.1)) is None
    assert placement.inverse.inverse == placement
    assert placement.unclamped(placement.window) == WHOLE
