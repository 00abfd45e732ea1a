"""Texts as points of a space in which what means alike lies close together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

EmbeddedAs = Literal["query", "document"]


class TextEmbedder(Protocol):
    """Embeds texts. Calls block: they are made from threads, never from the event loop."""

    @property
    def model(self) -> str:
        """Names the model and its build; vectors of two models are never compared."""

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """A vector for each text: little-endian float32 of L2 norm 1, all of one length. What is searched for is a
        `query`, what is searched in a `document`.

        Raises:
            Unavailable: it cannot answer now; the text says what to do.
            Rejected: the server that embeds refuses for good.
            Unreadable: it can never embed one of these texts.
        """

    def close(self) -> None:
        """Give back processes and connections; it cannot be used afterwards."""
