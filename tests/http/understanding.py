"""Text embedders for the tests: the real one, which can be away, be counted, and pass for another model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.base.errors import Unavailable
from domain.ports.text_embedder import EmbeddedAs, TextEmbedder


class Watched:
    """An embedder in front of a real one. `seen` are the documents that it embedded; while `away` is set, it answers
    with that; `turned` makes it a model of its own, whose vectors say nothing beside the others'."""

    def __init__(self, real: TextEmbedder) -> None:
        self._real = real
        self.seen: list[str] = []
        self.away: Exception | None = None
        self.turned = False

    @property
    def model(self) -> str:
        """The name of the model."""
        return f"turned {self._real.model}" if self.turned else self._real.model

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """As the real one."""
        if self.away is not None:
            raise self.away
        if purpose == "document":
            self.seen += texts
        vectors = self._real.embed(texts, purpose)
        return [np.frombuffer(vector, "<f4")[::-1].tobytes() for vector in vectors] if self.turned else vectors

    def close(self) -> None:
        """Nothing: the real one is for the whole run."""


AWAY = Unavailable("nobody answers at http://127.0.0.1:9: is Ollama running? see OLLAMA_PRIMARY_URL")
