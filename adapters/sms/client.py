"""The client of the conversation service: `GET {SMS_API_URL}/messages?contact=&from=&to=` with a bearer token.

The contract stands in `docs/integrations.md`. What comes back is held to it: a message of another day or contact than
was asked for is left out, whatever the service sends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, Literal

import httpx
import msgspec

from domain.base.conversation import ConversationMessage, Direction
from domain.base.errors import AdapterError, Rejected, Unavailable
from domain.base.names import name_key

MOST_BYTES: Final = 8 * 2**20
"""Bytes of one answer."""
MOST_MESSAGES: Final = 20_000
"""Messages of one request's days; a busy day has hundreds."""
MOST_PAGES: Final = 100
LONGEST_BODY: Final = 10_000
"""Characters of a message that are kept."""

_EMPTY_DAY = date(1970, 1, 1)
_CONNECT_SECONDS = 5.0
_LONGEST_NAME = 200
_LONGEST_DETAIL = 300
_DIRECTIONS: Final[dict[str, Direction]] = {
    "received": "received",
    "incoming": "received",
    "inbound": "received",
    "in": "received",
    "sent": "sent",
    "outgoing": "sent",
    "outbound": "sent",
    "out": "sent",
}
_Direction = Literal["received", "incoming", "inbound", "in", "sent", "outgoing", "outbound", "out"]


class _MessageRow(msgspec.Struct):
    """A message on the wire."""

    id: str | int
    contact: str
    sent_at: datetime
    direction: _Direction
    body: str | None


class SmsClient:
    """`domain.base.conversation.Conversations` on the service at `base_url`; thread-safe.

    `seconds` bounds one call with all its pages. No redirect is followed and no proxy taken from the environment: the
    token goes to the configured host and nowhere else.
    """

    def __init__(
        self, base_url: str, token: str | None = None, *, seconds: float = 30.0, most_messages: int = MOST_MESSAGES
    ) -> None:
        self._base = base_url.rstrip("/")
        self._where = f"the conversation service at {httpx.URL(self._base).netloc.decode()}"
        self._seconds = seconds
        self._most_messages = most_messages
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(seconds, connect=min(_CONNECT_SECONDS, seconds)),
            trust_env=False,
        )

    def messages(self, first: date, last: date, contact: str | None = None) -> tuple[ConversationMessage, ...]:
        """The messages of these days, both included, with one contact or with everyone, the oldest first.

        Raises:
            Unavailable: the service does not answer in time, or not as the contract says; the text says what to do.
            Rejected: it refuses these days or this contact.
        """
        query = {"from": first.isoformat(), "to": last.isoformat()} | ({} if contact is None else {"contact": contact})
        found: dict[str, ConversationMessage] = {}
        for row in self._rows(query):
            message = self._message(row)
            is_wanted = contact is None or name_key(message.contact) == name_key(_text(contact, _LONGEST_NAME))
            if is_wanted and first <= message.sent_at.date() <= last:
                found.setdefault(message.id, message)
            if len(found) > self._most_messages:
                raise self._malformed(f"more than {self._most_messages} messages from {first} to {last}")
        return tuple(sorted(found.values(), key=lambda message: (message.sent_at, message.id)))

    def state(self) -> tuple[str, bool]:
        """Whether the service answers, or why not, for people, and whether it does; it is asked for a day that has no
        messages."""
        try:
            self.messages(_EMPTY_DAY, _EMPTY_DAY)
        except AdapterError as error:
            return str(error), False
        return "answers", True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _rows(self, query: dict[str, str]) -> Iterator[_MessageRow]:
        """The messages of all pages: a service that caps its answers names the next one in `Link` (RFC 8288)."""
        url: httpx.URL | None = httpx.URL(f"{self._base}/messages", params=query)
        deadline = time.monotonic() + self._seconds
        seen: set[httpx.URL] = set()
        while url is not None:
            if url in seen or len(seen) == MOST_PAGES:
                raise self._malformed("its pages never end")
            seen.add(url)
            rows, url = self._page(url, deadline)
            yield from rows

    def _page(self, url: httpx.URL, deadline: float) -> tuple[list[_MessageRow], httpx.URL | None]:
        response = self._exchange(url, deadline)
        self._refuse(response)
        try:
            rows = msgspec.json.decode(response.content, type=list[_MessageRow])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._malformed(str(error)) from error
        return rows, self._next_page(response)

    def _exchange(self, url: httpx.URL, deadline: float) -> httpx.Response:
        """The answer with its body read, held to the time and size that it may take."""
        body = bytearray()
        try:
            with self._client.stream("GET", url) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise self._malformed(f"an answer of more than {MOST_BYTES >> 20} MB")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("the answer never ends")
                links = {name: value for name, value in response.headers.items() if name == "link"}
                return httpx.Response(response.status_code, headers=links, content=bytes(body))
        except httpx.TimeoutException as error:
            raise Unavailable(
                f"{self._where} did not answer within {self._seconds:g} s: see whether it is overloaded"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"{self._where} cannot be reached ({error}): see whether it runs, and whether SMS_API_URL is right"
            ) from error
        except RuntimeError as error:  # httpx's word for a client that was closed
            raise Unavailable(f"{self._where} is asked no more: the server stops") from error

    def _next_page(self, response: httpx.Response) -> httpx.URL | None:
        """The address of the next page, which has to be on the same server: the token goes there too."""
        link = response.links.get("next", {}).get("url")
        if link is None:
            return None
        try:
            url = httpx.URL(f"{self._base}/messages").join(link)
        except (httpx.InvalidURL, ValueError) as error:
            raise self._malformed(f"its next page has no address ({error})") from error
        ours = httpx.URL(self._base)
        if (url.scheme, url.host, url.port) != (ours.scheme, ours.host, ours.port):
            raise self._malformed(f"its next page is on another server ({url.host})")
        return url

    def _refuse(self, response: httpx.Response) -> None:
        """Raise what a status other than 200 stands for."""
        status, where = response.status_code, self._where
        match status:
            case 200:
                return
            case 401 | 403:
                raise Unavailable(f"{where} refuses the token (status {status}): correct SMS_API_TOKEN")
            case 404 | 405:
                raise Unavailable(f"{where} is not there (status {status}): correct SMS_API_URL")
            case 400 | 422:
                raise Rejected(f"{where} refuses the request (status {status}){_detail(response.content)}")
            case _:
                raise Unavailable(f"{where} answered with status {status}{_detail(response.content)}")

    def _message(self, row: _MessageRow) -> ConversationMessage:
        sent_at = row.sent_at
        if sent_at.tzinfo is None:
            raise self._malformed("a sent_at without an offset from UTC")
        return ConversationMessage(
            id=_text(str(row.id), _LONGEST_NAME),
            contact=_text(row.contact, _LONGEST_NAME),
            sent_at=sent_at,
            direction=_DIRECTIONS[row.direction],
            body=_text(row.body or "", LONGEST_BODY),
        )

    def _malformed(self, what: str) -> Unavailable:
        return Unavailable(
            f"{self._where} does not speak the conversation contract ({what}): see whether SMS_API_URL is right and "
            "the service's version fits"
        )


def _text(text: str, longest: int) -> str:
    """A text from elsewhere without control characters but line breaks and tabs, cut to a sensible length."""
    return "".join(c for c in text[:longest] if c in "\n\t" or (c >= " " and c != "\x7f")).strip()


def _detail(body: bytes) -> str:
    """What an error's body says for people, after a colon: its `detail` where that is text."""
    try:
        error = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    detail = error.get("detail") if isinstance(error, dict) else None
    return f": {_text(detail, _LONGEST_DETAIL)}" if isinstance(detail, str) else ""
