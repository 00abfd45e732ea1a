"""The requests that are being answered, and their end when the server stops: without a word too many, and in time."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STOPPING: Final = msgspec.json.encode(
    {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "the server stops: ask again"}
)


class OpenRequests:
    """An ASGI application that another one answers for, and that can be told to come to an end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: set[_OpenRequest] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or what of it there is time for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _OpenRequest(send)
        self._open.add(request)
        try:
            await self._app(scope, receive, request.send)
        except asyncio.CancelledError:
            if not request.is_cut:
                raise
            await request.finish()
        finally:
            self._open.discard(request)

    def end_streams(self) -> None:
        """End what would go on for ever: event streams, whose clients come again by themselves."""
        for request in [*self._open]:
            if request.is_endless:
                request.cut()

    def end_all(self) -> None:
        """End whatever is still being answered."""
        for request in [*self._open]:
            request.cut()


class _OpenRequest:
    """One request while it is answered, by the task that it was made in."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._task = asyncio.current_task()
        self._has_started = self._is_over = False
        self.is_endless = self.is_cut = False

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.start":
            self._has_started = True
            headers = dict(message.get("headers", ()))
            self.is_endless = bytes(headers.get(b"content-type", b"")).startswith(b"text/event-stream")
        self._is_over = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    def cut(self) -> None:
        """Answer no more."""
        if self._task is not None and not self.is_cut:
            self.is_cut = True
            self._task.cancel()

    async def finish(self) -> None:
        """Say that there is no more to come, or that there will be no answer; a file that was cut short stays so."""
        if self._task is not None:
            self._task.uncancel()
        if self._is_over or (self._has_started and not self.is_endless):
            return
        if not self._has_started:
            headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
            await self._send({"type": "http.response.start", "status": 503, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"" if self._has_started else _STOPPING})
