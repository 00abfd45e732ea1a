"""What `imageapi doctor` says of the language models: which server answers, with which model, and what it adds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from adapters.language.ollama import Ollama
from adapters.language.openrouter import OpenRouter
from domain.base.errors import ImageApiError

SECONDS: Final = 6.0
"""A server that takes longer to say what it has is not one to wait for at a terminal."""


class Surveyed(NamedTuple):
    """One part: its name, its state in words, what it adds, and whether it answers; None where it is off."""

    what: str
    found: str
    adds: str
    works: bool | None


def survey(servers: Sequence[Ollama], router: OpenRouter | None) -> list[Surveyed]:
    """The state of every server, asked all at once."""

    async def all_at_once() -> list[Surveyed]:
        models = [_model(server, place) for server, place in zip(servers, ("first", "second"), strict=False)]
        return [*await asyncio.gather(*models, _embedding(servers[0]), _router(router))]

    return asyncio.run(all_at_once())


async def _model(server: Ollama, place: str) -> Surveyed:
    what = f"language model, {place} server"
    try:
        model = await server.describe()
    except ImageApiError as error:
        adds = "insights about photos, chat and daily summaries, all on this machine"
        return Surveyed(what, str(error), adds, works=False)
    able = "does not say what it can do" if model.capabilities is None else ", ".join(sorted(model.capabilities))
    adds = "insights about photos, chat and daily summaries"
    return Surveyed(what, f"{model.name} on {model.server} ({able})", adds, works=True)


async def _embedding(server: Ollama) -> Surveyed:
    what, adds = "embedding model", "search by meaning"
    try:
        model = await server.describe(server.embedding_model)
    except ImageApiError as error:
        return Surveyed(what, str(error), adds, works=False)
    return Surveyed(what, f"{model.name} on {model.server}", adds, works=True)


async def _router(router: OpenRouter | None) -> Surveyed:
    what, adds = "OpenRouter", "larger models for chat and tools (backend=hybrid); pictures and vectors stay local"
    if router is None:
        return Surveyed(what, "off: OPENROUTER_API_KEY is not set", adds, works=None)
    try:
        await router.check()
    except ImageApiError as error:
        return Surveyed(what, str(error), adds, works=False)
    return Surveyed(what, f"{router.model} on {router.place}", adds, works=True)
