"""The way in: the one-time link, signing in, and coming back to what was asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.served import NAME, PASSWORD, Server, be_the_first, serving


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has entered yet, without photos and without a face engine."""
    for name in ("photos", "data"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "photos", tmp_path / "data", FACE_ENGINE="off") as server:
        yield server


def test_the_printed_link_lets_the_first_admin_choose_a_name_and_works_once(page: Page, fresh: Server) -> None:
    page.goto(fresh.link)
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("Choose a password").fill("short")
    page.get_by_role("button", name="Begin").click()
    expect(page).to_have_url(fresh.link)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="No photos yet")).to_be_visible()
    page.goto(fresh.link)
    expect(page.get_by_text("used already")).to_be_visible()


def test_signing_in_says_what_is_wrong_and_leads_to_what_was_asked_for(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/#/history")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()


def test_signing_out_ends_the_session(page: Page, server: Server) -> None:
    page.request.post(f"{server.url}/login", data={"username": NAME, "password": PASSWORD})
    page.goto(server.url)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_photos_appear_while_they_are_indexed(page: Page, fresh: Server, tmp_path: Path, sample_photos: Path) -> None:
    be_the_first(fresh)
    page.request.post(f"{fresh.url}/login", data={"username": NAME, "password": PASSWORD})
    page.goto(fresh.url)
    expect(page.get_by_role("heading", name="No photos yet")).to_be_visible()
    shutil.copy2(sample_photos / "coffee.png", tmp_path / "photos")
    (library,) = fresh.get("/libraries")["items"]
    fresh.send("POST", f"/libraries/{library['id']}/scan")
    expect(page.locator(".tile img.shown")).to_have_count(1, timeout=30_000)  # its thumbnail is made meanwhile
    expect(page.get_by_role("heading", name="No photos yet")).to_have_count(0)
