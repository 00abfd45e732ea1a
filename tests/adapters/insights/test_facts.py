"""What a model may look up of a person on a photo: what stands, what that photo's library tells, of nobody hidden."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from adapters.insights.known import facts_about, known_of
from adapters.insights.sources import Sources
from adapters.insights.tools import tools_for
from domain.base.actor import CLI, INSIGHT
from domain.commands.entities import create_entity, delete_entity, merge_entities, record_fact
from domain.commands.faces import draw_face
from domain.commands.insights import Writing, write_insight
from domain.commands.learning import learn_from_insight
from domain.events.entity import Statement
from domain.events.insight import TranscriptMessage
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from tests.domain.conftest import anew, world
from tests.domain.world import BELOW, World, content, photo

__all__ = ["anew", "world"]


class Known:
    """Anna on a photo of the library Family, bridged to an entity that a photo of each library tells of."""

    def __init__(self, world: World) -> None:
        self.world = world
        work = world.library("Work")
        world.scan(photo("lake"))
        world.scan(photo("desk"), library=work)
        self.anna = world.a_person("Anna")
        world.do(draw_face, content("lake"), BELOW, None, self.anna)
        self.entity = world.do(create_entity, "Anna Lee", "person")
        world.change(self.anna, entity_id=self.entity)
        self.written = self.learn("lake", "has a blue bike")
        self.learn("desk", "has a secret boat")
        world.do(record_fact, self.entity, Statement("is my cousin", None, "1980", "2020"))

    def learn(self, name: str, text: str) -> int:
        """A photo tells something; the operation that wrote the insight."""
        said = (TranscriptMessage("user", "what?"), TranscriptMessage("assistant", text, model="m"))
        operation = self.world.operation_of(write_insight, content(name), Writing("A", text, "m", "l"), said)
        with self.world.uow(INSIGHT) as uow:
            insight = uow.insights.of_content(content(name))[0]
            known = Proposals((ProposedEntity("Anna Lee", "person", ""),), (ProposedFact(0, text, None, None, None),))
            learn_from_insight(uow, insight, "m", known)
        return operation

    def told(self) -> list[dict[str, Any]]:
        """What a model that talks about the photo is told."""
        with self.world.reading(CLI) as tables:
            known = known_of(tables, self.world.media("lake"))
        tools = tools_for(self.world.ledger, CLI, known, Sources(facts=facts_about), remotely=False)
        (tool,) = (each for each in tools if each.name == "get_facts_about_people")
        found: list[dict[str, Any]] = tool.run(msgspec.convert({}, tool.takes))["facts"]
        return found


@pytest.fixture
def known(world: World) -> Known:
    """The library with what is known."""
    return Known(world)


BIKE = {"about": "Anna Lee", "fact": "has a blue bike", "said_by": "an earlier insight"}
COUSIN = {"about": "Anna Lee", "fact": "is my cousin", "since": "1980", "until": "2020", "said_by": "the user"}


def test_what_another_library_tells_is_not_told_even_to_who_sees_it(known: Known) -> None:
    assert known.told() == [BIKE, COUSIN]


def test_what_no_longer_stands_is_not_told(known: Known) -> None:
    known.world.undo(known.written)
    assert known.told() == [COUSIN]


def test_of_who_is_hidden_nothing_is_told(known: Known) -> None:
    known.world.change(known.anna, hidden=True)
    assert known.told() == []


def test_a_bridge_is_followed_to_what_the_entity_is_today(known: Known) -> None:
    other = known.world.do(create_entity, "Anna Santos", "person")
    known.world.do(merge_entities, known.entity, other)
    assert {fact["about"] for fact in known.told()} == {"Anna Santos"}
    known.world.do(delete_entity, other)
    assert known.told() == []


def test_without_a_bridge_a_name_alone_tells_nothing(known: Known) -> None:
    known.world.change(known.anna, entity_id=None, name="Anna Lee")
    assert known.told() == []
