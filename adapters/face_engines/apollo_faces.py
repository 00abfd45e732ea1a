"""The face engine that is a service elsewhere: Apollo, or another machine's `imageapi faces serve`.

A service's errors come in three kinds. It says that this picture can never be used: `Unreadable`. It cannot answer
now, or the address or key is wrong: `Unavailable`, whose text says what to do; nothing is marked and the picture's turn
comes again. It answers what is no face answer: `Unavailable` too: the picture is not to blame.
"""

from __future__ import annotations

import contextlib
import math
import socket
import struct
import threading
import time
import weakref
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from adapters.face_engines import wire
from adapters.face_engines.cropping import Crop
from domain.base.errors import Unavailable, Unreadable
from domain.base.geometry import Box, clamped
from domain.ports.face_engine import DetectedFace, Detection, Embedding, Thresholds

T = TypeVar("T")

# The defaults of Apollo's ArcFace (its contract with imageapi); a service that names its own is believed.
APOLLO_THRESHOLDS = Thresholds(autobind=0.40, offer=0.35, preselect=0.50, cluster=0.45)

ASK_AGAIN_SECONDS = 3600.0
"""For so long a service is believed that it has this model, and takes, or does not take, the box of a face beside the
picture."""
_SHUT_DOWN = "The face engine is shut down."
_CONNECT_SECONDS = 5.0
_MAX_ANSWER_BYTES = 16 * 2**20
_MAX_DETAIL = 300
_BOX_TOLERANCE = 0.5
_SETTINGS = "APOLLO_FACE_API_BASE_URL (or APOLLO_API_BASE_URL)"


class ApolloEngine:
    """`domain.ports.FaceEngine` on a face service at `base_url`; thread-safe.

    `crop` cuts a drawn face out for a service that takes no boxes. `seconds` bounds one request
    (FACE_DETECT_TIMEOUT_SEC), `key` goes along as a bearer token. No redirect is followed and no proxy taken from the
    environment: pictures go to the configured host and nowhere else.
    """

    def __init__(
        self,
        base_url: str,
        crop: Crop,
        *,
        key: str | None = None,
        seconds: float = 60.0,
        ask_again_seconds: float = ASK_AGAIN_SECONDS,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._crop = crop
        self._seconds = seconds
        self._ask_again_seconds = ask_again_seconds
        self._version: str | None = None
        self._thresholds = APOLLO_THRESHOLDS
        self._takes_boxes = False
        self._asked: float | None = None
        self._learning = threading.Lock()
        self._closed = threading.Event()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(seconds, connect=min(_CONNECT_SECONDS, seconds)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
            trust_env=False,
        )

    @property
    def model_version(self) -> str:
        """The model that the service last answered with; it is asked where none has answered yet, and now and then
        whether it has another one by now.

        Raises:
            Unavailable: it cannot be reached, or does not say, and never did.
        """
        with self._learning:
            if self._version is None:
                offered = self._offered_model()
                version = offered.model_version if offered else self._version_by_a_blank_picture()
                return self._remember(version, offered)
            known, is_due = self._version, self._is_due
            if is_due:
                self._asked = time.monotonic()
        return self._asked_again(known) if is_due else known

    @property
    def thresholds(self) -> Thresholds:
        """Those that the service names for its model, else Apollo's."""
        return self._thresholds

    def detect(self, picture: bytes) -> Detection:
        """Find and embed the faces on an encoded picture.

        Raises:
            Unreadable: the service says that this picture can never be used.
            Unavailable: it did not answer, or not with faces; the text says what to do.
        """
        answer = self._post(wire.DETECT, picture, b"{}", wire.DetectAnswer)
        try:
            faces = tuple(_face(face) for face in answer.faces)
        except ValueError as error:
            raise self._malformed(f"its model {answer.model_version}: {error}") from error
        self._notice(answer.model_version)
        return Detection(answer.model_version, faces)

    def embed(self, picture: bytes, box: Box) -> Embedding:
        """Embed the face in `box` of the whole encoded picture.

        A service that says that it takes boxes is sent the picture with the box; any other one the crop, since it would
        embed whoever else is on the picture.

        Raises:
            Unreadable: the service cannot use this picture or what is in the box.
            Unavailable: as `detect`.
        """
        meta = b"{}"
        if self._accepts_boxes():
            meta = msgspec.json.encode(wire.EmbedMeta(box))
        else:
            picture = self._crop(picture, box)
        answer = self._post(wire.EMBED, picture, meta, wire.EmbedAnswer)
        try:
            vector = wire.decoded_vector(answer.embedding, answer.dimensions)
        except ValueError as error:
            raise self._malformed(f"its model {answer.model_version}: {error}") from error
        self._notice(answer.model_version)
        return Embedding(answer.model_version, vector, wire.decoded_quality(answer.quality))

    def close(self) -> None:
        """Close the connections; calls that wait for an answer fail at once with `Unavailable`."""
        self._closed.set()
        for open_ in [*self._sockets]:
            _hang_up(open_)
        self._client.close()

    def _trace(self, event: str, details: Mapping[str, Any]) -> None:
        """Keep each new connection's socket: closing a connection does not end another thread's wait for an answer,
        shutting its socket down does. httpcore documents the events."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            opened: socket.socket = details["return_value"].get_extra_info("socket")
            self._sockets.add(opened)
            if self._closed.is_set():
                _hang_up(opened)

    def _notice(self, version: str) -> None:
        """Remember the model behind an answer, with its own thresholds where it is a new one."""
        with self._learning:
            if version != self._version:
                self._remember(version, self._offered_model())

    def _remember(self, version: str, offered: wire.ModelAnswer | None) -> str:
        if not version:
            raise self._malformed("it does not name its model")
        named = offered.thresholds if offered and offered.model_version == version else None
        self._thresholds = named.resolved() if named else APOLLO_THRESHOLDS
        self._version = version
        return version

    @property
    def _is_due(self) -> bool:
        return self._asked is None or time.monotonic() - self._asked >= self._ask_again_seconds

    def _asked_again(self, known: str) -> str:
        """The model that the service has by now; the `known` one where it does not say. Nobody else waits for it."""
        with contextlib.suppress(Unavailable, Unreadable):
            offered = self._offered_model()
            if offered is not None and offered.model_version not in {"", known}:
                with self._learning:
                    return self._remember(offered.model_version, offered)
        return known

    def _accepts_boxes(self) -> bool:
        """Whether the service takes the box of a face beside the whole picture, asked again now and then: another one
        may stand at the address by then. One that does not say takes none."""
        with self._learning:
            if self._is_due:
                self._offered_model()
            return self._takes_boxes

    def _offered_model(self) -> wire.ModelAnswer | None:
        """What the service says of its model, or None where it has no route for that (Apollo has none)."""
        status, body = self._exchange("GET", wire.MODEL)
        has_none = status in {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}
        offered = None if has_none else self._read(status, body, wire.ModelAnswer)
        self._takes_boxes = offered is not None and offered.accepts_bbox
        self._asked = time.monotonic()
        return offered

    def _version_by_a_blank_picture(self) -> str:
        try:
            return self._post(wire.DETECT, _blank_png(), b"{}", wire.DetectAnswer).model_version
        except Unreadable as error:
            raise self._malformed(f"it refuses a blank picture: {error}") from error

    def _post(self, path: str, picture: bytes, meta: bytes, answer: type[T]) -> T:
        parts = {"file": ("picture", picture, _media_type(picture)), "meta": (None, meta, "application/json")}
        return self._read(*self._exchange("POST", path, parts), answer)

    def _exchange(self, method: str, path: str, files: object = None) -> tuple[int, bytes]:
        """Status and body of one request, held to the time and size that an answer may take."""
        deadline = time.monotonic() + self._seconds
        if self._closed.is_set():
            raise Unavailable(_SHUT_DOWN)
        body = bytearray()
        watch = {"trace": self._trace}
        try:
            with self._client.stream(method, self._base + path, files=files, extensions=watch) as response:  # type: ignore[arg-type]  # httpx's type for files is private
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise self._malformed(f"it sends more than {_MAX_ANSWER_BYTES >> 20} MB")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("the answer never ends")
                return response.status_code, bytes(body)
        except httpx.InvalidURL as error:
            raise self._no_address(error) from error
        except (httpx.RequestError, RuntimeError) as error:  # a client that was closed meanwhile raises RuntimeError
            raise self._unreached(error) from error

    def _unreached(self, error: httpx.RequestError | RuntimeError) -> Exception:
        """Why there was no answer, in words."""
        if self._closed.is_set():
            return Unavailable(_SHUT_DOWN)
        match error:
            case httpx.TimeoutException():
                return Unavailable(
                    f"The face service at {self._base} did not answer within {self._seconds:g} s: see whether it is "
                    "overloaded, or raise FACE_DETECT_TIMEOUT_SEC."
                )
            case httpx.UnsupportedProtocol():
                return self._no_address(error)
            case httpx.RequestError():
                return Unavailable(
                    f"The face service at {self._base} cannot be reached ({error}): see whether it runs, and whether "
                    f"{_SETTINGS} is right."
                )
            case _:
                return error  # not the network's doing

    def _no_address(self, error: Exception) -> Unavailable:
        return Unavailable(f"{self._base!r} is no address of a face service ({error}): correct {_SETTINGS}.")

    def _read(self, status: int, body: bytes, answer: type[T]) -> T:
        """The answer in `body`, or the error that the status stands for."""
        if status == httpx.codes.OK:
            try:
                return msgspec.json.decode(body, type=answer)
            except msgspec.DecodeError as error:
                raise self._malformed(str(error)) from error
        detail = _detail(body)
        match status:
            case 413 | 415 | 422:
                raise Unreadable(detail or f"the face service refuses this picture (status {status})")
            case 401 | 403:
                raise Unavailable(
                    f"The face service at {self._base} refuses the key (status {status}): correct the key."
                )
            case 404 | 405:
                raise Unavailable(f"There is no face service at {self._base} (status {status}): correct {_SETTINGS}.")
            case _:
                reason = f": {detail}" if detail else ""
                raise Unavailable(f"The face service at {self._base} answered with status {status}{reason}")

    def _malformed(self, what: str) -> Unavailable:
        return Unavailable(
            f"What answers at {self._base} does not speak the face contract ({what}): see whether {_SETTINGS} is right "
            "and the service's version fits."
        )


def _hang_up(opened: socket.socket) -> None:
    """End a connection under whoever waits on it; it may have ended already."""
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


def _face(face: wire.FaceAnswer) -> DetectedFace:
    sides = (face.bbox.x, face.bbox.y, face.bbox.w, face.bbox.h)
    if not all(math.isfinite(side) and -_BOX_TOLERANCE <= side <= 1 + _BOX_TOLERANCE for side in sides):
        raise ValueError("a box is not normalised to 0..1")
    box = clamped(face.bbox)
    if box.w <= 0 or box.h <= 0:
        raise ValueError("a box is empty or off the picture")
    if not 0 <= face.confidence <= 1:
        raise ValueError("a confidence is not within 0..1")
    vector = wire.decoded_vector(face.embedding, face.dimensions)
    return DetectedFace(box, face.confidence, vector, wire.decoded_quality(face.quality))


def _detail(body: bytes) -> str:
    """What an error's body says for people: its `detail` where that is text, cut to a sensible length."""
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return detail[:_MAX_DETAIL] if isinstance(detail, str) else ""


def _media_type(picture: bytes) -> str:
    if picture.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture[8:12] == b"WEBP" else "application/octet-stream"


def _blank_png(side: int = 64) -> bytes:
    """A grey picture without a face, after the PNG specification (RFC 2083)."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = (b"\x00" + b"\x80" * side) * side
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
