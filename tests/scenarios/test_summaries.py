"""Writing daily summaries in the background: a real conversation service that misbehaves, both databases, a change of
everything that can change, and who is erased."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.background.jobs import JobBoard
from adapters.background.loops import Loop
from adapters.background.summary_vectors import EmbedsSummaries
from adapters.background.summary_writing import LONG_PATIENCE, PATIENCE, Limits, WritesSummaries
from adapters.language.blocking import Blocking
from adapters.sms.client import SmsClient
from adapters.store.database import Database
from adapters.store.erase import erase
from adapters.store.generations import rebuild, verify
from adapters.store.ledger import Ledger
from adapters.summaries.day_summariser import DaySummariser
from adapters.summaries.summary_search import SummarySearch
from domain.base.actor import CLI
from domain.base.errors import Rejected, RuleViolation, Unavailable
from domain.commands.persons import create_person
from domain.events.summary import Summary
from tests.fakes import LettersEmbedder, Scripted
from tests.loopback import Asked, Loopback, Reply, loopback
from tests.scenarios.contents import exported, files_of
from tests.waiting import until

TODAY = date(2020, 5, 4)


class Service:
    """A conversation service on the loopback: `rows` by day, and what goes wrong."""

    def __init__(self, served: Loopback) -> None:
        self.served = served
        self.rows: list[dict[str, Any]] = []
        self.wrong: dict[str, Reply] = {}
        served.answer = self.reply

    def say(self, at: str, contact: str, body: str, direction: str = "received") -> None:
        """Add a message."""
        row = {"id": len(self.rows), "contact": contact, "sent_at": at, "direction": direction, "body": body}
        self.rows.append(row)

    def reply(self, asked: Asked) -> Reply:
        """As the contract says, where nothing is wrong with that day."""
        if asked.query["from"] in self.wrong:
            return self.wrong[asked.query["from"]]
        contact = asked.query.get("contact")
        return Reply([row for row in self.rows if contact in {None, row["contact"]}])

    def days(self) -> list[str]:
        """The days that were asked for."""
        return [asked.query["from"] for asked in self.served.asked]


@pytest.fixture
def service() -> Iterator[Service]:
    """Three conversations on two days."""
    with loopback() as served:
        made = Service(served)
        made.say("2020-05-01T09:30:00+02:00", "Anna", "Lunch at the harbour?")
        made.say("2020-05-01T09:31:00+02:00", "Anna", "Yes!", "sent")
        made.say("2020-05-01T10:00:00+02:00", "Bob", "The boat is ready.")
        made.say("2020-05-03T23:59:00+02:00", "Anna", "Good night")
        yield made


class Bench:
    """The background work over a ledger, made anew at each start."""

    def __init__(self, ledger: Ledger, service: Service) -> None:
        self.ledger, self.service = ledger, service
        self.model = Scripted()
        self.embedder = LettersEmbedder()
        self.today = TODAY
        self.limits = Limits(date(2020, 5, 1))
        self.board = JobBoard()
        self.client = SmsClient(service.served.url, seconds=5)
        self.start()

    def start(self, *models: str) -> None:
        """As a server that starts does."""
        if models:
            self.model.name = models[0]
        self.writes = WritesSummaries(
            self.ledger,
            conversations=self.client,
            summariser=DaySummariser(Blocking(self.model), models or [self.model.name]),
            embedder=self.embedder,
            jobs=self.board,
            limits=self.limits,
            today=lambda: self.today,
        )
        self.embeds = EmbedsSummaries(self.ledger, self.embedder, self.board)

    def settle(self) -> None:
        """Do all there is to do."""
        while self.writes.step():
            pass
        while self.embeds.step():
            pass

    def shown(self) -> list[Summary]:
        """The summaries, the newest day first."""
        with self.ledger.reading(CLI) as tables:
            return tables.summaries.page(1000)

    def texts(self) -> list[tuple[str, str, str]]:
        """Day, contact and text of each."""
        return [(each.day, each.contact, each.text) for each in self.shown()]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/imageapi.db"
    fresh: str = request.getfixturevalue("fresh_postgres_url")
    return fresh


@pytest.fixture
def bench(url: str, service: Service) -> Iterator[Bench]:
    """Background work on each database."""
    ledger = Ledger(Database(url))
    made = Bench(ledger, service)
    yield made
    made.client.close()
    ledger.close()


@pytest.fixture
def here(tmp_path: Path, service: Service) -> Iterator[Bench]:
    """Background work on SQLite."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/data/imageapi.db"))
    made = Bench(ledger, service)
    yield made
    made.client.close()
    ledger.close()


def test_each_conversation_of_each_closed_day_gets_one_summary_and_a_restart_adds_none(bench: Bench) -> None:
    bench.model.script = [["Good night."], ["They had lunch."], ["The boat is ready."]]
    bench.settle()
    assert bench.texts() == [
        ("2020-05-03", "Anna", "Good night."),
        ("2020-05-01", "Bob", "The boat is ready."),
        ("2020-05-01", "Anna", "They had lunch."),
    ]
    assert [each.messages for each in bench.shown()] == [1, 1, 2]
    assert {each.embedding_model for each in bench.shown()} == {"letters"}
    head = bench.ledger.head()
    bench.start()
    bench.settle()
    assert (bench.ledger.head(), len(bench.model.asked)) == (head, 3)
    assert verify(bench.ledger) == []
    rebuild(bench.ledger)
    assert len(bench.texts()) == 3


def test_a_message_that_came_late_makes_that_conversation_anew_and_keeps_the_old_text(bench: Bench) -> None:
    bench.settle()
    bench.service.say("2020-05-01T20:00:00+02:00", "Bob", "It sank.")
    bench.model.script = [["The boat sank."]]
    bench.start()
    bench.settle()
    with bench.ledger.reading(CLI) as tables:
        every = tables.summaries.page(100, superseded=True, contact="bob")
    assert [(each.text, each.superseded_by) for each in every] == [("The boat sank.", None), ("It is a square.", 4)]
    assert len(bench.model.asked) == 4
    assert len(bench.texts()) == 3


def test_another_model_makes_them_anew_and_a_fallback_that_answered_is_as_good(here: Bench) -> None:
    here.settle()
    here.start("another", "scripted")
    here.settle()
    assert len(here.model.asked) == 3, "what the second of the configured models wrote is kept"
    here.start("another")
    here.settle()
    assert len(here.model.asked) == 6
    assert {each.model for each in here.shown()} == {"another"}


def test_another_embedding_model_embeds_the_old_texts_anew_and_asks_for_no_new_ones(bench: Bench) -> None:
    bench.settle()
    before = {each.id: (each.text, each.embedding_id) for each in bench.shown()}
    bench.embedder = LettersEmbedder("letters-2")
    bench.start()
    search = SummarySearch(bench.ledger, bench.embedder)
    assert (len(search.find(CLI, "lunch", 5).hits), search.find(CLI, "lunch", 5).pending) == (0, 3)
    bench.settle()
    after = {each.id: (each.text, each.embedding_id) for each in bench.shown()}
    assert {id_: text for id_, (text, _) in after.items()} == {id_: text for id_, (text, _) in before.items()}
    assert not {id_ for _, id_ in after.values()} & {id_ for _, id_ in before.values()}
    assert (len(search.find(CLI, "lunch", 5).hits), search.find(CLI, "lunch", 5).pending) == (3, 0)
    assert len(bench.model.asked) == 3
    with bench.ledger.reading(CLI) as tables:
        (operation,) = tables.operations.latest(9, kind="summary.embed")
    assert operation.text == "made 3 daily summaries findable by meaning"
    assert verify(bench.ledger) == []


def test_without_an_embedder_they_are_written_and_embedded_when_it_is_back(here: Bench) -> None:
    here.embedder.away = Unavailable("run `make search`")
    while here.writes.step():
        pass
    assert [each.embedding_model for each in here.shown()] == [None] * 3
    with pytest.raises(Unavailable, match="make search"):
        here.embeds.step()
    newest = here.board.progress()[0]
    assert (newest.state, newest.note) == ("waiting", "run `make search`")
    here.embedder.away = None
    here.settle()
    assert [each.embedding_model for each in here.shown()] == ["letters"] * 3


def test_a_text_that_cannot_be_embedded_is_passed_by(here: Bench) -> None:
    here.model.script = [["poison"]]
    here.embedder.unreadable = "poison"
    here.settle()
    assert sorted(str(each.embedding_model) for each in here.shown()) == ["None", "letters", "letters"]
    here.embedder.unreadable = ""
    here.start()
    here.settle()
    assert {each.embedding_model for each in here.shown()} == {"letters"}


@pytest.mark.parametrize(
    "wrong",
    [
        Reply(status=500),
        Reply(b"<html>"),
        Reply([], cut=True),
        Reply([{"id": 1}]),
        Reply([], pause=60),
        Reply(status=401),
    ],
)
def test_a_service_that_misbehaves_is_named_and_waited_for_and_nothing_is_lost(here: Bench, wrong: Reply) -> None:
    here.service.wrong["2020-05-02"] = wrong
    with pytest.raises(Unavailable, match="the conversation service"):
        here.settle()
    assert [day for day, _, _ in here.texts()] == ["2020-05-03"]
    (job,) = here.board.progress()
    assert (job.state, job.done, job.total) == ("waiting", 1, 3)
    assert "the conversation service" in (job.note or "")
    here.service.wrong.clear()
    here.settle()
    assert len(here.texts()) == 3
    assert len(here.model.asked) == 3


def test_a_day_that_the_service_refuses_is_left_out_and_said(here: Bench, caplog: pytest.LogCaptureFixture) -> None:
    here.service.wrong["2020-05-03"] = Reply({"detail": "archived"}, 400)
    here.settle()
    assert [day for day, _, _ in here.texts()] == ["2020-05-01"] * 2
    assert "archived" in caplog.text
    assert here.board.progress()[0].note == "wrote 2 daily summaries; 1 could not be made, the log says why"


@pytest.mark.parametrize("error", [Rejected("no credit"), RuleViolation("it cannot"), None])
def test_a_conversation_that_gets_no_answer_does_not_hold_up_the_others(here: Bench, error: Exception | None) -> None:
    here.model.script = [["Good night."], [error or ""]]
    here.settle()
    assert [(day, contact) for day, contact, _ in here.texts()] == [("2020-05-03", "Anna"), ("2020-05-01", "Bob")]
    here.start()
    here.settle()
    assert len(here.texts()) == 3


def test_a_model_that_is_away_is_waited_for_where_the_run_was(here: Bench) -> None:
    here.model.script = [["Good night."], [Unavailable("start Ollama")]]
    with pytest.raises(Unavailable, match="start Ollama"):
        here.settle()
    assert len(here.texts()) == 1
    here.settle()
    assert len(here.texts()) == 3
    with here.ledger.reading(CLI) as tables:
        (operation,) = tables.operations.latest(9, kind="summary.write")
    assert operation.text == "wrote 3 daily summaries"


def test_one_conversation_that_always_fails_holds_up_neither_its_day_nor_the_others(here: Bench) -> None:
    slow = Unavailable("too slow")
    here.model.script = [["Good night."], [slow], ["Bob's boat."]]
    for _ in range(PATIENCE - 1):
        here.model.script.append([slow])
    failures = tried(here)
    assert failures == PATIENCE - 1
    assert [(day, contact) for day, contact, _ in here.texts()] == [("2020-05-03", "Anna"), ("2020-05-01", "Bob")]
    assert here.board.progress()[0].note == "wrote 2 daily summaries; 1 could not be made, the log says why"
    here.start()
    here.settle()
    assert len(here.texts()) == 3


def test_one_day_that_the_service_cannot_answer_holds_up_no_other(here: Bench) -> None:
    here.service.wrong["2020-05-03"] = Reply([{"id": "no contact"}])
    assert tried(here) == PATIENCE - 1
    assert [day for day, _, _ in here.texts()] == ["2020-05-01"] * 2


def test_an_outage_is_waited_out_however_long_where_nothing_ever_worked(here: Bench) -> None:
    here.model.script = [[Unavailable("start Ollama")] for _ in range(3 * LONG_PATIENCE + 10)]
    assert tried(here) == 3 * LONG_PATIENCE + 10
    assert len(here.texts()) == 3


def test_the_last_one_that_fails_is_given_up_in_the_end(here: Bench) -> None:
    here.limits = Limits(date(2020, 5, 1), None, ["Anna"])
    here.start()
    here.model.script = [["Good night."]]
    for _ in range(LONG_PATIENCE):
        here.model.script.append([Unavailable("too slow")])
    assert tried(here) == LONG_PATIENCE - 1
    assert [day for day, _, _ in here.texts()] == ["2020-05-03"]


def test_what_is_made_again_is_made_once_though_another_of_its_day_fails_in_between(here: Bench) -> None:
    here.settle()
    here.writes.ask(date(2020, 5, 1), date(2020, 5, 1), again=True)
    here.model.script = [["Anew."], [Unavailable("too slow")], ["Anew, too."]]
    assert tried(here) == 1
    assert [text for day, _, text in here.texts() if day == "2020-05-01"] == ["Anew, too.", "Anew."]
    assert len(here.model.asked) == 3 + 3


def tried(bench: Bench) -> int:
    """Do all there is to do, as the loop does but without its pauses; how often something was away."""
    failures = 0
    while True:
        try:
            bench.settle()
        except Unavailable:
            failures += 1
        else:
            return failures


def test_what_was_begun_before_a_kill_is_gone_on_with(bench: Bench) -> None:
    bench.writes.step()
    bench.writes.step()
    assert len(bench.texts()) == 1
    bench.start()  # all that a killed process knew is gone
    bench.settle()
    assert len(bench.texts()) == 3
    assert len(bench.model.asked) == 3


def test_two_processes_at_work_make_each_summary_once(bench: Bench) -> None:
    other = Bench(bench.ledger, bench.service)
    for _ in range(20):
        bench.writes.step()
        other.writes.step()
    assert len(bench.texts()) == 3
    with bench.ledger.reading(CLI) as tables:
        assert len(tables.summaries.page(100, superseded=True)) == 3
    other.client.close()


def test_the_loop_stops_in_the_middle_of_an_answer_and_says_no_trouble(here: Bench) -> None:
    never = threading.Event()
    here.model.script = [["Good ", never, "night."]]
    loop = Loop("summaries", here.writes.step, idle_seconds=1, on_stop=here.writes.close)
    loop.start()
    until(lambda: here.model.asked)
    loop.stop()
    assert here.model.stopped.is_set()
    assert (here.texts(), loop.trouble) == ([], None)


def test_the_loop_stops_while_the_service_does_not_answer(here: Bench) -> None:
    here.service.wrong["2020-05-03"] = Reply([], pause=60)
    here.client.close()
    here.client = SmsClient(here.service.served.url, seconds=60)
    here.start()
    loop = Loop("summaries", here.writes.step, idle_seconds=1, on_stop=here.writes.close)
    loop.start()
    until(lambda: here.service.served.asked)
    loop.stop()
    assert "messages" in {thread.name for thread in threading.enumerate()}, "nobody waits for it any more"
    assert (here.texts(), loop.trouble) == ([], None)


# Which days, whose conversations


def test_only_the_contacts_that_are_set_are_even_asked_for(here: Bench) -> None:
    here.limits = Limits(date(2020, 5, 1), None, ["Bob", "Cy"])
    here.start()
    here.settle()
    assert [contact for _, contact, _ in here.texts()] == ["Bob"]
    assert {asked.query.get("contact") for asked in here.service.served.asked} == {"Bob", "Cy"}
    with pytest.raises(RuleViolation, match="DAILY_SUMMARY_CONTACTS leaves Anna out"):
        here.writes.ask(contacts=["Anna"])
    assert here.writes.ask(contacts=["bob"]).wish.contacts == ("bob",)


def test_of_a_day_without_a_word_nothing_is_made_up(here: Bench) -> None:
    here.service.rows = []
    here.service.say("2020-05-01T09:30:00+02:00", "Anna", "")
    here.settle()
    assert (here.shown(), here.model.asked) == ([], [])
    here.service.say("2020-05-01T09:31:00+02:00", "Anna", "Look!")
    here.writes.ask()
    here.settle()
    assert [each.messages for each in here.shown()] == [2]


def test_a_contact_that_is_named_twice_is_summarised_of_each_message_once(here: Bench) -> None:
    here.settle()
    here.service.say("2020-05-01T09:32:00+02:00", "ANNA", "At one?")
    here.writes.ask(contacts=["ANNA", "Anna", "Anna"])
    here.settle()
    assert [each.messages for each in here.shown() if (each.day, each.contact_key) == ("2020-05-01", "anna")] == [3]
    said = here.model.asked[-1].messages[-1].text
    assert said.index("harbour") < said.index("Yes!") < said.index("At one?")
    made = len(here.shown())
    here.writes.ask(contacts=["anna", "ANNA", "Anna"])
    here.settle()
    assert len(here.shown()) == made


def test_days_of_which_the_settings_hold_the_other_end_are_refused_with_that_end(here: Bench) -> None:
    here.limits = Limits(date(2020, 5, 2), date(2020, 5, 2))
    here.start()
    with pytest.raises(RuleViolation, match="begin on 2020-05-02 and end on 2020-05-01: name from too"):
        here.writes.ask(last=date(2020, 5, 1))
    with pytest.raises(RuleViolation, match="begin on 2020-05-03 and end on 2020-05-02: name to too"):
        here.writes.ask(date(2020, 5, 3))


def test_a_day_is_summarised_once_it_is_over_and_the_usual_days_are_gone_through_again(here: Bench) -> None:
    here.today = date(2020, 5, 3)
    here.settle()
    assert [day for day, _, _ in here.texts()] == ["2020-05-01"] * 2
    assert "2020-05-03" not in here.service.days()
    here.settle()
    asked = len(here.service.days())
    here.today = date(2020, 5, 4)
    here.settle()
    assert [day for day, _, _ in here.texts()] == ["2020-05-03", "2020-05-01", "2020-05-01"]
    assert here.service.days()[asked:] == ["2020-05-03", "2020-05-02", "2020-05-01"]


@pytest.mark.parametrize(
    ("zone", "now", "last"),
    [
        ("Pacific/Kiritimati", "2020-05-03T09:59:59", "2020-05-02"),
        ("Pacific/Kiritimati", "2020-05-03T10:00:00", "2020-05-03"),
        ("Etc/GMT+12", "2020-05-04T11:59:59", "2020-05-02"),
        ("Europe/Berlin", "2020-03-28T22:59:59", "2020-03-27"),  # the eve of the night in which an hour is left out
        ("Europe/Berlin", "2020-03-28T23:00:00", "2020-03-28"),
        ("Europe/Berlin", "2020-03-29T22:00:00", "2020-03-29"),  # a day of 23 hours
        ("Europe/Berlin", "2020-10-25T22:59:59", "2020-10-24"),  # a day of 25 hours
        ("Europe/Berlin", "2020-10-25T23:00:00", "2020-10-25"),
        ("America/Sao_Paulo", "2018-11-04T02:59:59", "2018-11-02"),  # midnight itself is left out
        ("America/Sao_Paulo", "2018-11-04T03:00:00", "2018-11-03"),
        ("Pacific/Apia", "2011-12-30T09:59:59", "2011-12-28"),
        ("Pacific/Apia", "2011-12-30T10:00:00", "2011-12-30"),  # 30 December was left out, and has no messages
    ],
)
def test_a_day_is_over_when_the_next_one_has_begun_where_the_server_is(
    here: Bench, zone: str, now: str, last: str
) -> None:
    here.today = datetime.fromisoformat(now).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
    here.limits = Limits()
    here.start()
    here.settle()
    assert here.service.days()[0] == last
    assert len(here.service.days()) == 30


# Search, and who is erased


def test_a_language_model_searches_the_days_around_a_photo_alone(here: Bench) -> None:
    here.service.say("2020-04-20T10:00:00+02:00", "Cy", "Long ago")
    here.limits = Limits(date(2020, 4, 1))
    here.start()
    here.settle()
    around = SummarySearch(here.ledger, here.embedder).around("square", date(2020, 5, 2))
    assert sorted((each["day"], each["with"]) for each in around) == [
        ("2020-05-01", "Anna"),
        ("2020-05-01", "Bob"),
        ("2020-05-03", "Anna"),
    ]
    assert set(around[0]) == {"day", "with", "summary"}


def test_a_question_is_embedded_as_one_and_a_summary_as_what_is_searched(here: Bench) -> None:
    here.model.script = [["Good night."], ["They had lunch."], ["The boat is ready."]]
    here.settle()
    found = SummarySearch(here.ledger, here.embedder).find(CLI, "the boat", 1)
    assert [hit.summary.contact for hit in found.hits] == ["Bob"]
    assert here.embedder.embedded[-1] == ("the boat", "query")
    assert {purpose for _, purpose in here.embedder.embedded[:-1]} == {"document"}


def test_who_is_erased_goes_from_texts_contacts_and_vectors_and_does_not_come_back(here: Bench, tmp_path: Path) -> None:
    with here.ledger.transaction(CLI) as uow:
        anna = create_person(uow, "Anna")
    here.model.script = [["ANNA says good night."], ["Lunch."], ["Bob asks for Anna."]]
    here.settle()
    here.model.script = [["Bob's boat, and Anna."]]
    here.service.say("2020-05-01T21:00:00+02:00", "Bob", "It sank.")
    here.start()
    here.settle()
    with here.ledger.reading(CLI) as tables:
        every = {each.id: each for each in tables.summaries.page(100, superseded=True)}
        vectors = tables.summaries.vectors(range(1, 20))
    assert len(vectors) == 4
    erase(here.ledger, CLI, anna)
    mask = f"erased person {anna}"
    assert here.texts() == [
        ("2020-05-03", mask, f"{mask} says good night."),
        ("2020-05-01", "Bob", f"Bob's boat, and {mask}."),
        ("2020-05-01", mask, "Lunch."),
    ]
    held = files_of(tmp_path / "data") + exported(here.ledger)
    assert b"Anna" not in held
    assert b"ANNA" not in held
    for vector in vectors.values():
        assert vector not in held
    assert {every[id_].embedding_id is not None for id_ in every} == {True}
    assert [each.embedding_model for each in here.shown()] == [None] * 3
    assert verify(here.ledger) == []
    here.start("another model")
    here.settle()
    assert all(each.masked and each.embedding_model == "letters" for each in here.shown())
    assert b"Anna" not in files_of(tmp_path / "data")
    assert len(here.model.asked) == 4
