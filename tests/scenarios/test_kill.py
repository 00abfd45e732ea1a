"""The server may be killed at any moment: nothing that it recorded is lost, and nothing is recorded twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.store.database import Database
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from projections.queries.faces import FaceStats
from tests.scenarios.serving import COMMAND, ROOT
from tests.waiting import until

PHOTOS = 36
PATIENCE_SECONDS = 120


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.long)])
def test_killed_at_random_moments_of_scan_and_detection_it_loses_nothing_and_repeats_nothing(
    kills: int, tmp_path: Path, sample_photos: Path
) -> None:
    photos, data = tmp_path / "photos", tmp_path / "data"
    expected = make_photos(photos, sample_photos)
    moments = random.Random(kills)
    for _ in range(kills):
        server = start(photos, data)
        time.sleep(moments.uniform(0.3, 3.0))
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    server = start(photos, data)
    try:
        wait_until_done(data, expected)
    finally:
        end(server)
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))
    try:
        assert verify(ledger) == []
        with ledger.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        faces = faces_by_path(ledger)
        assert {path: count for path, count in faces.items() if count} == expected
        with ledger.reading(CLI) as tables:
            assert tables.media.counts()[1] == (PHOTOS, 0, 0)
            told = [operation.text for operation in tables.operations.latest(1000) if operation.is_long]
        assert "looked for faces" not in told[1:], "only the last one may still be about to end"
        assert not [text for text in told[1:] if text.startswith("began") and not text.endswith("was interrupted")]
        positions = [recorded.position for recorded in ledger.events(0, 100_000)]
        assert positions == list(range(1, len(positions) + 1))
    finally:
        ledger.close()


def make_photos(photos: Path, samples: Path) -> dict[str, int]:
    """Photos with one face, and as many without; each has bytes of its own. How many faces each has that has any."""
    photos.mkdir()
    expected = {}
    for number in range(PHOTOS):
        source = samples / ("obama_partial_face2.jpg" if number % 2 else "rocket.jpg")
        target = photos / f"{number:03} {source.name}"
        shutil.copyfile(source, target)
        with target.open("ab") as file:
            file.write(number.to_bytes(4, "big"))
        os.utime(target, (1_700_000_000, 1_700_000_000 + number))
        if number % 2:
            expected[target.name] = 1
    return expected


def start(photos: Path, data: Path) -> subprocess.Popen[bytes]:
    """A server in a process group of its own, so that a kill takes its workers as a power cut would."""
    environment = {**os.environ, "IMAGEAPI_DATA": str(data), "BIND_URL": "127.0.0.1:0", "LOG_LEVEL": "error"}
    return subprocess.Popen([*COMMAND, "serve", str(photos)], env=environment, cwd=ROOT, start_new_session=True)


def end(server: subprocess.Popen[bytes]) -> None:
    """Interrupt a server until it ends: one that has just begun to load its modules may not hear the first time."""

    def ended() -> bool:
        server.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(5)
        return server.poll() is not None

    until(ended, "the server does not end", seconds=PATIENCE_SECONDS)


def wait_until_done(data: Path, expected: dict[str, int]) -> None:
    """Wait until every photo is indexed and looked at."""
    ledger = Ledger(Database(f"sqlite:///{data}/imageapi.db"))

    def stats() -> FaceStats:
        with ledger.reading(CLI) as tables:
            return tables.faces.stats(None)

    try:
        until(
            lambda: stats().scanned == PHOTOS,
            lambda: f"{stats()}, {len(expected)} expected",
            seconds=PATIENCE_SECONDS,
            interval=0.2,
        )
    finally:
        ledger.close()


def faces_by_path(ledger: Ledger) -> Counter[str]:
    """How many faces the tables hold for each file."""
    counted: Counter[str] = Counter()
    with ledger.reading(CLI) as tables:
        media = tables.tables.media.table
        for path, content in tables.connection.execute(select(media.c.path, media.c.content_hash)):
            counted[path] += len(tables.faces.on_content(bytes(content)))
    return counted
