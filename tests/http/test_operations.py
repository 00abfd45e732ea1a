"""History and undo over HTTP."""

from __future__ import annotations

import pytest

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
    assert told["operation_id"] == operation(ed, "renamed Bea to Cleo")
    assert world.ledger.head() == before


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
