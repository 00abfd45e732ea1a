"""Answer times of `/persons` and `/photos` while a scan and detection run at full load.

    python -m bench.server [PHOTOS]        (default: 600)

A real server indexes a folder of real photos (the samples, each made different) and recognises the faces on them, on
all cores, while one client asks again and again, one request at a time.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / ".cache" / "samples"
START_SECONDS = 60
LONGEST_SECONDS = 240
PASSWORD = "correct horse battery"  # noqa: S105 - of a server that lives for a minute on this machine alone


def make_photos(root: Path, count: int) -> None:
    """`count` photos of the samples' pictures; each has other bytes, so that none is a copy."""
    pictures = sorted(path for path in SAMPLES.iterdir() if path.suffix == ".jpg")
    root.mkdir()
    for number in range(count):
        source = pictures[number % len(pictures)]
        target = root / f"{number:04} {source.name}"
        shutil.copyfile(source, target)
        with target.open("ab") as file:
            file.write(number.to_bytes(4, "big"))


@contextmanager
def server(data: Path, photos: Path, **settings: str) -> Iterator[str]:
    """A server of `photos` in a process of its own; its base URL."""
    environment = {**os.environ, "IMAGEAPI_DATA": str(data), "BIND_URL": "127.0.0.1:0", "LOG_LEVEL": "warn", **settings}
    command = [sys.executable, "-c", "import sys; from app import main; sys.exit(main())"]
    add = [*command, "user", "add", "bench", "--role", "admin"]
    subprocess.run(add, env=environment, cwd=ROOT, input=PASSWORD, text=True, check=True, capture_output=True)
    process = subprocess.Popen(
        [*command, "serve", str(photos)], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(r"serving at (http://\S+)", line)
            if found:
                yield found[1]
                break
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def name_faces(client: httpx.Client) -> int:
    """Give each face that was found so far a person of its own, so that `/persons` has something to count."""
    faces = client.get("/faces", params={"unassigned": True, "limit": 100}).raise_for_status().json()["items"]
    for face in faces:
        body = {"ids": [face["id"]], "action": "assign", "name": f"Person {face['id']}"}
        client.post("/image/faces/batch", json=body).raise_for_status()
    return len(faces)


def measure(count: int) -> dict[str, float]:
    """Median and 99th percentile, in ms, of each route under load; how many were asked, and the photos done a
    second."""
    times: dict[str, list[float]] = {"/persons": [], "/photos": []}
    with tempfile.TemporaryDirectory() as scratch:
        photos, data = Path(scratch, "photos"), Path(scratch, "data")
        make_photos(photos, count)
        with server(data, photos) as base, httpx.Client(base_url=base, trust_env=False) as client:
            answer = client.post("/login", json={"username": "bench", "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
            persons, began = 0, time.perf_counter()
            while True:
                stats = client.get("/faces/stats").raise_for_status().json()
                if stats["photos"] == count and not stats["pending"]:
                    break
                if time.perf_counter() - began > LONGEST_SECONDS:
                    break
                if stats["faces"] and not persons:
                    persons = name_faces(client)
                for _ in range(20):
                    for route, taken in times.items():
                        asked = time.perf_counter()
                        client.get(route).raise_for_status()
                        taken.append((time.perf_counter() - asked) * 1000)
            seconds = time.perf_counter() - began
    figures = {
        "persons": float(persons),
        "requests": float(len(times["/persons"]) * 2),
        "photos done, 1/s": stats["scanned"] / seconds,
    }
    for route, taken in times.items():
        figures[f"{route} median, ms"] = statistics.median(taken)
        figures[f"{route} p99, ms"] = statistics.quantiles(taken, n=100)[98]
    return figures


def main(count: int = 600) -> None:
    """Print the figures."""
    print(f"{count} photos: " + ", ".join(f"{name} {value:.1f}" for name, value in measure(count).items()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
