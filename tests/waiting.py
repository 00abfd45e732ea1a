"""Waits for what must come, and shows what was last seen where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import anyio

SECONDS = 120.0
"""How long what must come may take on a machine that has much else to do."""
Seen = TypeVar("Seen")


def until(
    condition: Callable[[], Seen],
    message: str | Callable[[], str] = "it never came",
    *,
    seconds: float = SECONDS,
    interval: float = 0.02,
    sleep: Callable[[float], object] = time.sleep,
) -> Seen:
    """The first true value of `condition`, which is asked again each `interval` seconds.

    A `message` that is a function is called when the time is over; `sleep` lets other things happen in between.

    Raises:
        AssertionError: `seconds` are over; the text has the message and the last value.
    """
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, _text(message, seconds, seen)
        sleep(interval)
    return seen


async def until_async(
    condition: Callable[[], Seen],
    message: str | Callable[[], str] = "it never came",
    *,
    seconds: float = SECONDS,
    interval: float = 0.02,
) -> Seen:
    """As `until`, on an event loop that goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, _text(message, seconds, seen)
        await anyio.sleep(interval)
    return seen


def _text(message: str | Callable[[], str], seconds: float, seen: object) -> str:
    return f"after {seconds:g} s {message if isinstance(message, str) else message()}; last seen: {seen!r}"
