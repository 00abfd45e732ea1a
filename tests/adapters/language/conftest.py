"""Peers that a test scripts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.adapters.language.peers import Peer, Script


@pytest.fixture
def peer() -> Iterator[Callable[[Script], Peer]]:
    """Starts a peer that follows a script, for one test."""
    with contextlib.ExitStack() as stack:

        def start(script: Script) -> Peer:
            made = Peer(script)
            stack.callback(made.close)
            return made

        yield start
