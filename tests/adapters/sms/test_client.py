"""The client of the conversation service: what is asked, what is believed, and what each failure tells its user."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.sms.client import LONGEST_BODY, MOST_BYTES, SmsClient
from domain.base.conversation import ConversationMessage
from domain.base.errors import AdapterError, Rejected, Unavailable
from tests.loopback import Asked, Loopback, Reply, loopback

MAY_1, MAY_2 = date(2020, 5, 1), date(2020, 5, 2)
TOKEN = "a token of these tests"
ROW: dict[str, Any] = {
    "id": 4711,
    "contact": "Anna",
    "sent_at": "2020-05-01T09:30:00+02:00",
    "direction": "received",
    "body": "Lunch at the harbour?",
}
"""As docs/integrations.md shows it."""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as served:
        served.answer = Reply([ROW])
        yield served


@pytest.fixture
def client(server: Loopback) -> Iterator[SmsClient]:
    client = SmsClient(server.url + "/", TOKEN, seconds=20)
    yield client
    client.close()


def row(**changed: Any) -> dict[str, Any]:
    """The row with other values."""
    return ROW | changed


def error_of(client: SmsClient) -> AdapterError:
    """What asking fails with."""
    with pytest.raises(AdapterError) as raised:
        client.messages(MAY_1, MAY_2)
    return raised.value


def test_days_contact_and_token_go_there_as_the_contract_says(server: Loopback, client: SmsClient) -> None:
    client.messages(MAY_1, MAY_2, "Anna")
    client.messages(MAY_1, MAY_1)
    first, second = server.asked
    assert first.path == "/messages"
    assert first.query == {"contact": "Anna", "from": "2020-05-01", "to": "2020-05-02"}
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert second.query == {"from": "2020-05-01", "to": "2020-05-01"}


def test_without_a_token_none_is_sent(server: Loopback) -> None:
    client = SmsClient(server.url)
    client.messages(MAY_1, MAY_1)
    assert "authorization" not in server.asked[0].headers
    client.close()


def test_a_message_comes_back_with_its_own_clock(client: SmsClient) -> None:
    (message,) = client.messages(MAY_1, MAY_1)
    assert message == ConversationMessage(
        "4711", "Anna", datetime(2020, 5, 1, 7, 30, tzinfo=UTC), "received", "Lunch at the harbour?"
    )
    assert message.sent_at.utcoffset() == timedelta(hours=2)


def test_messages_come_the_oldest_first_and_each_once(server: Loopback, client: SmsClient) -> None:
    server.answer = Reply(
        [
            row(id="c", sent_at="2020-05-01T10:00:00Z"),
            row(id="a", sent_at="2020-05-01T11:00:00+02:00"),
            row(id="c", sent_at="2020-05-01T10:00:00Z"),
        ]
    )
    assert [message.id for message in client.messages(MAY_1, MAY_1)] == ["a", "c"]


@pytest.mark.parametrize(
    ("said", "direction"),
    [("received", "received"), ("incoming", "received"), ("in", "received"), ("sent", "sent"), ("outbound", "sent")],
)
def test_a_direction_may_be_said_in_several_words(
    server: Loopback, client: SmsClient, said: str, direction: str
) -> None:
    server.answer = Reply([row(direction=said)])
    assert client.messages(MAY_1, MAY_1)[0].direction == direction


def test_what_was_not_asked_for_is_left_out_whatever_the_service_sends(server: Loopback, client: SmsClient) -> None:
    server.answer = Reply(
        [
            row(id=1),
            row(id=2, contact="Bob"),
            row(id=3, sent_at="2020-04-30T23:59:59Z"),
            row(id=4, sent_at="2020-05-03T00:00:00+09:00"),
            row(id=5, sent_at="2020-05-02T23:59:59-11:00", contact="ANNA"),
            row(id=6, contact="Rene\u0301"),
        ]
    )
    assert [message.id for message in client.messages(MAY_1, MAY_2, "Anna")] == ["1", "5"]
    assert [message.id for message in client.messages(MAY_1, MAY_2, "Ren\u00e9")] == ["6"]


def test_a_day_is_the_day_of_the_messages_own_clock(server: Loopback, client: SmsClient) -> None:
    late = datetime(2020, 5, 1, 23, 30, tzinfo=timezone(timedelta(hours=-8)))
    server.answer = Reply([row(sent_at=late.isoformat())])
    assert len(client.messages(MAY_1, MAY_1)) == 1
    assert client.messages(MAY_2, MAY_2) == ()


def test_a_text_is_cut_and_rid_of_control_characters(server: Loopback, client: SmsClient) -> None:
    server.answer = Reply([row(body="a\0b\x1b[2J\nc\t" + "x" * 20_000, contact=" An\0na ")])
    (message,) = client.messages(MAY_1, MAY_1)
    assert message.body.startswith("ab[2J\nc\tx")
    assert len(message.body) <= LONGEST_BODY
    assert message.contact == "Anna"


def test_a_picture_without_text_is_a_message_without_body(server: Loopback, client: SmsClient) -> None:
    server.answer = Reply([row(body=None)])
    assert client.messages(MAY_1, MAY_1)[0].body == ""


# Pages


def paged(server: Loopback, pages: int, link: str = "?page={}") -> None:
    """Let the service answer one message a page, each with a link to the next."""

    def answer(asked: Asked) -> Reply:
        page = int(asked.query.get("page", "1"))
        headers = {"Link": f'<{link.format(page + 1)}>; rel="next"'} if page < pages else {}
        return Reply([row(id=page)], headers=headers)

    server.answer = answer


@pytest.mark.parametrize("link", ["?page={}", "/messages?page={}", "URL/messages?page={}"])
def test_a_capped_answer_is_followed_to_its_end(server: Loopback, client: SmsClient, link: str) -> None:
    paged(server, 4, link.replace("URL", server.url))
    assert [message.id for message in client.messages(MAY_1, MAY_1)] == ["1", "2", "3", "4"]
    assert all(asked.headers["authorization"] == f"Bearer {TOKEN}" for asked in server.asked)


@pytest.mark.parametrize("scheme", ["http://", "//", "https://"])
def test_a_next_page_on_another_server_is_not_asked_for(server: Loopback, client: SmsClient, scheme: str) -> None:
    with loopback() as other:
        paged(server, 2, scheme + other.url.removeprefix("http://") + "/messages?page={}")
        assert "another server" in str(error_of(client))
        assert not other.asked


def test_pages_that_go_in_a_circle_end(server: Loopback, client: SmsClient) -> None:
    server.answer = Reply([ROW], headers={"Link": '</messages?page=2>; rel="next"'})
    assert "never end" in str(error_of(client))
    assert len(server.asked) == 2


def test_pages_without_end_end(server: Loopback) -> None:
    paged(server, 10_000)
    client = SmsClient(server.url, seconds=20)
    assert "never end" in str(error_of(client))
    assert len(server.asked) == 100
    client.close()


def test_too_many_messages_are_refused(server: Loopback) -> None:
    client = SmsClient(server.url, most_messages=3)
    server.answer = Reply([row(id=number) for number in range(4)])
    assert "more than 3 messages" in str(error_of(client))
    client.close()


# Failures

SAYS = {
    "a wrong token": (Reply(status=401), Unavailable, "SMS_API_TOKEN"),
    "a forbidden one": (Reply(status=403), Unavailable, "SMS_API_TOKEN"),
    "another address": (Reply(status=404), Unavailable, "SMS_API_URL"),
    "a refused request": (Reply({"detail": "no such contact"}, status=422), Rejected, "no such contact"),
    "a failure": (Reply({"detail": "the database is down"}, status=500), Unavailable, "the database is down"),
    "a failure without words": (Reply(b"<html>", status=502), Unavailable, "status 502"),
    "a redirect": (Reply(status=302, headers={"Location": "/elsewhere"}), Unavailable, "status 302"),
    "no JSON": (Reply(b"<html>"), Unavailable, "contract"),
    "no list": (Reply({"messages": []}), Unavailable, "contract"),
    "no UTF-8": (Reply(b'[{"id": "\xff"}]'), Unavailable, "contract"),
    "nesting without end": (Reply(b"[" * 100_000), Unavailable, "contract"),
    "a missing field": (Reply([{"id": 1}]), Unavailable, "contact"),
    "an unknown direction": (Reply([row(direction="sideways")]), Unavailable, "direction"),
    "a time without offset": (Reply([row(sent_at="2020-05-01T09:30:00")]), Unavailable, "offset"),
    "a time that is none": (Reply([row(sent_at="yesterday")]), Unavailable, "sent_at"),
    "half an answer": (Reply([ROW], cut=True), Unavailable, "SMS_API_URL"),
}


@pytest.mark.parametrize(("reply", "kind", "words"), SAYS.values(), ids=SAYS)
def test_each_failure_says_what_to_do(
    server: Loopback, client: SmsClient, reply: Reply, kind: type[AdapterError], words: str
) -> None:
    server.answer = reply
    error = error_of(client)
    assert type(error) is kind
    assert words in str(error)
    assert TOKEN not in str(error)


@pytest.mark.parametrize("reply", [Reply([ROW], pause=30), Reply([ROW], drip=0.05)], ids=["nothing", "byte by byte"])
def test_an_answer_that_does_not_come_in_time_is_not_waited_for(server: Loopback, reply: Reply) -> None:
    server.answer = reply
    client = SmsClient(server.url, seconds=0.5)
    error = error_of(client)
    assert type(error) is Unavailable
    assert "0.5 s" in str(error)
    client.close()


def test_an_answer_that_is_too_large_is_not_taken(server: Loopback) -> None:
    server.answer = Reply(b" " * (MOST_BYTES + 1))
    client = SmsClient(server.url, seconds=20)
    assert "more than 8 MB" in str(error_of(client))
    client.close()


def test_a_redirect_takes_the_token_nowhere(server: Loopback, client: SmsClient) -> None:
    with loopback() as other:
        server.answer = Reply(status=307, headers={"Location": f"{other.url}/messages"})
        error_of(client)
        assert not other.asked


def test_a_service_that_is_not_there_is_said_in_words() -> None:
    client = SmsClient("http://127.0.0.1:1", TOKEN)
    assert "the conversation service at 127.0.0.1:1 cannot be reached" in str(error_of(client))
    client.close()


def test_a_password_in_the_address_is_in_no_message() -> None:
    client = SmsClient("http://me:hidden@127.0.0.1:1")
    assert "hidden" not in str(error_of(client))
    client.close()


def test_a_closed_client_says_so(client: SmsClient) -> None:
    client.close()
    assert "stops" in str(error_of(client))


def test_its_state_is_learned_from_a_day_that_has_no_messages(server: Loopback, client: SmsClient) -> None:
    assert client.state() == ("answers", True)
    assert server.asked[0].query == {"from": "1970-01-01", "to": "1970-01-01"}
    server.answer = Reply(status=401)
    state, works = client.state()
    assert ("SMS_API_TOKEN" in state, works) == (True, False)
