"""What a user does with insights: have one written, go on with its conversation, go back in it, rate it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.base.errors import NotFound, RuleViolation
from domain.base.names import one_line
from domain.commands.persons import check_version
from domain.events.insight import (
    ASSISTANT,
    LONGEST_TITLE,
    RATINGS,
    TOOL,
    USER,
    InsightRated,
    InsightWritten,
    TranscriptAppended,
    TranscriptMessage,
    TranscriptRewound,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import seen_insight
from domain.rules.transcripts import shown

MOST_MESSAGES = 2000
"""Messages of a transcript; a model would not read them all."""


class Writing(msgspec.Struct, frozen=True):
    """What a model wrote: `model` names it, `backend` says where it runs."""

    title: str
    text: str
    model: str
    backend: str
    agentic: bool = False


def write_insight(
    uow: UnitOfWork,
    content_hash: bytes,
    writing: Writing,
    messages: Sequence[TranscriptMessage],
    amends: int | None = None,
) -> int:
    """Record what a model wrote about a photo, with the conversation that led to it; the insight's id. It takes the
    place of the one that it `amends`, which stays as it is.

    Raises:
        NotFound: no file that the actor may see shows this content.
        RuleViolation: there is no title, no text, or the conversation is not one.
    """
    uow.actor.require("editor")
    if not uow.media.shows_content(content_hash):
        raise NotFound("there is no such photo any more")
    uow.begin("insight.write", "wrote an insight about a photo")
    return _write(uow, content_hash, writing, messages, amends)


def continue_transcript(
    uow: UnitOfWork, insight_id: int, messages: Sequence[TranscriptMessage], expected: int | None = None
) -> None:
    """Record a turn of a conversation: what the user said, the tools that the model used, and what it answered.

    Raises:
        NotFound: there is no such insight.
        Stale: the transcript changed since the turn began.
        RuleViolation: the messages are no turn, or the transcript is too long.
    """
    uow.actor.require("editor")
    insight = seen_insight(uow, insight_id)
    check_version("transcript", insight.turns_version, expected)
    start = len(uow.transcripts.of(insight_id))
    _check_turn(messages, start)
    uow.begin("insight.chat", "talked about a photo")
    uow.append(TranscriptAppended(insight_id, start, tuple(messages)))


def amend_insight(
    uow: UnitOfWork,
    insight_id: int,
    writing: Writing,
    messages: Sequence[TranscriptMessage],
    expected: int | None = None,
) -> int:
    """Record a turn as a new insight, whose transcript is the old one's with the turn; the new insight's id. The old
    one stays as it is.

    Raises:
        NotFound, Stale, RuleViolation: as `continue_transcript`; there is no title or text.
    """
    uow.actor.require("editor")
    insight = seen_insight(uow, insight_id)
    check_version("transcript", insight.turns_version, expected)
    before = uow.transcripts.of(insight_id)
    _check_turn(messages, len(before))
    uow.begin("insight.amend", "wrote an insight about a photo anew")
    return _write(uow, insight.content_hash, writing, [*before, *messages], insight_id)


def rewind_transcript(uow: UnitOfWork, insight_id: int, index: int, expected: int | None = None) -> None:
    """Drop the message that a reader sees at `index` (0 is the first), the tools before it and all that follows.

    Raises:
        NotFound: there is no such insight.
        Stale: the transcript changed since the client read it.
        RuleViolation: there is no such message, or it is the user's first, which stays.
    """
    uow.actor.require("editor")
    insight = seen_insight(uow, insight_id)
    check_version("transcript", insight.turns_version, expected)
    messages = shown(uow.transcripts.of(insight_id))
    if not 0 <= index < len(messages):
        raise RuleViolation(f"there is no message {index}: the conversation has {len(messages)}", "index")
    if all(message.role != USER for message in messages[:index]):
        raise RuleViolation("the first message of the conversation stays: generate another insight instead", "index")
    uow.begin("insight.rewind", "went back in the conversation about a photo")
    uow.append(TranscriptRewound(insight_id, messages[index].start))


def rate_insight(uow: UnitOfWork, insight_id: int, rating: str | None) -> None:
    """Say whether an insight is good or bad, or take that back (None).

    Raises:
        NotFound: there is no such insight.
        RuleViolation: there is no such rating.
    """
    uow.actor.require("editor")
    insight = seen_insight(uow, insight_id)
    if rating is not None and rating not in RATINGS:
        raise RuleViolation(f"a rating is {' or '.join(RATINGS)}, or none", "rating")
    if rating != insight.rating:
        uow.begin("insight.rate", f"rated an insight {rating}" if rating else "took back the rating of an insight")
        uow.append(InsightRated(insight_id, rating, insight.rating))


def _write(
    uow: UnitOfWork, content_hash: bytes, writing: Writing, messages: Sequence[TranscriptMessage], amends: int | None
) -> int:
    title = one_line(writing.title)[:LONGEST_TITLE].rstrip()
    text = writing.text.strip()
    if not title or not text:
        raise RuleViolation("the model wrote nothing that could be kept: ask again")
    _check_turn(messages, 0)
    insight_id = uow.new_id("insight")
    where = (writing.model, writing.backend, writing.agentic, amends)
    uow.append(
        InsightWritten(insight_id, content_hash, title, text, *where),
        TranscriptAppended(insight_id, 0, tuple(messages)),
    )
    return insight_id


def _check_turn(messages: Sequence[TranscriptMessage], before: int) -> None:
    """Raises `RuleViolation` unless `messages` begin with a user's and end with an answer, and each call of a tool has
    its result."""
    if not messages or messages[0].role != USER or messages[-1].role != ASSISTANT or messages[-1].calls:
        raise RuleViolation("a turn begins with what the user said and ends with an answer")
    unanswered: list[str] = []
    for message in messages:
        if message.role == TOOL:
            if message.answers not in unanswered:
                raise RuleViolation("a tool answers a call that was made before it")
            unanswered.remove(message.answers)
        elif unanswered:
            raise RuleViolation("every call of a tool has its result before the conversation goes on")
        unanswered += [call.id for call in message.calls]
    if before + len(messages) > MOST_MESSAGES:
        raise RuleViolation(f"a conversation has at most {MOST_MESSAGES} messages: generate another insight")
