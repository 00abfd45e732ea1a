"""`imageapi serve` as a process of its own, and somebody who visits its page."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.stopping import TELLS_WHERE, stop
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
NAME, PASSWORD = "anna", "three grey herons"
HOSTILE = "<img src=x onerror=window.hurt=1>"
PHOTOS = ("biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg", "chelsea.png", "coffee.png", "rocket.jpg")
PATIENCE = 120.0
"""Seconds after which a server that does not get ready counts as broken."""


@dataclass
class Server:
    """A running `imageapi serve`: its address, the one-time link that it printed, and a client that acts as `NAME`."""

    url: str
    link: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    client: httpx.Client = field(default_factory=httpx.Client)

    def get(self, path: str, /, **query: Any) -> Any:
        """What a route answers."""
        return self._said(self.client.get(path, params=query))

    def send(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """What a write answers."""
        return self._said(self.client.request(method, path, json=body, params=query))

    @staticmethod
    def _said(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def persons(self) -> dict[str, int]:
        """The names of all persons with how many faces each has."""
        return {person["name"]: person["face_count"] for person in self.get("/persons", include_hidden=True)["items"]}

    def name_face_of(self, photo: str, name: str) -> int:
        """Say who is on a photo with one face; the face's id."""
        (face,) = self.get("/image/faces", path=photo)["items"]
        self.send("POST", "/image/faces/batch", {"ids": [face["id"]], "action": "assign", "name": name})
        return int(face["id"])

    def forget_everyone(self) -> None:
        """Let every face be nobody's again."""
        for person in self.get("/persons", include_hidden=True)["items"]:
            self.send("DELETE", f"/persons/{person['id']}")

    def wait_until(self, ready: str, *, probe: Callable[[], object]) -> None:
        """Wait until `probe` answers true."""

        def ready_or_ended() -> bool:
            assert self.process.poll() is None, "the server stopped:\n" + "".join(self.said)
            return bool(probe())

        until(
            ready_or_ended,
            lambda: f"{ready} did not come:\n" + "".join(self.said[-30:]),
            seconds=PATIENCE,
            interval=0.1,
        )


@contextmanager
def serving(folder: Path, data: Path, **settings: str) -> Iterator[Server]:
    """Serve `folder` from an empty data folder until the block ends."""
    environment = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}}
    environment |= {"IMAGEAPI_DATA": str(data), "BIND_URL": "127.0.0.1:0", "PYTHONPATH": str(ROOT)}
    environment |= TELLS_WHERE | settings
    command = [sys.executable, "-c", "import app, sys; sys.exit(app.main())", "serve", str(folder)]
    with subprocess.Popen(
        command, cwd=data, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        server = Server("", "", process)

        def listen() -> None:
            assert process.stdout is not None
            server.said.extend(process.stdout)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()

        def found() -> bool:
            match = re.search(r"(http://127\.0\.0\.1:\d+)\S*\?code=\S+", "".join(server.said))
            if match is not None:
                server.url, server.link = match[1], match[0]
            return match is not None

        try:
            server.wait_until("the one-time link", probe=found)
            server.client = httpx.Client(base_url=server.url, timeout=60)
            yield server
        finally:
            server.client.close()
            stop(process, server.said, listener, signal.SIGTERM)


def be_the_first(server: Server) -> None:
    """Use up the one-time link as the first admin, and let the client act as that."""
    code = server.link.partition("?code=")[2]
    server.send("POST", "/welcome", {"code": code, "name": NAME, "password": PASSWORD})
    server.client.cookies.clear()
    token = server.send("POST", "/login", {"username": NAME, "password": PASSWORD})["token"]
    server.client.headers["authorization"] = f"Bearer {token}"


@dataclass
class Visitor:
    """Somebody signed in at the page, and all that the browser's console complained of."""

    page: Page
    url: str
    complaints: list[str]

    def open(self, address: str = "#/photos") -> Page:
        """Go to a view, as with a bookmark."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/{address}")
        return self.page


def line(text: str) -> dict[str, object]:
    """A line of Ollama's stream."""
    message = {"role": "assistant", "content": text}
    return {"model": "talker", "created_at": "2026-11-24T12:00:00Z", "message": message, "done": False}
