"""A real HTTP server on the loopback that answers as a test says, and misbehaves where it is told to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec


@dataclass
class Asked:
    """One request that came in: its path, its parameters, its headers in lower case, and when (monotonic seconds)."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


@dataclass
class Reply:
    """One answer. `pause` is the seconds before it, `drip` the seconds between its bytes; `cut` closes the connection
    in the middle."""

    content: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0
    drip: float = 0.0
    cut: bool = False

    @property
    def body(self) -> bytes:
        """The bytes: text as it is, everything else as JSON."""
        if isinstance(self.content, bytes):
            return self.content
        return msgspec.json.encode(self.content)


@dataclass
class Loopback:
    """A server whose `answer` a test sets: a reply for every request, or what makes one of it."""

    url: str = ""
    answer: Reply | Callable[[Asked], Reply] = field(default_factory=Reply)
    asked: list[Asked] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def _reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.answer(asked) if callable(self.answer) else self.answer

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request of `handler`."""
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in handler.headers.items()}
        reply = self._reply(Asked(parts.path, query, headers, time.monotonic()))
        if self.stopping.wait(reply.pause):
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        with contextlib.suppress(OSError):  # the client may have gone
            self._send(handler, reply)
        handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
        if not reply.drip:
            handler.wfile.write(body)
            return
        for byte in body:
            if self.stopping.wait(reply.drip):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()


@contextlib.contextmanager
def loopback() -> Iterator[Loopback]:
    """A server until the block ends."""
    served = Loopback()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.serve(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base gives it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served
    finally:
        served.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
