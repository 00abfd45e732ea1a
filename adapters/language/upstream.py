"""The one place where a language model's server is spoken to over HTTP: time limits, sizes, and what a failure means.

Each call has a connection of its own: a call takes seconds and a connection milliseconds, nothing has to be shared
between event loops, no pool can run dry under many streams, and leaving a stream closes its socket, which is what stops
the model.
"""

from __future__ import annotations

import functools
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import anyio
import httpx
import msgspec

from adapters.language.call_counts import TALLY
from domain.base.errors import AdapterError, Busy, Rejected, Unavailable

T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 120.0
MAX_LINE_BYTES: Final = 4 * 2**20
MAX_ANSWER_BYTES: Final = 64 * 2**20
_MAX_DETAIL: Final = 300


class TooSlow(Unavailable):
    """The time for a call is used up: no other server could answer in what is left of it."""


class Deadline:
    """The moment at which a call is given up, `seconds` after it was made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then, never negative."""
        return max(0.0, self._end - time.monotonic())


class Upstream:
    """A server of language models at `base_url`, named `name` to people; `setting` is what they correct where it is
    wrong. No redirect is followed and no proxy taken from the environment: what is said goes to the configured host."""

    def __init__(
        self,
        name: str,
        base_url: str,
        setting: str,
        headers: dict[str, str] | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._setting = setting
        self._headers = headers or {}
        self._connect_seconds = connect_seconds
        parts = urlsplit(base_url)
        self.place = f"{name} at {parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @asynccontextmanager
    async def answering(
        self, method: str, path: str, body: object, deadline: Deadline
    ) -> AsyncIterator[httpx.Response]:
        """A request's response with its body unread; leaving the block closes the connection.

        Raises:
            Unavailable: it cannot be reached, is too slow, or breaks off.
        """
        content = None if body is None else msgspec.json.encode(body)
        headers = {**self._headers, "Content-Type": "application/json"}
        timeout = httpx.Timeout(None, connect=min(self._connect_seconds, deadline.seconds))
        with self._failures():
            async with httpx.AsyncClient(timeout=timeout, trust_env=False, verify=_trusted()) as client:
                request = client.build_request(method, self._base + path, content=content, headers=headers)
                try:
                    response = await self.within(deadline, client.send(request, stream=True))
                except (httpx.RequestError, TooSlow):
                    TALLY.count(self.place, "unreachable")
                    raise
                TALLY.count(self.place, "answered" if response.status_code < 400 else "refused")
                try:
                    yield response
                finally:
                    await response.aclose()

    async def lines(self, response: httpx.Response, deadline: Deadline) -> AsyncGenerator[bytes, None]:
        """The lines of a body as they come, without their ends; the last one need not have an end.

        Raises:
            Unavailable: a line or the whole is too long to be an answer, or time is up.
        """
        held = bytearray()
        total = 0
        async with aclosing(self._chunks(response, deadline)) as chunks:
            async for chunk in chunks:
                total += len(chunk)
                *ended, rest = chunk.split(b"\n")
                for line in ended:
                    yield bytes(held + line).rstrip(b"\r")
                    held.clear()
                held += rest
                if len(held) > MAX_LINE_BYTES or total > MAX_ANSWER_BYTES:
                    raise self.malformed("its answer never ends")
        if held:
            yield bytes(held)

    async def body(self, response: httpx.Response, deadline: Deadline) -> bytes:
        """The whole body.

        Raises:
            Unavailable: as `lines`.
        """
        held = bytearray()
        async with aclosing(self._chunks(response, deadline)) as chunks:
            async for chunk in chunks:
                held += chunk
                if len(held) > MAX_ANSWER_BYTES:
                    raise self.malformed("its answer never ends")
        return bytes(held)

    async def ask(self, method: str, path: str, body: object, deadline: Deadline) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and whole body of one request.

        Raises:
            Unavailable: as `answering` and `lines`.
        """
        async with self.answering(method, path, body, deadline) as response:
            return response.status_code, response.headers, await self.body(response, deadline)

    async def within(self, deadline: Deadline, awaitable: Awaitable[T]) -> T:
        """What `awaitable` comes to in the time that is left.

        Raises:
            TooSlow: it took longer.
        """
        with anyio.move_on_after(deadline.left):
            return await awaitable
        raise TooSlow(
            f"{self.place} did not finish its answer within {deadline.seconds:g} s: ask again, or choose a smaller "
            "model."
        )

    def read(self, body: bytes, kind: type[T]) -> T:
        """JSON as `kind`.

        Raises:
            Unavailable: it is none.
        """
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.malformed(str(error)) from error

    def refusal(self, status: int, detail: str, retry_after: float | None = None) -> AdapterError:
        """The error that a status stands for, where the provider has no meaning of its own for it."""
        reason = f": {detail}" if detail else ""
        match status:
            case 401 | 403:
                return Rejected(f"{self.place} refuses the key (status {status}){reason}")
            case 404 | 405:
                return Unavailable(f"{self.place} does not know what it is asked{reason}: correct {self._setting}.")
            case 429 | 503:
                when = "" if retry_after is None else f"; it asks to come again in {retry_after:g} s"
                return Busy(f"{self.place} is overloaded or out of quota (status {status}){reason}{when}", retry_after)
            case _ if status == 408 or status >= 500 or status < 400:
                return Unavailable(f"{self.place} answered with status {status}{reason}")
            case _:
                return Rejected(f"{self.place} refuses the request (status {status}){reason}")

    def broken_off(self) -> Unavailable:
        """The answer ended before its end."""
        return Unavailable(f"{self.place} broke off in the middle of its answer: ask again.")

    def malformed(self, what: str) -> Unavailable:
        """It does not speak the protocol."""
        return Unavailable(f"{self.place} does not speak the expected protocol ({what}): see {self._setting}.")

    async def _chunks(self, response: httpx.Response, deadline: Deadline) -> AsyncGenerator[bytes, None]:
        async with aclosing(response.aiter_bytes()) as chunks:  # type: ignore[type-var]  # an async generator, declared as an iterator
            while True:
                chunk = await self.within(deadline, anext(chunks, None))
                if chunk is None:
                    return
                yield chunk

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """What httpx raises, in words that say what to do."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unavailable(
                f"{self.place} cannot be reached within {self._connect_seconds:g} s: see whether it runs, and whether "
                f"{self._setting} is right."
            ) from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise Unavailable(f"{self.place} is no address ({error}): correct {self._setting}.") from error
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise Unavailable(
                f"{self.place} cannot be reached ({error}): see whether it runs, and whether {self._setting} is right."
            ) from error
        except httpx.RequestError as error:
            raise self.broken_off() from error


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: reading them takes longer than a connection."""
    return httpx.create_ssl_context(trust_env=False)


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that `Retry-After` asks for (a number or a date, RFC 9110 section 10.2.3), None where it says nothing
    usable."""
    wanted = headers.get("Retry-After", "").strip()
    if wanted.isascii() and wanted.replace(".", "", 1).isdigit():
        return float(wanted)
    try:
        moment = parsedate_to_datetime(wanted)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def detail_of(body: bytes) -> tuple[int | None, str]:
    """Code and text of an error as providers write it: `{"error": "text"}` or `{"error": {"code", "message"}}`; for
    anything else None and nothing."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, ""
    return error_in(answer.get("error") if isinstance(answer, dict) else None)


def error_in(error: Any) -> tuple[int | None, str]:
    """Code and text of the value of `error`."""
    if isinstance(error, str):
        return None, _one_line(error)
    if not isinstance(error, dict):
        return None, ""
    code, message = error.get("code"), error.get("message")
    number = int(code) if isinstance(code, int | str) and str(code).isdigit() else None
    return number, _one_line(message) if isinstance(message, str) else ""


def _one_line(text: str) -> str:
    """A stranger's text as it may stand in a log and on a terminal: one line, without what a terminal obeys."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[:_MAX_DETAIL]).split())
