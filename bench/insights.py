"""Other routes while 50 conversations stream, and how soon a client that leaves stops the language model.

    python -m bench.insights [STREAMS]        (default: 50)

A real server; in the place of the language model stands a server that says a word every 20 ms to each.
"""

from __future__ import annotations

import socket
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
from PIL import Image

from bench.server import PASSWORD, server

PAUSE_SECONDS = 0.02
WORDS = 400
ASKED = 300


class Talker:
    """Says words in Ollama's format, slowly; `left` are the seconds from a client's leaving until it is noticed."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.hung_up = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            line, _ = self.listening.accept()
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line:
            held = b""
            while b"\r\n\r\n" not in held:
                held += line.recv(65536)
            head, _, body = held.partition(b"\r\n\r\n")
            length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
            while len(body) < length:
                body += line.recv(65536)
            try:
                self._say(line, body, is_show=b"/api/show" in head)
            except OSError:
                self.hung_up.set()

    def _say(self, line: socket.socket, body: bytes, *, is_show: bool) -> None:
        if is_show:
            told = msgspec.json.encode({"capabilities": ["completion", "tools"], "model_info": {}})
            line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))
            return
        words = WORDS if b"at length" in body else 3
        line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\n\r\n")
        for number in range(words + 1):
            said = {"message": {"role": "assistant", "content": "word "}, "done": number == words, "model": "talker"}
            line.sendall(msgspec.json.encode(said) + b"\n")
            time.sleep(PAUSE_SECONDS)


def photos_in(folder: Path, count: int) -> None:
    """Small photos, each of another colour."""
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (64, 48), (number, 2 * number % 256, 90)).save(folder / f"{number:03}.jpg")


def timed(client: httpx.Client) -> dict[str, float]:
    """The median in ms of two routes."""
    taken: dict[str, list[float]] = {"/persons": [], "/photos": []}
    for _ in range(ASKED // 2):
        for route, times in taken.items():
            began = time.perf_counter()
            client.get(route).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
    return {route: statistics.median(times) for route, times in taken.items()}


def streamed(base: str, headers: dict[str, str], number: int, begun: threading.Semaphore) -> int:
    """One conversation to its end; the events that came."""
    body = {"path": f"{number:03}.jpg", "message": "Tell me at length.", "agentic": False}
    with (
        httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=120) as client,
        client.stream("POST", "/insights/chat/stream", json=body) as stream,
    ):
        stream.raise_for_status()
        events = 0
        for line in stream.iter_lines():
            events += line.startswith("event: ")
            if events == 1 and line.startswith("event: "):
                begun.release()
    return events


def measure(streams: int) -> dict[str, float]:
    """The figures."""
    talker = Talker()
    settings = {"OLLAMA_PRIMARY_URL": talker.url, "FACE_ENGINE": "off"}
    with tempfile.TemporaryDirectory() as scratch:
        photos_in(Path(scratch, "photos"), streams)
        with server(Path(scratch, "data"), Path(scratch, "photos"), **settings) as base:
            client = httpx.Client(base_url=base, trust_env=False, timeout=60)
            answer = client.post("/login", json={"username": "bench", "password": PASSWORD}).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            while client.get("/faces/stats").json()["photos"] < streams:
                time.sleep(0.2)
            for number in range(streams):
                client.post("/insights/generate", json={"path": f"{number:03}.jpg"}).raise_for_status()
            figures = {f"{route} alone, ms": value for route, value in timed(client).items()}
            begun = threading.Semaphore(0)
            headers = {"Authorization": client.headers["Authorization"]}
            with ThreadPoolExecutor(streams) as pool:
                running = [pool.submit(streamed, base, headers, number, begun) for number in range(streams)]
                for _ in range(streams):
                    begun.acquire(timeout=60)
                figures |= {f"{route} beside {streams} streams, ms": value for route, value in timed(client).items()}
                still = sum(not each.done() for each in running)
                assert all(each.result() > WORDS / 2 for each in running)
            figures["streams that still ran then"] = float(still)
            talker.hung_up.clear()
            body = {"path": "000.jpg", "message": "Tell me at length.", "agentic": False}
            with client.stream("POST", "/insights/chat/stream", json=body) as stream:
                next(line for line in stream.iter_lines() if line.startswith("data: "))
            left = time.perf_counter()
            assert talker.hung_up.wait(30)
            figures["from leaving to the model's being stopped, ms"] = (time.perf_counter() - left) * 1000
            client.close()
    return figures


def main(streams: int = 50) -> None:
    """Print the figures."""
    print(", ".join(f"{name} {value:.1f}" for name, value in measure(streams).items()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
