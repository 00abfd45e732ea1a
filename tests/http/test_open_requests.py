"""What becomes of requests that are open when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from adapters.http.open_requests import OpenRequests

Said = list[Message]
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
FILE = {**START, "headers": [(b"content-type", b"image/jpeg"), (b"content-length", b"9")]}


def app(*messages: Message) -> Callable[[Scope, Receive, Send], Any]:
    """An application that sends these and then goes on for ever."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        await asyncio.Event().wait()

    return answer


async def nothing() -> Message:
    """A client that has no more to say."""
    return {"type": "http.request"}


def told(end: str, *messages: Message, scope: str = "http") -> tuple[bool, Said]:
    """Whether a request was over once `end` was called while it was answered, and what was sent."""
    said: Said = []

    async def send(message: Message) -> None:
        said.append(message)

    async def play() -> bool:
        requests = OpenRequests(app(*messages))
        request = asyncio.create_task(requests({"type": scope}, nothing, send))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        getattr(requests, end)()
        done, _ = await asyncio.wait([request], timeout=0.2)
        if not done:
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
        else:
            await request
        return bool(done)

    return asyncio.run(play()), said


def test_a_stream_ends_whole_and_at_once() -> None:
    part = {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}
    assert told("end_streams", START, part) == (True, [START, part, {"type": "http.response.body", "body": b""}])


@pytest.mark.parametrize("messages", [(), (FILE,)])
def test_other_requests_have_their_time(messages: tuple[Message, ...]) -> None:
    over, _ = told("end_streams", *messages)
    assert not over


def test_a_request_without_an_answer_by_then_is_told_to_ask_again() -> None:
    over, said = told("end_all")
    assert (over, said[0]["status"]) == (True, 503)
    assert b"the server stops" in said[1]["body"]


def test_a_file_that_was_cut_short_is_not_said_to_be_whole() -> None:
    assert told("end_all", FILE) == (True, [FILE])


def test_whoever_cancels_a_request_for_another_reason_is_heard() -> None:
    assert told("end_all", scope="lifespan") == (False, [])
