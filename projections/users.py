"""The read table `users`: accounts, roles and granted libraries."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from domain.account import User, UserAdded, UserGranted, UserPasswordSet, UserRemoved
from domain.names import name_key
from projections.projection import Projection, id_column


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


class Users:
    """Queries on `users`; closed accounts are never found."""

    def __init__(self, connection: Connection, table: UsersTable) -> None:
        self._connection = connection
        self._table = table.table

    def _select(self) -> Select[*tuple[Any, ...]]:
        t = self._table
        return select(*(t.c[name] for name in User.__struct_fields__)).where(t.c.removed.is_(False))

    def _one(self, statement: Select[*tuple[Any, ...]]) -> User | None:
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else _user(dict(row))

    def get(self, user_id: int) -> User | None:
        """The open account with this id."""
        return self._one(self._select().where(self._table.c.id == user_id))

    def named(self, name: str) -> User | None:
        """The open account with this name, without regard to case."""
        return self._one(self._select().where(self._table.c.name_key == name_key(name)))

    def was_named(self, name: str) -> bool:
        """Whether an account, open or closed, ever had this name, without regard to case."""
        t = self._table
        found = self._connection.execute(select(t.c.id).where(t.c.name_key == name_key(name)).limit(1))
        return found.first() is not None

    def all(self) -> list[User]:
        """Every open account, by id."""
        rows = self._connection.execute(self._select().order_by(self._table.c.id)).mappings()
        return [_user(dict(row)) for row in rows]


def _user(row: dict[str, Any]) -> User:
    granted = row["libraries"]
    row["libraries"] = None if granted is None else msgspec.json.decode(granted, type=tuple[int, ...])
    return User(**row)
