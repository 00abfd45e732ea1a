"""The knowledge graph answers alike on SQLite and PostgreSQL: who sees what, what stands, what a name leads to."""

from __future__ import annotations

import pytest

from adapters.store.erase import erase
from adapters.store.generations import verify
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, INSIGHT
from domain.commands.entities import EntityChanges, change_entity, create_entity, delete_entity, merge_entities
from domain.commands.insights import Writing, write_insight
from domain.commands.learning import learn_from_insight
from domain.commands.persons import PersonChanges, change_person, create_person
from domain.events.insight import TranscriptMessage
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from projections.queries.reading import Lookups
from tests.domain.world import EDITOR, ONE_LIBRARY, World, content, photo


@pytest.fixture
def world(ledger: Ledger) -> World:
    """A photo in each of two libraries; each tells of Anna and of a place."""
    world = World(ledger)
    for name, file in (("Family", "lake"), ("Work", "desk")):
        world.scan(photo(file), library=world.library(name))
        with world.uow(INSIGHT) as uow:
            said = (TranscriptMessage("user", "what?"), TranscriptMessage("assistant", "text", model="m"))
            write_insight(uow, content(file), Writing("title", "text", "m", "l"), said)
        with world.uow(INSIGHT) as uow:
            insight = uow.insights.of_content(content(file))[0]
            known = (ProposedEntity("Anna", "person", f"at the {file}"), ProposedEntity(f"the {file}", "place", ""))
            facts = (ProposedFact(0, f"was at the {file}", 1, "2012", None),)
            learn_from_insight(uow, insight, "m", Proposals(known, facts))
    return world


def names(tables: Lookups, **more: str) -> list[str]:
    """What is listed."""
    return [view.name for view, _ in tables.entities.page(10, **more)]  # type: ignore[arg-type]  # all of them are texts


def test_each_reader_sees_what_their_photos_tell(world: World) -> None:
    with world.reading(ONE_LIBRARY) as tables:
        assert names(tables) == ["Anna", "the lake"]
        assert [(fact.text, fact.object_name) for fact in tables.entities.facts_of(1, 0, 10)] == [
            ("was at the lake", "the lake")
        ]
        assert tables.entities.outside(1) == 1
        assert tables.entities.outside(2) == 0
        view = tables.entities.view(1)
        assert view is not None
        assert (view.fact_count, view.description) == (1, "at the lake")
        assert tables.entities.fact_view(2) is None
    with world.reading(EDITOR) as tables:
        assert names(tables) == ["Anna", "the desk", "the lake"]
        assert names(tables, q="DESK", type_="place") == ["the desk"]
        assert {fact.standing for fact in tables.entities.facts_of(1, 0, 10, standing=True)} == {"stands"}


def test_a_page_goes_on_after_the_last_name_and_id(world: World) -> None:
    with world.reading(EDITOR) as tables:
        (first, key) = tables.entities.page(1)[0]
        assert [view.name for view, _ in tables.entities.page(10, after=(key, first.id))] == ["the desk", "the lake"]


def test_a_name_leads_to_what_is_live_first(world: World) -> None:
    deleted = world.do(create_entity, "Berta", "person", "", ["Anna"])
    world.do(delete_entity, deleted)
    merged = world.do(create_entity, "Nana", "person")
    world.do(merge_entities, merged, 1)
    other = world.do(create_entity, "Cleo", "person", "", ["ANNA"])
    with world.reading() as tables:
        assert tables.entities.called("anna", "person") == [1, other, None]
        assert tables.entities.called("nana", "person") == [1]
        assert tables.entities.called("berta", "person") == [None]
        assert tables.entities.called("anna", "place") == []
    assert verify(world.ledger) == []


def test_an_erasure_keeps_names_apart_that_come_to_nothing(world: World) -> None:
    zoe = world.do(create_person, "Zoe")
    world.do(change_person, zoe, PersonChanges(name="Zora"))
    first, second = (world.do(create_entity, name, "person") for name in ("Zoe", "ZORA"))
    world.do(create_entity, f"erased entity {first}", "person")
    world.do(change_entity, second, EntityChanges(aliases=["Zoe", "Zuzu"]))
    erase(world.ledger, CLI, zoe)
    with world.reading() as tables:
        views = tables.entities.views([first, second])
    assert views[first].name == f"erased entity {first} (2)"
    assert (views[second].name, views[second].aliases) == (f"erased entity {second}", ("Zuzu",))
    assert verify(world.ledger) == []
