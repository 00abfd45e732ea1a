"""OpenRouter's protocol: each way in which providers stray from it, and what the one who asked gets."""

from __future__ import annotations

import asyncio
import email.utils
import itertools
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from adapters.language.openrouter import OpenRouter
from domain.base.errors import Busy, ImageApiError, Rejected, RuleViolation, Unavailable
from domain.ports.language_model import Chat, EmbeddingPurpose, Message, Role, ThinkingDelta, ToolCall, ToolSpec
from tests.adapters.language.peers import Asked, Peer, Script, question, tell

Start = Callable[[Script], Peer]

STOP = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
DONE = b"data: [DONE]\n\n"
TOOL = ToolSpec("people", "Who is on the photo.", {"type": "object", "properties": {}})


def says(text: str) -> dict[str, Any]:
    return {"model": "some/model", "choices": [{"delta": {"content": text}}]}


def calls(*fragments: dict[str, Any]) -> dict[str, Any]:
    return {"choices": [{"delta": {"tool_calls": list(fragments)}}]}


def piece(name: str | None = None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"type": "function", "function": function, **more}


def router(peer: Peer, **more: Any) -> OpenRouter:
    return OpenRouter(peer.url, "sk-secret", "some/model", "embedder", **more)


def streaming(*said: object) -> Script:
    return lambda asked: asked.events(*said)


def test_an_answer_comes_in_pieces_and_then_whole(peer: Start) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
    told = tell(router(peer(streaming(says("A "), says("lake."), STOP, usage, DONE))))
    assert told.text == "A lake."
    assert told.answer.message == Message(Role.ASSISTANT, "A lake.")
    assert (told.answer.model, told.answer.prompt_tokens, told.answer.answer_tokens) == ("some/model", 7, 2)


def test_a_conversation_is_sent_as_openrouter_wants_it(peer: Start) -> None:
    server = peer(streaming(says("ok"), STOP, DONE))
    details = '[{"type":"reasoning.encrypted","data":"e30=","id":"r1","format":"x-v1","index":0}]'
    messages = (
        Message(Role.USER, "Who?", images=(b"\x89PNGpicture",)),
        Message(Role.ASSISTANT, calls=(ToolCall("c1", "people", '{"limit": 3}'),), reasoning=details),
        Message(Role.TOOL, "[]", call_id="c1", tool="people"),
        Message(Role.ASSISTANT, calls=(ToolCall("c2", "people", '{"limit": '),)),
        Message(Role.TOOL, "{}", call_id="c2", tool="people"),
    )
    tell(
        router(server, referer="https://photos.example", title="Photos"), Chat(messages, tools=(TOOL,), thinking=False)
    )
    (asked,) = server.asked
    told = {
        name: asked.headers.get(name) for name in ("authorization", "http-referer", "x-openrouter-title", "x-title")
    }
    assert list(told.values()) == ["Bearer sk-secret", "https://photos.example", "Photos", "Photos"]
    body = asked.json
    assert body["reasoning"] == {"enabled": False}
    assert [tool["function"]["name"] for tool in body["tools"]] == ["people"]
    user, call, result, broken, _ = body["messages"]
    assert user["content"] == [
        {"type": "text", "text": "Who?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR3BpY3R1cmU="}},
    ]
    assert call["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "people", "arguments": '{"limit": 3}'}}
    ]
    assert call["reasoning_details"] == msgspec.json.decode(details)
    assert result == {"role": "tool", "content": "[]", "tool_call_id": "c1"}
    assert broken["tool_calls"][0]["function"]["arguments"] == "{}"


def test_the_shape_of_an_answer_is_sent_but_never_with_tools(peer: Start) -> None:
    shape = {"type": "object", "properties": {}}
    for tools in ((), (TOOL,)):
        server = peer(streaming(says("{}"), STOP, DONE))
        tell(router(server), Chat((Message(Role.USER, "Who?"),), tools=tools, shape=shape))
        (asked,) = server.asked
        named = {"name": "answer", "strict": True, "schema": shape}
        wanted = None if tools else {"type": "json_schema", "json_schema": named}
        assert asked.json.get("response_format") == wanted


def test_comments_blank_lines_and_other_fields_are_passed_over(peer: Start) -> None:
    noise = (b": OPENROUTER PROCESSING\n\n", b"event: message\nid: 4\n", b"\r\n\r\n")
    told = tell(router(peer(streaming(noise[0], says("A "), *noise, says("lake."), STOP, DONE, b"data: {garbage"))))
    assert told.answer.message.text == "A lake."


@pytest.mark.parametrize(
    "fragments",
    [
        [piece("people", "", id="c1", index=0), piece(None, '{"lim', index=0), piece(None, 'it":3}', index=0)],
        [piece("people", '{"lim', id="c1", index=1), piece(None, 'it":3}', index=1)],
        [piece("people", '{"lim', id="c1"), piece(None, 'it":3}')],
        [piece("people", '{"lim', id="c1", index=0), piece("people", 'it":3}', id="c1", index=0)],
        [piece("people", {"limit": 3}, id="c1", index=0)],
    ],
    ids=["by index", "index from 1", "no index", "name and id each time", "an object"],
)
def test_a_call_is_put_together_from_its_fragments(peer: Start, fragments: list[dict[str, Any]]) -> None:
    told = tell(router(peer(streaming(*map(calls, fragments), STOP, DONE))))
    assert told.answer.message.calls == (ToolCall("c1", "people", '{"limit":3}'),)


@pytest.mark.parametrize(
    "fragments",
    [
        [piece("a", "{}", id="c1", index=0), piece("b", "{}", id="c2", index=1)],
        [piece("a", "{}", id="c1", index=0), piece("b", "{}", id="c2", index=0)],
        [piece("a", "{}"), piece("b", "{}")],
        [piece("a", "{", index=1), piece("b", "{", index=2), piece(None, "}", index=1), piece(None, "}", index=2)],
        [piece("a", "{}", id="same", index=0), piece("b", "{}", id="same", index=1)],
    ],
    ids=["two indexes", "one index", "neither index nor id", "interleaved", "one id"],
)
def test_two_calls_stay_two_however_they_are_numbered(peer: Start, fragments: list[dict[str, Any]]) -> None:
    found = tell(router(peer(streaming(*map(calls, fragments), STOP, DONE)))).answer.message.calls
    assert [(call.name, call.arguments) for call in found] == [("a", "{}"), ("b", "{}")]
    assert len({call.id for call in found}) == 2
    assert all(call.id for call in found)


def test_arguments_that_were_cut_off_are_handed_on_as_they_are(peer: Start) -> None:
    cut = {"choices": [{"delta": {}, "finish_reason": "length"}]}
    answer = tell(router(peer(streaming(calls(piece("people", '{"lim', id="c1", index=0)), cut, DONE)))).answer
    assert answer.message.calls == (ToolCall("c1", "people", '{"lim'),)
    assert not answer.complete


def test_thoughts_come_back_as_they_came(peer: Start) -> None:
    first = {"type": "reasoning.text", "text": "a bo", "index": 0, "format": "x-v1", "signature": None}
    second = {"type": "reasoning.text", "text": "at", "index": 0, "signature": "sig=="}
    sealed = {"type": "reasoning.encrypted", "data": "e30=", "index": 1}
    said = [
        {"choices": [{"delta": {"reasoning": text, "reasoning_details": [detail]}}]}
        for text, detail in (("a bo", first), ("at", second), (None, sealed))
    ]
    told = tell(router(peer(streaming(*said, says("A boat."), STOP, DONE))))
    assert told.deltas[:2] == [ThinkingDelta("a bo"), ThinkingDelta("at")]
    assert msgspec.json.decode(told.answer.message.reasoning) == [
        {"type": "reasoning.text", "text": "a boat", "index": 0, "format": "x-v1", "signature": "sig=="},
        sealed,
    ]


ERROR = {"error": {"code": 502, "message": "the provider went away"}}


@pytest.mark.parametrize(
    "said",
    [
        [says("A la"), ERROR],
        [says("A la"), {"choices": [{"delta": {}, "finish_reason": "error"}], **ERROR}],
        [says("A la"), {"choices": [{"delta": {}, "finish_reason": "error", **ERROR}]}],
    ],
)
def test_an_error_in_the_middle_ends_the_answer_with_its_reason(peer: Start, said: list[object]) -> None:
    told = tell(router(peer(streaming(*said, DONE))))
    assert told.text == "A la"
    assert isinstance(told.error, Unavailable)
    assert "the provider went away" in str(told.error)


@pytest.mark.parametrize(
    "ending",
    [b'data: {"choices": [{"delta": {"content"', DONE, b"", b'data: {"x": ' + b"[" * 3000 + b"\n\n"],
    ids=["cut JSON", "done without an end", "nothing", "bottomless"],
)
def test_an_answer_that_stops_before_its_end_is_an_error_and_not_an_answer(peer: Start, ending: bytes) -> None:
    told = tell(router(peer(streaming(says("A la"), ending))))
    assert told.text == "A la"
    assert isinstance(told.error, Unavailable)
    assert "broke off" in str(told.error)


def test_an_answer_whose_end_was_seen_needs_no_done(peer: Start) -> None:
    assert tell(router(peer(streaming(says("A lake."), STOP)))).answer.message.text == "A lake."


def test_a_server_that_does_not_stream_is_understood_as_well(peer: Start) -> None:
    whole = {"choices": [{"message": {"content": "A lake."}, "finish_reason": "stop"}]}
    assert tell(router(peer(lambda asked: asked.answer(whole)))).answer.message.text == "A lake."


REFUSALS: list[tuple[int, str, type[ImageApiError], str]] = [
    (400, "nope/nope is not a valid model ID", RuleViolation, "choose another model"),
    (404, "No endpoints found that support tool use", RuleViolation, "choose another model"),
    (400, "messages: too long", Rejected, "too long"),
    (401, "No auth credentials found", Rejected, "OPENROUTER_API_KEY"),
    (402, "Insufficient credits", Rejected, "add credit"),
    (403, "Key limit exceeded", Rejected, "OPENROUTER_API_KEY"),
    (502, "Provider returned error", Unavailable, "Provider returned error"),
]


@pytest.mark.parametrize(("code", "said", "kind", "advice"), REFUSALS)
@pytest.mark.parametrize("place", ["status", "body", "stream"])
def test_a_refusal_means_the_same_wherever_it_stands(
    peer: Start, code: int, said: str, kind: type[ImageApiError], advice: str, place: str
) -> None:
    error = {"error": {"code": code, "message": said}}

    def script(asked: Asked) -> None:
        if place == "stream":
            asked.events(error)
        else:
            asked.answer(error, code if place == "status" else 200)

    server = peer(script)
    told = tell(router(server))
    assert type(told.error) is kind
    assert advice in str(told.error)
    assert "sk-secret" not in str(told.error)
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(("again", "at_least"), [({"Retry_After": "0.3"}, 0.3), ({}, 0.9)], ids=["told", "not told"])
def test_a_busy_provider_is_asked_again_after_as_long_as_it_says(
    peer: Start, code: int, again: dict[str, str], at_least: float
) -> None:
    busy = {"error": {"code": code, "message": "rate limited"}}
    turns = itertools.count()
    times: list[float] = []

    def script(asked: Asked) -> None:
        times.append(time.monotonic())
        if next(turns) == 0:
            asked.answer(busy, code, **again)
        else:
            asked.events(says("A lake."), STOP, DONE)

    assert tell(router(peer(script))).text == "A lake."
    assert times[1] - times[0] >= at_least


def test_a_provider_that_wants_a_long_pause_is_reported_with_it(peer: Start) -> None:
    in_an_hour = email.utils.formatdate(time.time() + 3600, usegmt=True)
    server = peer(lambda asked: asked.answer({"error": {"message": "daily limit"}}, 429, Retry_After=in_an_hour))
    error = tell(router(server)).error
    assert isinstance(error, Busy)
    assert error.retry_after is not None
    assert 3590 < error.retry_after <= 3600
    assert len(server.asked) == 1


def test_a_provider_that_stays_busy_is_reported_after_three_attempts(peer: Start) -> None:
    server = peer(lambda asked: asked.answer({"error": {"message": "overloaded"}}, 503, Retry_After="0"))
    assert isinstance(tell(router(server)).error, Busy)
    assert len(server.asked) == 3


def test_nothing_is_asked_twice_once_something_was_said(peer: Start) -> None:
    server = peer(streaming(says("A la"), {"error": {"code": 429, "message": "rate limited"}}))
    told = tell(router(server))
    assert told.text == "A la"
    assert isinstance(told.error, Busy)
    assert len(server.asked) == 1


def test_only_models_of_the_curated_list_can_be_picked(peer: Start) -> None:
    server = peer(streaming(says("ok"), STOP, DONE))
    model = router(server, allowed=["a/one", "b/two"])
    assert [each.name for each in asyncio.run(model.models())] == ["a/one", "b/two"]
    assert tell(model, question(model="b/two")).error is None
    refused = tell(model, question(model="c/three")).error
    assert isinstance(refused, RuleViolation)
    assert refused.field == "model"
    assert [asked.json["model"] for asked in server.asked] == ["b/two"]


def test_without_a_list_there_is_no_picker(peer: Start) -> None:
    assert asyncio.run(router(peer(streaming())).models()) == []


def test_embeddings_come_back_in_the_order_of_their_texts(peer: Start) -> None:
    rows = [{"index": 1, "embedding": [0.0, 2.0]}, {"index": 0, "embedding": [5.0, 0.0]}]
    server = peer(lambda asked: asked.answer({"data": rows}))
    found = asyncio.run(router(server).embed(["one", "two"], EmbeddingPurpose.DOCUMENT))
    assert found.model == "embedder"
    assert [np.frombuffer(vector, "<f4").tolist() for vector in found.vectors] == [[1.0, 0.0], [0.0, 1.0]]
    assert server.asked[0].json["input"] == ["one", "two"]


def test_a_key_and_a_conversation_follow_no_redirect(peer: Start) -> None:
    elsewhere = peer(streaming(says("Thanks."), STOP, DONE))
    server = peer(lambda asked: asked.answer(b"", 307, Location=f"{elsewhere.url}/chat/completions"))
    assert isinstance(tell(router(server)).error, Unavailable)
    assert elsewhere.asked == []
