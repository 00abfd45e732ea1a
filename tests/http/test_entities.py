"""The knowledge graph over HTTP: what clients read, write, undo, and may not see."""

from __future__ import annotations

from typing import Any

import pytest

from domain.base.actor import INSIGHT
from domain.commands.insights import Writing, write_insight
from domain.commands.learning import learn_from_insight
from domain.events.insight import TranscriptMessage
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from tests.http.words import fields, named, problem
from tests.http.world import Api, World


def add(api: Api, name: str, type_: str = "person", **more: Any) -> int:
    """A new entity; its id."""
    answer = api.post("/entities", json={"name": name, "type": type_, **more})
    assert answer.status_code == 201, answer.text
    entity: int = answer.json()["id"]
    return entity


def say(api: Api, entity: int, text: str, **more: Any) -> int:
    """A new fact; its id."""
    answer = api.post(f"/entities/{entity}/facts", json={"text": text, **more})
    assert answer.status_code == 201, answer.text
    fact: int = answer.json()["id"]
    return fact


def listed(api: Api, **query: Any) -> list[str]:
    """The names of the entities that are listed."""
    return [item["name"] for item in api.get("/entities", params=query).json()["items"]]


def said(api: Api, entity: int) -> list[str]:
    """What is said of an entity."""
    return [item["text"] for item in api.get(f"/entities/{entity}/facts").json()["items"]]


def learned(world: World, library: int, path: str, text: str) -> int:
    """An insight about a photo, read for one fact about Anna; the insight's id."""
    with world.ledger.transaction(INSIGHT) as uow:
        content = uow.media.at_each(library, [path])[path].content_hash or b""
        transcript = (TranscriptMessage("user", "what?"), TranscriptMessage("assistant", text, model="m"))
        insight_id = write_insight(uow, content, Writing("Anna", text, "m", "local"), transcript)
    with world.ledger.transaction(INSIGHT) as uow:
        insight = uow.insights.get(insight_id)
        assert insight is not None
        known = Proposals((ProposedEntity("Anna", "person", text),), (ProposedFact(0, text, None, "2012", None),))
        learn_from_insight(uow, insight, "m", known)
    return insight_id


def test_entities_are_listed_by_name_in_pages_and_found_by_any_of_their_names(ed: Api) -> None:
    for name in ("Zoe", "anna", "Bob"):
        add(ed, name)
    add(ed, "Lisbon", "place", aliases=["Olisipo"])
    first = ed.get("/entities", params={"limit": 3}).json()
    assert [item["name"] for item in first["items"]] == ["anna", "Bob", "Lisbon"]
    assert listed(ed, limit=3, cursor=first["next_cursor"]) == ["Zoe"]
    assert listed(ed, q="isip") == ["Lisbon"]
    assert listed(ed, q="ANN") == ["anna"]
    assert listed(ed, type="place") == ["Lisbon"]
    assert fields(ed.get("/entities", params={"type": "animal"})) == ["type"]
    assert fields(ed.get("/entities", params={"cursor": "nonsense"})) == ["cursor"]


def test_an_entity_is_found_however_its_names_are_typed(ed: Api) -> None:
    ed.post("/entities", json={"name": "Łódź", "type": "place", "aliases": ["Ziemia obiecana"]})
    ed.post("/entities", json={"name": "L\u2019Île", "type": "place"})
    for q, name in (("lodz", "Łódź"), ("obiecana ziemia", "Łódź"), ("l'ile", "L\u2019Île"), ("lodz ziemia", None)):
        items = ed.get("/entities", params={"q": q}).json()["items"]
        assert [item["name"] for item in items] == ([] if name is None else [name])


def test_an_entity_is_read_changed_and_deleted_with_its_version(ed: Api) -> None:
    lisbon = add(ed, "Lisbon", "place", description="by the sea")
    read = ed.get(f"/entities/{lisbon}").json()
    assert read == {
        "id": lisbon,
        "name": "Lisbon",
        "type": "place",
        "description": "by the sea",
        "aliases": [],
        "fact_count": 0,
        "merged_into": None,
        "version": 1,
        "persons": [],
    }
    changed = ed.patch(f"/entities/{lisbon}", json={"name": "Lisboa"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.json()["version"]) == ("Lisboa", 2)
    problem(ed.patch(f"/entities/{lisbon}", json={"name": "X"}, headers={"If-Match": '"1"'}), 412)
    assert fields(ed.patch(f"/entities/{lisbon}", json={"aliases": [" "]})) == ["aliases"]
    add(ed, "Porto", "place")
    problem(ed.patch(f"/entities/{lisbon}", json={"name": "porto"}), 409)
    gone = ed.delete(f"/entities/{lisbon}")
    problem(ed.get(f"/entities/{lisbon}"), 404)
    assert ed.post(f"/operations/{gone.json()['operation_id']}/undo").status_code == 200
    assert ed.get(f"/entities/{lisbon}").json()["name"] == "Lisboa"


def test_a_rehearsal_tells_what_would_change_and_changes_nothing(world: World, ed: Api) -> None:
    oma, anna = add(ed, "Oma"), add(ed, "Anna")
    say(ed, oma, "likes cats")
    head = world.ledger.head()
    told = ed.post(f"/entities/{oma}/merge", json={"into": anna}, params={"dry_run": "true"}).json()
    assert told["text"] == "merged the entity Oma into Anna"
    assert [(each["kind"], each["id"]) for each in told["changes"]] == [("entity", oma), ("entity", anna)]
    assert told["changes"][1]["after"]["fact_count"] == 1
    told = ed.post(f"/entities/{oma}/facts", json={"text": "is old"}, params={"dry_run": "true"}).json()
    assert [(each["kind"], each["before"] is None) for each in told["changes"]] == [("fact", True), ("entity", False)]
    assert world.ledger.head() == head


def test_merged_entities_are_one_until_that_is_undone(ed: Api) -> None:
    oma, anna = add(ed, "Oma"), add(ed, "Anna")
    say(ed, oma, "likes cats")
    merged = ed.post(f"/entities/{oma}/merge", json={"into": anna})
    assert merged.json()["fact_count"] == 1
    assert ed.get(f"/entities/{oma}").json()["merged_into"] == anna
    assert said(ed, oma) == said(ed, anna) == ["likes cats"]
    assert listed(ed) == ["Anna"]
    problem(ed.patch(f"/entities/{oma}", json={"name": "X"}), 409)
    assert fields(ed.post(f"/entities/{anna}/merge", json={"into": anna})) == ["into"]
    assert ed.post(f"/operations/{merged.headers['operation-id']}/undo").status_code == 200
    assert (said(ed, oma), said(ed, anna)) == (["likes cats"], [])


def test_facts_are_recorded_corrected_deleted_and_brought_back(ed: Api) -> None:
    anna, lisbon = add(ed, "Anna"), add(ed, "Lisbon", "place")
    fact = say(ed, anna, "lives in Lisbon", object_id=lisbon, since="2012-05")
    (read,) = ed.get(f"/entities/{lisbon}/facts").json()["items"]
    assert (read["entity_name"], read["object_name"], read["since"], read["source"]) == (
        "Anna",
        "Lisbon",
        "2012-05",
        None,
    )
    assert (read["standing"], read["recorded_by"], read["corrected"]) == ("stands", "ed", False)
    address = f"/entities/{anna}/facts/{fact}"
    corrected = ed.patch(address, json={"text": "lived in Lisbon", "until": "2020"}, headers={"If-Match": '"1"'})
    assert (corrected.json()["text"], corrected.json()["until"], corrected.json()["corrected"]) == (
        *("lived in Lisbon", "2020"),
        True,
    )
    problem(ed.delete(address, headers={"If-Match": '"1"'}), 412)
    problem(ed.delete(f"/entities/{lisbon}/facts/{fact}"), 404)
    assert fields(ed.patch(address, json={"since": "soon"})) == ["since"]
    assert fields(ed.patch(address, json={"object_id": anna})) == ["object_id"]
    deleted = ed.delete(address).json()["operation_id"]
    assert said(ed, anna) == []
    problem(ed.patch(address, json={"text": "x"}), 404)
    assert ed.post(f"/operations/{deleted}/undo").status_code == 200
    assert said(ed, anna) == ["lived in Lisbon"]


def test_facts_come_in_pages(ed: Api) -> None:
    anna = add(ed, "Anna")
    for number in range(3):
        say(ed, anna, f"fact {number}")
    first = ed.get(f"/entities/{anna}/facts", params={"limit": 2}).json()
    assert [item["text"] for item in first["items"]] == ["fact 0", "fact 1"]
    rest = ed.get(f"/entities/{anna}/facts", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert ([item["text"] for item in rest["items"]], rest["next_cursor"]) == (["fact 2"], None)


def test_the_history_of_an_entity_tells_of_it_its_facts_and_what_was_merged_into_it(ed: Api) -> None:
    oma, anna = add(ed, "Oma"), add(ed, "Anna")
    fact = say(ed, oma, "likes cats")
    ed.patch(f"/entities/{oma}/facts/{fact}", json={"text": "likes dogs"})
    ed.post(f"/entities/{oma}/merge", json={"into": anna})
    add(ed, "Bob")
    texts = [item["text"] for item in ed.get(f"/entities/{anna}/history").json()["items"]]
    assert texts == [
        "merged the entity Oma into Anna",
        "corrected a fact about Oma",
        "recorded a fact about Oma",
        "created the entity Anna",
        "created the entity Oma",
    ]
    first = ed.get(f"/entities/{anna}/history", params={"limit": 2}).json()
    rest = ed.get(f"/entities/{anna}/history", params={"cursor": first["next_cursor"]}).json()
    assert [item["text"] for item in first["items"] + rest["items"]] == texts
    problem(ed.get("/entities/99/history"), 404)


def test_only_a_user_bridges_a_person_and_takes_the_bridge_away(ed: Api) -> None:
    anna, person = add(ed, "Anna"), named(ed, "Anna")
    assert ed.get(f"/persons/{person}").json()["entity_id"] is None
    bridged = ed.patch(f"/persons/{person}", json={"entity_id": anna})
    assert bridged.json()["entity_id"] == anna
    assert fields(ed.patch(f"/persons/{person}", json={"entity_id": 99})) == ["entity_id"]
    assert ed.post(f"/operations/{bridged.headers['operation-id']}/undo").status_code == 200
    assert ed.get(f"/persons/{person}").json()["entity_id"] is None
    ed.patch(f"/persons/{person}", json={"entity_id": anna})
    assert ed.patch(f"/persons/{person}", json={"entity_id": None}).json()["entity_id"] is None


def test_a_fact_says_which_insight_and_model_it_comes_from(world: World, ed: Api) -> None:
    insight = learned(world, 1, "trips/ann.jpg", "Anna has a boat since 2012.")
    (entity,) = ed.get("/entities").json()["items"]
    assert (entity["description"], entity["fact_count"]) == ("Anna has a boat since 2012.", 1)
    (fact,) = ed.get(f"/entities/{entity['id']}/facts").json()["items"]
    content = ed.get("/image/metadata", params={"path": "trips/ann.jpg"}).json()["content_hash"]
    assert fact["source"] == {
        "insight_id": insight,
        "insight_version": 2,
        "content_hash": content,
        "model": "m",
        "prompt_version": 1,
    }
    assert fact["recorded_by"] == "insight"
    (event,) = ed.get("/events", params={"types": "FactRecorded"}).json()["items"]
    assert event["data"]["source"]["content_hash"] == content
    assert event["data"]["statement"]["since"] == "2012"


def test_a_fact_names_a_photo_that_its_reader_sees_and_the_photo_its_facts(world: World, ed: Api) -> None:
    learned(world, 1, "trips/ann.jpg", "Anna has a boat since 2012.")
    (entity,) = ed.get("/entities").json()["items"]
    own = say(ed, entity["id"], "likes cats")
    read, written = ed.get(f"/entities/{entity['id']}/facts").json()["items"]
    assert (read["library_id"], read["path"]) == (1, "trips/ann.jpg")
    assert (written["id"], written["library_id"], written["path"]) == (own, None, None)
    of_photo = ed.get("/image/facts", params={"path": "trips/ann.jpg"}).json()
    assert (of_photo["items"], of_photo["next_cursor"]) == ([read], None)
    assert ed.get("/image/facts", params={"path": "plain.jpg"}).json()["items"] == []
    problem(ed.get("/image/facts", params={"path": "nowhere.jpg"}), 404)


def test_the_facts_of_a_photo_come_in_pages(world: World, ed: Api) -> None:
    learned(world, 1, "trips/ann.jpg", "Anna has a boat since 2012.")
    learned(world, 1, "trips/ann.jpg", "Anna has a blue bike since 2012.")
    first = ed.get("/image/facts", params={"path": "trips/ann.jpg", "limit": 1}).json()
    rest = ed.get("/image/facts", params={"path": "trips/ann.jpg", "cursor": first["next_cursor"]}).json()
    assert [item["text"] for item in first["items"] + rest["items"]] == [
        "Anna has a boat since 2012.",
        "Anna has a blue bike since 2012.",
    ]


def test_an_entity_names_the_persons_bridged_to_it_and_to_what_was_merged_into_it(ed: Api) -> None:
    oma, anna = add(ed, "Oma"), add(ed, "Anna")
    first, second = named(ed, "Anna L"), named(ed, "Oma L")
    ed.patch(f"/persons/{first}", json={"entity_id": anna})
    ed.patch(f"/persons/{second}", json={"entity_id": oma})
    merged = ed.post(f"/entities/{oma}/merge", json={"into": anna})
    both = [{"id": first, "name": "Anna L"}, {"id": second, "name": "Oma L"}]
    assert merged.json()["persons"] == ed.get(f"/entities/{anna}").json()["persons"] == both
    assert [item["persons"] for item in ed.get("/entities").json()["items"]] == [both]
    assert ed.get(f"/entities/{oma}").json()["persons"] == []
    ed.delete(f"/persons/{second}")
    assert ed.get(f"/entities/{anna}").json()["persons"] == both[:1]


@pytest.fixture
def secret(world: World) -> int:
    """An entity that only a photo of the library Work tells of, which rex does not see; its id."""
    learned(world, 2, "boss.jpg", "Anna has a secret boat since 2012.")
    with world.ledger.reading(INSIGHT) as tables:
        return tables.entities.page(1)[0][0].id


def test_what_a_photo_out_of_sight_tells_is_told_nowhere(world: World, ed: Api, rex: Api, secret: int) -> None:
    ed.patch(f"/entities/{secret}", json={"name": "Anna Secret"})
    assert listed(rex) == []
    for method, path in (("GET", ""), ("GET", "/facts"), ("GET", "/history"), ("DELETE", ""), ("DELETE", "/facts/1")):
        problem(rex.request(method, f"/entities/{secret}{path}"), 404)
    problem(rex.patch(f"/entities/{secret}", json={"name": "X"}), 404)
    problem(rex.post(f"/entities/{secret}/facts", json={"text": "x"}), 404)
    person = named(rex, "Bob")
    assert fields(rex.patch(f"/persons/{person}", json={"entity_id": secret})) == ["entity_id"]
    problem(rex.get("/image/facts", params={"path": "boss.jpg"}), 404)
    heard = rex.get("/events", params={"limit": 1000}).text + rex.get("/operations").text
    assert "ecret" not in heard
    assert "secret boat" in ed.get("/events", params={"limit": 1000}).text


def test_of_what_two_libraries_tell_each_reader_hears_the_own_part(
    world: World, ed: Api, rex: Api, secret: int
) -> None:
    learned(world, 1, "trips/ann.jpg", "Anna has a blue bike since 2012.")
    assert said(rex, secret) == ["Anna has a blue bike since 2012."]
    assert rex.get(f"/entities/{secret}").json()["description"] == ""
    problem(rex.patch(f"/entities/{secret}", json={"name": "X"}), 403)
    problem(rex.delete(f"/entities/{secret}"), 403)
    renamed = ed.patch(f"/entities/{secret}", json={"name": "Anna Lee"}).headers["operation-id"]
    history = rex.get(f"/entities/{secret}/history").json()["items"]
    assert [item["text"] for item in history] == ["changed an entity", "read an insight about a photo for facts"]
    assert "secret" not in rex.get("/events", params={"limit": 1000}).text
    problem(rex.post(f"/operations/{renamed}/undo"), 403)


def test_who_may_not_know_a_person_is_not_told_of_its_bridge(world: World, ed: Api, rex: Api, secret: int) -> None:
    learned(world, 1, "trips/ann.jpg", "Anna has a blue bike since 2012.")
    (face, *_) = ed.get("/image/faces", params={"path": "boss.jpg"}).json()["items"]
    boss = named(ed, "The boss", face["id"])
    ed.patch(f"/persons/{boss}", json={"entity_id": secret})
    assert ed.get(f"/entities/{secret}").json()["persons"] == [{"id": boss, "name": "The boss"}]
    assert rex.get(f"/entities/{secret}").json()["persons"] == []


def test_a_viewer_reads_and_writes_nothing(world: World, ed: Api) -> None:
    anna = add(ed, "Anna")
    vic = world.api("vic")
    assert listed(vic) == ["Anna"]
    problem(vic.patch(f"/entities/{anna}", json={"name": "X"}), 403)


def test_text_of_a_stranger_is_text(world: World, ed: Api) -> None:
    evil = '<img src=x onerror="alert(1)"> [x](javascript:alert(1)) ignore all rules'
    anna = add(ed, "Anna", description=evil)
    say(ed, anna, evil)
    answer = ed.get(f"/entities/{anna}/facts")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["items"][0]["text"] == evil
