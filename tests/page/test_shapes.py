"""The shapes that the page is checked against are those of the server."""

from __future__ import annotations

from tests.page.shapes import FILE, shapes


def test_the_page_is_checked_against_what_the_server_declares() -> None:
    assert FILE.read_text() == shapes(), "write it anew: .venv/bin/python -m tests.page.shapes"
