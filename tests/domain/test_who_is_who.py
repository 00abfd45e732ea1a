"""What decides whether two persons are likely one."""

from __future__ import annotations

import pytest

from domain.ports.face_engine import Thresholds
from domain.rules.who_is_who import (
    ComparedPerson,
    are_born_apart,
    are_names_alike,
    examples,
    least_likeness,
    that_stays,
)

LIKE = Thresholds(autobind=0.5, offer=0.4, preselect=0.6, cluster=0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "Anna B."),
        ("anna b.", "ANNA"),
        ("Jo", "Johanna Meier"),
        ("Jo M.", "Johanna Meier"),
        ("José", "jose luis"),
        ("Meier, Anna", "Anna Meier"),
        ("Anna-Lena", "Lena Anna Huber"),
    ],
)
def test_names_are_alike_where_one_is_or_begins_a_part_of_the_other(one: str, other: str) -> None:
    assert are_names_alike(one, other)
    assert are_names_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("Anna", "Hanna"), ("Anna A.", "Anna B."), ("A", "Anna"), ("Anna", "Bob"), ("!", "?")]
)
def test_names_are_not_alike_by_an_initial_alone_or_a_part_in_the_middle(one: str, other: str) -> None:
    assert not are_names_alike(one, other)


def known(id_: int, faces: int, name: str = "", birth_date: str | None = None) -> ComparedPerson:
    """A person."""
    return ComparedPerson(id_, name or f"Person {id_}", birth_date, faces)


def test_who_has_too_few_faces_to_tell_has_to_be_liker_unless_the_names_are_alike() -> None:
    assert least_likeness(known(1, 3, "Ann"), known(2, 3, "Bob"), LIKE) == LIKE.offer
    assert least_likeness(known(1, 30, "Ann"), known(2, 2, "Bob"), LIKE) == LIKE.preselect
    assert least_likeness(known(1, 1, "Ann"), known(2, 1, "Anna"), LIKE) == LIKE.offer


def test_the_one_with_more_faces_stays_else_the_one_that_was_named_earlier() -> None:
    few, many, late = known(1, 2), known(2, 9), known(3, 9)
    assert that_stays(few, many) == (few, many)
    assert that_stays(many, few) == (few, many)
    assert that_stays(many, late) == (late, many)


def test_who_were_born_on_two_days_are_two_and_of_whom_it_is_not_known_may_be_one() -> None:
    assert are_born_apart(known(1, 1, birth_date="1990-01-31"), known(2, 1, birth_date="1990-01-30"))
    assert not are_born_apart(known(1, 1, birth_date="1990-01-31"), known(2, 1, birth_date="1990-01-31"))
    assert not are_born_apart(known(1, 1), known(2, 1, birth_date="1990-01-31"))


def test_examples_are_the_likest_pairs_and_no_face_is_in_two() -> None:
    pairs = [(1, 12, 0.3), (1, 11, 0.5), (2, 11, 0.9), (2, 12, 0.8), (3, 13, 0.4)]
    assert examples(pairs, 2) == [(2, 11, 0.9), (3, 13, 0.4)]
    assert examples(pairs, 9) == [(2, 11, 0.9), (3, 13, 0.4), (1, 12, 0.3)]
