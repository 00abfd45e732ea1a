"""Names that people give: what is cleaned, what is refused, and when two are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.errors import RuleViolation
from domain.base.names import LONGEST_NAME, clean_name, name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("Zoë", "Zoe\u0308"),
        ("Straße", "STRASSE"),
        ("ﬁona", "Fiona"),
        ("\uff21\uff4c\uff49\uff43\uff45", "alice"),
        ("Ann  Lee", "ann lee"),
        ("Σωκράτης", "ΣΩΚΡΆΤΗΣ"),
    ],
)
def test_names_that_a_reader_takes_for_one_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Ann", "Anne"), ("Zoë", "Zoe"), ("Ann Lee", "AnnLee")])
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text(max_size=30))
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


def test_a_name_loses_the_white_space_around_it_and_is_stored_composed() -> None:
    assert clean_name("\u00a0 Zoe\u0308 \t") == "Zoë"


@pytest.mark.parametrize("name", ["", "   ", "\u00a0\u2003"])
def test_a_name_without_a_visible_character_is_refused(name: str) -> None:
    with pytest.raises(RuleViolation, match="visible character"):
        clean_name(name)


@pytest.mark.parametrize("name", ["An\nn", "An\0n", "An\x1bn", "An\x85n", "An\ud800n"])
def test_control_characters_and_lone_surrogates_are_refused(name: str) -> None:
    with pytest.raises(RuleViolation, match="control characters"):
        clean_name(name)


def test_a_name_of_the_greatest_length_passes_and_one_more_character_does_not() -> None:
    assert clean_name("ä" * LONGEST_NAME) == "ä" * LONGEST_NAME
    with pytest.raises(RuleViolation, match=f"{LONGEST_NAME} characters; this one has {LONGEST_NAME + 1}"):
        clean_name("ä" * (LONGEST_NAME + 1))


def test_the_error_names_the_field_that_was_asked_for() -> None:
    with pytest.raises(RuleViolation) as refusal:
        clean_name("", field="into")
    assert refusal.value.field == "into"
