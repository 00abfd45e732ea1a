"""Faces over HTTP, with an engine that really looks at the pictures it is given."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adapters.face_engines.absent import AbsentEngine
from domain.base.errors import Unavailable, Unreadable
from tests.http.painted import DIMENSIONS
from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids

BOX = {"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1}
ON_RED = {"x": 0.17, "y": 0.26, "w": 0.12, "h": 0.18}
"""Within the red face of trips/ann.jpg."""


def faces_of(api: Api, path: str) -> list[dict[str, Any]]:
    """The faces on a photo."""
    items: list[dict[str, Any]] = api.get("/image/faces", params={"path": path}).json()["items"]
    return items


def test_the_faces_of_a_photo_are_where_they_were_painted(ed: Api) -> None:
    left, right = faces_of(ed, "trips/both.jpg")
    assert left["box"]["x"] == pytest.approx(0.1, abs=0.01)
    assert right["box"]["x"] == pytest.approx(0.6, abs=0.01)
    assert (left["status"], left["source"], left["path"], left["library_id"]) == (
        "detected",
        "auto",
        "trips/both.jpg",
        1,
    )
    assert faces_of(ed, "plain.jpg") == []


def test_a_photo_that_is_not_there_is_not_found(ed: Api) -> None:
    problem(ed.get("/image/faces", params={"path": "trips"}), 404)
    problem(ed.get("/image/faces", params={"path": "bob.jpg", "library": "Work"}), 404)
    assert fields(ed.get("/image/faces")) == ["path"]


def test_copies_of_a_photo_share_their_faces(ed: Api) -> None:
    assert face_ids(ed, "bob.jpg") == face_ids(ed, "bob-at-work.jpg", "Work")


def test_the_stats_count_by_content(ed: Api) -> None:
    stats = ed.get("/faces/stats").json()
    assert stats == {
        "photos": 9,
        "scanned": 9,
        "with_faces": 5,
        "no_faces": 3,
        "failed": 1,
        "pending": 0,
        "faces": 6,
        "unassigned": 6,
        "persons": 0,
    }
    assert ed.get("/faces/stats", params={"library": "Work"}).json()["faces"] == 2
    problem(ed.get("/faces/stats", params={"library": "7"}), 404)


def test_the_stats_count_what_any_model_saw_while_the_engine_does_not_say_which_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "engine", AbsentEngine("the face service does not answer"))
    stats = world.api("ed").get("/faces/stats").json()
    assert (stats["scanned"], stats["pending"]) == (9, 0)


def test_embeddings_are_base64_of_512_floats_of_norm_one(ed: Api) -> None:
    page = ed.get("/faces/embeddings", params={"limit": 4}).json()
    rest = ed.get("/faces/embeddings", params={"cursor": page["next_cursor"]}).json()
    by_offset = ed.get("/faces/embeddings", params={"offset": 4, "limit": 100}).json()
    assert rest["items"] == by_offset["items"]
    assert len(page["items"]) + len(rest["items"]) == 6
    vector = np.frombuffer(base64.b64decode(page["items"][0]["embedding"]), "<f4")
    assert vector.shape == (512,)
    assert float(vector @ vector) == pytest.approx(1, abs=1e-5)
    assert page["items"][0]["dimensions"] == DIMENSIONS
    assert not vector[DIMENSIONS:].any()


def test_only_unassigned_embeddings_come_where_asked(ed: Api) -> None:
    (bob,) = face_ids(ed, "bob.jpg")
    named(ed, "Bob", bob)
    ids = [row["id"] for row in ed.get("/faces/embeddings", params={"unassigned": "1"}).json()["items"]]
    assert len(ids) == 5
    assert bob not in ids


def test_the_newest_faces_page_backwards(ed: Api) -> None:
    first = ed.get("/faces", params={"limit": 4, "unassigned": "true"}).json()
    second = ed.get("/faces", params={"limit": 4, "unassigned": "true", "cursor": first["next_cursor"]}).json()
    ids = [face["id"] for face in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 6


def test_a_drawn_face_is_embedded_from_the_upright_preview(world: World, ed: Api) -> None:
    person = named(ed, "Ann")
    body = {"path": "trips/ann.jpg", "library": "Family", "box": ON_RED, "person_id": person}
    answer = ed.post("/image/faces", json=body)
    assert answer.status_code == 201
    face = answer.json()
    assert (face["source"], face["person_name"], face["embedded"], face["confidence"]) == ("manual", "Ann", True, None)
    assert face["model_version"] == world.engine.model_version
    rows = {row["id"]: row for row in ed.get("/faces/embeddings").json()["items"]}
    vector = np.frombuffer(base64.b64decode(rows[face["id"]]["embedding"]), "<f4")
    assert vector[0] > 0.9, "the engine saw red"


def test_a_crop_that_the_model_cannot_use_is_kept_with_its_embedding_pending(ed: Api) -> None:
    face = ed.post("/image/faces", json={"path": "plain.jpg", "box": BOX}).json()
    assert (face["embedded"], face["model_version"]) == (False, "painted-1")
    assert [each["id"] for each in faces_of(ed, "plain.jpg")] == [face["id"]]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["path", "box"]),
        ({"path": "bob.jpg", "box": {"x": "a", "y": 0, "w": 0.1}}, ["box.x", "box.h"]),
        ({"path": "bob.jpg", "box": BOX | {"z": 1}}, ["box.z"]),
        ({"path": "bob.jpg", "box": [0, 0, 1, 1]}, ["box"]),
        ({"path": "bob.jpg", "box": BOX | {"x": 0.95}}, ["box"]),
        ({"path": "bob.jpg", "box": BOX | {"w": 0.0001}}, ["box"]),
        ({"path": "bob.jpg", "box": BOX | {"w": -0.1}}, ["box"]),
        ({"path": "bob\0.jpg", "box": BOX}, ["path"]),
        ({"path": "bob.jpg", "box": BOX, "person_id": 0}, ["person_id"]),
        ({"path": "clip.mp4", "box": BOX}, ["path"]),
    ],
)
def test_a_face_that_cannot_be_drawn_names_each_wrong_field_and_logs_nothing(
    world: World, ed: Api, body: dict[str, Any], wrong: list[str]
) -> None:
    before = world.ledger.head()
    assert fields(ed.post("/image/faces", json=body)) == wrong
    assert world.ledger.head() == before


def test_a_face_of_an_unknown_person_or_photo_is_not_found_and_no_engine_is_asked(world: World, ed: Api) -> None:
    asked = world.engine.asked
    problem(ed.post("/image/faces", json={"path": "bob.jpg", "box": BOX, "person_id": 999}), 404)
    problem(ed.post("/image/faces", json={"path": "nothing.jpg", "box": BOX}), 404)
    assert world.engine.asked == asked


def test_without_an_engine_drawing_answers_503_with_the_reason(world: World) -> None:
    world.has_engine = False
    ed = world.api("ed")
    answer = ed.post("/image/faces", json={"path": "bob.jpg", "box": BOX})
    assert "FACE_ENGINE" in problem(answer, 503)["detail"]
    problem(ed.post("/image/faces/rerun", params={"path": "bob.jpg"}), 503)
    (face,) = face_ids(ed, "bob.jpg")
    assert ed.get(f"/image/faces/{face}/suggestions").status_code == 200


def test_an_engine_that_cannot_answer_now_is_503_and_nothing_is_logged(world: World, ed: Api) -> None:
    before = world.ledger.head()
    world.engine.error = Unavailable("the face service does not answer")
    answer = ed.post("/image/faces", json={"path": "bob.jpg", "box": BOX})
    assert problem(answer, 503)["detail"] == "the face service does not answer"
    assert answer.headers["retry-after"].isdigit()
    assert world.ledger.head() == before


def test_a_face_is_assigned_unassigned_and_put_aside(ed: Api) -> None:
    (face,) = face_ids(ed, "bob.jpg")
    person = named(ed, "Bob")
    assert ed.patch(f"/image/faces/{face}", json={"person_id": person}).json()["person_name"] == "Bob"
    assert ed.patch(f"/image/faces/{face}", json={"person_id": None}).json()["person_id"] is None
    assert ed.patch(f"/image/faces/{face}", json={"ignored": True}).json()["ignored"] is True
    problem(ed.patch(f"/image/faces/{face}", json={"person_id": 999}), 404)
    problem(ed.patch("/image/faces/999", json={"ignored": True}), 404)
    assert fields(ed.patch(f"/image/faces/{face}", json={"person_id": "Bob", "ignored": None})) == [
        "person_id",
        "ignored",
    ]


def test_moving_a_box_embeds_again_and_only_then(world: World, ed: Api) -> None:
    left, _ = face_ids(ed, "trips/both.jpg")
    asked = world.engine.asked
    on_blue = {"x": 0.61, "y": 0.17, "w": 0.12, "h": 0.18}
    moved = ed.patch(f"/image/faces/{left}", json={"box": on_blue}, headers={"If-Match": '"1"'}).json()
    assert (moved["box"], moved["version"]) == (on_blue, 2)
    assert world.engine.asked == asked + 1
    rows = {row["id"]: row for row in ed.get("/faces/embeddings").json()["items"]}
    assert np.frombuffer(base64.b64decode(rows[left]["embedding"]), "<f4")[2] > 0.9
    assert ed.patch(f"/image/faces/{left}", json={"box": on_blue}).json()["version"] == 2
    problem(ed.patch(f"/image/faces/{left}", json={"box": BOX}, headers={"If-Match": '"1"'}), 412)


def test_a_deleted_face_stays_deleted_when_detection_runs_again(ed: Api) -> None:
    left, right = face_ids(ed, "trips/both.jpg")
    assert ed.delete(f"/image/faces/{left}").json()["operation_id"]
    problem(ed.delete(f"/image/faces/{left}"), 404)
    problem(ed.get(f"/image/faces/{left}/crop"), 404)
    again = ed.post("/image/faces/rerun", params={"path": "trips/both.jpg"}).json()["items"]
    assert [face["id"] for face in again] == [right]


def test_detecting_again_keeps_ids_and_persons(ed: Api) -> None:
    before = face_ids(ed, "trips/both.jpg")
    named(ed, "Red", before[0])
    again = ed.post("/image/faces/rerun", params={"path": "trips/both.jpg"}).json()["items"]
    assert sorted(face["id"] for face in again) == sorted(before)
    assert {face["id"]: face["person_name"] for face in again}[before[0]] == "Red"


def test_a_photo_that_the_engine_can_never_use_is_refused_with_its_reason(world: World, ed: Api) -> None:
    world.engine.error = Unreadable("too small")
    told = problem(ed.post("/image/faces/rerun", params={"path": "bob.jpg"}), 422)
    assert "too small" in told["detail"]


def test_a_batch_answers_one_row_a_face_and_is_one_operation(ed: Api) -> None:
    left, right = face_ids(ed, "trips/both.jpg")
    body = {"ids": [left, 999, right, left], "action": "assign", "name": "Both"}
    answer = ed.post("/image/faces/batch", json=body).json()
    assert [(row["id"], row["ok"]) for row in answer["results"]] == [(left, True), (999, False), (right, True)]
    assert answer["results"][1]["error"] == "there is no face 999"
    (person,) = ed.get("/persons").json()["items"]
    assert (person["name"], person["face_count"]) == ("Both", 2)
    assert ed.post(f"/operations/{answer['operation_id']}/undo").status_code == 200
    assert ed.get("/persons").json()["items"] == []


@pytest.mark.parametrize(
    ("action", "left_over", "unassigned"), [("unassign", 2, 6), ("ignore", 2, 4), ("delete", 0, 4)]
)
def test_a_batch_unassigns_puts_aside_or_deletes(ed: Api, action: str, left_over: int, unassigned: int) -> None:
    both = face_ids(ed, "trips/both.jpg")
    if action == "unassign":
        named(ed, "Both", *both)
    ed.post("/image/faces/batch", json={"ids": both, "action": action})
    assert len(faces_of(ed, "trips/both.jpg")) == left_over
    assert ed.get("/faces/stats").json()["unassigned"] == unassigned


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"ids": [], "action": "delete"}, ["ids"]),
        ({"ids": [1, "two", 0], "action": "eat"}, ["ids[1]", "ids[2]", "action"]),
        ({"ids": None, "action": "assign"}, ["person_id"]),
        ({"ids": None, "action": "assign", "person_id": 1, "name": "x"}, ["person_id"]),
        ({"ids": 1, "action": "delete"}, ["ids"]),
    ],
)
def test_a_batch_that_cannot_be_is_refused_and_logs_nothing(
    world: World, ed: Api, body: dict[str, Any], wrong: list[str]
) -> None:
    named(ed, "Someone")
    if body["ids"] is None:
        body = body | {"ids": face_ids(ed, "bob.jpg")}
    before = world.ledger.head()
    assert fields(ed.post("/image/faces/batch", json=body)) == wrong
    assert world.ledger.head() == before


def test_a_batch_names_no_new_person_like_an_old_one(ed: Api) -> None:
    named(ed, "Bob")
    ids = face_ids(ed, "bob.jpg")
    problem(ed.post("/image/faces/batch", json={"ids": ids, "action": "assign", "name": "BOB"}), 409)
    problem(ed.post("/image/faces/batch", json={"ids": ids, "action": "assign", "person_id": 999}), 404)


def test_a_face_is_suggested_the_person_it_is_like_until_that_is_rejected(ed: Api) -> None:
    (red,), (pink,) = face_ids(ed, "trips/ann.jpg"), face_ids(ed, "cousin.jpg")
    (blue,) = face_ids(ed, "bob.jpg")
    ann = named(ed, "Ann", red)
    named(ed, "Bob", blue)
    (suggested,) = ed.get(f"/image/faces/{pink}/suggestions").json()["items"]
    assert (suggested["person_id"], suggested["name"], suggested["cover_face_id"]) == (ann, "Ann", red)
    assert 0.9 < suggested["similarity"] < 1
    assert ed.post(f"/image/faces/{pink}/reject", json={"person_id": ann}).status_code == 200
    assert ed.get(f"/image/faces/{pink}/suggestions").json()["items"] == []
    problem(ed.get("/image/faces/999/suggestions"), 404)
    problem(ed.post("/image/faces/999/reject", json={"person_id": ann}), 404)
    problem(ed.post(f"/image/faces/{pink}/reject", json={"person_id": 999}), 404)


def test_rejecting_the_person_that_a_face_was_assigned_to_unassigns_it(ed: Api) -> None:
    (red,) = face_ids(ed, "trips/ann.jpg")
    ann = named(ed, "Ann", red)
    assert ed.post(f"/image/faces/{red}/reject", json={"person_id": ann}).json()["person_id"] is None


def test_the_unassigned_faces_that_are_alike_come_likest_first(ed: Api) -> None:
    (red,), (pink,) = face_ids(ed, "trips/ann.jpg"), face_ids(ed, "cousin.jpg")
    other_red, _ = face_ids(ed, "trips/both.jpg")
    items = ed.get(f"/image/faces/{red}/similar").json()["items"]
    assert [item["face"]["id"] for item in items] == [other_red, pink]
    assert items[0]["similarity"] > items[1]["similarity"]


@pytest.mark.parametrize("size", [16, 100, 1024])
def test_a_crop_is_a_square_jpeg_of_the_face(ed: Api, size: int) -> None:
    (face,) = face_ids(ed, "bob.jpg")
    answer = ed.get(f"/image/faces/{face}/crop", params={"size": size})
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (size, size)
        red, _, blue = picture.convert("RGB").getpixel((size // 2, size // 2))  # type: ignore[misc]  # three of them
        assert blue > red + 100
    again = ed.get(
        f"/image/faces/{face}/crop", params={"size": size}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("size", ["15", "1025", "x"])
def test_a_crop_of_an_absurd_size_is_refused(ed: Api, size: str) -> None:
    assert fields(ed.get("/image/faces/1/crop", params={"size": size})) == ["size"]


def test_dry_runs_of_face_writes_append_nothing(world: World, ed: Api) -> None:
    left, right = face_ids(ed, "trips/both.jpg")
    person = named(ed, "Red", left)
    before, dry = world.ledger.head(), {"dry_run": "true"}
    drawn = ed.post("/image/faces", json={"path": "trips/ann.jpg", "box": ON_RED}, params=dry)
    assert (drawn.status_code, drawn.json()["text"]) == (200, "drew a face")
    assert ed.patch(f"/image/faces/{right}", json={"person_id": person}, params=dry).json()["changes"]
    assert ed.delete(f"/image/faces/{right}", params=dry).json()["changes"][0]["after"] is None
    assert ed.post("/image/faces/batch", json={"ids": [left], "action": "unassign"}, params=dry).json()["changes"]
    assert ed.post(f"/image/faces/{left}/reject", json={"person_id": person}, params=dry).json()["changes"]
    assert world.ledger.head() == before
