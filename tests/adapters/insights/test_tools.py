"""What a model may look up: of this photo, for this user, as far as it asks, and never further."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from adapters.insights.known import known_of
from adapters.insights.sources import Sources
from adapters.insights.tools import tools_for
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER, Actor
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.tags import tag_contents
from domain.events.media import FileFacts
from domain.ports.geocoding import Location, PersonalPlace
from tests.domain.world import content

NOON = 1_588_334_400_000_000
"""2020-05-01 12:00, in microseconds."""
HOUR = 3_600_000_000


@pytest.fixture
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Photos of a day at a lake in the library Family, and one in another library."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path_factory.mktemp('tools')}/log.db"))
    for name in ("family", "work"):
        with ledger.transaction(CLI) as uow:
            add_library(uow, f"/photos/{name}", name)
    family = [
        photo("lake.jpg", 0, 47.0, 8.0),
        photo("copy.jpg", 0, 47.0, 8.0, name="lake.jpg"),
        photo("before.jpg", -1, 47.02, 8.0),
        photo("after.jpg", 3, 47.0, 8.2),
        photo("next day.jpg", 30, 48.5, 8.0),
        photo("undated.jpg", None, None, None),
    ]
    for library, files in ((1, family), (2, [photo("boss.jpg", 0.5, 47.0, 8.001)])):
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            record_files(uow, library, files)
    with ledger.transaction(CLI) as uow:
        tag_contents(uow, [content("before.jpg")], "boat")
    yield ledger
    ledger.close()


def photo(
    path: str, hours: float | None, latitude: float | None, longitude: float | None, name: str | None = None
) -> ReadFile:
    """A photo some hours after noon."""
    taken = None if hours is None else NOON + int(hours * HOUR)
    facts = FileFacts(1, 1, "photo", taken_at=taken, latitude=latitude, longitude=longitude)
    return ReadFile(path, content(name or path), facts)


Look = Callable[..., Any]


def looking(ledger: Ledger, path: str = "lake.jpg", actor: Actor = CLI, **more: Any) -> Look:
    """Calls a tool by its name, as a model does."""
    remotely = more.pop("remotely", False)
    with ledger.reading(actor) as tables:
        media = tables.media.shown_at(path)
        assert media is not None
        known = known_of(tables, media)
    tools = {tool.name: tool for tool in tools_for(ledger, actor, known, Sources(**more), remotely=remotely)}

    def look(name: str, **arguments: Any) -> Any:
        tool = tools[name]
        return tool.run(msgspec.convert(arguments, tool.takes))

    look.tools = set(tools)  # type: ignore[attr-defined]  # what is offered
    return look


def files(found: Any) -> list[str]:
    """The files of an answer, in its order."""
    return [photo["file"] for photo in found["photos"]]


def test_the_nearest_in_time_come_first(ledger: Ledger) -> None:
    look = looking(ledger)
    near = look("get_photos_near_in_time", hours=12)
    assert files(near) == ["before.jpg", "after.jpg"]
    assert near["photos"][0] == {
        "file": "before.jpg",
        "taken": "2020-05-01 11:00",
        "hours_away": 1.0,
        "people": [],
        "tags": ["boat"],
    }
    assert files(look("get_photos_near_in_time", hours=168, limit=1)) == ["before.jpg"]


def test_other_libraries_are_not_looked_at_whoever_asks_since_others_read_the_conversation(ledger: Ledger) -> None:
    for tool in ("get_photos_near_in_time", "get_photos_near_in_place"):
        assert "boss.jpg" not in files(looking(ledger)(tool))
        assert files(looking(ledger, "boss.jpg")(tool)) == []


def test_a_day_of_very_many_photos_does_not_hide_the_nearest(ledger: Ledger) -> None:
    crowd = [photo(f"{number}.jpg", 2 + number / 100, None, None) for number in range(300)]
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, 1, [*crowd, photo("next.jpg", 0.01, None, None)])
    assert files(looking(ledger)("get_photos_near_in_time", limit=1)) == ["next.jpg"]


def test_the_nearest_in_place_come_first_within_the_circle(ledger: Ledger) -> None:
    look = looking(ledger)
    near = look("get_photos_near_in_place", kilometres=20)
    assert files(near) == ["before.jpg", "after.jpg"]
    assert near["photos"][0]["kilometres_away"] == pytest.approx(2.22, abs=0.01)
    across = 0.2 * math.cos(math.radians(47)) * 111.195
    assert near["photos"][1]["kilometres_away"] == pytest.approx(across, abs=0.01)
    assert files(look("get_photos_near_in_place", kilometres=across - 0.1)) == ["before.jpg"]


@pytest.mark.parametrize(
    ("here", "there"),
    [((-17.0, 179.999), (-17.0, -179.999)), ((89.999, 0.0), (89.999, 180.0)), ((-90.0, 10.0), (-89.999, -170.0))],
)
def test_near_is_near_across_the_date_line_and_round_a_pole(
    ledger: Ledger, here: tuple[float, float], there: tuple[float, float]
) -> None:
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "scanned")
        record_files(uow, 1, [photo("here.jpg", 900, *here), photo("there.jpg", 900, *there)])
    assert files(looking(ledger, "here.jpg")("get_photos_near_in_place", kilometres=1)) == ["there.jpg"]


def test_what_a_photo_does_not_know_is_not_offered(ledger: Ledger) -> None:
    everything: dict[str, Any] = {
        "location": lambda north, east: None,
        "personal": lambda north, east: None,
        "messages": lambda day: [],
        "summaries": lambda query, day: [],
        "facts": lambda tables, person: [],
    }
    plain = {"get_people_in_photo", "get_tags"}
    assert looking(ledger, "undated.jpg").tools == plain  # type: ignore[attr-defined]  # what is offered
    assert looking(ledger, "undated.jpg", **everything).tools == plain | {"get_facts_about_people"}  # type: ignore[attr-defined]  # the same
    whole = looking(ledger, **everything).tools  # type: ignore[attr-defined]  # the same
    assert len(whole) == 9
    remote = looking(ledger, remotely=True, **everything).tools  # type: ignore[attr-defined]  # the same
    assert whole - remote == {"get_messages_of_that_day", "search_daily_summaries", "get_facts_about_people"}
    assert looking(ledger, remotely=True, private_remotely=True, **everything).tools == whole  # type: ignore[attr-defined]  # the same


def test_sources_are_asked_about_the_photos_own_day_and_place(ledger: Ledger) -> None:
    asked: list[Any] = []

    def answering(answer: Any) -> Callable[..., Any]:
        def answered(*about: Any) -> Any:
            asked.append(about)
            return answer

        return answered

    look = looking(
        ledger,
        location=answering(Location("Zug", None, None)),
        personal=answering(PersonalPlace("Cabin", "home")),
        messages=answering([{"body": "hi"}]),
        summaries=answering([]),
    )
    assert look("get_place") == {"place": "Zug"}
    assert look("get_personal_place_at") == {"place": "Cabin", "category": "home"}
    assert look("get_messages_of_that_day") == [{"body": "hi"}]
    assert look("search_daily_summaries", query="the lake") == []
    day = date(2020, 5, 1)
    assert asked == [(47.0, 8.0), (47.0, 8.0), (day,), ("the lake", day)]


def test_where_no_place_is_known_it_says_so(ledger: Ledger) -> None:
    look = looking(ledger, location=lambda north, east: None, personal=lambda north, east: None)
    assert look("get_place") == {"place": None}
    assert look("get_personal_place_at") == {"place": None}
