"""Which photos are of one burst, and which of them stands for the others."""

from __future__ import annotations

from typing import Any

import pytest

from domain.events.burst import BurstJoined, BurstLeft, Shot
from domain.events.media import ALONE, CLIP, PICTURE, RAW
from domain.rules.bursts import burst_rank, bursts_of, changes_of
from domain.rules.stacks import burst_of, stack_of

SECOND = 1_000_000
NOON = 1_700_000_000 * SECOND


def shot(number: int, path: str, seconds: float = 0.0, **facts: Any) -> Shot:
    """A photo of one phone, taken so many seconds after noon."""
    known: dict[str, Any] = {
        "make": "Maker",
        "model": "Phone",
        "taken_at": NOON + round(seconds * SECOND),
        "taken_source": "exif",
        "burst": None,
        "stack": stack_of(1, path),
        "stack_rank": PICTURE,
        **facts,
    }
    return Shot(number, 1, path, **known)


def series(*seconds: float, **facts: Any) -> list[Shot]:
    """Photos with a name each, numbered as they were taken."""
    return [shot(number, f"a/IMG_{number:04}.jpg", at, **facts) for number, at in enumerate(seconds, 1)]


def orders(shots: list[Shot]) -> dict[int, int]:
    """The order of each that is of a burst, by id; there is one burst at most."""
    found = bursts_of(shots)
    assert len({burst for burst, _ in found.values()}) <= 1
    return {id_: order for id_, (_, order) in found.items()}


def test_three_photos_within_a_second_each_are_a_burst_in_the_order_of_their_times() -> None:
    shots = [shot(1, "a/3.jpg", 1.25), shot(2, "a/2.jpg", 0.75), shot(3, "a/1.jpg", 0.1), shot(4, "a/4.jpg", 2.26)]
    assert orders(shots) == {3: 0, 2: 1, 1: 2}


@pytest.mark.parametrize(
    "shots",
    [
        series(0.1, 0.5),
        series(0.0, 1.0, 2.0, 3.0),
        series(0.1, 1.2, 2.3, 3.4),
        series(*(number * 0.99 for number in range(40))),
        series(0.1, 0.2, 0.3, taken_source="mtime"),
        series(0.1, 0.2, 0.3, taken_source="filename"),
        series(0.1, 0.2, 0.3, make=None, model=None),
        [*series(0.1, 0.2), shot(9, "a/9.jpg", 0.3, model="Other")],
        [*series(0.1, 0.2), shot(9, "a/9.jpg", 0.3, stack_rank=ALONE)],
    ],
    ids=["two", "no parts of seconds", "slow", "half a minute", "mtime", "name", "no camera", "two cameras", "broken"],
)
def test_times_alone_make_no_burst_of(shots: list[Shot]) -> None:
    assert bursts_of(shots) == {}


def test_one_photo_on_the_full_second_is_of_the_burst_too() -> None:
    assert orders(series(0.5, 0.75, 1.0, 1.25)) == {1: 0, 2: 1, 3: 2, 4: 3}


def test_a_copy_of_a_photo_and_the_photo_itself_are_left_out() -> None:
    shots = [*series(0.1, 0.3, 0.5, 0.7), shot(9, "a/IMG_0002 edited.jpg", 0.3)]
    assert orders(shots) == {1: 0, 3: 1, 4: 2}


def test_a_photo_that_was_saved_in_two_formats_is_left_out() -> None:
    shots = [*series(0.1, 0.3, 0.5, 0.7), shot(9, "a/IMG_0002.png", 0.3)]
    assert orders(shots) == {1: 0, 3: 1, 4: 2}


def test_raws_and_clips_go_with_their_photos() -> None:
    shots = [
        *series(0.1, 0.3, 0.5),
        shot(8, "a/img_0002.dng", 0.3, stack_rank=RAW),
        shot(9, "a/IMG_0002.mov", 0.1, stack_rank=CLIP, make=None, model=None),
    ]
    assert orders(shots) == {1: 0, 2: 1, 8: 1, 9: 1, 3: 2}


def test_what_the_camera_says_makes_a_burst_of_two_whatever_their_times() -> None:
    shots = series(0.0, 5.0, burst="C7A1")
    assert orders(shots) == {1: 0, 2: 1}
    assert bursts_of([shots[0], shot(2, "a/IMG_0002.jpg", 5.0, burst="C7A2")]) == {}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["00000IMG_00000_BURST20180718160253123.jpg", "00001IMG_00001_BURST20180718160253123_COVER.jpg"], 1),
        (["DSC_0002_BURST20180718160253123.JPG", "DSC_0010_BURST20180718160253123.JPG"], 0),
        (["IMG_20160814_145910_BURST001.jpg", "IMG_20160814_145910_BURST002_COVER.jpg"], 1),
        (["IMG_20160814_145910_Burst10.jpg", "IMG_20160814_145910_Burst9.jpg"], 1),
        (["PXL_20240131_235959123.BURST-02.jpg", "PXL_20240131_235959123.BURST-01.COVER.jpg"], 1),
        (["PXL_20240131_235959123.RAW-02.ORIGINAL.dng", "PXL_20240131_235959123.RAW-01.COVER.jpg"], 1),
    ],
)
def test_the_names_that_phones_give_make_a_burst_and_choose_who_stands_for_it(names: list[str], chosen: int) -> None:
    shots = [shot(number, f"a/{name}", taken_source="mtime") for number, name in enumerate(names)]
    assert orders(shots) == {chosen: 0, 1 - chosen: 1}


@pytest.mark.parametrize(
    "names",
    [
        ["sun_burst_1.jpg", "sun_burst_2.jpg"],
        ["IMG_20160814_145910_BURST001.jpg", "IMG_20160814_145911_BURST001.jpg"],
        ["IMG_20160814_145910_BURST001.jpg"],
        ["IMG_20160814_145910_RAW-01.jpg", "IMG_20160814_145910_RAW-02.jpg"],
    ],
)
def test_other_names_make_none(names: list[str]) -> None:
    assert bursts_of([shot(number, name, taken_source="mtime") for number, name in enumerate(names)]) == {}


def test_what_is_as_it_should_be_is_not_said_again() -> None:
    shots = series(0.1, 0.3, 0.5)
    changes = changes_of(shots)
    assert [change for change in changes if isinstance(change, BurstJoined)] == changes
    assert len(changes) == 3
    joined = {change.media_id: change for change in changes if isinstance(change, BurstJoined)}
    now = [
        shot(
            each.id,
            each.path,
            stack=burst_of(1, "a", joined[each.id].burst),
            stack_rank=burst_rank(each.rank, joined[each.id].order),
            taken_at=each.taken_at,
        )
        for each in shots
    ]
    assert [each.rank for each in now] == [PICTURE] * 3
    assert changes_of(now) == []
    assert changes_of(now[:2]) == [BurstLeft(1, 1, "a/IMG_0001.jpg"), BurstLeft(2, 1, "a/IMG_0002.jpg")]


def test_a_burst_has_a_number_of_its_own_in_each_library_and_folder() -> None:
    numbers = {burst_of(library, folder, "img_1") for library in (1, 2) for folder in ("", "a", "a/b")}
    assert len(numbers) == 6
    assert numbers.isdisjoint(stack_of(1, path) for path in ("IMG_1.jpg", "a/IMG_1.jpg", "a/b/IMG_1.jpg"))
