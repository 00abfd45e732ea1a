"""Bytes of files and pictures over HTTP: ranges, tags, and names that cannot be mistaken for anything else.

One range is served; a request for several gets the whole file, which RFC 9110 allows and which keeps a short header
from asking for much work.
"""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.web.authentication import BY_WHOM
from adapters.http.web.disconnect import while_present
from adapters.http.web.etags import has_tag
from adapters.http.web.problems import answer_of, plain_problem, refusal
from adapters.http.web.routes import Call, Reply
from domain.base.errors import ImageApiError, Unavailable
from domain.base.paths import name_of
from domain.events.media import Media

CHUNK: Final = 256 * 1024
PICTURE_SECONDS: Final = 600
"""How long a browser may show a picture it has without asking; what is shown under a path seldom changes."""
TYPES: Final = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "heic": "image/heic",
    "avif": "image/avif",
    "jp2": "image/jp2",
    "jxl": "image/jxl",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "3gp": "video/3gpp",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "wmv": "video/x-ms-wmv",
    "mpeg": "video/mpeg",
    "mpegts": "video/mp2t",
    "ogv": "video/ogg",
    "mxf": "application/mxf",
}
"""Content types by the format that the bytes have. Whatever else (RAW, unknown) goes out as bytes to be saved."""
UNKNOWN: Final = "application/octet-stream"
KEPT: Final = {"Cache-Control": "private, no-cache", "Vary": BY_WHOM}
"""A browser may keep an original, and asks whether it is still the same."""
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def picture(call: Call, key: str, make: Callable[[], bytes]) -> Reply:
    """A JPEG made by imageapi, tagged with what it is made from; `make` is called only where the client lacks it."""
    tag = f'"{key}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"private, max-age={PICTURE_SECONDS}",
        "Vary": BY_WHOM,
        "Content-Disposition": "inline",
    }
    if has_tag(call.headers, tag):
        return Reply(response=Response(status_code=304, headers=headers))
    return Reply(response=Response(make(), 200, headers, media_type="image/jpeg"))


def original(call: Call, media: Media, known_format: str | None) -> Reply:
    """A file of a library itself, with ranges; tagged with its content's hash as long as it is what was indexed.

    Raises:
        NotFound, Unavailable: as `Dependencies.open_original`.
    """
    descriptor = call.dependencies.open_original(media.library_id, media.path)
    facts = os.fstat(descriptor)
    is_indexed = (facts.st_size, facts.st_mtime_ns) == (media.size, media.mtime_ns)
    content = (media.content_hash or b"").hex()
    tag = content if is_indexed else f"{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"
    if has_tag(call.headers, f'"{tag}"'):
        os.close(descriptor)
        return Reply(response=Response(status_code=304, headers={"ETag": f'"{tag}"', **KEPT}))
    kind = TYPES.get(known_format or "", UNKNOWN)
    headers = {
        "ETag": f'"{tag}"',
        **KEPT,
        "Content-Type": kind,
        "Content-Disposition": disposition(name_of(media.path), inline=kind != UNKNOWN),
    }
    return Reply(response=FileResponse(descriptor, call.headers, headers))


def motion(call: Call, media: Media) -> Reply:
    """The video in a photo's file, with ranges, where the file is the one that was indexed.

    Raises:
        NotFound, Unavailable: as `Dependencies.open_original`; the latter also where the file was replaced.
    """
    descriptor = call.dependencies.open_original(media.library_id, media.path)
    facts = os.fstat(descriptor)
    if (facts.st_size, facts.st_mtime_ns) != (media.size, media.mtime_ns):
        os.close(descriptor)
        raise Unavailable("the file was replaced: the next scan will say by what")
    tag = f'"{(media.content_hash or b"").hex()}-motion"'
    headers = {"ETag": tag, **KEPT, "Content-Type": TYPES["mp4"]}
    if has_tag(call.headers, tag):
        os.close(descriptor)
        return Reply(response=Response(status_code=304, headers=headers))
    part = (media.motion_at or 0, media.motion_bytes or 0)
    return Reply(response=FileResponse(descriptor, call.headers, headers, part))


def disposition(name: str, *, inline: bool) -> str:
    """`Content-Disposition` for a file of this name (RFC 6266): shown, or saved under its name."""
    plain = re.sub(r"[^ !#$&+.0-9A-Z^_`a-z|~()\[\]{}@,=-]", "_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


class WaitedFor(Response):
    """A response that takes long to make: `make` runs in a thread, and is told when the client is gone."""

    def __init__(self, make: Callable[[Callable[[], bool]], Response]) -> None:
        """`make` blocks; what it is given says whether the client left."""
        super().__init__()
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the response, then answer with it; an error is answered as the problem that it is."""
        left = threading.Event()

        def made() -> Response:
            try:
                return self._make(left.is_set)
            except ImageApiError as error:
                return refusal(error)

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            response = await anyio.to_thread.run_sync(made)
            tasks.cancel_scope.cancel()
        await response(scope, receive, send)


class FileResponse(Response):
    """A file by its descriptor, which this closes; whole, or the one range that was asked for."""

    def __init__(
        self, descriptor: int, headers: Headers, given: dict[str, str], part: tuple[int, int] | None = None
    ) -> None:
        """`headers` are the request's; `given` those of the answer, with its `ETag` and `Content-Type`. Where a `part`
        is given, as its place in the file and its bytes, that is what is served as if it were a file."""
        super().__init__(status_code=200, headers={**given, "Accept-Ranges": "bytes"})
        del self.headers["content-length"]
        self._file = open(descriptor, "rb", buffering=0)  # noqa: SIM115 - closed in __call__
        self._begin, self._size = part or (0, os.fstat(descriptor).st_size)
        self._first, self._length = 0, self._size
        self._refused = False
        wanted = headers.get("range")
        unchanged = headers.get("if-range") in {None, given["ETag"]}
        if wanted is not None and unchanged:
            self._narrow(wanted)
        self.headers["content-length"] = str(self._length)

    def _narrow(self, wanted: str) -> None:
        match = _RANGE.fullmatch(wanted.strip())
        if match is None or match[1] == match[2] == "":
            return  # several ranges, another unit or nonsense: the whole file
        if match[1] == "":
            first, last = max(0, self._size - int(match[2])), self._size - 1
        else:
            first, last = int(match[1]), min(int(match[2] or self._size), self._size - 1)
            if match[2] and int(match[2]) < first:
                return
        if first >= self._size or last < first:
            self._refused = True
            return
        self._first, self._length = first, last - first + 1
        self.status_code = 206
        self.headers["content-range"] = f"bytes {first}-{last}/{self._size}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the bytes, read in threads, until they end or the client leaves."""
        with self._file:
            if self._refused:
                problem = plain_problem(416, f"the file has {self._size} bytes")
                await answer_of(problem, {"Content-Range": f"bytes */{self._size}"})(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if self._length == 0 or scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await while_present(receive, functools.partial(self._send_bytes, send))

    async def _send_bytes(self, send: Send) -> None:
        at, left = self._begin + self._first, self._length
        while left > 0:
            chunk = await anyio.to_thread.run_sync(os.pread, self._file.fileno(), min(CHUNK, left), at)
            if not chunk:
                return  # the file became shorter: the connection ends too early, and the client sees that
            at, left = at + len(chunk), left - len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
