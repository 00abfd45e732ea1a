"""Daily summaries of conversations: read, searched by meaning, asked for, taken away; `/summaries` and what lies below.

They are for who may ask a language model for the messages of any day: editors and admins who see every library.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.http.web import (
    USUAL_LIMIT,
    Call,
    Cursor,
    Done,
    FieldError,
    Invalid,
    Limit,
    Moment,
    Page,
    Reply,
    Routes,
    moment,
    next_cursor,
    place_of,
    write,
)
from adapters.http.web.writes import headers_of
from domain.base.errors import Unavailable
from domain.commands.summaries import delete_summary, live_summary
from domain.events.summary import Summary
from domain.rules.access import require_may_read_summaries

routes = Routes("Summaries")

Day = Annotated[str, Meta(description="a day as YYYY-MM-DD", pattern=r"^\d{4}-\d\d-\d\d$")]
Contact = Annotated[str, Meta(min_length=1, max_length=200, description="as the conversation service calls them")]
Question = Annotated[str, Meta(min_length=1, max_length=2000, description="what it shall be about, in your own words")]
NO_EMBEDDER = "nothing here embeds texts: run `imageapi setup --search`, or set OLLAMA_PRIMARY_URL"
NO_CONVERSATIONS = "no conversations are configured: set SMS_API_URL"


class DaysQuery(msgspec.Struct):
    """Which days, both ends included, and with whom."""

    first: Day | None = msgspec.field(name="from", default=None)
    last: Day | None = msgspec.field(name="to", default=None)
    contact: Contact | None = None


class SummariesQuery(DaysQuery):
    """Which summaries; `superseded` adds those that a newer one took the place of."""

    superseded: bool = False
    limit: Limit = USUAL_LIMIT
    cursor: Cursor | None = None


class SummarySearchQuery(DaysQuery, kw_only=True):
    """What to look for, and where."""

    q: Question
    limit: Annotated[int, Meta(ge=1, le=100, description="how many items at most")] = 10


class GenerateSummaries(msgspec.Struct):
    """What to summarise: by default the days and contacts of the settings; `again` also where nothing changed."""

    first: Day | None = msgspec.field(name="from", default=None)
    last: Day | None = msgspec.field(name="to", default=None)
    contacts: Annotated[list[Contact], Meta(max_length=100)] = []
    again: bool = False


class SummariesRequested(msgspec.Struct):
    """What will be summarised: days that are over, both ends included; no contacts means everyone. The operation ends
    with what came of it."""

    first: Day = msgspec.field(name="from")
    last: Day = msgspec.field(name="to")
    contacts: list[str]
    again: bool
    operation_id: int | None


class SummaryView(msgspec.Struct):
    """What a model made of a conversation of one day, of so many messages. `superseded_by` is the summary that took its
    place; `masked` says that an erasure took a name out of it."""

    id: int
    day: Day
    contact: str
    text: str
    messages: int
    source_hash: str
    model: str
    prompt_version: int
    written_at: Moment
    superseded_by: int | None
    masked: bool
    embedding_model: str | None


class HitView(msgspec.Struct):
    """A summary that was found. `similarity` orders the hits; what counts as near differs from model to model."""

    summary: SummaryView
    similarity: float


class Hits(msgspec.Struct):
    """What was found, the likest first, with the vectors of `model`; `pending` summaries have none of it yet, and are
    looked at as soon as they have."""

    items: list[HitView]
    model: str
    pending: int


class AfterDay(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The cursor of the list: the last row's day and id."""

    day: Day
    id: Annotated[int, Meta(ge=0, le=2**53 - 1)]


@routes("GET", "/summaries", query=SummariesQuery, answers=Page[SummaryView], role="editor")
def list_summaries(call: Call, query: SummariesQuery) -> Reply:
    """The daily summaries, the newest day first.

    They are for editors and admins who see every library.
    """
    require_may_read_summaries(call.actor)
    _checked(query.first, query.last)
    after = None if query.cursor is None else place_of(query.cursor, AfterDay)
    before = None if after is None else (after.day, after.id)
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = tables.summaries.page(
            query.limit + 1, before, query.first, query.last, query.contact, superseded=query.superseded
        )
    kept = rows[: query.limit]
    cursor = next_cursor(rows, query.limit, lambda row: AfterDay(row.day, row.id))
    return Reply(Page([summary_view(row) for row in kept], cursor))


@routes("GET", "/summaries/search", query=SummarySearchQuery, answers=Hits, role="editor", errors=(502,))
def search_summaries(call: Call, query: SummarySearchQuery) -> Reply:
    """The summaries that mean what is asked, the likest first."""
    require_may_read_summaries(call.actor)
    _checked(query.first, query.last)
    if not query.q.strip():
        raise Invalid((FieldError("q", "say what it shall be about"),))
    search = call.dependencies.summary_search
    if search is None:
        raise Unavailable(NO_EMBEDDER)
    found = search.find(call.actor, query.q, query.limit, first=query.first, last=query.last, contact=query.contact)
    hits = [HitView(summary_view(hit.summary), hit.similarity) for hit in found.hits]
    return Reply(Hits(hits, found.model, found.pending))


@routes("POST", "/summaries/generate", body=GenerateSummaries, answers=SummariesRequested, status=202, role="editor")
def generate_summaries(call: Call, body: GenerateSummaries) -> Reply:
    """Summarise days that are over, soon and in the background; `/jobs` says how far it is.

    Where a summary of the same messages by the same model is there, none is made unless `again` asks for it; where a
    user deleted one, none ever is.
    """
    require_may_read_summaries(call.actor)
    first, last = _checked(body.first, body.last)
    if call.dependencies.summariser is None:
        raise Unavailable(NO_CONVERSATIONS)
    wish, operation_id = call.dependencies.summariser.ask(
        first, last, body.contacts, again=body.again, actor=call.actor
    )
    first_day, last_day = wish.span.first.isoformat(), wish.span.last.isoformat()
    requested = SummariesRequested(first_day, last_day, list(wish.contacts), wish.again, operation_id)
    return Reply(requested, 202, headers_of(operation_id))


@routes("GET", "/summaries/{id}", answers=SummaryView, role="editor", errors=(404,))
def show_summary(call: Call, id: int) -> Reply:
    """One summary."""
    require_may_read_summaries(call.actor)
    with call.dependencies.ledger.reading(call.actor) as tables:
        return Reply(summary_view(live_summary(tables.summaries.get(id), id)))


@routes("DELETE", "/summaries/{id}", answers=Done, role="editor", errors=(404,))
def remove_summary(call: Call, id: int) -> Reply:
    """Take a summary away; none of that conversation and day is made again, until this is undone."""
    return write(call, lambda uow: delete_summary(uow, id))


def summary_view(summary: Summary) -> SummaryView:
    """A summary as clients see it."""
    return SummaryView(
        id=summary.id,
        day=summary.day,
        contact=summary.contact,
        text=summary.text,
        messages=summary.messages,
        source_hash=summary.source_hash.hex(),
        model=summary.model,
        prompt_version=summary.prompt_version,
        written_at=moment(summary.written_at),
        superseded_by=summary.superseded_by,
        masked=summary.masked,
        embedding_model=summary.embedding_model,
    )


def _checked(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """The days that are named; raises `Invalid` where one is none, or they are the wrong way round."""
    errors = [
        FieldError(name, "is no day: write it as YYYY-MM-DD")
        for name, day in (("from", first), ("to", last))
        if not _is_day(day)
    ]
    if not errors and first is not None and last is not None and first > last:
        errors = [FieldError("from", "is later than to")]
    if errors:
        raise Invalid(tuple(errors))
    return (None if first is None else date.fromisoformat(first), None if last is None else date.fromisoformat(last))


def _is_day(day: str | None) -> bool:
    try:
        return day is None or bool(date.fromisoformat(day))
    except ValueError:
        return False
