"""How soon a running server shows what changed on the disk, and what it costs to wait for that.

    python -m bench.watching [FILES [SAMPLES]]     (default: 10000 100)

For native watching and for polling: the processor time of an idle server that watches a library of FILES photos in
folders of 500; from the end of writing one photo until `GET /image/metadata` knows it, the median and 99th percentile
of SAMPLES; then FILES files added, moved as one folder, renamed, rewritten and deleted, each until the tables hold
exactly what is on the disk.
"""

from __future__ import annotations

import functools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
from sqlalchemy import select

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from bench.ingest import make_files
from domain.base.actor import CLI

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery"  # noqa: S105 - of a server that lives for a minute on this machine alone
IDLE_SECONDS = 60.0
LONGEST_SECONDS = 1800.0
TICKS = os.sysconf("SC_CLK_TCK")

Facts = dict[str, tuple[int, int]]


@contextmanager
def server(data: Path, photos: Path, mode: str) -> Iterator[tuple[httpx.Client, int]]:
    """A server that watches `photos` in one way: a client that is signed in, and the id of its process."""
    environment = {
        **os.environ,
        "IMAGEAPI_DATA": str(data),
        "BIND_URL": "127.0.0.1:0",
        "LOG_LEVEL": "warn",
        "FACE_ENGINE": "off",
        "WATCH_MODE": mode,
    }
    command = [sys.executable, "-c", "import sys; from app import main; sys.exit(main())"]
    add = [*command, "user", "add", "bench", "--role", "admin"]
    subprocess.run(add, env=environment, cwd=ROOT, input=PASSWORD, text=True, check=True, capture_output=True)
    process = subprocess.Popen(
        [*command, "serve", str(photos)], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        base = next(found[1] for line in process.stderr if (found := re.search(r"serving at (http://\S+)", line)))
        with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
            answer = client.post("/login", json={"username": "bench", "password": PASSWORD}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield client, process.pid
    finally:
        process.terminate()
        process.wait(60)


def processor_seconds(pid: int) -> float:
    """Processor seconds that a process and those that it started have used."""
    used = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def on_disk(root: Path) -> Facts:
    """Size and time of each file, by path."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            facts = os.stat(path)
            found[os.path.relpath(path, root)] = (facts.st_size, facts.st_mtime_ns)
    return found


def in_tables(ledger: Ledger) -> Facts:
    """The same of what the tables hold as present."""
    with ledger.reading(CLI) as tables:
        t = tables.tables.media.table
        rows = tables.connection.execute(select(t.c.path, t.c.size, t.c.mtime_ns).where(t.c.present))
        return {path: (size, mtime_ns) for path, size, mtime_ns in rows}


def until(holds: Callable[[], bool], pause: float) -> float:
    """Seconds until something holds."""
    began = time.perf_counter()
    while not holds():
        assert time.perf_counter() - began < LONGEST_SECONDS
        time.sleep(pause)
    return time.perf_counter() - began


def _is_answered(client: httpx.Client, asked: httpx.Request) -> bool:
    return client.send(asked).is_success


def latencies(client: httpx.Client, root: Path, samples: int) -> list[float]:
    """Seconds from the end of writing one photo until the server knows it, for each of some photos."""
    (root / "new").mkdir()
    content = next(root.glob("*/*.jpg")).read_bytes()
    taken = []
    for number in range(samples):
        path = f"new/{number}.jpg"
        (root / path).write_bytes(content + b"new" + number.to_bytes(4, "big"))
        asked = client.build_request("GET", "/image/metadata", params={"path": path})
        taken.append(until(functools.partial(_is_answered, client, asked), 0.01))
        time.sleep(number % 10 / 10)  # so that it meets a polling server at any moment
    return taken


def storm(ledger: Ledger, root: Path, count: int) -> dict[str, float]:
    """Seconds from the end of each kind of change of `count` files until the tables hold what is on the disk."""

    def settled() -> float:
        expected = on_disk(root)
        return until(lambda: in_tables(ledger) == expected, 0.2)

    took = {}
    make_files(root / "storm", count)
    took["added"] = settled()
    (root / "storm").rename(root / "moved")
    took["moved as one"] = settled()
    for path in sorted((root / "moved").rglob("*.jpg")):
        path.rename(path.with_name(f"renamed {path.name}"))
    took["renamed"] = settled()
    for path in sorted((root / "moved").rglob("*.jpg")):
        with path.open("r+b") as file:
            file.seek(-6, os.SEEK_END)
            file.write(b"##")
    took["rewritten"] = settled()
    for path in sorted((root / "moved").rglob("*.jpg")):
        path.unlink()
    took["deleted"] = settled()
    return took


def measure(mode: str, count: int, samples: int) -> None:
    """Print the figures of one way to watch."""
    with tempfile.TemporaryDirectory() as scratch:
        photos, data = Path(scratch, "photos"), Path(scratch, "data")
        make_files(photos, count)
        with (
            server(data, photos, mode) as (client, pid),
            closing(Ledger(Database(f"sqlite:///{data}/imageapi.db"))) as ledger,
        ):
            expected = on_disk(photos)
            until(lambda: in_tables(ledger) == expected, 0.5)
            time.sleep(5)
            before = processor_seconds(pid)
            time.sleep(IDLE_SECONDS)
            idle = (processor_seconds(pid) - before) / IDLE_SECONDS
            taken = sorted(latencies(client, photos, samples))
            p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
            print(f"{mode}: idle with {count} files {idle:.2%} of a core; one new file is known after", end=" ")
            print(f"{statistics.median(taken):.2f} s (median), {p99:.2f} s (p99) of {samples}", flush=True)
            for what, seconds in storm(ledger, photos, count).items():
                print(f"    {count} files {what}: {seconds:.1f} s", flush=True)


def main(words: list[str]) -> None:
    """Measure both ways."""
    count, samples, *_ = [*map(int, words), *[10_000, 100][len(words) :]]
    for mode in ("native", "poll"):
        measure(mode, count, samples)


if __name__ == "__main__":
    main(sys.argv[1:])
