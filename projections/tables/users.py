"""The read table `users`: accounts, roles and granted libraries."""

from __future__ import annotations

import msgspec
from sqlalchemy import Boolean, Column, Integer, Table, Text, bindparam, insert, update

from domain.base.names import name_key
from domain.events.account import UserAdded, UserGranted, UserPasswordSet, UserRemoved
from projections.tables.projection import Projection, id_column


class UsersTable(Projection):
    """One row an account; `libraries` is a JSON array of ids, NULL for every library."""

    def define(self) -> None:
        """Columns, the unique name among open accounts, and the writes."""
        self.table = t = Table(
            self.named("users"),
            self.metadata,
            id_column(),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("role", Text, nullable=False),
            Column("libraries", Text),
            Column("password_hash", Text),
            Column("epoch", Integer, nullable=False),
            Column("removed", Boolean, nullable=False),
            Column("version", Integer, nullable=False),
        )
        open_account = t.c.removed.is_(False)
        self.unique_name("users_name", open_account)
        self.on(
            UserAdded,
            insert(t),
            lambda e, r: {
                "id": e.user_id,
                "name": e.name,
                "name_key": name_key(e.name),
                "role": e.role,
                "libraries": _stored(e.libraries),
                "password_hash": e.password_hash,
                "epoch": 1,
                "removed": False,
                "version": 1,
            },
        )
        change = update(t).where(t.c.id == bindparam("key")).values(version=t.c.version + 1)
        ends_sessions = {"epoch": t.c.epoch + 1}
        self.on(
            UserGranted,
            change.values(role=bindparam("to_role"), libraries=bindparam("to_libraries")),
            lambda e, r: {"key": e.user_id, "to_role": e.role, "to_libraries": _stored(e.libraries)},
        )
        self.on(
            UserPasswordSet,
            change.values(password_hash=bindparam("to"), **ends_sessions),
            lambda e, r: {"key": e.user_id, "to": e.password_hash},
        )
        self.on(UserRemoved, change.values(removed=True, **ends_sessions), lambda e, r: {"key": e.user_id})


def _stored(libraries: tuple[int, ...] | None) -> str | None:
    return None if libraries is None else msgspec.json.encode(libraries).decode()
