"""Ollama's protocol: what is sent, and what each way of answering comes to for the one who asked."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from adapters.language.ollama import CONTEXT_LIMIT, ModelMissing, Ollama
from domain.base.errors import Busy, ImageApiError, Rejected, RuleViolation, Unavailable
from domain.ports.language_model import (
    Capability,
    Chat,
    EmbeddingPurpose,
    Message,
    Role,
    ThinkingDelta,
    ToolCall,
    ToolSpec,
)
from tests.adapters.language.peers import Asked, Peer, Script, question, tell, texts

Start = Callable[[Script], Peer]

SHOWN: dict[str, Any] = {
    "capabilities": ["completion", "tools", "vision", "thinking"],
    "model_info": {"llama.context_length": 4096, "general.architecture": "llama"},
}
TOOL = ToolSpec("people", "Who is on the photo.", {"type": "object", "properties": {}})


def answering(chat: Callable[[Asked], None], shown: dict[str, Any] | None = None) -> Script:
    """A server that has the model and answers a chat as `chat` does."""

    def script(asked: Asked) -> None:
        if asked.path == "/api/show":
            asked.answer(SHOWN if shown is None else shown)
        else:
            chat(asked)

    return script


def ollama(peer: Peer, **more: Any) -> Ollama:
    return Ollama(peer.url, "llama", **more)


def sent(peer: Peer) -> Any:
    """The body of the one chat that was asked for."""
    (asked,) = peer.to("/api/chat")
    return asked.json


def test_an_answer_comes_in_pieces_and_then_whole(peer: Start) -> None:
    told = tell(ollama(peer(answering(lambda asked: asked.lines(*texts(["A ", "lake."]))))))
    assert told.text == "A lake."
    assert told.answer.message == Message(Role.ASSISTANT, "A lake.")
    assert told.answer.model == "llama"
    assert told.answer.complete


def test_the_shape_of_an_answer_is_sent_but_never_with_tools(peer: Start) -> None:
    shape = {"type": "object", "properties": {}}
    for tools in ((), (TOOL,)):
        server = peer(answering(lambda asked: asked.lines(*texts(["{}"]))))
        tell(ollama(server), Chat((Message(Role.USER, "Who?"),), tools=tools, shape=shape))
        assert sent(server).get("format") == (None if tools else shape)


def test_a_conversation_is_sent_as_ollama_wants_it(peer: Start) -> None:
    server = peer(answering(lambda asked: asked.lines(*texts(["ok"]))))
    call = ToolCall("c1", "people", '{"limit": 3}')
    messages = (
        Message(Role.SYSTEM, "Be short."),
        Message(Role.USER, "Who?", images=(b"\xff\xd8picture",)),
        Message(Role.ASSISTANT, calls=(call,), thinking="hm"),
        Message(Role.TOOL, "[]", call_id="c1", tool="people"),
    )
    tell(ollama(server), Chat(messages, tools=(TOOL,), thinking=True))
    assert sent(server) == {
        "model": "llama",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Who?", "images": [base64.b64encode(b"\xff\xd8picture").decode()]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "hm",
                "tool_calls": [{"id": "c1", "function": {"name": "people", "arguments": {"limit": 3}}}],
            },
            {"role": "tool", "content": "[]", "tool_name": "people", "tool_call_id": "c1"},
        ],
        "stream": True,
        "options": {"num_ctx": 4096},
        "truncate": False,
        "shift": False,
        "think": True,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "people",
                    "description": "Who is on the photo.",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
    }


def test_no_more_context_is_asked_for_than_a_home_server_has_memory_for(peer: Start) -> None:
    shown = {"model_info": {"qwen.context_length": 262144}}
    server = peer(answering(lambda asked: asked.lines(*texts(["ok"])), shown))
    tell(ollama(server))
    assert sent(server)["options"] == {"num_ctx": CONTEXT_LIMIT}


def test_whole_turns_are_left_out_where_the_context_is_too_small(peer: Start) -> None:
    server = peer(answering(lambda asked: asked.lines(*texts(["ok"]))))
    long = "word " * 1000
    turns = [
        message
        for number in range(8)
        for message in (
            Message(Role.USER, f"question {number} {long if number in range(1, 7) else ''}"),
            Message(Role.ASSISTANT, calls=(ToolCall(f"c{number}", "people"),)),
            Message(Role.TOOL, "[]", call_id=f"c{number}", tool="people"),
            Message(Role.ASSISTANT, f"answer {number}"),
        )
    ]
    tell(ollama(server), Chat((Message(Role.SYSTEM, "rules"), *turns)))
    messages = sent(server)["messages"]
    assert [message["content"].split()[:2] for message in messages if message["role"] == "user"] == [
        ["question", "0"],
        ["question", "6"],
        ["question", "7"],
    ]
    assert [message["role"] for message in messages] == ["system", *["user", "assistant", "tool", "assistant"] * 3]


def test_what_a_model_thinks_is_kept_apart_from_what_it_says(peer: Start) -> None:
    said = [{"message": {"content": "", "thinking": "a boat?"}}, *texts(["A boat."])]
    told = tell(ollama(peer(answering(lambda asked: asked.lines(*said)))))
    assert told.deltas[0] == ThinkingDelta("a boat?")
    assert told.text == "A boat."
    assert told.answer.message.thinking == "a boat?"


def test_a_model_that_cannot_think_is_not_asked_to(peer: Start) -> None:
    server = peer(answering(lambda asked: asked.lines(*texts(["ok"])), {"capabilities": ["completion"]}))
    tell(ollama(server), question(thinking=True))
    assert "think" not in sent(server)


def test_calls_without_ids_or_with_the_same_one_get_ids_of_their_own(peer: Start) -> None:
    calls = [
        {"function": {"name": "people", "arguments": {}}},
        {"id": "x", "function": {"name": "tags", "arguments": {"limit": 2}}},
        {"id": "x", "function": {"name": "near", "arguments": None}},
    ]
    said = [{"message": {"content": "", "tool_calls": calls}}, *texts([])]
    found = tell(ollama(peer(answering(lambda asked: asked.lines(*said))))).answer.message.calls
    assert [(call.name, call.arguments) for call in found] == [
        ("people", "{}"),
        ("tags", '{"limit":2}'),
        ("near", "{}"),
    ]
    assert found[1].id == "x"
    assert len({call.id for call in found}) == 3
    assert all(call.id for call in found)


def test_an_answer_that_was_cut_off_by_its_length_says_so(peer: Start) -> None:
    said = [{"message": {"content": "A la"}}, {"done": True, "done_reason": "length", "eval_count": 2}]
    answer = tell(ollama(peer(answering(lambda asked: asked.lines(*said))))).answer
    assert not answer.complete
    assert answer.answer_tokens == 2


def test_an_error_in_the_middle_with_status_200_ends_the_answer_with_its_reason(peer: Start) -> None:
    said = [{"message": {"content": "A la"}}, {"error": "an error was encountered while running the model"}]
    told = tell(ollama(peer(answering(lambda asked: asked.lines(*said)))))
    assert told.text == "A la"
    assert isinstance(told.error, Unavailable)
    assert "while running the model" in str(told.error)


@pytest.mark.parametrize(
    "ending",
    [b'{"message": {"content": "ke."', b"", b'{"x": ' + b"[" * 3000 + b"\n"],
    ids=["cut line", "no end", "bottomless"],
)
def test_an_answer_that_stops_before_its_end_is_an_error_and_not_an_answer(peer: Start, ending: bytes) -> None:
    told = tell(ollama(peer(answering(lambda asked: asked.lines({"message": {"content": "A la"}}, ending)))))
    assert told.text == "A la"
    assert isinstance(told.error, Unavailable)
    assert "broke off" in str(told.error)


def test_lines_that_come_in_arbitrary_pieces_are_put_together(peer: Start) -> None:
    whole = b"".join(line for line in _encoded(texts(["Grüße ", "vom See"])))

    def bytewise(asked: Asked) -> None:
        asked.begin("application/x-ndjson")
        for at in range(0, len(whole), 3):
            asked.chunk(whole[at : at + 3])
        asked.chunk(b"")

    assert tell(ollama(peer(answering(bytewise)))).text == "Grüße vom See"


def test_a_line_that_never_ends_is_given_up(peer: Start) -> None:
    def flood(asked: Asked) -> None:
        asked.begin("application/x-ndjson")
        while True:
            asked.chunk(b" " * 2**20)

    told = tell(ollama(peer(answering(flood))))
    assert isinstance(told.error, Unavailable)
    assert "never ends" in str(told.error)


def test_a_server_that_hangs_is_given_up_when_the_time_is_over(peer: Start) -> None:
    told = tell(ollama(peer(answering(lambda asked: void(asked.seconds_until_gone()))), seconds=0.4))
    assert isinstance(told.error, Unavailable)
    assert "within 0.4 s" in str(told.error)


def test_a_server_that_answers_too_slowly_keeps_what_it_said(peer: Start) -> None:
    def slow(asked: Asked) -> None:
        asked.begin("application/x-ndjson")
        for line in _encoded(texts(["A ", "lake."])[:2]):
            asked.chunk(line)
        asked.seconds_until_gone()

    told = tell(ollama(peer(answering(slow)), seconds=2))
    assert told.text == "A lake."
    assert "within 2 s" in str(told.error)


@pytest.mark.parametrize(
    ("status", "said", "kind", "advice"),
    [
        (404, "model 'llama' not found", ModelMissing, "ollama pull llama"),
        (404, "", Unavailable, "OLLAMA_PRIMARY_URL"),
        (400, "registry.ollama.ai/library/llama does not support tools", RuleViolation, "choose another model"),
        (400, "the input length exceeds the context length", Rejected, "exceeds the context length"),
        (401, "unauthorized", Rejected, "refuses the key"),
        (429, "slow down", Busy, "slow down"),
        (500, "llama runner process has terminated", Unavailable, "has terminated"),
        (503, "server busy", Busy, "server busy"),
        (302, "", Unavailable, "status 302"),
    ],
)
def test_a_refusal_says_what_to_do(peer: Start, status: int, said: str, kind: type[ImageApiError], advice: str) -> None:
    told = tell(ollama(peer(answering(lambda asked: asked.answer({"error": said}, status)))))
    assert type(told.error) is kind
    assert advice in str(told.error)


@pytest.mark.parametrize(
    ("chat", "lacks"),
    [
        (question(tools=(TOOL,)), "cannot call tools"),
        (Chat((Message(Role.USER, "?", images=(b"x",)),)), "cannot see pictures"),
    ],
)
def test_what_a_model_cannot_do_is_said_before_it_is_asked(peer: Start, chat: Chat, lacks: str) -> None:
    server = peer(answering(lambda asked: asked.lines(*texts(["ok"])), {"capabilities": ["completion"]}))
    error = tell(ollama(server), chat).error
    assert isinstance(error, RuleViolation)
    assert error.field == "model"
    assert lacks in str(error)
    assert server.paths() == ["/api/show"]


def test_a_model_is_described_once_in_five_minutes(peer: Start) -> None:
    server = peer(answering(lambda asked: asked.lines(*texts(["ok"]))))
    model = ollama(server)
    for _ in range(3):
        tell(model)
    assert server.paths() == ["/api/show", *["/api/chat"] * 3]


@pytest.mark.parametrize(
    ("model", "purpose", "prefix"),
    [
        ("nomic-embed-text:v1.5", EmbeddingPurpose.DOCUMENT, "search_document: "),
        ("nomic-embed-text:v1.5", EmbeddingPurpose.QUERY, "search_query: "),
        ("jeffh/intfloat-multilingual-e5-large:f16", EmbeddingPurpose.QUERY, "query: "),
        ("all-minilm", EmbeddingPurpose.QUERY, ""),
    ],
)
def test_texts_are_embedded_with_the_prefix_that_the_model_was_trained_with(
    peer: Start, model: str, purpose: EmbeddingPurpose, prefix: str
) -> None:
    server = peer(lambda asked: asked.answer({"embeddings": [[3.0, 4.0]]}))
    found = asyncio.run(ollama(server, embedding_model=model).embed(["the lake"], purpose))
    assert server.asked[0].json == {"model": model, "input": [f"{prefix}the lake"]}
    assert found.model == model
    np.testing.assert_allclose(np.frombuffer(found.vectors[0], "<f4"), [0.6, 0.8], rtol=1e-6)


def test_many_texts_are_embedded_in_several_requests_and_come_back_in_order(peer: Start) -> None:
    def embed(asked: Asked) -> None:
        numbers = [float(text.rsplit(" ", 1)[1]) for text in asked.json["input"]]
        asked.answer({"embeddings": [[1.0, number] for number in numbers]})

    found = asyncio.run(ollama(peer(embed)).embed([f"text {n}" for n in range(150)], EmbeddingPurpose.DOCUMENT))
    vectors = [np.frombuffer(vector, "<f4") for vector in found.vectors]
    assert [round(float(vector[1] / vector[0])) for vector in vectors] == list(range(150))


@pytest.mark.parametrize(
    "vectors", [[], [[1.0], [1.0]], [[]], [[0.0, 0.0]], [[1e999]]], ids=["none", "two", "empty", "zero", "infinite"]
)
def test_vectors_that_are_none_are_refused(peer: Start, vectors: list[list[float]]) -> None:
    body = str({"embeddings": vectors}).replace("'", '"').replace("inf", "1e999").encode()
    with pytest.raises(Unavailable):
        asyncio.run(ollama(peer(lambda asked: asked.answer(body))).embed(["text"], EmbeddingPurpose.QUERY))


def test_the_models_of_a_server_come_with_what_they_can_do(peer: Start) -> None:
    def script(asked: Asked) -> None:
        if asked.path == "/api/tags":
            asked.answer({"models": [{"name": "llama"}, {"name": "broken"}]})
        elif asked.json["model"] == "llama":
            asked.answer(SHOWN)
        else:
            asked.answer({"error": "bad manifest"}, 500)

    llama, broken = asyncio.run(ollama(peer(script)).models())
    assert set(llama.capabilities or ()) == {Capability.TOOLS, Capability.VISION, Capability.THINKING}
    assert llama.context == 4096
    assert (broken.name, broken.capabilities) == ("broken", None)


def test_a_servers_error_is_one_line_without_what_a_terminal_obeys(peer: Start) -> None:
    error = tell(ollama(peer(lambda asked: asked.answer({"error": "no\n\x1b[2Jroot: fine"}, 500)))).error
    assert str(error).endswith("answered with status 500: no [2Jroot: fine")


def test_a_password_in_the_address_is_used_and_never_told(peer: Start) -> None:
    server = peer(lambda asked: asked.answer({"error": "no"}, 500))
    error = tell(Ollama(server.url.replace("http://", "http://me:hidden@"), "llama")).error
    assert server.asked[0].headers["authorization"] == "Basic " + base64.b64encode(b"me:hidden").decode()
    assert "hidden" not in str(error)


def void(_: object) -> None:
    """A script's step whose result nobody needs."""


def _encoded(said: list[dict[str, Any]]) -> list[bytes]:
    return [msgspec.json.encode(each) + b"\n" for each in said]
