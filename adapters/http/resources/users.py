"""Accounts as admins see them."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.http.web import Call, Done, Id, Page, Reply, Routes, write
from adapters.http.web.authentication import USERNAME, OlderName, Password, Role, Username
from adapters.http.web.validation import OneOf
from adapters.store.transaction import Transaction
from domain.base.errors import RuleViolation
from domain.commands.accounts import add_user, grant, open_account, remove_user, set_password
from domain.events.account import User

routes = Routes("Accounts")


class UserRow(msgspec.Struct):
    """An account: `libraries` are the ids granted, null for all, which an admin always sees."""

    id: int
    username: str
    name: Annotated[str, Meta(description="as username, for clients of before")]
    role: str
    libraries: tuple[int, ...] | None
    has_password: bool
    version: int


class NewUser(msgspec.Struct):
    """An account to open."""

    excludes: ClassVar = (USERNAME,)

    password: Password
    username: Username | None = None
    name: OlderName | None = None
    role: Role = "viewer"
    libraries: list[Id] | None = None


class UserPatch(msgspec.Struct):
    """What to change about an account; what is left out stays. `libraries` null grants all. A new password ends the
    user's sessions."""

    excludes: ClassVar = (OneOf(("password", "role"), required=False),)

    role: Role | UnsetType = UNSET
    libraries: list[Id] | UnsetType | None = UNSET
    password: Password | UnsetType = UNSET


@routes("GET", "/users", answers=Page[UserRow], role="admin")
def list_users(call: Call) -> Reply:
    """Every open account, by id."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        return Reply(Page([_row(user) for user in tables.users.all()]))


@routes("POST", "/users", body=NewUser, answers=UserRow, status=201, role="admin", errors=(409,))
def make_user(call: Call, body: NewUser) -> Reply:
    """Open an account."""
    username = body.username or body.name or ""
    hashed = call.dependencies.accounts.passwords.hash(body.password, user_name=username)
    libraries = None if body.libraries is None else tuple(body.libraries)

    def add(uow: Transaction) -> int:
        return add_user(uow, username, body.role, hashed, libraries)

    return write(call, add, lambda uow, user_id: _row(open_account(uow, user_id)), status=201)


@routes("PATCH", "/users/{id}", body=UserPatch, answers=UserRow, role="admin", errors=(404, 409), versioned=True)
def patch_user(call: Call, id: int, body: UserPatch) -> Reply:
    """Set an account's role, granted libraries or password.

    A password goes by itself: it is an operation of its own.
    """
    if body.password is not UNSET:
        if body.role is not UNSET or body.libraries is not UNSET:
            raise RuleViolation("set a password by itself", "password")
        with call.dependencies.ledger.reading(call.actor) as tables:
            user = tables.users.get(id)
        hashed = call.dependencies.accounts.passwords.hash(body.password, user_name=user.name if user else "")

        def set_one(uow: Transaction) -> None:
            open_account(uow, id, call.expected)
            set_password(uow, id, hashed)

        return write(call, set_one, lambda uow, _: _row(open_account(uow, id)))

    def change(uow: Transaction) -> None:
        user = open_account(uow, id, call.expected)
        role = user.role if body.role is UNSET else body.role
        libraries = user.libraries
        if body.libraries is not UNSET:
            libraries = None if body.libraries is None else tuple(body.libraries)
        grant(uow, id, role, libraries, call.expected)

    return write(call, change, lambda uow, _: _row(open_account(uow, id)))


@routes("DELETE", "/users/{id}", answers=Done, role="admin", errors=(404, 409), versioned=True)
def close_user(call: Call, id: int) -> Reply:
    """Close an account; what it did stays in the history under its name."""
    return write(call, lambda uow: remove_user(uow, id, call.expected))


def _row(user: User) -> UserRow:
    return UserRow(
        id=user.id,
        username=user.name,
        name=user.name,
        role=user.role,
        libraries=user.libraries,
        has_password=user.password_hash is not None,
        version=user.version,
    )
