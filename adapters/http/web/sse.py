"""Server-sent events: what every stream does, whatever it tells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.web.authentication import identify
from adapters.http.web.dependencies import Dependencies
from adapters.http.web.disconnect import while_present
from adapters.http.web.problems import refusal
from domain.base.actor import Actor
from domain.base.errors import ImageApiError

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
Source = Callable[[Actor], Awaitable[bytes]]
"""Answers the next events for an actor, framed; empty where it waited for a moment in vain."""


class ServerSentEvents(ABC):
    """A route that streams to who is signed in, until the client leaves or its session ends.

    A slow client holds up itself alone: its source is asked again when it has taken what there was.
    """

    def __init__(self, dependencies: Dependencies, threads: anyio.CapacityLimiter) -> None:
        self.dependencies = dependencies
        self._threads = threads

    @abstractmethod
    async def begin(self, request: Request) -> Source:
        """Read the request.

        Raises:
            ImageApiError: it is refused.
        """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream, or refuse."""
        request = Request(scope)
        try:
            actor = await self._actor(request)
            source = await self.begin(request)
        except ImageApiError as error:
            await refusal(error)(scope, receive, send)
            return
        start = Response(
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type="text/event-stream"
        )
        del start.headers["content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": start.raw_headers})

        async def stream() -> None:
            await self._stream(request, actor, source, send)

        await while_present(receive, stream)

    async def _stream(self, request: Request, actor: Actor, source: Source, send: Send) -> None:
        await _send(send, b"retry: 2000\n\n")
        beat = anyio.current_time()
        while True:
            if framed := await source(actor):
                await _send(send, framed)
            if anyio.current_time() - beat >= self.dependencies.pace.beat:
                beat = anyio.current_time()
                try:
                    actor = await self._actor(request)
                except ImageApiError:
                    await send({"type": "http.response.body", "body": b""})
                    return
                await _send(send, b": alive\n\n")

    async def _actor(self, request: Request) -> Actor:
        return (await self.in_thread(identify, self.dependencies, request)).actor

    async def in_thread(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Run what may block, beside the event loop."""
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self._threads)


async def _send(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})
