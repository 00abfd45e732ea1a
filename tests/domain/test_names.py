"""Names that people give: what is cleaned, what is refused, and when two are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base.errors import RuleViolation
from domain.base.names import LONGEST_NAME, clean_name, name_key, search_key, search_words


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


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("José García", "jose"),
        ("José García", "garcia jose"),
        ("José García", "GARCÍA"),
        ("Łukasz", "lukasz"),
        ("Lukasz", "łukasz"),
        ("O\u2019Neill", "o'neill"),
        ("O'Neill", "o\u2019neill"),
        ("O\u02bcNeill", "oneill"),
        ("O`Neill", "o\u00b4neill"),
        ("D'Artagnan", "dartagnan"),
        ("Søren Ærø", "aero soren"),
        ("Straße", "strasse"),
        ("Strasse", "straße"),
        ("Iş\u0131l", "isil"),
        ("İpek", "ipek"),
        ("Đặng Văn", "dang van"),
        ("Þórður", "thordur"),
        ("Ħal-Luqa", "hal luqa"),
        ("Anne Marie", "anne-marie"),
        ("Anne\u2010Marie", "marie anne"),
        ("Ŧove", "tove"),
        ("Ɓala Ƙano", "kano bala"),
        ("Ёлка", "елка"),
        ("Σωκράτης", "σωκρατησ"),
        ("Ångström", "angstrom"),
        ("Zoe\u0308", "zoë"),
        ("ﬁona", "fiona"),
    ],
)
def test_a_name_is_found_however_its_letters_are_typed_and_in_whatever_order(name: str, typed: str) -> None:
    assert all(word in search_key(name) for word in search_words(typed))


@pytest.mark.parametrize(("name", "typed"), [("José", "josef"), ("Ann Lee", "annlee"), ("Bob", "ann bob")])
def test_what_a_name_does_not_hold_does_not_find_it(name: str, typed: str) -> None:
    assert not all(word in search_key(name) for word in search_words(typed))


def test_names_that_are_found_alike_stay_two() -> None:
    assert name_key("Jose") != name_key("José")
    assert name_key("O'Neill") != name_key("O\u2019Neill")


@given(st.text(max_size=30))
def test_what_is_found_is_found_by_its_own_name(name: str) -> None:
    assert all(word in search_key(name) for word in search_words(name))
    assert search_key(search_key(name)) == search_key(name)
