"""What an admin does with libraries: add, rename, relocate, remove, and take a removal back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.base.actor import CLI
from domain.base.errors import Conflict, Forbidden, NameTaken, NotFound, RuleViolation, Stale
from domain.commands.libraries import add_library, change_library, remove_library
from domain.events.library import Library, LibraryRenamed
from domain.undo.operations import undo
from tests.domain.world import EDITOR, World, in_the_way, nothing_appended


def library(world: World, library_id: int) -> Library:
    """A library, removed or not."""
    with world.reading() as tables:
        found = tables.libraries.get(library_id)
    assert found is not None
    return found


def shown(world: World) -> list[str]:
    """The names of the libraries that are shown."""
    with world.reading() as tables:
        return [each.name for each in tables.libraries.shown()]


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("/photos/Summer/", "Summer"),
        ("/photos/2024", "folder 2024"),
        ("/other/family", "family (2)"),
        ("/photos/ ", "library"),
        ("/photos/a\nb", "ab"),
        ("/photos/" + "x" * 255, "x" * 150),
    ],
)
def test_a_library_is_named_after_its_folder_where_nobody_names_it(world: World, root: str, name: str) -> None:
    added = world.do(add_library, root, actor=CLI)
    assert library(world, added).name == name


def test_a_third_folder_of_one_name_counts_on(world: World) -> None:
    world.do(add_library, "/a/family", actor=CLI)
    assert library(world, world.do(add_library, "/b/FAMILY", actor=CLI)).name == "FAMILY (3)"


def test_the_root_of_the_disk_holds_every_folder(world: World) -> None:
    with nothing_appended(world), pytest.raises(Conflict, match="lie in one another"):
        world.do(add_library, "/", actor=CLI)


@pytest.mark.parametrize("root", ["/photos/family", "/photos/family/", "/photos/family/2024", "/photos"])
def test_a_folder_that_is_in_a_library_or_holds_one_is_refused(world: World, root: str) -> None:
    with nothing_appended(world), pytest.raises(Conflict, match="library 1"):
        world.do(add_library, root, actor=CLI)
    work = world.library("Work", "/work")
    with nothing_appended(world), pytest.raises(Conflict, match="library 1"):
        world.do(change_library, work, root=root, actor=CLI)


def test_a_folder_whose_name_only_begins_alike_is_another_one(world: World) -> None:
    world.library("Old", "/photos/family-old")
    assert shown(world) == ["Family", "Old"]


def test_a_library_may_move_within_its_own_root(world: World) -> None:
    world.do(change_library, 1, root="/photos/family/all", actor=CLI)
    assert library(world, 1).root == "/photos/family/all"


@pytest.mark.parametrize("name", ["FAMILY", " family ", "\uff26amily"])
def test_a_name_is_taken_in_any_case(world: World, name: str) -> None:
    work = world.library("Work")
    with nothing_appended(world), pytest.raises(NameTaken, match="library 1 is called Family"):
        world.do(add_library, "/elsewhere", name, actor=CLI)
    with nothing_appended(world), pytest.raises(NameTaken):
        world.do(change_library, work, name=name, actor=CLI)


@pytest.mark.parametrize("name", ["7", " 42 ", "\u0663"])
def test_a_number_is_no_name_since_it_would_be_taken_for_an_id(world: World, name: str) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation, match="cannot be a number"):
        world.do(add_library, "/elsewhere", name, actor=CLI)
    with nothing_appended(world), pytest.raises(RuleViolation, match="cannot be a number"):
        world.do(change_library, 1, name=name, actor=CLI)


def test_what_becomes_of_keywords_is_said_once_and_taken_back(world: World) -> None:
    operation = world.operation_of(change_library, 1, keywords_as_tags=True, actor=CLI)
    assert library(world, 1).keywords_as_tags
    assert world.operation(operation).text == "said that keywords in the files of Family become tags"
    with nothing_appended(world):
        world.do(change_library, 1, keywords_as_tags=True, actor=CLI)
    undone = world.undo(operation, CLI)
    assert not library(world, 1).keywords_as_tags
    world.undo(undone, CLI)
    assert library(world, 1).keywords_as_tags
    world.do(change_library, 1, keywords_as_tags=False, actor=CLI)
    with nothing_appended(world), pytest.raises(Conflict):
        world.undo(operation, CLI)


def test_name_and_root_change_in_one_operation(world: World) -> None:
    operation = world.operation_of(change_library, 1, name="Kin", root="/kin", actor=CLI)
    assert (library(world, 1).name, library(world, 1).root) == ("Kin", "/kin")
    assert (
        world.operation(operation).text
        == "renamed the library Family to Kin, moved the library Family to another folder"
    )


def test_the_case_of_a_name_may_change(world: World) -> None:
    before = world.head
    world.do(change_library, 1, name="FAMILY", actor=CLI)
    assert world.since(before) == [LibraryRenamed(1, "FAMILY", "Family")]


@pytest.mark.parametrize("changes", [{"name": "Family"}, {"name": " Family"}, {"root": "/photos/family"}, {}])
def test_what_stands_already_appends_nothing(world: World, changes: dict[str, str]) -> None:
    with nothing_appended(world):
        world.do(change_library, 1, actor=CLI, **changes)


def test_a_removed_library_is_gone_and_frees_name_and_folder(world: World) -> None:
    world.do(remove_library, 1, actor=CLI)
    assert shown(world) == []
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(remove_library, 1, actor=CLI),
        lambda: world.do(change_library, 1, name="x", actor=CLI),
        lambda: world.do(change_library, 99, name="x", actor=CLI),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(NotFound, match="no library"):
            command()
    assert world.library("Family", "/photos/family") == 2


def test_a_write_with_an_older_version_is_stale(world: World) -> None:
    world.do(change_library, 1, name="Kin", actor=CLI)
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(change_library, 1, name="x", expected=1, actor=CLI),
        lambda: world.do(remove_library, 1, 1, actor=CLI),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Stale):
            command()


def test_only_an_admin_changes_libraries_or_takes_that_back(world: World) -> None:
    renamed = world.operation_of(change_library, 1, name="Kin", actor=CLI)
    for command in (
        lambda: world.do(add_library, "/elsewhere", actor=EDITOR),
        lambda: world.do(change_library, 1, name="x", actor=EDITOR),
        lambda: world.do(remove_library, 1, actor=EDITOR),
        lambda: world.do(undo, renamed, actor=EDITOR),
    ):
        with nothing_appended(world), pytest.raises(Forbidden, match="needs the role admin"):
            command()


# Taken back


def test_a_removal_taken_back_shows_the_library_and_its_files_again(world: World) -> None:
    face = world.a_face()
    removed = world.operation_of(remove_library, 1, actor=CLI)
    with world.reading() as tables:
        assert tables.faces.view(face) is None
    undone = world.undo(removed, CLI)
    assert shown(world) == ["Family"]
    with world.reading() as tables:
        assert tables.faces.view(face) is not None
    world.undo(undone, CLI)
    assert shown(world) == []


def test_an_added_library_is_removed_and_not_undone(world: World) -> None:
    added = world.operation_of(add_library, "/elsewhere", actor=CLI)
    with nothing_appended(world), pytest.raises(RuleViolation, match="remove the library instead"):
        world.undo(added, CLI)


def test_a_change_is_taken_back_and_done_again(world: World) -> None:
    changed = world.operation_of(change_library, 1, name="Kin", root="/kin", actor=CLI)
    undone = world.undo(changed, CLI)
    assert (library(world, 1).name, library(world, 1).root) == ("Family", "/photos/family")
    world.undo(undone, CLI)
    assert (library(world, 1).name, library(world, 1).root) == ("Kin", "/kin")


def test_a_later_change_of_the_same_thing_is_in_the_way(world: World) -> None:
    first = world.operation_of(change_library, 1, name="Kin", root="/kin", actor=CLI)
    for changes in ({"name": "Clan"}, {"root": "/clan"}):
        later = world.operation_of(change_library, 1, actor=CLI, **changes)
        with nothing_appended(world), in_the_way(later):
            world.undo(first, CLI)
        world.undo(later, CLI)
    world.undo(first, CLI)


def test_a_name_that_another_library_took_meanwhile_is_in_the_way(world: World) -> None:
    renamed = world.operation_of(change_library, 1, name="Kin", actor=CLI)
    taken = world.operation_of(add_library, "/elsewhere", "family", actor=CLI)
    with nothing_appended(world), in_the_way(taken):
        world.undo(renamed, CLI)


def test_a_folder_that_another_library_took_meanwhile_is_in_the_way(world: World) -> None:
    moved = world.operation_of(change_library, 1, root="/kin", actor=CLI)
    taken = world.operation_of(add_library, "/photos", "All", actor=CLI)
    with nothing_appended(world), in_the_way(taken):
        world.undo(moved, CLI)


@pytest.mark.parametrize(("root", "name"), [("/photos/family", "Other"), ("/photos", "Other"), ("/x", "family")])
def test_a_removal_is_not_taken_back_over_a_library_in_its_place(world: World, root: str, name: str) -> None:
    removed = world.operation_of(remove_library, 1, actor=CLI)
    taken = world.operation_of(add_library, root, name, actor=CLI)
    with nothing_appended(world), in_the_way(taken):
        world.undo(removed, CLI)
