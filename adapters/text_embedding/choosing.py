"""Which text embedder serves now: the one place where that is decided.

Vectors of two models are never compared, so that a change of the answer means to embed every text anew. It therefore
depends on what is set and installed, never on who happens to answer: while the chosen one is away, search by meaning
waits for it.
"""

from __future__ import annotations

from enum import StrEnum


class Serves(StrEnum):
    """Who embeds texts."""

    OLLAMA = "ollama"
    OPENROUTER = "openrouter"
    BUNDLED = "bundled"


def who_embeds(*, ollama_is_set: bool, openrouter_is_set: bool, bundled_is_installed: bool) -> Serves:
    """Ollama where its address is set; else the embedding model at OpenRouter where one is set with a key, and these
    texts may leave the machine; else the bundled model where it is installed; else Ollama at its usual address, where
    it may well be, though nobody said so."""
    if ollama_is_set:
        return Serves.OLLAMA
    if openrouter_is_set:
        return Serves.OPENROUTER
    return Serves.BUNDLED if bundled_is_installed else Serves.OLLAMA
