"""Each measure of the house counts what it says, shown on sources made up for it."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from bench.house import table, titled, tree_at, tree_now
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
from bench.house_table import PEERS, ROWS, measured

SIX = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n"


def test_lines_of_a_file_are_all_its_lines() -> None:
    assert file_lengths(Tree({"a.py": "", "b.py": "# why\n\nx = 1\n"})) == {"a.py": 0, "b.py": 3}


def test_a_file_is_long_from_401_lines_on() -> None:
    assert long_files(Tree({"a.py": "x = 1\n" * 400, "b.py": "x = 1\n" * 401})) == {"b.py": 401}


def test_a_spread_is_the_middle_the_ninth_tenth_and_the_longest() -> None:
    assert Spread.of(range(1, 21)) == Spread(10, 19, 20)
    assert Spread.of([]) == Spread(0, 0, 0)


def test_a_function_is_as_long_as_from_its_def_to_its_end() -> None:
    text = '@cache\ndef outer():\n    """Why."""\n\n    async def inner():\n        return 1  # so\n    return inner\n'
    assert function_lengths(Tree({"a.py": text})) == [6, 2]


def test_a_function_with_eleven_ways_through_is_complex_even_where_it_is_spared() -> None:
    ways = "".join(f"    if n == {n}:\n        return {n}\n" for n in range(10))
    ten, spared = ways.replace("    if n == 9:\n        return 9\n", ""), "# noqa: C901 - made up for the test"
    tree = Tree({"deep/a.py": f"def over(n):  {spared}\n{ways}", "b.py": f"def at_most(n):\n{ten}"})
    assert complex_functions(tree) == ["deep/a.py: `over` is too complex (11 > 10)"]


def test_an_exemption_is_a_comment_and_not_a_word_in_a_text() -> None:
    linter, checker = "# noqa: E501 - made up for the test", "# type: ignore[misc] # made up for the test"
    assert exemptions(Tree({"a.py": f"x = 1  {linter}\ny = 2  {checker}\nz = '{linter}'\n# ignore this\n"})) == 2


def test_protocols_and_abcs_are_those_that_name_them_as_a_base() -> None:
    port = "class Port(typing.Protocol[T]):\n    x: int\n"
    base = "@final\nclass Base(ABC):\n\n    def f(self): ...\n"
    assert abstract_classes(Tree({"a.py": f"{port}{base}class One(Port):\n    pass\n"})) == [2, 3]


def test_a_module_name_stands_twice_where_two_folders_hold_it_and_a_package_stands_beside_its_folder() -> None:
    paths = ["app.py", "adapters/__init__.py", "adapters/tags/__init__.py", "adapters/tags/wire.py", "domain/tags.py"]
    found = module_doubles(Tree(dict.fromkeys([*paths, "domain/__init__.py", "domain/wire.py"], "")))
    assert found == Doubles(3, {"tags": ["adapters", "domain"], "wire": ["adapters/tags", "domain"]})
    assert unlisted_doubles(found) == {"wire": ["adapters/tags", "domain"]}


def test_a_class_name_stands_twice_where_two_statements_define_it_in_one_file_or_two() -> None:
    tree = Tree({"a.py": "class A: ...\nclass B: ...\nclass _C: ...\n", "b.py": "def f():\n    class A: ...\nA = 1\n"})
    assert class_doubles(tree) == Doubles(2, {"A": ["a.py", "b.py"]})
    assert class_doubles(tree, private=True) == Doubles(1, {})


ROOMS = Tree(
    {
        "http/asgi.py": "from http.resources import tags\nfrom http.resources import users\nimport http.web.routes\n",
        "http/resources/__init__.py": "",
        "http/resources/tags.py": "from http.web.routes import Get, Put\nfrom http.web import times\nimport json\n",
        "http/resources/users.py": "def late():\n    from http.resources.tags import tag\n",
        "http/web/__init__.py": "",
        "http/web/routes.py": "from http.web import times\nfrom http.resources import LIMIT\nfrom other import x\n",
        "http/web/times.py": "from http.web.times import itself\n",
        "other.py": "import http.asgi\n",
    }
)


def test_arrows_between_files_are_pairs_of_modules_inside_the_folder() -> None:
    assert file_arrows(ROOMS, "http") == {
        ("http/asgi.py", "http/resources/tags.py"),
        ("http/asgi.py", "http/resources/users.py"),
        ("http/asgi.py", "http/web/routes.py"),
        ("http/resources/tags.py", "http/web/routes.py"),
        ("http/resources/tags.py", "http/web/times.py"),
        ("http/resources/users.py", "http/resources/tags.py"),
        ("http/web/routes.py", "http/resources/__init__.py"),
        ("http/web/routes.py", "http/web/times.py"),
    }


def test_arrows_between_rooms_leave_out_what_goes_on_within_one() -> None:
    assert room_arrows(ROOMS, "http") == {
        ("asgi.py", "resources"),
        ("asgi.py", "web"),
        ("resources", "web"),
        ("web", "resources"),
    }


def test_in_a_flat_folder_each_file_is_a_room() -> None:
    assert room_arrows(ROOMS, "http/web") == {("routes.py", "times.py")}


def test_a_folder_that_is_opened_makes_each_of_its_files_a_room() -> None:
    assert room_arrows(ROOMS, "http", opened="resources") == {
        ("asgi.py", "resources/tags.py"),
        ("asgi.py", "resources/users.py"),
        ("asgi.py", "web"),
        ("resources/tags.py", "web"),
        ("resources/users.py", "resources/tags.py"),
        ("web", "resources/__init__.py"),
    }


def test_arrows_back_up_are_those_of_one_direction() -> None:
    assert arrows_between(ROOMS, "http", "web", "resources") == {("http/web/routes.py", "http/resources/__init__.py")}


def test_a_repeat_is_six_lines_of_code_however_they_are_laid_out() -> None:
    one = '"""Why."""\n\na  =  1  # one\nb = 2\nimport os\nc = [(\n  3\n)\n]\n"""Of c."""\nd = 4\ne = 5\n\nf = 6\n'
    other = SIX.replace("c = 3", "c = [(\n3\n)]")
    assert repeats(Tree({"a.py": one, "b.py": other})) == [(Stretch("a.py", 3, 14), Stretch("b.py", 1, 8))]
    assert repeats(Tree({"a.py": SIX, "b.py": SIX.removesuffix("f = 6\n")})) == []


def test_as_far_as_two_places_agree_they_are_one_pair() -> None:
    longer = f"z = 0\n{SIX}g = 7\n"
    assert repeats(Tree({"a.py": longer, "b.py": f"y = 0\n{longer}x = 0\n"})) == [
        (Stretch("a.py", 1, 8), Stretch("b.py", 2, 9))
    ]


def test_a_repeat_may_lie_in_one_file_but_not_upon_itself() -> None:
    assert repeats(Tree({"a.py": f"{SIX}z = 0\n{SIX}"})) == [(Stretch("a.py", 1, 6), Stretch("a.py", 8, 13))]
    assert repeats(Tree({"a.py": "a = 1\n" * 11})) == []


def test_what_stands_in_three_places_is_three_pairs_and_three_places() -> None:
    found = repeats(Tree({"a.py": SIX, "b.py": SIX, "c.py": SIX}))
    assert len(found) == 3
    assert [str(place) for place in repeated_places(found)] == ["a.py:1-6", "b.py:1-6", "c.py:1-6"]


def test_places_that_overlap_are_one() -> None:
    first, second = Stretch("a.py", 1, 6), Stretch("a.py", 4, 9)
    found = [(first, Stretch("b.py", 1, 6)), (second, Stretch("c.py", 1, 6))]
    assert repeated_places(found) == [Stretch("a.py", 1, 9), Stretch("b.py", 1, 6), Stretch("c.py", 1, 6)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose work tree has gone on since its one commit."""
    for path in ("app.py", "domain/gone.py", "domain/kept.py", "tests/test_app.py", "domain/readme.md", "setup.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("was = 1\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "As it was"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    (tmp_path / "domain" / "gone.py").unlink()
    (tmp_path / "domain" / "kept.py").write_text("now = 1\n")
    (tmp_path / "domain" / "new.py").write_text("new = 1\n")
    return tmp_path


def test_the_tree_before_is_the_source_that_the_commit_holds(repository: Path) -> None:
    was = "was = 1\n"
    assert tree_at("HEAD", repository).texts == {"app.py": was, "domain/gone.py": was, "domain/kept.py": was}


def test_the_tree_now_is_the_source_that_lies_there(repository: Path) -> None:
    assert tree_now(repository).texts == {
        "app.py": "was = 1\n",
        "domain/kept.py": "now = 1\n",
        "domain/new.py": "new = 1\n",
    }


def test_the_table_shows_both_trees_and_every_peer() -> None:
    before = measured(Tree({"app.py": SIX}))
    web = {f"adapters/http/{path}": "" for path in ("web/routes.py", "resources/tags.py")}
    lines = list(table("abc", before, measured(Tree({"app.py": SIX + SIX, **web}))))
    assert len(lines) == 1 + len(ROWS)
    assert lines[0].split() == ["measure", "abc", "now", "aim", *PEERS]
    assert lines[1].split("  ")[0] == "source modules / lines"
    assert lines[1].split()[4:10] == ["1", "/", "6", "3", "/", "12"]
    assert [line.split()[-3:] for line in lines if "web to resources" in line] == [["-", "0", "0"]]


def test_a_list_without_lines_has_no_title() -> None:
    assert titled("Doubles", []) == []
    assert titled("Doubles", ["a"]) == ["", "Doubles (1):", "  a"]


# The house as it stands


@pytest.fixture(scope="module")
def house() -> Tree:
    """The source of the work tree."""
    return tree_now()


def test_no_two_folders_hold_a_module_of_one_name_but_for_the_listed_subjects(house: Tree) -> None:
    assert unlisted_doubles(module_doubles(house)) == {}


def test_no_class_name_is_defined_twice(house: Tree) -> None:
    assert class_doubles(house).doubled == {}
    assert class_doubles(house, private=True).doubled == {}


def test_protocols_stay_few_and_no_function_is_a_maze(house: Tree) -> None:
    assert len(abstract_classes(house)) < 35
    assert complex_functions(house) == []


def test_what_is_made_of_more_than_five_things_names_them(house: Tree) -> None:
    """A row of a dozen values in a line of code is read by nobody; SQLAlchemy's tables are lists of columns."""
    made = [
        f"{path}: {ast.unparse(call.func)}"
        for path, call in house.nodes()
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id[:1].isupper()
        if call.func.id not in {"Table", "RustNotify"} and len(call.args) > 5
    ]
    assert made == []
