"""Persons over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def test_a_new_person_is_answered_and_read_back_at_once(ed: Api) -> None:
    answer = ed.post("/persons", json={"name": " Robert ", "notes": "from work", "birth_date": "1980-02-03"})
    assert answer.status_code == 201
    assert answer.headers["operation-id"].isdigit()
    made = answer.json()
    assert (made["name"], made["notes"], made["birth_date"], made["face_count"]) == (
        "Robert",
        "from work",
        "1980-02-03",
        0,
    )
    assert ed.get(f"/persons/{made['id']}").json() == made
    assert [person["name"] for person in ed.get("/persons").json()["items"]] == ["Robert"]


def test_a_name_in_another_case_is_taken_and_nothing_is_logged(world: World, ed: Api) -> None:
    named(ed, "Straße")
    before = world.ledger.head()
    told = problem(ed.post("/persons", json={"name": "STRASSE"}), 409)
    assert told["type"] == "/docs#name-taken"
    assert world.ledger.head() == before


def test_renaming_to_a_taken_name_is_refused_and_nothing_is_logged(world: World, ed: Api) -> None:
    named(ed, "Anna")
    other = named(ed, "Bert")
    before = world.ledger.head()
    problem(ed.patch(f"/persons/{other}", json={"name": "anna"}), 409)
    assert world.ledger.head() == before
    assert ed.get(f"/persons/{other}").json()["name"] == "Bert"


def test_every_offending_field_is_named_and_not_only_the_first(ed: Api) -> None:
    refused = ed.post("/persons", json={"name": 5, "notes": None, "hidden": "perhaps", "colour": "red"})
    assert fields(refused) == ["name", "notes", "hidden", "colour"]
    assert fields(ed.post("/persons", json={})) == ["name"]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_a_name_that_cannot_be_is_refused_as_a_field(ed: Api, name: str) -> None:
    assert fields(ed.post("/persons", json={"name": name})) == ["name"]


def test_a_birth_date_that_is_none_is_refused_as_a_field(ed: Api) -> None:
    person = named(ed, "Anna")
    assert fields(ed.patch(f"/persons/{person}", json={"birth_date": "2001-02-30"})) == ["birth_date"]


def test_what_a_patch_leaves_out_stays(ed: Api) -> None:
    person = named(ed, "Anna")
    ed.patch(f"/persons/{person}", json={"notes": "tall", "birth_date": "1990-01-01"})
    changed = ed.patch(f"/persons/{person}", json={"birth_date": None, "hidden": True}).json()
    assert (changed["name"], changed["notes"], changed["birth_date"], changed["hidden"]) == ("Anna", "tall", None, True)
    assert changed["version"] == 5


def test_hidden_persons_are_listed_only_when_asked_for(ed: Api) -> None:
    ed.post("/persons", json={"name": "Ghost", "hidden": True})
    assert ed.get("/persons").json()["items"] == []
    assert len(ed.get("/persons", params={"include_hidden": "true"}).json()["items"]) == 1


def test_a_patch_that_changes_nothing_logs_nothing(world: World, ed: Api) -> None:
    person = named(ed, "Anna")
    before = world.ledger.head()
    answer = ed.patch(f"/persons/{person}", json={"name": "Anna"})
    assert answer.status_code == 200
    assert "operation-id" not in answer.headers
    assert world.ledger.head() == before


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("id_", [999, 2**53, 10**40])
def test_an_unknown_person_is_not_found(ed: Api, method: str, id_: int) -> None:
    body: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
    problem(ed.request(method, f"/persons/{id_}", **body), 404)


def test_if_match_lets_the_version_through_and_refuses_another(world: World, ed: Api) -> None:
    person = named(ed, "Anna")
    stale = {"If-Match": '"7"'}
    before = world.ledger.head()
    problem(ed.patch(f"/persons/{person}", json={"notes": "x"}, headers=stale), 412)
    problem(ed.delete(f"/persons/{person}", headers=stale), 412)
    assert world.ledger.head() == before
    assert ed.patch(f"/persons/{person}", json={"notes": "x"}, headers={"If-Match": '"1"'}).status_code == 200
    assert ed.patch(f"/persons/{person}", json={"notes": "y"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("given", ["1", '"one"', 'W/"1"', '"1", "2"', '"', '""', '"99999999999999999999"'])
def test_an_if_match_that_is_no_version_is_a_bad_request(ed: Api, given: str) -> None:
    person = named(ed, "Anna")
    problem(ed.patch(f"/persons/{person}", json={"notes": "x"}, headers={"If-Match": given}), 400)


def test_a_cover_is_one_of_the_persons_own_faces(ed: Api) -> None:
    (own,), (other,) = face_ids(ed, "trips/ann.jpg"), face_ids(ed, "bob.jpg")
    person = named(ed, "Ann", own)
    assert fields(ed.patch(f"/persons/{person}", json={"cover_face_id": other})) == ["cover_face_id"]
    assert ed.patch(f"/persons/{person}", json={"cover_face_id": own}).json()["cover_face_id"] == own
    assert fields(ed.patch(f"/persons/{person}", json={"entity_id": 77})) == ["entity_id"]


def test_a_merge_moves_the_faces_and_undo_brings_them_back(ed: Api) -> None:
    left, right = face_ids(ed, "trips/both.jpg")
    survivor, retired = named(ed, "Robert", right), named(ed, "Bob", left)
    ed.patch(f"/persons/{retired}", json={"notes": "tall"})
    answer = ed.post(f"/persons/{retired}/merge", json={"into": survivor})
    assert (answer.json()["face_count"], answer.json()["notes"]) == (2, "tall")
    gone = ed.get(f"/persons/{retired}").json()
    assert (gone["merged_into"], gone["face_count"]) == (survivor, 0)
    assert [person["id"] for person in ed.get("/persons").json()["items"]] == [survivor]
    shown = ed.get(f"/persons/{survivor}/faces").json()["items"]
    assert {(face["id"], face["person_id"], face["person_name"]) for face in shown} == {
        (left, survivor, "Robert"),
        (right, survivor, "Robert"),
    }
    assert ed.post(f"/operations/{answer.headers['operation-id']}/undo").status_code == 200
    assert ed.get(f"/persons/{retired}").json()["face_count"] == 1
    assert ed.get(f"/persons/{survivor}").json()["notes"] == ""


def test_a_merge_into_itself_into_nobody_and_twice_is_refused(world: World, ed: Api) -> None:
    one, two, three = named(ed, "One"), named(ed, "Two"), named(ed, "Three")
    assert fields(ed.post(f"/persons/{one}/merge", json={"into": one})) == ["into"]
    problem(ed.post(f"/persons/{one}/merge", json={"into": 999}), 404)
    ed.post(f"/persons/{one}/merge", json={"into": two})
    before = world.ledger.head()
    for answer in (
        ed.post(f"/persons/{one}/merge", json={"into": three}),
        ed.post(f"/persons/{three}/merge", json={"into": one}),
        ed.patch(f"/persons/{one}", json={"notes": "x"}),
        ed.delete(f"/persons/{one}"),
    ):
        assert problem(answer, 409)["type"] == "/docs#already-merged"
    assert world.ledger.head() == before


@pytest.mark.parametrize(("cascade", "left_on_photo"), [("set_null", 1), ("delete", 0)])
def test_deleting_a_person_frees_its_faces_or_takes_them_with_it(ed: Api, cascade: str, left_on_photo: int) -> None:
    (face,) = face_ids(ed, "bob.jpg")
    person = named(ed, "Bob", face)
    answer = ed.delete(f"/persons/{person}", params={"cascade": cascade})
    assert answer.json()["operation_id"] == int(answer.headers["operation-id"])
    problem(ed.get(f"/persons/{person}"), 404)
    shown = ed.get("/image/faces", params={"path": "bob.jpg"}).json()["items"]
    assert [face["person_id"] for face in shown] == [None] * left_on_photo


def test_a_cascade_that_is_no_such_thing_is_refused_with_the_choices(ed: Api) -> None:
    person = named(ed, "Bob")
    told = problem(ed.delete(f"/persons/{person}", params={"cascade": "all"}), 422)
    assert told["errors"] == [{"field": "cascade", "message": "expected one of set_null, delete"}]


def test_a_dry_run_tells_every_change_and_makes_none(world: World, ed: Api) -> None:
    left, right = face_ids(ed, "trips/both.jpg")
    survivor, retired = named(ed, "Robert", right), named(ed, "Bob", left)
    before, dry = world.ledger.head(), {"dry_run": "true"}
    told = ed.post(f"/persons/{retired}/merge", json={"into": survivor}, params=dry).json()
    assert told["text"] == "merged Bob (1 face) into Robert"
    changes = {(change["kind"], change["id"]): change for change in told["changes"]}
    assert changes["person", survivor]["before"]["face_count"] == 1
    assert changes["person", survivor]["after"]["face_count"] == 2
    assert changes["person", retired]["after"]["merged_into"] == survivor
    (created,) = ed.post("/persons", json={"name": "New"}, params=dry).json()["changes"]
    assert (created["before"], created["after"]["name"]) == (None, "New")
    (renamed,) = ed.patch(f"/persons/{retired}", json={"name": "Bobby"}, params=dry).json()["changes"]
    assert (renamed["before"]["name"], renamed["after"]["name"]) == ("Bob", "Bobby")
    deleted = ed.delete(f"/persons/{retired}", params=dry).json()["changes"]
    assert [change["after"] for change in deleted if change["kind"] == "person"] == [None]
    assert ed.patch(f"/persons/{retired}", json={}, params=dry).json() == {
        "text": "nothing would change",
        "changes": [],
    }
    assert world.ledger.head() == before


def test_a_dry_run_meets_the_same_refusals(ed: Api) -> None:
    named(ed, "Anna")
    problem(ed.post("/persons", json={"name": "ANNA"}, params={"dry_run": "true"}), 409)
    assert fields(ed.post("/persons", json={"name": "x"}, params={"dry_run": "perhaps"})) == ["dry_run"]


def test_lists_page_by_name_and_by_faces_without_loss_or_repetition(ed: Api) -> None:
    faces = face_ids(ed, "trips/both.jpg")
    ids = [named(ed, name) for name in ("eve", "Dan", "carol", "Bea", "adam")]
    ed.post("/image/faces/batch", json={"ids": faces, "action": "assign", "person_id": ids[1]})

    def walked(sort: str) -> list[str]:
        names: list[str] = []
        cursor = None
        while True:
            query: dict[str, Any] = {"sort": sort, "limit": 2, **({"cursor": cursor} if cursor else {})}
            page = ed.get("/persons", params=query).json()
            names += [person["name"] for person in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return names

    assert walked("name") == ["adam", "Bea", "carol", "Dan", "eve"]
    assert walked("faces") == ["Dan", "eve", "carol", "Bea", "adam"]


@pytest.mark.parametrize("cursor", ["x", "!!!!", "W10", "WyJuYW1lIiw1LDFd", "eyJhIjoxfQ", "WyJmYWNlcyIsMSwxXQ", "ü"])
def test_a_cursor_that_was_tampered_with_is_refused(ed: Api, cursor: str) -> None:
    assert fields(ed.get("/persons", params={"cursor": cursor})) == ["cursor"]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1.5"])
def test_a_limit_out_of_bounds_is_refused(ed: Api, limit: str) -> None:
    assert fields(ed.get("/persons", params={"limit": limit})) == ["limit"]


def test_persons_of_one_library_are_counted_in_it(ed: Api) -> None:
    (bob,), (boss,) = face_ids(ed, "bob.jpg"), face_ids(ed, "boss.jpg")
    named(ed, "Bob", bob)
    named(ed, "Boss", boss)
    named(ed, "Nobody")

    def counted(**query: str) -> list[tuple[str, int]]:
        items = ed.get("/persons", params=query).json()["items"]
        return [(person["name"], person["face_count"]) for person in items]

    assert counted(library="family") == [("Bob", 1), ("Nobody", 0)]
    assert counted(library="family", with_faces="true") == [("Bob", 1)]
    assert counted(library="2") == [("Bob", 1), ("Boss", 1), ("Nobody", 0)]
    assert counted(with_faces="true") == [("Bob", 1), ("Boss", 1)]
    problem(ed.get("/persons", params={"library": "nowhere"}), 404)
    assert [person["name"] for person in ed.get("/persons", params={"q": "BO"}).json()["items"]] == [
        "Bob",
        "Boss",
        "Nobody",
    ]


def test_a_person_is_found_however_the_name_is_typed(ed: Api) -> None:
    (face,) = face_ids(ed, "bob.jpg")
    named(ed, "José García", face)
    for name in ("Łukasz", "O\u2019Neill", "100 % Bob_by"):
        named(ed, name)
    ed.post("/image/tags", json={"path": "plain.jpg", "name": "Düne Straße"})

    def found(q: str) -> list[str]:
        return [person["name"] for person in ed.get("/persons", params={"q": q}).json()["items"]]

    for q in ("jose", "garcia jose", "GARCÍA", "josé-garcia"):
        assert found(q) == ["José García"]
        query = {"q": q.replace("-", " "), "library": "1"}
        assert [photo["path"] for photo in ed.get("/photos", params=query).json()["items"]] == ["bob.jpg"]
    assert (found("lukasz"), found("o'neill"), found("ONEILL")) == (["Łukasz"], ["O\u2019Neill"], ["O\u2019Neill"])
    assert (found("% bob_b"), found("%_"), found("jose lukasz")) == (["100 % Bob_by"], [], [])
    assert [photo["path"] for photo in ed.get("/photos", params={"q": "strasse dune"}).json()["items"]] == ["plain.jpg"]
    assert ed.post("/persons", json={"name": "Jose Garcia"}).status_code == 201, "they are two"
    assert found("garcia") == ["Jose Garcia", "José García"]


def test_a_person_is_made_with_a_cover_and_an_entity_in_one_step(ed: Api) -> None:
    (bob,), (boss,) = face_ids(ed, "bob.jpg"), face_ids(ed, "boss.jpg")
    entity = ed.post("/entities", json={"name": "Bob", "type": "person"}).json()["id"]
    made = ed.post("/persons", json={"name": "Bob", "cover_face_id": bob, "entity_id": entity})
    assert made.status_code == 201
    assert (made.json()["cover_face_id"], made.json()["face_count"], made.json()["entity_id"]) == (bob, 1, entity)
    head = ed.get("/operations").json()["items"][0]["id"]
    assert int(made.headers["operation-id"]) == head
    for refused in ({"cover_face_id": bob}, {"cover_face_id": 999}, {"entity_id": 999}):
        assert fields(ed.post("/persons", json={"name": "Other", **refused})) == [*refused]
    rehearsed = ed.post("/persons", params={"dry_run": "true"}, json={"name": "Boss", "cover_face_id": boss}).json()
    assert [(change["kind"], change["id"]) for change in rehearsed["changes"]][1:] == [("face", boss)]
    assert ed.get("/operations").json()["items"][0]["id"] == head
    assert ed.post(f"/operations/{head}/undo").status_code == 200
    assert ed.get("/persons").json()["items"] == []
    assert ed.get("/image/faces", params={"path": "bob.jpg"}).json()["items"][0]["person_id"] is None


def test_what_is_out_of_sight_is_no_cover(ed: Api, rex: Api) -> None:
    (boss,) = face_ids(ed, "boss.jpg")
    assert fields(rex.post("/persons", json={"name": "Boss", "cover_face_id": boss})) == ["cover_face_id"]


@pytest.mark.parametrize("limit", [1001, 5000, 10**9])
def test_a_limit_above_the_greatest_counts_as_that_on_the_lists_that_older_clients_page(ed: Api, limit: int) -> None:
    person = named(ed, "Many", *face_ids(ed, "trips/both.jpg"))
    for path in ("/faces/embeddings", "/image/faces?path=trips/both.jpg", f"/persons/{person}/faces"):
        query = "&" if "?" in path else "?"
        assert len(ed.get(f"{path}{query}limit={limit}").json()["items"]) >= 2
        assert fields(ed.get(f"{path}{query}limit=0")) == ["limit"]
    assert fields(ed.get(f"/persons?limit={limit}")) == ["limit"]


def test_the_faces_of_a_person_page_by_cursor_and_by_offset(ed: Api) -> None:
    faces = sorted([*face_ids(ed, "trips/both.jpg"), *face_ids(ed, "bob.jpg")])
    person = named(ed, "Many", *faces)
    first = ed.get(f"/persons/{person}/faces", params={"limit": 2}).json()
    second = ed.get(f"/persons/{person}/faces", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [face["id"] for face in first["items"] + second["items"]] == faces
    assert second["next_cursor"] is None
    skipped = ed.get(f"/persons/{person}/faces", params={"offset": 2}).json()
    assert [face["id"] for face in skipped["items"]] == faces[2:]
    at_work = ed.get(f"/persons/{person}/faces", params={"library": "Work"}).json()["items"]
    assert [(face["library_id"], face["path"]) for face in at_work] == [(2, "bob-at-work.jpg")]


def test_a_read_that_the_client_has_already_is_not_sent_again(ed: Api) -> None:
    person = named(ed, "Anna")
    first = ed.get(f"/persons/{person}")
    again = ed.get(f"/persons/{person}", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    ed.patch(f"/persons/{person}", json={"notes": "x"})
    assert ed.get(f"/persons/{person}", headers={"If-None-Match": first.headers["etag"]}).status_code == 200
