"""Broken photos and videos of every format, through the real server, and what became of each."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.adapters.media.material import EXTENSIONS, VARIANTS, encoded, jxl, mutated, scene, with_exif
from tests.adapters.media.raws import BUILDERS
from tests.footage import AAC, H264, HEVC, footage
from tests.scenarios.serving import Served, listed, serving
from tests.waiting import until

PATIENCE_SECONDS = 1500
WARMING_UP = 40


class Outcome(NamedTuple):
    """What a run came to: files by what became of them, seconds from the first file to the last mark, memory of the
    server's process in KB after the first files and after all, whether it still answers, and what it wrote."""

    files: Mapping[str, int]
    seconds: float
    memory_before: int
    memory_after: int
    alive: bool
    lines: list[str]


def whole_files() -> list[tuple[str, bytes]]:
    """A valid file of every format and way to write it, with its extension."""
    files = []
    for format_name, options in VARIANTS:
        written = options if format_name in ("GIF", "BMP", "JPEG2000") else {**options, "exif": with_exif()}
        files.append((EXTENSIONS[format_name], encoded(scene(70, 50), format_name, **written)))
    files += [("jpg", moving_photo("MicroVideoOffset")), ("heic", encoded(scene(70, 50), "HEIF") + box(b"mpvd", FILM))]
    if shutil.which("ffmpeg"):
        files.append(("jxl", jxl(scene(70, 50))))
        files += films()
    large, small = encoded(scene(1100, 733), "JPEG"), encoded(scene(300, 200), "JPEG")
    for name, build in BUILDERS.items():
        files += [(name, build(large, 6)), (name, build(small, 1))]
    return files


def box(kind: bytes, content: bytes) -> bytes:
    """A box of an ISO base media file."""
    return struct.pack(">I", len(content) + 8) + kind + content


FILM = box(b"ftyp", b"isom\0\0\2\0") + box(b"moov", bytes(40)) + box(b"mdat", bytes(200))


def moving_photo(name: str) -> bytes:
    """A JPEG with what looks like a video behind it, and XMP in which a property tells how long that is."""
    told = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a GCamera:{name}='{len(FILM)}'/></x:xmpmeta>"
    return encoded(scene(70, 50), "JPEG", xmp=told.encode()) + FILM


def films() -> list[tuple[str, bytes]]:
    """A short video of each container."""
    with tempfile.TemporaryDirectory() as scratch:
        made = [footage(Path(scratch) / f"a.{ending}", 1, *words) for ending, words in FILMS.items()]
        return [(path.suffix[1:], path.read_bytes()) for path in made]


FILMS = {
    "mp4": (*H264, *AAC),
    "mov": (*HEVC, "-tag:v", "hvc1", *AAC),
    "mkv": (*HEVC, "-c:a", "libopus"),
    "avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "mpg": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2"),
    "m2ts": (*H264, *AAC),
    "flv": ("-c:v", "flv1", "-c:a", "libmp3lame"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "webm": ("-c:v", "libvpx", "-b:v", "200k", "-c:a", "libopus"),
}


def run(folder: Path, count: int) -> Outcome:
    """Serve a folder while `count` broken files are put into it, and ask for each of them."""
    photos, mirror, files = folder / "photos", folder / "data" / "thumbnails" / "1", whole_files()
    photos.mkdir()
    with serving(folder / "data", photos, FACE_ENGINE="off", WATCH_QUICK_INTERVAL_SECONDS="2") as served:
        put(photos, files, 0, WARMING_UP)
        before = [became(served, mirror, item) for item in settled(served, mirror, WARMING_UP)]
        memory, began = memory_kb(served.pid), time.monotonic()
        put(photos, files, WARMING_UP, count)
        items = settled(served, mirror, count)
        seconds = time.monotonic() - began
        found = Counter(became(served, mirror, item) for item in items)
        assert len(before) == WARMING_UP
        alive = served.client.get("/health").status_code == 200
        return Outcome(found, seconds, memory, memory_kb(served.pid), alive, served.lines)


def put(photos: Path, files: list[tuple[str, bytes]], first: int, end: int) -> None:
    """Write broken files from one number to another; each number's is always the same."""
    for number in range(first, end):
        extension, content = files[number % len(files)]
        (photos / f"{number}.{extension}").write_bytes(mutated(content, random.Random(number)))


def settled(served: Served, mirror: Path, count: int) -> list[dict[str, Any]]:
    """Every file that the server tells of, once there are as many and each has its thumbnail or its mark."""
    items: dict[int, dict[str, Any]] = {}

    def all_through() -> bool:
        items.clear()
        items.update({item["id"]: item for item in listed(served, stacked="false")})
        paths = [item["path"] for item in items.values()]
        return len(items) == count and all(has_mark(mirror, path) or (mirror / path).exists() for path in paths)

    until(
        all_through,
        lambda: f"{len(items)} of {count} files: {served.lines[-5:]}",
        seconds=PATIENCE_SECONDS,
        interval=0.3,
    )
    return [*items.values()]


def became(served: Served, mirror: Path, item: Mapping[str, Any]) -> str:
    """What became of one file: its picture is shown, or it is marked and its reason told; `lost` where neither."""
    about = {"path": item["path"]}
    told = served.client.get("/image/metadata", params=about).status_code
    original = served.client.get("/image", params=about).status_code
    shown = served.client.get("/image", params={**about, "size": "thumb"})
    if (told, original) != (200, 200):
        return "lost"
    if item["motion"] or item["kind"] == "video":
        stream = served.client.get("/video/stream", params=about)
        played = served.client.post("/video/generate", json=about)
        if stream.status_code != 200 or played.status_code not in {200, 404}:
            return "lost"
    if shown.status_code == 200:
        return "shown" if shown.content.startswith(b"\xff\xd8\xff") else "lost"
    return "marked" if has_mark(mirror, item["path"]) and item["problem"] and shown.status_code == 404 else "lost"


def has_mark(mirror: Path, path: str) -> bool:
    """Whether it is marked that a file has no picture."""
    return (mirror / f"{path}.unsupported").exists()


def memory_kb(pid: int) -> int:
    """The memory of a process in KB."""
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True).stdout)
