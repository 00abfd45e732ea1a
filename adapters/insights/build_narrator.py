"""Who writes insights, and what may be known of a photo's day and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from adapters.insights.known import facts_about
from adapters.insights.narrator import HYBRID, LOCAL, Narrator
from adapters.insights.sources import Backend, Reach, Sources
from adapters.language.agent import ToolAgent
from adapters.language.build_models import LanguageModels
from adapters.places.locator import Locator
from adapters.settings import Settings
from adapters.sms.client import SmsClient
from adapters.store.ledger import Ledger
from domain.events.media import Media
from domain.ports.language_model import LanguageModel


def models_by_backend(models: LanguageModels) -> Mapping[str, LanguageModel]:
    """The models that write insights, by the name of their backend."""
    local: dict[str, LanguageModel] = {LOCAL: models.local}
    return local if models.hybrid is None else local | {HYBRID: models.hybrid}


def build_sources(
    settings: Settings,
    locator: Locator,
    conversations: SmsClient | None,
    summaries: Callable[[str, date], Sequence[Any]],
) -> Sources:
    """What is configured; `summaries` finds daily summaries, of which there are none without conversations."""
    personal = locator.personal
    return Sources(
        location=None if personal is None and locator.geocoder is None else locator.location,
        personal=None if personal is None else personal.at,
        messages=None if conversations is None else (lambda day: conversations.messages(day, day)),
        facts=facts_about,
        summaries=None if conversations is None else summaries,
        private_remotely=settings.sms_to_openrouter,
    )


def build_narrator(
    settings: Settings, ledger: Ledger, preview: Callable[[Media], bytes], models: LanguageModels, sources: Sources
) -> Narrator:
    """Insights and conversations by every backend that is configured; `preview` gives a photo as a JPEG."""
    backends = {LOCAL: Backend(LOCAL, models.local, ToolAgent(models.local))}
    if models.hybrid is not None:
        agent = ToolAgent(models.hybrid)
        backends[HYBRID] = Backend(HYBRID, models.hybrid, agent, is_remote=True, eyes=models.local)
    reach = Reach(
        ledger,
        preview,
        sources,
        generating=settings.agentic_max_iterations,
        chatting=settings.agentic_chat_max_iterations,
    )
    return Narrator(reach, backends, {HYBRID: "nothing talks to OpenRouter: set OPENROUTER_API_KEY"})
