"""The static page: the files of one folder by Starlette's `StaticFiles`; nothing outside of what the folder holds at
the start is ever served."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from domain.base.errors import NotFound

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
"""What a page is made of, with the types that are right on every system; other files of the folder are no part of
it."""
WELCOME: Final = "welcome.html"
INDEX: Final = "index.html"


class PageFiles(StaticFiles):
    """The files of the page, each under its type, which a browser asks about each time."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or 304 where the client has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        if isinstance(response, FileResponse):
            response.headers["Content-Type"] = TYPES[Path(full_path).suffix]
            response.chunk_size = stat_result.st_size + 1  # in one piece, which alone is compressed
        return response


def page_routes(folder: Path) -> Iterator[Route]:
    """A route for each file of the page; `index.html` is what `/` shows, and `welcome.html` is left to `/welcome`."""
    files = PageFiles(directory=folder)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in TYPES and path.is_file() and name != WELCOME and not name.startswith("."):
            address = "/" if name == INDEX else f"/{name}"
            yield Route(address, functools.partial(_serve, files, name), methods=["GET"])


async def _serve(files: PageFiles, name: str, request: Request) -> Response:
    return await files.get_response(name, request.scope)


def page_file(folder: Path, name: str, headers: Headers) -> Response:
    """One file of the page to who sent these headers; `NotFound` where it is not there any more."""
    files = PageFiles(directory=folder)
    path, found = files.lookup_path(name)
    if found is None:
        raise NotFound("this part of the page is not there any more")
    return files.file_response(path, found, {"type": "http", "headers": headers.raw})
