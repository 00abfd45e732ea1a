"""Which files are of one stack, and which stands before which."""

from __future__ import annotations

from typing import Any

import pytest

from domain.media import FileFacts
from domain.stacks import ALONE, CLIP, PICTURE, RAW, RAW_WITHOUT_PICTURE, stack_key, stack_rank


@pytest.mark.parametrize("path", ["Trip/IMG_1.JPG", "Trip/img_1.cr2", "Trip/Img_1.mov"])
def test_files_of_one_folder_and_name_are_of_one_stack(path: str) -> None:
    assert stack_key(path) == "Trip/img_1"


@pytest.mark.parametrize(
    "path", ["trip/IMG_1.JPG", "IMG_1.JPG", "Trip/IMG_1.a.JPG", "Trip/IMG_1/.JPG", "Trip/IMG_10.JPG"]
)
def test_another_folder_or_name_is_another_stack(path: str) -> None:
    assert stack_key(path) != stack_key("Trip/IMG_1.JPG")


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
