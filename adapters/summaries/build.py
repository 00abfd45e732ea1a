"""Who summarises a day's conversation."""

from __future__ import annotations

from adapters.language.blocking import Blocking
from adapters.language.build import LanguageModels
from adapters.settings import Settings
from adapters.summaries.telling import Teller


def build_teller(settings: Settings, models: LanguageModels) -> Teller:
    """Ollama; OpenRouter where no address of an Ollama is set and messages may go there."""
    if models.openrouter is not None and settings.sms_to_openrouter and not settings.ollama_is_set:
        return Teller(Blocking(models.openrouter), [settings.openrouter_default_model])
    return Teller(Blocking(models.local), [server.model for server in models.servers])
