"""Rows that are stored once are never written otherwise by a later version, unless it makes all of them anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import pytest

from domain.rules import stacks
from projections.tables import media, persons, schema
from projections.tables.schema import ReadTables
from tests.golden import rows
from tests.golden.branches import Branches
from tests.golden.files import decoded, golden_files
from tests.golden.rows import ADD, computed, functions, pin, pinned, refusal, trace


@pytest.fixture(scope="module")
def tables() -> ReadTables:
    """Every projection."""
    return ReadTables(0)


@pytest.fixture(scope="module")
def branches(tables: ReadTables) -> Branches:
    """What the golden files take."""
    return trace(tables)


def test_every_golden_file_writes_the_rows_that_are_stored_already() -> None:
    before, now = pinned(), computed()
    why = refusal(before, now)
    assert why is None, why
    assert now == before, f"what is stored will be made anew, or there is something new: pin it with `{ADD}`"


def test_golden_files_reach_each_branch_of_what_makes_rows(tables: ReadTables, branches: Branches) -> None:
    missing = branches.not_taken(functions(tables))
    assert missing == [], f"add an example to `cases` in tests/golden/examples.py, then run `{ADD}`"


def test_golden_files_hold_a_text_that_each_key_changes(branches: Branches) -> None:
    assert branches.without_effect() == [], f"add its event to `KEYED` in tests/golden/examples.py, then run `{ADD}`"


def test_golden_files_set_each_field_of_an_event() -> None:
    never: dict[str, set[str]] = {}
    for file in golden_files():
        event = decoded(file)[1]
        never[event.topic] = never.get(event.topic, {*unset(event)}) & {*unset(event)}
    missing = {topic: fields for topic, fields in never.items() if fields}
    assert missing == {}, f"add an example to `cases` in tests/golden/examples.py, then run `{ADD}`"


def unset(struct: msgspec.Struct, path: str = "") -> Iterator[str]:
    """The fields that are as they are when nothing is said, those of structs in it too."""
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if isinstance(value, msgspec.Struct):
            yield from unset(value, f"{path}{field.name}.")
        elif not field.required and value == field.default:
            yield f"{path}{field.name}"


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    return {name for name in before if now.get(name) != before[name]}


def test_another_function_behind_a_row_is_refused_until_the_revision_rises(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pinned()
    monkeypatch.setattr(persons, "name_key", str.casefold)
    now = computed()
    assert changed(before, now) == {"cases/PersonCreated.1.keys", "cases/PersonRenamed.1.keys"}
    why = refusal(before, now)
    assert why is not None
    assert why.startswith("raise REVISION in projections/tables/schema.py, because rows that are stored already would")
    assert why.endswith("what differs: cases/PersonCreated.1.keys, cases/PersonRenamed.1.keys")
    monkeypatch.setattr(schema, "REVISION", schema.REVISION + 1)
    assert refusal(before, computed()) is None


@pytest.mark.parametrize("name", ["search_key", "stack_of", "stack_rank", "folder_of", "name_of", "burst_of"])
def test_each_rule_that_a_row_of_a_file_follows_is_pinned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, name, lambda *_: "0")
    assert refusal(pinned(), computed()) is not None


def test_a_constant_that_decides_about_rows_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "RAW_FORMATS", stacks.RAW_FORMATS | {"rwl"})
    assert "what differs: constant:RAW_FORMATS" in (refusal(pinned(), computed()) or "")


def test_a_value_within_a_statement_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQL has a parameter in its place, so that the fingerprint does not see it."""
    monkeypatch.setattr(media, "RANKS", 5)
    assert "cases/MediaMoved.1.keys" in (refusal(pinned(), computed()) or "")


def test_what_is_pinned_is_not_overwritten_while_stored_rows_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows.ROWS.read_bytes()
    monkeypatch.setattr(persons, "name_key", str.casefold)
    with pytest.raises(SystemExit, match="raise REVISION"):
        pin()
    assert rows.ROWS.read_bytes() == before


def test_the_revision_never_falls_and_golden_files_never_go() -> None:
    now = dict(computed())
    assert "only rises" in (refusal({**now, "revision": "99"}, now) or "")
    assert "bring back events/Gone.1" in (refusal({**now, "events/Gone.1": "0"}, now) or "")
