"""Taking back what was said of entities, and the facts about them.

What an insight brought in is taken back as far as nothing was built on it: an entity that has other facts, a bridge or
a merge by now stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.base.errors import Conflict
from domain.events.entity import (
    Entity,
    EntityAliased,
    EntityCreated,
    EntityDeleted,
    EntityDescribed,
    EntityMerged,
    EntityRenamed,
    EntityRestored,
    EntityRetyped,
    EntityUnmerged,
    Fact,
    FactCorrected,
    FactDeleted,
    FactRecorded,
    FactRestored,
    InsightExamined,
)
from domain.events.event import Event, Recorded
from domain.events.person import PersonBridged
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_entity_in_sight, require_photo_in_sight
from domain.undo.inverses import Kinds, blocked, chain_of, later_write, require_last_write, require_none_since
from domain.undo.undoable import takes_back

NAMINGS: Kinds = (EntityCreated, EntityRenamed, EntityRetyped, EntityUnmerged, EntityRestored)


def _entity(uow: UnitOfWork, entity_id: int, recorded: Recorded) -> Entity:
    entity = uow.entities.get(entity_id)
    if entity is None:
        raise Conflict(f"entity {entity_id} is not there any more")
    require_entity_in_sight(uow, entity_id)
    if entity.deleted and not isinstance(recorded.event, EntityDeleted):
        raise blocked(uow, recorded, f"entity-{entity_id}", (EntityDeleted,), f"deleted {entity.name}")
    return entity


def _require_free(uow: UnitOfWork, entity: Entity, name: str, type_: str, recorded: Recorded) -> None:
    holder = uow.entities.named(name, type_)
    if holder is not None and holder != entity.id:
        what = f"gave the name {name} to entity {holder}"
        raise blocked(uow, recorded, f"entity-{holder}", NAMINGS, what)


@takes_back(EntityCreated)
def _created(uow: UnitOfWork, recorded: Recorded, event: EntityCreated) -> Iterable[Event]:
    entity = uow.entities.get(event.entity_id)
    if event.source is not None and (entity is None or entity.deleted or _has_grown(uow, entity)):
        return
    entity = _entity(uow, event.entity_id, recorded)
    if entity.merged_into is not None:
        raise blocked(uow, recorded, recorded.stream, (EntityMerged,), f"merged {entity.name}")
    for other in uow.entities.behind(entity.id):
        if other != entity.id:
            raise blocked(uow, recorded, f"entity-{other}", (EntityMerged,), f"merged another into {entity.name}")
    for fact_id in uow.entities.own_facts(entity.id):
        kinds = (FactRecorded, FactRestored)
        raise blocked(uow, recorded, f"fact-{fact_id}", kinds, f"recorded a fact about {entity.name}")
    for person_id in uow.entities.bridged(entity.id):
        raise blocked(uow, recorded, f"person-{person_id}", (PersonBridged,), f"bridged a person to {entity.name}")
    yield EntityDeleted(entity.id)


def _has_grown(uow: UnitOfWork, entity: Entity) -> bool:
    """Whether something else depends on an entity by now."""
    is_merged = entity.merged_into is not None or uow.entities.behind(entity.id) != [entity.id]
    return is_merged or bool(uow.entities.own_facts(entity.id) or uow.entities.bridged(entity.id))


@takes_back(EntityRenamed)
def _renamed(uow: UnitOfWork, recorded: Recorded, event: EntityRenamed) -> Iterable[Event]:
    entity = _entity(uow, event.entity_id, recorded)
    stands = entity.name == event.name
    require_last_write(uow, recorded, (EntityRenamed,), f"renamed {entity.name}", stands=stands)
    if entity.merged_into is None:
        _require_free(uow, entity, event.was, entity.type, recorded)
    yield EntityRenamed(entity.id, event.was, event.name)


@takes_back(EntityRetyped)
def _retyped(uow: UnitOfWork, recorded: Recorded, event: EntityRetyped) -> Iterable[Event]:
    entity = _entity(uow, event.entity_id, recorded)
    stands = entity.type == event.type
    require_last_write(uow, recorded, (EntityRetyped,), f"changed the type of {entity.name}", stands=stands)
    if entity.merged_into is None:
        _require_free(uow, entity, entity.name, event.was, recorded)
    yield EntityRetyped(entity.id, event.was, event.type)


@takes_back(EntityDescribed)
def _described(uow: UnitOfWork, recorded: Recorded, event: EntityDescribed) -> Iterable[Event]:
    entity = _entity(uow, event.entity_id, recorded)
    stands = entity.description == event.description
    require_last_write(uow, recorded, (EntityDescribed,), f"described {entity.name}", stands=stands)
    yield EntityDescribed(entity.id, event.was, event.description, event.was_hash, event.description_hash)


@takes_back(EntityAliased)
def _aliased(uow: UnitOfWork, recorded: Recorded, event: EntityAliased) -> Iterable[Event]:
    entity = _entity(uow, event.entity_id, recorded)
    stands = entity.aliases == event.aliases
    require_last_write(uow, recorded, (EntityAliased,), f"said what else {entity.name} is called", stands=stands)
    yield EntityAliased(entity.id, event.was, event.aliases)


@takes_back(EntityMerged)
def _merged(uow: UnitOfWork, recorded: Recorded, event: EntityMerged) -> Iterable[Event]:
    entity = uow.entities.get(event.entity_id)
    if entity is None or entity.merged_into != event.into:
        raise blocked(uow, recorded, recorded.stream, (EntityMerged, EntityUnmerged), "changed the merge")
    if entity.canonical_id is None:
        end = chain_of(uow.entities.get, event.into)[-1]
        raise blocked(uow, recorded, f"entity-{end.id}", (EntityDeleted,), f"deleted {end.name}")
    require_entity_in_sight(uow, event.into)
    _require_free(uow, entity, entity.name, entity.type, recorded)
    yield EntityUnmerged(event.entity_id, event.into)


@takes_back(EntityUnmerged)
def _unmerged(uow: UnitOfWork, recorded: Recorded, event: EntityUnmerged) -> Iterable[Event]:
    entity, chain = _entity(uow, event.entity_id, recorded), chain_of(uow.entities.get, event.was)
    if entity.merged_into is not None:
        raise blocked(uow, recorded, recorded.stream, (EntityMerged,), f"merged {entity.name} again")
    if not chain or chain[-1].deleted:
        end = chain[-1].id if chain else event.was
        raise blocked(uow, recorded, f"entity-{end}", (EntityDeleted,), "deleted the other entity")
    if chain[-1].id == entity.id:
        streams = [f"entity-{link.id}" for link in chain[:-1]]
        later = [stream for stream in streams if later_write(uow, recorded, stream, (EntityMerged,)) is not None]
        raise blocked(uow, recorded, (later or streams)[0], (EntityMerged,), "merged the two the other way round")
    require_entity_in_sight(uow, event.was)
    yield EntityMerged(event.entity_id, event.was)


@takes_back(EntityDeleted)
def _deleted(uow: UnitOfWork, recorded: Recorded, event: EntityDeleted) -> Iterable[Event]:
    entity = _entity(uow, event.entity_id, recorded)
    if not entity.deleted:
        raise blocked(uow, recorded, recorded.stream, (EntityRestored,), f"restored {entity.name}")
    _require_free(uow, entity, entity.name, entity.type, recorded)
    yield EntityRestored(entity.id)


@takes_back(EntityRestored)
def _restored(uow: UnitOfWork, recorded: Recorded, event: EntityRestored) -> Iterable[Event]:
    entity = _entity(uow, event.entity_id, recorded)
    if entity.merged_into is not None:
        raise blocked(uow, recorded, recorded.stream, (EntityMerged,), f"merged {entity.name}")
    yield EntityDeleted(entity.id)


def _fact(uow: UnitOfWork, fact_id: int) -> Fact:
    fact = uow.entities.fact(fact_id)
    if fact is None:
        raise Conflict(f"fact {fact_id} is not there any more")
    if fact.content_hash is not None:
        require_photo_in_sight(uow, fact.content_hash, "a photo")
    else:
        require_entity_in_sight(uow, fact.entity_id)
    return fact


@takes_back(FactRecorded)
def _recorded(uow: UnitOfWork, recorded: Recorded, event: FactRecorded) -> Iterable[Event]:
    fact = _fact(uow, event.fact_id)
    if not fact.deleted:
        require_none_since(uow, recorded, recorded.stream, (FactCorrected,), "corrected the fact")
        yield FactDeleted(event.fact_id)


@takes_back(FactCorrected)
def _corrected(uow: UnitOfWork, recorded: Recorded, event: FactCorrected) -> Iterable[Event]:
    fact = _fact(uow, event.fact_id)
    if fact.deleted:
        raise blocked(uow, recorded, recorded.stream, (FactDeleted,), "deleted the fact")
    stands = fact.statement == event.statement
    require_last_write(uow, recorded, (FactCorrected,), "corrected the fact", stands=stands)
    yield FactCorrected(event.fact_id, event.was, event.statement)


@takes_back(FactDeleted)
def _fact_deleted(uow: UnitOfWork, recorded: Recorded, event: FactDeleted) -> Iterable[Event]:
    if not _fact(uow, event.fact_id).deleted:
        raise blocked(uow, recorded, recorded.stream, (FactRestored,), "restored the fact")
    yield FactRestored(event.fact_id)


@takes_back(FactRestored)
def _fact_restored(uow: UnitOfWork, recorded: Recorded, event: FactRestored) -> Iterable[Event]:
    if _fact(uow, event.fact_id).deleted:
        raise blocked(uow, recorded, recorded.stream, (FactDeleted,), "deleted the fact")
    yield FactDeleted(event.fact_id)


@takes_back(InsightExamined)
def _examined(uow: UnitOfWork, recorded: Recorded, event: InsightExamined) -> Iterable[Event]:
    """That a model was asked stays true, so that it is not asked again."""
    return ()
