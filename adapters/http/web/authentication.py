"""Who asks: the token, cookie or API key of a request, checked against the user's row; and where the request came
from."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from adapters.accounts.limits import SignInLimits
from adapters.accounts.tokens import IssuedToken
from adapters.http.web.dependencies import Dependencies
from adapters.http.web.problems import TooManyRequests, Unauthenticated
from adapters.http.web.routes import Call
from adapters.http.web.validation import OneOf
from domain.base.actor import Actor, system
from domain.base.errors import AdapterError, Forbidden, ImageApiError
from domain.base.names import LONGEST_NAME
from domain.commands.accounts import actor_of
from domain.commands.api_keys import actor_by_key
from domain.events.account import User
from domain.events.api_key import PREFIX, read_key

COOKIE: Final = "imageapi"
KEY_HEADER: Final = "x-api-key"
BY_WHOM: Final = "Authorization, Cookie, X-API-Key"
"""What `Vary` says of an answer that depends on who asks."""
_LOOKING: Final = system("http")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Identity:
    """Who asks, and whether a cookie says so."""

    actor: Actor
    user: User | None
    by_cookie: bool


NOBODY: Final = Identity(Actor("nobody", "viewer", frozenset()), None, by_cookie=False)


def identify(dependencies: Dependencies, request: HTTPConnection) -> Identity:
    """Who sent a request.

    Raises:
        Unauthenticated: nobody that is known, in a session that has ended, or with a key that opens nothing.
        TooManyRequests: too many wrong keys came from there.
        Unavailable: the database cannot say.
    """
    token, by_cookie = _token_of(request)
    if token.startswith(PREFIX) and not by_cookie:
        return _by_key(dependencies, request, token)
    try:
        claims = dependencies.accounts.tokens.verify(token)
    except AdapterError:
        raise
    except ImageApiError as error:
        raise Unauthenticated(str(error), "invalid_token") from error
    with dependencies.ledger.reading(_LOOKING) as tables:
        user = tables.users.get(claims.user_id)
    if user is None or user.epoch != claims.epoch:
        raise Unauthenticated("this session has ended: sign in again", "invalid_token")
    return Identity(actor_of(user), user, by_cookie)


def _by_key(dependencies: Dependencies, request: HTTPConnection, text: str) -> Identity:
    """Who sent a key; as they and their key stand now. A right key is never made to wait for wrong ones from the same
    address: it cannot be guessed, so that nobody learns anything from it."""
    key_id, secret = read_key(text) or (0, b"")
    with dependencies.ledger.reading(_LOOKING) as tables:
        key = tables.api_keys.get(key_id)
        user = None if key is None else tables.users.get(key.user_id)
    if key is not None and user is not None and key.is_opened_by(secret, time.time_ns() // 1000):
        dependencies.accounts.key_uses.note(key.id)
        return Identity(actor_by_key(user, key), user, by_cookie=False)
    count_attempt(dependencies.accounts.key_limits, f"key {key_id}", request.client.host if request.client else "")
    raise Unauthenticated("this API key is wrong, has expired or was revoked: make another one", "invalid_token")


def count_attempt(limits: SignInLimits, name: str, address: str) -> None:
    """Count one attempt to prove who one is as failed, until it `succeeded`; raises `TooManyRequests` where it must
    wait."""
    try:
        limits.attempt(name, address)
    except ImageApiError as error:
        raise TooManyRequests(str(error), max(1, limits.retry_after(name, address))) from error


def _token_of(request: HTTPConnection) -> tuple[str, bool]:
    """The token or key of a request, and whether the cookie carries it; a header goes before a cookie."""
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send 'Authorization: Bearer TOKEN' with the token that POST /login answers")
        return token.strip(), False
    if (key := request.headers.get(KEY_HEADER)) is not None:
        if not key.strip().startswith(PREFIX):
            raise Unauthenticated(f"X-API-Key takes a key of imageapi, which begins with {PREFIX}", "invalid_token")
        return key.strip(), False
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("sign in first: POST /login answers a token")
    return token, True


def demand_same_origin(headers: Headers, *, must_state: bool, trusted: Collection[str] = ()) -> None:
    """Refuse what a page of another origin makes a browser send, unless that is a `trusted` one.

    `must_state` refuses also where the request does not say where it comes from: with a cookie only browsers write, and
    they say it.

    Raises:
        Forbidden: it comes from elsewhere.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin in trusted:
        return
    is_stated = site is not None or origin is not None
    same_site = site in {None, "same-origin"}
    same_origin = origin is None or _is_own(origin, headers.get("host", ""))
    if not (same_site and same_origin) or (must_state and not is_stated):
        raise Forbidden("this write does not come from imageapi's own page; other clients send a bearer token")


def _is_own(origin: str, host: str) -> bool:
    """Whether an origin is of the host that was asked; the scheme may differ, because a proxy may end TLS."""
    try:
        found = urlsplit(origin)
        port = _DEFAULT_PORTS.get(found.scheme, 0)
        own = urlsplit(f"//{host}")
        return found.hostname is not None and (found.hostname, found.port or port) == (own.hostname, own.port or port)
    except ValueError:
        return False


def session_cookie(call: Call, issued: IssuedToken) -> str:
    """The `Set-Cookie` that signs a browser in: out of reach for scripts, and sent by this site's own pages alone."""
    seconds = max(0, int((issued.expires_at - datetime.now(UTC)).total_seconds()))
    return _cookie(issued.token, seconds, call)


def no_cookie(call: Call) -> str:
    """The `Set-Cookie` that signs a browser out."""
    return _cookie("", 0, call)


def _cookie(value: str, seconds: int, call: Call) -> str:
    secure = "; Secure" if call.is_secure else ""
    return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"


Role = Literal["viewer", "editor", "admin"]
Username = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
OlderName = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_NAME, description="what clients of before call the username")
]
USERNAME: Final = OneOf(("username", "name"))
"""An account's name, which older clients call `name`."""
Password = Annotated[str, Meta(description="8 to 1024 characters")]
