"""The knowledge graph as a user shapes it: named, merged, corrected, deleted, and all of it taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.base.actor import CLI, INSIGHT, Actor
from domain.base.errors import AlreadyMerged, Forbidden, NameTaken, NotFound, RuleViolation, Stale
from domain.base.geometry import Placement
from domain.commands.entities import (
    LONGEST_DESCRIPTION,
    MOST_ALIASES,
    EntityChanges,
    FactChanges,
    change_entity,
    correct_fact,
    create_entity,
    delete_entity,
    delete_fact,
    merge_entities,
    record_fact,
)
from domain.commands.insights import Writing, amend_insight, rewind_transcript, write_insight
from domain.commands.learning import learn_from_insight
from domain.commands.media import record_missing
from domain.events.entity import LONGEST_TEXT, EntityMerged, FactCorrected, Statement
from domain.events.erasure import ContentErased
from domain.events.insight import TranscriptMessage
from domain.events.media import SamePicture
from domain.rules.fact_extraction import Proposals, ProposedEntity, ProposedFact
from domain.undo.operations import undo_with_later
from projections.queries.graph import EntityView, FactView
from tests.domain.world import (
    EDITOR,
    NOW_RESTRICTED,
    ONE_LIBRARY,
    VIEWER,
    World,
    content,
    in_the_way,
    nothing_appended,
    photo,
)

pytestmark = pytest.mark.usefixtures("replayed")


def make(world: World, name: str, type_: str = "person", **more: Any) -> int:
    """A new entity."""
    return world.do(create_entity, name, type_, **more)


def say(world: World, entity: int, text: str = "likes cats and dogs", **more: Any) -> int:
    """A new fact."""
    return world.do(record_fact, entity, Statement(text, **more))


def seen(world: World, entity: int, actor: Actor = EDITOR) -> EntityView | None:
    """The entity as somebody sees it."""
    with world.reading(actor) as tables:
        return tables.entities.view(entity)


def facts(world: World, entity: int, actor: Actor = EDITOR) -> list[FactView]:
    """What is said of an entity as somebody sees it."""
    with world.reading(actor) as tables:
        return tables.entities.facts_of(entity, 0, 1000)


def changed(world: World, entity: int, **changes: Any) -> int:
    """Change an entity; the operation."""
    return world.operation_of(change_entity, entity, EntityChanges(**changes))


def learned(world: World, name: str, photo_name: str, text: str = "has a red boat") -> tuple[int, int]:
    """An entity and a fact that come from an insight about a photo; their ids."""
    said = (TranscriptMessage("user", "what is it?"), TranscriptMessage("assistant", f"{name} {text}.", model="m"))
    writing = Writing("A boat", f"{name} {text}.", "m", "local")
    insight_id = world.do(write_insight, content(photo_name), writing, said, actor=INSIGHT)
    with world.uow(INSIGHT) as uow:
        insight = uow.insights.get(insight_id)
        assert insight is not None
        known = Proposals(
            (ProposedEntity(name, "person", f"{name} {text}"),), (ProposedFact(0, f"{name} {text}", None, None, None),)
        )
        learn_from_insight(uow, insight, "m", known)
        (view, _) = uow.entities.page(1000, q=name)[0]
        return view.id, uow.entities.facts_of(view.id, 0, 1000)[-1].id


# Entities


def test_an_entity_is_made_and_changed_in_plain_words(world: World) -> None:
    lisbon = make(world, " Lisbon ", "place", description=" by the sea ", aliases=["Lisboa", "LISBOA", "lisbon"])
    assert seen(world, lisbon) == EntityView(lisbon, "Lisbon", "place", "by the sea", ("LISBOA",), 0, None, 1)
    operation = changed(world, lisbon, name="Porto", type="thing", description="", aliases=["Oporto"])
    assert world.operation(operation).text == (
        "renamed the entity Lisbon to Porto, said that Porto is of the type thing, described Porto, "
        "said what else Porto is called"
    )
    assert seen(world, lisbon) == EntityView(lisbon, "Porto", "thing", "", ("Oporto",), 0, None, 5)
    world.undo(operation)
    before = seen(world, lisbon)
    assert before is not None
    assert (before.name, before.type, before.description, before.aliases) == (
        "Lisbon",
        "place",
        "by the sea",
        ("LISBOA",),
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"type": "animal"}, "type"),
        ({"description": "x" * (LONGEST_DESCRIPTION + 1)}, "description"),
        ({"description": "a\0b"}, "description"),
        ({"aliases": ["a\nb"]}, "aliases"),
        ({"aliases": [str(number) for number in range(MOST_ALIASES + 1)]}, "aliases"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(world: World, changes: dict[str, Any], field: str) -> None:
    anna = make(world, "Anna")
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        changed(world, anna, **changes)
    assert refusal.value.field == field


def test_what_stands_already_appends_nothing(world: World) -> None:
    anna = make(world, "Anna", description="x", aliases=["Ann"])
    fact = say(world, anna)
    with nothing_appended(world):
        assert changed(world, anna, name="Anna", type="person", description="x", aliases=["Ann"]) == 0
        world.do(correct_fact, anna, fact, FactChanges(text=" likes cats  and dogs"))


def test_a_name_is_taken_within_its_type(world: World) -> None:
    make(world, "Paris", "place")
    person = make(world, "PARIS", "person")
    with nothing_appended(world), pytest.raises(NameTaken, match="entity 1 of the type place"):
        make(world, "paris", "place")
    with nothing_appended(world), pytest.raises(NameTaken):
        changed(world, person, type="place")


def test_a_viewer_changes_nothing_and_an_old_version_is_stale(world: World) -> None:
    anna = make(world, "Anna")
    fact = say(world, anna)
    commands: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (create_entity, ("Bob", "person")),
        (change_entity, (anna, EntityChanges(name="Bob"))),
        (merge_entities, (anna, 2)),
        (delete_entity, (anna,)),
        (record_fact, (anna, Statement("x"))),
        (correct_fact, (anna, fact, FactChanges(text="x"))),
        (delete_fact, (anna, fact)),
    ]
    for command, arguments in commands:
        with nothing_appended(world), pytest.raises(Forbidden):
            world.do(command, *arguments, actor=VIEWER)
    other = make(world, "Bob")
    for command, arguments in (
        (change_entity, (anna, EntityChanges(name="Cleo"), 9)),
        (merge_entities, (anna, other, 9)),
        (delete_entity, (anna, 9)),
        (correct_fact, (anna, fact, FactChanges(text="x"), 9)),
        (delete_fact, (anna, fact, 9)),
    ):
        with nothing_appended(world), pytest.raises(Stale):
            world.do(command, *arguments)


# Merges


def test_a_merge_is_one_event_and_its_undo_brings_back_exactly_what_was_said(world: World) -> None:
    oma, anna = make(world, "Oma"), make(world, "Anna")
    old = say(world, oma)
    before = world.head
    merge = world.operation_of(merge_entities, oma, anna)
    assert world.since(before) == [EntityMerged(oma, anna)]
    new = say(world, anna, "sings in a choir")
    view = seen(world, oma)
    assert view is not None
    assert (view.merged_into, view.fact_count) == (anna, 0)
    assert [(fact.id, fact.entity_id) for fact in facts(world, anna)] == [(old, anna), (new, anna)]
    world.undo(merge)
    assert [fact.id for fact in facts(world, oma)] == [old]
    assert [fact.id for fact in facts(world, anna)] == [new]


def test_a_merged_entity_frees_its_name_which_an_undo_wants_back(world: World) -> None:
    oma, anna = make(world, "Oma"), make(world, "Anna")
    merge = world.operation_of(merge_entities, oma, anna)
    other = world.operation_of(create_entity, "oma", "person")
    with nothing_appended(world), in_the_way(other):
        world.undo(merge)
    world.do(undo_with_later, merge)
    view = seen(world, oma)
    assert view is not None
    assert view.merged_into is None


def test_merges_are_undone_in_any_order_and_close_no_circle(world: World) -> None:
    one, two, three = (make(world, name) for name in ("One", "Two", "Three"))
    first = world.operation_of(merge_entities, one, two)
    second = world.operation_of(merge_entities, two, three)
    with nothing_appended(world), pytest.raises(AlreadyMerged, match="entity 3"):
        world.do(merge_entities, one, three)
    undone = world.undo(first)
    third = world.operation_of(merge_entities, three, one)
    with nothing_appended(world), in_the_way(third):
        world.undo(undone)
    world.undo(third)
    world.undo(undone)
    world.undo(second)
    view = seen(world, one)
    assert view is not None
    assert view.merged_into == two


def test_an_entity_is_not_merged_into_itself_or_what_is_gone(world: World) -> None:
    one, two = make(world, "One"), make(world, "Two")
    with nothing_appended(world), pytest.raises(RuleViolation, match="itself"):
        world.do(merge_entities, one, one)
    world.do(delete_entity, two)
    for pair in ((one, two), (two, one), (one, 99)):
        with nothing_appended(world), pytest.raises(NotFound):
            world.do(merge_entities, *pair)


def test_a_bridge_follows_merges_and_deletions_and_comes_back_with_them(world: World) -> None:
    oma, anna = make(world, "Oma"), make(world, "Anna")
    person, bob = world.a_person("Anna"), world.a_person("Bob")
    bridged = world.change(person, entity_id=oma)

    def bridge() -> int | None:
        with world.reading() as tables:
            view = tables.persons_with_faces.view(person)
        assert view is not None
        return view.entity_id

    assert bridge() == oma
    merge = world.operation_of(merge_entities, oma, anna)
    assert bridge() == anna
    with nothing_appended(world), pytest.raises(RuleViolation, match="merged into entity 2"):
        world.change(bob, entity_id=oma)
    gone = world.operation_of(delete_entity, anna)
    assert bridge() is None
    world.undo(gone)
    world.undo(merge)
    assert bridge() == oma
    world.undo(bridged)
    assert bridge() is None


def test_a_bridge_to_what_is_deleted_by_now_does_not_come_back(world: World) -> None:
    oma, person = make(world, "Oma"), world.a_person("Anna")
    world.change(person, entity_id=oma)
    taken = world.change(person, entity_id=None)
    deleted = world.operation_of(delete_entity, oma)
    with nothing_appended(world), in_the_way(deleted):
        world.undo(taken)


# Deletions


def test_a_deleted_entity_is_gone_with_its_facts_and_comes_back_with_them(world: World) -> None:
    oma, anna = make(world, "Oma"), make(world, "Anna")
    say(world, oma)
    world.do(merge_entities, oma, anna)
    other = make(world, "Bob")
    about = say(world, other, "is a friend of Anna", object_id=anna)
    deleted = world.operation_of(delete_entity, anna)
    assert (seen(world, oma), seen(world, anna), facts(world, anna)) == (None, None, [])
    (left,) = facts(world, other)
    assert (left.id, left.object_id, left.object_name) == (about, None, None)
    for command in (delete_entity, record_fact):
        with nothing_appended(world), pytest.raises(NotFound):
            world.do(command, anna, *([] if command is delete_entity else [Statement("x")]))
    world.undo(deleted)
    assert [fact.text for fact in facts(world, anna)] == ["likes cats and dogs", "is a friend of Anna"]


def test_an_entity_that_others_build_on_is_not_unmade_before_them(world: World) -> None:
    made = world.operation_of(create_entity, "Anna", "person")
    fact = world.operation_of(record_fact, 1, Statement("likes cats"))
    with nothing_appended(world), in_the_way(fact):
        world.undo(made)
    world.undo(fact)
    bridged = world.change(world.a_person("Bob"), entity_id=1)
    with nothing_appended(world), in_the_way(bridged):
        world.undo(made)
    world.undo(bridged)
    merged = world.operation_of(merge_entities, make(world, "Oma"), 1)
    with nothing_appended(world), in_the_way(merged):
        world.undo(made)
    world.undo(merged)
    world.undo(made)
    assert seen(world, 1) is None


# Facts


def test_a_fact_is_corrected_and_what_it_said_stays_in_the_log(world: World) -> None:
    anna, lisbon = make(world, "Anna"), make(world, "Lisbon", "place")
    fact = say(world, anna, "lives in Porto", since="2012-05")
    before = world.head
    changes = FactChanges(text="lives in Lisbon", object_id=lisbon, since=None, until="2020")
    operation = world.operation_of(correct_fact, anna, fact, changes)
    assert world.since(before) == [
        FactCorrected(
            fact, Statement("lives in Lisbon", lisbon, None, "2020"), Statement("lives in Porto", None, "2012-05")
        )
    ]
    (view,) = facts(world, anna)
    assert (view.text, view.object_name, view.since, view.until, view.corrected, view.version) == (
        *("lives in Lisbon", "Lisbon", None, "2020", True),
        2,
    )
    again = world.operation_of(correct_fact, anna, fact, FactChanges(text="lived in Lisbon"))
    with nothing_appended(world), in_the_way(again):
        world.undo(operation)
    world.do(undo_with_later, operation)
    assert [view.text for view in facts(world, anna)] == ["lives in Porto"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": " \u200b"}, "text"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, "text"),
        ({"object_id": 1}, "object_id"),
        ({"object_id": 99}, "object_id"),
        ({"since": "2012-13"}, "since"),
        ({"since": "last year"}, "since"),
        ({"since": "2012", "until": "2011-12"}, "until"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_with_its_field(world: World, wrong: dict[str, Any], field: str) -> None:
    anna = make(world, "Anna")
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        say(world, anna, **{"text": "likes cats", **wrong})
    assert refusal.value.field == field


def test_a_deleted_fact_is_gone_and_an_undo_brings_it_back(world: World) -> None:
    anna = make(world, "Anna")
    fact = say(world, anna)
    deleted = world.operation_of(delete_fact, anna, fact)
    assert facts(world, anna) == []
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(delete_fact, anna, fact)
    world.undo(deleted)
    assert [view.id for view in facts(world, anna)] == [fact]


def test_a_fact_is_reached_through_its_own_entity_alone(world: World) -> None:
    anna, bob = make(world, "Anna"), make(world, "Bob")
    fact = say(world, anna)
    for command, more in ((delete_fact, ()), (correct_fact, (FactChanges(text="x"),))):
        with nothing_appended(world), pytest.raises(NotFound, match=f"no fact {fact} of entity {bob}"):
            world.do(command, bob, fact, *more)


# What becomes of the insight


def standing(world: World, entity: int) -> list[str]:
    """What is said of the sources of an entity's facts."""
    return [fact.standing for fact in facts(world, entity)]


def test_a_fact_says_what_became_of_its_insight(world: World) -> None:
    world.scan(photo("lake"))
    anna, _ = learned(world, "Anna", "lake")
    more = (TranscriptMessage("user", "and now?"), TranscriptMessage("assistant", "Another text.", model="m"))
    amended = world.operation_of(amend_insight, 1, Writing("New", "Another text.", "m", "local"), more)
    assert standing(world, anna) == ["amended"]
    world.undo(amended)
    assert standing(world, anna) == ["stands"]
    with world.uow() as uow:
        uow.begin("erase", "erased the faces of a photo")
        uow.append(ContentErased(content("lake")))
    assert standing(world, anna) == ["erased"]


def test_a_fact_of_an_insight_that_was_taken_back_or_gone_back_behind_says_so(world: World) -> None:
    world.scan(photo("lake"))
    anna, _ = learned(world, "Anna", "lake")
    with world.reading() as tables:
        written = tables.operations.latest(1, kind="insight.write")[0].id
    rewound = world.operation_of(rewind_transcript, 1, 1)
    assert standing(world, anna) == ["rewound"]
    world.undo(rewound)
    assert standing(world, anna) == ["stands"]
    world.undo(written)
    assert standing(world, anna) == ["gone"]
    with world.reading() as tables:
        assert tables.entities.facts_of(anna, 0, 10, standing=True) == []


# Who sees what


@pytest.fixture
def elsewhere(world: World) -> tuple[int, int]:
    """An entity that a photo of the library Work tells of, and its fact; rex sees Family only."""
    work = world.library("Work")
    world.scan(photo("desk"), library=work)
    world.scan(photo("lake"))
    return learned(world, "Anna", "desk", "has a secret boat")


def test_what_comes_from_a_library_out_of_sight_is_not_there(world: World, elsewhere: tuple[int, int]) -> None:
    anna, fact = elsewhere
    assert seen(world, anna, ONE_LIBRARY) is None
    with world.reading(ONE_LIBRARY) as tables:
        assert tables.entities.page(10) == []
        assert tables.entities.fact_view(fact) is None
    for command, arguments in (
        (change_entity, (anna, EntityChanges(name="X"))),
        (record_fact, (anna, Statement("x"))),
        (delete_fact, (anna, fact)),
    ):
        with nothing_appended(world), pytest.raises(NotFound):
            world.do(command, *arguments, actor=ONE_LIBRARY)
    bob = world.do(create_entity, "Bob", "person", actor=ONE_LIBRARY)
    with nothing_appended(world), pytest.raises(RuleViolation, match="no entity"):
        world.do(record_fact, bob, Statement("knows her", anna), actor=ONE_LIBRARY)


def test_of_an_entity_that_both_tell_of_each_sees_the_own_part(world: World, elsewhere: tuple[int, int]) -> None:
    anna, secret = elsewhere
    same, own = learned(world, "Anna", "lake", "has a blue bike")
    mine = say(world, anna, "is my cousin")
    assert same == anna
    assert [fact.id for fact in facts(world, anna, ONE_LIBRARY)] == [own, mine]
    view, whole = seen(world, anna, ONE_LIBRARY), seen(world, anna)
    assert view is not None
    assert whole is not None
    assert (view.description, view.fact_count) == ("", 2), "the description comes from the other photo"
    assert (whole.description, whole.fact_count) == ("Anna has a secret boat", 3)
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(delete_fact, anna, secret, actor=ONE_LIBRARY)
    for command, arguments in (
        (change_entity, (anna, EntityChanges(name="X"))),
        (delete_entity, (anna,)),
        (merge_entities, (world.do(create_entity, "Oma", "person", actor=ONE_LIBRARY), anna)),
    ):
        with nothing_appended(world), pytest.raises(Forbidden, match="ask an admin"):
            world.do(command, *arguments, actor=ONE_LIBRARY)
    world.do(delete_fact, anna, own, actor=ONE_LIBRARY)


def test_what_a_user_wrote_is_seen_by_who_sees_its_entity(world: World, elsewhere: tuple[int, int]) -> None:
    anna, _ = elsewhere
    say(world, anna, "is my cousin")
    bob = world.do(create_entity, "Bob", "person", actor=ONE_LIBRARY)
    own = say(world, bob, "knows Anna", object_id=anna)
    assert facts(world, anna, ONE_LIBRARY) == []
    assert seen(world, bob, ONE_LIBRARY) is not None
    (fact,) = facts(world, bob, ONE_LIBRARY)
    assert (fact.id, fact.object_id, fact.object_name) == (own, None, None)


def test_an_entity_of_no_photo_is_seen_by_who_knows_the_person_that_it_is_linked_to(world: World) -> None:
    oma, boss = make(world, "Oma"), make(world, "Boss")
    seen_person = world.a_person("Oma", world.a_face())
    world.change(seen_person, entity_id=oma)
    world.change(world.a_person("Boss", world.a_face("boss.jpg", world.library("Work"))), entity_id=boss)
    say(world, oma, "bakes")
    assert [fact.text for fact in facts(world, oma, ONE_LIBRARY)] == ["bakes"]
    assert seen(world, boss, ONE_LIBRARY) is None
    with world.reading(ONE_LIBRARY) as tables:
        assert [view.id for view, _ in tables.entities.page(10)] == [oma]


def test_what_is_known_from_an_insight_goes_along_with_it_to_the_photo_saved_anew_and_back(world: World) -> None:
    world.scan(photo("lake"))
    anna, fact = learned(world, "Anna", "lake")
    world.scan(photo("lake", "lake, rated", mtime_ns=2), likenesses={"lake": SamePicture("data", Placement())})
    for name, known in (("lake, rated", [fact]), ("lake", [])):
        with world.reading(ONE_LIBRARY) as tables:
            assert [each.id for each in tables.entities.facts_from(content(name), 0, 10)] == known
    view = seen(world, anna, ONE_LIBRARY)
    assert view is not None
    assert view.description == "Anna has a red boat"
    with world.reading(CLI) as tables:
        (carried,) = (each for each in tables.operations.latest(10) if each.kind == "media.carry")
    world.undo(carried.id)
    with world.reading(CLI) as tables:
        stands = tables.entities.fact(fact)
    assert stands is not None
    assert stands.content_hash == content("lake")


def test_what_was_done_to_what_is_out_of_sight_by_now_is_not_undone(world: World, elsewhere: tuple[int, int]) -> None:
    anna, fact = elsewhere
    for command, arguments in (
        (delete_fact, (anna, fact)),
        (change_entity, (anna, EntityChanges(name="X"))),
        (delete_entity, (anna,)),
    ):
        operation = world.operation_of(command, *arguments)
        with nothing_appended(world), pytest.raises(Forbidden):
            world.undo(operation, NOW_RESTRICTED)
        world.undo(operation)


def test_a_fact_is_not_shown_while_no_file_shows_its_photo(world: World) -> None:
    world.scan(photo("lake"))
    anna, _ = learned(world, "Anna", "lake")
    with world.uow(INSIGHT) as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [world.media("lake").id])
    assert facts(world, anna) == []
    assert seen(world, anna) is not None
