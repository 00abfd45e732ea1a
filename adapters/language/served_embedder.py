"""A text embedder on a server of language models: Ollama's embedding model, or OpenRouter's."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.language.blocking import Blocking
from domain.base.errors import Rejected, Unavailable, Unreadable
from domain.ports.language_model import EmbeddingPurpose, LanguageModel
from domain.ports.text_embedder import EmbeddedAs

_WANTED: dict[EmbeddedAs, EmbeddingPurpose] = {"query": EmbeddingPurpose.QUERY, "document": EmbeddingPurpose.DOCUMENT}
_HARMLESS = "a"
"""A text that every server takes which takes any: where it is refused too, the texts before are not to blame."""


class ServedEmbedder:
    """`domain.ports.text_embedder.TextEmbedder` on a language model whose embedding model is called `model`."""

    def __init__(self, served: LanguageModel, model: str) -> None:
        self._served = Blocking(served)
        self._model = model

    @property
    def model(self) -> str:
        """The embedding model; the same name on two servers is taken for the same model."""
        return self._model

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """A vector for each text, with the prefixes that the model was trained with; see the port.

        Raises:
            Unavailable: no server can answer now, or another model than `model` did.
            Rejected: the server refuses for good, whatever the text.
            Unreadable: it refuses one of these texts, such as one that is too long for the model.
        """
        if not texts:
            return []
        try:
            found = self._served.embed(texts, _WANTED[purpose])
        except Rejected as error:
            self._served.embed([_HARMLESS], _WANTED[purpose])
            raise Unreadable(str(error)) from error
        if found.model != self._model:
            raise Unavailable(f"the texts were embedded by {found.model} in place of {self._model}: ask again")
        return list(found.vectors)

    def close(self) -> None:
        """Give up what is being embedded."""
        self._served.close()
