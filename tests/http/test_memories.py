"""Memories over HTTP: files of known times, recorded as a scan would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.http.asgi import create_http_app
from domain.base.actor import WATCHER
from domain.commands.media import ReadFile, record_files
from domain.events.media import FileFacts
from tests.http.words import fields
from tests.http.world import Api, World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def taken(path: str, at: str, source: str = "exif", offset: int | None = None, like: str | None = None) -> ReadFile:
    micros = (datetime.fromisoformat(at).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    facts = FileFacts(1, 1, "photo", width=9, height=9, taken_at=micros, taken_offset=offset, taken_source=source)
    return ReadFile(path, (like or path).encode().ljust(32)[:32], facts)


def negative(file: ReadFile) -> ReadFile:
    return msgspec.structs.replace(file, facts=msgspec.structs.replace(file.facts, format="nef"))


def remember(world: World, *files: ReadFile, library: int = 1) -> None:
    with world.ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, library, files)


def years(api: Api, **query: Any) -> dict[int, list[str]]:
    """The paths of each year."""
    answer = api.get("/memories", params=query)
    assert answer.status_code == 200, answer.text
    return {year["year"]: [item["path"] for item in year["items"]] for year in answer.json()["items"]}


@pytest.fixture
def ed(own_world: World) -> Api:
    return own_world.api("ed")


def test_photos_of_the_day_come_by_year_the_last_year_first(own_world: World, ed: Api) -> None:
    remember(
        own_world,
        taken("b.jpg", "2001-06-01T23:59:59"),
        taken("a.jpg", "2001-06-01T00:00:00"),
        taken("c.jpg", "2010-06-01T12:00:00"),
        taken("before.jpg", "2001-05-31T23:59:59"),
        taken("after.jpg", "2001-06-02T00:00:00"),
        taken("this-year.jpg", "2012-06-01T12:00:00"),
    )
    answer = ed.get("/memories", params={"date": "2012-06-01"}).json()
    assert [(year["year"], year["years_ago"], year["total"]) for year in answer["items"]] == [
        (2010, 2, 1),
        (2001, 11, 2),
    ]
    assert years(ed, date="2012-06-01") == {2010: ["c.jpg"], 2001: ["a.jpg", "b.jpg"]}
    assert (answer["date"], answer["items"][0]["first"], answer["items"][0]["last"]) == (
        "2012-06-01",
        "2010-06-01",
        "2010-06-01",
    )
    assert years(ed, date="2012-05-30", span="week") == {2010: ["c.jpg"], 2001: [
        "before.jpg", "a.jpg", "b.jpg", "after.jpg"]}  # fmt: skip
    assert years(ed, date="2012-05-30", span="month") == {2001: ["before.jpg"]}


def test_of_a_photo_and_its_companions_the_photo_is_remembered(own_world: World, ed: Api) -> None:
    remember(
        own_world,
        *(negative(taken(path, "2001-06-01T12:00:00")) for path in ("A.nef", "b.nef", "c.nef")),
        taken("a.jpg", "2001-06-01T12:00:00"),
        taken("c.jpg", "2001-06-01T12:00:00", source="mtime"),
    )
    assert years(ed, date="2012-06-01") == {2001: ["b.nef", "c.nef", "a.jpg"]}
    (year,) = ed.get("/memories", params={"date": "2012-06-01"}).json()["items"]
    assert [[each["path"] for each in item["companions"]] for item in year["items"]] == [[], ["c.jpg"], ["A.nef"]]
    assert year["total"] == 3


def test_a_leap_day_is_remembered_on_the_28th(own_world: World, ed: Api) -> None:
    remember(own_world, taken("leap.jpg", "2004-02-29T12:00:00"), taken("28.jpg", "2003-02-28T12:00:00"))
    assert years(ed, date="2009-02-28") == {2004: ["leap.jpg"], 2003: ["28.jpg"]}
    assert years(ed, date="2008-02-28") == {2003: ["28.jpg"]}
    assert years(ed, date="2008-02-29") == {2004: ["leap.jpg"], 2003: ["28.jpg"]}


def test_times_known_in_utc_alone_are_of_the_day_that_they_were_in_the_zone(own_world: World, ed: Api) -> None:
    remember(
        own_world,
        taken("PXL_1.jpg", "2001-06-01T03:00:00", source="filename", offset=0),
        taken("camera.jpg", "2001-06-01T03:00:00", source="exif", offset=0),
        taken("tokyo.jpg", "2001-06-01T03:00:00", source="exif", offset=540),
    )
    assert set(years(ed, date="2002-06-01", timezone="America/New_York")[2001]) == {"camera.jpg", "tokyo.jpg"}
    assert years(ed, date="2002-05-31", timezone="America/New_York") == {2001: ["PXL_1.jpg"]}
    assert "PXL_1.jpg" in years(ed, date="2002-06-01", timezone="Europe/Zurich")[2001]


def test_what_only_the_last_change_dates_is_shown_where_nothing_else_is(own_world: World, ed: Api) -> None:
    remember(
        own_world,
        taken("copied.jpg", "2001-06-01T12:00:00", source="mtime"),
        taken("dated.jpg", "2001-06-01T13:00:00", source="filename"),
        taken("alone.jpg", "2000-06-01T12:00:00", source="mtime"),
    )
    answer = ed.get("/memories", params={"date": "2002-06-01"}).json()
    found = [(item["path"], item["taken_source"]) for year in answer["items"] for item in year["items"]]
    assert found == [("dated.jpg", "filename"), ("alone.jpg", "mtime")]


def test_copies_are_one_memory_and_excluded_folders_none(own_world: World) -> None:
    remember(
        own_world,
        taken("a.jpg", "2001-06-01T12:00:00"),
        taken("copy/a.jpg", "2001-06-01T12:00:00", like="a.jpg"),
        taken("phone/Screenshots/s.jpg", "2001-06-01T12:00:00"),
    )
    own_world.dependencies = replace(own_world.dependencies, excluded_dirs=("screenshots",))
    own_world.app = create_http_app(own_world.dependencies)
    assert years(own_world.api("ed"), date="2002-06-01") == {2001: ["a.jpg"]}


def test_memories_hold_what_the_user_sees_and_no_more_than_asked(own_world: World, ed: Api) -> None:
    remember(own_world, taken("theirs.jpg", "2001-06-01T12:00:00"), library=2)
    remember(own_world, *(taken(f"{hour:02}.jpg", f"2001-06-01T{hour:02}:00:00") for hour in range(10)))
    assert len(years(ed, date="2002-06-01")[2001]) == 11
    assert len(years(own_world.api("rex"), date="2002-06-01")[2001]) == 10
    assert years(ed, date="2002-06-01", library="work") == {2001: ["theirs.jpg"]}
    assert years(ed, date="2002-06-01", limit=2, library="family") == {2001: ["00.jpg", "05.jpg"]}


def test_without_a_date_it_is_today(ed: Api) -> None:
    answer = ed.get("/memories", params={"timezone": "Pacific/Kiritimati"}).json()
    assert abs(datetime.fromisoformat(answer["date"]).replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(days=2)


def test_any_date_is_answered_whatever_files_say(own_world: World, ed: Api) -> None:
    strange = FileFacts(1, 1, "photo", width=9, height=9, taken_at=-(2**55), taken_source="mtime")
    later = FileFacts(1, 1, "photo", width=9, height=9, taken_at=2**60, taken_source="mtime")
    remember(own_world, ReadFile("x.jpg", b"x" * 32, strange), ReadFile("y.jpg", b"y" * 32, later))
    for day in ("0001-01-01", "2026-02-28", "9999-12-31"):
        assert ed.get("/memories", params={"date": day, "span": "week"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"date": "tomorrow"}, ["date"]),
        ({"date": "2023-02-29"}, ["date"]),
        ({"span": "year"}, ["span"]),
        ({"timezone": "Mars/Olympus"}, ["timezone"]),
        ({"timezone": "../etc/passwd"}, ["timezone"]),
        ({"timezone": "Europe"}, ["timezone"]),
    ],
)
def test_what_names_no_day_is_refused(ed: Api, query: dict[str, str], wrong: list[str]) -> None:
    assert fields(ed.get("/memories", params=query)) == wrong
