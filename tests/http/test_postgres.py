"""The same application on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from adapters.workers.pool import WorkerPool
from domain.ports.language_model import ToolCall
from tests.http.words import fields, named, problem
from tests.http.world import face_ids, furnish, opened


def test_a_whole_evening_of_naming_works_on_postgresql(
    fresh_postgres_url: str, workers: WorkerPool, tmp_path: Path
) -> None:
    furnish(tmp_path / "photos")
    world = opened(fresh_postgres_url, workers, tmp_path / "photos", tmp_path / "data")
    try:
        world.settle()
        ed, rex = world.api("ed"), world.api("rex")
        left, right = face_ids(ed, "trips/both.jpg")
        red, blue = named(ed, "Straße", left), named(ed, "Blue", right)
        head = world.ledger.head()
        problem(ed.post("/persons", json={"name": "STRASSE"}), 409)
        assert fields(ed.get("/persons", params={"q": "a\0"})) == ["q"]
        assert fields(ed.post("/persons", json={"name": "a\0b"})) == ["name"]
        assert ed.post(f"/persons/{red}/merge", json={"into": blue}, params={"dry_run": "true"}).json()["changes"]
        assert world.ledger.head() == head
        merged = ed.post(f"/persons/{red}/merge", json={"into": blue})
        assert merged.json()["face_count"] == 2
        ed.post(f"/operations/{merged.headers['operation-id']}/undo")
        assert ed.get(f"/persons/{red}").json()["face_count"] == 1
        assert ed.get(f"/image/faces/{face_ids(ed, 'bob.jpg')[0]}/suggestions").json()["items"][0]["person_id"] == blue
        cousin = named(ed, "Strasse B.", *face_ids(ed, "cousin.jpg"))
        (one,) = ed.get("/persons/suggestions").json()["items"]
        assert {one["person"]["id"], one["into"]["id"]} == {red, cousin}
        assert ed.post("/persons/suggestions/refuse", json={"persons": [red, cousin]}).status_code == 200
        assert ed.get("/persons/suggestions").json()["items"] == []
        refused = ed.post("/persons/suggestions/refuse", json={"person_id": red, "face_ids": [left]})
        assert [row["ok"] for row in refused.json()["results"]] == [True]
        for sort in ("time", "likeness"):
            assert [row["id"] for row in ed.get(f"/persons/{red}/faces?sort={sort}").json()["items"]] == [left]
        ed.post("/image/tags", json={"path": "plain.jpg", "name": "Ünder"})
        assert [p["path"] for p in ed.get("/photos", params={"q": "üNDER"}).json()["items"]] == ["plain.jpg"]
        pages = [ed.get("/photos", params={"limit": 4, "sort": "name"}).json()]
        while pages[-1]["next_cursor"]:
            query = {"limit": 4, "sort": "name", "cursor": pages[-1]["next_cursor"]}
            pages.append(ed.get("/photos", params=query).json())
        assert len({photo["id"] for page in pages for photo in page["items"]}) == 11
        assert ed.get("/faces/stats").json()["faces"] == 6
        assert rex.get("/photos").json()["total"] == 9
        photo = {"path": "bob.jpg"}
        world.model.script = [["A blue\0 square."], [ToolCall("a", "get_tags", '{"x":"\\u0000\0"}')], ["No tags."]]
        insight = ed.post("/insights/generate", json=photo).json()
        assert insight["text"] == "A blue square."
        said = ed.post("/insights/chat", json={**photo, "message": "Any tags?"})
        assert said.json()["message"]["tools"][0]["name"] == "get_tags"
        gone = ed.post("/insights/chat/rewind", json={**photo, "index": 2})
        assert len(gone.json()["messages"]) == 2
        assert ed.post(f"/operations/{gone.headers['operation-id']}/undo").status_code == 200
        assert rex.get("/insights/all").json()["items"] == ed.get("/insights", params=photo).json()["items"]
        assert world.client().get("/health").json()["status"] == "ok"
    finally:
        world.close()
