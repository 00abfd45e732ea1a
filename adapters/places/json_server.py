"""Asks a configured server for a little JSON, and takes no more of its time and bytes than that is worth."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TypeVar

import httpx
import msgspec

from domain.base.errors import Unavailable

T = TypeVar("T")

_MAX_ANSWER_BYTES = 2**18
_LONGEST_NAME = 200


class JsonServer:
    """A server at `base_url`; thread-safe.

    `seconds` bounds one request from connecting to the last byte. No redirect is followed and no proxy taken from the
    environment: a position goes to the configured host and nowhere else.
    """

    def __init__(self, base_url: str, *, seconds: float, user_agent: str) -> None:
        self.base = base_url.rstrip("/")
        self._seconds = seconds
        self._client = httpx.Client(
            headers={"User-Agent": user_agent, "Accept": "application/json"}, timeout=seconds, trust_env=False
        )

    @property
    def host(self) -> str:
        """Host and port, without the password that the address may hold."""
        return httpx.URL(self.base).netloc.decode("ascii", "replace")

    def ask(self, path: str, query: Mapping[str, str], shape: type[T]) -> T | None:
        """What it answers to a GET, None where it says 404.

        Raises:
            Unavailable: it does not answer in time, or with something else.
        """
        status, body = self._exchange(path, query)
        if status == httpx.codes.NOT_FOUND:
            return None
        if status != httpx.codes.OK:
            raise Unavailable(f"{self.host} answers with status {status}")
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable(f"{self.host} answers with something else than expected ({error})") from error

    def _exchange(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._seconds
        body = bytearray()
        try:
            with self._client.stream("GET", self.base + path, params=dict(query)) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise Unavailable(f"{self.host} sends more than {_MAX_ANSWER_BYTES >> 10} kB")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("the answer never ends")
                return response.status_code, bytes(body)
        except httpx.TimeoutException as error:
            raise Unavailable(f"{self.host} does not answer within {self._seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self.host} cannot be asked ({error})") from error
        except RuntimeError as error:  # httpx's word for a client that was closed
            raise Unavailable(f"{self.host} is asked no more: the server stops") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class Rest:
    """Leaves a failing server alone for `seconds`, and lets its trouble be told once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0
        self._is_known = False

    @property
    def is_on(self) -> bool:
        """Whether it is left alone now."""
        return time.monotonic() < self._until

    def begin(self) -> bool:
        """It failed; whether that is news."""
        is_news, self._is_known = not self._is_known, True
        self._until = time.monotonic() + self._seconds
        return is_news

    def end(self) -> bool:
        """It answered; whether that is news."""
        is_news, self._is_known = self._is_known, False
        self._until = 0.0
        return is_news


def one_line(text: str) -> str:
    """A name from elsewhere as one line of sensible length without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_NAME]
