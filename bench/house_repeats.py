"""The measure of the house that compares: lines of code that stand in two places."""

from __future__ import annotations

import ast
import itertools
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from bench.house_measures import Tree, is_text, last_line, tokens

RUN = 6
"""So many equal lines in a row are a repeat; fewer are mostly a signature or a few fields that two shapes share."""

LAYOUT = {tokenize.COMMENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.INDENT, tokenize.NEWLINE, tokenize.NL}

Place = tuple[str, int]
"""A path, and a place among the lines of code of the file."""


class Line(NamedTuple):
    """A line of code: where it stands in its file, and its words, one space apart."""

    number: int
    words: str


class Stretch(NamedTuple):
    """A part of a file, from one line to another."""

    path: str
    first: int
    last: int

    def __str__(self) -> str:
        """As an editor opens it."""
        return f"{self.path}:{self.first}-{self.last}"


def repeats(tree: Tree) -> list[tuple[Stretch, Stretch]]:
    """Pairs of places that hold the same six lines of code or more; as far as two places agree, that is one pair.

    Lines are compared as `code_lines` gives them. The two may lie in one file where they do not overlap.
    """
    code = {path: code_lines(text, tree.syntax[path]) for path, text in tree.texts.items()}
    equal = defaultdict(list)
    for path, lines in code.items():
        for start in range(len(lines) - RUN + 1):
            equal[tuple(line.words for line in lines[start : start + RUN])].append((path, start))
    pairs = {pair for starts in equal.values() for pair in itertools.combinations(starts, 2) if apart(*pair)}
    found = []
    for (one, i), (other, j) in pairs:
        if ((one, i - 1), (other, j - 1)) not in pairs:
            more = next(n for n in itertools.count(1) if ((one, i + n), (other, j + n)) not in pairs)
            ends = RUN - 2 + more
            found.append((stretch(one, code[one], i, i + ends), stretch(other, code[other], j, j + ends)))
    return sorted(found)


def stretch(path: str, lines: list[Line], first: int, last: int) -> Stretch:
    """The part of a file from one line of its code to another."""
    return Stretch(path, lines[first].number, lines[last].number)


def repeated_places(found: Iterable[tuple[Stretch, Stretch]]) -> list[Stretch]:
    """The places of all pairs, those that overlap as one: what stands in twenty places makes 190 pairs."""
    places: list[Stretch] = []
    for place in sorted(itertools.chain.from_iterable(found)):
        before = places[-1] if places else None
        if before and before.path == place.path and place.first <= before.last:
            places[-1] = before._replace(last=max(before.last, place.last))
        else:
            places.append(place)
    return places


def code_lines(text: str, syntax: Iterable[ast.AST]) -> list[Line]:
    """The lines of a module that do something.

    Without indentation, blank lines, comments, docstrings (those of attributes too), imports, and lines that are
    nothing but brackets and commas. A string of several lines belongs to the line on which it begins.
    """
    left_out = {
        line
        for node in syntax
        if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.Expr) and is_text(node.value))
        for line in range(node.lineno, last_line(node) + 1)
    }
    words = defaultdict(list)
    for token in tokens(text):
        if token.type not in LAYOUT and token.start[0] not in left_out:
            words[token.start[0]].append(token.string)
    lines = (Line(number, " ".join(found)) for number, found in sorted(words.items()))
    return [line for line in lines if re.search(r"\w", line.words)]


def apart(one: Place, other: Place) -> bool:
    """Whether two runs have no line in common; the first lies before the second where they lie in one file."""
    return one[0] != other[0] or other[1] - one[1] >= RUN
