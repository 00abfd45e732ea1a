"""How it was at a time or position of the past."""

from __future__ import annotations

import pytest

from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def test_persons_faces_and_tags_are_told_as_they_stood_then(world: World, ed: Api) -> None:
    face = face_ids(ed, "trips/ann.jpg")[0]
    bob = named(ed, "Bob", face)
    ed.post("/image/tags", json={"path": "trips/ann.jpg", "name": "holiday"})
    then = world.ledger.head()
    robert = named(ed, "Robert")
    ed.post(f"/persons/{bob}/merge", json={"into": robert})
    ed.delete("/image/tags", params={"path": "trips/ann.jpg", "name": "holiday"})
    ed.delete(f"/image/faces/{face}")
    past = {"as_of": str(then)}
    assert [p["name"] for p in ed.get("/persons", params=past).json()["items"]] == ["Bob"]
    assert [p["name"] for p in ed.get("/persons").json()["items"]] == ["Robert"]
    told = ed.get(f"/persons/{bob}", params=past).json()
    assert (told["merged_into"], told["face_count"]) == (None, 1)
    [shown] = ed.get("/image/faces", params={"path": "trips/ann.jpg"} | past).json()["items"]
    assert (shown["id"], shown["person_name"]) == (face, "Bob")
    assert ed.get("/image/faces", params={"path": "trips/ann.jpg"}).json()["items"] == []
    assert [t["name"] for t in ed.get("/image/tags", params={"path": "trips/ann.jpg"} | past).json()["items"]] == [
        "holiday"
    ]
    problem(ed.get(f"/persons/{robert}", params=past), 404)


def test_a_time_is_the_last_position_recorded_by_then(ed: Api) -> None:
    named(ed, "Bob")
    at = ed.get("/operations").json()["items"][0]["at"]
    named(ed, "Carol")
    assert [p["name"] for p in ed.get("/persons", params={"as_of": at}).json()["items"]] == ["Bob"]
    assert ed.get("/persons", params={"as_of": "1999-01-01T00:00:00Z"}).json()["items"] == []
    assert len(ed.get("/persons", params={"as_of": "2999-01-01T00:00:00+01:00"}).json()["items"]) == 2


def test_todays_grants_hold_for_the_past_too(world: World, ed: Api, rex: Api) -> None:
    named(ed, "Chief", face_ids(ed, "boss.jpg")[0])
    past = {"as_of": str(world.ledger.head())}
    assert rex.get("/persons", params=past).json()["items"] == []
    problem(rex.get("/image/faces", params={"path": "boss.jpg"} | past), 404)


@pytest.mark.parametrize("as_of", ["", "yesterday", "2024-13-01", "1" * 16, "999999999"])
def test_what_is_no_time_or_not_recorded_yet_is_refused(ed: Api, as_of: str) -> None:
    for of in ("/persons", "/persons/1", "/image/faces?path=plain.jpg", "/image/tags?path=plain.jpg"):
        asked = f"{of}{'&' if '?' in of else '?'}as_of={as_of}"
        assert fields(ed.get(asked)) == ["as_of"]
