"""Tags over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.words import fields, problem
from tests.http.world import Api, World


def tagged(api: Api, path: str, name: str) -> int:
    """Put a tag on a photo; the tag's id."""
    answer = api.post("/image/tags", json={"path": path, "name": name})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def names(api: Api, path: str, library: str | None = None) -> list[str]:
    """The tags of a photo."""
    query = {"path": path, **({"library": library} if library else {})}
    return [tag["name"] for tag in api.get("/image/tags", params=query).json()["items"]]


def test_a_tag_is_made_once_and_shared_by_copies(ed: Api) -> None:
    first = tagged(ed, "bob.jpg", "Garden")
    assert tagged(ed, "plain.jpg", "GARDEN") == first
    assert names(ed, "bob.jpg") == names(ed, "bob-at-work.jpg", "Work") == ["Garden"]
    assert ed.get("/image/tags/all").json()["items"] == [{"id": first, "name": "Garden", "version": 1, "count": 2}]


def test_tagging_again_logs_nothing(world: World, ed: Api) -> None:
    tagged(ed, "bob.jpg", "Garden")
    before = world.ledger.head()
    assert ed.post("/image/tags", json={"path": "bob.jpg", "name": "garden"}).status_code == 201
    assert world.ledger.head() == before


def test_a_tag_is_taken_off_and_undo_puts_it_back(ed: Api) -> None:
    tagged(ed, "bob.jpg", "Garden")
    answer = ed.delete("/image/tags", params={"path": "bob.jpg", "name": "garden"})
    assert names(ed, "bob.jpg") == []
    ed.post(f"/operations/{answer.json()['operation_id']}/undo")
    assert names(ed, "bob.jpg") == ["Garden"]
    problem(ed.delete("/image/tags", params={"path": "bob.jpg", "name": "nothing"}), 404)
    problem(ed.delete("/image/tags", params={"path": "nothing.jpg", "name": "Garden"}), 404)
    assert ed.delete("/image/tags", params={"path": "plain.jpg", "name": "Garden"}).json() == {"operation_id": None}


def test_many_photos_are_tagged_in_one_operation_with_a_row_each(ed: Api) -> None:
    ids = [photo["id"] for photo in ed.get("/photos", params={"path": "trips"}).json()["items"]]
    answer = ed.post("/image/tags/batch", json={"ids": [*ids, 999], "name": "Trip"}).json()
    assert [(row["id"], row["ok"]) for row in answer["results"]] == [(ids[0], True), (ids[1], True), (999, False)]
    assert names(ed, "trips/ann.jpg") == ["Trip"]
    ed.post("/image/tags/batch", json={"ids": ids, "name": "Trip", "action": "remove"})
    assert names(ed, "trips/ann.jpg") == []
    none = ed.post("/image/tags/batch", json={"ids": [998, 999], "name": "Never"}).json()
    assert none["operation_id"] is None
    assert "Never" not in [tag["name"] for tag in ed.get("/image/tags/all").json()["items"]]


def test_a_tag_is_renamed_with_its_version_and_not_to_a_taken_name(world: World, ed: Api) -> None:
    garden, _house = tagged(ed, "bob.jpg", "Garden"), tagged(ed, "bob.jpg", "House")
    renamed = ed.patch(f"/tags/{garden}", json={"name": "Orchard"}, headers={"If-Match": '"1"'}).json()
    assert renamed == {"id": garden, "name": "Orchard", "version": 2}
    before = world.ledger.head()
    problem(ed.patch(f"/tags/{garden}", json={"name": "HOUSE"}), 409)
    problem(ed.patch(f"/tags/{garden}", json={"name": "Field"}, headers={"If-Match": '"1"'}), 412)
    problem(ed.patch("/tags/999", json={"name": "Field"}), 404)
    assert world.ledger.head() == before


def test_a_deleted_tag_is_on_nothing_and_its_name_is_free(ed: Api) -> None:
    garden = tagged(ed, "bob.jpg", "Garden")
    assert ed.delete(f"/tags/{garden}").status_code == 200
    assert names(ed, "bob.jpg") == []
    assert tagged(ed, "plain.jpg", "garden") != garden
    problem(ed.delete(f"/tags/{garden}"), 404)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["path", "name"]),
        ({"path": "bob.jpg", "name": " "}, ["name"]),
        ({"path": "bob.jpg", "name": "a\u0007"}, ["name"]),
        ({"path": "bob.jpg", "name": 1, "library": []}, ["name", "library"]),
    ],
)
def test_a_tag_that_cannot_be_is_refused(world: World, ed: Api, body: dict[str, Any], wrong: list[str]) -> None:
    before = world.ledger.head()
    assert sorted(fields(ed.post("/image/tags", json=body))) == sorted(wrong)
    assert world.ledger.head() == before


def test_dry_runs_of_tag_writes_append_nothing(world: World, ed: Api) -> None:
    garden = tagged(ed, "bob.jpg", "Garden")
    photo = ed.get("/photos").json()["items"][0]["id"]
    before, dry = world.ledger.head(), {"dry_run": "true"}
    put = ed.post("/image/tags", json={"path": "plain.jpg", "name": "New"}, params=dry)
    assert (put.status_code, put.json()["text"]) == (200, "tagged a photo with New")
    assert ed.delete("/image/tags", params={"path": "bob.jpg", "name": "Garden"} | dry).json()["text"]
    assert ed.post("/image/tags/batch", json={"ids": [photo], "name": "New"}, params=dry).json()["text"]
    (renamed,) = ed.patch(f"/tags/{garden}", json={"name": "Orchard"}, params=dry).json()["changes"]
    assert (renamed["before"]["name"], renamed["after"]["name"]) == ("Garden", "Orchard")
    assert ed.delete(f"/tags/{garden}", params=dry).json()["changes"][0]["after"] is None
    assert world.ledger.head() == before
