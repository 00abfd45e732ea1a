"""Which files are of one stack, and which stands before which."""

from __future__ import annotations

from typing import Any

import pytest

from domain.events.media import ALONE, CLIP, PICTURE, RAW, RAW_WITHOUT_PICTURE, FileFacts
from domain.rules.stacks import stack_key, stack_of, stack_rank


@pytest.mark.parametrize("path", ["Trip/IMG_1.JPG", "Trip/img_1.cr2", "Trip/Img_1.mov"])
def test_files_of_one_folder_and_name_are_of_one_stack(path: str) -> None:
    assert stack_key(path) == "Trip/img_1"


@pytest.mark.parametrize(
    "path", ["trip/IMG_1.JPG", "IMG_1.JPG", "Trip/IMG_1.a.JPG", "Trip/IMG_1/.JPG", "Trip/IMG_10.JPG"]
)
def test_another_folder_or_name_is_another_stack(path: str) -> None:
    assert stack_key(path) != stack_key("Trip/IMG_1.JPG")


def test_the_number_of_a_stack_is_that_of_its_library_folder_and_name() -> None:
    assert stack_of(1, "Trip/IMG_1.JPG") == stack_of(1, "Trip/img_1.cr2")
    others = {stack_of(2, "Trip/IMG_1.JPG"), stack_of(1, "Trip/IMG_2.JPG"), stack_of(1, "IMG_1.JPG")}
    assert len(others - {stack_of(1, "Trip/IMG_1.JPG")}) == 3
    assert all(-(2**63) <= number < 2**63 for number in others)


def test_a_name_without_extension_or_with_nothing_else_is_its_own() -> None:
    assert [stack_key(path) for path in ("IMG_1", ".jpg", "a/.JPG")] == ["img_1", ".jpg", "a/.jpg"]


@pytest.mark.parametrize(
    ("facts", "rank"),
    [
        ({"kind": "photo", "format": "jpeg", "width": 9}, PICTURE),
        ({"kind": "photo", "format": "heic", "width": 9}, PICTURE),
        ({"kind": "photo", "format": "nef", "width": 9}, RAW),
        ({"kind": "photo", "format": "nef"}, RAW_WITHOUT_PICTURE),
        ({"kind": "photo", "format": "jpeg"}, ALONE),
        ({"kind": "video", "duration": 5.0}, CLIP),
        ({"kind": "video", "duration": 5.01}, ALONE),
        ({"kind": "video"}, CLIP),
    ],
)
def test_pictures_come_before_raws_before_short_clips(facts: dict[str, Any], rank: int) -> None:
    assert stack_rank(FileFacts(1, 1, **facts)) == rank
