"""Daily summaries: when one is made, when not again, what takes whose place, and what a user takes away."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest

from domain.base.actor import INSIGHT, Actor
from domain.base.conversation import ConversationMessage
from domain.base.errors import Conflict, Forbidden, NotFound, RuleViolation
from domain.base.names import name_key
from domain.commands.summaries import Telling, delete_summary, embed_summaries, write_summary
from domain.events.summary import Summary, SummarySource
from domain.ports.face_engine import Embedding
from domain.rules.summaries import closed_days, is_wanted, source_hash
from tests.domain.world import EDITOR, NOW_RESTRICTED, ONE_LIBRARY, VIEWER, World, nothing_appended

DAY = "2020-05-01"
NOON = datetime(2020, 5, 1, 12, tzinfo=UTC)
SAID = ConversationMessage("1", "Anna", NOON, "received", "Lunch at the harbour?")
VECTOR = Embedding("embedder-1", struct.pack("<4f", 0.5, -0.5, 0.5, 0.5))


def source(*messages: ConversationMessage, contact: str = "Anna", day: str = DAY) -> SummarySource:
    """What a summary of these messages is made from."""
    return SummarySource(day, contact, name_key(contact), source_hash(messages), len(messages))


def write(
    world: World,
    made_from: SummarySource,
    model: str = "m",
    prompt: int = 1,
    embedding: Embedding | None = None,
    **more: bool,
) -> int | None:
    """Record a summary."""
    telling = Telling(f"{made_from.contact} and lunch.", model, prompt)
    return world.do(write_summary, made_from, telling, [model], embedding, actor=INSIGHT, again=False, **more)


def standing(world: World, summary_id: int) -> Summary:
    """A summary as it stands."""
    with world.ledger.reading(EDITOR) as tables:
        found = tables.summaries.get(summary_id)
    assert found is not None
    return found


def shown(world: World) -> list[int]:
    """The summaries that are shown."""
    with world.ledger.reading(EDITOR) as tables:
        return [summary.id for summary in tables.summaries.page(100)]


def test_of_the_same_messages_prompt_and_model_nothing_is_made_again(world: World) -> None:
    assert write(world, source(SAID)) == 1
    with nothing_appended(world):
        assert write(world, source(SAID)) is None


@pytest.mark.parametrize("changed", ["messages", "model", "prompt"])
def test_what_changed_takes_the_place_of_the_earlier_one_which_stays_in_the_history(world: World, changed: str) -> None:
    write(world, source(SAID))
    later = msgspec.structs.replace(SAID, body="Dinner?")
    made_from = source(SAID, msgspec.structs.replace(later, id="2")) if changed == "messages" else source(SAID)
    assert write(world, made_from, "other" if changed == "model" else "m", 2 if changed == "prompt" else 1) == 2
    assert shown(world) == [2]
    assert standing(world, 1).superseded_by == 2
    with world.ledger.reading(EDITOR) as tables:
        assert [each.id for each in tables.summaries.page(9, superseded=True)] == [2, 1]


def test_conversations_and_days_stand_side_by_side(world: World) -> None:
    write(world, source(SAID))
    write(world, source(msgspec.structs.replace(SAID, id="2"), contact="Bob"))
    write(world, source(msgspec.structs.replace(SAID, id="3"), day="2020-05-02"))
    assert shown(world) == [3, 2, 1]


def test_a_contact_is_one_in_any_case(world: World) -> None:
    write(world, source(SAID))
    assert write(world, source(SAID, contact="ANNA")) is None
    assert write(world, source(contact="anna")) == 2
    assert standing(world, 1).superseded_by == 2


def test_a_model_of_several_that_would_do_is_good_enough() -> None:
    made = Summary(1, DAY, "Anna", "anna", source(SAID).hash, 1, 1, "fallback", "", 0, None, False, False, None, None)
    assert not is_wanted(source(SAID), [made], 1, ["primary", "fallback"])
    assert is_wanted(source(SAID), [made], 1, ["primary"])
    assert is_wanted(source(SAID), [made], 1, ["primary", "fallback"], again=True)


def test_the_hash_names_messages_whatever_their_order_and_changes_with_each_of_them() -> None:
    other = msgspec.structs.replace(SAID, id="2", body="Yes")
    assert source_hash([SAID, other]) == source_hash([other, SAID])
    for changed in (
        msgspec.structs.replace(SAID, body="Lunch at the harbour!"),
        msgspec.structs.replace(SAID, id="3"),
        msgspec.structs.replace(SAID, direction="sent"),
        msgspec.structs.replace(SAID, sent_at=NOON + timedelta(seconds=1)),
    ):
        assert source_hash([changed]) != source_hash([SAID])
    assert source_hash([msgspec.structs.replace(SAID, sent_at=NOON.astimezone(timezone(timedelta(hours=2))))]) != (
        source_hash([SAID])
    ), "another clock may mean another day"


def test_a_vector_of_another_model_takes_the_place_of_the_earlier_one(world: World) -> None:
    write(world, source(SAID), embedding=VECTOR)
    with nothing_appended(world):
        assert world.do(embed_summaries, {1: VECTOR}, actor=INSIGHT) == 0
    assert world.do(embed_summaries, {1: Embedding("embedder-2", bytes(8))}, actor=INSIGHT) == 1
    assert (standing(world, 1).embedding_id, standing(world, 1).embedding_model) == (2, "embedder-2")
    with world.ledger.reading(EDITOR) as tables:
        assert tables.summaries.with_vector("embedder-1") == []
        assert tables.summaries.with_vector("embedder-2") == [(1, 2)]
        assert tables.summaries.vectors([1, 2]) == {1: VECTOR.vector, 2: bytes(8)}


def test_a_deleted_summary_is_gone_and_none_is_made_again_until_that_is_undone(world: World) -> None:
    write(world, source(SAID))
    deletion = world.operation_of(delete_summary, 1)
    assert shown(world) == []
    with nothing_appended(world):
        assert write(world, source(SAID), "another model") is None
        assert write(world, source(msgspec.structs.replace(SAID, body="changed"))) is None
        with pytest.raises(NotFound):
            world.do(delete_summary, 1)
    redo = world.undo(deletion)
    assert shown(world) == [1]
    world.undo(redo)
    assert shown(world) == []


def test_what_was_restored_and_then_superseded_is_not_deleted_by_a_redo(world: World) -> None:
    write(world, source(SAID))
    undone = world.undo(world.operation_of(delete_summary, 1))
    write(world, source(msgspec.structs.replace(SAID, body="changed")))
    with nothing_appended(world), pytest.raises(Conflict, match="another summary took the place"):
        world.undo(undone)
    with pytest.raises(NotFound, match="summary 2 took the place"):
        world.do(delete_summary, 1)


def test_that_one_was_written_or_embedded_is_no_decision_to_undo(world: World) -> None:
    written = world.operation_of(
        write_summary, source(SAID), Telling("t", "m", 1), ["m"], None, actor=INSIGHT, again=False
    )
    embedded = world.operation_of(embed_summaries, {1: VECTOR}, actor=INSIGHT)
    for operation in (written, embedded):
        with nothing_appended(world), pytest.raises(RuleViolation, match="cannot be undone"):
            world.undo(operation)


def test_only_who_sees_every_library_takes_one_away_or_brings_it_back(world: World) -> None:
    write(world, source(SAID))
    for actor in (VIEWER, ONE_LIBRARY):
        with nothing_appended(world), pytest.raises(Forbidden):
            world.do(delete_summary, 1, actor=actor)
    deletion = world.operation_of(delete_summary, 1)
    with nothing_appended(world), pytest.raises(Forbidden):
        world.undo(deletion, NOW_RESTRICTED)
    world.undo(deletion, Actor("al", "admin", frozenset({1})))
    assert shown(world) == [1]


def test_closed_days_are_the_last_thirty_or_what_was_set_but_never_today() -> None:
    today = date(2020, 3, 1)
    assert closed_days(today, None, None).days() == [date(2020, 2, 29) - timedelta(n) for n in range(30)]
    assert closed_days(today, date(2020, 2, 28), date(2030, 1, 1)).days() == [date(2020, 2, 29), date(2020, 2, 28)]
    assert closed_days(today, None, date(2020, 1, 31)).days()[-1] == date(2020, 1, 2)
    assert closed_days(today, today, None).days() == []
    assert closed_days(today, None, date(1, 1, 5)).first == date.min
