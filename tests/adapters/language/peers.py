"""A peer on a real socket that does exactly what a test says, well or badly: answer, hang, cut a line, drop dead."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from domain.base.errors import ImageApiError
from domain.ports.language_model import Chat, Completion, Delta, LanguageModel, Message, Role, TextDelta

T = TypeVar("T")


@dataclass
class Asked:
    """A request that came, and the line on which it is answered."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    line: socket.socket

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    def answer(self, body: object = b"", status: int = 200, **headers: str) -> None:
        """A whole response; what is not bytes is sent as JSON. `_` in a header's name stands for `-`."""
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        told = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        head = "".join(f"{name}: {text}\r\n" for name, text in told.items())
        self.line.sendall(
            f"HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {len(sent)}\r\n{head}\r\n".encode() + sent
        )

    def begin(self, media_type: str) -> None:
        """The head of a response that comes in chunks."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.line.sendall(head.encode())

    def chunk(self, body: bytes) -> None:
        """A chunk; an empty one ends the response."""
        self.line.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n")

    def lines(self, *said: object) -> None:
        """A whole stream of JSON lines; bytes are sent as they are."""
        self.begin("application/x-ndjson")
        for each in said:
            self.chunk(each if isinstance(each, bytes) else msgspec.json.encode(each) + b"\n")
        self.chunk(b"")

    def events(self, *said: object) -> None:
        """A whole stream of events; bytes are sent as they are."""
        self.begin("text/event-stream")
        for each in said:
            self.chunk(each if isinstance(each, bytes) else b"data: " + msgspec.json.encode(each) + b"\n\n")
        self.chunk(b"")

    def seconds_until_gone(self) -> float:
        """How long it takes until the client hangs up, 10 s at most."""
        begun = time.monotonic()
        self.line.settimeout(10)
        try:
            while self.line.recv(4096):
                pass
        except OSError:
            pass
        return time.monotonic() - begun


Script = Callable[[Asked], None]


@dataclass
class Peer:
    """A server on a port of its own that follows `script`; `asked` are the requests that came."""

    script: Script
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._serve)]
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads[0].start()

    def paths(self) -> list[str]:
        """The paths that were asked for, in their order."""
        return [asked.path for asked in self.asked]

    def to(self, path: str) -> list[Asked]:
        """The requests for one path."""
        return [asked for asked in self.asked if asked.path == path]

    def close(self) -> None:
        """Stop listening, and wait until every script has ended."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for asked in self.asked:
            asked.line.close()
        for thread in list(self._threads):
            thread.join(15)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, line: socket.socket) -> None:
        with line:
            line.settimeout(10)
            try:
                asked = _read(line)
                if asked is not None:
                    self.asked.append(asked)
                    self.script(asked)
            except OSError:
                return  # the client hung up, or the test is over


def _read(line: socket.socket) -> Asked | None:
    held = b""
    while b"\r\n\r\n" not in held:
        got = line.recv(65536)
        if not got:
            return None
        held += got
    head, _, body = held.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): text for name, _, text in (each.partition(": ") for each in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += line.recv(65536)
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body, line)


def unreachable() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        return f"http://127.0.0.1:{once.getsockname()[1]}"


# What a test asks and is told


def question(text: str = "What is on the photo?", **more: Any) -> Chat:
    """A conversation of one message."""
    return Chat((Message(Role.USER, text),), **more)


@dataclass
class Told:
    """What came of a chat: its deltas, and the error that ended it."""

    deltas: list[Delta]
    error: ImageApiError | None

    @property
    def text(self) -> str:
        """The text that a user saw."""
        return "".join(delta.text for delta in self.deltas if isinstance(delta, TextDelta))

    @property
    def answer(self) -> Completion:
        """The answer at the end."""
        assert self.error is None, self.error
        last = self.deltas[-1]
        assert isinstance(last, Completion)
        assert sum(isinstance(delta, Completion) for delta in self.deltas) == 1
        return last


def tell(model: LanguageModel, chat: Chat | None = None) -> Told:
    """Ask, and read to the end."""

    async def read() -> Told:
        deltas: list[Delta] = []
        try:
            async with aclosing(model.chat(chat or question())) as stream:
                async for delta in stream:
                    deltas.append(delta)  # noqa: PERF401 - what came before an error counts
        except ImageApiError as error:
            return Told(deltas, error)
        return Told(deltas, None)

    return asyncio.run(read())


async def all_of(stream: AsyncGenerator[T, None]) -> list[T]:
    """Everything that a stream yields."""
    async with aclosing(stream):
        return [each async for each in stream]


def texts(words: Iterable[str]) -> list[dict[str, Any]]:
    """An Ollama stream that says these words."""
    said: list[dict[str, Any]] = [{"message": {"role": "assistant", "content": word}, "done": False} for word in words]
    return [*said, {"model": "llama", "message": {"role": "assistant", "content": ""}, "done": True}]
