"""A turn of a language model as a response: whole, or as it happens.

The response is made in a thread and given on the event loop, where the turn begins when it is first listened to. A
client that leaves stops listening, and the turn may end with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import anyio
import anyio.to_thread
import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.web.dependencies import StreamPace
from adapters.http.web.disconnect import while_present
from adapters.http.web.problems import Problem, answer_of, plain_problem, problem_of, refusal
from adapters.insights.turns import RunningTurn
from domain.base.errors import ImageApiError
from domain.ports.conversation_turns import TurnProgress

DEEPEST: Final = 50
"""Levels of a JSON text that are shown as a value."""
Result = Callable[[TurnProgress], Any]
"""Reads back, in a thread, what a turn that is done has recorded."""


def shown_json(text: str) -> Any:
    """A JSON text that a model or a tool wrote as the value that it is, or as the text where it is none, or one that is
    nested too deeply to be written again."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return value if _is_within(value, DEEPEST) else text


def _is_within(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_within(each, levels - 1) for each in inner)


class TurnResponse(Response):
    """What a turn comes to, as JSON."""

    def __init__(self, turn: RunningTurn, result: Result, status: int = 200) -> None:
        super().__init__(status_code=status)
        self._turn, self._result = turn, result

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the end of the turn, unless the client leaves."""

        async def wait() -> None:
            response = await self._response()
            await response(scope, receive, send)

        await while_present(receive, wait)

    async def _response(self) -> Response:
        seen = 0
        with self._turn.listening():
            while news := await self._turn.news(seen):
                seen += len(news)
                for progress in news:
                    if progress.kind == "done":
                        return await self._done(progress)
                    if progress.kind == "error":
                        return _refused(progress)
        return answer_of(plain_problem(500, "the turn was stopped"))

    async def _done(self, progress: TurnProgress) -> Response:
        content = await anyio.to_thread.run_sync(self._result, progress)
        headers = {"Cache-Control": "no-store", "Operation-Id": str(progress.operation_id)}
        return Response(msgspec.json.encode(content), self.status_code, headers, media_type="application/json")


class TurnStream(Response):
    """A turn as server-sent events, whose ids count from 1; `Turn-Id` names it, to listen again."""

    def __init__(self, turn: RunningTurn, result: Result, pace: StreamPace, after: int = 0) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Turn-Id": turn.id}
        super().__init__(status_code=200, headers=headers, media_type="text/event-stream")
        del self.headers["content-length"]
        self._turn, self._result, self._pace, self._seen = turn, result, pace, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the end of the turn, unless the client leaves."""
        if scope["method"] == "HEAD":
            await self._start(send)
            await send({"type": "http.response.body", "body": b""})
            return
        await while_present(receive, functools.partial(self._stream, scope, receive, send))

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._turn.listening():
            news = await self._within(self._pace.first)
            if news and news[0].kind == "error":
                await _refused(news[0])(scope, receive, send)
                return
            await self._start(send)
            while news is None or news:
                framed = b": alive\n\n" if news is None else b"".join([await self._framed(each) for each in news])
                await send({"type": "http.response.body", "body": framed, "more_body": True})
                news = await self._within(self._pace.beat)
            await send({"type": "http.response.body", "body": b""})

    async def _within(self, seconds: float) -> list[TurnProgress] | None:
        """What happened next, nothing at the end, None where nothing happened yet."""
        with anyio.move_on_after(seconds):
            return list(await self._turn.news(self._seen))
        return None

    async def _framed(self, progress: TurnProgress) -> bytes:
        self._seen += 1
        data = await anyio.to_thread.run_sync(self._result, progress) if progress.kind == "done" else _data(progress)
        return b"id: %d\nevent: %b\ndata: %b\n\n" % (self._seen, progress.kind.encode(), msgspec.json.encode(data))


def _data(progress: TurnProgress) -> Any:
    call = progress.call
    if progress.kind == "error":
        return _problem(progress)
    if call is None:
        return {"text": progress.text}
    if progress.kind == "tool_call":
        return {"id": call.id, "name": call.name, "arguments": shown_json(call.arguments)}
    return {"id": call.id, "name": call.name, "result": shown_json(progress.text), "failed": progress.failed}


def _problem(progress: TurnProgress) -> Problem:
    if isinstance(progress.error, ImageApiError):
        return problem_of(progress.error)
    return plain_problem(500, "something is wrong in imageapi itself; its log has the details")


def _refused(progress: TurnProgress) -> Response:
    return refusal(progress.error) if isinstance(progress.error, ImageApiError) else answer_of(_problem(progress))
