"""Queries on the keys of programs: whose they are, and which still open something."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from domain.base.names import name_key
from domain.events.api_key import ApiKey
from projections.tables.api_keys import ApiKeysTable


class ApiKeys:
    """Queries on `api_keys`; revoked ones are never found, expired ones are."""

    def __init__(self, connection: Connection, table: ApiKeysTable) -> None:
        self._connection = connection
        self._table = table.table

    def _select(self) -> Select[*tuple[Any, ...]]:
        t = self._table
        return select(*(t.c[name] for name in ApiKey.__struct_fields__)).where(t.c.revoked.is_(False))

    def get(self, key_id: int) -> ApiKey | None:
        """The key with this id."""
        row = self._connection.execute(self._select().where(self._table.c.id == key_id)).one_or_none()
        return None if row is None else ApiKey(*row)

    def named(self, user_id: int, name: str) -> ApiKey | None:
        """The user's key of this name, without regard to case."""
        t = self._table
        mine = self._select().where(t.c.user_id == user_id, t.c.name_key == name_key(name))
        row = self._connection.execute(mine).one_or_none()
        return None if row is None else ApiKey(*row)

    def of(self, user_id: int | None) -> list[ApiKey]:
        """Every key of a user, of every user where None, by id."""
        statement = self._select().order_by(self._table.c.id)
        if user_id is not None:
            statement = statement.where(self._table.c.user_id == user_id)
        return [ApiKey(*row) for row in self._connection.execute(statement)]
