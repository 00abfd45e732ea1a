"""Tags over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.http.resources import tags
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
    assert ed.get("/image/tags/all").json()["items"] == [
        {"id": first, "name": "Garden", "color": None, "version": 1, "count": 2}
    ]


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
    assert renamed == {"id": garden, "name": "Orchard", "version": 2, "color": None}
    before = world.ledger.head()
    problem(ed.patch(f"/tags/{garden}", json={"name": "HOUSE"}), 409)
    problem(ed.patch(f"/tags/{garden}", json={"name": "Field"}, headers={"If-Match": '"1"'}), 412)
    problem(ed.patch("/tags/999", json={"name": "Field"}), 404)
    assert world.ledger.head() == before


def test_everything_that_fits_a_filter_is_tagged_in_one_operation_and_untagged_by_undo(ed: Api) -> None:
    body = {"filter": {"path": "trips", "library": "family"}, "name": "Trip"}
    rehearsed = ed.post("/image/tags/batch", json=body, params={"dry_run": "true"}).json()
    assert rehearsed["text"] == "tagged 2 photos with Trip"
    assert ed.get("/photos", params={"tags": "Trip"}).json()["total"] == 0
    answer = ed.post("/image/tags/batch", json=body).json()
    assert (answer["results"], answer["fitted"]) == ([], 2)
    assert names(ed, "trips/ann.jpg") == names(ed, "trips/both.jpg") == ["Trip"]
    assert ed.get("/photos", params={"tags": "Trip"}).json()["total"] == 2
    ed.post(f"/operations/{answer['operation_id']}/undo")
    assert ed.get("/photos", params={"tags": "Trip"}).json()["total"] == 0


def test_a_filter_takes_a_tag_off_where_it_is(ed: Api) -> None:
    ed.post("/image/tags/batch", json={"filter": {}, "name": "All"})
    assert ed.get("/photos", params={"tags": "All"}).json()["total"] == ed.get("/photos").json()["total"]
    ed.post("/image/tags/batch", json={"filter": {"exclude_tags": [], "q": "ann"}, "name": "All", "action": "remove"})
    assert names(ed, "trips/ann.jpg") == []
    assert names(ed, "trips/both.jpg") == ["All"]


def test_a_filter_tags_only_what_the_user_sees(world: World, ed: Api) -> None:
    world.api("rex").post("/image/tags/batch", json={"filter": {"path": "/"}, "name": "Mine"})
    assert names(ed, "boss.jpg", "Work") == []
    assert names(ed, "bob.jpg") == ["Mine"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": "x"}, ["ids"]),
        ({"name": "x", "ids": [1], "filter": {}}, ["ids"]),
        ({"name": "x", "filter": {"sort": "name"}}, ["filter.sort"]),
        ({"name": "x", "filter": {"from": "yesterday"}}, ["from"]),
    ],
)
def test_a_batch_that_does_not_say_which_photos_is_refused(ed: Api, body: dict[str, Any], wrong: list[str]) -> None:
    assert fields(ed.post("/image/tags/batch", json=body)) == wrong


def test_more_than_one_operation_may_hold_is_refused(ed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MOST_FITTING", 2)
    refused = problem(ed.post("/image/tags/batch", json={"filter": {}, "name": "All"}), 422)
    assert "more than 2 photos" in refused["detail"]


def test_a_tag_gets_a_colour_and_undo_takes_it_back(ed: Api) -> None:
    garden = tagged(ed, "bob.jpg", "Garden")
    painted = ed.patch(f"/tags/{garden}", json={"color": "#1F77B4"})
    assert painted.json() == {"id": garden, "name": "Garden", "version": 2, "color": "#1f77b4"}
    both = ed.patch(f"/tags/{garden}", json={"name": "Park", "color": None})
    assert (both.json()["name"], both.json()["color"]) == ("Park", None)
    problem(ed.post(f"/operations/{painted.headers['Operation-Id']}/undo"), 409)
    ed.post(f"/operations/{both.headers['Operation-Id']}/undo")
    (tag,) = ed.get("/image/tags/all").json()["items"]
    assert (tag["name"], tag["color"]) == ("Garden", "#1f77b4")
    assert fields(ed.patch(f"/tags/{garden}", json={"color": "blue"})) == ["color"]


def test_a_merged_tag_is_where_either_was_and_undo_parts_them(ed: Api) -> None:
    garden, park = tagged(ed, "bob.jpg", "Garden"), tagged(ed, "plain.jpg", "Park")
    tagged(ed, "bob.jpg", "Park")
    tagged(ed, "trips/ann.jpg", "Garden")
    merged = ed.post(f"/tags/{garden}/merge", json={"into": park})
    assert merged.json()["id"] == park
    (left,) = ed.get("/image/tags/all").json()["items"]
    assert (left["id"], left["count"]) == (park, 3)
    ed.post(f"/operations/{merged.headers['Operation-Id']}/undo")
    counts = {tag["name"]: tag["count"] for tag in ed.get("/image/tags/all").json()["items"]}
    assert counts == {"Garden": 2, "Park": 2}
    assert names(ed, "trips/ann.jpg") == ["Garden"]
    assert fields(ed.post(f"/tags/{garden}/merge", json={"into": garden})) == ["into"]
    problem(ed.post(f"/tags/{garden}/merge", json={"into": 999}), 404)


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
