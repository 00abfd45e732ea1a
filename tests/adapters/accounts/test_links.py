"""One-time links: each works once, in time, for its purpose, and the file that keeps them gives nothing away."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.accounts.links import LIFETIME, MOST_OPEN, InvalidLink, Link, LinkBook, LinkPurpose
from domain.base.errors import NameTaken, NotFound, RuleViolation, Unavailable

REPOSITORY = Path(__file__).parents[3]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def consume(book: LinkBook, code: str) -> Link:
    """Close the link with this code and answer it."""
    with book.consuming(code) as link:
        return link


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "links.json"


@pytest.fixture
def book(file: Path) -> LinkBook:
    return LinkBook(file, now=lambda: NOON)


def together(number: int, action: Callable[[], object]) -> list[object]:
    """What `action` answers, or the error it raises, in that many threads that start at once."""
    ready = threading.Barrier(number)
    outcomes: list[object] = []

    def run() -> None:
        ready.wait()
        try:
            outcomes.append(action())
        except InvalidLink as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_link_says_what_it_is_for_until_it_is_used(book: LinkBook) -> None:
    code = book.issue(LinkPurpose.INVITATION, role="editor", libraries=(1, 3))
    expected = Link(LinkPurpose.INVITATION, NOON + LIFETIME, role="editor", libraries=(1, 3))
    assert len(code) == 43
    assert book.peek(code) == expected
    assert book.peek(code) == expected, "looking does not use it"
    assert consume(book, code) == expected
    for again in (book.peek, partial(consume, book)):
        with pytest.raises(InvalidLink, match="used already or has expired"):
            again(code)


def test_links_do_not_touch_each_other(book: LinkBook) -> None:
    first = book.issue(LinkPurpose.FIRST_ADMIN)
    sign_in = book.issue(LinkPurpose.SIGN_IN, user_id=7)
    consume(book, first)
    assert consume(book, sign_in) == Link(LinkPurpose.SIGN_IN, NOON + LIFETIME, user_id=7)


@pytest.mark.parametrize("code", ["", "x", "\ud800", "../links.json", "a" * 1_000_000])
def test_a_code_that_never_was_is_not_found(book: LinkBook, code: str) -> None:
    with pytest.raises(NotFound):
        book.peek(code)
    book.issue(LinkPurpose.FIRST_ADMIN)
    with pytest.raises(NotFound):
        consume(book, code)


def test_what_stands_in_the_file_is_not_the_code_and_does_not_open_it(book: LinkBook, file: Path) -> None:
    code = book.issue(LinkPurpose.FIRST_ADMIN)
    text = file.read_text()
    assert code not in text
    (stored,) = json.loads(text)["links"]
    with pytest.raises(InvalidLink):
        consume(book, stored)


def test_an_expired_link_is_gone_at_the_very_moment_and_leaves_the_file_with_the_next_one(file: Path) -> None:
    now = NOON
    book = LinkBook(file, now=lambda: now)
    code = book.issue(LinkPurpose.FIRST_ADMIN, lifetime=timedelta(minutes=5))
    now = NOON + timedelta(minutes=5) - timedelta(microseconds=1)
    book.peek(code)
    now = NOON + timedelta(minutes=5)
    for use in (book.peek, partial(consume, book)):
        with pytest.raises(InvalidLink):
            use(code)
    book.issue(LinkPurpose.FIRST_ADMIN)
    assert len(json.loads(file.read_text())["links"]) == 1


def test_by_the_real_clock_a_fresh_link_works_and_an_old_one_does_not(file: Path) -> None:
    book = LinkBook(file)
    old = book.issue(LinkPurpose.FIRST_ADMIN, lifetime=timedelta(seconds=-1))
    fresh = book.issue(LinkPurpose.FIRST_ADMIN)
    assert consume(book, fresh).purpose is LinkPurpose.FIRST_ADMIN
    with pytest.raises(InvalidLink):
        consume(book, old)


def test_of_eight_threads_one_gets_the_link(book: LinkBook) -> None:
    for _ in range(5):
        code = book.issue(LinkPurpose.FIRST_ADMIN)
        outcomes = together(8, lambda code=code: consume(book, code))  # type: ignore[misc]  # mypy infers no lambda with a default
        assert len([outcome for outcome in outcomes if isinstance(outcome, Link)]) == 1
        assert len(outcomes) == 8


def test_no_link_is_lost_when_eight_threads_issue_at_once(book: LinkBook) -> None:
    codes = together(8, lambda: book.issue(LinkPurpose.FIRST_ADMIN))
    assert len(set(codes)) == 8
    for code in codes:
        consume(book, str(code))


RACE = """
import sys, threading
from pathlib import Path
from adapters.accounts.links import InvalidLink, LinkBook
book, codes = LinkBook(Path(sys.argv[1])), sys.argv[2].split()
won = []
def run():
    for code in codes:
        try:
            with book.consuming(code):
                pass
        except InvalidLink:
            continue
        won.append(code)
threads = [threading.Thread(target=run) for _ in range(4)]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(" ".join(won), flush=True)
"""


def test_of_two_processes_with_four_threads_each_one_gets_each_link(file: Path) -> None:
    book = LinkBook(file)
    codes = [book.issue(LinkPurpose.FIRST_ADMIN) for _ in range(12)]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(file), " ".join(codes)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [code for racer in racers for code in racer.communicate(timeout=60)[0].split()]
    assert sorted(won) == sorted(codes)
    assert [racer.returncode for racer in racers] == [0, 0]


def test_a_link_whose_use_fails_opens_again_and_one_whose_use_succeeds_does_not(book: LinkBook, file: Path) -> None:
    code = book.issue(LinkPurpose.INVITATION, role="viewer")

    def register_a_name_that_is_taken() -> None:
        with book.consuming(code):
            assert json.loads(file.read_text())["links"] == {}, "a crash in here has used it up"
            raise NameTaken("there is an Ann already")

    with pytest.raises(NameTaken):
        register_a_name_that_is_taken()
    with book.consuming(code) as link:
        assert link.role == "viewer"
    with pytest.raises(InvalidLink):
        consume(book, code)


def test_links_are_withdrawn_by_purpose_and_user(book: LinkBook) -> None:
    admin = book.issue(LinkPurpose.FIRST_ADMIN)
    seven, eight = (book.issue(LinkPurpose.SIGN_IN, user_id=user) for user in (7, 8))
    assert book.withdraw(LinkPurpose.SIGN_IN, user_id=7) == 1
    with pytest.raises(InvalidLink):
        book.peek(seven)
    book.peek(eight)
    assert book.withdraw(LinkPurpose.SIGN_IN) == 1
    with pytest.raises(InvalidLink):
        book.peek(eight)
    assert book.withdraw(LinkPurpose.INVITATION) == 0
    book.peek(admin)


@pytest.mark.parametrize(
    ("purpose", "role", "field"),
    [
        (LinkPurpose.SIGN_IN, None, "user_id"),
        (LinkPurpose.INVITATION, None, "role"),
        (LinkPurpose.INVITATION, "owner", "role"),
    ],
)
def test_a_link_that_would_lead_nowhere_is_not_issued(
    book: LinkBook, file: Path, purpose: LinkPurpose, role: str | None, field: str
) -> None:
    with pytest.raises(RuleViolation) as caught:
        book.issue(purpose, role=role)
    assert caught.value.field == field
    assert not file.exists()


def test_no_more_than_a_thousand_links_are_open(book: LinkBook, file: Path) -> None:
    book.issue(LinkPurpose.FIRST_ADMIN)
    content = json.loads(file.read_text())
    (link,) = content["links"].values()
    content["links"] = {f"{number}": link for number in range(MOST_OPEN)}
    file.write_text(json.dumps(content))
    with pytest.raises(RuleViolation, match="1000 links are open"):
        book.issue(LinkPurpose.FIRST_ADMIN)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"links": {}, "version": 2}',
        b'{"links": {"a": {"purpose": "make-coffee", "expires_at": "2026-05-01T13:00:00Z"}}}',
        b'{"links": {"a": {"purpose": "first-admin", "expires_at": "2026-05-01T13:00:00"}}}',
        b'{"links": {"a": {"purpose": "first-admin"}}}',
        b'{"links": {}, "more": 1}',
    ],
)
def test_a_damaged_file_is_named_with_what_to_do_and_left_as_it_is(book: LinkBook, file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    for use in (
        lambda: book.issue(LinkPurpose.FIRST_ADMIN),
        lambda: book.peek("x"),
        lambda: consume(book, "x"),
        lambda: book.withdraw(LinkPurpose.SIGN_IN),
    ):
        with pytest.raises(Unavailable, match=r"links\.json is damaged .*Delete it"):
            use()
    assert file.read_bytes() == content


def test_the_file_its_lock_and_their_folder_are_private_and_nothing_else_is_left_there(
    book: LinkBook, file: Path
) -> None:
    for _ in range(3):
        book.issue(LinkPurpose.FIRST_ADMIN)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == {"links.json": 0o600, "links.json.lock": 0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(Unavailable, match=r"cannot open .*links\.json\.lock: "):
        LinkBook(tmp_path / "data" / "links.json").issue(LinkPurpose.FIRST_ADMIN)


def test_a_file_that_cannot_be_replaced_is_named_and_nothing_is_left_beside_it(book: LinkBook, file: Path) -> None:
    code = book.issue(LinkPurpose.FIRST_ADMIN)
    text = file.read_text()
    file.unlink()
    file.mkdir()
    with pytest.raises(Unavailable, match=r"cannot read .*links\.json"):
        consume(book, code)
    file.rmdir()
    file.write_text(text)
    assert consume(book, code).purpose is LinkPurpose.FIRST_ADMIN
    assert sorted(path.name for path in file.parent.iterdir()) == ["links.json", "links.json.lock"]


def test_the_lock_is_not_followed_out_of_the_folder(book: LinkBook, file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    elsewhere = tmp_path / "elsewhere"
    file.with_name("links.json.lock").symlink_to(elsewhere)
    with pytest.raises(Unavailable):
        book.issue(LinkPurpose.FIRST_ADMIN)
    assert not elsewhere.exists()
