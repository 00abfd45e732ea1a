"""Libraries over HTTP."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from adapters.files.walk import WalkProblem
from domain.ports.watching import Watching
from tests.http.painted import paint
from tests.http.words import fields, problem
from tests.http.world import Api, World


def test_libraries_come_with_their_counts_and_the_root_is_told_to_admins(world: World, ann: Api, ed: Api) -> None:
    family, work = ann.get("/libraries").json()["items"]
    assert (family["name"], family["photos"], family["videos"], family["problems"]) == ("Family", 8, 1, 2)
    assert (work["id"], work["offline"], work["root"]) == (2, False, str(world.folder / "work"))
    assert {library["root"] for library in ed.get("/libraries").json()["items"]} == {None}


def test_how_a_library_is_watched_is_told_and_the_reason_to_admins(
    world: World, ann: Api, ed: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.watcher, "watching", lambda: {1: Watching("polling", "its disk does not tell")})
    told, other = ann.get("/libraries").json()["items"]
    assert (told["watched"], told["watched_reason"]) == ("polling", "its disk does not tell")
    assert (other["watched"], other["watched_reason"]) == ("polling", "its watch is being set")
    told = ed.get("/libraries").json()["items"][0]
    assert (told["watched"], told["watched_reason"]) == ("polling", None)


def test_the_files_that_cannot_be_shown_come_with_their_reasons(ed: Api) -> None:
    rows = {row["path"]: row["problem"] for row in ed.get("/libraries/1/problems").json()["items"]}
    assert "broken.jpg" in rows
    assert all(rows.values())
    assert ed.get("/libraries/2/problems").json()["items"] == []
    assert len(ed.get("/libraries/1/problems", params={"limit": 1}).json()["items"]) == 1
    problem(ed.get("/libraries/9/problems"), 404)


def test_a_folder_becomes_a_library_and_is_looked_through_soon(world: World, ann: Api, tmp_path: Path) -> None:
    paint(tmp_path / "more" / "one.jpg", shade=20)
    answer = ann.post("/libraries", json={"root": str(tmp_path / "more"), "name": "More"})
    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["name"]) == (3, "More")
    world.watcher.step()
    assert ann.get("/libraries").json()["items"][2]["photos"] == 1


@pytest.mark.parametrize("root", ["relative", "", "/no/such/folder", "/dev/null", "x\0y"])
def test_what_is_no_folder_of_the_server_is_refused(ann: Api, root: str) -> None:
    assert fields(ann.post("/libraries", json={"root": root})) == ["root"]


def test_a_library_within_another_or_of_its_name_is_refused(world: World, ann: Api, tmp_path: Path) -> None:
    before = world.ledger.head()
    problem(ann.post("/libraries", json={"root": str(world.folder / "family" / "trips")}), 409)
    problem(ann.post("/libraries", json={"root": str(world.folder)}), 409)
    problem(ann.post("/libraries", json={"root": str(tmp_path), "name": "FAMILY"}), 409)
    assert fields(ann.post("/libraries", json={"root": str(tmp_path), "name": "12"})) == ["name"]
    assert world.ledger.head() == before


def test_a_folder_is_one_library_whatever_link_leads_to_it(world: World, ann: Api, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(world.folder / "family")
    problem(ann.post("/libraries", json={"root": str(tmp_path / "link")}), 409)


def test_a_library_is_renamed_and_moved(own_world: World) -> None:
    ann = own_world.api("ann")
    moved = own_world.folder.parent / "elsewhere"
    shutil.move(own_world.folder / "family", moved)
    answer = ann.patch("/libraries/1", json={"name": "Clan", "root": str(moved)}, headers={"If-Match": '"1"'})
    assert (answer.json()["name"], answer.json()["root"]) == ("Clan", str(moved))
    assert ann.get("/image", params={"path": "bob.jpg", "library": "clan"}).status_code == 200
    problem(ann.patch("/libraries/1", json={"name": "x"}, headers={"If-Match": '"1"'}), 412)
    problem(ann.patch("/libraries/9", json={"name": "x"}), 404)


def test_a_library_says_whether_its_keywords_become_tags(own_world: World) -> None:
    ann = own_world.api("ann")
    assert ann.get("/libraries").json()["items"][0]["keywords_as_tags"] is False
    assert ann.patch("/libraries/1", json={"keywords_as_tags": True}).json()["keywords_as_tags"] is True
    problem(own_world.api("ed").patch("/libraries/1", json={"keywords_as_tags": False}), 403)


def test_removing_a_library_hides_its_photos_and_touches_no_file(world: World, ann: Api) -> None:
    answer = ann.delete("/libraries/1")
    assert [library["name"] for library in ann.get("/libraries").json()["items"]] == ["Work"]
    problem(ann.get("/image", params={"path": "plain.jpg"}), 404)
    problem(ann.get("/photos", params={"library": "1"}), 404)
    assert (world.folder / "family" / "plain.jpg").exists()
    ann.post(f"/operations/{answer.json()['operation_id']}/undo")
    assert ann.get("/image", params={"path": "plain.jpg"}).status_code == 200
    problem(ann.delete("/libraries/9"), 404)


def test_a_scan_that_was_asked_for_finds_what_is_new(own_world: World) -> None:
    ed = own_world.api("ed")
    paint(own_world.folder / "work" / "new.jpg", shade=21)
    answer = ed.post("/libraries/2/scan")
    operation = int(answer.headers["operation-id"])
    assert (answer.status_code, answer.json()) == (202, {"library_id": 2, "operation_id": operation})
    own_world.watcher.step()
    shown = ed.get(f"/operations/{operation}").json()
    assert (shown["text"], shown["actor"]) == ("scanned Work: 1 new", "ed")
    assert own_world.ledger.events(own_world.ledger.head() - 1, 1)[0].operation_id == operation
    assert ed.get("/image", params={"path": "new.jpg"}).status_code == 200
    problem(ed.post("/libraries/9/scan"), 404)


def test_scans_that_were_asked_for_all_end_with_what_came_of_them(own_world: World) -> None:
    ed, ann = own_world.api("ed"), own_world.api("ann")

    def asked(library: int) -> str:
        return f"/operations/{ed.post(f'/libraries/{library}/scan').headers['operation-id']}"

    twice, away = [asked(1), asked(1)], [asked(2), asked(2)]
    os.rename(own_world.folder / "work", own_world.folder / "away")
    own_world.watcher.step()
    assert {ed.get(each).json()["text"] for each in twice} == {"scanned Family: nothing changed"}
    said = "could not scan Work to its end; /health and the log of the server say why"
    assert {ed.get(each).json()["text"] for each in away} == {said}
    gone = asked(2)
    assert ann.delete("/libraries/2").is_success
    own_world.watcher.step()
    assert ann.get(gone).json()["text"] == "the library that was to be scanned is gone"


def test_a_missing_root_is_told_in_words_and_nothing_is_lost(own_world: World) -> None:
    os.rename(own_world.folder / "work", own_world.folder / "away")
    own_world.scan()
    ann, vic = own_world.api("ann"), own_world.api("vic")
    work = ann.get("/libraries").json()["items"][1]
    assert (work["offline"], work["photos"]) == (True, 2)
    assert str(own_world.folder) in work["reason"]
    assert str(own_world.folder) not in vic.get("/libraries").text
    health = ann.get("/health").json()
    assert (health["status"], health["parts"]["libraries"]["status"]) == ("degraded", "degraded")
    assert str(own_world.folder) in health["parts"]["libraries"]["detail"]
    assert str(own_world.folder) not in own_world.client().get("/health").text


def test_a_library_of_which_all_is_gone_is_held_until_it_is_said_that_it_was_deleted(own_world: World) -> None:
    ann, ed, vic = own_world.api("ann"), own_world.api("ed"), own_world.api("vic")
    for path in (own_world.folder / "work").iterdir():
        path.unlink()
    own_world.scan()
    work = ann.get("/libraries").json()["items"][1]
    assert (work["state"], work["offline"], work["photos"]) == ("held", True, 2)
    assert "is its disk mounted?" in work["reason"]
    assert ed.get("/libraries").json()["items"][1]["reason"].startswith("so much of it is gone at once")
    assert ed.post("/libraries/2/scan").status_code == 202
    own_world.watcher.step()
    assert ann.get("/libraries").json()["items"][1]["photos"] == 2
    problem(vic.post("/libraries/2/scan", params={"accept_missing": "true"}), 403)
    assert ed.post("/libraries/2/scan", params={"accept_missing": "true"}).status_code == 202
    own_world.watcher.step()
    work = ann.get("/libraries").json()["items"][1]
    assert (work["state"], work["offline"], work["photos"], work["reason"]) == ("scanned", False, 0, None)


def test_a_new_library_with_photos_of_one_that_is_gone_waits_and_says_which(own_world: World) -> None:
    ann, vic = own_world.api("ann"), own_world.api("vic")
    moved = own_world.folder.parent / "moved"
    os.rename(own_world.folder / "work", moved)
    made = ann.post("/libraries", json={"root": str(moved)}).json()
    own_world.watcher.step()
    waits = ann.get("/libraries").json()["items"][2]
    assert (waits["id"], waits["state"], waits["photos"]) == (made["id"], "waiting", 0)
    assert waits["moved_from"] == {"id": 2, "name": "Work", "files": 2, "here": 2}
    assert ann.get("/health").json()["status"] == "degraded"
    told = vic.get("/libraries").json()["items"][2]
    assert (told["state"], told["moved_from"]) == ("waiting", None)
    assert str(moved) not in vic.get("/libraries").text
    answer = ann.patch("/libraries/2", json={"root": str(moved)})
    assert answer.json()["root"] == str(moved)
    assert [each["id"] for each in ann.get("/libraries").json()["items"]] == [1, 2]
    own_world.watcher.step()
    assert ann.get("/health").json()["status"] == "ok", "a library that is shown no more is no trouble"
    assert ann.get("/image", params={"path": "boss.jpg", "library": "Work"}).status_code == 200


def test_a_folder_that_cannot_be_read_is_a_problem_of_its_library(
    own_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = own_world.api("ed")
    before = ed.get("/libraries").json()["items"][0]["problems"]
    monkeypatch.setattr(own_world.watcher, "unreadable", {1: [WalkProblem("trips", "permission denied")]})
    first = ed.get("/libraries/1/problems", params={"limit": 1}).json()["items"]
    assert first == [{"id": None, "library_id": 1, "path": "trips", "problem": "permission denied"}]
    assert ed.get("/libraries").json()["items"][0]["problems"] == before + 1
    assert ed.get("/libraries/2/problems").json()["items"] == []
