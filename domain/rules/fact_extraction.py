"""Which entities and facts an insight tells of, as a language model says: nothing of its answer is kept that does not
hold up.

Small models answer with reasoning around their JSON, with other shapes than they were asked for, with names from the
question, and with entities that no text speaks of; so each entity and fact is looked at by itself and left out where
something is wrong with it. An entity is kept where the text has its name and a kept fact is about it; a fact, where
most of its words and all of its numbers are the text's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from domain.base.errors import RuleViolation
from domain.base.names import clean_name, name_key, one_line, search_key
from domain.events.entity import LONGEST_TEXT, TYPES, is_day
from domain.events.insight import Insight
from domain.rules.sanitize import inert

PROMPT_VERSION: Final = 1
"""Raise it when the question changes: insights are then read again."""
MOST_ENTITIES: Final = 12
MOST_FACTS: Final = 20
LONGEST_READ: Final = 8000
"""Characters of an insight that are read for facts."""
_LONGEST_CALLED: Final = 80
_LONGEST_ABOUT: Final = 200
_SHORTEST_FACT: Final = 8
_TELLING: Final = 4
"""Letters from which on a word says something."""
NEW: Final = 0
"""In the place of an entity's id: there is none yet."""
_BORNE: Final = 0.6
"""The part of a fact's telling words that the text must have: small models change endings and little else."""
_DEEPEST: Final = 40
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"\d+")


class ProposedEntity(msgspec.Struct, frozen=True):
    """An entity that a text speaks of."""

    name: str
    type: str
    description: str


class ProposedFact(msgspec.Struct, frozen=True):
    """What a text says of an entity: `subject` and `object` are places in the list of entities."""

    subject: int
    text: str
    object: int | None
    since: str | None
    until: str | None


class Proposals(msgspec.Struct, frozen=True):
    """What holds up of a model's answer."""

    entities: tuple[ProposedEntity, ...] = ()
    facts: tuple[ProposedFact, ...] = ()


def shape() -> dict[str, Any]:
    """The JSON schema of the answer that is asked for."""
    text: dict[str, Any] = {"type": "string"}
    perhaps = {"type": ["string", "null"]}
    entity = {"name": text, "type": {"type": "string", "enum": list(TYPES)}, "description": text}
    fact = {"subject": text, "text": text, "object": perhaps, "since": perhaps, "until": perhaps}
    return _object(entities=_array(entity, MOST_ENTITIES), facts=_array(fact, MOST_FACTS))


def _array(properties: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties), "maxItems": most}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def readable(insight: Insight) -> str:
    """What of an insight is read for facts."""
    return f"{insight.title}\n\n{insight.text}"[:LONGEST_READ]


def proposals_in(answer: str, text: str) -> Proposals | None:
    """What holds up of a model's answer about `text`; None where the answer is no JSON of the shape that was asked
    for."""
    found = next(_objects_in(answer), None)
    if found is None:
        return None
    words = f" {plain(text)} "
    entities = _entities(found.get("entities"), words)
    places = {name_key(entity.name): place for place, entity in reversed([*enumerate(entities)])}
    facts = _facts(found.get("facts"), words, places)
    used = sorted({place for fact in facts for place in (fact.subject, fact.object) if place is not None})
    now = {place: number for number, place in enumerate(used)}
    moved = (
        msgspec.structs.replace(
            fact, subject=now[fact.subject], object=None if fact.object is None else now[fact.object]
        )
        for fact in facts
    )
    return Proposals(tuple(entities[place] for place in used), tuple(moved))


def _objects_in(answer: str) -> Iterator[dict[str, Any]]:
    """The JSON objects with entities and facts in an answer, whatever stands around them, the last one first: what a
    model says to itself comes before what it says."""
    starts = [found.start() for found in re.finditer(r"\{", answer)][:_DEEPEST]
    ends = [found.end() for found in re.finditer(r"\}", answer)][-_DEEPEST:]
    for end in reversed(ends):
        for start in starts:
            if start >= end:
                break
            try:
                found = msgspec.json.decode(answer[start:end])
            except (msgspec.DecodeError, RecursionError):
                continue
            if isinstance(found, dict) and isinstance(found.get("entities"), list):
                yield found


def _entities(given: Any, words: str) -> list[ProposedEntity]:
    """The entities that hold up, each name and type once."""
    found: dict[tuple[str, str], ProposedEntity] = {}
    for each in given[: 4 * MOST_ENTITIES] if isinstance(given, list) else ():
        name, type_ = (_line(each, field) for field in ("name", "type"))
        if type_ not in TYPES or not name or len(name) > _LONGEST_CALLED or f" {plain(name)} " not in words:
            continue
        try:
            name = clean_name(name)
        except RuleViolation:
            continue
        description = _line(each, "description")
        if len(description) > _LONGEST_ABOUT or not _is_borne(description, words):
            description = ""
        found.setdefault((name_key(name), type_), ProposedEntity(name, type_, description))
    return list(found.values())[:MOST_ENTITIES]


def _facts(given: Any, words: str, places: dict[str, int]) -> list[ProposedFact]:
    """The facts that hold up, each text of an entity once."""
    found: dict[tuple[int, str], ProposedFact] = {}
    for each in given[: 4 * MOST_FACTS] if isinstance(given, list) else ():
        text, subject = _line(each, "text"), places.get(name_key(_line(each, "subject")))
        is_long_enough = _SHORTEST_FACT <= len(text) <= LONGEST_TEXT
        if subject is None or not is_long_enough or not _is_borne(text, words):
            continue
        other = places.get(name_key(_line(each, "object")))
        since, until = (_date(_line(each, field), words) for field in ("since", "until"))
        if since and until and since[: len(until)] > until[: len(since)]:
            since = until = None
        key = (subject, name_key(text))
        found.setdefault(key, ProposedFact(subject, text, None if other == subject else other, since, until))
    return list(found.values())[:MOST_FACTS]


def _line(given: Any, field: str) -> str:
    """A text of the answer as one harmless line, empty where there is none."""
    value = given.get(field) if isinstance(given, dict) else None
    return one_line(inert(value)) if isinstance(value, str) else ""


def _date(text: str, words: str) -> str | None:
    """A date whose year the text has."""
    return text if is_day(text) and text[:4] in words.split() else None


def plain(text: str) -> str:
    """The words of a text, without case, accents and punctuation, one blank between them; an apostrophe parts two."""
    return " ".join(_WORD.findall(search_key(text.replace("'", " ").replace("\u2019", " "))))


def _is_borne(text: str, words: str) -> bool:
    """Whether a text says what another does: most of its telling words and all its numbers are that one's."""
    own = plain(text)
    has = set(words.split())
    telling = {word for word in own.split() if len(word) >= _TELLING}
    numbers_hold = set(_NUMBER.findall(own)) <= set(_NUMBER.findall(words))
    return bool(telling) and numbers_hold and len(telling & has) >= _BORNE * len(telling)
