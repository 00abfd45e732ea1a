"""The first start, the settings it takes, and the end: what a folder or database that is not there does to a server."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from adapters.background.scan import Scanner
from adapters.cli.libraries import make_libraries
from adapters.settings import Settings
from app import Application
from domain.commands.media import ReadFile
from tests.scenarios.conftest import Place, jpeg
from tests.scenarios.serving import Served, imageapi, serving
from tests.waiting import until

STOP_SECONDS = 8.0
OFF = {"FACE_ENGINE": "off"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one photo."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(jpeg("red"))
    return folder


# Where the photos are


def test_a_base_path_that_is_missing_is_refused_where_no_library_is_there_yet(data: Path, tmp_path: Path) -> None:
    said = imageapi(data, "serve", BASE_PATH=str(tmp_path / "nowhere"), **OFF)
    assert said.returncode == 1
    told = f"imageapi: BASE_PATH says {tmp_path}/nowhere, and there is no such folder: name one that is there\n"
    assert said.stderr == told
    assert not (data / "imageapi.db").exists()


def test_a_base_path_that_is_a_librarys_and_away_only_degrades_health(data: Path, photos: Path) -> None:
    imageapi(data, "scan", str(photos)).check_returncode()
    photos.rename(photos.with_name("away"))
    with serving(data, BASE_PATH=str(photos), **OFF) as served:

        def health() -> httpx.Response:
            return served.client.get("/health")

        until(lambda: health().json()["status"] == "degraded")
        assert health().status_code == 200
        assert str(photos) in health().json()["parts"]["libraries"]["detail"]
        (library,) = served.client.get("/libraries").json()["items"]
        assert (library["state"], library["photos"]) == ("offline", 1)


def made(data: Path, *roots: Path, is_base: bool = False) -> list[str]:
    """What is said where these folders are made libraries."""
    application = Application(Settings.load({"IMAGEAPI_DATA": str(data), **OFF}, data.parent))
    try:
        return make_libraries(application, roots, is_base=is_base).said
    finally:
        application.close()


def test_another_base_path_says_that_the_old_library_is_still_served_and_how_to_end_that(
    data: Path, photos: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    assert made(data, photos, is_base=True) == []
    (said,) = made(data, new, is_base=True)
    assert f"the library photos ({photos}) is still served: `imageapi library remove 1` ends that" in said
    assert made(data, new, is_base=True) == []
    assert made(data, new, tmp_path / "third", photos) == []


def test_a_folder_that_two_servers_name_at_once_is_one_library_and_both_start(
    data: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*_: object) -> None:
        monkeypatch.undo()
        assert made(data, photos) == []

    monkeypatch.setattr("adapters.cli.libraries.former_library", meanwhile)
    assert made(data, photos) == []
    assert imageapi(data, "library", "list").stdout.count("library ") == 1


def test_a_database_of_another_program_is_refused_with_what_to_do(data: Path, photos: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as theirs:
        theirs.execute("CREATE TABLE users (id)")
    said = imageapi(data, "serve", str(photos), DATABASE_URL=str(tmp_path / "theirs.db"), **OFF)
    assert said.returncode == 1
    assert "holds tables of another program (users): let DATABASE_URL name an empty database" in said.stderr
    assert said.stderr.count("\n") == 1


# The end


def stopped(served: Served) -> float:
    """The seconds that a server takes to end, counted from SIGTERM; it is gone then."""
    began = time.monotonic()
    os.kill(served.pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{served.pid}/cmdline").read_bytes(), seconds=60)
    return time.monotonic() - began


def ended_well(served: Served) -> None:
    """Hold that a server ends in time after SIGTERM, and says nothing of errors."""
    assert stopped(served) < STOP_SECONDS
    time.sleep(0.1)
    said = "".join(served.lines)
    assert "Traceback" not in said
    assert "ERROR" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc")
def test_a_server_ends_in_time_in_the_middle_of_a_scan_and_of_streams(data: Path, tmp_path: Path) -> None:
    photos = tmp_path / "many"
    photos.mkdir()
    large = jpeg("teal", (6000, 4000))
    for number in range(60):
        (photos / f"{number}.jpg").write_bytes(large + bytes([number]))
    with serving(data, photos, **OFF) as served:
        base, headers = str(served.client.base_url), dict(served.client.headers)
        begun: list[str] = []
        ends: list[str] = []

        def follow(path: str) -> None:
            with httpx.stream("GET", f"{base}{path}", headers=headers, timeout=60, trust_env=False) as answer:
                parts = answer.iter_text()
                begun.append(next(parts))
                ends.append("".join(parts))

        threads = [threading.Thread(target=follow, args=(path,)) for path in ("/events/stream", "/jobs/stream")]
        for thread in threads:
            thread.start()

        def reads() -> bool:
            jobs = served.client.get("/jobs").json()["items"]
            return any(job["kind"] == "scan" and job["state"] != "done" and job["total"] == 60 for job in jobs)

        until(lambda: len(begun) == 2 and reads())
        ended_well(served)
        for thread in threads:
            thread.join(10)
        assert len(ends) == 2, "a stream that the server ends is whole, and no broken connection"


CLUSTERS_LONG = """
import sys, time
import numpy as np
from adapters.vectors.face_clusters import Clusters
import app

def of(*_):
    print("clustering", file=sys.stderr, flush=True)
    square, until = np.ones((500, 500)), time.monotonic() + 60
    while time.monotonic() < until:
        square @ square

Clusters.of = of
sys.exit(app.main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc")
def test_a_server_ends_in_time_in_the_middle_of_clustering(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with serving(data, tmp_path / "empty", command=[sys.executable, "-c", CLUSTERS_LONG]) as served:
        answers: list[int] = []
        asks = threading.Thread(target=lambda: answers.append(served.client.get("/faces/clusters").status_code))
        asks.start()
        until(lambda: "clustering\n" in served.lines)
        ended_well(served)
        asks.join(10)
        assert answers == [503]


def test_a_scan_that_is_to_stop_lets_go_of_files_that_are_still_being_read(place: Place) -> None:
    place.picture("slow.jpg")
    place.picture("waiting.jpg", "red")
    reads: list[Future[ReadFile]] = []

    def read(*_: object) -> Future[ReadFile]:
        reads.append(Future())
        return reads[-1]

    scanner = Scanner(place.ledger, read, [place.data], settle_seconds=0)
    report = scanner.scan(place.library, stopping=lambda: len(reads) == 2)
    assert (report.read, report.discovered, place.files()) == (0, 0, {})
    assert [each.cancelled() for each in reads] == [True, True]
    assert place.scan().discovered == 2


def test_a_scan_that_stops_while_it_looks_takes_nothing_for_gone(place: Place) -> None:
    for folder in ("a", "b", "c"):
        place.picture(f"{folder}/one.jpg", "red" if folder == "a" else "blue")
    place.scan()
    place.scanner.scan(place.library, stopping=lambda: True)
    assert all(media.present for media in place.files().values())
