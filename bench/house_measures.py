"""What the measures of the house count. Each is a function of a tree, which is nothing but texts under their paths.

`bench.house` prints them. A measure says in its docstring what it counts, so that a figure can be argued with.
"""

from __future__ import annotations

import ast
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

LONG_FILE = 400

LISTED = (
    "persons faces media bursts tags libraries operations accounts users api_keys insights entities facts summaries"
    " transcripts albums links memories timeline xmp erasure history"
)
SUBJECTS = frozenset(LISTED.split())
"""Names that may stand in several rooms, since each room has something of its own to say about a subject."""

Arrow = tuple[str, str]
"""The path of a module that imports, and the path of the module that it imports."""


@dataclass(frozen=True)
class Tree:
    """The modules of a source tree: their texts under their paths, which begin at the root and have slashes."""

    texts: Mapping[str, str]

    @cached_property
    def syntax(self) -> dict[str, list[ast.AST]]:
        """Every piece of syntax of each module under its path."""
        return {path: list(ast.walk(ast.parse(text))) for path, text in self.texts.items()}

    def nodes(self) -> Iterator[tuple[str, ast.AST]]:
        """Every piece of syntax with the path of its module."""
        return ((path, node) for path, nodes in self.syntax.items() for node in nodes)


@dataclass(frozen=True)
class Spread:
    """The middle of some lengths, the one that nine in ten stay below, and the longest."""

    median: int
    p90: int
    longest: int

    @classmethod
    def of(cls, lengths: Iterable[int]) -> Spread:
        """Where two share the middle, half way between them, rounded down; the ninth tenth is not interpolated."""
        ordered = sorted(lengths) or [0]
        return cls(int(statistics.median(ordered)), ordered[len(ordered) * 9 // 10], ordered[-1])


@dataclass(frozen=True)
class Doubles:
    """How many different names there are, and where those stand that are given more than once."""

    names: int
    doubled: dict[str, list[str]]


def doubles(named: Iterable[tuple[str, str]]) -> Doubles:
    """Names and where each stands, reduced to those that stand in more than one place."""
    places = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    return Doubles(len(places), {name: sorted(at) for name, at in sorted(places.items()) if len(at) > 1})


def file_lengths(tree: Tree) -> dict[str, int]:
    """Lines of each module, blank lines and comments too. An empty `__init__.py` is a module of no lines."""
    return {path: len(text.splitlines()) for path, text in tree.texts.items()}


def long_files(tree: Tree) -> dict[str, int]:
    """The modules of more than 400 lines."""
    return {path: length for path, length in file_lengths(tree).items() if length > LONG_FILE}


def function_lengths(tree: Tree) -> list[int]:
    """Lines from `def` to the last of the body, with docstring, comments and blank lines, without decorators.

    Methods and functions within functions count as well, and the lines of an inner one in the outer one too.
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [last_line(node) - node.lineno + 1 for _, node in tree.nodes() if isinstance(node, kinds)]


def complex_functions(tree: Tree) -> list[str]:
    """The functions that ruff's C901 finds: more than ten ways through (McCabe), spared by a `noqa` or not.

    Where two functions of one file have one name and are both over, both are listed.
    """
    with tempfile.TemporaryDirectory() as folder:
        for path, text in tree.texts.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text)
        everything = ["--isolated", "--no-cache", "--no-respect-gitignore", "--ignore-noqa", "--exit-zero"]
        ruff = [sys.executable, "-m", "ruff", "check", *everything, "--select=C901", "--output-format=json", "."]
        found = json.loads(subprocess.run(ruff, cwd=folder, capture_output=True, check=True).stdout)
        root = Path(folder).resolve()
        return sorted(f"{Path(one['filename']).relative_to(root).as_posix()}: {one['message']}" for one in found)


def exemptions(tree: Tree) -> int:
    """Comments that spare a line a check: `noqa` of the linter, `type: ignore` of the type checker."""
    spared = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b")
    return sum(
        len(spared.findall(token.string))
        for text in tree.texts.values()
        if "noqa" in text or "ignore" in text  # most have neither, and taking them apart takes long
        for token in tokens(text)
        if token.type == tokenize.COMMENT
    )


def abstract_classes(tree: Tree) -> list[int]:
    """Lines of each class that names `Protocol` or `ABC` among its own bases, without decorators."""
    return [
        last_line(node) - node.lineno + 1
        for _, node in tree.nodes()
        if isinstance(node, ast.ClassDef) and {base_name(base) for base in node.bases} & {"Protocol", "ABC"}
    ]


def module_doubles(tree: Tree) -> Doubles:
    """Names of modules that stand in more than one folder. A package has the name of its folder and stands beside it.

    `adapters/insights/__init__.py` is thus called `insights` and stands in `adapters`, as `domain/insights.py` stands
    in `domain`. The packages at the root are left out: nothing chose their names but the layout itself.
    """
    return doubles(
        (module_of(path).name, str(module_of(path).parent))
        for path in tree.texts
        if not (path.count("/") == 1 and path.endswith("/__init__.py"))
    )


def unlisted_doubles(found: Doubles) -> dict[str, list[str]]:
    """Those doubles that are no listed subject, which may stand in several rooms."""
    return {name: folders for name, folders in found.doubled.items() if name not in SUBJECTS}


def class_doubles(tree: Tree, *, private: bool = False) -> Doubles:
    """Names that more than one `class` statement defines, anywhere in the source: public ones, or those with a `_`."""
    classes = ((node, path) for path, node in tree.nodes() if isinstance(node, ast.ClassDef))
    return doubles((node.name, path) for node, path in classes if node.name.startswith("_") is private)


def file_arrows(tree: Tree, folder: str) -> set[Arrow]:
    """Pairs of modules in a folder, at any depth, of which the first imports the second, however many names.

    Imports within functions and those for type checking alone count as well. `from package import module` leads to
    the module, `from package import name` to the `__init__.py` of the package.
    """
    inside = {path for path in tree.texts if path.startswith(f"{folder}/")}
    paths = {".".join(module_of(path).parts): path for path in tree.texts}
    return {
        (path, target)
        for path in inside
        for target in imported(tree.syntax[path], paths)
        if target in inside and target != path
    }


def room_arrows(tree: Tree, folder: str, *, opened: str = "") -> set[Arrow]:
    """Pairs of rooms in a folder of which the first imports the second; what goes on within a room does not count.

    A room is a folder that lies directly in this one, or a file that does: in a flat folder each file is a room. The
    folder called `opened` is no room, but what lies in it is, as if it lay outside.
    """

    def room(path: str) -> str:
        first, *rest = path.removeprefix(f"{folder}/").split("/")
        return f"{first}/{rest[0]}" if rest and first == opened else first

    return {(room(a), room(b)) for a, b in file_arrows(tree, folder) if room(a) != room(b)}


def arrows_between(tree: Tree, folder: str, lower: str, upper: str) -> set[Arrow]:
    """Pairs of modules of which the first lies in `lower` and imports the second, which lies in `upper`: back up."""
    return {
        (a, b)
        for a, b in file_arrows(tree, folder)
        if a.startswith(f"{folder}/{lower}/") and b.startswith(f"{folder}/{upper}/")
    }


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The words of a module, its comments and its layout."""
    return tokenize.generate_tokens(io.StringIO(text).readline)


def is_text(node: ast.AST) -> bool:
    """Whether this is a string that is written out, such as a docstring."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def last_line(node: ast.stmt) -> int:
    """The line on which a statement ends, which the parser always knows."""
    return node.end_lineno or node.lineno


def base_name(base: ast.expr) -> str:
    """The bare name of a base class: `Protocol` for `typing.Protocol[T]`."""
    return ast.unparse(base).partition("[")[0].rpartition(".")[2]


def module_of(path: str) -> PurePosixPath:
    """The module in a file, as a path without suffix; a package has the path of its folder."""
    module = PurePosixPath(path).with_suffix("")
    return module.parent if module.name == "__init__" else module


def imported(module: Iterable[ast.AST], paths: Mapping[str, str]) -> Iterator[str]:
    """The paths of the modules that a module imports, of those whose paths are given under their dotted names.

    Imports are absolute here; one with dots in front would be overlooked.
    """
    for node in module:
        if isinstance(node, ast.Import):
            yield from (paths[alias.name] for alias in node.names if alias.name in paths)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            leads = {name if name in paths else node.module for name in inner}
            yield from (paths[name] for name in leads if name in paths)
