"""Who summarises a day's conversation."""

from __future__ import annotations

from adapters.language.blocking import Blocking
from adapters.language.build_models import LanguageModels
from adapters.settings import Settings
from adapters.summaries.day_summariser import DaySummariser


def build_summariser(settings: Settings, models: LanguageModels) -> DaySummariser:
    """Ollama; OpenRouter where no address of an Ollama is set and messages may go there."""
    if models.openrouter is not None and settings.sms_to_openrouter and not settings.ollama_is_set:
        return DaySummariser(Blocking(models.openrouter), [settings.openrouter_default_model])
    return DaySummariser(Blocking(models.local), [server.model for server in models.servers])
