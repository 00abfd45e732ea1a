"""The wall of videos moves, and an open video plays, as it is or as HLS, with the keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.footage import AAC, H264, HEVC, footage, turned
from tests.page.served import NAME, PASSWORD, Server, Visitor, be_the_first, serving
from tests.waiting import until

pytestmark = pytest.mark.ffmpeg

PLAYS = "document.querySelector('video.film')?.currentTime > 0.2"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a few videos and one file that is none."""
    folder, data = tmp_path_factory.mktemp("films"), tmp_path_factory.mktemp("data")
    footage(folder / "VID_20240501_120000.mp4", 6, *H264, *AAC, size="640x360")
    turned(footage(folder / "VID_20240502_120000.mp4", 5, *H264, *AAC, size="640x360", source="smptebars"))
    footage(folder / "VID_20240503_120000.mov", 65, *HEVC, *AAC, size="320x240", source="testsrc")
    footage(folder / "VID_20240504_120000.avi", 4, "-c:v", "mpeg4", "-c:a", "libmp3lame", size="320x240")
    moving_photo(folder)
    (folder / "VID_20240505_120000.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(900))
    with serving(folder, data, FACE_ENGINE="off") as served:
        be_the_first(served)
        served.wait_until("all videos", probe=lambda: served.get("/photos", kind="video")["total"] == 5)
        yield served


def moving_photo(folder: Path) -> None:
    """A photo with a video in it, as Google's older phones have it; the video is no file beside it."""
    clip = footage(folder / "clip.mp4", 2, *H264, *AAC, size="320x240")
    film = clip.read_bytes()
    clip.unlink()
    told = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a GCamera:MicroVideoOffset='{len(film)}'/></x:xmpmeta>"
    photo = folder / "IMG_20240506_120000.jpg"
    Image.new("RGB", (320, 240), "teal").save(photo, xmp=told.encode())
    photo.write_bytes(photo.read_bytes() + film)


@pytest.fixture
def visitor(page: Page, films: Server) -> Iterator[Visitor]:
    """A signed-in visitor; the browser's console says nothing but that the file that is no video has no picture."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.request.post(f"{films.url}/login", data={"username": NAME, "password": PASSWORD})
    yield Visitor(page, films.url, complaints)
    assert [said for said in complaints if "404" not in said] == []


def until_true(page: Page, true: str) -> None:
    """Wait until a script answers true; Playwright's own way to wait needs `eval`, which the page forbids."""
    until(
        lambda: page.evaluate(f"Boolean({true})"),
        f"{true} did not come",
        interval=0.1,
        sleep=lambda seconds: page.wait_for_timeout(1000 * seconds),
    )


def test_the_wall_shows_every_video_and_lets_those_that_can_move(visitor: Visitor) -> None:
    page = visitor.open("#/videos")
    expect(page.locator(".tile")).to_have_count(5)
    expect(page.locator(".counted")).to_have_text("5 videos")
    expect(page.locator(".tile .clip.shown")).to_have_count(4, timeout=30_000)
    assert page.eval_on_selector_all(".clip", "clips => clips.every(clip => clip.muted && clip.loop && !clip.paused)")
    expect(page.get_by_role("link", name="Video, 1:05, Fri, May 3, 2024", exact=False)).to_have_count(1)
    expect(page.get_by_role("link", name="Videos")).to_have_attribute("aria-current", "page")


def test_clips_rest_for_who_wants_less_motion(visitor: Visitor) -> None:
    visitor.page.emulate_media(reduced_motion="reduce")
    page = visitor.open("#/videos")
    expect(page.locator(".tile .clip")).to_have_count(4, timeout=30_000)
    assert page.eval_on_selector_all(".clip", "clips => clips.every(clip => clip.paused)")
    page.get_by_role("link", name="VID_20240501_120000.mp4").focus()
    until_true(page, "document.activeElement.querySelector('.clip')?.paused === false")


def test_the_keyboard_opens_plays_and_walks_the_videos(visitor: Visitor) -> None:
    page = visitor.open("#/videos")
    page.get_by_role("link", name="VID_20240501_120000.mp4").focus()
    page.keyboard.press("Enter")
    film = page.locator("video.film")
    expect(film).to_be_visible()
    page.keyboard.press(" ")
    until_true(page, PLAYS)
    page.keyboard.press(" ")
    assert film.evaluate("video => video.paused")
    assert "/video/stream?" in str(film.get_attribute("src"))
    expect(page.get_by_role("button", name="Draw a face (d)")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".viewer-under")).to_contain_text("VID_20240502_120000.mp4")
    page.keyboard.press("Escape")
    expect(page.locator(".tile")).to_have_count(5)


@pytest.mark.parametrize("name", ["VID_20240503_120000.mov", "VID_20240504_120000.avi", "VID_20240502_120000.mp4"])
def test_what_the_browser_does_not_play_by_itself_plays_too(visitor: Visitor, name: str) -> None:
    page = visitor.open(f"#/photo?file={name}&of=1")
    film = page.locator("video.film")
    expect(film).to_be_visible()
    until_true(page, "document.querySelector('video.film')?.readyState > 0")
    page.keyboard.press(" ")
    until_true(page, PLAYS)


def test_a_photo_with_a_video_in_it_says_so_and_plays_it_once(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.locator(".tile .stacked")).to_have_text("Live")
    page.get_by_role("link", name="with Live").click()
    expect(page.locator(".viewer .large.shown")).to_be_visible()
    page.keyboard.press("m")
    until_true(page, "document.querySelector('video.motion')?.currentTime > 0.2")
    expect(page.locator("video.motion")).to_have_count(0, timeout=10_000)
    page.get_by_role("button", name="Play the moving photo (m)").click()
    until_true(page, "document.querySelector('video.motion')?.currentTime > 0.2")
    page.keyboard.press("m")
    expect(page.locator("video.motion")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Play the moving photo (m)")).to_be_hidden()


def test_the_wall_fits_a_phone(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    page = visitor.open("#/videos")
    expect(page.locator(".tile")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ways = page.get_by_role("navigation", name="Views").get_by_role("link")
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 for way in ways.all() if (box := way.bounding_box()))
