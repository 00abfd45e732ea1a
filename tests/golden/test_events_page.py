"""What the documents say of events is what the classes say."""

from __future__ import annotations

from tests.golden.events_page import ARCHITECTURE, PAGE, architecture, page


def test_the_page_of_events_is_what_the_classes_say() -> None:
    assert PAGE.read_text() == page(), "write it anew with: python -m tests.golden.events_page"


def test_the_page_of_the_architecture_says_which_events_move_which_table() -> None:
    assert ARCHITECTURE.read_text() == architecture(), "write it anew with: python -m tests.golden.events_page"
