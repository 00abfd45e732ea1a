"""From a request to a route and back: reads, identifies, checks, runs in a thread, and answers.

The event loop only moves bytes: identifying the user asks the database, so it happens in the thread too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import anyio
import anyio.to_thread
import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.web.authentication import BY_WHOM, NOBODY, Identity, demand_same_origin, identify
from adapters.http.web.dependencies import Dependencies
from adapters.http.web.etags import has_tag, tag_of
from adapters.http.web.problems import (
    BadRequest,
    FieldError,
    Invalid,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    WrongMediaType,
    answer_of,
    plain_problem,
    refusal,
)
from adapters.http.web.routes import Call, DeclaredRoute, Reply
from adapters.http.web.validation import body_of, query_of
from domain.base.errors import ImageApiError, NotFound

MOST_BODY_BYTES: Final = 2**20
THREADS: Final = 32
"""Requests worked on at once: more than the database has readers, so that a few slow ones hold up nobody."""
LARGEST_ID: Final = 2**53 - 1
"""Clients hold ids in double-precision numbers."""


class DryRun(msgspec.Struct):
    """The parameter that every write to persons, faces and tags takes."""

    dry_run: bool = False


class NoParameters(msgspec.Struct):
    """The query of a route that takes no parameters: one that is given would be ignored, which nobody means."""


class Endpoint:
    """The ASGI application of one path: its declared routes by method."""

    def __init__(
        self, dependencies: Dependencies, routes: Mapping[str, DeclaredRoute], threads: anyio.CapacityLimiter
    ) -> None:
        self._dependencies = dependencies
        self._routes = routes
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        declared = self._routes.get(request.method)
        if declared is None and request.method == "HEAD":
            declared = self._routes.get("GET")
        if declared is None:
            allowed = sorted({*self._routes, *(["HEAD"] if "GET" in self._routes else [])})
            detail = f"{scope['path']} takes {', '.join(allowed)}, not {request.method}"
            await answer_of(plain_problem(405, detail), {"Allow": ", ".join(allowed)})(scope, receive, send)
            return
        try:
            raw = await _body(request) if declared.body is not None else b""
        except ImageApiError as error:
            await refusal(error)(scope, receive, send)
            return
        response = await anyio.to_thread.run_sync(self._run, declared, request, raw, limiter=self._threads)
        await response(scope, receive, send)

    def _run(self, declared: DeclaredRoute, request: Request, raw: bytes) -> Response:
        try:
            return _response(self._answer(declared, request, raw), request)
        except ImageApiError as error:
            return refusal(error)

    def _answer(self, declared: DeclaredRoute, request: Request, raw: bytes) -> Reply:
        who = _who(self._dependencies, declared, request)
        given, dry_run = _inputs(declared, request, raw)
        call = Call(
            dependencies=self._dependencies,
            headers=request.headers,
            method=request.method,
            address=request.client.host if request.client else "",
            is_secure=request.url.scheme == "https",
            actor=who.actor,
            user=who.user,
            expected=_expected(request.headers) if declared.versioned else None,
            dry_run=dry_run,
        )
        return declared.run(call, **given)


def _who(dependencies: Dependencies, declared: DeclaredRoute, request: Request) -> Identity:
    """Who asks, where the route's role and the request's origin allow it."""
    writes = request.method not in {"GET", "HEAD"}
    if declared.role is None:
        if writes:
            demand_same_origin(request.headers, must_state=False, trusted=dependencies.cors_origins)
        try:
            return identify(dependencies, request)
        except (Unauthenticated, TooManyRequests):
            return NOBODY
    who = identify(dependencies, request)
    if writes and who.by_cookie:
        demand_same_origin(request.headers, must_state=True)
    who.actor.require(declared.role)
    return who


def _inputs(declared: DeclaredRoute, request: Request, raw: bytes) -> tuple[dict[str, Any], bool]:
    """What the route's function is given beside the call, and whether it is a dry run.

    Raises:
        Invalid: names all that cannot be in the query and in the body.
    """
    given = _path_values(request)
    dry_run = False
    query = request.scope["query_string"]
    errors: list[FieldError] = []
    try:
        if declared.rehearses:
            query, dry_run = _without_dry_run(query)
        parameters = query_of(query, declared.query or NoParameters)
        if declared.query is not None:
            given["query"] = parameters
    except Invalid as error:
        errors += error.errors
    if declared.body is not None:
        try:
            given["body"] = body_of(raw, declared.body)
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(tuple(errors))
    return given, dry_run


def _path_values(request: Request) -> dict[str, Any]:
    values = dict(request.path_params)
    for name, value in values.items():
        if isinstance(value, int) and value > LARGEST_ID:
            raise NotFound(f"there is nothing with the {name} {value}")
    return values


def _without_dry_run(query: bytes) -> tuple[bytes, bool]:
    """The query string without `dry_run`, and what that says; without a value it says yes, so that what was meant as a
    rehearsal never writes."""
    pairs = [pair for pair in query.split(b"&") if pair]
    own = [pair for pair in pairs if _name_of(pair) == "dry_run"]
    rest = b"&".join(pair for pair in pairs if _name_of(pair) != "dry_run")
    if len(own) == 1 and not own[0].partition(b"=")[2]:
        return rest, True
    return rest, query_of(b"&".join(b"dry_run=" + pair.partition(b"=")[2] for pair in own), DryRun).dry_run


def _name_of(pair: bytes) -> str:
    return unquote_plus(pair.partition(b"=")[0].decode("latin-1"))


def _expected(headers: Headers) -> int | None:
    """The version in `If-Match`, which is written as `"<version>"`.

    Raises:
        BadRequest: it is written in another way.
    """
    given = headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    text = given.strip()
    digits = text[1:-1]
    quoted = len(text) > 2 and text[0] == text[-1] == '"'
    if not (quoted and digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise BadRequest(f'If-Match takes the "version" of the thing in quotes, such as "3"; {given} is not one')
    return int(digits)


async def _body(request: Request) -> bytes:
    """The body of a request.

    Raises:
        WrongMediaType: it is not called JSON in UTF-8.
        TooLarge: it has more than `MOST_BODY_BYTES`.
    """
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"') if "charset" in parameters else "utf-8"
    if kind.strip() != "application/json" or charset not in {"utf-8", "utf8"}:
        raise WrongMediaType("send the body as application/json in UTF-8")
    chunks: list[bytes] = []
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > 4 * MOST_BODY_BYTES:
            break
        if taken <= MOST_BODY_BYTES:
            chunks.append(chunk)
    if taken > MOST_BODY_BYTES:
        raise TooLarge(f"a body has at most {MOST_BODY_BYTES} bytes here: send less at once")
    return b"".join(chunks)


def _response(answer: Reply, request: Request) -> Response:
    """The response of an answer: JSON with a tag of the representation, 304 where the client has it already."""
    if answer.response is not None:
        return answer.response
    headers = {"Cache-Control": "private, no-cache", **answer.headers}
    if answer.content is None:
        return Response(status_code=answer.status, headers=headers)
    body = msgspec.json.encode(answer.content)
    if request.method in {"GET", "HEAD"} and answer.status == 200 and headers["Cache-Control"] != "no-store":
        tag = tag_of(body)
        headers |= {"ETag": tag, "Vary": BY_WHOM}
        if has_tag(request.headers, tag):
            return Response(status_code=304, headers=headers)
    return Response(body, answer.status, headers, media_type="application/json")
