"""Of the files of a stack that fit, the foremost alone is on the timeline, whatever became of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.persons import create_person
from domain.commands.tags import tag_contents
from domain.events.media import FileFacts
from projections.queries import timeline
from projections.queries.photo_filter import PhotoFilter
from tests.store.plans import plans_of


def content(number: int) -> bytes:
    return bytes([number]) * 32


def file(path: str, number: int, **facts: Any) -> ReadFile:
    known = {"kind": "photo", "taken_at": number * 1_000_000, "format": "jpeg", "width": 10, "height": 10, **facts}
    return ReadFile(path, content(number), FileFacts(number, 1, **known))


def raw(path: str, number: int, **facts: Any) -> ReadFile:
    return file(path, number, format="nef", **facts)


def clip(path: str, number: int, seconds: float | None = 2.5, **facts: Any) -> ReadFile:
    return file(path, number, kind="video", format="mov", duration=seconds, **facts)


FILES = [
    file("a/IMG_1.JPG", 1, make="Nikon", latitude=47.0, longitude=8.0),
    raw("a/img_1.nef", 2, make="Nikon"),
    clip("a/IMG_1.mov", 3),
    raw("a/IMG_2.nef", 4),
    clip("a/IMG_2.mov", 5),
    clip("a/IMG_3.mov", 6),
    file("a/IMG_4.jpg", 7),
    clip("a/IMG_4.mov", 8, 600.0),
    file("a/IMG_5.jpg", 9),
    file("a/IMG_5.png", 10, format="png"),
    raw("a/IMG_5.nef", 11),
    raw("b/IMG_1.nef", 12),
    file("a/IMG_6.jpg", 13, width=None, problem="broken"),
    raw("a/IMG_6.nef", 14),
    clip("a/IMG_7.mov", 15, None),
    file("a/IMG_7.heic", 16, format="heic"),
]
BEHIND = {"a/img_1.nef", "a/IMG_1.mov", "a/IMG_2.mov", "a/IMG_5.nef", "a/IMG_7.mov"}
SHOWN = {each.path for each in FILES} - BEHIND
FILTERS: list[dict[str, Any]] = [
    {},
    {"folder": "a"},
    {"folder": "a", "recursive": False},
    {"kind": "video"},
    {"kind": "photo"},
    {"tags": ("raws",)},
    {"tags": ("raws", "clips")},
    {"tags": ("raws", "clips"), "exclude_tags": ("firsts",)},
    {"exclude_tags": ("firsts",)},
    {"exclude_tags": ("raws", "firsts")},
    {"has_gps": False},
    {"within": (46.0, 7.0, 48.0, 9.0)},
    {"taken_from": 2_000_000, "taken_to": 9_000_000},
    {"camera": "nikon"},
    {"q": "nef"},
    {"q": "img_1"},
    {"q": "clips"},
    {"persons": (1,)},
]


@pytest.fixture
def stacked(ledger: Ledger) -> Ledger:
    """Stacks in one library, and a RAW of the first one's name in another."""
    for name in ("one", "two"):
        with ledger.transaction(CLI) as uow:
            add_library(uow, f"/{name}", name)
    for library, files in ((1, FILES), (2, [raw("a/IMG_1.nef", 40)])):
        change(ledger, library, files)
    for name, numbers in (("raws", (2, 4, 11, 14)), ("clips", (3, 5, 6, 8)), ("firsts", (1, 9))):
        with ledger.transaction(CLI) as uow:
            tag_contents(uow, [content(number) for number in numbers], name)
    with ledger.transaction(CLI) as uow:
        create_person(uow, "Ann")
    return ledger


def change(ledger: Ledger, library: int, files: list[ReadFile], **more: Any) -> None:
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, library, files, **more)


def found(ledger: Ledger, **narrowed: Any) -> list[str]:
    """The paths that fit, in every order the same ones, page after page of two, and as many as are counted."""
    narrow = PhotoFilter(**narrowed)
    pages: dict[str, list[str]] = {}
    with ledger.reading(CLI) as lookups:
        for sort, (column, _) in timeline.SORTS.items():
            rows, total = lookups.timeline.first_page(narrow, sort=sort, limit=2)
            paths = [f"{row['library_id']}/{row['path']}" for row in rows]
            while rows:
                after = (rows[-1][column], rows[-1]["id"])
                rows = lookups.timeline.page(narrow, sort=sort, after=after, limit=2)
                paths += [f"{row['library_id']}/{row['path']}" for row in rows]
            assert len(paths) == lookups.timeline.count(narrow), (narrowed, sort)
            assert total == len(paths) or (total is None and narrow.q), (narrowed, sort)
            pages[sort] = sorted(paths)
    assert pages["name"] == pages["taken_at"] == pages["discovered"]
    return pages["name"]


def foremost(ledger: Ledger, **narrowed: Any) -> list[str]:
    """The same by a look at each file that fits."""
    with ledger.reading(CLI) as lookups:
        rows = lookups.timeline.page(PhotoFilter(**narrowed), sort="name", after=None, limit=999)
    ranks = [(row["stack"], row["stack_rank"]) for row in rows]
    return sorted(
        f"{row['library_id']}/{row['path']}"
        for row in rows
        if not any(row["stack"] == stack and 0 <= rank < row["stack_rank"] for stack, rank in ranks)
    )


def test_one_file_of_each_stack_is_shown(stacked: Ledger) -> None:
    assert set(found(stacked, stacked=True)) == {f"1/{path}" for path in SHOWN} | {"2/a/IMG_1.nef"}
    assert len(found(stacked)) == len(FILES) + 1


@pytest.fixture(params=["walked", "walked in vain", "gathered"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How pages are found that are not told by the timeline's index."""
    walked = {"walked": timeline.WALKED, "walked in vain": 9, "gathered": 0}[request.param]
    monkeypatch.setattr(timeline, "WALKED", walked)
    monkeypatch.setattr(timeline, "CERTAIN", 0.001)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_each_filter_shows_the_foremost_that_fits(stacked: Ledger) -> None:
    for narrowed in FILTERS:
        assert found(stacked, stacked=True, **narrowed) == foremost(stacked, **narrowed), narrowed
    assert found(stacked, stacked=True, q="img_1 nef") == ["1/a/img_1.nef", "1/b/IMG_1.nef", "2/a/IMG_1.nef"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("probed", [1, 3])
def test_very_many_are_counted_without_those_behind(
    stacked: Ledger, probed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "PROBED", probed)
    with stacked.reading(CLI) as lookups:
        for narrowed in FILTERS:
            asked = PhotoFilter(stacked=True, **narrowed)
            rows, total = lookups.timeline.first_page(asked, sort="taken_at", limit=probed)
            assert total in {None, len(foremost(stacked, **narrowed))}, narrowed
            assert len(rows) == min(probed, len(foremost(stacked, **narrowed))), narrowed


def test_what_stood_behind_a_missing_file_is_shown_until_that_returns(stacked: Ledger) -> None:
    with stacked.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [1])
    shown = found(stacked, stacked=True)
    assert "1/a/img_1.nef" in shown
    assert "1/a/IMG_1.mov" not in shown
    change(stacked, 1, [FILES[0]])
    assert "1/a/img_1.nef" not in found(stacked, stacked=True)
    assert verify(stacked) == []


def test_a_photo_that_is_moved_leaves_one_stack_and_joins_another(stacked: Ledger) -> None:
    change(stacked, 1, [file("b/Img_1.jpg", 1)], vanished=[1])
    shown = found(stacked, stacked=True)
    assert {"1/a/img_1.nef", "1/b/Img_1.jpg"} <= set(shown)
    assert "1/b/IMG_1.nef" not in shown
    assert verify(stacked) == []


def test_a_clip_that_grew_long_is_shown_and_a_photo_that_broke_gives_way(stacked: Ledger) -> None:
    change(stacked, 1, [clip("a/IMG_1.mov", 30, 60.0), file("a/IMG_5.jpg", 31, width=None, problem="broken")])
    shown = found(stacked, stacked=True)
    assert {"1/a/IMG_1.mov", "1/a/IMG_5.jpg", "1/a/IMG_5.png"} <= set(shown)
    assert "1/a/IMG_5.nef" not in shown
    assert verify(stacked) == []


def test_companions_are_the_other_files_of_a_stack_that_are_there(stacked: Ledger) -> None:
    def companions() -> dict[str, list[str]]:
        with stacked.reading(CLI) as lookups:
            rows = lookups.timeline.page(PhotoFilter(), sort="name", after=None, limit=999)
            told = lookups.timeline.companions(rows)
            return {
                f"{row['library_id']}/{row['path']}": [each["path"] for each in told[row["id"]]]
                for row in rows
                if told.get(row["id"])
            }

    assert companions() == {
        "1/a/IMG_1.JPG": ["a/img_1.nef", "a/IMG_1.mov"],
        "1/a/img_1.nef": ["a/IMG_1.JPG", "a/IMG_1.mov"],
        "1/a/IMG_1.mov": ["a/IMG_1.JPG", "a/img_1.nef"],
        "1/a/IMG_2.nef": ["a/IMG_2.mov"],
        "1/a/IMG_2.mov": ["a/IMG_2.nef"],
        "1/a/IMG_5.jpg": ["a/IMG_5.nef"],
        "1/a/IMG_5.png": ["a/IMG_5.nef"],
        "1/a/IMG_5.nef": ["a/IMG_5.jpg", "a/IMG_5.png"],
        "1/a/IMG_7.heic": ["a/IMG_7.mov"],
        "1/a/IMG_7.mov": ["a/IMG_7.heic"],
    }
    with stacked.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [2])
    assert companions()["1/a/IMG_1.JPG"] == ["a/IMG_1.mov"]
    with stacked.reading(CLI) as lookups:
        assert lookups.timeline.companions([]) == {}


@pytest.fixture
def empty(tmp_path: Any) -> Iterator[Ledger]:
    """Two empty libraries in SQLite."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/plan.db"))
    for name in ("one", "two"):
        with ledger.transaction(CLI) as uow:
            add_library(uow, f"/{name}", name)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("sort", list(timeline.SORTS))
def test_sqlite_looks_before_a_file_by_the_index_of_stacks(empty: Ledger, sort: str) -> None:
    change(empty, 1, FILES[:2])
    for narrowed in FILTERS:
        plans = plans_of(empty, PhotoFilter(stacked=True, **narrowed), sort)
        before = [step for plan in plans for step in plan if step.startswith("SEARCH before ")]
        assert before or narrowed.get("kind") == "video", plans
        expected = "media_stack_1 (stack=? AND stack_rank>? AND stack_rank<?)"
        assert all(expected in step for step in before), plans


def test_sqlite_counts_those_behind_by_the_index_of_companions(empty: Ledger) -> None:
    change(empty, 1, FILES[:2])
    filters: list[dict[str, Any]] = [{}, {"has_gps": True}, {"exclude_tags": ("firsts",)}, {"camera": "nikon"}]
    for narrowed in filters:
        plans = plans_of(empty, PhotoFilter(stacked=True, **narrowed), "taken_at")
        assert any("SCAN media_1 USING INDEX media_companion_1" in step for plan in plans for step in plan), plans
