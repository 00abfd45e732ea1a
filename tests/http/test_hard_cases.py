"""What a client may send by mistake or on purpose, and what must not come of it."""

from __future__ import annotations

import pytest

from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


@pytest.mark.parametrize("query", ["dry_run", "dry_run=", "dry_run=true", "dry%5Frun=true", "dry_run=1"])
def test_whatever_way_a_dry_run_is_asked_for_nothing_is_written(world: World, ed: Api, query: str) -> None:
    head = world.ledger.head()
    answer = ed.post(f"/persons?{query}", json={"name": "Nobody"})
    assert answer.json()["text"] == "created Nobody"
    assert world.ledger.head() == head


def test_a_dry_run_of_what_cannot_be_rehearsed_is_refused_and_not_done(world: World, ann: Api) -> None:
    head = world.ledger.head()
    folder = str(world.data)
    assert fields(ann.post("/libraries?dry_run=true", json={"root": folder})) == ["dry_run"]
    assert fields(ann.delete("/libraries/1?dry_run=true")) == ["dry_run"]
    account = {"name": "new", "role": "viewer", "password": "four grey herons"}
    assert fields(ann.post("/users?dry_run=true", json=account)) == ["dry_run"]
    assert fields(ann.get("/libraries?nonsense=1")) == ["nonsense"]
    assert world.ledger.head() == head


def test_detecting_again_can_be_rehearsed(world: World, ed: Api) -> None:
    head = world.ledger.head()
    answer = ed.post("/image/faces/rerun", params={"path": "trips/ann.jpg", "dry_run": "true"})
    assert answer.json()["text"] == "looked for faces on trips/ann.jpg again"
    assert world.ledger.head() == head


def test_numbers_that_no_column_holds_are_refused_or_name_nothing(ann: Api, ed: Api) -> None:
    assert fields(ed.post("/image/tags", json={"path": "bob.jpg", "name": "x", "library": 10**30})) == ["library"]
    account = {"name": "new", "role": "viewer", "password": "four grey herons", "libraries": [2**63]}
    assert fields(ann.post("/users", json=account)) == ["libraries[0]"]
    assert fields(ann.patch("/users/3", json={"libraries": [0]})) == ["libraries[0]"]
    problem(ed.get("/persons/" + "9" * 5000), 404)
    problem(ed.get("/persons/00000000000000000000001"), 404)


def test_searches_and_lists_are_bounded(ed: Api) -> None:
    assert fields(ed.get("/photos", params={"q": "a" * 201})) == ["q"]
    assert fields(ed.get("/persons", params={"q": "a" * 201})) == ["q"]
    assert fields(ed.get("/photos", params={"tags": ["t"] * 51})) == ["tags"]
    assert fields(ed.get("/photos", params={"persons": ["1"] * 51})) == ["persons"]
    assert ed.get("/photos", params={"q": "a" * 200}).status_code == 200


def test_lists_of_names_that_grow_when_they_are_compared_can_be_paged(ed: Api) -> None:
    for number in range(3):
        named(ed, f"{number}" + "\ufdfa" * 60)
    names, cursor = [], None
    while True:
        page = ed.get("/persons", params={"limit": "1"} | ({"cursor": cursor} if cursor else {})).json()
        names += [person["name"][0] for person in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["0", "1", "2"]


@pytest.mark.parametrize(
    "name", ["\u2066", "\u3164", "\u00ad", "\u200b", "\u202eabc", "a\u2028b", "a\u2029b", "x\u2067y"]
)
def test_names_that_show_nothing_or_turn_the_writing_are_refused(world: World, ed: Api, name: str) -> None:
    head = world.ledger.head()
    assert fields(ed.post("/persons", json={"name": name})) == ["name"]
    assert world.ledger.head() == head


def test_a_character_that_is_not_seen_makes_no_other_name(ed: Api) -> None:
    named(ed, "Ann")
    problem(ed.post("/persons", json={"name": "\u200bANN"}), 409)


def test_a_cover_is_shown_only_where_its_face_is(world: World, ed: Api, rex: Api) -> None:
    boss, bob = face_ids(ed, "boss.jpg")[0], face_ids(ed, "bob.jpg")[0]
    person = named(ed, "Bob", boss, bob)
    ed.patch(f"/persons/{person}", json={"cover_face_id": boss})
    assert ed.get(f"/persons/{person}").json()["cover_face_id"] == boss
    assert rex.get(f"/persons/{person}").json()["cover_face_id"] == bob
    assert rex.get("/persons").json()["items"][0]["cover_face_id"] == bob
    ed.delete(f"/image/faces/{boss}")
    assert ed.get(f"/persons/{person}").json()["cover_face_id"] == bob


def test_who_sees_one_library_changes_no_person_or_tag_of_another(world: World, ed: Api, rex: Api) -> None:
    boss, bob = face_ids(ed, "boss.jpg")[0], face_ids(ed, "bob.jpg")[0]
    person = named(ed, "Bob", boss, bob)
    for path in ("boss.jpg", "bob.jpg"):
        ed.post("/image/tags", json={"path": path, "name": "work"})
    tag = next(row["id"] for row in ed.get("/image/tags/all").json()["items"] if row["name"] == "work")
    head = world.ledger.head()
    problem(rex.patch(f"/persons/{person}", json={"name": "Mallory"}), 403)
    problem(rex.patch(f"/persons/{person}", json={"hidden": True}), 403)
    problem(rex.patch(f"/tags/{tag}", json={"name": "mine"}), 403)
    assert world.ledger.head() == head


def test_the_folder_of_a_library_is_told_to_admins_alone(ann: Api, ed: Api) -> None:
    added = next(row["id"] for row in ed.get("/operations").json()["items"] if row["kind"] == "library.add")
    assert "root" in str(ann.get(f"/operations/{added}").json())
    assert "root" not in str(ed.get(f"/operations/{added}").json())
