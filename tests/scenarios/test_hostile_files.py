"""Broken photos of every format, many at once: each is shown or marked, and the server goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.hostile_files import run

MORE_MEMORY_KB = 48 * 1024
"""What tables, caches and an allocator may keep: a leak of a picture a file would be a hundred times as much."""


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_each_of_many_broken_files_is_shown_or_marked_and_the_server_goes_on(tmp_path: Path, count: int) -> None:
    outcome = run(tmp_path, count)
    assert outcome.alive
    assert outcome.files.keys() >= {"shown", "marked"}
    assert outcome.files.get("lost", 0) == 0
    assert not [line for line in outcome.lines if "Traceback" in line]
    assert outcome.memory_after - outcome.memory_before < MORE_MEMORY_KB
