"""Queries on accounts: by id, by name, and whether a name was ever used."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from domain.base.names import name_key
from domain.events.account import User
from projections.tables.users import UsersTable


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
