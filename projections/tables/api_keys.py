"""The read table `api_keys`: which keys open what."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text, bindparam, insert, update

from domain.base.names import name_key
from domain.events.account import UserRemoved
from domain.events.api_key import ApiKeyIssued, ApiKeyRevoked
from projections.tables.projection import Id, Projection, id_column


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
