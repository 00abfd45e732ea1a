"""Memories on the page: by year, by another day and span, on a phone, and open."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from playwright.sync_api import expect

from tests.page.served import Server, Visitor


def remembered_day(server: Server) -> tuple[str, list[dict[str, Any]]]:
    """A day in a year to come on which some photo is remembered, and its years."""
    photos = server.get("/photos", kind="photo")["items"]
    taken = date.fromisoformat(photos[0]["taken_at"][:10])
    day = (taken + timedelta(days=365 * 3 + 1)).isoformat()
    return day, server.get("/memories", date=day, span="week")["items"]


def test_memories_stand_under_their_years_and_open(server: Server, visitor: Visitor) -> None:
    day, years = remembered_day(server)
    page = visitor.open(f"#/memories?date={day}&span=week")
    expect(page.locator(".tile")).to_have_count(sum(len(year["items"]) for year in years))
    assert years
    for year in years:
        expect(page.get_by_role("heading", name=f"{year['years_ago']} years ago")).to_be_visible()
    expect(page.get_by_role("link", name="Memories")).to_have_attribute("aria-current", "page")
    page.locator(".tile").first.click()
    expect(page.locator(".viewer .large.shown")).to_be_visible()


def test_another_day_and_span_are_chosen_and_survive_a_reload(server: Server, visitor: Visitor) -> None:
    day, _ = remembered_day(server)
    page = visitor.open("#/memories?date=1900-01-01")
    expect(page.get_by_text("Nothing of earlier years")).to_be_visible()
    page.get_by_label("Day").fill(day)
    page.get_by_label("How much of the year").select_option("month")
    expect(page.locator(".tile").first).to_be_visible()
    page.reload()
    expect(page.locator(".tile").first).to_be_visible()
    expect(page.get_by_label("How much of the year")).to_have_value("month")


def test_memories_fit_a_phone(server: Server, visitor: Visitor) -> None:
    day, _ = remembered_day(server)
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open(f"#/memories?date={day}&span=month")
    expect(page.locator(".tile").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
