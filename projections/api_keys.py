"""The read table `api_keys`: which keys open what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from domain.account import UserRemoved
from domain.api_key import ApiKey, ApiKeyIssued, ApiKeyRevoked
from domain.names import name_key
from projections.projection import Id, Projection, id_column


class ApiKeysTable(Projection):
    """One row a key; those of a closed account are revoked."""

    def define(self) -> None:
        """Columns, a user's unique names among keys that open, and the writes."""
        self.table = t = Table(
            self.named("api_keys"),
            self.metadata,
            id_column(),
            Column("user_id", Id, self.reference("users"), nullable=False),
            Column("name", Text, nullable=False),
            Column("name_key", Text, nullable=False),
            Column("scope", Text, nullable=False),
            Column("secret_hash", LargeBinary, nullable=False),
            Column("made_at", BigInteger, nullable=False),
            Column("expires_at", BigInteger),
            Column("revoked", Boolean, nullable=False),
        )
        opens = t.c.revoked.is_(False)
        of_one_name = (self.named("api_keys_name"), t.c.user_id, t.c.name_key)
        Index(*of_one_name, unique=True, sqlite_where=opens, postgresql_where=opens)
        self.on(
            ApiKeyIssued,
            insert(t),
            lambda e, r: {
                "id": e.key_id,
                "user_id": e.user_id,
                "name": e.name,
                "name_key": name_key(e.name),
                "scope": e.scope,
                "secret_hash": e.secret_hash,
                "made_at": r.recorded_at,
                "expires_at": e.expires_at,
                "revoked": False,
            },
        )
        revoked = update(t).values(revoked=True)
        self.on(ApiKeyRevoked, revoked.where(t.c.id == bindparam("key")), lambda e, r: {"key": e.key_id})
        self.on(UserRemoved, revoked.where(t.c.user_id == bindparam("of_user")), lambda e, r: {"of_user": e.user_id})


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
