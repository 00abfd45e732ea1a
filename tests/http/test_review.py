"""Clusters to be accepted, and persons made from tags, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from domain.base.errors import Unavailable
from tests.http.painted import paint
from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


def clusters(api: Api, **query: Any) -> list[dict[str, Any]]:
    """The clusters that an API shows."""
    items: list[dict[str, Any]] = api.get("/faces/clusters", params=query).json()["items"]
    return items


@pytest.fixture
def reds(ed: Api) -> list[int]:
    """The three faces of red and pink."""
    return sorted([*face_ids(ed, "trips/ann.jpg"), face_ids(ed, "trips/both.jpg")[0], *face_ids(ed, "cousin.jpg")])


@pytest.fixture
def blues(ed: Api) -> list[int]:
    """The two blue faces."""
    return sorted([face_ids(ed, "trips/both.jpg")[1], *face_ids(ed, "bob.jpg")])


def accepted(api: Api, **body: Any) -> Any:
    """The answer to accepting a cluster."""
    return api.post("/faces/clusters/accept", json=body)


def test_unassigned_faces_come_in_clusters_with_samples(ed: Api, reds: list[int], blues: list[int]) -> None:
    red, blue = clusters(ed)
    assert (red["id"], red["size"], sorted(red["face_ids"])) == (reds[0], 3, reds)
    assert (blue["id"], blue["size"], sorted(blue["face_ids"])) == (blues[0], 2, blues)
    assert {face["id"] for face in red["faces"]} == set(reds)
    assert red["nearest"] is None
    assert 0.9 < red["tightness"] <= 1
    assert clusters(ed) == [red, blue]


def test_clusters_come_in_pages_and_from_a_size_on(ed: Api, reds: list[int], blues: list[int]) -> None:
    first = ed.get("/faces/clusters", params={"limit": 1}).json()
    second = ed.get("/faces/clusters", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [page["items"][0]["id"] for page in (first, second)] == [reds[0], blues[0]]
    assert second["next_cursor"] is None
    assert [cluster["id"] for cluster in clusters(ed, min_size=3)] == [reds[0]]
    assert fields(ed.get("/faces/clusters", params={"min_size": 1})) == ["min_size"]
    assert fields(ed.get("/faces/clusters", params={"cursor": "abc"})) == ["cursor"]


def test_the_next_page_goes_on_where_the_last_one_ended_though_its_clusters_were_accepted(
    ed: Api, blues: list[int]
) -> None:
    first = ed.get("/faces/clusters", params={"limit": 1}).json()
    accepted(ed, ids=first["items"][0]["face_ids"], name="Ann")
    assert [cluster["id"] for cluster in clusters(ed, cursor=first["next_cursor"])] == [blues[0]]


def test_a_cluster_names_the_person_it_is_nearest_to_but_none_that_one_of_its_faces_is_not(
    ed: Api, reds: list[int]
) -> None:
    ann = named(ed, "Ann", reds[0])
    (red,) = [cluster for cluster in clusters(ed) if cluster["id"] == reds[1]]
    assert (red["nearest"]["person_id"], red["nearest"]["name"]) == (ann, "Ann")
    assert red["nearest"]["similarity"] > 0.9
    ed.post(f"/image/faces/{reds[2]}/reject", json={"person_id": ann})
    (red,) = [cluster for cluster in clusters(ed) if cluster["id"] == reds[1]]
    assert red["nearest"] is None


def test_an_accepted_cluster_is_one_operation_that_undo_takes_back(ed: Api, reds: list[int], blues: list[int]) -> None:
    answer = accepted(ed, ids=reds, name="Ann")
    assert [row["ok"] for row in answer.json()["results"]] == [True] * 3
    (person,) = ed.get("/persons").json()["items"]
    assert (person["name"], person["face_count"]) == ("Ann", 3)
    assert [cluster["id"] for cluster in clusters(ed)] == [blues[0]]
    operation = ed.get(f"/operations/{answer.json()['operation_id']}").json()
    assert operation["kind"] == "cluster.accept"
    assert ed.post(f"/operations/{operation['id']}/undo").status_code == 200
    assert ed.get("/persons").json()["items"] == []
    assert [cluster["id"] for cluster in clusters(ed)] == [reds[0], blues[0]]


def test_a_cluster_is_accepted_by_its_id_without_some_of_it(ed: Api, reds: list[int]) -> None:
    ann = named(ed, "Ann")
    answer = accepted(ed, cluster=reds[0], size=3, without=[reds[1]], person_id=ann)
    assert sorted(row["id"] for row in answer.json()["results"]) == [reds[0], reds[2]]
    assert ed.get(f"/persons/{ann}").json()["face_count"] == 2


def test_a_cluster_that_is_not_as_it_was_shown_is_not_accepted(ed: Api, reds: list[int]) -> None:
    ann = named(ed, "Ann", reds[2])
    told = problem(accepted(ed, cluster=reds[0], size=3, person_id=ann), 409)
    assert "has 2 faces now, not 3" in told["detail"]
    problem(accepted(ed, cluster=reds[2], person_id=ann), 404)
    assert ed.get(f"/persons/{ann}").json()["face_count"] == 1


def test_faces_that_changed_meanwhile_say_so_each(ed: Api, reds: list[int]) -> None:
    named(ed, "Bob", reds[0])
    answer = accepted(ed, ids=[*reds, 999_999], name="Ann").json()
    errors = {row["id"]: row["error"] for row in answer["results"]}
    assert errors == {
        reds[0]: f"face {reds[0]} is Bob's meanwhile",
        reds[1]: None,
        reds[2]: None,
        999_999: "there is no face 999999",
    }


def test_a_rehearsal_of_accepting_tells_what_would_change_and_changes_nothing(ed: Api, reds: list[int]) -> None:
    answer = ed.post("/faces/clusters/accept", params={"dry_run": True}, json={"ids": reds, "name": "Ann"}).json()
    assert answer["text"] == "said that a cluster of 3 faces is Ann"
    assert {change["kind"] for change in answer["changes"]} == {"person", "face"}
    assert ed.get("/persons").json()["items"] == []


def test_what_cannot_be_accepted_is_refused(ed: Api, reds: list[int]) -> None:
    named(ed, "Ann")
    assert fields(accepted(ed, name="Bob")) == ["ids"]
    assert fields(accepted(ed, ids=reds, cluster=reds[0], name="Bob")) == ["ids"]
    assert fields(accepted(ed, ids=[], name="Bob")) == ["ids"]
    assert fields(accepted(ed, ids=reds)) == ["person_id"]
    problem(accepted(ed, ids=reds, person_id=999), 404)
    problem(accepted(ed, ids=reds, name="ANN"), 409)


def test_a_viewer_looks_and_decides_nothing(world: World, reds: list[int]) -> None:
    vic = world.api("vic")
    assert clusters(vic)
    problem(accepted(vic, ids=reds, name="Ann"), 403)
    problem(vic.post("/persons/bootstrap", json={"tags": ["Ann"]}), 403)


def test_everyone_sees_and_accepts_only_what_is_theirs(own_world: World) -> None:
    for number in range(3):
        paint(own_world.folder / "work" / f"green{number}.jpg", ("green", 200, 150, 100 + number), shade=100 + number)
    paint(own_world.folder / "work" / "red.jpg", ("red", 200, 150, 100))
    own_world.scan()
    own_world.detect()
    ed, rex = own_world.api("ed"), own_world.api("rex")
    assert sorted(cluster["size"] for cluster in clusters(ed)) == [2, 4, 4]
    assert sorted(cluster["size"] for cluster in clusters(rex)) == [2, 3]
    assert [cluster["size"] for cluster in clusters(ed, library="Work")] == [4]
    problem(rex.get("/faces/clusters", params={"library": "Work"}), 404)
    (green,) = clusters(ed, library="Work")
    problem(accepted(rex, cluster=green["id"], name="Boss"), 404)
    assert not any(row["ok"] for row in accepted(rex, ids=green["face_ids"], name="Boss").json()["results"])
    boss = accepted(ed, ids=green["face_ids"], name="Boss")
    assert boss.status_code == 200
    person = ed.get("/persons").json()["items"][0]["id"]
    problem(accepted(rex, ids=clusters(rex)[0]["face_ids"], person_id=person), 404)


def test_a_person_out_of_sight_is_nobodys_nearest(own_world: World) -> None:
    paint(own_world.folder / "work" / "red.jpg", ("red", 200, 150, 100))
    own_world.scan()
    own_world.detect()
    ed, rex = own_world.api("ed"), own_world.api("rex")
    named(ed, "Ann", *face_ids(ed, "red.jpg"))
    assert clusters(ed)[0]["nearest"]["name"] == "Ann"
    assert clusters(rex)[0]["nearest"] is None
    named(ed, "Cousin", *face_ids(ed, "cousin.jpg"))
    asked = f"/image/faces/{face_ids(ed, 'trips/ann.jpg')[0]}/suggestions"
    assert [each["name"] for each in ed.get(asked, params={"limit": 1}).json()["items"]] == ["Ann"]
    assert [each["name"] for each in rex.get(asked, params={"limit": 1}).json()["items"]] == ["Cousin"]


def test_without_an_engine_the_faces_that_were_found_are_still_reviewed(world: World, reds: list[int]) -> None:
    world.has_engine = False
    assert clusters(world.api("ed"))[0]["size"] == 3


def test_while_an_engine_cannot_say_its_model_the_faces_of_the_last_one_are_still_reviewed(
    world: World, reds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = world.api("ed")

    def unreached(_: object) -> str:
        raise Unavailable("the face engine was not reached yet")

    named(ed, "Anna B.", reds[0])
    ann = named(ed, "Anna", reds[1])
    monkeypatch.setattr(type(world.engine), "model_version", property(unreached), raising=False)
    (merge,) = ed.get("/persons/suggestions").json()["items"]
    assert merge["names_alike"]
    assert ed.get(f"/persons/{ann}/faces", params={"sort": "likeness"}).json()["items"][0]["id"] == reds[1]
    ed.post("/image/faces/batch", json={"ids": reds[:2], "action": "unassign"})
    assert sorted(clusters(ed)[0]["face_ids"]) == sorted(reds)


# Persons from tags


def test_persons_are_made_from_tags_by_name_or_id_and_undo_takes_them_back(ed: Api) -> None:
    ann = ed.post("/image/tags", json={"path": "bob.jpg", "name": "Ann"}).json()["id"]
    ed.post("/image/tags", json={"path": "bob.jpg", "name": "Beach"})
    ed.post("/image/tags", json={"path": "bob.jpg", "name": "Bob"})
    holder = named(ed, "bob")
    answer = ed.post("/persons/bootstrap", json={"tags": [ann, "Bob", "Cleo", 999]}).json()
    made = answer["results"][0]["person_id"]
    assert [(row["id"], row["name"], row["ok"]) for row in answer["results"]] == [
        (ann, "Ann", True),
        (answer["results"][1]["id"], "Bob", False),
        (None, "Cleo", False),
        (None, "999", False),
    ]
    assert f"person {holder} is called bob already" in answer["results"][1]["error"]
    assert ed.get(f"/persons/{made}").json()["name"] == "Ann"
    assert ed.get(f"/operations/{answer['operation_id']}").json()["kind"] == "bootstrap"
    assert ed.post(f"/operations/{answer['operation_id']}/undo").status_code == 200
    problem(ed.get(f"/persons/{made}"), 404)
    assert ed.get(f"/persons/{holder}").status_code == 200


def test_tags_out_of_sight_are_not_there(ed: Api, rex: Api) -> None:
    tag = ed.post("/image/tags", json={"path": "boss.jpg", "name": "Boss"}).json()["id"]
    rows = rex.post("/persons/bootstrap", json={"tags": [tag, "Boss"]}).json()["results"]
    assert [(row["id"], row["error"]) for row in rows] == [
        (None, f"there is no tag {tag}"),
        (None, "there is no tag Boss"),
    ]


def test_a_bootstrap_of_nothing_is_refused(ed: Api) -> None:
    assert fields(ed.post("/persons/bootstrap", json={"tags": []})) == ["tags"]
