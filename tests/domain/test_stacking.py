"""Which files one press of the shutter left: names bring them together, and what they state parts them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.events.burst import BurstLeft, Shot
from domain.events.media import CLIP, PICTURE, RAW, RAW_WITHOUT_PICTURE
from domain.events.stack import StackJoined
from domain.rules.bursts import changes_of
from domain.rules.stacking import keys_of, stacks_in
from domain.rules.stacks import burst_of, stack_of

SECOND = 1_000_000
HOUR = 3600 * SECOND
NOON = 1_700_000_000 * SECOND
RANKS = {"mov": CLIP, "mp4": CLIP, "mp": CLIP, "dng": RAW, "cr2": RAW}
FORMATS = {"jpg": "jpeg", "heic": "heic", "png": "png", "dng": "dng", "cr2": "cr2", "mov": "mov", "mp4": "mp4"}


def shot(number: int, path: str, later: float = 0, **facts: Any) -> Shot:
    """A file that states a time so many seconds after noon, of a kind by its extension."""
    ending = path.rpartition(".")[2].lower()
    known: dict[str, Any] = {
        "make": None,
        "model": None,
        "taken_at": NOON + round(later * SECOND),
        "taken_source": "video" if RANKS.get(ending) == CLIP else "exif",
        "burst": None,
        "stack": stack_of(1, path),
        "stack_rank": RANKS.get(ending, PICTURE),
        "format": FORMATS.get(ending, "mp4"),
        **facts,
    }
    return Shot(number, 1, path, **known)


def together(*shots: Shot) -> list[list[str]]:
    """The names of the files of each stack."""
    return sorted([shot.path.rpartition("/")[2] for shot in stack] for stack in stacks_in(shots))


def test_files_of_one_name_that_say_nothing_against_it_stay_together() -> None:
    files = [
        shot(1, "a/I.heic", 3),
        shot(2, "a/I.mov", 5),
        shot(3, "a/I.dng", 4),
        shot(4, "a/J.jpg"),
        shot(5, "a/K.mov"),
    ]
    assert together(*files) == [["I.heic", "I.dng", "I.mov"], ["J.jpg"], ["K.mov"]]
    assert keys_of(stacks_in(files)) == {}


@pytest.mark.parametrize(
    ("later", "facts", "is_one"),
    [
        (17 * 86400, {}, False),
        (61, {}, False),
        (59, {}, True),
        (5 * 3600 + 20, {}, True),
        (-5.75 * 3600, {}, True),
        (15 * 3600, {}, False),
        (20 * 60, {}, False),
        (17 * 86400, {"taken_source": "mtime"}, True),
        (17 * 86400, {"taken_source": "filename"}, True),
        (17 * 86400, {"taken_source": "modified"}, True),
        (17 * 86400, {"taken_at": None}, True),
        (15 * 3600, {"taken_offset": 540}, True),
    ],
)
def test_a_clip_of_another_time_is_of_no_photo_but_for_whole_time_zones(
    later: float, facts: dict[str, Any], is_one: bool
) -> None:
    photo = shot(1, "a/IMG_2.JPG", taken_offset=-360 if facts.get("taken_offset") else None)
    clip = shot(2, "a/IMG_2.MOV", later, **facts)
    assert together(photo, clip) == ([["IMG_2.JPG", "IMG_2.MOV"]] if is_one else [["IMG_2.JPG"], ["IMG_2.MOV"]])


@pytest.mark.parametrize(
    ("mine", "theirs", "is_one"),
    [
        (("Canon", "Canon EOS 5D"), ("Canon", "Canon EOS 5D Mark IV"), False),
        (("NIKON CORPORATION", "NIKON D750"), ("Nikon", "D750"), True),
        (("OLYMPUS IMAGING CORP.", None), ("OLYMPUS CORPORATION", None), True),
        (("Apple", None), ("Canon", None), False),
        (("Apple", "iPhone 12"), (None, "iPhone 12"), True),
        (("Apple", "iPhone 12"), (None, None), True),
        ((" ", "iPhone 12"), ("", "iPhone 13"), False),
    ],
)
def test_a_raw_of_another_camera_is_of_no_photo(
    mine: tuple[str | None, str | None], theirs: tuple[str | None, str | None], is_one: bool
) -> None:
    files = [shot(1, "DSC2.JPG", make=mine[0], model=mine[1]), shot(2, "DSC2.dng", make=theirs[0], model=theirs[1])]
    assert len(stacks_in(files)) == (1 if is_one else 2)


@pytest.mark.parametrize("ending", ["png", "gif", "webp", "tif", "bmp"])
def test_what_no_camera_takes_live_photos_in_is_no_live_photo(ending: str) -> None:
    assert together(shot(1, f"S.{ending}", format=ending), shot(2, "S.MOV")) == [["S.MOV"], [f"S.{ending}"]]


def test_a_clip_stands_behind_one_picture_alone_and_a_raw_with_that() -> None:
    files = [shot(1, "a/I.jpg"), shot(2, "a/I.heic"), shot(3, "a/I.mov"), shot(4, "a/I.dng")]
    assert together(*files) == [["I.heic", "I.dng", "I.mov"], ["I.jpg"]]
    assert keys_of(stacks_in(files)) == {1: "file I.jpg", 2: "file I.heic", 3: "file I.heic", 4: "file I.heic"}


def test_a_raw_stands_behind_those_pictures_of_its_name_that_it_agrees_with() -> None:
    files = [shot(1, "I.jpg"), shot(2, "I.png", 9e6), shot(3, "I.dng"), shot(4, "I.cr2", 2e8)]
    assert together(*files) == [["I.cr2"], ["I.jpg", "I.dng"], ["I.png"]]


def test_a_raw_without_a_picture_stands_behind_its_raw_and_a_clip_behind_a_raw() -> None:
    lost = shot(2, "I.cr2", stack_rank=RAW_WITHOUT_PICTURE)
    assert together(shot(1, "I.dng"), lost, shot(3, "I.mov")) == [["I.dng", "I.cr2", "I.mov"]]


UUID = "5D2A1B3C-0F1E-4A5B-8C7D-112233445566"


@pytest.mark.parametrize(
    ("photo", "clip"),
    [
        ("X.HEIC", "X.HEIC.MOV"),
        ("X.heic", "x.HEIC.mov"),
        ("PXL_1.MP.jpg", "PXL_1.MP"),
        ("PXL_1.MP.jpg", "PXL_1.MP.mp4"),
        (f"{UUID}.heic", f"{UUID}_3.mov"),
        (f"{UUID}.heic", f"{UUID.lower()}_3.mov"),
    ],
)
def test_names_that_programs_make_of_one_bring_a_clip_to_its_photo(photo: str, clip: str) -> None:
    files = [shot(1, f"a/{photo}"), shot(2, f"a/{clip}"), shot(3, f"a/other {photo}")]
    assert [photo, clip] in together(*files)
    assert len(together(*files)) == 2


@pytest.mark.parametrize(("photo", "clip"), [("IMG_1.heic", "IMG_1_3.mov"), ("X.HEIC", "X.JPG.MOV")])
def test_other_names_are_not_one(photo: str, clip: str) -> None:
    assert len(stacks_in([shot(1, photo), shot(2, clip)])) == 2


def test_what_is_to_be_said_is_said_once_and_taken_back_where_a_file_comes_that_explains_it() -> None:
    files = [shot(1, "a/I.JPG"), shot(2, "a/I.MOV", 9e6)]
    changes = changes_of(files)
    assert changes == [StackJoined(1, 1, "a", "file I.JPG"), StackJoined(2, 1, "a", "file I.MOV")]
    parted = [
        shot(1, "a/I.JPG", stack=burst_of(1, "a", "file I.JPG")),
        shot(2, "a/I.MOV", 9e6, stack=burst_of(1, "a", "file I.MOV")),
    ]
    assert changes_of(parted) == []
    now = [parted[0], shot(2, "a/I.MOV", 0, stack=parted[1].stack)]
    assert changes_of(now) == [BurstLeft(1, 1, "a/I.JPG"), BurstLeft(2, 1, "a/I.MOV")]
