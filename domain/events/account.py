"""Accounts: who may sign in, in which role, and which libraries they see. None of these events leaves through the
feed."""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as


class User(msgspec.Struct, frozen=True):
    """A user row. `libraries` are the granted ids, None for all; `epoch` rises with each change that ends sessions."""

    id: int
    name: str
    role: str
    libraries: tuple[int, ...] | None
    password_hash: str | None
    epoch: int
    version: int


@recorded_as("UserAdded", "user", "user_id", opens=True, private=True)
class UserAdded(Event, frozen=True, omit_defaults=True):
    """An account was made."""

    user_id: int
    name: str
    role: str
    libraries: tuple[int, ...] | None = None
    password_hash: str | None = None


@recorded_as("UserGranted", "user", "user_id", private=True)
class UserGranted(Event, frozen=True, omit_defaults=True):
    """An account's role or granted libraries were set."""

    user_id: int
    role: str
    was_role: str
    libraries: tuple[int, ...] | None = None
    was_libraries: tuple[int, ...] | None = None


@recorded_as("UserPasswordSet", "user", "user_id", private=True)
class UserPasswordSet(Event, frozen=True, omit_defaults=True):
    """An account's password was set; every session of before ends."""

    user_id: int
    password_hash: str


@recorded_as("UserRemoved", "user", "user_id", private=True)
class UserRemoved(Event, frozen=True, omit_defaults=True):
    """An account was closed; what it did stays in the history under its name."""

    user_id: int


@recorded_as("UserSignedIn", "user", "user_id", private=True)
class UserSignedIn(Event, frozen=True, omit_defaults=True):
    """Someone signed in: by `password` or by `link`."""

    user_id: int
    by: str
