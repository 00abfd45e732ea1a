"""Who may be one and who may be two, over HTTP; and a person's faces by time and by likeness."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.painted import paint
from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def suggestions(api: Api, **query: Any) -> list[dict[str, Any]]:
    """What an API suggests."""
    items: list[dict[str, Any]] = api.get("/persons/suggestions", params=query).json()["items"]
    return items


@pytest.fixture
def reds(ed: Api) -> list[int]:
    """The faces of red and pink, each on a photo of its own."""
    return [face_ids(ed, path)[0] for path in ("trips/ann.jpg", "trips/both.jpg", "cousin.jpg")]


@pytest.fixture
def blue(ed: Api) -> int:
    """A blue face."""
    return face_ids(ed, "bob.jpg")[0]


def test_two_that_are_likely_one_come_with_evidence_and_merging_them_answers_it(ed: Api, reds: list[int]) -> None:
    anna, ann = named(ed, "Anna B.", reds[2]), named(ed, "Anna", *reds[:2])
    (one,) = suggestions(ed)
    assert (one["kind"], one["person"]["id"], one["into"]["id"]) == ("merge", anna, ann)
    assert one["names_alike"] is True
    assert one["similarity"] >= one["threshold"] == 0.9
    assert [pair["face_id"] for pair in one["examples"]] == [reds[2]]
    assert one["examples"][0]["other_face_id"] in reds[:2]
    assert suggestions(ed, kind="split") == suggestions(ed, library="Work") == []
    assert suggestions(ed, library="Family") == [one]
    ed.post(f"/persons/{anna}/merge", json={"into": ann})
    assert suggestions(ed) == []


def test_two_that_are_on_one_photo_are_two_in_a_library_without_that_photo_too(own_world: World) -> None:
    own_world.scan()
    own_world.detect()
    ed = own_world.api("ed")
    ann, anna = named(ed, "Anna", *face_ids(ed, "trips/ann.jpg")), named(ed, "Anna B.", *face_ids(ed, "cousin.jpg"))
    assert [one["into"]["id"] for one in suggestions(ed, library="Family")] == [ann]
    paint(own_world.folder / "work" / "couple.jpg", ("red", 60, 60, 90), ("pink", 360, 60, 90))
    own_world.scan()
    own_world.detect()
    red, pink = face_ids(ed, "couple.jpg")
    for face, person in ((red, ann), (pink, anna)):
        ed.post("/image/faces/batch", json={"ids": [face], "action": "assign", "person_id": person})
    assert suggestions(ed) == suggestions(ed, library="Family") == []


def test_a_refused_merge_never_comes_again_until_it_is_undone(ed: Api, reds: list[int]) -> None:
    anna, ann = named(ed, "Anna B.", reds[2]), named(ed, "Anna", *reds[:2])
    answer = ed.post("/persons/suggestions/refuse", json={"persons": [anna, ann]})
    assert answer.json()["results"] == [{"id": id_, "ok": True, "error": None} for id_ in (anna, ann)]
    assert suggestions(ed) == []
    operation = answer.json()["operation_id"]
    assert ed.get(f"/persons/{ann}/history").json()["items"][0]["text"] == "said that Anna B. and Anna are two"
    assert ed.get(f"/persons/{anna}/history").json()["items"][0]["id"] == operation
    assert ed.post("/persons/suggestions/refuse", json={"persons": [ann, anna]}).json()["operation_id"] is None
    ed.post(f"/operations/{operation}/undo")
    assert [one["person"]["id"] for one in suggestions(ed)] == [anna]


def test_faces_that_are_another_s_come_with_whom_they_are_like_and_stay_away_once_confirmed(
    ed: Api, reds: list[int], blue: int
) -> None:
    ann = named(ed, "Ann", *reds, blue)
    bob = named(ed, "Bob", face_ids(ed, "trips/both.jpg")[1])
    (split,) = suggestions(ed)
    assert (split["kind"], split["person"]["id"], split["face_ids"], split["size"]) == ("split", ann, [blue], 1)
    assert [face["id"] for face in split["faces"]] == [blue]
    assert split["similarity"] < split["threshold"] == 0.9
    assert (split["nearest"]["person_id"], split["nearest"]["preselected"]) == (bob, True)
    answer = ed.post("/persons/suggestions/refuse", json={"person_id": ann, "face_ids": [blue, 999]}).json()
    assert [row["ok"] for row in answer["results"]] == [True, False]
    assert suggestions(ed) == []
    assert ed.get(f"/operations/{answer['operation_id']}").json()["text"] == "confirmed 1 face of Ann"
    ed.post(f"/operations/{answer['operation_id']}/undo")
    ed.post("/image/faces/batch", json={"ids": split["face_ids"], "action": "assign", "person_id": bob})
    assert suggestions(ed) == []


def test_suggestions_come_in_pages_first_who_may_be_one(ed: Api, reds: list[int], blue: int) -> None:
    box, other = {"x": 0.62, "y": 0.18, "w": 0.1, "h": 0.15}, face_ids(ed, "trips/both.jpg")[1]
    drawn = ed.post("/image/faces", json={"path": "trips/both.jpg", "box": box}).json()["id"]
    named(ed, "Ann", *reds, other)
    named(ed, "Bo", blue)
    named(ed, "Boris", drawn)
    first = ed.get("/persons/suggestions", params={"limit": 1}).json()
    rest = ed.get("/persons/suggestions", params={"limit": 5, "cursor": first["next_cursor"]}).json()
    assert [one["kind"] for one in [*first["items"], *rest["items"]]] == ["merge", "split"]
    assert rest["next_cursor"] is None
    assert fields(ed.get("/persons/suggestions", params={"cursor": "abc"})) == ["cursor"]
    assert fields(ed.get("/persons/suggestions", params={"kind": "both"})) == ["kind"]


def test_nobody_is_suggested_who_is_out_of_sight(ed: Api, rex: Api, reds: list[int]) -> None:
    box = {"path": "boss.jpg", "library": "Work", "box": {"x": 0.35, "y": 0.4, "w": 0.1, "h": 0.1}}
    green = [face_ids(ed, "boss.jpg")[0], ed.post("/image/faces", json=box).json()["id"]]
    named(ed, "Ann", *reds)
    boss = named(ed, "Boss", green[0])
    ed.post("/image/faces/batch", json={"ids": [green[1]], "action": "assign", "person_id": boss})
    assert suggestions(rex) == []
    assert suggestions(ed, library="Family") == []
    problem(rex.post("/persons/suggestions/refuse", json={"persons": [boss, 1]}), 404)
    problem(rex.get("/persons/suggestions", params={"library": "Work"}), 404)


def test_a_refusal_says_what_is_wrong_with_it_and_a_rehearsal_changes_nothing(
    ed: Api, world: World, reds: list[int]
) -> None:
    ann, bob = named(ed, "Ann", reds[0]), named(ed, "Bob", reds[1])
    assert fields(ed.post("/persons/suggestions/refuse", json={})) == ["persons"]
    assert fields(ed.post("/persons/suggestions/refuse", json={"face_ids": [1]})) == ["person_id"]
    assert fields(ed.post("/persons/suggestions/refuse", json={"persons": [ann]})) == ["persons"]
    both = ed.post("/persons/suggestions/refuse", json={"persons": [ann, bob], "person_id": ann})
    assert fields(both) == ["person_id"]
    problem(world.api("vic").post("/persons/suggestions/refuse", json={"persons": [ann, bob]}), 403)
    told = ed.post("/persons/suggestions/refuse", params={"dry_run": True}, json={"persons": [ann, bob]}).json()
    assert told["text"] == "said that Ann and Bob are two"
    assert ed.get("/operations").json()["items"][0]["kind"] != "person.apart"


# A person's faces


def of_person(api: Api, person: int, **query: Any) -> list[dict[str, Any]]:
    """All of a person's faces, page by page of two."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get(f"/persons/{person}/faces", params={"limit": 2, **query, **cursor}).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_the_faces_of_a_person_come_by_likeness_the_least_alike_first(ed: Api, reds: list[int], blue: int) -> None:
    ann = named(ed, "Ann", *reds, blue)
    rows = of_person(ed, ann, sort="likeness")
    assert rows[0]["id"] == blue
    assert rows[0]["similarity"] < 0.9
    alike = [row["similarity"] for row in rows]
    assert alike == sorted(alike)
    assert {row["id"] for row in rows} == {*reds, blue}
    assert [row["id"] for row in of_person(ed, ann, sort="likeness", order="desc")][-1] == blue
    assert all(row["similarity"] is None for row in of_person(ed, ann))


def test_a_face_that_waits_for_a_vector_comes_last_and_says_that_nothing_is_known(
    ed: Api, reds: list[int], blue: int
) -> None:
    ann = named(ed, "Ann", *reds, blue)
    grey = ed.post(
        "/image/faces", json={"path": "plain.jpg", "box": {"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}, "person_id": ann}
    ).json()["id"]
    for order in ("asc", "desc"):
        last = of_person(ed, ann, sort="likeness", order=order)[-1]
        assert (last["id"], last["similarity"]) == (grey, None)


def test_the_faces_of_a_person_come_by_when_the_photo_was_taken(ed: Api, reds: list[int]) -> None:
    ann = named(ed, "Ann", *reds)
    taken = {photo["path"]: photo["taken_at"] for photo in ed.get("/photos", params={"limit": 100}).json()["items"]}
    oldest = [taken[row["path"]] for row in of_person(ed, ann, sort="time")]
    assert oldest == sorted(oldest)
    newest = [row["id"] for row in of_person(ed, ann, sort="time", order="desc")]
    assert newest == [row["id"] for row in of_person(ed, ann, sort="time")][::-1]
    assert [row["id"] for row in of_person(ed, ann)] == sorted(reds)


def test_a_cursor_of_another_order_is_refused_and_a_library_narrows(ed: Api, reds: list[int], blue: int) -> None:
    ann = named(ed, "Ann", *reds, blue)
    cursor = ed.get(f"/persons/{ann}/faces", params={"sort": "time", "limit": 1}).json()["next_cursor"]
    other = ed.get(f"/persons/{ann}/faces", params={"sort": "likeness", "cursor": cursor})
    assert fields(other) == ["cursor"]
    assert {row["id"] for row in of_person(ed, ann, sort="likeness", library="Work")} == {blue}
    assert ed.get(f"/persons/{ann}/faces", params={"sort": "likeness", "offset": 1}).json()["items"][0]["id"] != blue
