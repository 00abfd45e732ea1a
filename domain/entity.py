"""Entities: nodes of the knowledge graph that insights write; a person bridges to one only by a user's act."""

from __future__ import annotations

from domain.event import Event, recorded_as


@recorded_as("EntityCreated", "entity", "entity_id", opens=True)
class EntityCreated(Event, frozen=True, omit_defaults=True):
    """Something that texts speak of got a node of its own."""

    entity_id: int
    name: str
    type: str
    description: str = ""
