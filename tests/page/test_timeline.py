"""The grid of photos and the photo that is open: layout, keyboard, narrow windows, hostile names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from adapters.media.placeholder import placeholder_of
from tests.page.served import HOSTILE, PHOTOS, Server, Visitor
from tests.waiting import until

OBAMA = "#/photo?file=portraits%2Fobama.jpg&of=1"
CONTENTS = (".tile", ".face-cell", ".folder-list a", ".operation", ".card", ".large.shown")
"""What a view holds once the server has answered."""
IN_VIEW = "tile => tile.getBoundingClientRect().top >= 0 && tile.getBoundingClientRect().bottom <= innerHeight"


def test_all_photos_are_on_the_timeline_and_shown(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.locator(".tile")).to_have_count(len(PHOTOS) + 1)
    expect(page.locator(".tile img.shown")).to_have_count(len(PHOTOS) + 1)
    expect(page.locator(".counted")).to_have_text(f"{len(PHOTOS) + 1} items")


@pytest.mark.parametrize("name", ["elsewhere", "constructor"])
def test_an_address_that_is_no_view_says_so(visitor: Visitor, name: str) -> None:
    page = visitor.open(f"#/{name}")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_the_search_narrows_and_survives_a_reload(visitor: Visitor) -> None:
    page = visitor.open()
    page.keyboard.press("/")
    page.keyboard.type("obama2")
    expect(page.locator(".tile")).to_have_count(1)
    page.reload()
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.get_by_label("Search photos")).to_have_value("obama2")
    page.get_by_role("button", name="Show without “obama2”").click()
    expect(page.locator(".tile")).to_have_count(len(PHOTOS) + 1)


def test_folders_lead_to_the_photos_in_them(visitor: Visitor) -> None:
    page = visitor.open("#/folders")
    page.locator(".folder-list a").click()
    page.locator(".folder-list a", has_text="portraits").click()
    expect(page.locator(".tile")).to_have_count(4)
    expect(page.get_by_role("navigation", name="Folder")).to_contain_text("portraits")


def test_the_keyboard_walks_the_grid_opens_a_photo_and_comes_back_to_it(visitor: Visitor) -> None:
    page = visitor.open()
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(len(PHOTOS) + 1)
    assert page.locator(".tile[tabindex='0']").count() == 1
    page.locator(".tile[tabindex='0']").focus()
    for key in ("End", "ArrowLeft", "ArrowRight", "ArrowUp", "Home", "ArrowRight"):
        page.keyboard.press(key)
    second = page.locator(".tile:focus").get_attribute("aria-label")
    page.keyboard.press("Enter")
    expect(page.locator(".viewer .large.shown")).to_be_visible()
    first_title = page.locator(".viewer-under").text_content()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer-under")).not_to_have_text(first_title or "")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".viewer-under")).to_have_text(first_title or "")
    page.keyboard.press("Escape")
    expect(page.locator(".tile:focus")).to_have_attribute("aria-label", second or "")
    assert page.locator(".tile:focus").evaluate(IN_VIEW)


def test_a_link_to_a_photo_survives_a_reload_with_its_neighbours(visitor: Visitor) -> None:
    page = visitor.open()
    page.locator(".tile").first.click()
    expect(page.locator(".viewer")).to_be_visible()
    page.reload()
    expect(page.locator(".viewer .large.shown")).to_be_visible()
    expect(page.get_by_role("button", name="Next photo")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator(".tile")).to_have_count(len(PHOTOS) + 1)


def test_details_say_when_with_what_and_where(visitor: Visitor) -> None:
    panel = visitor.open(OBAMA).get_by_role("complementary", name="Details")
    for said in ("December", "2012", "EOS 5D Mark III", "1,137", "portraits"):
        expect(panel).to_contain_text(said)


def test_details_name_the_place_and_whose_names_these_are(visitor: Visitor) -> None:
    def placed(route: Route) -> None:
        told = route.fetch().json()
        place = {"text": f"Home {HOSTILE}, Lisbon, Portugal", "attribution": "GeoNames"}
        route.fulfill(json=told | {"latitude": 38.7169, "longitude": -9.1399, "place": place})

    visitor.page.route("**/image/metadata?*", placed)
    panel = visitor.open(OBAMA).get_by_role("complementary", name="Details")
    for said in (f"Home {HOSTILE}, Lisbon, Portugal", "38.71690, -9.13990", "GeoNames"):
        expect(panel).to_contain_text(said)


def test_a_photo_names_its_raw_and_its_clip_and_leads_to_each(visitor: Visitor) -> None:
    companions = [
        {"id": 901, "path": f"portraits/{HOSTILE}.NEF", "kind": "photo", "format": "nef"},
        {"id": 902, "path": "portraits/obama2.jpg", "kind": "video", "format": "mov"},
    ]

    def listed(route: Route) -> None:
        told = route.fetch().json()
        for photo in told["items"]:
            photo["companions"] = companions if photo["path"] == "portraits/obama.jpg" else []
        route.fulfill(json=told)

    def told_of(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"companions": companions})

    visitor.page.route(re.compile(r"/photos\?"), listed)
    visitor.page.route("**/image/metadata?*obama.jpg*", told_of)
    page = visitor.open()
    expect(page.locator(".tile .stacked")).to_have_text("RAW · Live")
    page.get_by_role("link", name="with RAW · Live").click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.locator(".companions a")).to_have_text([f"{HOSTILE}.NEF RAW", "obama2.jpg Live"])
    panel.get_by_role("link", name="obama2.jpg").click()
    expect(page.locator(".viewer .large.shown")).to_have_attribute("alt", "Photo obama2.jpg")


def test_a_burst_says_how_many_photos_it_has(visitor: Visitor) -> None:
    others = [{"id": 900 + n, "path": f"portraits/{n}.jpg", "kind": "photo", "format": "jpeg"} for n in range(4)]

    def listed(route: Route) -> None:
        told = route.fetch().json()
        for photo in told["items"]:
            photo["companions"] = others if photo["path"] == "portraits/obama.jpg" else []
        route.fulfill(json=told)

    visitor.page.route(re.compile(r"/photos\?"), listed)
    expect(visitor.open().locator(".tile .stacked")).to_have_text("Burst of 5")


def test_a_raw_that_was_listed_gives_way_to_the_photo_that_comes_later(visitor: Visitor) -> None:
    left = visitor.open().evaluate(
        """async () => {
          const { PhotoList } = await import('./assets/photolist.js');
          const list = new PhotoList({});
          await list.more();
          const [first, second] = list.items;
          list.known.delete(first.id);
          list.items = [second];
          globalThis.fetch = ((real) => async (...asked) => {
            const told = await (await real(...asked)).json();
            for (const photo of told.items) photo.companions = photo.id === first.id ? [{ id: second.id }] : [];
            return Response.json(told);
          })(globalThis.fetch);
          await list.refresh();
          return [first.id, second.id].map((id) => list.items.some((photo) => photo.id === id));
        }"""
    )
    assert left == [True, False]


@pytest.mark.parametrize("address", ["#/photos", "#/people", "#/folders", "#/history", "#/status", OBAMA])
def test_a_phone_never_scrolls_sideways(visitor: Visitor, address: str) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open(address)
    expect(page.locator(f"main :is({', '.join(CONTENTS)})").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_hostile_file_name_is_only_text(visitor: Visitor) -> None:
    page = visitor.open(f"#/photos?q={HOSTILE[:8].replace('<', '%3C').replace(' ', '%20')}")
    expect(page.locator(".tile")).to_have_count(1)
    page.locator(".tile").click()
    expect(page.locator(".viewer .large.shown")).to_be_visible()
    expect(page.get_by_role("complementary", name="Details")).to_contain_text(HOSTILE)


def test_of_many_photos_only_those_near_the_window_have_elements(visitor: Visitor) -> None:
    page = visitor.open()
    made = page.evaluate(
        """async () => {
          const { PhotoGrid } = await import('./assets/parts/grid.js');
          const grid = new PhotoGrid(() => '#/photos', () => {});
          document.querySelector('main').replaceChildren(grid.element);
          const when = (id) => new Date(1.7e12 - id * 3.6e6).toISOString();
          const same = { library_id: 1, kind: 'photo', width: 3, height: 2, placeholder: null };
          const photo = (_, id) => ({ ...same, id, path: 'coffee.png', taken_at: when(id) });
          const photos = Array.from({ length: 20000 }, photo);
          grid.photos = photos;
          grid.show(photos);
          scrollTo(0, document.documentElement.scrollHeight / 2);
          grid.render();
          const answer = { height: grid.element.offsetHeight, tiles: grid.tiles.size };
          grid.leave();
          grid.element.remove();
          return answer;
        }"""
    )
    assert made["height"] > 100_000
    assert 0 < made["tiles"] < 200


def test_rows_fill_the_width_in_order_whatever_the_shapes(visitor: Visitor) -> None:
    page = visitor.open()
    rows = page.evaluate(
        """async () => {
          const { justified } = await import('./assets/parts/justified.js');
          const shapes = [[3, 2], [2, 3], [1, 9], [9, 1], [null, null], [4, 3], [1, 1]];
          const photos = shapes.concat(...Array(25).fill(shapes)).map(([width, height], id) => ({ id, width, height }));
          return justified(photos, 1000, 200, 4).rows;
        }"""
    )
    assert [tile["photo"]["id"] for row in rows for tile in row["tiles"]] == list(range(182))
    for row in rows[:-1]:
        last = row["tiles"][-1]
        assert last["left"] + last["width"] == pytest.approx(1000, abs=0.01)
        assert 90 < row["height"] < 400


def test_a_placeholder_is_drawn_with_the_colours_of_its_photo(visitor: Visitor, sample_photos: Path) -> None:
    with Image.open(sample_photos / "rocket.jpg") as opened:
        picture = opened.convert("RGB").resize((60, 40))
    hashed = placeholder_of(np.asarray(picture))
    drawn = visitor.open().evaluate(
        """async (hashed) => {
          const { drawPlaceholder } = await import('./assets/parts/thumbhash.js');
          const canvas = document.createElement('canvas');
          drawPlaceholder(canvas, hashed);
          return [canvas.width, ...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
        }""",
        hashed,
    )
    side, pixels = drawn[0], drawn[1:]
    small = picture.resize((side, side), Image.Resampling.BOX)
    wanted = list(small.convert("RGBA").tobytes())
    off = sum(abs(a - b) for a, b in zip(pixels, wanted, strict=True)) / len(wanted)
    assert off < 20


def test_the_search_looks_by_meaning_when_it_is_asked_to_and_survives_a_reload(
    visitor: Visitor, server: Server
) -> None:
    server.wait_until("search by meaning", probe=lambda: _is_understood(server))
    page = visitor.open()
    expect(page.get_by_role("button", name="by meaning")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("Weltraumfahrt")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="by meaning", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(len(PHOTOS) + 1)
    expect(page.locator(".tile").first).to_have_attribute("aria-label", re.compile("rocket"))
    page.reload()
    expect(page.locator(".tile").first).to_have_attribute("aria-label", re.compile("rocket"))
    expect(page.get_by_role("button", name="by meaning", exact=True)).to_have_attribute("aria-pressed", "true")
    page.set_viewport_size({"width": 390, "height": 760})
    page.get_by_role("button", name="by meaning", exact=True).click()
    expect(page.get_by_text("Nothing found")).to_be_visible()


def _is_understood(server: Server) -> bool:
    state = server.get("/photos/search/state")
    return bool(state["usable"] and state["embedding"] is None)


def test_what_is_to_be_said_of_a_library_that_moved_or_went_is_a_button_under_status(
    visitor: Visitor, server: Server, tmp_path: Path
) -> None:
    old, new = tmp_path / "trip", tmp_path / "trip two"
    old.mkdir()
    new.mkdir()
    for number in range(4):
        Image.new("RGB", (64, 48 + number), "teal").save(old / f"{number}.jpg")

    def library(id_: int) -> dict[str, Any]:
        return next(each for each in server.get("/libraries")["items"] if each["id"] == id_)

    trip = int(server.send("POST", "/libraries", {"root": str(old)})["id"])
    try:
        until(lambda: library(trip)["photos"] == 4)
        for number in range(2):
            (old / f"{number}.jpg").rename(new / f"{number}.jpg")
        old.rename(tmp_path / "put away")
        waiting = int(server.send("POST", "/libraries", {"root": str(new)})["id"])
        until(lambda: library(waiting)["state"] == "waiting")
        page = visitor.open("#/status")
        expect(page.get_by_text("It waits: 2 of the 4 files of trip, whose folder is gone, are here.")).to_be_visible()
        page.get_by_role("button", name="It is trip, moved here").click()
        until(lambda: (library(trip)["root"], library(trip)["photos"]) == (str(new), 2))
        expect(page.get_by_text("It waits")).to_have_count(0)
        for path in new.iterdir():
            path.unlink()
        until(lambda: library(trip)["state"] == "held")
        page = visitor.open("#/status")
        page.get_by_role("button", name="They were deleted").click()
        until(lambda: (library(trip)["state"], library(trip)["photos"]) == ("scanned", 0))
    finally:
        server.send("DELETE", f"/libraries/{trip}")
