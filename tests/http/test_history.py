"""The history of a person, a face and a photo, and why a face is whose."""

from __future__ import annotations

from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def texts(api: Api, of: str, **query: str | int) -> list[str]:
    """The operations of a history in words."""
    return [row["text"] for row in api.get(of, params=query).json()["items"]]


def test_a_persons_history_holds_all_that_concerned_it_and_whom_it_was_merged_with(ed: Api) -> None:
    face = face_ids(ed, "trips/ann.jpg")[0]
    bob = named(ed, "Bob", face)
    robert = named(ed, "Robert")
    ed.post(f"/persons/{bob}/merge", json={"into": robert})
    told = ["merged Bob (1 face) into Robert", "created Robert", "assigned 1 face to Bob", "created Bob"]
    assert texts(ed, f"/persons/{robert}/history") == told
    assert texts(ed, f"/persons/{bob}/history") == told, "of a merged person the survivor's is told"
    first = ed.get(f"/persons/{robert}/history", params={"limit": 3}).json()
    rest = ed.get(f"/persons/{robert}/history", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [row["text"] for row in first["items"] + rest["items"]] == told
    problem(ed.get("/persons/9999/history"), 404)
    assert fields(ed.get(f"/persons/{robert}/history", params={"cursor": "x"})) == ["cursor"]


def test_a_face_says_who_decided_whose_it_is_and_what_superseded_that(ed: Api) -> None:
    face = face_ids(ed, "trips/ann.jpg")[0]
    bob, ann = named(ed, "Bob", face), named(ed, "Anna")
    ed.patch(f"/image/faces/{face}", json={"person_id": ann})
    robert = named(ed, "Robert")
    ed.post(f"/persons/{ann}/merge", json={"into": robert})
    told = ed.get(f"/image/faces/{face}/history").json()
    now, before = told["reasons"]
    assert (now["person_name"], now["now_name"], now["rule"], now["actor"], now["superseded"]) == (
        "Anna",
        "Robert",
        "user",
        "ed",
        False,
    )
    assert (before["person_id"], before["superseded"]) == (bob, True)
    assert [event["type"] for event in told["events"]] == ["FaceDetected:1", "FaceAssigned:1", "FaceAssigned:1"]
    assert told["found_by"] == told["face"]["model_version"]
    assert "embedding_id" not in told["events"][0]["data"]
    ed.patch(f"/image/faces/{face}", json={"person_id": None})
    assert all(reason["superseded"] for reason in ed.get(f"/image/faces/{face}/history").json()["reasons"])
    problem(ed.get("/image/faces/9999/history"), 404)


def test_a_photos_history_holds_its_faces_tags_and_copies(ed: Api) -> None:
    face = face_ids(ed, "trips/ann.jpg")[0]
    named(ed, "Bob", face)
    ed.post("/image/tags", json={"path": "trips/ann.jpg", "name": "holiday"})
    told = texts(ed, "/image/history", path="trips/ann.jpg")
    assert told[:2] == ["tagged a photo with holiday", "assigned 1 face to Bob"]
    assert any(text.startswith("scanned Family") for text in told)
    assert not [text for text in texts(ed, "/image/history", path="plain.jpg") if "holiday" in text]
    problem(ed.get("/image/history", params={"path": "nowhere.jpg"}), 404)
    assert fields(ed.get("/image/history")) == ["path"]


def test_who_sees_one_library_is_told_of_no_history_out_of_sight(world: World, ed: Api, rex: Api) -> None:
    boss = face_ids(ed, "boss.jpg")[0]
    chief = named(ed, "Chief", boss)
    problem(rex.get(f"/persons/{chief}/history"), 404)
    problem(rex.get(f"/image/faces/{boss}/history"), 404)
    problem(rex.get("/image/history", params={"path": "boss.jpg"}), 404)
    face = face_ids(ed, "trips/ann.jpg")[0]
    anna = named(ed, "Anna", face)
    assert texts(rex, f"/persons/{anna}/history") == ["changed faces", "created a person"]
    named(ed, "Other", boss)
    ed.patch(f"/image/faces/{boss}", json={"person_id": anna})
    assert texts(ed, f"/persons/{anna}/history")[0] == "assigned a face to Anna"
    assert texts(rex, f"/persons/{anna}/history") == ["changed faces", "created a person"], "that face is out of sight"
    problem(world.client().get(f"/persons/{anna}/history"), 401)
