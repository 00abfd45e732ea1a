"""History and undo over HTTP."""

from __future__ import annotations

import pytest
from httpx2 import Response

from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def operation(api: Api, text: str) -> int:
    """The id of the newest operation with this text."""
    rows = api.get("/operations").json()["items"]
    return next(int(row["id"]) for row in rows if row["text"] == text)


def test_what_was_done_is_told_newest_first_in_plain_words(ed: Api) -> None:
    one, two = named(ed, "Bob"), named(ed, "Robert")
    ed.post(f"/persons/{one}/merge", json={"into": two})
    newest, before, *_ = ed.get("/operations").json()["items"]
    assert (newest["text"], newest["actor"], newest["kind"]) == (
        "merged Bob (0 faces) into Robert",
        "ed",
        "person.merge",
    )
    assert newest["at"].endswith("Z")
    assert newest["undoable"] is True
    assert before["text"] == "created Robert"


def test_history_pages_and_narrows_by_actor_and_kind(world: World, ed: Api) -> None:
    for name in "ABC":
        named(ed, name)
    named(world.api("ann"), "D")
    mine = ed.get("/operations", params={"actor": "ed", "limit": 2}).json()
    rest = ed.get("/operations", params={"actor": "ed", "limit": 2, "cursor": mine["next_cursor"]}).json()
    assert [row["text"] for row in mine["items"] + rest["items"]] == ["created C", "created B", "created A"]
    assert rest["next_cursor"] is None
    before = ed.get("/operations", params={"kind": "person.create", "before": mine["items"][1]["id"]}).json()
    assert [row["text"] for row in before["items"]] == ["created A"]
    assert ed.get("/operations", params={"actor": "nobody"}).json()["items"] == []
    assert fields(ed.get("/operations", params={"before": "x", "who": "1"})) == ["before", "who"]


def told(api: Api, **query: str | int) -> list[str]:
    """What a query of operations answers in words."""
    return [row["text"] for row in api.get("/operations", params=query).json()["items"]]


def test_history_narrows_to_one_photo_with_its_tags_and_faces_beside_the_other_filters(world: World, ed: Api) -> None:
    (face, *_), (bob,) = face_ids(ed, "trips/ann.jpg"), face_ids(ed, "bob.jpg")
    anna = named(ed, "Anna", face)
    named(ed, "Bob", bob)
    ed.post("/image/tags", json={"path": "trips/ann.jpg", "name": "holiday"})
    world.api("ann").post("/image/tags", json={"path": "trips/ann.jpg", "name": "beach"})
    ed.post("/image/tags", json={"path": "plain.jpg", "name": "elsewhere"})
    here = told(ed, path="trips/ann.jpg")
    assert here[:3] == ["tagged a photo with beach", "tagged a photo with holiday", "assigned 1 face to Anna"]
    assert here[-1].startswith("scanned Family")
    assert not [text for text in here if "Bob" in text or "elsewhere" in text]
    assert told(ed, path="trips/ann.jpg", kind="tag.add", actor="ed") == ["tagged a photo with holiday"]
    assert told(ed, path="trips/ann.jpg", person=anna) == ["assigned 1 face to Anna"]
    assert told(ed, path="bob.jpg", library="Family", kind="face.batch") == ["assigned 1 face to Bob"]
    problem(ed.get("/operations", params={"path": "bob.jpg", "library": "Work"}), 404)
    problem(ed.get("/operations", params={"path": "nowhere.jpg"}), 404)
    assert fields(ed.get("/operations", params={"library": "Family"})) == ["library"]


def test_a_photos_operations_page_and_none_is_lost_where_the_filter_leaves_many_out(
    ed: Api, ann: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.resources.operations.PHOTO_BATCH", 2)
    for number in range(4):
        ed.post("/image/tags", json={"path": "plain.jpg", "name": f"ed {number}"})
        ann.post("/image/tags", json={"path": "plain.jpg", "name": f"ann {number}"})
        ann.post("/image/tags", json={"path": "plain.jpg", "name": f"again {number}"})
    query: dict[str, str | int] = {"path": "plain.jpg", "actor": "ed", "limit": 3}
    first = ed.get("/operations", params=query).json()
    rest = ed.get("/operations", params=query | {"cursor": first["next_cursor"]}).json()
    assert [row["text"] for row in first["items"]] == [f"tagged a photo with ed {number}" for number in (3, 2, 1)]
    assert [row["text"] for row in rest["items"]] == ["tagged a photo with ed 0"]
    assert rest["next_cursor"] is None
    assert told(ed, path="plain.jpg", actor="ed", before=first["items"][2]["id"]) == ["tagged a photo with ed 0"]


def test_a_photos_operations_are_told_to_who_sees_the_photo_and_the_deed(ed: Api, rex: Api) -> None:
    ed.post("/image/tags", json={"path": "plain.jpg", "name": "of ed"})
    rex.post("/image/tags", json={"path": "plain.jpg", "name": "of rex"})
    assert told(rex, path="plain.jpg") == ["tagged a photo with of rex"]
    problem(rex.get("/operations", params={"path": "boss.jpg"}), 404)


def test_one_operation_comes_with_its_events_and_without_embeddings(ed: Api) -> None:
    box = {"x": 0.17, "y": 0.26, "w": 0.12, "h": 0.18}
    drawn = ed.post("/image/faces", json={"path": "trips/ann.jpg", "box": box})
    told = ed.get(f"/operations/{drawn.headers['operation-id']}").json()
    assert [event["type"] for event in told["events"]] == ["OperationBegan:1", "FaceDrawn:1"]
    data = told["events"][1]["data"]
    assert data["box"] == box
    assert len(data["content_hash"]) == 64
    assert "embedding_id" not in data
    assert told["truncated"] is False
    problem(ed.get("/operations/9999"), 404)


def test_accounts_are_told_to_admins_only_and_their_secrets_to_nobody(world: World, ann: Api, ed: Api) -> None:
    ann.post("/users", json={"name": "new", "password": "four grey herons"})
    added = operation(ann, "added the user new (viewer)")
    assert [event["type"] for event in ann.get(f"/operations/{added}").json()["events"]] == ["OperationBegan:1"]
    problem(ed.get(f"/operations/{added}"), 404)
    assert not [row for row in ed.get("/operations").json()["items"] if row["kind"].startswith("user.")]


def test_undo_and_redo_restore_exactly_what_stood(ed: Api) -> None:
    person = named(ed, "Anna")
    ed.patch(f"/persons/{person}", json={"notes": "tall"})
    undone = ed.post(f"/operations/{operation(ed, 'wrote notes on Anna')}/undo")
    assert undone.json()["kind"] == "undo"
    assert int(undone.headers["operation-id"]) == undone.json()["id"]
    assert ed.get(f"/persons/{person}").json()["notes"] == ""
    first = ed.get(f"/operations/{undone.json()['undoes']}").json()
    assert (first["undone_by"], first["undoable"]) == (undone.json()["id"], False)
    ed.post(f"/operations/{undone.json()['id']}/undo")
    assert ed.get(f"/persons/{person}").json()["notes"] == "tall"


def test_an_undo_that_a_later_operation_is_in_the_way_of_names_it(world: World, ed: Api) -> None:
    person = named(ed, "Anna")
    ed.patch(f"/persons/{person}", json={"name": "Bea"})
    ed.patch(f"/persons/{person}", json={"name": "Cleo"})
    before = world.ledger.head()
    told = problem(ed.post(f"/operations/{operation(ed, 'renamed Anna to Bea')}/undo"), 409)
    assert told["type"] == "/docs#in-the-way"
    later = operation(ed, "renamed Bea to Cleo")
    assert told["operation_id"] == later
    named_there = {"id": later, "kind": "person.change", "text": "renamed Bea to Cleo", "actor": "ed"}
    assert told["operations"] == [named_there]
    assert world.ledger.head() == before
    both = ed.post(f"/operations/{operation(ed, 'renamed Anna to Bea')}/undo", params={"with_later": True})
    assert both.status_code == 200
    assert ed.get(f"/persons/{person}").json()["name"] == "Anna"


def test_all_that_stands_in_the_way_is_named_the_last_first_and_nothing_where_it_cannot_be_taken_back(
    world: World, ed: Api, rex: Api
) -> None:
    person = named(ed, "Anna")
    for name in ("Bea", "Cleo", "Dora"):
        ed.patch(f"/persons/{person}", json={"name": name})
    first = operation(ed, "renamed Anna to Bea")
    told = problem(ed.post(f"/operations/{first}/undo", params={"dry_run": True}), 409)
    assert [each["text"] for each in told["operations"]] == ["renamed Cleo to Dora", "renamed Bea to Cleo"]
    undone = ed.post(f"/operations/{operation(ed, 'renamed Cleo to Dora')}/undo").json()["id"]
    again = problem(ed.post(f"/operations/{operation(ed, 'renamed Cleo to Dora')}/undo"), 409)
    assert (again["operation_id"], again.get("operations", [])) == (undone, [])


def test_naming_a_face_and_confirming_the_likely_others_is_one_step_back(world: World, ed: Api) -> None:
    ann, both, bob = (face_ids(ed, path)[0] for path in ("trips/ann.jpg", "trips/both.jpg", "bob.jpg"))

    def assign(face: int, who: dict[str, object]) -> Response:
        return ed.post("/image/faces/batch", json={"ids": [face], "action": "assign", **who})

    naming = assign(ann, {"name": "Anna"})
    step = naming.headers["operation-id"]
    anna = ed.get("/image/faces?path=trips/ann.jpg").json()["items"][0]["person_id"]
    confirmed = assign(both, {"person_id": anna, "continues": int(step)})
    assert (confirmed.headers["operation-id"], confirmed.json()["operation_id"]) == (step, int(step))
    said = ed.get(f"/operations/{step}").json()
    assert said["text"] == "assigned 1 face to Anna, and assigned 1 face to Anna"
    head = world.ledger.head()
    assert assign(both, {"person_id": anna, "continues": int(step)}).is_success
    assert world.ledger.head() == head, "what stands already adds nothing"
    problem(
        world.api("ann").post("/image/faces/batch", json={"ids": [bob], "action": "ignore", "continues": int(step)}),
        404,
    )
    scan = ed.patch(f"/persons/{anna}", json={"notes": "x"}).headers["operation-id"]
    assert fields(assign(bob, {"person_id": anna, "continues": int(scan)})) == ["continues"]
    ed.post(f"/operations/{scan}/undo")
    assert ed.post(f"/operations/{step}/undo").status_code == 200
    assert ed.get("/persons").json()["items"] == []
    problem(assign(bob, {"name": "Bob", "continues": int(step)}), 409)


def test_undoing_twice_names_the_undo_and_what_cannot_be_undone_says_what_to_do(ann: Api, ed: Api) -> None:
    named(ed, "Anna")
    created = operation(ed, "created Anna")
    undo = ed.post(f"/operations/{created}/undo").json()["id"]
    assert problem(ed.post(f"/operations/{created}/undo"), 409)["operation_id"] == undo
    scan = next(row["id"] for row in ann.get("/operations").json()["items"] if row["kind"] == "scan")
    problem(ann.post(f"/operations/{scan}/undo"), 422)
    problem(ed.post("/operations/9999/undo"), 404)


@pytest.mark.parametrize("query", [{"dry_run": "true"}])
def test_a_dry_run_of_an_undo_tells_and_changes_nothing(world: World, ed: Api, query: dict[str, str]) -> None:
    (face,) = face_ids(ed, "bob.jpg")
    named(ed, "Bob", face)
    before = world.ledger.head()
    told = ed.post(f"/operations/{operation(ed, 'assigned 1 face to Bob')}/undo", params=query).json()
    assert {change["kind"] for change in told["changes"]} >= {"face"}
    assert world.ledger.head() == before
