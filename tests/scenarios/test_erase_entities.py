"""Who is erased is erased from the knowledge graph as well."""

from __future__ import annotations

import pytest

from adapters.store.erase import erase
from adapters.store.generations import verify
from domain.base.actor import CLI, INSIGHT
from domain.commands.entities import (
    EntityChanges,
    FactChanges,
    change_entity,
    correct_fact,
    create_entity,
    merge_entities,
    record_fact,
)
from domain.commands.insights import Writing, write_insight
from domain.commands.learning import learn_from_insight
from domain.commands.persons import PersonChanges, change_person, create_person
from domain.events.entity import Statement
from domain.events.insight import TranscriptMessage
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from tests.scenarios.conftest import Place
from tests.scenarios.contents import exported, files_of, traces_in

NAME, BRIDGED, MERGED, ALIAS = "Zoë Quimby", "Aunt Zed of Väinölä", "Tante Zett", "Zeddy"
BIOGRAPHY, DESCRIBED = "grew up beside the lighthouse", "keeps three herons"
KEPT = "Zoë Quimby Hall"
TRACES = [text.encode() for text in (NAME, BRIDGED, MERGED, ALIAS, BIOGRAPHY, DESCRIBED)]


class Graph:
    """A person, the entity that she is bridged to with one merged into it, others that have her name in theirs, and
    others that have nothing to do with her."""

    def __init__(self, place: Place) -> None:
        self.ledger = place.ledger
        place.picture("lake.jpg", "teal")
        place.scan()
        self.content = place.files()["lake.jpg"].content_hash or b""
        self.zoe = self.do(create_person, NAME)
        self.do(create_person, KEPT)
        self.bridged = self.do(create_entity, BRIDGED, "person", DESCRIBED, [ALIAS])
        merged = self.do(create_entity, MERGED, "person")
        self.said = self.do(record_fact, merged, Statement(BIOGRAPHY, None, "1950"))
        self.do(merge_entities, merged, self.bridged)
        self.do(change_person, self.zoe, PersonChanges(entity_id=self.bridged))
        self.house = self.do(create_entity, f"{NAME}'s house", "place", f"where {NAME.upper()} lives")
        self.do(
            change_entity, self.house, EntityChanges(name=f"house of {NAME}", aliases=[f"chez {NAME}", "the house"])
        )
        self.boat = self.do(create_entity, f"{NAME}", "thing", "a red boat")
        self.hall = self.do(create_entity, KEPT, "person")
        self.bob = self.do(create_entity, "Bob", "person")
        self.about = self.do(record_fact, self.bob, Statement(f"is a friend of {NAME} and of {KEPT}"))
        self.do(correct_fact, self.bob, self.about, FactChanges(text=f"was a friend of {NAME}, {BRIDGED} and {KEPT}"))
        self.learn()

    def do(self, command: object, *arguments: object) -> int:
        """Run one command."""
        with self.ledger.transaction(CLI) as uow:
            return command(uow, *arguments)  # type: ignore[operator, no-any-return]  # each is a command

    def learn(self) -> None:
        """An insight that names her is read."""
        text = f"{NAME} sails a dinghy."
        said = (TranscriptMessage("user", "what?"), TranscriptMessage("assistant", text, model="m"))
        with self.ledger.transaction(INSIGHT) as uow:
            insight = uow.insights.get(write_insight(uow, self.content, Writing("A dinghy", text, "m", "l"), said))
            assert insight is not None
        with self.ledger.transaction(INSIGHT) as uow:
            known = Proposals((ProposedEntity(NAME, "person", text),), (ProposedFact(0, text, None, None, None),))
            learn_from_insight(uow, insight, "m", known)


@pytest.fixture
def graph(place: Place) -> Graph:
    """The graph before the erasure."""
    return Graph(place)


def test_no_file_holds_a_name_of_the_person_or_what_was_said_of_the_bridged_entity(place: Place, graph: Graph) -> None:
    assert traces_in(files_of(place.data), TRACES) == TRACES, "they are there before, or the search finds nothing"
    erase(graph.ledger, CLI, graph.zoe)
    assert traces_in(files_of(place.data).replace(KEPT.encode(), b""), TRACES) == []
    assert traces_in(exported(graph.ledger).replace(KEPT.encode(), b""), TRACES) == []
    assert verify(graph.ledger) == []


def test_what_is_left_is_masked_and_what_is_of_others_stays(graph: Graph) -> None:
    erase(graph.ledger, CLI, graph.zoe)
    mask = f"erased person {graph.zoe}"
    with graph.ledger.reading(CLI) as tables:
        views = {view.id: view for view, _ in tables.entities.page(100)}
        about = tables.entities.fact_view(graph.about)
        said = tables.entities.fact_view(graph.said)
        texts = [operation.text for operation in tables.operations.latest(100)]
    assert (views[graph.bridged].name, views[graph.bridged].description) == (f"erased entity {graph.bridged}", "")
    assert views[graph.bridged].aliases == ()
    assert views[graph.house].name == f"erased entity {graph.house}"
    assert views[graph.house].description == f"where {mask} lives"
    assert views[graph.house].aliases == ("the house",)
    assert (views[graph.boat].name, views[graph.boat].description) == (f"erased entity {graph.boat}", "a red boat")
    assert (views[graph.hall].name, views[graph.bob].name) == (KEPT, "Bob")
    assert about is not None
    assert about.text == f"was a friend of {mask}, {mask} and {KEPT}"
    assert said is not None
    assert (said.text, said.since) == ("erased", None)
    assert f"merged the entity {mask} into {mask}" in texts
