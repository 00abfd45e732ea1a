"""What of a model's answer about an insight holds up, and what is recorded of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from domain.base.actor import INSIGHT
from domain.commands.entities import (
    EntityChanges,
    FactChanges,
    change_entity,
    correct_fact,
    create_entity,
    delete_entity,
    delete_fact,
    merge_entities,
)
from domain.commands.insights import Writing, write_insight
from domain.commands.learning import learn_from_insight
from domain.events.entity import EntityCreated, FactOrigin, FactRecorded, InsightExamined, Statement
from domain.events.insight import Insight, TranscriptMessage
from domain.rules.fact_extraction import (
    MOST_ENTITIES,
    MOST_FACTS,
    Proposals,
    ProposedEntity,
    ProposedFact,
    proposals_in,
    shape,
)
from domain.undo.operations import undo
from projections.queries.graph import EntityView, FactView
from tests.domain.world import EDITOR, World, content, nothing_appended, photo

pytestmark = pytest.mark.usefixtures("replayed")
TEXT = "A day at the lake\n\nAnna Lee swims. She has lived in Lisbon since 2012 and works for Bright & Co."
ANNA = {"name": "Anna Lee", "type": "person", "description": ""}
LISBON = {"name": "Lisbon", "type": "place", "description": ""}
LIVES = {"subject": "Anna Lee", "text": "Anna Lee has lived in Lisbon since 2012.", "object": "Lisbon", "since": "2012"}


def answer(entities: Any = (ANNA, LISBON), facts: Any = (LIVES,)) -> str:
    """A model's answer."""
    return json.dumps({"entities": entities, "facts": facts})


def read(entities: Any = (ANNA, LISBON), facts: Any = (LIVES,)) -> Proposals:
    """What holds up of an answer of the right shape."""
    said = proposals_in(answer(entities, facts), TEXT)
    assert said is not None
    return said


def test_an_entity_and_a_fact_that_the_text_tells_are_kept() -> None:
    assert read() == Proposals(
        (ProposedEntity("Anna Lee", "person", ""), ProposedEntity("Lisbon", "place", "")),
        (ProposedFact(0, "Anna Lee has lived in Lisbon since 2012.", 1, "2012", None),),
    )


@pytest.mark.parametrize(
    "around",
    [
        "```json\n{}\n```",
        '<think>{{"entities": [], "facts": []}} hm, {{x}}</think>{}',
        "Here you are: {} I hope that helps {{really}}.",
    ],
)
def test_what_stands_around_the_json_does_no_harm(around: str) -> None:
    said = proposals_in(
        around.replace("{{", "\x01").replace("}}", "\x02").format(answer()).replace("\x01", "{").replace("\x02", "}"),
        TEXT,
    )
    assert said is not None
    assert len(said.facts) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "I cannot.",
        answer()[:-3],
        "[" * 5000,
        "{" * 5000,
        '{"a":' * 3000,
        '{"entities": "Anna"}',
        "null",
        '{"facts": []}',
        json.dumps(shape()),
    ],
)
def test_an_answer_of_another_shape_is_none(garbage: str) -> None:
    assert proposals_in(garbage, TEXT) is None


@pytest.mark.parametrize(
    "entity",
    [
        {**ANNA, "name": "Noah Carter"},
        {**ANNA, "name": "Ann"},
        {**ANNA, "name": ""},
        {**ANNA, "name": "..."},
        {**ANNA, "name": 7},
        {
            **ANNA,
            "name": "Anna Lee swims. She has lived in Lisbon since 2012 and works for Bright & Co. Anna Lee swims.",
        },
        {**ANNA, "type": "swimmer"},
        {**ANNA, "type": None},
        {"name": "Anna Lee"},
        "Anna Lee",
        None,
        ["Anna Lee", "person"],
    ],
)
def test_an_entity_that_does_not_hold_up_is_left_out_with_its_facts(entity: Any) -> None:
    assert read([entity]) == Proposals()


@pytest.mark.parametrize(
    "fact",
    [
        {**LIVES, "text": "Anna Lee has lived in Lisbon since 2011."},
        {**LIVES, "text": "The schema describes an object with properties."},
        {**LIVES, "text": "She is."},
        {**LIVES, "text": "Anna Lee lived in Lisbon " * 30},
        {**LIVES, "text": None},
        {**LIVES, "subject": "Bright"},
        {**LIVES, "subject": None},
        {"text": LIVES["text"]},
        "Anna Lee has lived in Lisbon since 2012.",
    ],
)
def test_a_fact_that_the_text_does_not_bear_is_left_out_and_so_are_entities_without_one(fact: Any) -> None:
    assert read(facts=[fact]) == Proposals()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"since": "2012-13"}, (1, None, None)),
        ({"since": "1999"}, (1, None, None)),
        ({"since": "2012-05-31"}, (1, "2012-05-31", None)),
        ({"since": "May"}, (1, None, None)),
        ({"since": None, "until": "2012"}, (1, None, "2012")),
        ({"since": "2012-05", "until": "2012-04"}, (1, None, None)),
        ({"object": "Paris"}, (None, "2012", None)),
        ({"object": "anna lee"}, (None, "2012", None)),
        ({"object": 3}, (None, "2012", None)),
    ],
)
def test_what_is_wrong_beside_a_fact_is_left_out_alone(change: dict[str, Any], kept: Any) -> None:
    (fact,) = read(facts=[{**LIVES, **change}]).facts
    assert (fact.object, fact.since, fact.until) == kept


def test_names_and_texts_are_one_harmless_line_each_kept_once() -> None:
    text = "Anna Lee[has lived](http://evil.example/?q=x)\nin\u202e Lisbon since 2012."
    said = read([ANNA, {**ANNA, "name": "ANNA  LEE"}, LISBON], [{**LIVES, "text": text}, LIVES, LIVES])
    assert [entity.name for entity in said.entities] == ["Anna Lee", "Lisbon"]
    assert [fact.text for fact in said.facts] == ["Anna Leehas lived in Lisbon since 2012.", LIVES["text"]]
    assert "http" not in repr(said)


def test_a_description_is_kept_where_the_text_bears_it() -> None:
    borne, invented = ({**LISBON, "description": text} for text in ("lived in since 2012", "the capital of Portugal"))
    assert [read([ANNA, each]).entities[1].description for each in (borne, invented)] == ["lived in since 2012", ""]


def test_more_than_was_asked_for_is_cut_off() -> None:
    words = [f"word{number}" for number in range(99)]
    facts = [{"subject": word, "text": f"{word} stands here"} for word in words]
    said = proposals_in(
        answer([{"name": word, "type": "thing"} for word in words], facts), " ".join(words) + " stands here"
    )
    assert said is not None
    assert len(said.entities) == MOST_ENTITIES
    assert len(said.facts) <= MOST_FACTS


# What is recorded


@pytest.fixture
def insight(world: World) -> Insight:
    """An insight in the library Family."""
    world.scan(photo("lake"), photo("other"))
    return written(world)


def written(world: World, name: str = "lake") -> Insight:
    """A new insight about a photo."""
    title, _, text = TEXT.partition("\n\n")
    said = (TranscriptMessage("user", "what is it?"), TranscriptMessage("assistant", text, model="llama"))
    id_ = world.do(write_insight, content(name), Writing(title, text, "llama", "local"), said)
    with world.reading() as tables:
        found = tables.insights.get(id_)
    assert found is not None
    return found


def learn(world: World, insight: Insight, said: Proposals | None = None, model: str = "llama") -> int | None:
    """Record what was read."""
    return world.do(learn_from_insight, insight, model, said or read(), actor=INSIGHT)


def entities(world: World) -> dict[str, EntityView]:
    """The live entities by name."""
    with world.reading() as tables:
        return {view.name: view for view, _ in tables.entities.page(1000)}


def facts(world: World, name: str = "Anna Lee") -> list[FactView]:
    """What is said of an entity."""
    with world.reading() as tables:
        return tables.entities.facts_of(entities(world)[name].id, 0, 1000)


def latest(world: World) -> int:
    """The last operation."""
    with world.reading() as tables:
        return tables.operations.latest(1)[0].id


def test_entities_and_facts_are_recorded_with_what_they_were_read_from(world: World, insight: Insight) -> None:
    before = world.head
    assert learn(world, insight) == 1
    source = FactOrigin(insight.id, insight.version, content("lake"), "llama", 1)
    assert world.since(before) == [
        EntityCreated(1, "Anna Lee", "person", source=source),
        EntityCreated(2, "Lisbon", "place", source=source),
        FactRecorded(1, 1, Statement("Anna Lee has lived in Lisbon since 2012.", 2, "2012"), source),
        InsightExamined(insight.id, "llama", 1),
    ]
    assert world.operation(latest(world)).text == "read an insight about a photo: 1 new fact, 2 new entities"
    (fact,) = facts(world)
    assert (fact.object_name, fact.standing, fact.recorded_by) == ("Lisbon", "stands", "insight")


def test_no_insight_is_read_twice_with_one_question_and_model(world: World, insight: Insight) -> None:
    learn(world, insight)
    with nothing_appended(world):
        assert learn(world, insight) is None
    assert learn(world, insight, model="qwen") == 0
    assert len(facts(world)) == 1


def test_an_insight_that_was_taken_back_meanwhile_is_not_read(world: World, insight: Insight) -> None:
    world.undo(latest(world))
    with nothing_appended(world):
        assert learn(world, insight) is None


def test_a_name_leads_to_the_entity_that_has_it_in_any_case_or_as_another_name(world: World, insight: Insight) -> None:
    anna = world.do(create_entity, "Anna Santos", "person", aliases=["ANNA LEE"])
    lisbon = world.do(create_entity, "lisbon", "place")
    thing = world.do(create_entity, "Lisbon", "thing")
    learn(world, insight)
    assert {view.id for view in entities(world).values()} == {anna, lisbon, thing}
    (fact,) = facts(world, "Anna Santos")
    assert fact.object_id == lisbon


def test_a_name_of_a_merged_entity_leads_to_what_it_became(world: World, insight: Insight) -> None:
    old, new = (world.do(create_entity, name, "person") for name in ("Anna Lee", "Anna Santos"))
    world.do(merge_entities, old, new)
    learn(world, insight)
    assert [fact.entity_id for fact in facts(world, "Anna Santos")] == [new]
    world.undo(world.operation(latest(world)).id)
    assert facts(world, "Anna Santos") == []


def test_what_a_user_called_wrong_is_never_proposed_again_for_that_entity(world: World, insight: Insight) -> None:
    learn(world, insight)
    world.do(delete_fact, 1, 1)
    again = written(world, "other")
    assert learn(world, again) == 0
    assert facts(world) == []
    in_the_same_words = {**LIVES, "text": "Anna Lee: has lived in Lisbon, since 2012"}
    assert learn(world, written(world, "other"), read(facts=[in_the_same_words])) == 0
    assert facts(world) == []


def test_what_a_user_corrected_stays_and_is_not_proposed_again(world: World, insight: Insight) -> None:
    learn(world, insight)
    world.do(correct_fact, 1, 1, FactChanges(text="Anna lived in Lisbon until 2020."))
    assert learn(world, written(world, "other")) == 0
    (fact,) = facts(world)
    assert (fact.text, fact.corrected, fact.source is not None) == ("Anna lived in Lisbon until 2020.", True, True)


def test_what_a_user_wrote_about_an_entity_is_never_touched(world: World, insight: Insight) -> None:
    world.do(create_entity, "Lisbon", "place", "where we live")
    said = read([ANNA, {**LISBON, "description": "lived in since 2012"}])
    learn(world, insight, said)
    assert entities(world)["Lisbon"].description == "where we live"


def test_an_entity_that_a_user_deleted_does_not_come_back_with_the_next_insight(world: World, insight: Insight) -> None:
    learn(world, insight)
    world.do(delete_entity, 2)
    world.do(delete_entity, 1)
    assert learn(world, written(world, "other")) == 0
    assert entities(world) == {}


def test_two_names_of_one_entity_record_a_fact_once(world: World, insight: Insight) -> None:
    anna = world.do(create_entity, "Anna Lee", "person", aliases=["Bright"])
    said = read([ANNA, {**ANNA, "name": "Bright"}], [LIVES, {**LIVES, "subject": "Bright", "object": "Anna Lee"}])
    assert learn(world, insight, said) == 1
    (fact,) = facts(world)
    assert (fact.entity_id, fact.object_id) == (anna, None)


def test_no_person_is_bridged(world: World, insight: Insight) -> None:
    person = world.a_person("Anna Lee")
    learn(world, insight)
    assert world.person(person).entity_id is None


def test_an_undo_takes_back_what_was_read_and_leaves_what_was_built_on_it(world: World, insight: Insight) -> None:
    learn(world, insight)
    first = latest(world)
    more = {**LIVES, "text": "Anna Lee works for Bright"}
    learn(world, written(world, "other"), read([ANNA], [more]))
    undone = world.undo(first)
    assert set(entities(world)) == {"Anna Lee"}
    assert [fact.text for fact in facts(world)] == ["Anna Lee works for Bright"]
    world.undo(undone)
    assert set(entities(world)) == {"Anna Lee", "Lisbon"}
    assert len(facts(world)) == 2


def test_what_a_user_described_goes_back_to_what_the_photo_told(world: World, insight: Insight) -> None:
    learn(world, insight, read([ANNA, {**LISBON, "description": "lived in since 2012"}]))
    changed = world.operation_of(change_entity, 2, EntityChanges(description="mine"))
    world.do(undo, changed, actor=EDITOR)
    with world.reading() as tables:
        entity = tables.entities.get(2)
    assert entity is not None
    assert (entity.description, entity.description_hash) == ("lived in since 2012", content("lake"))


def test_the_schema_asks_for_every_field_and_no_other() -> None:
    def closed(schema: dict[str, Any]) -> None:
        if schema["type"] == "object":
            assert schema["required"] == list(schema["properties"])
            assert schema["additionalProperties"] is False
            for each in schema["properties"].values():
                closed(each)
        if schema["type"] == "array":
            closed(schema["items"])

    closed(msgspec.json.decode(msgspec.json.encode(shape())))
