"""The adapters against real models: SmolLM2 and multilingual-e5 behind Ollama's wire format, and llama.cpp's server.

What the models say is theirs; what is tested is that it comes through, whole and in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import ollama as official
import pytest
from msgspec import Meta

from adapters.language.agent import ToolAgent
from adapters.language.failover import Failover
from adapters.language.ollama import Ollama
from adapters.language.openrouter import OpenRouter
from domain.base.errors import AdapterError
from domain.ports.language_model import (
    Capability,
    Chat,
    EmbeddingPurpose,
    Finished,
    Message,
    Role,
    TextDelta,
    Tool,
    ToolAnswered,
)
from tests.adapters.face_engines.material import serving
from tests.adapters.language.llama import CONTEXT, NAME, llama
from tests.adapters.language.ollama_facade import EMBEDDER, Facade
from tests.adapters.language.peers import all_of, question, tell, unreachable
from tests.waiting import until

TEXTS = ("We sailed across the lake in the evening.", "The dentist moved my appointment to Tuesday.")


@pytest.fixture(scope="module")
def llama_url() -> Iterator[str]:
    with llama() as url:
        yield url


@pytest.fixture(scope="module")
def facade(llama_url: str) -> Facade:
    return Facade(llama_url)


@pytest.fixture(scope="module")
def url(facade: Facade) -> Iterator[str]:
    with serving(facade.app) as base_url:
        yield base_url


@pytest.fixture
def client(url: str) -> Iterator[official.Client]:
    with official.Client(host=url, timeout=120) as client:
        yield client


@pytest.fixture
def model(url: str) -> Ollama:
    return Ollama(url, NAME, EMBEDDER)


def test_a_real_models_words_arrive_one_by_one_and_whole(model: Ollama) -> None:
    told = tell(Failover([model]), question("Say hello."))
    assert told.answer.model == NAME
    assert len(told.deltas) > 3
    assert told.text == told.answer.message.text
    assert "hello" in told.text.lower()


def test_a_real_model_chooses_within_a_tools_types_and_answers_from_its_result(model: Ollama) -> None:
    class Day(msgspec.Struct):
        day: Literal["monday", "tuesday"]
        limit: Annotated[int, Meta(ge=1, le=5)]

    asked: list[Day] = []

    def photos(day: Day) -> dict[str, Any]:
        asked.append(day)
        return {"photos": ["a boat on a lake"]}

    tool = Tool("photos", "Photos of a day.", Day, photos)
    steps = asyncio.run(all_of(ToolAgent(model).run(question("What is there of tuesday?"), [tool], 1)))
    assert len(asked) == 1
    assert [step.failed for step in steps if isinstance(step, ToolAnswered)] == [False]
    finished = steps[-1]
    assert isinstance(finished, Finished)
    assert finished.messages[-1].text
    assert finished.rounds == 1


def test_a_conversation_that_is_too_long_is_refused_and_not_cut_in_silence(model: Ollama) -> None:
    told = tell(model, question("word " * 2 * CONTEXT))
    assert isinstance(told.error, AdapterError)
    assert "context" in str(told.error)


def test_a_long_conversation_fits_because_its_oldest_turns_are_left_out(model: Ollama) -> None:
    turns = [Message(role, f"word {'word ' * 200}") for _ in range(8) for role in (Role.USER, Role.ASSISTANT)]
    assert tell(model, Chat((*turns, Message(Role.USER, "Say hello.")))).error is None


def test_a_query_is_nearest_to_the_text_that_means_the_same(model: Ollama) -> None:
    documents = asyncio.run(model.embed(TEXTS, EmbeddingPurpose.DOCUMENT))
    query = asyncio.run(model.embed(["a trip in a boat"], EmbeddingPurpose.QUERY))
    cosines = [
        float(np.frombuffer(vector, "<f4") @ np.frombuffer(query.vectors[0], "<f4")) for vector in documents.vectors
    ]
    assert cosines[0] > cosines[1]
    assert documents.model == query.model == EMBEDDER


def test_the_models_are_listed_with_what_they_can_do(model: Ollama) -> None:
    found = {each.name: each for each in asyncio.run(Failover([model]).models())}
    assert found[NAME].context == CONTEXT
    assert found[NAME].can(Capability.TOOLS)
    assert not found[EMBEDDER].can(Capability.TOOLS)


def test_a_client_that_leaves_stops_a_real_model(model: Ollama, facade: Facade) -> None:
    before = facade.stopped

    async def leave() -> None:
        async with aclosing(model.chat(question("Tell a long story."))) as deltas:
            assert isinstance(await anext(deltas), TextDelta)

    asyncio.run(leave())
    until(lambda: facade.stopped > before, "the model goes on")
    assert facade.stopped == before + 1


def test_a_real_server_takes_over_from_one_that_is_away(url: str) -> None:
    told = tell(Failover([Ollama(unreachable(), NAME), Ollama(url, NAME)]), question("Say hello."))
    assert told.answer.server == f"Ollama at {url}"


def test_the_official_client_finds_the_facade_to_be_an_ollama(client: official.Client) -> None:
    assert [each.model for each in client.list().models] == [NAME, EMBEDDER]
    assert client.show(NAME).capabilities == ["completion", "tools"]
    pieces = list(client.chat(NAME, [{"role": "user", "content": "Say hello."}], stream=True))
    assert "hello" in "".join(piece.message.content or "" for piece in pieces).lower()
    assert pieces[-1].done
    with pytest.raises(official.ResponseError, match="not found"):
        client.chat("nope", [{"role": "user", "content": "?"}])


def test_the_official_client_gets_the_same_vectors_and_calls(client: official.Client, model: Ollama) -> None:
    ours = np.frombuffer(asyncio.run(model.embed(TEXTS[:1], EmbeddingPurpose.DOCUMENT)).vectors[0], "<f4")
    theirs = client.embed(EMBEDDER, [f"passage: {TEXTS[0]}"]).embeddings[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    parameters = {"type": "object", "properties": {"limit": {"enum": [3]}}, "required": ["limit"]}
    tool = {"type": "function", "function": {"name": "people", "description": "Who?", "parameters": parameters}}
    pieces = list(client.chat(NAME, [{"role": "user", "content": "Who?"}], tools=[tool], stream=True))
    (call,) = [call for piece in pieces for call in piece.message.tool_calls or ()]
    assert (call.function.name, call.function.arguments) == ("people", {"limit": 3})


def test_openrouters_format_is_understood_from_a_real_server(llama_url: str) -> None:
    told = tell(OpenRouter(f"{llama_url}/v1", "none", NAME, "none"), question("Reply with one word: hello"))
    assert told.answer.message.text == told.text
    assert told.text
    assert told.answer.prompt_tokens > 0


def test_a_real_servers_refusal_says_why(llama_url: str) -> None:
    error = tell(OpenRouter(f"{llama_url}/v1", "none", NAME, "none"), question("word " * 2 * CONTEXT)).error
    assert isinstance(error, AdapterError)
    assert "exceeds the available context size" in str(error)
