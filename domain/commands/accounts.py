"""What an admin does with accounts, and what a user does with the own one."""

from __future__ import annotations

from domain.base.actor import ROLES, Actor
from domain.base.errors import Conflict, NotFound, RuleViolation
from domain.commands.persons import check_version
from domain.events.account import User, UserAdded, UserGranted, UserPasswordSet, UserRemoved, UserSignedIn
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.unique_names import free_user_name


def add_user(
    uow: UnitOfWork, name: str, role: str, password_hash: str | None, libraries: tuple[int, ...] | None = None
) -> int:
    """Open an account; its id. `libraries` None grants all of them.

    Raises:
        NameTaken: another account has the name, or a part of the server has it.
        RuleViolation: no such role or library.
    """
    uow.actor.require("admin")
    cleaned = free_user_name(uow, name)
    _check_grant(uow, role, libraries)
    uow.begin("user.add", f"added the user {cleaned} ({role})")
    user_id = uow.new_id("user")
    uow.append(UserAdded(user_id, cleaned, role, libraries, password_hash))
    return user_id


def record_invitation(uow: UnitOfWork, role: str, libraries: tuple[int, ...] | None) -> int:
    """Say that somebody was invited to make an account; the operation's id.

    Raises:
        RuleViolation: no such role or library.
    """
    uow.actor.require("admin")
    _check_grant(uow, role, libraries)
    return uow.begin("user.invite", f"made an invitation for {'an' if role[0] in 'ae' else 'a'} {role}")


def grant(
    uow: UnitOfWork, user_id: int, role: str, libraries: tuple[int, ...] | None, expected: int | None = None
) -> None:
    """Set an account's role and granted libraries.

    Raises:
        NotFound: there is no such user.
        Conflict: it is the last admin.
        RuleViolation: no such role or library.
    """
    uow.actor.require("admin")
    user = open_account(uow, user_id, expected)
    _check_grant(uow, role, libraries)
    if (role, libraries) == (user.role, user.libraries):
        return
    if role != "admin":
        _keep_an_admin(uow, user)
    uow.begin("user.grant", f"set the role and libraries of {user.name}")
    uow.append(UserGranted(user_id, role, user.role, libraries, user.libraries))


def set_password(uow: UnitOfWork, user_id: int, password_hash: str) -> None:
    """Set a password; the sessions of before end. A user sets the own one, an admin anyone's.

    Raises:
        NotFound: there is no such user.
        Forbidden: it is another's, and the actor is no admin.
    """
    if uow.actor.user_id != user_id:
        uow.actor.require("admin")
    user = open_account(uow, user_id)
    uow.begin("user.password", f"set the password of {user.name}")
    uow.append(UserPasswordSet(user_id, password_hash))


def remove_user(uow: UnitOfWork, user_id: int, expected: int | None = None) -> None:
    """Close an account; what it did stays in the history.

    Raises:
        NotFound: there is no such user.
        Conflict: it is the last admin.
    """
    uow.actor.require("admin")
    user = open_account(uow, user_id, expected)
    _keep_an_admin(uow, user)
    uow.begin("user.remove", f"removed the user {user.name}")
    uow.append(UserRemoved(user_id))


def sign_in(uow: UnitOfWork, user: User, by: str) -> None:
    """Record that someone signed in, by `password` or `link`."""
    uow.begin("user.sign_in", f"{user.name} signed in")
    uow.append(UserSignedIn(user.id, by))


def open_account(uow: UnitOfWork, user_id: int, expected: int | None = None) -> User:
    """The account that a command is about; raises `NotFound` or `Stale`."""
    user = uow.users.get(user_id)
    if user is None:
        raise NotFound(f"there is no user {user_id}")
    check_version("user", user.version, expected)
    return user


def actor_of(user: User) -> Actor:
    """Who acts when this user does: an admin sees every library."""
    granted = None if user.libraries is None or user.role == "admin" else frozenset(user.libraries)
    return Actor(user.name, user.role, granted, user.id)


def _check_grant(uow: UnitOfWork, role: str, libraries: tuple[int, ...] | None) -> None:
    if role not in ROLES:
        raise RuleViolation(f"a role is one of {', '.join(ROLES)}; {role!r} is none", "role")
    for library_id in libraries or ():
        library = uow.libraries.get(library_id)
        if library is None or library.removed:
            raise RuleViolation(f"there is no library {library_id}", "libraries")


def _keep_an_admin(uow: UnitOfWork, user: User) -> None:
    others = [u for u in uow.users.all() if u.role == "admin" and u.id != user.id]
    if user.role == "admin" and not others:
        raise Conflict(f"{user.name} is the last admin: make someone else one first")
