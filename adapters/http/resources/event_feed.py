"""The feed of events: `/events` page by page, and `/events/stream` as it happens; nobody is told what they may not
see."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Final

import anyio
import anyio.to_thread
import msgspec
from msgspec import Meta
from starlette.requests import Request

from adapters.http.web import USUAL_LIMIT, Call, FieldError, Invalid, Limit, Moment, Reply, Routes
from adapters.http.web.sse import ServerSentEvents, Source
from adapters.http.web.validation import query_of
from adapters.http.web.views.operations import event_row
from adapters.store.ledger import Ledger
from domain.base.actor import Actor
from domain.events.event import Recorded, topics
from domain.rules.access import known_events
from projections.queries.reading import Lookups

routes = Routes("History")

Position = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Types = Annotated[str, Meta(description="stored names such as FaceAssigned, separated by commas; all where left out")]
BATCH: Final = 200
LOOK_SECONDS: Final = 0.4
"""How often a stream asks whether the log went on; one question for one number."""


class EventsQuery(msgspec.Struct):
    """Which events."""

    after: Annotated[Position, Meta(description="only events after this position")] = 0
    limit: Limit = USUAL_LIMIT
    types: Types | None = None


class StreamQuery(msgspec.Struct):
    """Which events; `Last-Event-ID` goes before `after`, which left out means now."""

    after: Position | None = None
    types: Types | None = None


class FeedEvent(msgspec.Struct):
    """One event: `subject` is what it is about, such as `person-12`; `data` its fields without embeddings."""

    position: int
    type: str
    subject: str
    at: Moment
    actor: str
    operation_id: int
    data: dict[str, Any]


class EventPage(msgspec.Struct):
    """Events in the order of their positions; go on with `after` set to `last`, also where `items` is empty because the
    events in between are not for this user. `head` is the end of the log."""

    items: list[FeedEvent]
    last: int
    head: int


@routes("GET", "/events", query=EventsQuery, answers=EventPage)
def list_events(call: Call, query: EventsQuery) -> Reply:
    """What happened, in order: everything that the asker may see, and nothing else."""
    return Reply(_page(call.dependencies.ledger, call.actor, query.after, query.limit, _topics(query.types)))


def _page(ledger: Ledger, actor: Actor, after: int, limit: int, names: tuple[str, ...]) -> EventPage:
    # The log is read before the tables, never within the reading: two connections held at once by enough streams would
    # use up the pool, and an event that is newer than the tables would be taken for one that the asker may not see.
    head = ledger.head()
    found = ledger.events(after, limit, names)
    newest = found[-1].position if found else after
    last = newest if len(found) == limit else max(head, newest)
    with ledger.reading(actor) as tables:
        return EventPage([_event(tables, each) for each in known_events(tables, found)], last, head)


def _topics(types: str | None) -> tuple[str, ...]:
    """The stored names, of every version, that the asker names.

    Raises:
        Invalid: there is no such event.
    """
    if types is None:
        return ()
    known = topics()
    wanted = [name.strip() for name in types.split(",") if name.strip()]
    found = tuple(topic for topic in known if topic.partition(":")[0] in wanted)
    unknown = set(wanted) - {topic.partition(":")[0] for topic in known}
    if unknown or not wanted:
        raise Invalid((FieldError("types", f"there is no event {', '.join(sorted(unknown)) or types!r}"),))
    return found


def _event(tables: Lookups, recorded: Recorded) -> FeedEvent:
    row = event_row(recorded, tables.actor)
    return FeedEvent(
        position=row.position,
        type=row.type,
        subject=recorded.stream,
        at=row.at,
        actor=recorded.actor,
        operation_id=recorded.operation_id,
        data=row.data,
    )


@routes.stream("/events/stream", query=StreamQuery)
class EventStream(ServerSentEvents):
    """`GET /events/stream`: server-sent events whose ids are positions, so that who was away misses nothing."""

    async def begin(self, request: Request) -> Source:
        """Go on after `Last-Event-ID`, else after the position that is asked for, else from now.

        Raises:
            Invalid: the query is not as described.
        """
        query = query_of(request.scope["query_string"], StreamQuery)
        names = _topics(query.types)
        after = await self._after(request, query)
        waits = False

        async def news(actor: Actor) -> bytes:
            nonlocal after, waits
            if waits:
                await self._until_news(after)
            page = await self.in_thread(
                functools.partial(_page, self.dependencies.ledger, actor, after=after, limit=BATCH, names=names)
            )
            waits, after = page.last == after, page.last
            return b"".join(map(_framed, page.items))

        return news

    async def _after(self, request: Request, query: StreamQuery) -> int:
        last = request.headers.get("last-event-id", "").strip()
        if last.isascii() and last.isdigit() and len(last) < 16:
            return int(last)
        return query.after if query.after is not None else await self.in_thread(self.dependencies.ledger.head)

    async def _until_news(self, after: int) -> None:
        """Wait until the log went on, for a moment at most."""
        for _ in range(10):
            await anyio.sleep(LOOK_SECONDS)
            if await self.in_thread(self.dependencies.ledger.head) > after:
                return


def _framed(item: FeedEvent) -> bytes:
    name = item.type.partition(":")[0].encode()
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (item.position, name, msgspec.json.encode(item))
