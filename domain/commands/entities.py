"""What a user does with the knowledge graph: name, describe, merge and delete entities; record, correct and delete
facts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from domain.base.errors import AlreadyMerged, NotFound, RuleViolation
from domain.base.names import clean_name, name_key, one_line
from domain.commands.persons import check_version
from domain.events.entity import (
    LONGEST_TEXT,
    TYPES,
    Entity,
    EntityAliased,
    EntityCreated,
    EntityDeleted,
    EntityDescribed,
    EntityMerged,
    EntityRenamed,
    EntityRetyped,
    Fact,
    FactCorrected,
    FactDeleted,
    FactRecorded,
    Statement,
    is_day,
)
from domain.events.event import Event
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_entity_in_sight
from domain.rules.unique_names import require_free_entity_name

LONGEST_DESCRIPTION = 2000
MOST_ALIASES = 50


class EntityChanges(msgspec.Struct, frozen=True):
    """What to write about an entity; what is left unset stays as it is."""

    name: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    aliases: Sequence[str] | UnsetType = UNSET


class FactChanges(msgspec.Struct, frozen=True):
    """What is right about a fact; what is left unset stays as it is."""

    text: str | UnsetType = UNSET
    object_id: int | UnsetType | None = UNSET
    since: str | UnsetType | None = UNSET
    until: str | UnsetType | None = UNSET


def create_entity(uow: UnitOfWork, name: str, type_: str, description: str = "", aliases: Sequence[str] = ()) -> int:
    """Make a new entity; its id.

    Raises:
        NameTaken: a live entity of this type has this name in any case.
        RuleViolation: the name, type, description or another name cannot be.
    """
    uow.actor.require("editor")
    cleaned, kind = clean_name(name), _type(type_)
    require_free_entity_name(uow, cleaned, kind)
    uow.begin("entity.create", f"created the entity {cleaned}")
    entity_id = uow.new_id("entity")
    uow.append(EntityCreated(entity_id, cleaned, kind, _description(description), _aliases(aliases, cleaned)))
    return entity_id


def change_entity(uow: UnitOfWork, entity_id: int, changes: EntityChanges, expected: int | None = None) -> None:
    """Write what is known of an entity; what already stands so appends nothing.

    Raises:
        NotFound: there is no such entity, or none that the actor sees.
        AlreadyMerged: it was merged; the text names the survivor.
        NameTaken: another live entity of its type has the name.
        RuleViolation: a value cannot be; `field` names it.
        Forbidden: it comes from photos that the actor may not see.
        Stale: it changed since the client read it.
    """
    uow.actor.require("editor")
    entity = live_entity(uow, entity_id, expected)
    name = entity.name if changes.name is UNSET else clean_name(changes.name)
    kind = entity.type if changes.type is UNSET else _type(changes.type)
    if (name, kind) != (entity.name, entity.type):
        require_free_entity_name(uow, name, kind, besides=entity_id)
    events: list[Event] = []
    done: list[str] = []
    if name != entity.name:
        events.append(EntityRenamed(entity_id, name, entity.name))
        done.append(f"renamed the entity {entity.name} to {name}")
    if kind != entity.type:
        events.append(EntityRetyped(entity_id, kind, entity.type))
        done.append(f"said that {name} is of the type {kind}")
    description = entity.description if changes.description is UNSET else _description(changes.description)
    if description != entity.description:
        was = (entity.description, None, entity.description_hash)
        events.append(EntityDescribed(entity_id, description, *was))
        done.append(f"described {name}")
    aliases = entity.aliases if changes.aliases is UNSET else _aliases(changes.aliases, name)
    if aliases != entity.aliases:
        events.append(EntityAliased(entity_id, aliases, entity.aliases))
        done.append(f"said what else {name} is called")
    if events:
        require_entity_in_sight(uow, entity_id)
        uow.begin("entity.change", ", ".join(done))
        uow.append(*events)


def merge_entities(uow: UnitOfWork, entity_id: int, into: int, expected: int | None = None) -> None:
    """Say that two entities are one: `entity_id` is retired and points to `into`, under which its facts and the persons
    bridged to it are found. Each fact keeps saying the entity that it was said of.

    Raises:
        RuleViolation: an entity cannot be merged into itself.
        NotFound, AlreadyMerged, Forbidden, Stale: as `change_entity`, of either.
    """
    uow.actor.require("editor")
    if entity_id == into:
        raise RuleViolation("an entity cannot be merged into itself: name another one", "into")
    entity, survivor = live_entity(uow, entity_id, expected), live_entity(uow, into)
    require_entity_in_sight(uow, entity_id)
    require_entity_in_sight(uow, into)
    uow.begin("entity.merge", f"merged the entity {entity.name} into {survivor.name}")
    uow.append(EntityMerged(entity_id, into))


def delete_entity(uow: UnitOfWork, entity_id: int, expected: int | None = None) -> None:
    """Delete an entity with its facts and all that were merged into it; no model proposes it again.

    Raises:
        NotFound, AlreadyMerged, Forbidden, Stale: as `change_entity`.
    """
    uow.actor.require("editor")
    entity = live_entity(uow, entity_id, expected)
    require_entity_in_sight(uow, entity_id)
    uow.begin("entity.delete", f"deleted the entity {entity.name}")
    uow.append(EntityDeleted(entity_id))


def record_fact(uow: UnitOfWork, entity_id: int, statement: Statement) -> int:
    """Say something of an entity; the fact's id.

    Raises:
        NotFound, AlreadyMerged: as `change_entity`.
        RuleViolation: the text, the other entity or a date cannot be; `field` names it.
    """
    uow.actor.require("editor")
    entity = live_entity(uow, entity_id)
    checked = _checked(uow, entity_id, statement)
    uow.begin("fact.add", f"recorded a fact about {entity.name}")
    fact_id = uow.new_id("fact")
    uow.append(FactRecorded(fact_id, entity_id, checked))
    return fact_id


def correct_fact(
    uow: UnitOfWork, entity_id: int, fact_id: int, changes: FactChanges, expected: int | None = None
) -> None:
    """Say what is right in the place of what a fact says; the log keeps what it said before.

    Raises:
        NotFound: there is no such fact of this entity, or none that the actor sees.
        AlreadyMerged, RuleViolation: as `record_fact`.
        Stale: it changed since the client read it.
    """
    uow.actor.require("editor")
    entity = live_entity(uow, entity_id)
    fact = live_fact(uow, entity_id, fact_id, expected)
    written = {key: value for key, value in msgspec.structs.asdict(changes).items() if value is not UNSET}
    wanted = msgspec.structs.replace(fact.statement, **written)
    if wanted != fact.statement:
        checked = _checked(uow, entity_id, wanted, was=fact.statement)
        if checked != fact.statement:
            uow.begin("fact.correct", f"corrected a fact about {entity.name}")
            uow.append(FactCorrected(fact_id, checked, fact.statement))


def delete_fact(uow: UnitOfWork, entity_id: int, fact_id: int, expected: int | None = None) -> None:
    """Say that a fact is wrong: it is gone, and no model proposes it again for this entity.

    Raises:
        NotFound, AlreadyMerged, Stale: as `correct_fact`.
    """
    uow.actor.require("editor")
    entity = live_entity(uow, entity_id)
    live_fact(uow, entity_id, fact_id, expected)
    uow.begin("fact.delete", f"said that a fact about {entity.name} is wrong")
    uow.append(FactDeleted(fact_id))


def live_entity(uow: UnitOfWork, entity_id: int, expected: int | None = None) -> Entity:
    """The entity that a command is about; raises `NotFound`, `AlreadyMerged` or `Stale`."""
    entity = uow.entities.get(entity_id)
    if entity is None or not uow.entities.sees(entity_id):
        raise NotFound(f"there is no entity {entity_id}")
    if entity.merged_into is not None:
        raise AlreadyMerged(f"entity {entity_id} ({entity.name}) was merged into entity {entity.canonical_id}")
    check_version("entity", entity.version, expected)
    return entity


def live_fact(uow: UnitOfWork, entity_id: int, fact_id: int, expected: int | None = None) -> Fact:
    """The fact of a live entity that a command is about; raises `NotFound` or `Stale`."""
    fact = uow.entities.fact(fact_id)
    is_its = fact is not None and fact.entity_id in uow.entities.behind(entity_id)
    if fact is None or not is_its or not uow.entities.sees_fact(fact_id):
        raise NotFound(f"there is no fact {fact_id} of entity {entity_id}")
    check_version("fact", fact.version, expected)
    return fact


def _type(type_: str) -> str:
    if type_ not in TYPES:
        raise RuleViolation(f"a type is one of {', '.join(TYPES)}", "type")
    return type_


def _description(description: str) -> str:
    if len(description) > LONGEST_DESCRIPTION:
        raise RuleViolation(f"a description has at most {LONGEST_DESCRIPTION} characters", "description")
    if "\0" in description:
        raise RuleViolation("a description cannot hold NUL characters", "description")
    return description.strip()


def _aliases(aliases: Sequence[str], name: str) -> tuple[str, ...]:
    """Other names as they are stored: each once, and none that is the name itself."""
    cleaned = {name_key(alias): alias for alias in (clean_name(alias, field="aliases") for alias in aliases)}
    cleaned.pop(name_key(name), None)
    if len(cleaned) > MOST_ALIASES:
        raise RuleViolation(f"an entity has at most {MOST_ALIASES} other names", "aliases")
    return tuple(cleaned.values())


def _checked(uow: UnitOfWork, entity_id: int, statement: Statement, was: Statement | None = None) -> Statement:
    """The statement as it is stored; what already stood is not asked about again."""
    text = one_line(statement.text)
    if not text:
        raise RuleViolation("say what the fact is", "text")
    if len(text) > LONGEST_TEXT:
        raise RuleViolation(f"a fact has at most {LONGEST_TEXT} characters; this one has {len(text)}", "text")
    if statement.object_id is not None and (was is None or statement.object_id != was.object_id):
        other = uow.entities.get(statement.object_id)
        if other is None or other.merged_into is not None or not uow.entities.sees(other.id):
            raise RuleViolation(f"there is no entity {statement.object_id}", "object_id")
        if other.id == entity_id:
            raise RuleViolation("a fact is about one entity, or about it and another one", "object_id")
    since, until = (_day(getattr(statement, field), field) for field in ("since", "until"))
    if since and until and since[: len(until)] > until[: len(since)]:
        raise RuleViolation("a fact cannot end before it begins", "until")
    return Statement(text, statement.object_id, since, until)


def _day(text: str | None, field: str) -> str | None:
    if text is None or is_day(text):
        return text
    raise RuleViolation("a date is written YYYY-MM-DD, YYYY-MM or YYYY", field)
