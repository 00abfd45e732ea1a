"""The application on a real socket, on uvicorn as imageapi sets it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from adapters.http.server import web_config
from tests.waiting import until


@contextmanager
def really_served(app: ASGIApp) -> Iterator[str]:
    """The base URL of `app` while the block runs."""
    config = web_config(app)
    config.port, config.lifespan = 0, "off"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "the server did not stop"
