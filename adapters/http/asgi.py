"""Where requests come in: every route, the page, the documents, and what holds for all of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import msgspec
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from adapters.http.resources import (
    admin,
    api_keys,
    clusters,
    entities,
    event_feed,
    faces,
    health,
    history,
    image_faces,
    images,
    insights,
    libraries,
    memories,
    operations,
    person_suggestions,
    persons,
    photo_search,
    photos,
    sign_in,
    summaries,
    tags,
    users,
    video,
)
from adapters.http.web import docs, openapi
from adapters.http.web.dependencies import Dependencies
from adapters.http.web.endpoint import LARGEST_ID, THREADS, Endpoint
from adapters.http.web.etags import has_tag, tag_of
from adapters.http.web.gzip import Gzip
from adapters.http.web.metrics import RequestMetrics
from adapters.http.web.page_files import page_routes
from adapters.http.web.problems import answer_of, plain_problem
from adapters.http.web.routes import DeclaredRoute, DeclaredStream
from adapters.http.web.security_headers import SecurityHeaders

MEDIA_HEADERS = ("Range", "If-Range", "Last-Event-ID")
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
RESOURCES = (
    faces.routes,
    image_faces.routes,
    clusters.routes,
    person_suggestions.routes,
    persons.routes,
    photos.routes,
    photo_search.routes,
    memories.routes,
    images.routes,
    video.routes,
    tags.routes,
    insights.routes,
    entities.routes,
    summaries.routes,
    libraries.routes,
    operations.routes,
    history.routes,
    event_feed.routes,
    sign_in.routes,
    users.routes,
    api_keys.routes,
    health.routes,
    admin.routes,
)
"""Every resource, in the order of the documents."""


def declared() -> list[DeclaredRoute]:
    """Every declared route, resource by resource."""
    return [route for resource in RESOURCES for route in resource]


def declared_streams() -> list[DeclaredStream]:
    """Every declared endless route."""
    return [stream for resource in RESOURCES for stream in resource.streams.values()]


def create_http_app(dependencies: Dependencies, lifespan: Lifespan | None = None) -> Starlette:
    """The application over these dependencies. It starts nothing and owns nothing itself: `lifespan` is entered when
    the server starts and left when it stops."""
    threads = anyio.CapacityLimiter(THREADS)
    document, page = _documents(dependencies.version)
    routes: list[BaseRoute] = [
        _fixed("/openapi.json", document, "application/json"),
        _fixed("/docs", page, "text/html; charset=utf-8"),
        _fixed("/docs.css", docs.STYLE.encode(), "text/css; charset=utf-8"),
        *_streams(dependencies, threads),
        *_endpoints(dependencies, threads),
        *page_routes(dependencies.page),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(RequestMetrics, registry=dependencies.metrics, templates=_templates(routes)),
            Middleware(SecurityHeaders),
            *_shared(dependencies.cors_origins),
            Middleware(Gzip),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_problem},
    )
    app.router.redirect_slashes = False
    return app


@functools.cache
def _documents(version: str) -> tuple[bytes, bytes]:
    """The OpenAPI document as JSON, and the page made of it: of the declared routes alone, so once a process."""
    document = openapi.document(declared(), declared_streams(), version)
    return msgspec.json.encode(document), docs.page(document).encode()


def _streams(dependencies: Dependencies, threads: anyio.CapacityLimiter) -> Iterable[Route]:
    for resource in RESOURCES:
        for stream in resource.streams.values():
            yield Route(stream.path, stream.make(dependencies, threads), methods=["GET"])


def _endpoints(dependencies: Dependencies, threads: anyio.CapacityLimiter) -> Iterable[Route]:
    by_path: dict[str, dict[str, DeclaredRoute]] = {}
    for route in declared():
        by_path.setdefault(route.path, {})[route.method] = route
    for path, methods in by_path.items():
        yield Route(re.sub(r"{((?:\w+_)?id)}", r"{\1:id}", path), Endpoint(dependencies, methods, threads))


def _shared(origins: Sequence[str]) -> list[Middleware]:
    """What lets pages of these origins read answers: nothing where there are none. A cookie goes with what named
    origins ask, and writes nowhere but on imageapi's own page."""
    if not origins:
        return []
    named = "*" not in origins
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_credentials=named,
            allow_methods=("GET", "HEAD", "POST", "PATCH", "DELETE"),
            allow_headers=("Authorization", "X-API-Key", "Content-Type", "If-Match", "If-None-Match", *MEDIA_HEADERS),
            expose_headers=("ETag", "Operation-Id", "Retry-After", "Content-Range", "Content-Disposition"),
        )
    ]


def _templates(routes: Iterable[BaseRoute]) -> dict[Any, str]:
    """Each endpoint with its path as it was declared."""
    return {route.endpoint: re.sub(r"{(\w+):id}", r"{\1}", route.path) for route in routes if isinstance(route, Route)}


class IdConvertor(Convertor[int]):
    """Ids in paths: digits alone; more of them than an id can have name nothing, and are never turned into a number."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """The id, or one that is larger than any."""
        return int(value) if len(value) <= 16 else LARGEST_ID + 1

    def to_string(self, value: int) -> str:
        """The id as it stands in a path."""
        return str(value)


register_url_convertor("id", IdConvertor())


def _fixed(path: str, content: bytes, media_type: str) -> Route:
    """A route that always answers the same."""
    tag = tag_of(content)

    async def serve(request: Request) -> Response:
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if has_tag(request.headers, tag):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return Route(path, serve, methods=["GET"])


async def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = f"there is nothing at {request.url.path}" if status == 404 else f"{request.method} is not taken here"
    headers = error.headers if isinstance(error, HTTPException) else None
    return answer_of(plain_problem(status, detail), headers)
