"""Who sees one library only is told nothing of the others, by no route."""

from __future__ import annotations

import pytest

from tests.http.words import named, problem
from tests.http.world import Api, World, face_ids

AT_WORK = {"path": "boss.jpg"}


def test_another_library_is_not_there_by_id_or_name(rex: Api) -> None:
    assert [library["name"] for library in rex.get("/libraries").json()["items"]] == ["Family"]
    for library in ("2", "Work"):
        for path in ("/photos", "/folders", "/persons", "/faces/stats", "/faces/embeddings", "/faces"):
            problem(rex.get(path, params={"library": library}), 404)
    problem(rex.get("/libraries/2/problems"), 404)
    problem(rex.post("/libraries/2/scan"), 404)


def test_photos_of_another_library_are_not_there(rex: Api) -> None:
    for path in ("/image", "/image/metadata", "/image/faces", "/image/tags"):
        problem(rex.get(path, params=AT_WORK), 404)
        problem(rex.get(path, params=AT_WORK | {"library": "Work"}), 404)
    problem(rex.get("/image", params=AT_WORK | {"size": "thumb"}), 404)
    assert {photo["library_id"] for photo in rex.get("/photos").json()["items"]} == {1}
    assert rex.get("/photos").json()["total"] == 9
    assert {folder["library_id"] for folder in rex.get("/folders").json()["items"]} == {1}


def test_faces_of_another_library_are_not_there(world: World, ed: Api, rex: Api) -> None:
    (boss,) = face_ids(ed, "boss.jpg")
    head = world.ledger.head()
    problem(rex.get(f"/image/faces/{boss}/crop"), 404)
    problem(rex.get(f"/image/faces/{boss}/suggestions"), 404)
    problem(rex.get(f"/image/faces/{boss}/similar"), 404)
    problem(rex.patch(f"/image/faces/{boss}", json={"ignored": True}), 404)
    problem(rex.delete(f"/image/faces/{boss}"), 404)
    problem(rex.post("/image/faces/rerun", params=AT_WORK), 404)
    problem(rex.post("/image/faces", json=AT_WORK | {"box": {"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}}), 404)
    (row,) = rex.post("/image/faces/batch", json={"ids": [boss], "action": "delete"}).json()["results"]
    assert row == {"id": boss, "ok": False, "error": f"there is no face {boss}"}
    assert boss not in [each["id"] for each in rex.get("/faces/embeddings").json()["items"]]
    assert boss not in [each["id"] for each in rex.get("/faces").json()["items"]]
    assert world.ledger.head() == head


def test_counts_and_stats_are_of_what_is_visible(ed: Api, rex: Api) -> None:
    (boss,), (bob,) = face_ids(ed, "boss.jpg"), face_ids(ed, "bob.jpg")
    named(ed, "Boss", boss)
    both = named(ed, "Both", bob)
    green = ed.post(
        "/image/faces", json=AT_WORK | {"box": {"x": 0.35, "y": 0.4, "w": 0.1, "h": 0.15}, "person_id": both}
    )
    assert green.status_code == 201
    stats = rex.get("/faces/stats").json()
    assert (stats["photos"], stats["faces"], stats["persons"]) == (8, 5, 1)
    assert ed.get("/faces/stats").json()["persons"] == 2
    (person,) = rex.get("/persons", params={"include_hidden": "true"}).json()["items"]
    assert (person["name"], person["face_count"], person["cover_face_id"]) == ("Both", 1, bob)
    assert [face["id"] for face in rex.get(f"/persons/{both}/faces").json()["items"]] == [bob]


def test_a_person_of_another_library_is_not_there_and_cannot_be_used(world: World, ed: Api, rex: Api) -> None:
    (boss,), (bob,) = face_ids(ed, "boss.jpg"), face_ids(ed, "bob.jpg")
    person = named(ed, "Boss", boss)
    own = named(rex, "Mine", bob)
    head = world.ledger.head()
    for answer in (
        rex.get(f"/persons/{person}"),
        rex.get(f"/persons/{person}/faces"),
        rex.patch(f"/persons/{person}", json={"name": "x"}),
        rex.delete(f"/persons/{person}"),
        rex.post(f"/persons/{person}/merge", json={"into": own}),
        rex.post(f"/persons/{own}/merge", json={"into": person}),
        rex.patch(f"/image/faces/{bob}", json={"person_id": person}),
        rex.post("/image/faces/batch", json={"ids": [bob], "action": "assign", "person_id": person}),
        rex.post(f"/image/faces/{bob}/reject", json={"person_id": person}),
    ):
        problem(answer, 404)
    assert world.ledger.head() == head


def test_who_is_only_in_another_library_is_not_suggested(ed: Api, rex: Api) -> None:
    boss = named(ed, "Boss", *face_ids(ed, "boss.jpg"))
    box = {"x": 0.1, "y": 0.1, "w": 0.05, "h": 0.05}
    red, pink = face_ids(ed, "trips/ann.jpg")[0], face_ids(ed, "cousin.jpg")[0]
    hidden = ed.post("/image/faces", json=AT_WORK | {"box": box, "person_id": boss}).json()["id"]
    ed.patch(f"/image/faces/{red}", json={"person_id": boss})
    ed.post(f"/image/faces/{red}/reject", json={"person_id": boss})
    assert rex.get(f"/image/faces/{pink}/suggestions").json()["items"] == []
    assert hidden


def test_a_merge_or_deletion_that_reaches_out_of_sight_needs_an_admin(world: World, ed: Api, rex: Api) -> None:
    (boss,), (bob,) = face_ids(ed, "boss.jpg"), face_ids(ed, "bob.jpg")
    shared, own = named(ed, "Shared", bob, boss), named(rex, "Own")
    head = world.ledger.head()
    problem(rex.delete(f"/persons/{shared}"), 403)
    problem(rex.post(f"/persons/{shared}/merge", json={"into": own}), 403)
    assert world.ledger.head() == head


def test_tags_of_another_library_are_not_there(ed: Api, rex: Api) -> None:
    secret = ed.post("/image/tags", json=AT_WORK | {"name": "Secret"}).json()["id"]
    ed.post("/image/tags", json={"path": "plain.jpg", "name": "Plain"})
    assert [tag["name"] for tag in rex.get("/image/tags/all").json()["items"]] == ["Plain"]
    problem(rex.patch(f"/tags/{secret}", json={"name": "x"}), 404)
    problem(rex.delete(f"/tags/{secret}"), 404)
    problem(rex.post("/image/tags", json=AT_WORK | {"name": "x"}), 404)
    photo = ed.get("/photos", params={"library": "Work"}).json()["items"][0]["id"]
    (row,) = rex.post("/image/tags/batch", json={"ids": [photo], "name": "x"}).json()["results"]
    assert row["ok"] is False


def test_history_is_of_the_own_deeds_alone(ed: Api, rex: Api) -> None:
    named(ed, "Of Ed")
    mine = named(rex, "Of Rex")
    rows = rex.get("/operations").json()["items"]
    assert [(row["actor"], row["text"]) for row in rows] == [("rex", "created Of Rex")]
    assert rex.get("/operations", params={"actor": "ed"}).json()["items"] == []
    theirs = ed.get("/operations", params={"actor": "ed"}).json()["items"][0]["id"]
    problem(rex.get(f"/operations/{theirs}"), 404)
    problem(rex.post(f"/operations/{theirs}/undo"), 404)
    assert rex.post(f"/operations/{rows[0]['id']}/undo").status_code == 200
    problem(rex.get(f"/persons/{mine}"), 404)


def test_what_reaches_into_another_library_is_told_without_its_names_and_is_taken_back_by_an_admin(
    world: World, ann: Api, ed: Api, rex: Api
) -> None:
    (boss,), (bob,) = face_ids(ed, "boss.jpg"), face_ids(ed, "bob.jpg")
    secret, shared = named(ed, "Secret Chief", boss), named(ed, "Bob", bob)
    at_work = ed.get("/photos", params={"library": "Work", "q": "boss"}).json()["items"][0]["id"]
    plain = ed.get("/photos", params={"q": "plain"}).json()["items"][0]["id"]
    tagged = ed.post("/image/tags/batch", json={"ids": [plain, at_work], "name": "Shared"}).headers["operation-id"]
    merged = ed.post(f"/persons/{secret}/merge", json={"into": shared}).headers["operation-id"]
    head = world.ledger.head()
    of_photo = rex.get("/image/history", params={"path": "plain.jpg"})
    of_person = rex.get(f"/persons/{shared}/history")
    shown = [rex.get(f"/operations/{each}") for each in (tagged, merged)]
    refused = [rex.post(f"/operations/{each}/undo") for each in (tagged, merged)]
    refused.append(rex.post(f"/operations/{tagged}/undo", params={"with_later": "true", "dry_run": "true"}))
    newest = of_photo.json()["items"][0]
    assert (newest["id"], newest["text"], newest["actor"]) == (int(tagged), "tagged photos", "ed")
    assert [row["text"] for row in of_person.json()["items"]] == ["merged persons", "changed faces", "created a person"]
    (event,) = shown[0].json()["events"]
    assert event["type"] == "MediaTagged:1"
    for answer in refused:
        assert "of ed touches what rex may not see: ask an admin" in problem(answer, 403)["detail"]
    others = [rex.get(f"/image/faces/{bob}/history"), rex.get("/operations"), rex.get("/events?limit=1000")]
    for answer in (of_photo, of_person, *shown, *refused, *others):
        assert "Secret" not in answer.text
        assert str(at_work) not in [str(row.get("media_id")) for row in answer.json().get("events", [])]
    assert world.ledger.head() == head
    assert ann.post(f"/operations/{merged}/undo").status_code == 200


def test_what_another_did_wholly_in_sight_is_taken_back_and_that_is_told_without_names(ed: Api, rex: Api) -> None:
    (bob,) = face_ids(ed, "bob.jpg")
    anna = named(ed, "Anna", face_ids(ed, "trips/ann.jpg")[0])
    deed = ed.patch(f"/image/faces/{bob}", json={"person_id": anna}).headers["operation-id"]
    undone = rex.post(f"/operations/{deed}/undo")
    assert undone.json()["text"] == "undid: changed a face"
    assert rex.get("/image/faces", params={"path": "bob.jpg"}).json()["items"][0]["person_id"] is None
    assert rex.post(f"/operations/{undone.json()['id']}/undo").json()["text"] == "redid: changed a face"


def test_an_operation_that_is_wholly_in_another_library_is_not_there(ed: Api, rex: Api) -> None:
    (boss,) = face_ids(ed, "boss.jpg")
    deed = ed.patch(f"/image/faces/{boss}", json={"ignored": True}).headers["operation-id"]
    problem(rex.get(f"/operations/{deed}"), 404)
    problem(rex.post(f"/operations/{deed}/undo"), 404)


def test_what_stands_in_the_way_of_an_undo_is_told_without_the_names_that_another_wrote(ed: Api, rex: Api) -> None:
    mine = named(rex, "Bob", *face_ids(ed, "bob.jpg"))
    renamed = rex.patch(f"/persons/{mine}", json={"name": "Bobby"}).headers["operation-id"]
    later = ed.patch(f"/persons/{mine}", json={"name": "Robert"}).headers["operation-id"]
    told = problem(rex.post(f"/operations/{renamed}/undo"), 409)
    assert (
        told["detail"] == f"operation {later} (changed a person) came later and changed the same: undo that one first"
    )
    assert "(renamed Bobby to Robert)" in problem(ed.post(f"/operations/{renamed}/undo"), 409)["detail"]


def test_a_face_names_the_earlier_person_that_was_seen_there_and_no_other(ed: Api, rex: Api) -> None:
    (boss,), (bob,) = face_ids(ed, "boss.jpg"), face_ids(ed, "bob.jpg")
    secret, shared = named(ed, "Secret Chief", boss, bob), named(ed, "Bob")
    ed.patch(f"/image/faces/{bob}", json={"person_id": shared})
    now, before = rex.get(f"/image/faces/{bob}/history").json()["reasons"]
    assert (now["person_name"], now["now_name"]) == ("Bob", "Bob")
    assert (before["person_id"], before["person_name"]) == (secret, "Secret Chief")
    never_seen = named(ed, "Hidden Chief", boss)
    problem(rex.get(f"/persons/{never_seen}"), 404)


def test_a_person_whose_only_face_was_elsewhere_is_not_there_once_it_is_taken_away(ed: Api, rex: Api) -> None:
    (boss,) = face_ids(ed, "boss.jpg")
    chief = named(ed, "Chief", boss)
    ed.patch(f"/image/faces/{boss}", json={"person_id": None})
    problem(rex.get(f"/persons/{chief}"), 404)
    assert chief not in [person["id"] for person in rex.get("/persons").json()["items"]]
    assert problem(rex.post("/persons", json={"name": "chief"}), 409)["id"] is None
    assert problem(ed.post("/persons", json={"name": "chief"}), 409)["id"] == chief
    assert ed.get(f"/persons/{chief}").json()["face_count"] == 0


def test_jobs_name_no_other_library(world: World, ed: Api, rex: Api) -> None:
    with world.board.job("scan", "indexing Work") as job:
        job.at(1, 2, "reading boss.jpg")
        assert "Work" in ed.get("/jobs").text
        (told,) = [row for row in rex.get("/jobs").json()["items"] if row["state"] == "running"]
    assert (told["title"], told["note"], told["done"]) == ("scan", None, 1)


@pytest.mark.parametrize("path", ["/users", "/invitations", "/libraries"])
def test_an_editor_manages_neither_accounts_nor_libraries(rex: Api, path: str) -> None:
    body = {"name": "x", "password": "five grey herons"} if path == "/users" else {}
    problem(rex.post(path, json=body if path != "/libraries" else {"root": "/"}), 403)


def test_what_was_granted_counts_at_once(world: World, ann: Api, rex: Api) -> None:
    users = {row["name"]: row["id"] for row in ann.get("/users").json()["items"]}
    ann.patch(f"/users/{users['rex']}", json={"libraries": [2]})
    assert [library["name"] for library in rex.get("/libraries").json()["items"]] == ["Work"]
    problem(rex.get("/image", params={"path": "plain.jpg"}), 404)
    assert rex.get("/image", params=AT_WORK).status_code == 200
