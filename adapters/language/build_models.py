"""Which language models the settings name: Ollama's servers in their order, OpenRouter, and both together."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.language.failover import Failover
from adapters.language.hybrid import Hybrid
from adapters.language.ollama import EMBEDDING_MODEL, Ollama
from adapters.language.openrouter import OpenRouter
from adapters.language.served_embedder import ServedEmbedder
from adapters.language.upstream import TOTAL_SECONDS
from adapters.settings import Settings


@dataclass(frozen=True)
class LanguageModels:
    """`local` asks the `servers` in their order; `hybrid` has it look at pictures and embed, and `openrouter` talk.
    Both of the latter are None where there is no key for OpenRouter."""

    servers: tuple[Ollama, ...]
    local: Failover
    openrouter: OpenRouter | None
    hybrid: Hybrid | None
    remote_embedding_model: str

    def local_embedder(self) -> ServedEmbedder:
        """Ollama's embedding model."""
        return ServedEmbedder(self.local, EMBEDDING_MODEL)

    def remote_embedder(self) -> ServedEmbedder:
        """OpenRouter's embedding model; the local one where there is no key for it."""
        if self.openrouter is None:
            return self.local_embedder()
        return ServedEmbedder(self.openrouter, self.remote_embedding_model)


def build_models(settings: Settings, seconds: float = TOTAL_SECONDS) -> LanguageModels:
    """The configured models; `seconds` bounds one request to a server."""
    servers = _servers(settings, seconds)
    local, openrouter = Failover(servers, are_set=settings.ollama_is_set), _openrouter(settings, seconds)
    return LanguageModels(
        servers=servers,
        local=local,
        openrouter=openrouter,
        hybrid=None if openrouter is None else Hybrid(local, openrouter),
        remote_embedding_model=settings.openrouter_embedding_model,
    )


def _servers(settings: Settings, seconds: float) -> tuple[Ollama, ...]:
    primary = "OLLAMA_PRIMARY_URL (or OLLAMA_URL)"
    first = Ollama(settings.ollama_primary_url, settings.ollama_primary_model, setting=primary, seconds=seconds)
    if settings.ollama_fallback_url is None:
        return (first,)
    url, model = settings.ollama_fallback_url, settings.ollama_fallback_model
    return first, Ollama(url, model, setting="OLLAMA_FALLBACK_URL", seconds=seconds)


def _openrouter(settings: Settings, seconds: float) -> OpenRouter | None:
    if settings.openrouter_api_key is None:
        return None
    return OpenRouter(
        settings.openrouter_base_url,
        settings.openrouter_api_key,
        settings.openrouter_default_model,
        settings.openrouter_embedding_model,
        allowed=settings.openrouter_allowed_models,
        referer=settings.openrouter_http_referer,
        title=settings.openrouter_app_title,
        seconds=seconds,
    )
