"""Who embeds which texts, put together: `choosing` decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.settings import Settings
from adapters.text_embedding import bundled
from adapters.text_embedding.bundled import BundledEmbedder
from adapters.text_embedding.choosing import Serves, who_embeds
from adapters.workers.pool import WorkerPool
from adapters.workers.pools import Pools
from domain.ports.text_embedder import TextEmbedder

NO_EMBEDDER: Final = (
    "nothing was set or installed that embeds texts (run `imageapi setup --search`, or set OLLAMA_PRIMARY_URL)"
)


@dataclass(frozen=True)
class TextEmbedders:
    """`photos` embeds what the library knows of its photos, and `background` is the same model for work in the
    background: the bundled one in a process of its own that steps aside for others, so that nobody's query waits for
    it. `private` embeds what people wrote to each other, which goes to OpenRouter only where the user says so.

    `are_on_purpose` says whether an embedder was set or installed, and not merely hoped for at Ollama's usual address.
    """

    photos: TextEmbedder
    background: TextEmbedder
    private: TextEmbedder
    bundled: BundledEmbedder | None = None
    are_on_purpose: bool = True

    @property
    def hint(self) -> str:
        """What to do about an embedder that is not there, to be put in front of the reason."""
        return "" if self.are_on_purpose else f"{NO_EMBEDDER}: "

    def close(self) -> None:
        """Give up what is being embedded, and end the worker processes."""
        for embedder in (self.bundled, self.photos, self.background, self.private):
            if embedder is not None:
                embedder.close()


def build_embedders(
    settings: Settings, pools: Pools, *, local: Callable[[], TextEmbedder], remote: Callable[[], TextEmbedder]
) -> TextEmbedders:
    """The embedders that the settings and what is installed ask for; `local` makes one at Ollama, `remote` one at
    OpenRouter. The workers of the bundled one that answers queries are added to `pools`."""
    own = None
    if bundled.is_installed():
        pools["texts"] = _workers(niceness=0)
        own = BundledEmbedder(pools["texts"])
    remote_is_set = settings.openrouter_api_key is not None and settings.is_set("OPENROUTER_EMBEDDING_MODEL")

    def embedder(*, may_leave: bool) -> TextEmbedder:
        serves = who_embeds(
            ollama_is_set=settings.ollama_is_set,
            openrouter_is_set=remote_is_set and may_leave,
            bundled_is_installed=own is not None,
        )
        if serves is Serves.BUNDLED and own is not None:
            return own
        return remote() if serves is Serves.OPENROUTER else local()

    photos = embedder(may_leave=True)
    return TextEmbedders(
        photos=photos,
        background=BundledEmbedder(_workers()) if photos is own else photos,
        private=embedder(may_leave=settings.sms_to_openrouter),
        bundled=own,
        are_on_purpose=settings.ollama_is_set or remote_is_set or own is not None,
    )


def _workers(niceness: int = 10) -> WorkerPool:
    return WorkerPool(1, initializer=bundled.prepare, memory_limit=bundled.MEMORY_LIMIT, niceness=niceness)
