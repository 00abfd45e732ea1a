"""The feed of events, page by page."""

from __future__ import annotations

from typing import Any

from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def all_events(api: Api, limit: int = 1000) -> list[dict[str, Any]]:
    """Every event that a client is told, page by page."""
    events: list[dict[str, Any]] = []
    after, head = 0, 1
    while after < head:
        page = api.get("/events", params={"after": after, "limit": limit}).json()
        events += page["items"]
        after, head = page["last"], page["head"]
    return events


def test_pages_of_any_size_tell_each_event_once_in_order(ed: Api) -> None:
    named(ed, "Anna", face_ids(ed, "trips/ann.jpg")[0])
    whole = all_events(ed)
    assert [event["position"] for event in whole] == sorted({event["position"] for event in whole})
    assert all_events(ed, 7) == whole
    assert {event["type"] for event in whole} >= {"MediaDiscovered:2", "FaceDetected:1", "PersonCreated:1"}


def test_types_narrow_the_feed_and_an_unknown_one_is_refused(ed: Api) -> None:
    named(ed, "Anna", face_ids(ed, "trips/ann.jpg")[0])
    told = ed.get("/events", params={"types": "PersonCreated,FaceAssigned", "limit": 1000}).json()["items"]
    assert [event["type"] for event in told] == ["PersonCreated:1", "FaceAssigned:1"]
    assert told[0]["data"] == {"person_id": 1, "name": "Anna", "notes": "", "birth_date": None, "hidden": False}
    assert told[0]["subject"] == "person-1"
    assert fields(ed.get("/events", params={"types": "PersonMade"})) == ["types"]
    assert fields(ed.get("/events", params={"after": "-1", "limit": "0"})) == ["after", "limit"]


def test_no_embedding_account_or_secret_ever_travels(ann: Api, ed: Api) -> None:
    ann.post("/users", json={"name": "new", "role": "viewer", "password": "four grey herons"})
    for api in (ann, ed):
        told = all_events(api)
        assert not [event for event in told if event["type"].startswith("User")]
        assert not [event for event in told if "embedding_id" in event["data"] or "password_hash" in event["data"]]
    assert [event for event in all_events(ann) if "added the user new" in str(event["data"])]
    assert not [event for event in all_events(ed) if "added the user new" in str(event["data"])]
    roots = [event["data"] for event in all_events(ed) if event["type"] == "LibraryAdded:1"]
    assert roots
    assert all("root" not in data for data in roots)


def test_who_sees_one_library_is_told_nothing_of_another(ed: Api, rex: Api) -> None:
    boss = face_ids(ed, "boss.jpg")[0]
    named(ed, "Chief", boss)
    named(ed, "Anna", face_ids(ed, "trips/ann.jpg")[0])
    ed.post("/image/tags", json={"path": "boss.jpg", "name": "secret project"})
    told = all_events(rex)
    assert told
    text = str(told)
    for secret in ("Chief", "boss.jpg", "secret project", "Work", f"face-{boss}'"):
        assert secret not in text, secret
    assert "Anna" in text
    assert "trips/ann.jpg" in text


def test_the_feed_needs_a_token(world: World) -> None:
    problem(world.client().get("/events"), 401)
    problem(world.client().get("/events/stream"), 401)


def test_a_stream_of_unknown_types_is_refused_before_it_begins(ed: Api) -> None:
    assert fields(ed.get("/events/stream", params={"types": "PersonMade"})) == ["types"]
    assert fields(ed.get("/events/stream", params={"after": "soon"})) == ["after"]


def test_a_file_that_came_from_another_library_does_not_say_where_it_was(own_world: World) -> None:
    (own_world.folder / "work" / "boss.jpg").rename(own_world.folder / "family" / "came.jpg")
    (own_world.folder / "family" / "plain.jpg").unlink()
    for library in reversed(own_world.libraries()):
        own_world.watcher.look_at(library, full=True)
    moves = {name: _moves(own_world.api(name)) for name in ("rex", "ed")}
    assert [data["path"] for data in moves["rex"]] == ["came.jpg"]
    assert "boss.jpg" not in str(moves["rex"])
    assert moves["ed"][0]["was_path"] == "boss.jpg"


def _moves(api: Api) -> list[dict[str, Any]]:
    return [event["data"] for event in all_events(api) if event["type"] == "MediaMoved:1"]
