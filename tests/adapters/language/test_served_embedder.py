"""A text embedder on a server: what it asks for, what it refuses to mix up, and how it is let go."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from adapters.language.ollama import EMBEDDING_MODEL, Ollama
from adapters.language.served_embedder import ServedEmbedder
from domain.base.errors import Rejected, Unavailable, Unreadable
from tests.adapters.face_engines.material import serving
from tests.adapters.language.ollama_facade import NOMIC, Facade
from tests.adapters.language.peers import Asked, Peer, Script


def ollama(url: str) -> Ollama:
    """A client of one server."""
    return Ollama(url, "any", seconds=60)


def test_what_is_asked_for_is_found_among_what_was_said() -> None:
    assert NOMIC == EMBEDDING_MODEL
    with serving(Facade("http://127.0.0.1:9").app) as url:
        embedder = ServedEmbedder(ollama(url), EMBEDDING_MODEL)
        said = ["They went swimming in the lake.", "The invoice is due on Friday.", "Grandma baked a cake."]
        rows = np.frombuffer(b"".join(embedder.embed(said)), "<f4").reshape(3, -1)
        for asked, place in (("a day at the water", 0), ("paying a bill", 1), ("something sweet to eat", 2)):
            (query,) = embedder.embed([asked], "query")
            assert int(np.argmax(rows @ np.frombuffer(query, "<f4"))) == place
        assert embedder.embed([]) == []
        assert embedder.model == "nomic-embed-text:v1.5"


def test_vectors_of_another_model_are_refused() -> None:
    with serving(Facade("http://127.0.0.1:9").app) as url:
        embedder = ServedEmbedder(ollama(url), "another")
        with pytest.raises(Unavailable, match="nomic-embed-text"):
            embedder.embed(["a text"])


@pytest.mark.parametrize(("longest", "kind"), [(5, Unreadable), (0, Rejected)])
def test_a_text_that_is_refused_is_told_from_a_server_that_refuses_all(
    peer: Callable[[Script], Peer], longest: int, kind: type[Exception]
) -> None:
    def choosy(asked: Asked) -> None:
        texts = asked.json["input"]
        if any(len(text.removeprefix("search_document: ")) > longest for text in texts):
            asked.answer({"error": "the input length exceeds the context length"}, 400)
        else:
            asked.answer({"embeddings": [[1.0, 0.0]] * len(texts)})

    embedder = ServedEmbedder(ollama(peer(choosy).url), EMBEDDING_MODEL)
    with pytest.raises(kind, match="exceeds the context length"):
        embedder.embed(["short", "much longer"])
    if longest:
        assert len(embedder.embed(["short"])) == 1


def test_who_waits_for_a_server_that_hangs_is_let_go_when_it_is_closed(peer: Callable[[Script], Peer]) -> None:
    came = threading.Event()

    def hang(asked: Asked) -> None:
        came.set()
        asked.seconds_until_gone()

    embedder = ServedEmbedder(ollama(peer(hang).url), EMBEDDING_MODEL)
    found: list[Exception] = []

    def wait() -> None:
        try:
            embedder.embed(["a text"])
        except Unavailable as error:
            found.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert came.wait(30)
    embedder.close()
    waiting.join(20)
    assert not waiting.is_alive()
    assert "the server stops" in str(found[0])
    with pytest.raises(Unavailable, match="the server stops"):
        embedder.embed(["another"])
