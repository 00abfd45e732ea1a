"""Which persons may be one, and which faces of a person somebody else's: what decides, apart from the arithmetic.

Two persons are likely one where their faces are as alike as a face has to be to be offered; of who has too few faces to
tell, as alike as it has to be to be chosen before anybody looks, unless their names are alike as well. Who were on one
photo, were born on two days or were ever told apart are two.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from domain.base.names import search_words
from domain.ports.face_engine import Thresholds
from domain.rules.recognition import NEAREST

ENOUGH: Final = NEAREST
"""Faces of a person by which can be told who is like them: as many as a face is compared with."""
SHORTEST_ALIKE: Final = 2
"""Letters at least that two names have in common where they are alike: an initial alone says nothing."""


class ComparedPerson(msgspec.Struct, frozen=True):
    """A person in question: `faces` are those that hang together, of the model that compares."""

    id: int
    name: str
    birth_date: str | None
    faces: int


def are_names_alike(one: str, other: str) -> bool:
    """Whether each word of the shorter name is, or begins, a word of the longer one, or the other way round, without
    regard to case and accents: Anna and Anna B., Jo B. and Johanna Berger; not Anna and Hanna."""
    few, many = sorted((_words(one), _words(other)), key=lambda words: (len(words), sum(map(len, words))))
    left = list(many)
    common = 0
    for word in few:
        match = next((each for each in left if each.startswith(word) or word.startswith(each)), None)
        if match is None:
            return False
        left.remove(match)
        common += min(len(word), len(match))
    return common >= SHORTEST_ALIKE


def _words(name: str) -> list[str]:
    """The words of a name as they are looked for, without full stops and the like."""
    bare = ("".join(letter for letter in word if letter.isalnum()) for word in search_words(name))
    return [word for word in bare if word]


def least_likeness(one: ComparedPerson, other: ComparedPerson, thresholds: Thresholds) -> float:
    """The cosine from which two persons are likely one."""
    is_enough = min(one.faces, other.faces) >= ENOUGH or are_names_alike(one.name, other.name)
    return thresholds.offer if is_enough else thresholds.preselect


def are_born_apart(one: ComparedPerson, other: ComparedPerson) -> bool:
    """Whether somebody wrote that the two were born on different days."""
    return None not in (one.birth_date, other.birth_date) and one.birth_date != other.birth_date


def that_stays(one: ComparedPerson, other: ComparedPerson) -> tuple[ComparedPerson, ComparedPerson]:
    """Of two that are one: who is merged, and into whom; with more faces, else named earlier."""
    merged, stays = sorted((one, other), key=lambda each: (each.faces, -each.id))
    return merged, stays


def examples(cosines: Collection[tuple[int, int, float]], most: int) -> list[tuple[int, int, float]]:
    """The likest pairs of faces, `most` of them, no face in two: `(face of the one, face of the other, cosine)`."""
    chosen: list[tuple[int, int, float]] = []
    used: set[int] = set()
    for one, other, cosine in sorted(cosines, key=lambda pair: (-pair[2], pair[0], pair[1])):
        if used.isdisjoint((one, other)):
            chosen.append((one, other, cosine))
            used |= {one, other}
        if len(chosen) == most:
            break
    return chosen
