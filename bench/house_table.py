"""The table of the house: which measures stand in it, how they are shown, what they are to become, what peers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.house_measures import (
    Doubles,
    Spread,
    Tree,
    abstract_classes,
    arrows_between,
    class_doubles,
    complex_functions,
    exemptions,
    file_arrows,
    file_lengths,
    function_lengths,
    long_files,
    module_doubles,
    room_arrows,
    unlisted_doubles,
)
from bench.house_repeats import Stretch, repeated_places, repeats

FOLDERS = ("adapters/http", "domain", "projections")
BACK_UP = (("adapters/http", "web", "resources"), ("projections", "tables", "queries"))
"""A folder, a room in it, and the room that this one must not import."""

PEERS = ("import-linter", "httpx", "starlette", "cosmicpython", "datasette")
"""Their figures were taken with the same functions, of their commits ad48a96, ae1b9f6, cb8f84f, 14c8479 and 481df7f."""


@dataclass(frozen=True)
class Figures:
    """What was measured of one tree."""

    modules: int
    lines: int
    app_lines: int
    file_length: Spread
    long_files: dict[str, int]
    function_length: Spread
    complex_functions: list[str]
    repeats: list[tuple[Stretch, Stretch]]
    repeated_places: int
    exemptions: int
    abstract_classes: int
    abstract_lines: int
    module_names: Doubles
    unlisted_names: dict[str, list[str]]
    public_classes: Doubles
    private_classes: Doubles
    file_arrows: dict[str, int]
    room_arrows: dict[str, int]
    resource_arrows: int
    back_up: dict[str, list[str]]

    def per_thousand(self, count: int) -> str:
        """So many of something, per 1,000 lines of source."""
        return f"{1000 * count / self.lines:.1f}"


def measured(tree: Tree) -> Figures:
    """Every measure of a tree."""
    lengths = file_lengths(tree)
    found, abstract, modules = repeats(tree), abstract_classes(tree), module_doubles(tree)
    return Figures(
        modules=len(lengths),
        lines=sum(lengths.values()),
        app_lines=lengths.get("app.py", 0),
        file_length=Spread.of(lengths.values()),
        long_files=long_files(tree),
        function_length=Spread.of(function_lengths(tree)),
        complex_functions=complex_functions(tree),
        repeats=found,
        repeated_places=len(repeated_places(found)),
        exemptions=exemptions(tree),
        abstract_classes=len(abstract),
        abstract_lines=sum(abstract),
        module_names=modules,
        unlisted_names=unlisted_doubles(modules),
        public_classes=class_doubles(tree),
        private_classes=class_doubles(tree, private=True),
        file_arrows={folder: len(file_arrows(tree, folder)) for folder in FOLDERS},
        room_arrows={folder: len(room_arrows(tree, folder)) for folder in FOLDERS},
        resource_arrows=len(room_arrows(tree, "adapters/http", opened="resources")),
        back_up=dict(back_up(tree)),
    )


def back_up(tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """The arrows of each forbidden way between two rooms, of those that the tree has."""
    for folder, lower, upper in BACK_UP:
        if all(any(path.startswith(f"{folder}/{room}/") for path in tree.texts) for room in (lower, upper)):
            arrows = sorted(arrows_between(tree, folder, lower, upper))
            yield f"{lower} to {upper}", [f"{one} imports {other}" for one, other in arrows]


@dataclass(frozen=True)
class Row:
    """A line of the table: a measure, how it is shown, what it is to become, and what the peers have."""

    label: str
    shown: Callable[[Figures], str]
    aim: str = ""
    peers: tuple[str, ...] = ("", "", "", "", "")


def spread(lengths: Spread) -> str:
    """The three figures of some lengths."""
    return f"{lengths.median:,} / {lengths.p90:,} / {lengths.longest:,}"


def of_all(found: Doubles) -> str:
    """How many names of how many stand twice."""
    return f"{len(found.doubled):,} of {found.names:,}"


def three(arrows: dict[str, int]) -> str:
    """The arrows of the three folders."""
    return " / ".join(str(arrows[folder]) for folder in FOLDERS)


def way_row(way: str) -> Row:
    """How many arrows lead back up one way, or a dash where the tree has no such rooms yet."""
    return Row(f"arrows back up, {way}", lambda f: str(len(f.back_up[way])) if way in f.back_up else "-", "0")


ROWS = (
    Row(
        "source modules / lines",
        lambda f: f"{f.modules:,} / {f.lines:,}",
        "",
        ("40 / 3,994", "23 / 8,827", "34 / 6,712", "21 / 743", "75 / 29,181"),
    ),
    Row("app.py lines", lambda f: f"{f.app_lines:,}", "under 350"),
    Row(
        "file length median / p90 / max",
        lambda f: spread(f.file_length),
        "",
        ("55 / 284 / 498", "248 / 641 / 2,019", "142 / 548 / 876", "28 / 86 / 120", "155 / 978 / 3,314"),
    ),
    Row("files over 400 lines", lambda f: f"{len(f.long_files)}", "0", ("1", "7", "4", "0", "23")),
    Row(
        "function length median / p90 / max",
        lambda f: spread(f.function_length),
        "",
        ("9 / 30 / 107", "9 / 34 / 133", "5 / 27 / 149", "4 / 11 / 31", "9 / 49 / 492"),
    ),
    Row("functions over McCabe 10", lambda f: f"{len(f.complex_functions)}", "0", ("1", "2", "12", "0", "61")),
    Row(
        "repeated places per 1,000 lines",
        lambda f: f.per_thousand(f.repeated_places),
        "",
        ("1.0", "13.5", "5.4", "0", "5.4"),
    ),
    Row("repeated places / pairs of them", lambda f: f"{f.repeated_places} / {len(f.repeats)}"),
    Row(
        "noqa + type-ignore per 1,000 lines",
        lambda f: f.per_thousand(f.exemptions),
        "",
        ("7.8", "2.5", "6.6", "0", "0.4"),
    ),
    Row(
        "Protocols and ABCs / their lines",
        lambda f: f"{f.abstract_classes} / {f.abstract_lines:,}",
        "",
        ("6 / 210", "0 / 0", "3 / 5", "3 / 59", "2 / 108"),
    ),
    Row(
        "module names in more than one folder",
        lambda f: of_all(f.module_names),
        "",
        ("4 of 34", "0 of 22", "2 of 31", "0 of 20", "4 of 70"),
    ),
    Row("of them no listed subject", lambda f: f"{len(f.unlisted_names)}", "0"),
    Row(
        "class names defined twice or more",
        lambda f: of_all(f.public_classes),
        "",
        ("3 of 58", "0 of 84", "0 of 92", "0 of 19", "0 of 247"),
    ),
    Row(
        "the same of names that begin with _",
        lambda f: of_all(f.private_classes),
        "",
        ("0 of 2", "0 of 3", "0 of 11", "0 of 0", "0 of 3"),
    ),
    Row("arrows between files, http / domain / projections", lambda f: three(f.file_arrows)),
    Row("arrows between rooms, http / domain / projections", lambda f: three(f.room_arrows), "- / 17 / 3"),
    Row("the same of http, each resource a room", lambda f: f"{f.resource_arrows}", "59"),
    *(way_row(f"{lower} to {upper}") for _, lower, upper in BACK_UP),
)
