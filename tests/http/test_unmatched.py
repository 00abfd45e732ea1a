"""Names that an edit left behind, and faces that are never offered again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.http.painted import paint
from tests.http.words import fields, named, problem
from tests.http.world import Api, World, face_ids


@pytest.fixture
def replaced(own_world: World) -> World:
    """Ann was named on a photo, and somebody saved another picture, without her, in its place."""
    ed = own_world.api("ed")
    named(ed, "Ann", *face_ids(ed, "trips/ann.jpg"))
    save(own_world, own_world.folder / "family" / "trips" / "ann.jpg")
    return own_world


def save(world: World, path: Path) -> None:
    paint(path, ("green", 350, 20, 60), shade=30)
    for library in world.libraries():
        world.watcher.look_at(library, full=True)
    world.detect()


def left_behind(api: Api) -> list[tuple[str, str | None]]:
    return [(each["path"], each["person_name"]) for each in api.get("/faces/unmatched").json()["items"]]


def test_a_name_that_could_not_be_carried_over_is_said_until_the_person_is_named_on_the_photo_again(
    replaced: World,
) -> None:
    ed = replaced.api("ed")
    assert left_behind(ed) == [("trips/ann.jpg", "Ann")]
    (text,) = (each["text"] for each in ed.get("/operations", params={"kind": "media.carry"}).json()["items"])
    assert text == "1 name could not be carried over"
    ed.post("/image/faces/batch", json={"ids": face_ids(ed, "trips/ann.jpg"), "action": "assign", "person_id": 1})
    assert left_behind(ed) == []


def test_nobody_is_asked_again_for_a_face_that_is_said_to_be_gone_and_the_undo_asks(replaced: World) -> None:
    ed = replaced.api("ed")
    (face,) = (each["id"] for each in ed.get("/faces/unmatched").json()["items"])
    problem(replaced.api("vic").delete(f"/faces/unmatched/{face}"), 403)
    preview = ed.delete(f"/faces/unmatched/{face}", params={"dry_run": True}).json()
    assert preview["text"] == "said that Ann is not on a photo any more"
    done = ed.delete(f"/faces/unmatched/{face}").json()
    assert left_behind(ed) == []
    problem(ed.delete(f"/faces/unmatched/{face}"), 404)
    ed.post(f"/operations/{done['operation_id']}/undo")
    assert left_behind(ed) == [("trips/ann.jpg", "Ann")]


def test_only_who_sees_the_photo_is_told(replaced: World) -> None:
    assert left_behind(replaced.api("rex")) == [("trips/ann.jpg", "Ann")]
    assert replaced.api("ed").get("/faces/unmatched", params={"library": "Work"}).json()["items"] == []
    problem(replaced.api("ed").delete("/faces/unmatched/9999"), 404)


# Never offered again


def test_a_face_that_was_said_not_to_be_somebody_is_not_among_those_like_them(ed: Api) -> None:
    red = face_ids(ed, "trips/ann.jpg") + face_ids(ed, "trips/both.jpg")[:1]
    one, other = red
    ann = named(ed, "Ann", one)
    assert other in similar(ed, one)
    ed.post(f"/image/faces/{other}/reject", json={"person_id": ann})
    assert other not in similar(ed, one)
    ed.post("/image/faces/batch", json={"ids": [one], "action": "unassign"})
    assert other in similar(ed, one), "nobody's face may be like it"


def similar(api: Api, face: int) -> list[int]:
    return [each["face"]["id"] for each in api.get(f"/image/faces/{face}/similar").json()["items"]]


def test_many_faces_are_said_not_to_be_somebody_in_one_operation_that_is_one_step_back(ed: Api) -> None:
    faces = face_ids(ed, "trips/both.jpg")
    ann = named(ed, "Ann", faces[0])
    body = {"ids": [*faces, 9999], "action": "reject", "person_id": ann}
    answer = ed.post("/image/faces/batch", json=body).json()
    assert [each["ok"] for each in answer["results"]] == [True, True, False]
    assert ed.get(f"/persons/{ann}").json()["face_count"] == 0
    (done,) = ed.get("/operations", params={"limit": 1}).json()["items"]
    assert done["text"] == "said that 2 faces are not Ann"
    again = ed.post("/image/faces/batch", json={**body, "ids": faces}).json()
    assert again["operation_id"] is None
    ed.post(f"/operations/{answer['operation_id']}/undo")
    assert ed.get(f"/persons/{ann}").json()["face_count"] == 1
    assert fields(ed.post("/image/faces/batch", json={"ids": faces, "action": "reject"})) == ["person_id"]
