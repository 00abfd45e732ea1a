"""A face engine offered over HTTP, under the contract of `wire`: what `imageapi faces serve` runs.

It keeps nothing: pictures are measured and forgotten.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar, cast

import anyio
import anyio.to_thread
import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.face_engines import wire
from adapters.face_engines.stated_thresholds import StatedThresholds
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box
from domain.ports.face_engine import FaceEngine, dimensions_of

T = TypeVar("T")

MAX_BODY_BYTES = 64 * 2**20
_MAX_META_BYTES = 64 * 2**10
_WHOLE_PICTURE = Box(0.0, 0.0, 1.0, 1.0)
_RETRY_SECONDS = "10"


def faces_app(engine: FaceEngine, key: str | None = None, *, max_body_bytes: int = MAX_BODY_BYTES) -> Starlette:
    """An application that answers `detect`, `embed` and `model` with `engine`, whose calls run in threads.

    With a `key`, every request needs `Authorization: Bearer <key>`. Bodies above `max_body_bytes` get 413, what the
    engine calls unreadable 422, an engine that cannot answer now 503, a request that is no such multipart 400.
    """

    async def detect(request: Request) -> Response:
        picture, _ = await _parts(request)
        found = await anyio.to_thread.run_sync(engine.detect, picture)
        faces = [
            wire.FaceAnswer(
                face.box,
                face.confidence,
                wire.encoded_vector(face.vector),
                dimensions=dimensions_of(face.vector),
                quality=wire.encoded_quality(face.quality),
            )
            for face in found.faces
        ]
        return _json(wire.DetectAnswer(found.model_version, faces))

    async def embed(request: Request) -> Response:
        picture, meta = await _parts(request)
        try:
            box = msgspec.json.decode(meta, type=wire.EmbedMeta).bbox or _WHOLE_PICTURE
        except msgspec.DecodeError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"The part 'meta' is wrong: {error}.") from error
        embedding = await anyio.to_thread.run_sync(engine.embed, picture, box)
        vector, dimensions = wire.encoded_vector(embedding.vector), dimensions_of(embedding.vector)
        return _json(
            wire.EmbedAnswer(embedding.model_version, vector, dimensions, wire.encoded_quality(embedding.quality))
        )

    async def model(_: Request) -> Response:
        version = await anyio.to_thread.run_sync(lambda: engine.model_version)
        return _json(wire.ModelAnswer(version, StatedThresholds.of(engine.thresholds), accepts_bbox=True))

    return Starlette(
        routes=[
            Route(wire.DETECT, detect, methods=["POST"]),
            Route(wire.EMBED, embed, methods=["POST"]),
            Route(wire.MODEL, model, methods=["GET"]),
        ],
        middleware=[Middleware(_Gate, key=key, max_body_bytes=max_body_bytes)],
        exception_handlers={
            HTTPException: _http_problem,
            Unreadable: _problem_of(HTTPStatus.UNPROCESSABLE_ENTITY),
            Unavailable: _problem_of(HTTPStatus.SERVICE_UNAVAILABLE),
        },
    )


async def _parts(request: Request) -> tuple[bytes, bytes]:
    """The picture and the meta JSON of a request."""
    async with request.form(max_files=2, max_fields=8, max_part_size=_MAX_META_BYTES) as form:
        file, meta = form.get("file"), form.get("meta", "{}")
        if not isinstance(file, UploadFile):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "Send multipart/form-data with the picture as the file 'file'.")
        return await file.read(), (await meta.read() if isinstance(meta, UploadFile) else meta.encode())


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(wire.ProblemDetails(status.phrase, status, detail))
    return Response(body, status, headers, media_type="application/problem+json")


def _problem_of(status: HTTPStatus) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_: Request, error: Exception) -> Response:
        headers = {"Retry-After": _RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
        return _problem(status, str(error), headers)

    return answer


async def _http_problem(_: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)  # Starlette's type of a handler does not say what it is registered for
    return _problem(HTTPStatus(refusal.status_code), refusal.detail, dict(refusal.headers or {}))


class _Gate:
    """Lets in who has the key, and bodies up to the limit.

    A refused body is read to its end, up to four times the limit, and thrown away: else the sender, still busy
    sending, would see a broken connection instead of the answer.
    """

    def __init__(self, app: ASGIApp, key: str | None, max_body_bytes: int) -> None:
        self._app = app
        self._key = key
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers)
        if refusal is not None:
            await self._drain(receive)
            await refusal(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                await self._drain(receive)
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large())
            return message

        await self._app(scope, counted, send)

    def _refusal(self, headers: Headers) -> Response | None:
        given = headers.get("authorization", "")
        if self._key and not hmac.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            detail = "This face service needs its key, as 'Authorization: Bearer KEY'."
            return _problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._limit:
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large())
        return None

    def _too_large(self) -> str:
        return f"The picture is larger than the {self._limit / 2**20:g} MB that this face service takes."

    async def _drain(self, receive: Receive) -> None:
        dropped = 0
        while dropped <= 4 * self._limit:
            message = await receive()
            dropped += len(message.get("body", b""))
            if not message.get("more_body", False):
                return
