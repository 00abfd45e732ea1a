"""Deciding about groups of faces with one key each, as somebody at the page does it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.served import Server, Visitor


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
