"""What an admin does with accounts, and what a user does with the own one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.base.actor import CLI, Actor
from domain.base.errors import Conflict, Forbidden, NameTaken, NotFound, RuleViolation, Stale
from domain.commands.accounts import actor_of, add_user, grant, remove_user, set_password, sign_in
from domain.commands.libraries import remove_library
from domain.events.account import User, UserAdded
from tests.domain.world import EDITOR, World, nothing_appended


def user(world: World, user_id: int) -> User:
    """An open account."""
    with world.reading() as tables:
        found = tables.users.get(user_id)
    assert found is not None
    return found


def add(world: World, name: str, role: str = "editor", libraries: tuple[int, ...] | None = None) -> int:
    """Open an account; its id."""
    return world.do(add_user, name, role, "hash", libraries, actor=CLI)


def test_a_new_account_has_its_role_and_libraries(world: World) -> None:
    added = user(world, add(world, " Ann ", "viewer", (1,)))
    assert (added.name, added.role, added.libraries, added.epoch, added.version) == ("Ann", "viewer", (1,), 1, 1)


@pytest.mark.parametrize("name", ["ANN", "\uff21nn", "Ann "])
def test_a_name_is_taken_in_any_case_also_by_a_closed_account_whose_history_it_names(world: World, name: str) -> None:
    add(world, "boss", "admin")
    ann = add(world, "Ann")
    with nothing_appended(world), pytest.raises(NameTaken, match="already"):
        add(world, name)
    world.do(remove_user, ann, actor=CLI)
    with nothing_appended(world), pytest.raises(NameTaken, match="history stands under that name"):
        add(world, name)


@pytest.mark.parametrize("name", ["watcher", "AutoBind", " cli ", "Insight", "\uff23\uff2c\uff29"])
def test_no_account_has_the_name_of_a_part_of_the_server(world: World, name: str) -> None:
    with nothing_appended(world), pytest.raises(NameTaken, match="part of the server"):
        add(world, name)


@pytest.mark.parametrize(
    ("role", "libraries", "field"), [("king", None, "role"), ("editor", (9,), "libraries"), ("", None, "role")]
)
def test_an_unknown_role_or_library_is_refused(
    world: World, role: str, libraries: tuple[int, ...] | None, field: str
) -> None:
    ann = add(world, "Ann")
    commands: tuple[Callable[[], object], ...] = (
        lambda: add(world, "Bob", role, libraries),
        lambda: world.do(grant, ann, role, libraries, actor=CLI),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
            command()
        assert refusal.value.field == field


def test_a_removed_library_cannot_be_granted(world: World) -> None:
    world.do(remove_library, 1, actor=CLI)
    with nothing_appended(world), pytest.raises(RuleViolation, match="no library 1"):
        add(world, "Ann", "editor", (1,))


def test_an_account_may_see_no_library_at_all(world: World) -> None:
    assert actor_of(user(world, add(world, "Ann", "viewer", ()))).libraries == frozenset()


def test_a_role_and_libraries_are_set_and_what_stands_appends_nothing(world: World) -> None:
    ann = add(world, "Ann")
    world.do(grant, ann, "viewer", (1,), actor=CLI)
    assert (user(world, ann).role, user(world, ann).libraries) == ("viewer", (1,))
    with nothing_appended(world):
        world.do(grant, ann, "viewer", (1,), actor=CLI)


def test_the_last_admin_stays_one(world: World) -> None:
    boss = add(world, "boss", "admin")
    add(world, "Ann")
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(grant, boss, "editor", None, actor=CLI),
        lambda: world.do(remove_user, boss, actor=CLI),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Conflict, match="last admin"):
            command()
    add(world, "second", "admin")
    world.do(grant, boss, "editor", None, actor=CLI)
    assert user(world, boss).role == "editor"


def test_a_closed_admin_does_not_count(world: World) -> None:
    boss, second = add(world, "boss", "admin"), add(world, "second", "admin")
    world.do(remove_user, second, actor=CLI)
    with nothing_appended(world), pytest.raises(Conflict, match="last admin"):
        world.do(remove_user, boss, actor=CLI)


def test_the_last_admin_may_be_given_libraries(world: World) -> None:
    boss = add(world, "boss", "admin")
    world.do(grant, boss, "admin", (1,), actor=CLI)
    assert actor_of(user(world, boss)).libraries is None, "an admin sees every library all the same"


def test_a_user_sets_the_own_password_and_an_admin_anyones(world: World) -> None:
    ann, bob = add(world, "Ann"), add(world, "Bob")
    world.do(set_password, ann, "new", actor=Actor("Ann", "viewer", None, ann))
    assert (user(world, ann).password_hash, user(world, ann).epoch) == ("new", 2)
    world.do(set_password, bob, "reset", actor=CLI)
    assert user(world, bob).epoch == 2
    with nothing_appended(world), pytest.raises(Forbidden):
        world.do(set_password, bob, "stolen", actor=Actor("Ann", "editor", None, ann))


def test_only_an_admin_opens_changes_or_closes_accounts(world: World) -> None:
    ann = add(world, "Ann")
    commands: tuple[Callable[[], object], ...] = (
        lambda: world.do(add_user, "Bob", "viewer", None),
        lambda: world.do(grant, ann, "viewer", None),
        lambda: world.do(remove_user, ann),
        lambda: world.do(set_password, ann, "x"),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Forbidden, match="needs the role admin"):
            command()


def test_an_unknown_or_closed_account_is_not_found_and_an_older_version_stale(world: World) -> None:
    add(world, "boss", "admin")
    ann = add(world, "Ann")
    with nothing_appended(world), pytest.raises(Stale):
        world.do(grant, ann, "viewer", None, 7, actor=CLI)
    with nothing_appended(world), pytest.raises(Stale):
        world.do(remove_user, ann, 7, actor=CLI)
    world.do(remove_user, ann, 1, actor=CLI)
    for missing in (ann, 99):
        with nothing_appended(world), pytest.raises(NotFound, match=f"no user {missing}"):
            world.do(remove_user, missing, actor=CLI)


def test_nothing_that_is_done_to_accounts_can_be_undone(world: World) -> None:
    before = world.head
    add(world, "boss", "admin")
    ann = add(world, "Ann")
    world.do(grant, ann, "viewer", None, actor=CLI)
    world.do(set_password, ann, "new", actor=CLI)
    world.do(sign_in, user(world, ann), "password", actor=EDITOR)
    world.do(remove_user, ann, actor=CLI)
    operations = sorted({recorded.operation_id for recorded in world.ledger.events(before, 100)})
    assert len(operations) == 6
    for operation in operations:
        with nothing_appended(world), pytest.raises(RuleViolation, match="cannot be undone"):
            world.undo(operation, CLI)


def test_no_password_leaves_through_the_feed() -> None:
    assert UserAdded.private
