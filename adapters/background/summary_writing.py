"""Writes the daily summaries in the background, and gives them their vectors.

The usual days are gone through at the start and whenever a day is over, others when somebody asks. Every summary is a
transaction of its own, and what is there already is seen in the tables: interrupted at any point, the next start goes
on where it was.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import date, timedelta
from typing import Final, NamedTuple

from adapters.background.jobs import JobBoard, JobProgress
from adapters.store.ledger import Ledger
from adapters.summaries.day_summariser import DaySummariser
from domain.base.actor import INSIGHT, Actor
from domain.base.conversation import ConversationMessage, Conversations
from domain.base.errors import AdapterError, Busy, Rejected, RuleViolation, Unavailable
from domain.base.names import name_key
from domain.commands.summaries import ask_for_summaries, write_summary
from domain.events.summary import Summary, SummarySource
from domain.ports.face_engine import Embedding
from domain.ports.text_embedder import TextEmbedder
from domain.rules.summaries import SummaryWish, closed_days, is_wanted, source_hash

log = logging.getLogger(__name__)

MOST_WAITING: Final = 20
"""Requests that wait for their turn."""
MOST_DAYS: Final = 3660
PATIENCE: Final = 5
"""How often what fails is tried, where something else of its kind worked meanwhile: it is then to blame itself."""
LONG_PATIENCE: Final = 60
"""How often it is tried where nothing else worked meanwhile: about an hour."""
Conversation = tuple[SummarySource, Sequence[ConversationMessage]]


class Limits:
    """Which days and whose conversations are summarised where nobody says: as the settings have it."""

    def __init__(self, first: date | None = None, last: date | None = None, contacts: Sequence[str] = ()) -> None:
        self.first, self.last, self.contacts = first, last, tuple(contacts)

    def wish(
        self,
        today: date,
        first: date | None = None,
        last: date | None = None,
        contacts: Sequence[str] = (),
        *,
        again: bool = False,
    ) -> SummaryWish:
        """What to summarise.

        Raises:
            RuleViolation: no such day is over yet, there are too many, or a contact is not among those that are set.
        """
        span = closed_days(today, first or self.first, last or self.last)
        if span.first > span.last:
            end = "from" if first is not None else "to"
            if span.last < today - timedelta(days=1):
                other = "to" if first is not None else "from"
                why = f"the days would begin on {span.first} and end on {span.last}: name {other} too"
                raise RuleViolation(why, end)
            raise RuleViolation(f"only days that are over are summarised, the last one is {span.last}", end)
        if (span.last - span.first).days >= MOST_DAYS:
            raise RuleViolation(f"at most {MOST_DAYS} days are summarised at a time", "from")
        allowed = {name_key(contact) for contact in self.contacts}
        for contact in contacts:
            if allowed and name_key(contact) not in allowed:
                raise RuleViolation(f"DAILY_SUMMARY_CONTACTS leaves {contact} out", "contacts")
        return SummaryWish(span, tuple(contacts) or self.contacts, again)


class RequestedSummaries(NamedTuple):
    """What will be summarised, and the operation that will have done so; the usual days begin theirs with the first
    summary."""

    wish: SummaryWish
    operation_id: int | None


class _Patience:
    """How long to go on with what fails while other things work, or ever did."""

    def __init__(self) -> None:
        self.worked = 0
        self._failed: dict[object, tuple[int, int]] = {}

    def is_over(self, what: object) -> bool:
        """Note that it failed; whether it is to be given up."""
        times, since = self._failed.get(what, (0, self.worked))
        self._failed[what] = (times + 1, since)
        return (times + 1 >= PATIENCE and self.worked > since) or (times + 1 >= LONG_PATIENCE and self.worked > 0)


class _SummaryRun:
    """One going through of days: those to come, and the conversations of the one that was fetched last. A day that
    failed in part comes again after the others; what was `made` is then left alone."""

    def __init__(self, requested: RequestedSummaries, job: JobProgress) -> None:
        wish = requested.wish
        self.wish, self.job = wish, job
        self.fetching, self.summarising = _Patience(), _Patience()
        self.made: set[tuple[str, str]] = set()
        self.days = deque(wish.span.days())
        self.total = len(self.days)
        self.waiting: deque[Conversation] = deque()
        self.operation_id = requested.operation_id
        self.written = self.refused = 0

    def result_text(self) -> str:
        """What came of it."""
        text = f"wrote {self.written} daily {'summary' if self.written == 1 else 'summaries'}"
        return f"{text}; {self.refused} could not be made, the log says why" if self.refused else text


class WritesSummaries:
    """Goes through closed days and lets a language model summarise every conversation that has no summary yet.

    `today` says which day it is where the server is: a day is over when the next one has begun there.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        conversations: Conversations,
        summariser: DaySummariser,
        embedder: TextEmbedder,
        jobs: JobBoard,
        limits: Limits,
        today: Callable[[], date],
    ) -> None:
        self._ledger, self._conversations, self._summariser = ledger, conversations, summariser
        self._embedder, self._jobs, self._limits, self._today = embedder, jobs, limits, today
        self._lock = threading.Lock()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._requested: deque[RequestedSummaries] = deque()
        self._planned: date | None = None
        self._run: _SummaryRun | None = None
        self.on_request: Callable[[], None] = lambda: None

    def __str__(self) -> str:
        span = closed_days(self._today(), self._limits.first, self._limits.last)
        contacts = ", ".join(self._limits.contacts) or "everyone"
        return f"{span.first} to {span.last}, with {contacts}, by {' or '.join(dict.fromkeys(self._summariser.models))}"

    def ask(
        self,
        first: date | None = None,
        last: date | None = None,
        contacts: Sequence[str] = (),
        *,
        again: bool = False,
        actor: Actor = INSIGHT,
    ) -> RequestedSummaries:
        """Summarise these days and contacts soon, by default the usual ones; comes back at once with what is meant,
        and with the operation, of `actor`, that has begun. Who asks for what waits already joins that.

        Raises:
            RuleViolation: as `Limits.wish`.
            Busy: too many wait already.
        """
        wish = self._limits.wish(self._today(), first, last, contacts, again=again)
        with self._lock:
            requested = next((each for each in self._requested if each.wish == wish), None)
            if requested is None:
                if len(self._requested) >= MOST_WAITING:
                    raise Busy(f"{MOST_WAITING} requests for summaries wait already: ask again when one is done", 60)
                with self._ledger.transaction(actor) as uow:
                    requested = RequestedSummaries(wish, ask_for_summaries(uow, wish))
                self._requested.append(requested)
        self.on_request()
        return requested

    def step(self) -> bool:
        """Fetch a day or make one summary; whether there may be more.

        Raises:
            Unavailable: the conversations, or the language model, are away; nothing is lost.
        """
        run = self._run = self._run or self._next()
        if run is None:
            return False
        try:
            if run.waiting:
                self._make_next(run)
            elif run.days:
                self._fetch_next(run)
            else:
                self._end(run)
                return True
        except Unavailable as error:
            run.job.at(run.total - len(run.days), run.total, str(error), waiting=True)
            raise
        run.job.at(run.total - len(run.days) - bool(run.waiting), run.total)
        return True

    def close(self) -> None:
        """Give up what is being fetched or summarised; it is summarised after the next start."""
        self._stopping.set()
        self._woken.set()
        self._summariser.close()

    def _next(self) -> _SummaryRun | None:
        """The run to begin: the usual days where a day is over since, or what was asked for."""
        today = self._today()
        requested: RequestedSummaries | None = None
        if today != self._planned:
            self._planned = today
            span = closed_days(today, self._limits.first, self._limits.last)
            if span.first <= span.last:
                requested = RequestedSummaries(SummaryWish(span, self._limits.contacts), None)
        if requested is None:
            with self._lock:
                requested = self._requested.popleft() if self._requested else None
        if requested is None:
            return None
        return _SummaryRun(requested, self._jobs.begin("summaries", "writing daily summaries"))

    def _fetch_next(self, run: _SummaryRun) -> None:
        day = run.days.popleft()
        try:
            run.waiting.extend(self._fetched(run, day))
            run.fetching.worked += 1
        except Unavailable as error:
            if not run.fetching.is_over(day):
                run.days.append(day)
                raise
            self._give_up(run, day.isoformat(), error)

    def _make_next(self, run: _SummaryRun) -> None:
        source, messages = run.waiting.popleft()
        this = (source.day, source.contact_key)
        try:
            self._make(run, source, messages)
            run.summarising.worked += 1
            run.made.add(this)
        except Unavailable as error:
            if not run.summarising.is_over(this):
                day = date.fromisoformat(source.day)
                if day not in run.days:
                    run.days.append(day)
                raise
            self._give_up(run, source.day, error)

    def _give_up(self, run: _SummaryRun, day: str, error: Exception) -> None:
        """Leave something out of this run; when its day is next gone through, it is tried again."""
        log.warning("%s is not, or not wholly, summarised: %s", day, error)
        run.refused += 1

    def _fetched(self, run: _SummaryRun, day: date) -> list[Conversation]:
        """The conversations of a day that want a summary."""
        try:
            messages = self._messages(day, run.wish.contacts)
        except Rejected as error:
            self._give_up(run, day.isoformat(), error)
            return []
        by_contact: dict[str, list[ConversationMessage]] = {}
        for message in messages:
            by_contact.setdefault(name_key(message.contact), []).append(message)
        found = [(_source(day, key, written), written) for key, written in sorted(by_contact.items())]
        with self._ledger.reading(INSIGHT) as tables:
            standing = tables.summaries.of_day(day.isoformat())
        return [
            (source, written)
            for source, written in found
            if any(message.body for message in written)  # of pictures alone a model could but make something up
            and (source.day, source.contact_key) not in run.made
            and self._is_wanted(source, standing, again=run.wish.again)
        ]

    def _messages(self, day: date, contacts: Sequence[str]) -> list[ConversationMessage]:
        """The messages of a day, each once though a contact be named twice, the oldest first; of others than `contacts`
        none is even asked for."""
        found = {message.id: message for contact in contacts or (None,) for message in self._fetch(day, contact)}
        return sorted(found.values(), key=lambda message: (message.sent_at, message.id))

    def _fetch(self, day: date, contact: str | None) -> Sequence[ConversationMessage]:
        """The messages of a day, fetched in a thread of its own, for which a stop does not wait."""
        fetched: Future[Sequence[ConversationMessage]] = Future()

        def fetch() -> None:
            try:
                fetched.set_result(self._conversations.messages(day, day, contact))
            except BaseException as error:  # noqa: BLE001 - it is raised where the messages are waited for
                fetched.set_exception(error)
            self._woken.set()

        self._woken.clear()
        threading.Thread(target=fetch, name="messages", daemon=True).start()
        while not fetched.done() and not self._stopping.is_set():
            self._woken.wait()
        if not fetched.done():
            raise Unavailable("the conversations are asked for no more: the server stops")
        return fetched.result()

    def _is_wanted(self, source: SummarySource, standing: Sequence[Summary], *, again: bool) -> bool:
        return is_wanted(source, standing, self._summariser.prompt_version, self._summariser.models, again=again)

    def _make(self, run: _SummaryRun, source: SummarySource, messages: Sequence[ConversationMessage]) -> None:
        try:
            summary = self._summariser.summarise(source, messages)
        except (Rejected, RuleViolation) as error:
            self._give_up(run, source.day, error)
            return
        embedding = self._embedded(summary.text)
        again, models = run.wish.again, self._summariser.models
        with self._ledger.transaction(INSIGHT, operation_id=run.operation_id) as uow:
            written = write_summary(uow, source, summary, models, embedding, again=again)
            operation_id = uow.operation_id
        run.operation_id = operation_id
        run.written += written is not None

    def _embedded(self, text: str) -> Embedding | None:
        """The vector of a text; None where the embedder is away, which makes up for it later."""
        try:
            return Embedding(self._embedder.model, self._embedder.embed([text])[0])
        except AdapterError as error:
            log.info("a summary has no vector yet: %s", error)
            return None

    def _end(self, run: _SummaryRun) -> None:
        if run.operation_id is not None:
            with self._ledger.transaction(INSIGHT, operation_id=run.operation_id) as uow:
                uow.end(run.result_text())
        run.job.end(run.result_text())
        self._run = None


def _source(day: date, key: str, messages: Sequence[ConversationMessage]) -> SummarySource:
    return SummarySource(day.isoformat(), messages[0].contact, key, source_hash(messages), len(messages))
