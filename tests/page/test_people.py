"""Naming, confirming, merging, taking apart and taking back, as somebody at the page does it."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

from playwright.sync_api import Page, Route, expect

from tests.page.served import HOSTILE, Server, Visitor

OBAMA = "#/photo?file=portraits%2Fobama.jpg&of=1"
BIDEN = "portraits/biden.jpg"


def person_link(page: Page, name: str) -> None:
    """Open somebody from the list of people."""
    page.get_by_role("link", name="People").click()
    page.locator(".person-card", has_text=name).click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(name)


def test_naming_a_face_offers_the_likely_others_and_they_are_confirmed_at_once(
    visitor: Visitor, server: Server
) -> None:
    page = visitor.open(OBAMA)
    page.get_by_role("button", name="Who is this?").click()
    page.get_by_role("combobox", name="Who is").fill("Barack Obama")
    page.keyboard.press("Enter")
    offered = page.get_by_role("dialog", name="Also Barack Obama?")
    expect(offered.locator(".pick")).to_have_count(2)
    assert server.persons() == {"Barack Obama": 1}
    offered.get_by_role("button", name="Confirm 2 faces").click()
    expect(page.get_by_text("2 more faces of Barack Obama")).to_be_visible()
    assert server.persons() == {"Barack Obama": 3}
    expect(page.get_by_role("button", name="Face of Barack Obama")).to_be_visible()
    page.keyboard.press("Escape")
    person_link(page, "Barack Obama")
    expect(page.locator(".face-cell")).to_have_count(3)
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator(".toast-text", has_text="Undone")).to_be_visible()
    assert server.persons() == {}, "the naming and the confirming are one step back"
    expect(page.get_by_text("Nobody is here")).to_be_visible()
    visitor.complaints.clear()  # the browser itself reports the 404 of who is gone


def test_who_is_less_surely_alike_stands_below_and_is_not_ticked(visitor: Visitor, server: Server) -> None:
    def doubt(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        said["items"][0]["preselected"], said["items"][1]["preselected"] = True, False
        route.fulfill(response=answer, json=said)

    visitor.page.route("**/image/faces/*/similar*", doubt)
    page = visitor.open(OBAMA)
    page.set_viewport_size({"width": 390, "height": 460})
    page.get_by_role("button", name="Who is this?").click()
    page.get_by_role("combobox", name="Who is").fill("Barack Obama")
    page.keyboard.press("Enter")
    offered = page.get_by_role("dialog", name="Also Barack Obama?")
    expect(offered.get_by_role("heading", name="Also Barack Obama?")).to_be_in_viewport()
    expect(offered.get_by_role("button", name="Confirm 1 face")).to_be_in_viewport()
    expect(offered.get_by_role("heading", name="Less sure")).to_be_visible()
    expect(offered.locator(".pick")).to_have_count(2)
    expect(offered.locator(".unsure .crop")).to_have_css("opacity", "1")
    offered.locator(".pick").first.click()
    expect(offered.get_by_role("button", name="Confirm")).to_be_disabled()
    offered.locator(".pick").first.click()
    expect(offered.locator(".picks-divider ~ .picks .pick")).to_have_attribute("aria-pressed", "false")
    offered.get_by_role("button", name="Confirm 1 face").click()
    expect(page.get_by_text("1 more face of Barack Obama")).to_be_visible()
    assert server.persons() == {"Barack Obama": 2}


def test_the_least_alike_face_comes_first_and_loses_the_name_with_one_key(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, "Barack Obama")
    (person,) = server.get("/persons")["items"]
    faces = [server.get("/image/faces", path=f"portraits/{name}.jpg")["items"][0] for name in ("obama", "obama2")]
    assigned = {"ids": [face["id"] for face in faces], "action": "assign", "person_id": person["id"]}
    server.send("POST", "/image/faces/batch", assigned)
    page = visitor.open(f"#/person/{person['id']}")
    expect(page.locator(".face-cell")).to_have_count(3)
    page.get_by_label("Order of the faces").select_option("Least alike first")
    expect(page.locator(".face-cell").first).to_have_attribute("aria-label", "Photo biden.jpg")
    expect(page.locator(".face-cell").first).to_contain_text("%")
    expect(page.locator(".face-cell").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".face-cell").nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("u")
    expect(page.locator(".face-cell")).to_have_count(2)
    assert server.persons() == {"Barack Obama": 2}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".face-cell")).to_have_count(3)


def test_a_known_person_is_suggested_first(visitor: Visitor, server: Server) -> None:
    server.name_face_of("portraits/obama2.jpg", "Barack Obama")
    server.name_face_of(BIDEN, "Aaron")
    page = visitor.open(OBAMA)
    page.get_by_role("button", name="Who is this?").click()
    first = page.get_by_role("option").first
    expect(first).to_contain_text("Barack Obama")
    expect(first).to_contain_text("alike")
    page.get_by_role("combobox", name="Who is").fill("aa")
    expect(page.get_by_role("option").first).to_contain_text("Aaron")


def test_merging_shows_first_what_will_change_and_the_notice_takes_it_back(visitor: Visitor, server: Server) -> None:
    server.name_face_of("portraits/obama2.jpg", "Bob")
    server.name_face_of("portraits/obama3.jpg", "Robért O\u2019Neill")
    page = visitor.open("#/people")
    person_link(page, "Bob")
    page.get_by_role("button", name="Merge into…").click()
    page.get_by_role("combobox", name="Who is").fill("o'neill robert")
    page.keyboard.press("Enter")
    preview = page.get_by_role("dialog", name="Merge Bob into Robért O\u2019Neill?")
    expect(preview.locator(".preview")).to_contain_text("Bob")
    assert server.persons() == {"Bob": 1, "Robért O\u2019Neill": 1}
    preview.get_by_role("button", name="Merge").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Robért O\u2019Neill")
    expect(page.locator(".face-cell")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".face-cell")).to_have_count(1)
    assert server.persons() == {"Bob": 1, "Robért O\u2019Neill": 1}


def test_history_takes_back_and_does_again(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, "Joe")
    page = visitor.open("#/history")
    newest = page.locator(".operation").first
    expect(newest).to_contain_text("Joe")
    named = page.locator(f".operation[data-operation='{newest.get_attribute('data-operation')}']")
    named.get_by_role("button", name="Undo").click()
    expect(named).to_contain_text("undone")
    assert server.persons() == {}
    page.locator(".operation").first.get_by_role("button", name="Redo").click()
    expect(named).not_to_contain_text("undone")
    assert server.persons() == {"Joe": 1}


def test_history_offers_to_take_back_what_is_in_the_way_too(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, "Joe")
    person = server.get("/persons")["items"][0]["id"]
    for name in ("Jo", "Joseph"):
        server.send("PATCH", f"/persons/{person}", {"name": name})
    page = visitor.open("#/history")
    first = page.locator(".operation", has_text="renamed Joe to Jo").last
    first.get_by_role("button", name="Undo").click()
    refused = page.locator(".toast.bad")
    expect(refused).to_contain_text("renamed Jo to Joseph")
    visitor.complaints.clear()  # the browser itself reports the 409
    refused.get_by_role("button", name="Undo both").click()
    expect(page.locator(".toast-text", has_text="Undone")).to_be_visible()
    assert server.persons() == {"Joe": 1}


def test_chosen_faces_are_split_off_to_somebody_new(visitor: Visitor, server: Server) -> None:
    first = server.name_face_of("portraits/obama2.jpg", "Barack Obama")
    (second,) = server.get("/image/faces", path=BIDEN)["items"]
    person = server.get("/persons")["items"][0]["id"]
    server.send("POST", "/image/faces/batch", {"ids": [second["id"]], "action": "assign", "person_id": person})
    page = visitor.open(f"#/person/{person}")
    expect(page.locator(".face-cell")).to_have_count(2)
    page.get_by_role("button", name="Select").click()
    page.get_by_role("button", name="Photo biden.jpg").click()
    page.get_by_role("button", name="Assign to…").click()
    page.get_by_role("combobox", name="Who is").fill("Joe Biden")
    page.keyboard.press("Enter")
    expect(page.locator(".face-cell")).to_have_count(1)
    assert server.persons() == {"Barack Obama": 1, "Joe Biden": 1}
    assert first != second["id"]


def test_what_is_known_of_a_person_is_kept(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, "Jo")
    page = visitor.open("#/people")
    person_link(page, "Jo")
    page.get_by_label("Name", exact=True).fill("Joe")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Renamed")).to_be_visible()
    page.get_by_label("Birth date").fill("1942-11-20")
    page.get_by_label("Birth date").blur()
    expect(page.get_by_text("Birth date kept")).to_be_visible()
    page.get_by_label("Notes").fill("Scranton")
    page.get_by_label("Notes").blur()
    expect(page.get_by_text("Notes kept")).to_be_visible()
    (kept,) = server.get("/persons")["items"]
    assert (kept["name"], kept["birth_date"], kept["notes"]) == ("Joe", "1942-11-20", "Scranton")


def test_a_name_that_is_taken_stays_as_it_was_typed_and_the_two_can_be_merged(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, "Joe")
    server.name_face_of("portraits/obama.jpg", "Barack")
    page = visitor.open("#/people")
    person_link(page, "Joe")
    page.get_by_label("Name", exact=True).fill("barack")
    page.keyboard.press("Enter")
    refused = page.locator(".toast.bad")
    expect(refused).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("barack")
    visitor.complaints.clear()  # the browser itself reports the 409
    refused.get_by_role("button", name="Merge into Barack…").click()
    page.get_by_role("dialog", name="Merge Joe into Barack?").get_by_role("button", name="Merge").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Barack")
    assert server.persons() == {"Barack": 2}


def test_deleting_a_person_shows_both_ways_and_keeps_the_faces(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, "Joe")
    unnamed = server.get("/faces/stats")["unassigned"]
    page = visitor.open("#/people")
    person_link(page, "Joe")
    page.get_by_role("button", name="Delete…").click()
    asked = page.get_by_role("dialog", name="Delete Joe?")
    expect(asked.get_by_role("radio")).to_have_count(2)
    asked.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    assert server.persons() == {}
    assert server.get("/faces/stats")["unassigned"] == unnamed + 1


def test_a_face_is_drawn_by_dragging_and_taken_away_again(visitor: Visitor, server: Server) -> None:
    page = visitor.open("#/photo?file=coffee.png&of=1")
    expect(page.locator(".viewer .large.shown")).to_be_visible()
    page.keyboard.press("d")
    sheet = page.locator(".drawing-sheet").bounding_box()
    assert sheet is not None
    page.mouse.move(sheet["x"] + 0.25 * sheet["width"], sheet["y"] + 0.2 * sheet["height"])
    page.mouse.down()
    page.mouse.move(sheet["x"] + 0.75 * sheet["width"], sheet["y"] + 0.8 * sheet["height"], steps=3)
    page.mouse.up()
    asked = page.get_by_role("dialog", name="Who is this?")
    expect(asked).to_be_visible()
    (drawn,) = server.get("/image/faces", path="coffee.png")["items"]
    assert drawn["source"] == "manual"
    assert abs(drawn["box"]["x"] - 0.25) < 0.02
    assert abs(drawn["box"]["h"] - 0.6) < 0.02
    asked.get_by_role("button", name="Not a face").click()
    expect(page.locator(".face")).to_have_count(0)
    assert server.get("/image/faces", path="coffee.png")["items"] == []


def test_a_face_is_drawn_on_the_photo_that_is_seen_though_its_faces_have_not_come(visitor: Visitor) -> None:
    page = visitor.open("#/photo?file=coffee.png&of=1")
    expect(page.locator(".facts")).to_contain_text("coffee.png")
    drawn: list[str] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            drawn.append(json.loads(route.request.post_data or "")["path"])
            route.fulfill(status=201, json={"id": 0})

    page.route(re.compile(r"/image/faces(\?|$)"), hold)
    page.get_by_role("button", name="Next photo").click()
    expect(page.locator(".viewer .large.shown")).to_be_visible()
    seen = parse_qs(page.url.partition("?")[2])["file"]
    page.keyboard.press("d")
    page.locator(".drawing-sheet").drag_to(
        page.locator(".drawing-sheet"), source_position={"x": 40, "y": 40}, target_position={"x": 160, "y": 160}
    )
    expect(page.get_by_text("Face drawn")).to_be_visible()
    assert seen != ["coffee.png"]
    assert drawn == seen


def test_a_stranger_is_put_aside_from_the_people_page(visitor: Visitor, server: Server) -> None:
    page = visitor.open("#/people")
    expect(page.locator(".face-cell")).to_have_count(4)
    page.get_by_role("button", name="Select").click()
    page.locator(".face-cell").first.click()
    page.get_by_role("button", name="Ignore strangers").click()
    expect(page.locator(".face-cell")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".face-cell")).to_have_count(4)
    assert server.get("/faces/stats")["unassigned"] == 4


def test_tags_are_added_and_taken_away(visitor: Visitor, server: Server) -> None:
    page = visitor.open(OBAMA)
    page.get_by_label("Add a tag").fill("portrait")
    page.keyboard.press("Enter")
    expect(page.locator(".tags .chip")).to_have_text("portrait")
    page.get_by_role("button", name="Remove the tag portrait").click()
    expect(page.locator(".tags .chip")).to_have_count(0)
    assert server.get("/image/tags", path="portraits/obama.jpg")["items"] == []


def test_hostile_names_of_persons_and_tags_are_only_text(visitor: Visitor, server: Server) -> None:
    server.name_face_of(BIDEN, HOSTILE)
    server.send("POST", "/image/tags", {"path": BIDEN, "name": HOSTILE})
    page = visitor.open("#/photo?file=portraits%2Fbiden.jpg&of=1")
    expect(page.locator(".face-name")).to_have_text(HOSTILE)
    expect(page.locator(".tags .chip")).to_have_text(HOSTILE)
    page.locator(".face").click()
    expect(page.get_by_role("dialog").locator(".namer-person")).to_have_text(HOSTILE)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="People").click()
    page.locator(".person-card").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(HOSTILE)
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="History").click()
    expect(page.locator(".operation").first).to_contain_text("onerror")
    server.send("DELETE", "/image/tags", None, path=BIDEN, name=HOSTILE)
