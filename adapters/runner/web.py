"""Runs an ASGI application on uvicorn until the process is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from domain.errors import Unavailable

GRACE_SECONDS = 3
"""What open requests get to end when the server stops; event streams would go on for ever."""


def run_web(app: Any, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve `app` at an address; `on_ready` is called with its URL once requests are answered. Comes back by
    KeyboardInterrupt when the process gets SIGINT or SIGTERM.

    Raises:
        Unavailable: the address is taken or not this machine's.
    """
    listener = _listening(host, port)
    bound = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else anyone on this machine could pretend to be at another address
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, lambda: on_ready(f"http://{f'[{host}]' if ':' in host else host}:{bound}"))
    signal.signal(signal.SIGTERM, _interrupt)
    with listener:
        server.run([listener])


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


class _Server(uvicorn.Server):
    """uvicorn, which says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()
