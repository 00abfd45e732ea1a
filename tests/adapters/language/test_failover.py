"""Which server answers where one fails: before, during and after the first word."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from adapters.language.build_models import build_models
from adapters.language.call_counts import TALLY
from adapters.language.failover import KEPT_OUT_SECONDS, Failover
from adapters.language.hybrid import Hybrid
from adapters.language.ollama import Ollama
from adapters.language.openrouter import OpenRouter
from adapters.settings import Settings
from domain.base.errors import Rejected, RuleViolation, Unavailable
from domain.ports.language_model import Chat, EmbeddingPurpose, LanguageModel, Message, Role
from tests.adapters.language.peers import Asked, Peer, Script, question, tell, texts, unreachable

Start = Callable[[Script], Peer]


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def saying(*words: str) -> Script:
    """A server that answers everything."""

    def script(asked: Asked) -> None:
        if asked.path == "/api/chat":
            asked.lines(*texts(words))
        elif asked.path == "/api/embed":
            asked.answer({"embeddings": [[1.0, 0.0] for _ in asked.json["input"]]})
        elif asked.path == "/api/tags":
            asked.answer({"models": [{"name": words[0]}]})
        else:
            asked.answer({})

    return script


def chatting(chat: Callable[[Asked], object]) -> Script:
    """A server that has the model and answers a chat as `chat` does."""

    def script(asked: Asked) -> None:
        if asked.path == "/api/chat":
            chat(asked)
        else:
            asked.answer({})

    return script


def failover(first: str, second: str, **more: Any) -> Failover:
    return Failover([Ollama(first, "primary"), Ollama(second, "fallback", setting="OLLAMA_FALLBACK_URL")], **more)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="adapters.language.failover")
    return caplog


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address that takes no connection and refuses none: its queue is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for each in waiting:
            each.close()


BEFORE: dict[str, Script] = {
    "hangs up": lambda asked: None,
    "500": lambda asked: asked.answer({"error": "runner died"}, 500),
    "503": lambda asked: asked.answer({"error": "busy"}, 503),
    "lacks the model": lambda asked: asked.answer({"error": "model 'primary' not found"}, 404),
    "dies after the head": chatting(lambda asked: asked.begin("application/x-ndjson")),
    "error as its first word": chatting(lambda asked: asked.lines({"error": "out of memory"})),
}


@pytest.mark.parametrize("failure", BEFORE)
def test_a_server_that_fails_before_its_first_word_is_replaced(
    peer: Start, failure: str, log: pytest.LogCaptureFixture
) -> None:
    first, second = peer(BEFORE[failure]), peer(saying("A lake."))
    told = tell(failover(first.url, second.url))
    assert told.text == "A lake."
    assert told.answer.server == f"Ollama at {second.url}"
    warned, informed = log.messages
    assert warned.startswith(f"failover from Ollama at {first.url} to Ollama at {second.url}: ")
    assert informed.startswith(f"Ollama at {second.url} answered with llama in ")
    assert second.to("/api/chat")[0].json["model"] == "fallback"


def test_a_server_that_is_not_there_is_replaced(peer: Start) -> None:
    assert tell(failover(unreachable(), peer(saying("A lake.")).url)).text == "A lake."


def test_what_became_of_each_request_is_counted(peer: Start) -> None:
    gone, refuses, answers = unreachable(), peer(BEFORE["503"]), peer(saying("A lake."))
    tell(failover(gone, answers.url))
    tell(failover(refuses.url, answers.url))
    places = {url: f"Ollama at {url}" for url in (gone, refuses.url, answers.url)}
    counted = {key: n for key, n in TALLY.requests.items() if key[0] in places.values()}
    assert {outcome for place, outcome in counted if place == places[gone]} == {"unreachable"}
    assert {outcome for place, outcome in counted if place == places[refuses.url]} == {"refused"}
    assert {outcome for place, outcome in counted if place == places[answers.url]} == {"answered"}
    assert [TALLY.failovers.get(place, 0) for place in places.values()] == [1, 1, 0]


def test_a_server_that_takes_no_connection_is_replaced_after_the_time_to_connect(peer: Start, deaf: str) -> None:
    servers = [Ollama(deaf, "primary", connect_seconds=0.2), Ollama(peer(saying("A lake.")).url, "fallback")]
    assert tell(Failover(servers)).text == "A lake."


def _dies_after_a_word(asked: Asked) -> None:
    asked.begin("application/x-ndjson")
    asked.chunk(b'{"message": {"content": "A la"}}\n')


def test_an_answer_that_has_begun_is_never_begun_again_elsewhere(peer: Start, log: pytest.LogCaptureFixture) -> None:
    first, second = peer(chatting(_dies_after_a_word)), peer(saying("A boat."))
    told = tell(failover(first.url, second.url))
    assert told.text == "A la"
    assert isinstance(told.error, Unavailable)
    assert "broke off" in str(told.error)
    assert second.asked == []
    assert log.messages[0].startswith(f"Ollama at {first.url} failed in the middle of an answer by primary: ")


@pytest.mark.parametrize("are_set", [True, False])
def test_a_server_that_nobody_named_and_that_is_away_is_nothing_to_warn_of(
    are_set: bool, log: pytest.LogCaptureFixture
) -> None:
    model = Failover([Ollama(unreachable(), "primary")], are_set=are_set)
    assert isinstance(tell(model).error, Unavailable)
    with pytest.raises(Unavailable):
        asyncio.run(model.models())
    warned = [record for record in log.records if record.levelno >= logging.WARNING]
    assert len(warned) == (2 if are_set else 0)


def test_where_nothing_is_set_ollama_is_merely_hoped_for(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    for settings, warnings in (({}, 0), ({"OLLAMA_PRIMARY_URL": unreachable()}, 1)):
        log.clear()
        models = build_models(Settings.load({"IMAGEAPI_DATA": str(tmp_path), **settings}, tmp_path))
        with pytest.raises((Unavailable, RuleViolation)):
            asyncio.run(models.local.describe("a model that nobody has"))
        assert len([record for record in log.records if record.levelno >= logging.WARNING]) == warnings


def test_a_thought_is_the_first_word_too(peer: Start) -> None:
    thinks = chatting(lambda asked: asked.lines({"message": {"thinking": "hm"}}))
    second = peer(saying("A boat."))
    assert isinstance(tell(failover(peer(thinks).url, second.url)).error, Unavailable)
    assert second.asked == []


def test_a_server_that_dies_after_the_last_word_has_answered(peer: Start) -> None:
    def dies_at_the_end(asked: Asked) -> None:
        asked.begin("application/x-ndjson")
        asked.chunk(b'{"message": {"content": "A lake."}, "done": true}\n')

    second = peer(saying("A boat."))
    assert tell(failover(peer(chatting(dies_at_the_end)).url, second.url)).answer.message.text == "A lake."
    assert second.asked == []


def test_a_request_that_is_refused_is_not_tried_elsewhere(peer: Start) -> None:
    second = peer(saying("A boat."))
    refuses = peer(lambda asked: asked.answer({"error": "input too long"}, 400))
    assert isinstance(tell(failover(refuses.url, second.url)).error, Rejected)
    assert second.asked == []


def test_a_server_that_hangs_uses_up_the_time_of_the_call_and_is_left_out_of_the_next(peer: Start) -> None:
    first, second = peer(chatting(lambda asked: asked.seconds_until_gone())), peer(saying("A boat."))
    model = failover(first.url, second.url, seconds=2)
    told = tell(model)
    assert isinstance(told.error, Unavailable)
    assert "within 2 s" in str(told.error)
    assert second.asked == []
    assert tell(model).text == "A boat."


def test_a_failed_server_is_left_out_for_half_a_minute(peer: Start) -> None:
    clock = Clock()
    first, second = peer(lambda asked: asked.answer({"error": "died"}, 500)), peer(saying("A lake."))
    model = failover(first.url, second.url, clock=clock)
    for _ in range(3):
        tell(model)
    assert len(first.asked) == 1
    clock.now += KEPT_OUT_SECONDS
    tell(model)
    assert len(first.asked) == 2


def test_a_server_that_only_lacks_the_model_is_not_left_out(peer: Start) -> None:
    first, second = peer(BEFORE["lacks the model"]), peer(saying("A lake."))
    model = failover(first.url, second.url)
    tell(model)
    tell(model)
    assert len(first.asked) == 2


def test_where_every_server_is_left_out_all_are_tried_again(peer: Start) -> None:
    first = peer(saying("A lake."))
    model = failover(first.url, unreachable(), clock=Clock())
    assert tell(model).text == "A lake."
    first.script = lambda asked: asked.answer({"error": "died"}, 500)
    assert isinstance(tell(model).error, Unavailable)
    first.script = saying("A lake again.")
    assert tell(model).text == "A lake again."


def test_the_last_failure_is_told_where_no_server_is_left(log: pytest.LogCaptureFixture) -> None:
    first, second = unreachable(), unreachable()
    error = tell(failover(first, second)).error
    assert isinstance(error, Unavailable)
    assert second in str(error)
    assert "OLLAMA_FALLBACK_URL" in str(error)
    assert len(log.messages) == 2


def test_a_model_that_was_asked_for_and_is_nowhere_is_the_requests_fault(peer: Start) -> None:
    lacks = peer(lambda asked: asked.answer({"error": "model 'nope' not found"}, 404))
    error = tell(failover(lacks.url, lacks.url), question(model="nope")).error
    assert isinstance(error, RuleViolation)
    assert error.field == "model"


def test_vectors_come_from_the_server_that_works(peer: Start) -> None:
    model = failover(unreachable(), peer(saying("x")).url)
    assert len(asyncio.run(model.embed(["a", "b"], EmbeddingPurpose.QUERY)).vectors) == 2


def test_the_models_of_all_servers_are_listed_and_one_that_is_away_is_passed_over(peer: Start) -> None:
    one, two = peer(saying("one")), peer(saying("two"))
    assert [model.name for model in asyncio.run(failover(one.url, two.url).models())] == ["one", "two"]
    assert [model.name for model in asyncio.run(failover(unreachable(), two.url).models())] == ["two"]
    assert [model.name for model in asyncio.run(failover(one.url, unreachable()).models())] == ["one"]
    with pytest.raises(Unavailable):
        asyncio.run(failover(unreachable(), unreachable()).models())


# Leaving a stream


def _endless(asked: Asked, word: bytes, media_type: str, stopped: threading.Event) -> None:
    asked.begin(media_type)
    asked.chunk(word)
    asked.seconds_until_gone()
    stopped.set()


@pytest.mark.parametrize("how", ["closing", "cancelling", "cancelling its scope"])
@pytest.mark.parametrize("backend", ["local", "hybrid"])
def test_a_client_that_leaves_stops_the_server_at_once(peer: Start, how: str, backend: str) -> None:
    stopped = threading.Event()
    line = b'{"message": {"content": "A "}}\n'
    event = b'data: {"choices": [{"delta": {"content": "A "}}]}\n\n'
    model: LanguageModel
    if backend == "local":
        server = peer(chatting(lambda asked: _endless(asked, line, "application/x-ndjson", stopped)))
        model = failover(server.url, unreachable())
    else:
        server = peer(lambda asked: _endless(asked, event, "text/event-stream", stopped))
        model = Hybrid(Ollama(unreachable(), "x"), OpenRouter(server.url, "k", "m", "e"))

    async def leave() -> None:
        async with aclosing(model.chat(question())) as deltas:
            await anext(deltas)
            if how == "cancelling":
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(deltas), 0.1)
            elif how == "cancelling its scope":
                with anyio.move_on_after(0.1):
                    await anext(deltas)
        assert await asyncio.to_thread(stopped.wait, 5)  # the peer itself would give up after 10

    asyncio.run(leave())


def test_a_model_can_be_asked_from_one_event_loop_after_another(peer: Start) -> None:
    model = failover(peer(saying("A lake.")).url, unreachable())
    assert [tell(model).text for _ in range(3)] == ["A lake."] * 3


def test_fifty_streams_at_once_are_fifty_answers(peer: Start) -> None:
    model = failover(peer(saying("A ", "lake.")).url, unreachable())

    async def read() -> str:
        async with aclosing(model.chat(question())) as deltas:
            return "".join([str(getattr(delta, "text", "")) async for delta in deltas])

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(read() for _ in range(50)))

    assert asyncio.run(all_at_once()) == ["A lake."] * 50


# Hybrid


PICTURE = b"\xff\xd8a picture"


def test_a_picture_stays_here_and_its_description_goes_out_once(peer: Start) -> None:
    local = peer(saying("Two people ", "in a boat."))
    remote = peer(lambda asked: asked.events({"choices": [{"delta": {"content": "Nice."}, "finish_reason": "stop"}]}))
    model = Hybrid(Ollama(local.url, "seer"), OpenRouter(remote.url, "k", "m", "e"))
    chat = Chat((Message(Role.USER, "What is it?", images=(PICTURE,)),))
    assert [tell(model, chat).text for _ in range(2)] == ["Nice.", "Nice."]
    assert len(local.to("/api/chat")) == 1
    for asked in remote.asked:
        assert b"image" not in asked.body
        (message,) = asked.json["messages"]
        assert message["content"].startswith("What is it?\n\n")
        assert message["content"].endswith("Two people in a boat.")


def test_a_picture_that_cannot_be_described_here_goes_nowhere(peer: Start) -> None:
    remote = peer(lambda asked: None)
    blind = peer(lambda asked: asked.answer({"capabilities": ["completion"]}))
    model = Hybrid(Ollama(blind.url, "blind"), OpenRouter(remote.url, "k", "m", "e"))
    error = tell(model, Chat((Message(Role.USER, "?", images=(PICTURE,)),))).error
    assert isinstance(error, Unavailable)
    assert "cannot see pictures" in str(error)
    assert remote.asked == []


def test_vectors_stay_local_in_the_hybrid_backend(peer: Start) -> None:
    local, remote = peer(saying("x")), peer(lambda asked: None)
    model = Hybrid(Ollama(local.url, "x"), OpenRouter(remote.url, "k", "m", "e"))
    assert asyncio.run(model.embed(["private"], EmbeddingPurpose.QUERY)).model == "nomic-embed-text:v1.5"
    assert remote.asked == []
