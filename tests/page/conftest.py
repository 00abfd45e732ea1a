"""The page against the real server: `imageapi serve` on real photos with the real face engine, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.served import HOSTILE, NAME, PASSWORD, PHOTOS, Server, Visitor, be_the_first, serving

expect.set_options(timeout=6_000)


@pytest.fixture(scope="session")
def server(sample_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose photos are indexed and whose faces are found, one for the whole run."""
    folder, data = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("data")
    (folder / "portraits").mkdir()
    for name in PHOTOS:
        shutil.copy(
            sample_photos / name, folder / "portraits" / name if name.startswith(("obama", "biden")) else folder
        )
    shutil.copy(sample_photos / "hubble_deep_field.jpg", folder / f"{HOSTILE}.jpg")
    with serving(folder, data) as served:
        be_the_first(served)
        served.wait_until("all faces", probe=lambda: _is_through(served, len(PHOTOS) + 1))
        yield served


def _is_through(server: Server, photos: int) -> bool:
    stats = server.get("/faces/stats")
    return bool(stats["photos"] == photos and stats["pending"] == 0)


@pytest.fixture
def visitor(page: Page, server: Server) -> Iterator[Visitor]:
    """A signed-in visitor at a server where nobody has a name; the browser's console stays silent to the end."""
    server.forget_everyone()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.set_viewport_size({"width": 1280, "height": 860})
    signed_in = page.request.post(f"{server.url}/login", data={"username": NAME, "password": PASSWORD})
    assert signed_in.ok, signed_in.text()
    yield Visitor(page, server.url, complaints)
    assert not complaints
    assert page.evaluate("window.hurt") is None
