"""Keys that programs show in place of a user: who gives and revokes them, and what they give."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from domain.base.actor import CLI, Actor
from domain.base.errors import Conflict, Forbidden, NameTaken, NotFound, RuleViolation
from domain.commands.accounts import actor_of, add_user, grant, remove_user
from domain.commands.api_keys import MOST_KEYS, actor_by_key, issue_key, revoke_key
from domain.commands.persons import create_person
from domain.events.account import User
from domain.events.api_key import ApiKey, ApiKeyIssued, ApiKeyRevoked, hash_of, key_text, read_key, role_within
from tests.domain.world import World, nothing_appended

SECRET = bytes(range(32))
NOW = 1_700_000_000_000_000


@pytest.fixture
def ann(world: World) -> User:
    """An editor."""
    return user(world, world.do(add_user, "Ann", "editor", None, actor=CLI))


def user(world: World, user_id: int) -> User:
    """An open account."""
    with world.reading() as tables:
        found = tables.users.get(user_id)
    assert found is not None
    return found


def issue(
    world: World, of: User, name: str = "phone", scope: str = "write", until: int | None = None, by: Actor | None = None
) -> int:
    """Give a key, by its user unless told; its id."""
    actor = actor_of(of) if by is None else by
    return world.do(issue_key, of.id, name, scope, hash_of(SECRET), NOW, until, actor=actor)


def key(world: World, key_id: int) -> ApiKey:
    """A key that was not revoked."""
    with world.reading() as tables:
        found = tables.api_keys.get(key_id)
    assert found is not None
    return found


def test_a_key_can_be_told_by_a_scanner_and_says_where_to_look() -> None:
    text = key_text(12, SECRET)
    assert re.fullmatch(r"imageapi_12_[0-9a-f]{64}", text)
    assert read_key(text) == (12, SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "imageapi_",
        f"imageapi_0_{'a' * 64}",
        f"imageapi_01_{'a' * 64}",
        f"imageapi_1_{'a' * 63}",
        f"imageapi_1_{'A' * 64}",
        f"imageapi_1_{'a' * 64}\n",
        f"imageapi_{'9' * 17}_{'a' * 64}",
        f"imageapi_\u0661_{'a' * 64}",
        f"x_1_{'a' * 64}",
    ],
)
def test_what_is_no_key_is_read_as_none(text: str) -> None:
    assert read_key(text) is None


def test_a_new_key_is_its_users_and_only_the_hash_of_its_secret_is_kept(world: World, ann: User) -> None:
    made = key(world, issue(world, ann, " phone ", "read", NOW + 1))
    assert (made.user_id, made.name, made.scope, made.expires_at) == (ann.id, "phone", "read", NOW + 1)
    assert made.secret_hash == hash_of(SECRET)
    assert SECRET not in made.secret_hash


def test_a_key_is_opened_by_its_secret_until_it_expires(world: World, ann: User) -> None:
    made = key(world, issue(world, ann, until=NOW + 5))
    assert made.is_opened_by(SECRET, NOW + 4)
    assert not made.is_opened_by(SECRET, NOW + 5)
    assert not made.is_opened_by(bytes(32), NOW)
    assert not made.is_opened_by(b"", NOW)
    assert key(world, issue(world, ann, "other")).is_opened_by(SECRET, 2 * NOW)


@pytest.mark.parametrize(
    ("role", "scope", "given"),
    [
        ("viewer", "read", "viewer"),
        ("viewer", "admin", "viewer"),
        ("editor", "read", "viewer"),
        ("editor", "write", "editor"),
        ("editor", "admin", "editor"),
        ("admin", "read", "viewer"),
        ("admin", "write", "editor"),
        ("admin", "admin", "admin"),
    ],
)
def test_a_scope_gives_what_it_says_and_never_more_than_the_users_role(role: str, scope: str, given: str) -> None:
    assert role_within(role, scope) == given


def test_who_acts_by_a_key_is_its_user_as_they_stand_now(world: World, ann: User) -> None:
    made = key(world, issue(world, ann))
    by_key = actor_by_key(ann, made)
    assert (by_key.name, by_key.user_id, by_key.role, by_key.signature) == ("Ann", ann.id, "editor", "Ann by key phone")
    world.do(grant, ann.id, "viewer", (1,), actor=CLI)
    demoted = actor_by_key(user(world, ann.id), made)
    assert (demoted.role, demoted.libraries) == ("viewer", frozenset({1}))


def test_a_read_key_of_an_admin_sees_what_the_admin_sees(world: World) -> None:
    boss = user(world, world.do(add_user, "boss", "admin", None, (1,), actor=CLI))
    by_key = actor_by_key(boss, key(world, issue(world, boss, scope="read")))
    assert (by_key.role, by_key.libraries, by_key.is_admin) == ("viewer", None, False)


def test_the_log_names_the_user_and_the_key_and_both_deeds_are_the_users(world: World, ann: User) -> None:
    by_key = actor_by_key(ann, key(world, issue(world, ann)))
    world.do(create_person, "Anna", actor=by_key)
    world.do(create_person, "Bob", actor=actor_of(ann))
    with world.reading() as tables:
        mine = tables.operations.latest(2, actor="Ann")
        assert [operation.actor for operation in mine] == ["Ann", "Ann by key phone"]
        assert [operation.actor for operation in tables.operations.latest(2, actor="Ann by key phone")] == [
            "Ann by key phone"
        ]
        assert tables.operations.latest(2, actor="An") == []
    assert all(operation.may_be_read_by(by_key) and operation.may_be_read_by(actor_of(ann)) for operation in mine)
    assert not mine[0].may_be_read_by(Actor("An", "viewer", frozenset()))


def test_no_account_has_a_name_that_reads_like_the_deed_of_a_key(world: World) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation, match="somebody's key"):
        world.do(add_user, "Ann By  Key phone", "editor", None, actor=CLI)


@pytest.mark.parametrize("name", ["Phone", "\uff30hone", " phone"])
def test_two_keys_of_a_user_have_two_names_until_one_is_revoked(world: World, ann: User, name: str) -> None:
    first = issue(world, ann)
    with nothing_appended(world), pytest.raises(NameTaken, match="has a key"):
        issue(world, ann, name)
    world.do(revoke_key, first, actor=actor_of(ann))
    assert key(world, issue(world, ann, name)).id != first


def test_two_users_may_name_their_keys_alike(world: World, ann: User) -> None:
    bob = user(world, world.do(add_user, "Bob", "viewer", None, actor=CLI))
    assert issue(world, ann) != issue(world, bob, scope="read")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scope": "king"}, "scope"),
        ({"scope": "admin"}, "scope"),
        ({"name": " "}, "name"),
        ({"until": NOW}, "expires_at"),
    ],
)
def test_a_key_that_cannot_be_is_refused(world: World, ann: User, wrong: dict[str, str], field: str) -> None:
    with nothing_appended(world), pytest.raises(RuleViolation) as refusal:
        issue(world, ann, **wrong)  # type: ignore[arg-type]  # the table of cases names each with its type
    assert refusal.value.field == field


def test_a_user_has_no_more_keys_than_anybody_looks_through(world: World, ann: User) -> None:
    for number in range(MOST_KEYS):
        issue(world, ann, f"key {number}")
    with nothing_appended(world), pytest.raises(Conflict, match="revoke those"):
        issue(world, ann, "one more")


def test_a_key_is_given_and_revoked_by_its_user_or_an_admin(world: World, ann: User) -> None:
    bob = actor_of(user(world, world.do(add_user, "Bob", "editor", None, actor=CLI)))
    made = issue(world, ann)
    with nothing_appended(world), pytest.raises(Forbidden, match="role admin"):
        issue(world, ann, "spy", by=bob)
    for missing in (made, 99):
        with nothing_appended(world), pytest.raises(NotFound, match=f"no key {missing}"):
            world.do(revoke_key, missing, actor=bob)
    world.do(revoke_key, issue(world, ann, "from the terminal", by=CLI), actor=CLI)
    world.do(revoke_key, made, actor=actor_of(ann))
    with nothing_appended(world), pytest.raises(NotFound):
        world.do(revoke_key, made, actor=actor_of(ann))


def test_a_key_gives_and_revokes_keys_only_as_an_admin(world: World, ann: User) -> None:
    first = key(world, issue(world, ann))
    commands: tuple[Callable[[], object], ...] = (
        lambda: issue(world, ann, "second", "read", by=actor_by_key(ann, first)),
        lambda: world.do(revoke_key, first.id, actor=actor_by_key(ann, first)),
    )
    for command in commands:
        with nothing_appended(world), pytest.raises(Forbidden, match="scope admin"):
            command()
    boss = user(world, world.do(add_user, "boss", "admin", None, actor=CLI))
    writes, rules = (key(world, issue(world, boss, scope, scope)) for scope in ("write", "admin"))
    with nothing_appended(world), pytest.raises(Forbidden, match="scope admin"):
        issue(world, boss, "second", "read", by=actor_by_key(boss, writes))
    assert issue(world, boss, "second", "read", by=actor_by_key(boss, rules))


def test_the_keys_of_a_closed_account_are_revoked(world: World, ann: User) -> None:
    issue(world, ann)
    world.do(remove_user, ann.id, actor=CLI)
    with world.reading() as tables:
        assert tables.api_keys.of(None) == []
    with nothing_appended(world), pytest.raises(NotFound, match="no user"):
        issue(world, ann, by=CLI)


def test_neither_issuing_nor_revoking_can_be_undone(world: World, ann: User) -> None:
    before = world.head
    world.do(revoke_key, issue(world, ann), actor=actor_of(ann))
    operations = sorted({recorded.operation_id for recorded in world.ledger.events(before, 100)})
    assert [world.operation(operation).text for operation in operations] == [
        "gave Ann the key phone (write)",
        "revoked the key phone of Ann",
    ]
    for operation in operations:
        with nothing_appended(world), pytest.raises(RuleViolation, match="cannot be undone"):
            world.undo(operation, CLI)


def test_what_is_done_with_keys_is_told_to_admins_and_their_users_alone(world: World, ann: User) -> None:
    before = world.head
    issue(world, ann, by=CLI)
    operation = world.operation(world.ledger.events(before, 1)[0].operation_id)
    assert operation.text_for(Actor("vic", "viewer")) == "did something"
    assert ApiKeyIssued.private
    assert ApiKeyRevoked.private
