"""The static page: the files of one folder, each with its type and a tag; nothing outside of what the folder holds at
the start is ever served."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.web.endpoint import has_tag
from adapters.http.web.problems import answer_of, plain_problem

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
"""What a page is made of; other files of the folder are no part of it."""
WELCOME: Final = "welcome.html"
INDEX: Final = "index.html"


def page_routes(folder: Path, threads: anyio.CapacityLimiter) -> Iterator[Route]:
    """A route for each file of the page; `index.html` is what `/` shows, and `welcome.html` is left to `/welcome`."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in TYPES and path.is_file() and name != WELCOME and not name.startswith("."):
            address = "/" if name == INDEX else f"/{name}"
            yield Route(address, _endpoint(path, threads), methods=["GET"])


def file_response(path: Path, headers: Headers) -> Response:
    """One file of the page, or 304 where the client has it."""
    try:
        content = path.read_bytes()
    except OSError:
        return answer_of(plain_problem(404, "this part of the page is not there any more"))
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    given = {"ETag": tag, "Cache-Control": "no-cache"}
    if has_tag(headers, tag):
        return Response(status_code=304, headers=given)
    return Response(content, 200, {**given, "Content-Type": TYPES[path.suffix]})


def _endpoint(path: Path, threads: anyio.CapacityLimiter) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return await anyio.to_thread.run_sync(file_response, path, request.headers, limiter=threads)

    return serve
