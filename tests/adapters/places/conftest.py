"""A server on the loopback, and the answers that it may fail with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loopback import Loopback, loopback


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that the test scripts."""
    with loopback() as served:
        yield served


@pytest.fixture
def other() -> Iterator[Loopback]:
    """Another server, which nobody named."""
    with loopback() as served:
        yield served
