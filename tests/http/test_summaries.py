"""Daily summaries over HTTP: who may read them, what is found, what is asked for, what is taken away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.base.conversation import ConversationMessage
from domain.base.errors import Unavailable
from tests.fakes import LettersEmbedder
from tests.http.words import fields, problem
from tests.http.world import Api, World


def said(day: int, contact: str, body: str) -> ConversationMessage:
    """A message of a day in May 2020."""
    return ConversationMessage(
        f"{day}-{contact}-{body}", contact, datetime(2020, 5, day, 12, tzinfo=UTC), "received", body
    )


@pytest.fixture
def told(world: World) -> World:
    """A world in which three conversations of two days are summarised."""
    world.talks += [said(1, "Anna", "Lunch?"), said(1, "Bob", "The boat."), said(2, "Anna", "Again?")]
    world.model.script = [["A zigzag in the jazz club."], ["Lunch with Anna."], ["The boat sank."]]
    settle(world)
    return world


def settle(world: World) -> None:
    """Do what there is to do."""
    while world.summariser.step():
        pass


def days(api: Api, **query: Any) -> list[tuple[str, str]]:
    """The day and contact of each summary that is listed."""
    answer = api.get("/summaries", params=query)
    assert answer.status_code == 200, answer.text
    return [(row["day"], row["contact"]) for row in answer.json()["items"]]


def test_summaries_are_listed_with_what_they_were_made_of_the_newest_day_first(told: World, ed: Api) -> None:
    rows = ed.get("/summaries").json()["items"]
    assert [(row["day"], row["contact"], row["text"]) for row in rows] == [
        ("2020-05-02", "Anna", "A zigzag in the jazz club."),
        ("2020-05-01", "Bob", "The boat sank."),
        ("2020-05-01", "Anna", "Lunch with Anna."),
    ]
    assert (rows[0]["model"], rows[0]["messages"], rows[0]["embedding_model"]) == ("scripted", 1, "letters")
    assert ed.get(f"/summaries/{rows[0]['id']}").json() == rows[0]


def test_a_list_keeps_to_days_and_a_contact_and_comes_in_pages(told: World, ed: Api) -> None:
    assert days(ed, **{"from": "2020-05-02"}) == [("2020-05-02", "Anna")]
    assert days(ed, to="2020-05-01", contact="BOB") == [("2020-05-01", "Bob")]
    first = ed.get("/summaries", params={"limit": 2}).json()
    second = ed.get("/summaries", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["items"] + second["items"]] == [1, 3, 2]
    assert second["next_cursor"] is None


def test_a_search_finds_what_is_alike_the_likest_first(told: World, ed: Api) -> None:
    found = ed.get("/summaries/search", params={"q": "jazz zigzag"}).json()
    assert found["items"][0]["summary"]["text"] == "A zigzag in the jazz club."
    assert [hit["similarity"] for hit in found["items"]] == sorted(
        (hit["similarity"] for hit in found["items"]), reverse=True
    )
    assert (len(found["items"]), found["model"], found["pending"]) == (3, "letters", 0)
    near = ed.get("/summaries/search", params={"q": "jazz zigzag", "to": "2020-05-01", "contact": "anna", "limit": 1})
    assert [hit["summary"]["text"] for hit in near.json()["items"]] == ["Lunch with Anna."]


def test_vectors_of_another_model_are_left_out_and_counted(told: World) -> None:
    told.embedder = LettersEmbedder("others")
    found = told.api("ed").get("/summaries/search", params={"q": "jazz"}).json()
    assert (found["items"], found["model"], found["pending"]) == ([], "others", 3)


def test_a_question_that_can_never_be_embedded_is_refused(told: World) -> None:
    embedder = LettersEmbedder()
    embedder.unreadable = "zzz"
    told.embedder = embedder
    answer = told.api("ed").get("/summaries/search", params={"q": "zzz"})
    assert (answer.status_code, fields(answer)) == (422, ["q"])


def test_where_nothing_embeds_a_search_says_so(told: World) -> None:
    embedder = LettersEmbedder()
    embedder.away = Unavailable("run `make search`")
    told.embedder = embedder
    answer = told.api("ed").get("/summaries/search", params={"q": "jazz"})
    assert "make search" in problem(answer, 503)["detail"]


@pytest.mark.parametrize("path", ["/summaries", "/summaries/search?q=x", "/summaries/1"])
def test_they_are_for_editors_who_see_every_library(told: World, path: str) -> None:
    assert told.api("ed").get(path).status_code == 200
    assert told.api("ann").get(path).status_code == 200
    problem(told.api("vic").get(path), 403)
    assert "all conversations" in problem(told.api("rex").get(path), 403)["detail"]


def test_who_may_not_read_them_neither_asks_for_nor_deletes_any(told: World) -> None:
    for name in ("vic", "rex"):
        problem(told.api(name).post("/summaries/generate", json={}), 403)
        problem(told.api(name).delete("/summaries/1"), 403)
    assert len(days(told.api("ed"))) == 3


def test_nothing_of_them_leaves_through_the_feed_of_events(told: World) -> None:
    for name in ("ann", "vic", "rex"):
        answer = told.api(name).get("/events", params={"limit": 1000})
        assert "Summary" not in answer.text
        assert "boat" not in answer.text
    operations = told.api("vic").get("/operations", params={"kind": "summary.write"}).json()["items"]
    assert [row["text"] for row in operations] == ["wrote 3 daily summaries"]
    events = told.api("ann").get(f"/operations/{operations[0]['id']}").json()["events"]
    assert [event["type"] for event in events] == ["OperationBegan:1", "OperationEnded:1"]


def test_a_deleted_summary_is_never_made_again_and_comes_back_by_undo(told: World, ed: Api) -> None:
    deleted = ed.delete("/summaries/3")
    assert deleted.status_code == 200
    assert ("2020-05-01", "Bob") not in days(ed)
    problem(ed.get("/summaries/3"), 404)
    assert ed.post("/summaries/generate", json={"again": True}).status_code == 202
    settle(told)
    assert ("2020-05-01", "Bob") not in days(ed)
    assert ed.post(f"/operations/{deleted.json()['operation_id']}/undo").status_code == 200
    assert ("2020-05-01", "Bob") in days(ed)


def test_what_is_asked_for_is_said_and_done_in_the_background(told: World, ed: Api) -> None:
    told.talks.append(said(3, "Cy", "Hi"))
    told.talks.append(said(4, "Di", "Hi"))
    asked = {"from": "2020-05-03", "to": "2020-05-04", "contacts": ["Cy"]}
    answer = ed.post("/summaries/generate", json=asked)
    assert answer.status_code == 202
    operation = int(answer.headers["operation-id"])
    assert answer.json() == {**asked, "again": False, "operation_id": operation}
    assert ed.post("/summaries/generate", json=asked).json()["operation_id"] == operation, "it waits already"
    assert ed.get(f"/operations/{operation}").json()["text"].startswith("asked for daily summaries of 2020-05-03 to")
    assert len(days(ed)) == 3
    settle(told)
    assert days(ed)[0] == ("2020-05-03", "Cy")
    assert len(days(ed)) == 4
    job = ed.get("/jobs").json()["items"][0]
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("summaries", "done", 2, 2)
    assert job["note"] == "wrote 1 daily summary"
    shown = ed.get(f"/operations/{operation}").json()
    assert (shown["text"], shown["actor"]) == ("wrote 1 daily summary", "ed")


def test_asked_again_nothing_is_made_unless_again_is_said(told: World, ed: Api) -> None:
    rows = ed.get("/summaries", params={"superseded": True}).json()
    asked = ed.post("/summaries/generate", json={})
    settle(told)
    assert ed.get("/summaries", params={"superseded": True}).json() == rows
    assert ed.get(f"/operations/{asked.headers['operation-id']}").json()["text"] == "wrote 0 daily summaries"
    told.model.script = [["Other words."]]
    ed.post("/summaries/generate", json={"from": "2020-05-02", "to": "2020-05-02", "again": True})
    settle(told)
    rows = ed.get("/summaries", params={"superseded": True, "from": "2020-05-02"}).json()["items"]
    assert [(row["text"], row["superseded_by"]) for row in rows] == [
        ("Other words.", None),
        ("A zigzag in the jazz club.", 4),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2020-05-10"}, "from"),
        ({"from": "2020-05-03", "to": "2020-05-02"}, "from"),
        ({"from": "2020-02-30"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from": "1999-01-01"}, "from"),
        ({"from": "9999-12-31"}, "from"),
        ({"contacts": [""]}, "contacts[0]"),
    ],
)
def test_days_that_are_not_over_and_days_that_are_none_are_refused(
    world: World, ed: Api, body: dict[str, Any], field: str
) -> None:
    assert field in fields(ed.post("/summaries/generate", json=body))


def test_the_days_before_the_first_one_that_there_is_are_no_trouble(world: World, ed: Api) -> None:
    answer = ed.post("/summaries/generate", json={"to": "0001-01-05"})
    assert (answer.status_code, answer.json()["from"]) == (202, "0001-01-01")


def test_too_many_requests_wait_their_turn(world: World, ed: Api) -> None:
    for day in range(1, 10):
        assert ed.post("/summaries/generate", json={"from": f"2020-05-0{day}"}).status_code == 202
    for day in range(10, 21):
        assert ed.post("/summaries/generate", json={"from": f"2020-04-{day}"}).status_code == 202
    assert ed.post("/summaries/generate", json={"from": "2020-04-20"}).status_code == 202, "it waits already"
    problem(ed.post("/summaries/generate", json={"from": "2020-04-21"}), 503)


def test_without_conversations_the_missing_setting_is_named(world: World) -> None:
    world.has_talks = False
    answer = world.api("ed").post("/summaries/generate", json={})
    assert "SMS_API_URL" in problem(answer, 503)["detail"]
    assert days(world.api("ed")) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [({"q": " "}, "q"), ({}, "q"), ({"q": "x", "from": "2020-13-01"}, "from"), ({"q": "x", "limit": "0"}, "limit")],
)
def test_a_search_for_nothing_or_on_no_day_is_refused(ed: Api, query: dict[str, str], field: str) -> None:
    assert field in fields(ed.get("/summaries/search", params=query))
