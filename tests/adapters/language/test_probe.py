"""What `imageapi doctor` says of the language models."""

from __future__ import annotations

from collections.abc import Callable

from adapters.language.ollama import Ollama
from adapters.language.openrouter import OpenRouter
from adapters.language.probe import survey
from tests.adapters.language.peers import Asked, Peer, Script, unreachable

Start = Callable[[Script], Peer]


def test_a_server_that_answers_is_told_with_its_model_and_what_it_can_do(peer: Start) -> None:
    def script(asked: Asked) -> None:
        if asked.json["model"] == "llama":
            asked.answer({"capabilities": ["vision", "tools"]})
        else:
            asked.answer({"error": "model 'nomic-embed-text:v1.5' not found"}, 404)

    server = peer(script)
    model, embedding, router = survey([Ollama(server.url, "llama")], None)
    assert (model.what, model.found) == (
        "language model, first server",
        f"llama on Ollama at {server.url} (tools, vision)",
    )
    assert "ollama pull nomic-embed-text:v1.5" in embedding.found
    assert router.found == "off: OPENROUTER_API_KEY is not set"


def test_servers_that_are_away_are_told_with_the_setting_that_mends_it() -> None:
    servers = [Ollama(unreachable(), "x"), Ollama(unreachable(), "x", setting="OLLAMA_FALLBACK_URL")]
    first, second, *_ = survey(servers, None)
    assert "OLLAMA_PRIMARY_URL" in first.found
    assert (second.what, "OLLAMA_FALLBACK_URL" in second.found) == ("language model, second server", True)


def test_a_key_is_tried_and_never_told(peer: Start) -> None:
    good = peer(lambda asked: asked.answer({"data": {"label": "photos"}}))
    bad = peer(lambda asked: asked.answer({"error": {"code": 401, "message": "User not found."}}, 401))
    told = [
        survey([Ollama(unreachable(), "x")], OpenRouter(each.url, "sk-secret", "a/model", "e"))[-1].found
        for each in (good, bad)
    ]
    assert told[0] == f"a/model on OpenRouter at {good.url}"
    assert "correct OPENROUTER_API_KEY" in told[1]
    assert good.asked[0].headers["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in "".join(told)
