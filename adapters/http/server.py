"""Runs an ASGI application on uvicorn until the process is told to stop, and sees to it that it then does."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import h11
import msgspec
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from adapters.background.work import Work
from adapters.http.open_requests import OpenRequests
from adapters.http.web.problems import BadRequest, problem_of
from adapters.http.web.security_headers import SECURITY_HEADERS
from adapters.settings import Address
from domain.base.errors import Unavailable

log = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""What open requests get to end when the server stops; event streams, which would go on for ever, end at once."""
PART_SECONDS = 0.3
"""What an answer that was ended gets to reach its client."""
_SECURITY = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
MOST_HEAD_BYTES = 64 * 1024
"""What the address and headers of a request may have together; the longest cursor of a list has 40,000."""
LINGER_SECONDS = 2.0
"""How long what a refused client still sends is dropped before the connection is closed."""
STOP_SECONDS = 7.0
"""What a stop may take in all, background work included: `docker stop` kills after 10."""


def run_web(
    app: Any,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    *,
    on_stop: Callable[[], None] = lambda: None,
    stop_seconds: float = STOP_SECONDS,
) -> None:
    """Serve `app` at an address; `on_ready` is called with its URL once requests are answered. Comes back by
    KeyboardInterrupt when the process gets SIGINT or SIGTERM; `on_stop` is called as soon as it does, in a thread.

    From then on the process has `stop_seconds` to end. Where something hangs (a disk of the network that answers no
    more), it ends all the same, with status 1, after it wrote to standard error where each thread stood: the log of
    events loses nothing by that, as it loses nothing when the power fails.

    Raises:
        Unavailable: the address is taken or not this machine's.
    """
    listener = _listening(host, port)
    bound = listener.getsockname()[1]
    requests = OpenRequests(app)
    config = web_config(requests)
    url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    server = _Server(config, requests, lambda: on_ready(url), on_stop, stop_seconds=stop_seconds)
    signal.signal(signal.SIGTERM, _interrupt)
    with listener:
        server.run([listener])


def web_config(app: Any) -> uvicorn.Config:
    """How uvicorn serves `app`."""
    return uvicorn.Config(
        app,
        http=_Protocol,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else anyone on this machine could pretend to be at another address
        timeout_graceful_shutdown=GRACE_SECONDS + 1,
    )


def run_server(app: Any, work: Work, bind: Address, on_ready: Callable[[str], None]) -> None:
    """Serve `app` as `run_web`, with the background work going on meanwhile."""
    work.start()
    try:
        run_web(app, bind.host, bind.port, on_ready, on_stop=work.ask_to_stop)
    finally:
        work.stop()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the socket says that it is TCP; else each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot listen at {host}:{port} ({error.strerror}): is another server running? See --bind"
        ) from error
    return listener


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(seconds: float) -> None:
    log.error("the server did not stop within %g s and ends now; its threads stood here:", seconds)
    faulthandler.dump_traceback(all_threads=True)
    os._exit(1)


class _Protocol(H11Protocol):
    """HTTP/1.1, which tells what is no HTTP, or too long, as every other problem is told."""

    _refused = False

    def data_received(self, data: bytes) -> None:
        """Take what was sent; behind a refusal it is dropped, for else its sender would see a broken connection in the
        place of the answer."""
        if not self._refused:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Refuse what never becomes a request, and hang up."""
        detail = f"{msg.rstrip('.')}: the address and headers together have at most {MOST_HEAD_BYTES // 1024} KB"
        body = msgspec.json.encode(problem_of(BadRequest(detail)))
        kind = [(b"Content-Type", b"application/problem+json"), (b"Content-Length", str(len(body)).encode())]
        headers = [*kind, (b"Cache-Control", b"no-store"), (b"Connection", b"close"), *_SECURITY]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self._refused = True
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


class _Server(uvicorn.Server):
    """uvicorn, which says when it answers, and which ends in time."""

    def __init__(
        self,
        config: uvicorn.Config,
        requests: OpenRequests,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        *,
        stop_seconds: float,
    ) -> None:
        super().__init__(config)
        self._requests = requests
        self._on_ready = on_ready
        self._stopping = threading.Thread(target=on_stop, name="stop", daemon=True)
        self._deadline = threading.Timer(stop_seconds, _end, (stop_seconds,))
        self._deadline.daemon = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        if self._deadline.ident is None:
            self._deadline.start()
            self._stopping.start()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, and end those that are open when their time is over."""
        self._requests.end_streams()
        loop = asyncio.get_running_loop()
        end = loop.call_later(GRACE_SECONDS, self._requests.end_all)
        part = loop.call_later(GRACE_SECONDS + PART_SECONDS, self._part)
        await super().shutdown(sockets)
        end.cancel()
        part.cancel()

    def _part(self) -> None:
        """Close connections whose clients do not take what was sent to them."""
        for connection in [*self.server_state.connections]:
            if connection.transport is not None:
                connection.transport.abort()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()
