"""Every filter of the timeline says the same on each database as a look at each file would, and on SQLite by an
index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER, Actor
from domain.base.geometry import Box
from domain.base.names import search_key
from domain.commands.detection import record_detection
from domain.commands.faces import change_faces
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files, record_missing
from domain.commands.persons import create_person, merge_persons
from domain.commands.tags import change_tag, tag_contents
from domain.events.media import FileFacts
from domain.ports.face_engine import DetectedFace, Detection
from projections.queries import photo_filter, timeline
from projections.queries.photo_filter import PhotoFilter
from tests.fakes import PLACE_ALONE
from tests.store.plans import plans_of

CAMERA = {"make": "NIKON CORPORATION", "model": "D90", "lens": "Nikkor 18-105mm"}


def content(number: int) -> bytes:
    return bytes([number]) * 32


def file(path: str, number: int, **facts: Any) -> ReadFile:
    kind = facts.pop("kind", "photo")
    known = {"taken_at": number * 1_000_000, "width": 10, "height": 10, **facts}
    return ReadFile(path, content(number), FileFacts(number, 1, kind, **known))


FILES = [
    file("Zürich/IMG_1.jpg", 1, latitude=47.3, longitude=8.5, **CAMERA),
    file("Zürich/See/IMG_2.jpg", 2, latitude=-17.0, longitude=179.5),
    file("zürich/IMG_3.jpg", 3, make="Apple", model="iPhone 12"),
    file("Zürich 2/100%_off.jpg", 4),
    file("clip.mp4", 5, kind="video", latitude=47.4, longitude=8.6),
    file("Zürich0/IMG_6.jpg", 6),
    file("København\nÆrø.jpg", 7, taken_at=1_000_000),
]


@pytest.fixture
def furnished(ledger: Ledger) -> Ledger:
    """As `furnish` leaves it, on each database."""
    return furnish(ledger)


@pytest.fixture
def furnished_sqlite(tmp_path: Path) -> Iterator[Ledger]:
    """The same in SQLite."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/furnished.db"))
    yield furnish(ledger)
    ledger.close()


def furnish(ledger: Ledger) -> Ledger:
    """Seven files and a missing one in one library, copies of two in another; tags, and persons of whom one was
    merged."""
    for name in ("one", "two"):
        with ledger.transaction(CLI) as uow:
            add_library(uow, f"/{name}", name)
    for library, files in ((1, [*FILES, file("gone.jpg", 8)]), (2, [file("copy.jpg", 1), file("IMG_5.jpg", 5)])):
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, library, files)
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [8])
        for number in (1, 2, 8):
            face = DetectedFace(Box(0.1, 0.1, 0.2, 0.2), 0.9, bytes(2048))
            record_detection(uow, content(number), Detection("m", (face,)), PLACE_ALONE)
    for name in ("Zoë Keller", "Bob", "Boß"):
        with ledger.transaction(CLI) as uow:
            create_person(uow, name)
    for face_id, person in ((1, 1), (2, 3), (3, 1)):
        with ledger.transaction(CLI) as uow:
            change_faces(uow, [face_id], "assign", person)
    with ledger.transaction(CLI) as uow:
        merge_persons(uow, 3, 2)
    for name, numbers in (("Café", (1, 3, 8)), ("Lake", (2, 3))):
        with ledger.transaction(CLI) as uow:
            tag_contents(uow, [content(number) for number in numbers], name)
    return ledger


def found(ledger: Ledger, libraries: frozenset[int] | None = None, **narrowed: Any) -> list[str]:
    """The paths that fit, in every order the same ones, page after page of two, and as many as are counted."""
    actor = Actor("uma", "viewer", libraries)
    pages: dict[str, list[str]] = {}
    with ledger.reading(actor) as lookups:
        for sort, (column, _) in timeline.SORTS.items():
            rows, total = lookups.timeline.first_page(PhotoFilter(**narrowed), sort=sort, limit=2)
            paths = [row["path"] for row in rows]
            while rows:
                after = (rows[-1][column], rows[-1]["id"])
                rows = lookups.timeline.page(PhotoFilter(**narrowed), sort=sort, after=after, limit=2)
                paths += [row["path"] for row in rows]
            assert len(paths) == lookups.timeline.count(PhotoFilter(**narrowed)), (narrowed, sort)
            assert total == len(paths) or (total is None and narrowed.get("q")), (narrowed, sort)
            pages[sort] = paths
    assert sorted(pages["name"]) == sorted(pages["taken_at"]) == sorted(pages["discovered"])
    return pages["taken_at"]


CASES: list[tuple[dict[str, Any], str, set[int]]] = [
    ({}, "media_timeline", {1, 2, 3, 4, 5, 6, 7}),
    ({"folder": "Zürich"}, "media_timeline", {1, 2}),
    ({"folder": "Zürich", "recursive": False}, "media_folder", {1}),
    ({"folder": "", "recursive": False}, "media_folder", {5, 7}),
    ({"kind": "video"}, "media_timeline", {5}),
    ({"tags": ("CAFÉ",)}, "media_content", {1, 3}),
    ({"tags": ("café", "lake")}, "media_content", {1, 2, 3}),
    ({"tags": ("café", "lake"), "all_tags": True}, "media_content", {3}),
    ({"tags": ("café", "none such"), "all_tags": True}, "media_content", set()),
    ({"tags": ("none such",)}, "media_content", set()),
    ({"exclude_tags": ("lake", "none such")}, "media_timeline", {1, 4, 5, 6, 7}),
    ({"tags": ("café",), "exclude_tags": ("lake",)}, "media_content", {1}),
    ({"persons": (2,)}, "media_content", {2}),
    ({"persons": (1, 2)}, "media_content", {1, 2}),
    ({"persons": (1, 2), "all_persons": True}, "media_content", set()),
    ({"persons": (1,), "tags": ("café",), "kind": "photo"}, "media_content", {1}),
    ({"taken_from": 2_000_000, "taken_to": 4_000_000}, "media_timeline", {2, 3}),
    ({"camera": "corporation d"}, "media_timeline", {1}),
    ({"camera": "nikkor"}, "media_timeline", set()),
    ({"lens": "NIKKOR"}, "media_timeline", {1}),
    ({"lens": "d90"}, "media_timeline", set()),
    ({"has_gps": True}, "media_timeline", {1, 2, 5}),
    ({"has_gps": False}, "media_timeline", {3, 4, 6, 7}),
    ({"within": (47.0, 8.0, 48.0, 9.0)}, "media_timeline", {1, 5}),
    ({"within": (-20.0, 179.0, 0.0, -179.0)}, "media_timeline", {2}),
    ({"q": "zurich"}, "media_timeline", {1, 2, 3, 4, 6}),
    ({"q": "ZÜRICH img_"}, "media_timeline", {1, 2, 3, 6}),
    ({"q": "%_"}, "media_timeline", {4}),
    ({"q": "kobenhavn aero"}, "media_timeline", {7}),
    ({"q": "zoe kell"}, "media_timeline", {1}),
    ({"q": "boss"}, "media_timeline", set()),
    ({"q": "bob"}, "media_timeline", {2}),
    ({"q": "cafe zür"}, "media_timeline", {1, 3}),
    ({"q": "iphone lake"}, "media_timeline", {3}),
]


@pytest.fixture(params=["walked", "walked in vain", "gathered"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How pages are found that are not told by the timeline's index."""
    walked = {"walked": timeline.WALKED, "walked in vain": 5, "gathered": 0}[request.param]
    monkeypatch.setattr(timeline, "WALKED", walked)
    monkeypatch.setattr(timeline, "CERTAIN", 0.001)
    if request.param == "walked":
        monkeypatch.setattr(photo_filter, "FEW", 0)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_each_filter_leaves_what_fits(furnished: Ledger) -> None:
    for narrowed, _, numbers in CASES:
        expected = {FILES[number - 1].path for number in numbers}
        assert set(found(furnished, frozenset({1}), **narrowed)) == expected, narrowed
        assert set(found(furnished, **narrowed)) - {"copy.jpg", "IMG_5.jpg"} == expected, narrowed


def test_what_words_find_often_is_not_counted(furnished: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "PROBED", 1)
    with furnished.reading(CLI) as lookups:
        assert lookups.timeline.first_page(PhotoFilter(q="img"), sort="taken_at", limit=1)[1] is None
        assert lookups.timeline.first_page(PhotoFilter(q="img"), sort="taken_at", limit=9)[1] == 5
        assert lookups.timeline.first_page(PhotoFilter(has_gps=True), sort="name", limit=1)[1] == 3


@pytest.fixture
def two_libraries(tmp_path: Path) -> Iterator[Ledger]:
    """Two empty libraries in SQLite."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/plan.db"))
    for name in ("one", "two"):
        with ledger.transaction(CLI) as uow:
            add_library(uow, f"/{name}", name)
    yield ledger
    ledger.close()


def test_sqlite_finds_what_each_filter_leaves_by_an_index(
    two_libraries: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_filter, "FEW", 0)
    for narrowed, index, _ in CASES:
        plans = plans_of(two_libraries, PhotoFilter(**narrowed), "taken_at")
        found = [step for plan in plans for step in plan if " media_1 " in step and "INTEGER PRIMARY KEY" not in step]
        assert any(f" {index}_1" in step for step in found), (narrowed, plans)
        assert not [step for step in found if step.startswith("SCAN") and "USING" not in step], (narrowed, plans)


def test_sqlite_gathers_a_small_folder_by_its_index(two_libraries: Ledger) -> None:
    for narrowed in ({"folder": "a"}, {"folder": "a", "recursive": False}, {"folder": "", "recursive": False}):
        (plan,) = [
            each for each in plans_of(two_libraries, PhotoFilter(**narrowed), "name") if "MATERIALIZE fit" in each
        ]
        assert plan[1].startswith("SEARCH media_1 USING INDEX media_folder_1 (library_id=? AND folder"), plan


def test_sqlite_gathers_what_a_word_names_by_its_content(furnished_sqlite: Ledger) -> None:
    plans = plans_of(furnished_sqlite, PhotoFilter(q="zoe cafe"), "taken_at")
    starts = [step for plan in plans for step in plan[:1]]
    assert "SEARCH media_1 USING INDEX media_content_1 (content_hash=?)" in starts, plans
    assert "SCAN media_1 USING INDEX media_timeline_1" in starts, plans


@pytest.mark.parametrize(("sort", "index"), [("name", "media_name"), ("discovered", "media_discovered")])
def test_sqlite_walks_each_order_by_its_index(two_libraries: Ledger, sort: str, index: str) -> None:
    for narrowed in (PhotoFilter(), PhotoFilter(has_gps=True), PhotoFilter(exclude_tags=("lake",))):
        plans = plans_of(two_libraries, narrowed, sort, ("1", 1) if sort == "name" else (1, 1))
        steps = [plan[0].split(" (")[0] for plan in plans]
        assert any(step.endswith(f"SEARCH media_1 USING INDEX {index}_1") for step in steps), plans
        assert not any("TEMP B-TREE" in step for plan in plans for step in plan), plans


def test_words_follow_what_is_moved_renamed_and_read_again(furnished: Ledger) -> None:
    with furnished.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, 1, [file("Bern/Bärengraben.jpg", 1)], vanished=[1])
        record_files(uow, 1, [file("zürich/IMG_3.jpg", 9, make="Pentax")])
    with furnished.transaction(CLI) as uow:
        change_tag(uow, 2, name="Loch")
    assert found(furnished, q="img_1") == []
    assert found(furnished, q="barengraben nikon") == ["Bern/Bärengraben.jpg"]
    assert found(furnished, q="iphone") == []
    assert found(furnished, q="pentax") == ["zürich/IMG_3.jpg"]
    assert found(furnished, q="loch see") == ["Zürich/See/IMG_2.jpg"]
    assert verify(furnished) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Élise", "elise"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Ångström ﬁne", "angstrom fine"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("e\u0301", "e"),
        ("a\tb\nc", "a b c"),
        ("東京", "東京"),
    ],
)
def test_what_is_looked_for_has_neither_case_nor_accents(text: str, key: str) -> None:
    assert search_key(text) == key
