"""Deciding about groups of faces with one key each, as somebody at the page does it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.served import Server, Visitor

PORTRAITS = ("obama", "obama2", "obama3")


def reviewed(visitor: Visitor) -> Page:
    """The review, come to from the people."""
    page = visitor.open("#/people")
    page.get_by_role("link", name="Review groups").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible()
    return page


def test_a_group_is_named_with_one_key_and_taken_back(visitor: Visitor, server: Server) -> None:
    page = reviewed(visitor)
    expect(page.locator(".cluster")).to_have_count(1)
    expect(page.locator(".cluster")).to_contain_text("3 faces")
    page.keyboard.press("n")
    page.get_by_role("combobox", name="Who is this?").fill("Barack Obama")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing to review")).to_be_visible()
    assert server.persons() == {"Barack Obama": 3}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".cluster")).to_have_count(1)
    assert server.persons() == {}


def test_a_group_joins_the_person_it_is_like_with_one_key(visitor: Visitor, server: Server) -> None:
    server.name_face_of("portraits/obama2.jpg", "Barack Obama")
    page = reviewed(visitor)
    expect(page.locator(".cluster")).to_contain_text("2 faces like Barack Obama")
    page.keyboard.press("y")
    expect(page.get_by_role("heading", name="Nothing to review")).to_be_visible()
    assert server.persons() == {"Barack Obama": 3}


def test_a_suggestion_is_refused_with_one_key_and_the_group_stays(visitor: Visitor, server: Server) -> None:
    server.name_face_of("portraits/obama2.jpg", "Somebody")
    page = reviewed(visitor)
    expect(page.get_by_role("button", name="Yes, Somebody")).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Yes, Somebody")).to_have_count(0)
    expect(page.locator(".cluster")).to_have_count(1)
    assert server.persons() == {"Somebody": 1}


def test_strangers_are_put_aside_with_one_key_and_come_back(visitor: Visitor, server: Server) -> None:
    page = reviewed(visitor)
    expect(page.locator(".cluster")).to_have_count(1)
    page.keyboard.press("i")
    expect(page.locator(".cluster")).to_have_count(0)
    assert server.get("/faces/stats")["unassigned"] == 1
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".cluster")).to_have_count(1)
    assert server.get("/faces/stats")["unassigned"] == 4


def test_two_names_of_one_person_become_one_after_it_is_said_what_that_changes(
    visitor: Visitor, server: Server
) -> None:
    server.name_face_of("portraits/obama2.jpg", "Barack Obama")
    server.name_face_of("portraits/obama3.jpg", "Barack O.")
    page = visitor.open("#/review")
    asked = page.locator("[data-merge]")
    expect(asked).to_contain_text("Are Barack O. and Barack Obama one person?")
    expect(asked).to_contain_text("the names are alike")
    expect(asked.locator(".crop img")).to_have_count(2)
    page.keyboard.press("y")
    how = page.get_by_role("dialog", name="Are Barack O. and Barack Obama one person?")
    expect(how).to_contain_text("Barack O. goes, and Barack Obama has 2 faces.")
    assert server.persons() == {"Barack Obama": 1, "Barack O.": 1}
    how.get_by_label("Keep the name Barack O.").check()
    how.get_by_role("button", name="Make them one").click()
    expect(asked).to_have_count(0)
    assert server.persons() == {"Barack O.": 2}
    page.get_by_role("button", name="Undo").click()
    expect(asked).to_have_count(1)
    assert server.persons() == {"Barack Obama": 1, "Barack O.": 1}


def test_two_people_who_look_alike_are_told_apart_with_one_key_and_taken_back(visitor: Visitor, server: Server) -> None:
    server.name_face_of("portraits/obama2.jpg", "Barack Obama")
    server.name_face_of("portraits/obama3.jpg", "Barack O.")
    page = visitor.open("#/review")
    expect(page.locator("[data-merge]")).to_have_attribute("aria-current", "true")
    page.keyboard.press("x")
    expect(page.get_by_text("Barack O. and Barack Obama are two", exact=True)).to_be_visible()
    expect(page.locator("[data-merge]")).to_have_count(0)
    page.reload()
    expect(page.locator(".cluster, .state h2").first).to_be_visible()
    expect(page.locator("[data-merge]")).to_have_count(0)
    operation = server.get("/operations")["items"][0]["id"]
    server.send("POST", f"/operations/{operation}/undo")
    page.reload()
    expect(page.locator("[data-merge]")).to_have_count(1)


def test_a_face_of_somebody_else_is_asked_about_and_answered_with_one_key(visitor: Visitor, server: Server) -> None:
    wrong = server.name_face_of("portraits/biden.jpg", "Barack Obama")
    (person,) = server.get("/persons")["items"]
    faces = [server.get("/image/faces", path=f"portraits/{name}.jpg")["items"][0] for name in PORTRAITS]
    assigned = {"ids": [face["id"] for face in faces], "action": "assign", "person_id": person["id"]}
    server.send("POST", "/image/faces/batch", assigned)
    page = visitor.open("#/review")
    asked = page.locator("[data-split]")
    expect(asked).to_contain_text("Is this face of Barack Obama somebody else?")
    expect(asked.locator("img")).to_have_attribute("src", re.compile(rf"/faces/{wrong}/crop"))
    page.keyboard.press("x")
    expect(page.get_by_text("1 face is Barack Obama", exact=True)).to_be_visible()
    expect(asked).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(asked).to_have_count(1)
    page.keyboard.press("u")
    expect(asked).to_have_count(0)
    assert server.persons() == {"Barack Obama": 3}


def test_a_name_that_an_edit_left_behind_is_on_top_until_it_is_said_to_be_gone(
    visitor: Visitor, server: Server, sample_photos: Path
) -> None:
    server.name_face_of("portraits/obama3.jpg", "Barack Obama")
    (library,) = server.get("/libraries")["items"]
    path = Path(library["root"], "portraits", "obama3.jpg")
    portrait = path.read_bytes()
    try:
        path.write_bytes((sample_photos / "rocket.jpg").read_bytes() + b"another")
        server.wait_until("what was left behind", probe=lambda: server.get("/faces/unmatched")["items"])
        page = visitor.open("#/review")
        left = page.get_by_role("region", name="Names that were left behind")
        expect(left).to_contain_text("1 name could not be carried over")
        expect(left).to_contain_text("Barack Obama on portraits/obama3.jpg")
        left.get_by_role("button", name="Not on it any more").click()
        expect(left).not_to_contain_text("could not be carried over")
        page.get_by_role("button", name="Undo").click()
        expect(left).to_contain_text("Barack Obama")
    finally:
        path.write_bytes(portrait)
        server.wait_until(
            "the portrait", probe=lambda: server.get("/image/faces", path="portraits/obama3.jpg")["items"]
        )
