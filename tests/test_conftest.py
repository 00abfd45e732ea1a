"""The shared fixtures are what they say: real parts, each fresh where it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine, inspect, text

pytest_plugins = ["pytester"]


def test_two_tests_never_share_a_postgres_database(postgres_url: str, fresh_postgres_url: str) -> None:
    """A table made in the fresh database is not in the server's first one, and pgvector can be had."""
    fresh, first = create_engine(fresh_postgres_url), create_engine(postgres_url)
    with fresh.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id int)"))
        connection.execute(text("CREATE EXTENSION vector"))
    assert inspect(fresh).get_table_names() == ["left_behind"]
    assert inspect(first).get_table_names() == []
    fresh.dispose()
    first.dispose()


def test_the_sample_photos_show_one_man_on_several_portraits(sample_photos: Path, six_people: Path) -> None:
    names = {path.name for path in sample_photos.iterdir()}
    assert {"obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "bigbuckbunny.mp4"} <= names
    assert six_people.read_bytes().startswith(b"\xff\xd8")


def test_the_browser_runs_scripts(page: Page) -> None:
    page.set_content("<button onclick=\"this.textContent = 'pressed'\">press</button>")
    page.get_by_role("button").click()
    assert page.get_by_role("button").text_content() == "pressed"


INNER = """
import sys
sys.path.insert(0, {root!r})
from tests import conftest
conftest.missing = lambda: ["exiftool"]
conftest.may_install = lambda: {may_install}
from tests.conftest import (
    pytest_collection_modifyitems, pytest_runtest_setup,
    pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown,
)
"""
NEEDS_EXIFTOOL = "import pytest\n@pytest.mark.exiftool\ndef test_it(): pass\ndef test_other(): pass\n"
INI = """
[pytest]
markers =
  exiftool: needs it
"""


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("may_install", [True, False])
def test_a_missing_program_is_never_passed_over_in_silence(
    pytester: pytest.Pytester, may_install: bool, processes: int
) -> None:
    """Where it could be installed the test fails and names `make tools`; elsewhere the report says what is left out."""
    pytester.makeini(INI)
    pytester.makeconftest(INNER.format(root=str(Path(__file__).parent.parent), may_install=may_install))
    pytester.makepyfile(NEEDS_EXIFTOOL)
    result = pytester.runpytest_subprocess("-n", str(processes))
    if may_install:
        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines(["*exiftool is not installed: run `make tools`*"])
    else:
        result.assert_outcomes(passed=1, deselected=0 if processes else 1)  # the one that reports collects nothing
        result.stdout.fnmatch_lines(["left out: 1 tests that need exiftool*"])
