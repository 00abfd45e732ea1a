"""A browser plays videos as HLS from a real server, jumps to and fro in them, and gets the second that it asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from requirements.player import PLAYER
from tests.footage import AAC, H264, HEVC, footage, turned
from tests.scenarios.serving import PASSWORD, Served, serving
from tests.waiting import until

pytestmark = [pytest.mark.chromium, pytest.mark.ffmpeg, pytest.mark.hlsjs]

SECONDS = 24
LIGHT = "geq=lum='16+9*floor(T)':cb=128:cr=128"
"""A picture that is as light as the second it belongs to, so that a screenshot tells where the player is."""
UNEVEN = "select='not(mod(n,3))+lt(mod(n,50),20)'"
"""Frames of a video whose rate varies: some seconds have 10 frames, others about 3."""
PAGE = """<!doctype html><meta charset="utf-8"><video muted></video><script src="/hls.js"></script><script>
const video = document.querySelector("video");
const trouble = [];
async function load(path) {
  const answer = await fetch("/video/generate", {
    method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify({path})});
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, told) => {
    if (told.details !== "aborted") trouble.push(`${told.type} ${told.details} ${told.fatal}`);  // by jumping
  });
  hls.loadSource((await answer.json()).playlist);
  hls.attachMedia(video);
  await new Promise((loaded) => video.addEventListener("loadeddata", loaded, {once: true}));
}
async function shown(second) {
  const frame = new Promise((presented) => video.requestVideoFrameCallback((_, told) => presented(told.mediaTime)));
  video.currentTime = second;
  const time = await frame;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 8, 8);
  return {time, light: pen.getImageData(4, 4, 1, 1).data[0]};
}
</script>"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos that are as light as the second they are at."""
    folder = tmp_path_factory.mktemp("films")
    for name, words in {
        "h264.mp4": (*H264, "-g", "20", *AAC),
        "hevc.mp4": (*HEVC, "-tag:v", "hvc1", *AAC),
        "uneven.mkv": ("-vf", f"{LIGHT},{UNEVEN}", "-vsync", "vfr", *HEVC, "-c:a", "libopus"),
        "uneven-h264.mp4": ("-vf", f"{LIGHT},{UNEVEN}", "-vsync", "vfr", *H264, "-g", "15", *AAC),
    }.items():
        light = () if "-vf" in words else ("-vf", LIGHT)
        footage(folder / name, SECONDS, *light, *words, source="color", size="160x90")
    turned(footage(folder / "turned.mp4", SECONDS, "-vf", LIGHT, *H264, *AAC, source="color", size="160x90"))
    return folder


@pytest.fixture(scope="module")
def server(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of these videos, all of them indexed."""
    data = tmp_path_factory.mktemp("data")
    with serving(data, films, FACE_ENGINE="off") as served:
        count = len(list(films.iterdir()))
        until(
            lambda: served.client.get("/photos", params={"kind": "video"}).json()["total"] == count,
            "the videos were not indexed",
            interval=0.1,
        )
        yield served


@pytest.fixture
def player(page: Page, server: Served) -> Page:
    """A page of the server's own origin with hls.js, signed in."""
    base = str(server.client.base_url).rstrip("/")
    page.route(f"{base}/player.html", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.route(f"{base}/hls.js", lambda route: route.fulfill(path=PLAYER, content_type="text/javascript"))
    page.request.post(f"{base}/login", data={"username": "ann", "password": PASSWORD})
    page.goto(f"{base}/player.html")
    return page


def second_of(seen: Any) -> float:
    """The second that a picture's light tells of: `LIGHT` in the studio range, of which a screen makes the full one."""
    return float(seen["light"]) * 219 / 255 / 9


@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4", "uneven.mkv", "uneven-h264.mp4", "turned.mp4"])
def test_a_video_plays_and_every_second_is_where_it_belongs(player: Page, name: str) -> None:
    player.evaluate("path => load(path)", name)
    assert player.evaluate("video.duration") == pytest.approx(SECONDS, abs=0.5)
    for second in (0.5, 20.5, 6.5, 7.6, 14.4, 2.5, 22.5):
        seen = player.evaluate("second => shown(second)", second)
        assert second_of(seen) == pytest.approx(int(second), abs=0.45), (name, second, seen)
    assert player.evaluate("trouble") == []
    turned_size = (90, 160) if name == "turned.mp4" else (160, 90)
    assert tuple(player.evaluate("[video.videoWidth, video.videoHeight]")) == turned_size


def test_a_video_plays_on_across_its_parts(player: Page) -> None:
    player.evaluate("path => load(path)", "hevc.mp4")
    player.evaluate("video.playbackRate = 8; video.play()")
    player.wait_for_function("video.ended", timeout=60_000)
    assert player.evaluate("trouble.filter(each => each.endsWith('true'))") == []
