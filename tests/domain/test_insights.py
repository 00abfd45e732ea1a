"""What a model wrote about a photo, the conversation about it, and taking either back."""

from __future__ import annotations

import pytest

from domain.base.actor import CLI, Actor
from domain.base.errors import Conflict, Forbidden, NotFound, RuleViolation, Stale
from domain.commands.insights import (
    MOST_MESSAGES,
    Writing,
    amend_insight,
    continue_transcript,
    rate_insight,
    rewind_transcript,
    write_insight,
)
from domain.commands.media import record_missing
from domain.events.insight import (
    Insight,
    InsightRated,
    InsightWritten,
    RecordedToolCall,
    TranscriptAppended,
    TranscriptMessage,
    TranscriptRewound,
)
from domain.rules.transcripts import folded, shown
from domain.undo.operations import undo, undo_with_later
from tests.domain.world import ONE_LIBRARY, VIEWER, World, content, in_the_way, nothing_appended, photo

WRITING = Writing("A day at the lake", "They swam.", "llama", "local")
PROMPT = (TranscriptMessage("user", "what is it?"), TranscriptMessage("assistant", "They swam.", model="llama"))
TOOLS = (
    TranscriptMessage("user", "who was there?"),
    TranscriptMessage(
        "assistant",
        "Let me look.",
        (RecordedToolCall("a", "get_people"), RecordedToolCall("b", "get_tags", '{"n":1}')),
        model="llama",
    ),
    TranscriptMessage("tool", '["Anna"]', answers="a"),
    TranscriptMessage("tool", "[]", answers="b"),
    TranscriptMessage("assistant", "Anna.", model="llama"),
)
MORE = (TranscriptMessage("user", "and then?"), TranscriptMessage("assistant", "They left.", model="qwen"))


@pytest.fixture
def insight(world: World) -> int:
    """An insight about a photo in the library Family."""
    world.scan(photo("lake"), photo("other"))
    return world.do(write_insight, content("lake"), WRITING, PROMPT)


def said(world: World, insight: int) -> tuple[TranscriptMessage, ...]:
    """The transcript as it stands."""
    with world.reading() as tables:
        return tables.transcripts.of(insight)


def row(world: World, insight: int) -> Insight:
    """The insight's row."""
    with world.reading() as tables:
        found = tables.insights.get(insight)
    assert found is not None
    return found


def test_an_insight_is_written_with_the_conversation_that_led_to_it(world: World, insight: int) -> None:
    written = InsightWritten(insight, content("lake"), "A day at the lake", "They swam.", "llama", "local")
    assert world.since(0)[-2:] == [written, TranscriptAppended(insight, 0, PROMPT)]
    assert said(world, insight) == PROMPT
    with world.reading() as tables:
        assert [found.title for found in tables.insights.of_content(content("lake"))] == ["A day at the lake"]


def test_copies_of_a_photo_share_its_insight(world: World, insight: int) -> None:
    work = world.library("Work")
    world.scan(photo("copy", "lake"), library=work)
    with world.reading(Actor("ron", "viewer", frozenset({work}))) as tables:
        assert [found.id for found in tables.insights.latest(10)] == [insight]


def test_a_title_is_one_line_that_hides_nothing(world: World, insight: int) -> None:
    writing = Writing("  A\u202e day\n\x00at\tthe\u200b lake " + "x" * 300, "text", "m", "local")
    other = world.do(write_insight, content("lake"), writing, PROMPT)
    title = row(world, other).title
    assert title.startswith("A day at the lake xxx")
    assert len(title) == 200


@pytest.mark.parametrize(("title", "text"), [("", "text"), (" \u200b", "text"), ("title", " \n")])
def test_a_model_that_wrote_nothing_leaves_nothing(world: World, insight: int, title: str, text: str) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation, match="ask again"):
        world.do(write_insight, content("lake"), Writing(title, text, "m", "local"), PROMPT)


def test_a_turn_goes_on_where_the_transcript_ends(world: World, insight: int) -> None:
    before = world.head
    world.do(continue_transcript, insight, TOOLS)
    assert world.since(before) == [TranscriptAppended(insight, 2, TOOLS)]
    assert said(world, insight) == PROMPT + TOOLS


@pytest.mark.parametrize(
    "messages",
    [
        (),
        MORE[:1],
        MORE[1:],
        TOOLS[:-1],
        (TOOLS[0], TOOLS[1], TOOLS[4]),
        (TOOLS[0], TOOLS[2], TOOLS[4]),
        (*TOOLS[:2], TOOLS[2], TOOLS[2], TOOLS[4]),
        MORE * MOST_MESSAGES,
    ],
)
def test_what_is_no_whole_turn_is_refused(world: World, insight: int, messages: tuple[TranscriptMessage, ...]) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation):
        world.do(continue_transcript, insight, messages)


def test_a_reader_sees_the_tools_with_the_answer_that_they_led_to(world: World, insight: int) -> None:
    seen = shown(PROMPT + TOOLS)
    assert [(each.role, each.text, each.start, each.end) for each in seen] == [
        ("user", "what is it?", 0, 1),
        ("assistant", "They swam.", 1, 2),
        ("user", "who was there?", 2, 3),
        ("assistant", "Let me look.\n\nAnna.", 3, 7),
    ]
    assert [(use.name, use.arguments, use.result) for use in seen[3].tools] == [
        ("get_people", "{}", '["Anna"]'),
        ("get_tags", '{"n":1}', "[]"),
    ]


def test_calls_of_one_id_in_two_rounds_keep_their_own_results() -> None:
    call = TranscriptMessage("assistant", calls=(RecordedToolCall("a", "get_tags"),))
    rounds = (
        TOOLS[0],
        call,
        TranscriptMessage("tool", "1", answers="a"),
        call,
        TranscriptMessage("tool", "2", answers="a"),
        TOOLS[4],
    )
    assert [use.result for use in shown(rounds)[1].tools] == ["1", "2"]


def test_what_no_answer_followed_is_still_within_a_rewinds_reach() -> None:
    seen = shown((TOOLS[0], TOOLS[1], *MORE, TOOLS[1]))
    assert [(each.role, each.start, each.end) for each in seen] == [
        ("user", 0, 1),
        ("assistant", 1, 2),
        ("user", 2, 3),
        ("assistant", 3, 4),
        ("assistant", 4, 5),
    ]
    assert [use.result for use in seen[1].tools] == [None, None]


@pytest.mark.parametrize(("index", "kept"), [(1, 1), (2, 2), (3, 3), (4, 7), (5, 8)])
def test_a_rewind_drops_a_message_its_tools_and_all_that_follows(
    world: World, insight: int, index: int, kept: int
) -> None:
    world.do(continue_transcript, insight, TOOLS)
    world.do(continue_transcript, insight, MORE)
    before = world.head
    world.do(rewind_transcript, insight, index)
    assert world.since(before) == [TranscriptRewound(insight, kept)]
    assert said(world, insight) == (PROMPT + TOOLS + MORE)[:kept]


@pytest.mark.parametrize("index", [0, 2, -1, 99])
def test_the_users_first_message_stays_and_what_is_not_there_cannot_go(world: World, insight: int, index: int) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        world.do(rewind_transcript, insight, index)
    assert refusal.value.field == "index"


def test_an_amendment_is_a_new_insight_with_the_whole_conversation(world: World, insight: int) -> None:
    again = Writing("With Anna", "Anna.", "llama", "local", agentic=True)
    other = world.do(amend_insight, insight, again, TOOLS)
    assert (row(world, other).title, row(world, other).amends, row(world, other).agentic) == (
        "With Anna",
        insight,
        True,
    )
    assert said(world, other) == PROMPT + TOOLS
    assert said(world, insight) == PROMPT
    assert row(world, insight).title == "A day at the lake"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(continue_transcript, [MORE]), (amend_insight, [WRITING, MORE]), (rewind_transcript, [1])],
)
def test_two_clients_do_not_mix_their_turns(
    world: World, insight: int, command: object, arguments: list[object]
) -> None:
    seen = row(world, insight).turns_version
    world.do(rate_insight, insight, "good")
    world.do(continue_transcript, insight, TOOLS, seen)
    with nothing_appended(world), pytest.raises(Stale):
        world.do(command, insight, *arguments, expected=seen)  # type: ignore[arg-type]  # one of the commands


def test_a_rating_is_given_changed_and_taken_back(world: World, insight: int) -> None:
    before = world.head
    for rating in ("good", "good", "bad", None):
        world.do(rate_insight, insight, rating)
    assert world.since(before) == [
        InsightRated(insight, "good"),
        InsightRated(insight, "bad", "good"),
        InsightRated(insight, None, "bad"),
    ]
    with pytest.raises(RuleViolation):
        world.do(rate_insight, insight, "excellent")


COMMANDS = [
    (continue_transcript, [MORE]),
    (amend_insight, [WRITING, MORE]),
    (rewind_transcript, [1]),
    (rate_insight, ["good"]),
]


@pytest.mark.parametrize(("command", "arguments"), COMMANDS)
def test_what_is_out_of_sight_missing_or_taken_back_is_not_found(
    world: World, insight: int, command: object, arguments: list[object]
) -> None:
    def refused(of: int, actor: Actor) -> None:
        with nothing_appended(world), pytest.raises(NotFound):
            world.do(command, of, *arguments, actor=actor)  # type: ignore[arg-type]  # one of the commands

    refused(99, CLI)
    refused(insight, Actor("ron", "editor", frozenset({2})))
    with world.uow() as uow:
        uow.begin("scan", "scanned")
        record_missing(uow, [world.media("lake").id])
    refused(insight, CLI)
    world.scan(photo("lake"))
    with world.reading() as tables:
        written = tables.operations.latest(1, kind="insight.write")[0].id
    world.undo(written)
    refused(insight, CLI)


@pytest.mark.parametrize(("command", "arguments"), [*COMMANDS, (write_insight, [WRITING, PROMPT])])
def test_a_viewer_only_reads(world: World, insight: int, command: object, arguments: list[object]) -> None:
    of = content("lake") if command is write_insight else insight
    with nothing_appended(world), pytest.raises(Forbidden):
        world.do(command, of, *arguments, actor=VIEWER)  # type: ignore[arg-type]  # one of the commands


def test_a_photo_out_of_sight_gets_no_insight(world: World, insight: int) -> None:
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(write_insight, content("nowhere"), WRITING, PROMPT)


@pytest.mark.usefixtures("replayed")
def test_each_step_is_taken_back_and_done_again_exactly(world: World, insight: int) -> None:
    steps: list[tuple[object, list[object]]] = [
        (write_insight, [content("other"), WRITING, PROMPT]),
        (continue_transcript, [insight, TOOLS]),
        (continue_transcript, [insight, MORE]),
        (rewind_transcript, [insight, 3]),
        (rate_insight, [insight, "bad"]),
        (amend_insight, [insight, WRITING, MORE]),
    ]
    for command, arguments in steps:
        before = stand(world)
        operation = world.operation_of(command, *arguments)  # type: ignore[arg-type]  # one of the commands
        after = stand(world)
        assert after != before
        undone = world.undo(operation)
        assert stand(world) == before
        redone = world.undo(undone)
        assert stand(world) == after
        world.undo(redone)
        assert stand(world) == before
        world.undo(latest(world))
        assert stand(world) == after


def latest(world: World) -> int:
    """The last operation."""
    with world.reading() as tables:
        return tables.operations.latest(1)[0].id


def stand(world: World) -> dict[int, tuple[str, str | None, tuple[TranscriptMessage, ...]]]:
    """Every insight that is shown, with its rating and conversation."""
    with world.reading() as tables:
        return {
            each.id: (each.title, each.rating, tables.transcripts.of(each.id)) for each in tables.insights.latest(99)
        }


def test_a_turn_that_was_answered_since_is_taken_back_after_the_later_one(world: World, insight: int) -> None:
    first = world.operation_of(continue_transcript, insight, TOOLS)
    second = world.operation_of(continue_transcript, insight, MORE)
    with in_the_way(second):
        world.undo(first)
    world.do(undo_with_later, first)
    assert said(world, insight) == PROMPT


def test_a_rewind_is_not_taken_back_past_what_was_said_since(world: World, insight: int) -> None:
    world.do(continue_transcript, insight, TOOLS)
    rewound = world.operation_of(rewind_transcript, insight, 2)
    since = world.operation_of(continue_transcript, insight, MORE)
    with in_the_way(since):
        world.undo(rewound)


def test_an_insight_that_was_talked_about_goes_after_its_turns(world: World, insight: int) -> None:
    written = latest(world)
    since = world.operation_of(continue_transcript, insight, MORE)
    with in_the_way(since):
        world.undo(written)
    rated = world.operation_of(rate_insight, insight, "good")
    world.do(undo_with_later, written)
    gone = latest(world)
    with in_the_way(gone):
        world.undo(rated)
    world.undo(gone)
    assert stand(world)[insight] == ("A day at the lake", "good", PROMPT)


def test_a_later_rating_stands_in_the_way_of_an_earlier_one(world: World, insight: int) -> None:
    first = world.operation_of(rate_insight, insight, "good")
    later = world.operation_of(rate_insight, insight, "bad")
    with in_the_way(later):
        world.undo(first)


def test_who_may_not_see_the_photo_takes_nothing_of_it_back(world: World, insight: int) -> None:
    operation = world.operation_of(continue_transcript, insight, MORE)
    work = world.library("Work")
    with nothing_appended(world), pytest.raises(Forbidden, match="ask an admin"):
        world.do(undo, operation, actor=Actor("ed", "editor", frozenset({work})))
    world.do(undo, operation, actor=ONE_LIBRARY)
    with pytest.raises(Conflict):
        world.undo(operation)


def test_a_transcript_is_the_fold_of_its_events(world: World, insight: int) -> None:
    world.do(continue_transcript, insight, TOOLS)
    world.do(rewind_transcript, insight, 2)
    world.do(continue_transcript, insight, MORE)
    world.undo(latest(world))
    with world.uow() as uow:
        events = [recorded.event for recorded in uow.later_in(f"insight-{insight}", 0)]
    assert folded(events) == said(world, insight) == PROMPT
