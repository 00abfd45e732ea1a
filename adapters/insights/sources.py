"""What else may be known of a photo's day and place: ports that `app.py` fills where something is configured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.store.ledger import Ledger
from domain.events.media import Media
from domain.ports.geocoding import Location, PersonalPlace
from domain.ports.language_model import Agent, LanguageModel
from projections.queries.reading import Lookups


@dataclass(frozen=True)
class Sources:
    """Each is None where it is not configured, and is then not offered; all block and are called from threads.

    `location` and `personal` take a position in degrees. `messages` takes a day and answers what was written on it,
    `summaries` a question and a day and answers what it finds in the summaries of that time, `facts` the tables as the
    asker sees them and the id of a person, and answers what is known of the entity that this person is bridged to; the
    model is told each as JSON. `private_remotely` lets messages, summaries and facts, which may tell of messages, leave
    for a model on another machine.
    """

    location: Callable[[float, float], Location | None] | None = None
    personal: Callable[[float, float], PersonalPlace | None] | None = None
    messages: Callable[[date], Sequence[Any]] | None = None
    summaries: Callable[[str, date], Sequence[Any]] | None = None
    facts: Callable[[Lookups, int], Sequence[Any]] | None = None
    private_remotely: bool = False


@dataclass(frozen=True)
class Backend:
    """Who answers: `is_remote` says that words leave the machine; `eyes` is the model that looks at pictures in the
    place of the one that talks, None where that one does so itself."""

    name: str
    model: LanguageModel
    agent: Agent
    is_remote: bool = False
    eyes: LanguageModel | None = None


@dataclass(frozen=True)
class Reach:
    """What a turn reaches: `preview` gives a photo as a JPEG; `generating` and `chatting` are the rounds of tools at
    most."""

    ledger: Ledger
    preview: Callable[[Media], bytes]
    sources: Sources
    generating: int
    chatting: int
