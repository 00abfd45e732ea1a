"""A folder as people have them, several hundred files of every kind and state, through the real command."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pillow_heif
from PIL import Image

from domain.base.paths import bytes_of, text_of
from tests.scenarios.serving import Served, listed, serving
from tests.waiting import until

GOOD = 240
NAMES = [
    "plain {n}.jpg",
    "with  spaces {n} .png",
    "emoji 🏖️ {n}.webp",
    "שלום {n}.gif",
    "line\nbreak {n}.tiff",
    "çédille {n}.heic",
    "quote ' \" {n}.jpg",
    "per%2Fcent {n}.png",
    "hash # question ? {n}.webp",
    "back\\x41slash {n}.jpg",
    "-dash {n}.jpg",
    "<img src=x onerror=alert(1)>{n}.jpg",
]
PATIENCE_SECONDS = 150


def test_all_good_files_are_served_and_each_bad_one_is_named_once_with_its_reason(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    good = make_good_files(photos)
    bad = make_bad_files(photos)
    with serving(tmp_path / "data", photos, FACE_ENGINE="off") as served:
        assert set(wait_for(served, len(good))) == good
        for path in sorted(good):
            for size in ("thumb", "preview", "full"):
                shown = served.client.get("/image", params={"path": path, "size": size})
                assert shown.status_code == 200, (path, size, shown.text)
                if size == "full":
                    assert shown.content == Path(os.fsdecode(os.fsencode(photos) + b"/" + bytes_of(path))).read_bytes()
        named = {
            problem["path"]: problem["problem"]
            for problem in served.client.get("/libraries/1/problems").raise_for_status().json()["items"]
        }
        assert set(named) == set(bad)
        for path, reason in bad.items():
            assert reason in named[path], (path, named[path])
            assert sum(f"/{path}: " in line for line in served.lines) == 1, path
        served.client.post("/libraries/1/scan").raise_for_status()
        time.sleep(2)
        assert sum("empty.jpg: " in line for line in served.lines) == 1, "a second scan does not say it again"


def make_good_files(photos: Path) -> set[str]:
    """Pictures in every format with every kind of name, some deep down; the path texts."""
    paths: set[str] = set()
    for number in range(GOOD):
        name = NAMES[number % len(NAMES)].format(n=number)
        folder = "/".join(["deep"] * (number % 7) + [f"folder {number % 5}"])
        (photos / folder).mkdir(parents=True, exist_ok=True)
        target = photos / folder / name
        target.write_bytes(picture(number, target.suffix))
        paths.add(f"{folder}/{text_of(os.fsencode(name))}")
    raw = b"not utf-8 \xff.jpg"
    with open(os.fsencode(photos) + b"/" + raw, "wb") as file:
        file.write(picture(1000, ".jpg"))
    longest = "n" * 246 + ".jpg"
    (photos / longest).write_bytes(picture(1001, ".jpg"))
    (photos / "png called.jpg").write_bytes(picture(1002, ".png"))
    deepest = photos.joinpath(*["d"] * 70)
    deepest.mkdir(parents=True)
    (deepest / "bottom.jpg").write_bytes(picture(1003, ".jpg"))
    return paths | {text_of(raw), longest, "png called.jpg", "/".join(["d"] * 70) + "/bottom.jpg"}


def make_bad_files(photos: Path) -> dict[str, str]:
    """Files that are no pictures; for each path a word of the reason."""
    whole = picture(2000, ".jpg")
    (photos / "empty.jpg").touch()
    (photos / "text.jpg").write_text("a letter to grandma")
    (photos / "head only.jpg").write_bytes(whole[:60])
    (photos / "zeros.png").write_bytes(bytes(5000))
    (photos / "broken.heic").write_bytes(picture(2001, ".heic")[:200])
    (photos / "notes.txt").write_text("not media, and not named")
    os.mkfifo(photos / "pipe.jpg")
    (photos / "outside.jpg").symlink_to("/etc/hostname")
    return {"empty.jpg": "empty", "text.jpg": "not a picture", "head only.jpg": "", "zeros.png": "", "broken.heic": ""}


def picture(number: int, suffix: str) -> bytes:
    """A small picture that no other number has."""
    image = Image.new("RGB", (80 + number % 40, 60), (number % 256, number // 256 * 40 % 256, 128))
    file = io.BytesIO()
    if suffix == ".heic":
        pillow_heif.from_pillow(image).save(file, quality=50)
    else:
        image.save(file, {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF", ".tiff": "TIFF"}[suffix])
    return file.getvalue()


def wait_for(served: Served, count: int) -> list[str]:
    """The paths of all photos, once there are as many."""
    paths: list[str] = []

    def enough() -> bool:
        paths[:] = [photo["path"] for photo in listed(served) if not photo["problem"]]
        return len(paths) >= count

    until(enough, lambda: f"{len(paths)} of {count}: {paths}", seconds=PATIENCE_SECONDS, interval=0.2)
    return paths
