"""What is known, on the page: entities and facts with where they come from, corrected, merged, linked to persons, taken
back, and only ever text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.adapters.language.peers import Asked, Peer
from tests.page.served import HOSTILE, NAME, PASSWORD, Server, Visitor, be_the_first, line, serving

TOLD = {
    "coffee.png": "Anna lives in Lisbon since May 2012.",
    f"{HOSTILE}.jpg": f"Bob is {HOSTILE} the brother of Anna.",
}
KNOWN = {
    "Lisbon": {
        "entities": [
            {"name": "Anna", "type": "person", "description": ""},
            {"name": "Lisbon", "type": "place", "description": "Anna lives in Lisbon"},
        ],
        "facts": [
            {"subject": "Anna", "text": "lives in Lisbon", "object": "Lisbon", "since": "2012-05", "until": None}
        ],
    },
    "brother": {
        "entities": [{"name": "Bob", "type": "person", "description": ""}],
        "facts": [{"subject": "Bob", "text": f"Bob is the brother of Anna {HOSTILE}", "object": None}],
    },
}
PHOTOS = {"coffee.png": "coffee.png", "hubble_deep_field.jpg": f"{HOSTILE}.jpg"}


def ollama(asked: Asked) -> None:
    """What the server takes for Ollama: it writes a text for each photo, and says which entities and facts it tells of,
    one of them with markup."""
    if asked.path == "/api/show":
        asked.answer({"capabilities": ["completion"], "model_info": {}})
        return
    if asked.path != "/api/chat":
        asked.answer({"error": "there is no such model here"}, 404)
        return
    told = "".join(message["content"] for message in asked.json["messages"])
    if "note what a text" in told:
        text = msgspec.json.encode(next(known for word, known in KNOWN.items() if word in told)).decode()
    elif "title" in asked.json["messages"][0]["content"][:30]:
        text = "A photo"
    else:
        text = next(text for name, text in TOLD.items() if name in told)
    asked.lines(line(text), {**line(""), "done": True, "done_reason": "stop"})


@pytest.fixture(scope="module")
def known_server(sample_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that read the facts of two insights, with a viewer beside the admin."""
    folder, data = tmp_path_factory.mktemp("known"), tmp_path_factory.mktemp("known-data")
    for source, name in PHOTOS.items():
        shutil.copy(sample_photos / source, folder / name)
    peer = Peer(ollama)
    with serving(folder, data, FACE_ENGINE="off", OLLAMA_PRIMARY_URL=peer.url) as served:
        be_the_first(served)
        served.wait_until("the photos", probe=lambda: len(served.get("/photos")["items"]) == len(PHOTOS))
        for name in PHOTOS.values():
            served.send("POST", "/insights/generate", {"path": name})
        served.wait_until("the facts", probe=lambda: len(served.get("/operations", kind="entity.learn")["items"]) == 2)
        served.send("POST", "/users", {"name": "vic", "password": PASSWORD, "role": "viewer"})
        yield served
    peer.close()


@pytest.fixture
def visitor(page: Page, known_server: Server) -> Iterator[Visitor]:
    """Somebody signed in where only what the model said is known; the browser's console stays silent to the end."""
    known_server.forget_everyone()
    for operation in known_server.get("/operations", limit=200)["items"]:
        begun, is_learned = operation["kind"].partition(".")[0], operation["kind"] == "entity.learn"
        if begun in {"entity", "fact"} and not is_learned and operation["undone_by"] is None:
            known_server.send("POST", f"/operations/{operation['id']}/undo", None, with_later=True)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.set_viewport_size({"width": 1280, "height": 860})
    assert page.request.post(f"{known_server.url}/login", data={"username": NAME, "password": PASSWORD}).ok
    yield Visitor(page, known_server.url, complaints)
    assert not complaints
    assert page.evaluate("window.hurt") is None


def entity(server: Server, name: str, **more: Any) -> int:
    """The id of the entity with this name, made where there is none."""
    found = [item["id"] for item in server.get("/entities", q=name)["items"] if item["name"] == name]
    return int(found[0] if found else server.send("POST", "/entities", {"name": name, "type": "person", **more})["id"])


def fact(page: Page, text: str) -> Any:
    """The row of a fact."""
    return page.locator(".fact", has_text=text)


def undo(page: Page) -> None:
    """Take back what was done last."""
    page.get_by_role("status").get_by_role("button", name="Undo").last.click()


def pick(page: Page, name: str) -> None:
    """Choose an entity or a person by its name with the keyboard."""
    page.get_by_role("dialog").get_by_role("combobox").fill(name)
    expect(page.get_by_role("dialog").get_by_role("option").first).to_contain_text(name)
    page.keyboard.press("Enter")


def test_the_people_lead_to_the_entities_which_are_searched_and_narrowed(visitor: Visitor) -> None:
    page = visitor.open("#/people")
    page.get_by_role("link", name="Entities").click()
    rows = page.locator(".entity-row")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Anna")
    expect(rows.first).to_contain_text("1 fact")
    page.get_by_label("Kind").select_option("place")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Lisbon")
    page.get_by_label("Search entities").fill("zzz")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_label("Kind").select_option("")
    page.get_by_label("Search entities").fill("ann")
    expect(rows).to_have_count(1)
    rows.click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Anna")


def test_many_entities_and_facts_come_a_page_at_a_time(visitor: Visitor, known_server: Server) -> None:
    crowd = [entity(known_server, f"Member {number:02}") for number in range(51)]
    for number in range(51):
        known_server.send("POST", f"/entities/{crowd[0]}/facts", {"text": f"fact {number:02}"})
    page = visitor.open("#/entities?q=member")
    expect(page.locator(".entity-row")).to_have_count(50)
    page.get_by_role("button", name="More").click()
    expect(page.locator(".entity-row")).to_have_count(51)
    expect(page.get_by_role("button", name="More")).to_be_hidden()
    page.locator(".entity-row").first.click()
    expect(page.locator(".fact")).to_have_count(50)
    page.get_by_role("button", name="More").click()
    expect(page.locator(".fact")).to_have_count(51)


def test_a_fact_says_which_photo_and_which_model_it_comes_from(visitor: Visitor, known_server: Server) -> None:
    page = visitor.open(f"#/entity/{entity(known_server, 'Anna')}")
    row = fact(page, "lives in Lisbon")
    expect(row).to_contain_text("since May 2012")
    expect(row).to_contain_text("Read from the insight about coffee.png by talker")
    expect(row.get_by_role("link", name="Lisbon")).to_be_visible()
    expect(row).not_to_contain_text("→")
    row.get_by_role("link", name="coffee.png").click()
    expect(page.get_by_role("region", name="What is known")).to_contain_text("Anna: lives in Lisbon since May 2012")
    page.get_by_role("region", name="What is known").get_by_role("link", name="Lisbon").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Lisbon")
    expect(page.get_by_role("heading", name="0 facts, and 1 of others about it")).to_be_visible()
    expect(fact(page, "Anna: lives in Lisbon")).to_be_visible()


def test_a_fact_whose_insight_was_taken_back_says_so(visitor: Visitor, known_server: Server) -> None:
    oldest = known_server.get("/operations", kind="insight.write")["items"][-1]["id"]
    taken = known_server.send("POST", f"/operations/{oldest}/undo")
    page = visitor.open(f"#/entity/{entity(known_server, 'Anna')}")
    expect(fact(page, "lives in Lisbon")).to_contain_text("the insight was taken back")
    known_server.send("POST", f"/operations/{taken['id']}/undo")


def test_a_fact_is_corrected_and_that_is_taken_back(visitor: Visitor, known_server: Server) -> None:
    page = visitor.open(f"#/entity/{entity(known_server, 'Anna')}")
    page.get_by_role("button", name="Correct: lives in Lisbon").click()
    asked = page.get_by_role("dialog", name="Correct a fact")
    asked.get_by_label("What is so of Anna?").fill("lived in Lisbon")
    asked.get_by_label("Until").fill("soon")
    asked.get_by_role("button", name="Keep").click()
    expect(asked.get_by_role("alert")).to_contain_text("YYYY")
    asked.get_by_label("Until").fill("2020")
    asked.get_by_role("button", name="Not about Lisbon").click()
    asked.get_by_role("button", name="Keep").click()
    row = fact(page, "lived in Lisbon")
    expect(row).to_contain_text("May 2012 \N{EN DASH} 2020")
    expect(row).to_contain_text("corrected since")
    expect(row.get_by_role("link", name="Lisbon")).to_have_count(0)
    undo(page)
    expect(fact(page, "lives in Lisbon")).to_contain_text("since May 2012")
    visitor.complaints.clear()  # the browser itself says that a date was refused


def test_a_fact_that_is_not_true_goes_and_comes_back(visitor: Visitor, known_server: Server) -> None:
    page = visitor.open(f"#/entity/{entity(known_server, 'Anna')}")
    page.get_by_role("button", name="Not true: lives in Lisbon").click()
    expect(page.get_by_text("it is not proposed again")).to_be_visible()
    expect(page.locator(".fact")).to_have_count(0)
    undo(page)
    expect(fact(page, "lives in Lisbon")).to_be_visible()


def test_a_user_makes_an_entity_and_says_a_fact_about_two(visitor: Visitor, known_server: Server) -> None:
    page = visitor.open("#/entities")
    page.get_by_role("button", name="New entity…").click()
    page.get_by_role("dialog").get_by_label("Name").fill("The choir")
    page.get_by_role("dialog").get_by_label("Kind").select_option("organisation")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("The choir")
    page.get_by_role("button", name="Add a fact…").click()
    page.get_by_label("What is so of The choir?").fill("sings with her")
    page.get_by_role("button", name="Choose an entity…").click()
    pick(page, "Anna")
    page.get_by_role("button", name="Keep").click()
    row = fact(page, "sings with her")
    expect(row.get_by_role("link", name="Anna")).to_be_visible()
    expect(row).to_contain_text(f"Written by {NAME}")
    (made,) = known_server.get("/entities", q="choir")["items"]
    assert (made["type"], made["fact_count"]) == ("organisation", 1)


def test_an_entity_is_renamed_retyped_described_and_called_otherwise(visitor: Visitor, known_server: Server) -> None:
    anna = entity(known_server, "Anna")
    page = visitor.open(f"#/entity/{anna}")
    page.get_by_label("Name", exact=True).fill("Anna Lee")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Renamed")).to_be_visible()
    page.get_by_label("Description").fill("the singer")
    page.get_by_label("Description").blur()
    expect(page.get_by_text("Description kept")).to_be_visible()
    page.get_by_label("Another name").fill("Annie")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Another name")).to_be_focused()
    page.get_by_label("Kind").select_option("thing")
    expect(page.get_by_text("Thing now")).to_be_visible()
    read = known_server.get(f"/entities/{anna}")
    assert (read["name"], read["type"], read["description"], read["aliases"]) == (
        *("Anna Lee", "thing", "the singer"),
        ["Annie"],
    )
    page.get_by_role("button", name="Not called Annie").click()
    expect(page.get_by_text("No longer called Annie")).to_be_visible()
    undo(page)
    expect(page.locator(".chip", has_text="Annie")).to_be_visible()


def test_merging_shows_first_what_will_change_and_the_notice_takes_it_back(
    visitor: Visitor, known_server: Server
) -> None:
    oma, anna = entity(known_server, "Oma"), entity(known_server, "Anna")
    known_server.send("POST", f"/entities/{oma}/facts", {"text": "likes cats"})
    page = visitor.open(f"#/entity/{oma}")
    page.get_by_role("button", name="Merge into…").click()
    pick(page, "Anna")
    preview = page.get_by_role("dialog", name="Merge Oma into Anna?")
    expect(preview.locator(".preview")).to_contain_text("Merged the entity Oma into Anna", ignore_case=True)
    expect(preview.locator(".preview li")).to_have_text(["Oma: fact count 1 → 0", "Anna: fact count 1 → 2"])
    assert known_server.get(f"/entities/{anna}")["fact_count"] == 1
    preview.get_by_role("button", name="Merge").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Anna")
    expect(page.locator(".fact")).to_have_count(2)
    undo(page)
    expect(page.locator(".fact")).to_have_count(1)
    page.goto(f"{visitor.url}/#/entity/{oma}")
    expect(fact(page, "likes cats")).to_be_visible()


def test_a_merged_entity_leads_to_the_one_that_it_is(visitor: Visitor, known_server: Server) -> None:
    oma, anna = entity(known_server, "Oma"), entity(known_server, "Anna")
    known_server.send("POST", f"/entities/{oma}/merge", {"into": anna})
    page = visitor.open(f"#/entity/{oma}")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Anna")


def test_an_entity_is_deleted_and_brought_back(visitor: Visitor, known_server: Server) -> None:
    bob = entity(known_server, "Bob")
    page = visitor.open(f"#/entity/{bob}")
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog", name="Delete Bob?").get_by_role("button", name="Delete").click()
    expect(page.locator(".entity-row")).to_have_count(2)
    undo(page)
    expect(page.locator(".entity-row")).to_have_count(3)


def test_only_a_user_links_an_entity_to_a_person_and_takes_that_off(visitor: Visitor, known_server: Server) -> None:
    anna = entity(known_server, "Anna")
    person = known_server.send("POST", "/persons", {"name": "Anna L"})["id"]
    page = visitor.open(f"#/entity/{anna}")
    page.get_by_role("button", name="Link to a person…").click()
    pick(page, "Anna L")
    expect(page.get_by_role("link", name="Anna L")).to_be_visible()
    assert known_server.get(f"/persons/{person}")["entity_id"] == anna
    page.goto(f"{visitor.url}/#/entities")
    expect(page.locator(".entity-row").first).to_contain_text("Anna L")
    page.goto(f"{visitor.url}/#/person/{person}")
    expect(page.get_by_role("region", name="What is known")).to_contain_text("lives in Lisbon since May 2012")
    page.get_by_role("region", name="What is known").get_by_role("link", name="All that is known of Anna").click()
    page.get_by_role("button", name="Take off the link to Anna L").click()
    expect(page.get_by_text("No longer linked to Anna L")).to_be_visible()
    assert known_server.get(f"/persons/{person}")["entity_id"] is None
    undo(page)
    expect(page.get_by_role("link", name="Anna L")).to_be_visible()


def test_a_person_is_linked_from_its_own_page_and_asked_about_before_it_is_linked_elsewhere(
    visitor: Visitor, known_server: Server
) -> None:
    anna, bob = entity(known_server, "Anna"), entity(known_server, "Bob")
    person = known_server.send("POST", "/persons", {"name": "Anna L"})["id"]
    page = visitor.open(f"#/person/{person}")
    page.get_by_role("button", name="Link to an entity…").click()
    pick(page, "Anna")
    expect(page.get_by_role("region", name="What is known")).to_contain_text("lives in Lisbon")
    page.goto(f"{visitor.url}/#/entity/{bob}")
    page.get_by_role("button", name="Link to a person…").click()
    pick(page, "Anna L")
    asked = page.get_by_role("dialog", name="Link Anna L to Bob instead?")
    expect(asked).to_contain_text("is linked to the entity Anna")
    asked.get_by_role("button", name="Cancel").click()
    assert known_server.get(f"/persons/{person}")["entity_id"] == anna
    page.get_by_role("button", name="Link to a person…").click()
    pick(page, "Anna L")
    asked.get_by_role("button", name="Link").click()
    expect(page.get_by_role("link", name="Anna L")).to_be_visible()
    assert known_server.get(f"/persons/{person}")["entity_id"] == bob


def test_the_history_of_an_entity_is_read_and_taken_back(visitor: Visitor, known_server: Server) -> None:
    bob = entity(known_server, "Bob")
    known_server.send("PATCH", f"/entities/{bob}", {"name": "Robert"})
    page = visitor.open(f"#/entity/{bob}")
    page.get_by_role("link", name="What was done").click()
    newest = page.locator(".operation").first
    expect(newest).to_contain_text("renamed the entity Bob to Robert", ignore_case=True)
    expect(page.locator(".operation").last).to_contain_text("read an insight about a photo", ignore_case=True)
    newest.get_by_role("button", name="Undo").click()
    expect(page.locator(".operation", has_text="Robert").last).to_contain_text("undone")
    assert known_server.get(f"/entities/{bob}")["name"] == "Bob"


def test_a_viewer_reads_everything_and_is_offered_no_change(visitor: Visitor, known_server: Server) -> None:
    anna = entity(known_server, "Anna")
    visitor.page.request.post(f"{known_server.url}/login", data={"username": "vic", "password": PASSWORD})
    page = visitor.open("#/entities")
    expect(page.locator(".entity-row")).to_have_count(3)
    expect(page.get_by_role("button", name="New entity…")).to_be_hidden()
    page = visitor.open(f"#/entity/{anna}")
    expect(page.get_by_role("heading", name="Anna", exact=True)).to_be_visible()
    expect(fact(page, "lives in Lisbon")).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(1)
    expect(page.locator("main").get_by_role("button")).to_have_accessible_name("Back")
    expect(page.locator("main").get_by_role("textbox")).to_have_count(0)


def test_while_nothing_is_known_the_page_says_how_facts_come_about(visitor: Visitor, known_server: Server) -> None:
    learned = known_server.get("/operations", kind="entity.learn")["items"]
    taken = [known_server.send("POST", f"/operations/{each['id']}/undo")["id"] for each in learned]
    page = visitor.open("#/entities")
    expect(page.get_by_role("heading", name="Nothing is known yet")).to_be_visible()
    expect(page.get_by_text("ENTITIES_FROM_INSIGHTS=no")).to_be_visible()
    expect(page.get_by_role("button", name="New entity…")).to_have_count(1)
    page = visitor.open("#/photo?file=coffee.png&of=1")
    expect(page.get_by_role("heading", name="A photo")).to_be_visible()
    expect(page.get_by_role("region", name="What is known")).to_be_hidden()
    for each in reversed(taken):
        known_server.send("POST", f"/operations/{each}/undo")


def test_the_focus_stays_where_it_was_while_things_change(visitor: Visitor, known_server: Server) -> None:
    anna = entity(known_server, "Anna", aliases=[])
    known_server.send("POST", f"/entities/{anna}/facts", {"text": "likes cats"})
    page = visitor.open(f"#/entity/{anna}")
    page.get_by_role("button", name="Correct: likes cats").press("Enter")
    page.get_by_label("Since").fill("2001")
    page.keyboard.press("Enter")
    expect(fact(page, "likes cats")).to_contain_text("since 2001")
    expect(page.get_by_role("button", name="Correct: likes cats")).to_be_focused()
    page.get_by_role("button", name="Not true: likes cats").press("Enter")
    expect(page.locator(".fact")).to_have_count(1)
    expect(page.get_by_role("heading", name="1 fact")).to_be_focused()


def test_who_types_on_while_something_else_is_kept_loses_nothing(visitor: Visitor, known_server: Server) -> None:
    page = visitor.open(f"#/entity/{entity(known_server, 'Anna')}")
    page.get_by_label("Name", exact=True).fill("Anna Lee")
    page.get_by_label("Description").press_sequentially("the sin")
    expect(page.get_by_text("Renamed")).to_be_visible()
    page.get_by_label("Description").press_sequentially("ger")
    expect(page.get_by_label("Description")).to_have_value("the singer")


def test_an_entity_that_is_not_there_says_where_it_can_be_taken_back(visitor: Visitor) -> None:
    page = visitor.open("#/entity/999999")
    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()
    visitor.complaints.clear()  # the browser itself says that the answer was 404


def test_whatever_was_said_or_written_is_only_text(visitor: Visitor, known_server: Server) -> None:
    evil = f"{HOSTILE} ![x](http://127.0.0.1:9/x) <script>window.hurt=2</script> [go](javascript:window.hurt=3)"
    made = entity(known_server, HOSTILE, description=evil, aliases=[f"{HOSTILE} too"])
    known_server.send("POST", f"/entities/{made}/facts", {"text": evil, "object_id": entity(known_server, "Anna")})
    person = known_server.send("POST", "/persons", {"name": f"{HOSTILE} L"})["id"]
    known_server.send("PATCH", f"/persons/{person}", {"entity_id": made})
    others: list[str] = []
    at = known_server.url
    visitor.page.on("request", lambda asked: others.append(asked.url) if not asked.url.startswith(at) else None)
    for address in ("#/entities", f"#/entity/{made}", f"#/person/{person}"):
        page = visitor.open(address)
        expect(page.locator("main").get_by_text(HOSTILE).first).to_be_attached()
        expect(
            page.locator("img[src='x'], main script, main a[href^='javascript'], main a[href*='127.0.0.1:9']")
        ).to_have_count(0)
    page = visitor.open(f"#/entity/{entity(known_server, 'Bob')}")
    expect(page.get_by_role("link", name=f"{HOSTILE}.jpg")).to_be_visible()
    assert [url for url in others if url.startswith("http")] == []


def test_what_is_known_fits_a_small_phone(visitor: Visitor, known_server: Server) -> None:
    anna = entity(known_server, "Anna")
    person = known_server.send("POST", "/persons", {"name": "Anna with a name that is long enough to be broken"})["id"]
    known_server.send("PATCH", f"/persons/{person}", {"entity_id": anna})
    known_server.send("POST", f"/entities/{anna}/facts", {"text": "x" * 200})
    visitor.page.set_viewport_size({"width": 320, "height": 844})
    shown = {"#/entities": ".entity-row", f"#/entity/{anna}": ".fact", f"#/person/{person}": ".known"}
    for address, part in shown.items():
        page = visitor.open(address)
        expect(page.locator(part).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, address
