"""How long a browser waits for a video's first picture, and for the next one after a jump, as HLS from a real server.

    python -m bench.video [SECONDS]        (default: 20)

Videos of 1080 lines are made with ffmpeg: one that is copied into parts, and ones that are encoded while they are
watched. Chromium plays them with hls.js where it was fetched, else by itself. Every time starts with `POST
/video/generate`, or with the jump, and ends when a picture is presented; nothing is in the server's cache then.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from bench.server import PASSWORD, server
from requirements.player import PLAYER
from requirements.tools import TOOLS

ROUNDS = 3
LONGEST_SECONDS = 240
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "10M", "-g", "60")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p")
UNEVEN = ("-vf", "select='not(mod(n,3))+lt(mod(n,150),60)'", "-vsync", "vfr")
FILMS = {
    "H.264, copied": ("copied.mp4", X264),
    "HEVC, encoded": ("hevc.mp4", (*X265, "-tag:v", "hvc1")),
    "H.264 of varying rate, copied": ("uneven.mp4", (*UNEVEN, *X264)),
    "HEVC of varying rate, encoded": ("uneven.mkv", (*UNEVEN, *X265)),
}
PAGE = """<!doctype html><meta charset="utf-8"><video muted></video><script src="/hls.js"></script><script>
const video = document.querySelector("video");
const presented = () => new Promise((done) => video.requestVideoFrameCallback(() => done(performance.now())));
async function first(path) {
  const begun = performance.now();
  const frame = presented();
  const answer = await fetch("/video/generate", {
    method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify({path})});
  const {playlist} = await answer.json();
  if (window.Hls) {
    const hls = new Hls();
    hls.loadSource(playlist);
    hls.attachMedia(video);
  } else video.src = playlist;
  video.play();
  return (await frame) - begun;
}
async function jump(second) {
  const begun = performance.now();
  video.currentTime = second;
  return (await presented()) - begun;
}
</script>"""


def make_films(folder: Path, seconds: int) -> None:
    """The videos of `FILMS`, each with sound."""
    folder.mkdir()
    for name, words in FILMS.values():
        inputs = ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30", "-f", "lavfi", "-i", "sine=440"]
        command = ["ffmpeg", "-nostdin", "-v", "error", *inputs, "-t", str(seconds), *words, "-c:a", "aac"]
        subprocess.run([*command, str(folder / name)], check=True)


def wait_for_all(base: str) -> None:
    """Wait until every video is indexed."""
    with httpx.Client(base_url=base, timeout=30) as client:
        answer = client.post("/login", json={"username": "bench", "password": PASSWORD})
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        end = time.monotonic() + LONGEST_SECONDS
        while client.get("/photos", params={"kind": "video"}).json()["total"] < len(FILMS):
            assert time.monotonic() < end, "the videos were not indexed in time"
            time.sleep(0.2)


def opened(page: Page, base: str) -> None:
    """A fresh page of the server's own origin with a player on it."""
    script = PLAYER.read_text() if PLAYER.exists() else ""
    page.route(f"{base}/player.html", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.route(f"{base}/hls.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.request.post(f"{base}/login", data={"username": "bench", "password": PASSWORD})
    page.goto(f"{base}/player.html")


def main(seconds: int = 20) -> None:
    """Make the videos, serve them, and print what a viewer waits for."""
    program = next(path for name in TOOLS["chromium"][0] if (path := shutil.which(name)))
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        films, data = Path(scratch) / "films", Path(scratch) / "data"
        make_films(films, seconds)
        os.environ["FACE_ENGINE"] = "off"
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu", *sandbox])
        with server(data, films) as base:
            wait_for_all(base)
            how = "hls.js" if PLAYER.exists() else "Chromium's own HLS"
            print(f"\nvideos of 1080 lines and {seconds} s, by {how}: seconds until a picture, median (longest)")
            for title, (name, _) in FILMS.items():
                firsts, jumps = [], []
                for _ in range(ROUNDS):
                    time.sleep(1)  # whatever the last viewer left is ended by then
                    shutil.rmtree(data / "video", ignore_errors=True)
                    page = browser.new_page()
                    opened(page, base)
                    firsts.append(page.evaluate("path => first(path)", name) / 1000)
                    jumps += [page.evaluate("to => jump(to)", seconds * part) / 1000 for part in (0.8, 0.4)]
                    page.close()
                told = [f"{statistics.median(times):.2f} ({max(times):.2f})" for times in (firsts, jumps)]
                print(f"  {title:32} first {told[0]}   after a jump {told[1]}", flush=True)
        browser.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
