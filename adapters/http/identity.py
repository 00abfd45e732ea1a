"""Who asks: the bearer token or cookie of a request, checked against the user's row; and where the request came
from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from adapters.http.declaring import Call
from adapters.http.parts import IssuedToken, Parts
from adapters.http.problems import Unauthenticated
from domain.account import User
from domain.actor import Actor, system
from domain.commands.accounts import actor_of
from domain.errors import AdapterError, Forbidden, ImageApiError

COOKIE: Final = "imageapi"
_LOOKING: Final = system("http")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Identity:
    """Who asks, and whether a cookie says so."""

    actor: Actor
    user: User | None
    by_cookie: bool


NOBODY: Final = Identity(Actor("nobody", "viewer", frozenset()), None, by_cookie=False)


def identify(parts: Parts, request: HTTPConnection) -> Identity:
    """Who sent a request.

    Raises:
        Unauthenticated: nobody that is known, or in a session that has ended.
        Unavailable: the database cannot say.
    """
    token, by_cookie = _token_of(request)
    try:
        claims = parts.accounts.tokens.verify(token)
    except AdapterError:
        raise
    except ImageApiError as error:
        raise Unauthenticated(str(error), "invalid_token") from error
    with parts.ledger.reading(_LOOKING) as tables:
        user = tables.users.get(claims.user_id)
    if user is None or user.epoch != claims.epoch:
        raise Unauthenticated("this session has ended: sign in again", "invalid_token")
    return Identity(actor_of(user), user, by_cookie)


def _token_of(request: HTTPConnection) -> tuple[str, bool]:
    """The token of a request, and whether the cookie carries it; a header goes before a cookie."""
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send 'Authorization: Bearer TOKEN' with the token that POST /login answers")
        return token.strip(), False
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("sign in first: POST /login answers a token")
    return token, True


def demand_same_origin(headers: Headers, *, must_tell: bool) -> None:
    """Refuse what a page of another origin makes a browser send.

    `must_tell` refuses also where the request does not say where it comes from: with a cookie only browsers write, and
    they say it.

    Raises:
        Forbidden: it comes from elsewhere.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    told = site is not None or origin is not None
    same_site = site in {None, "same-origin"}
    same_origin = origin is None or _is_own(origin, headers.get("host", ""))
    if not (same_site and same_origin) or (must_tell and not told):
        raise Forbidden("this write does not come from imageapi's own page; other clients send a bearer token")


def _is_own(origin: str, host: str) -> bool:
    """Whether an origin is of the host that was asked; the scheme may differ, because a proxy may end TLS."""
    try:
        found = urlsplit(origin)
        port = _DEFAULT_PORTS.get(found.scheme, 0)
        asked = urlsplit(f"//{host}")
        return found.hostname is not None and (found.hostname, found.port or port) == (
            asked.hostname,
            asked.port or port,
        )
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
