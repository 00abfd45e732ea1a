"""Keys that programs send in place of a user."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.http.web import Call, Done, Moment, Name, Page, Reply, Routes, Unauthenticated, moment, write
from adapters.store.transaction import Transaction
from domain.commands.api_keys import issue_key, known_key, revoke_key
from domain.events.api_key import SECRET_BYTES, ApiKey, hash_of, key_text

routes = Routes("Accounts")

Scope = Literal["read", "write", "admin"]


class ApiKeyRow(msgspec.Struct):
    """A key: it gives what `scope` says and never more than its user's role does now. `used_at` is to the hour, null
    where it never was."""

    id: int
    name: str
    scope: str
    user_id: int
    username: str
    made_at: Moment
    expires_at: Moment | None
    used_at: Moment | None


class NewApiKey(msgspec.Struct):
    """A key to make: a `read` key does what a viewer may, `write` what an editor may, `admin` everything; none does
    more than its user. Without `expires_at` it stays until it is revoked."""

    name: Name
    scope: Scope
    expires_at: Annotated[datetime, Meta(tz=True, description="RFC 3339 with its offset")] | None = None


class IssuedApiKey(msgspec.Struct):
    """The key itself, which is shown this once: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

    key: str
    id: int
    name: str
    scope: str
    made_at: Moment
    expires_at: Moment | None


@routes("GET", "/api-keys", answers=Page[ApiKeyRow])
def list_api_keys(call: Call) -> Reply:
    """The own keys that were not revoked, by id; for admins everyone's."""
    uses = call.dependencies.accounts.key_uses.all()
    with call.dependencies.ledger.reading(call.actor) as tables:
        names = {user.id: user.name for user in tables.users.all()}
        keys = tables.api_keys.of(None if call.actor.is_admin else call.actor.user_id)
    return Reply(Page([_row(key, names.get(key.user_id, ""), uses.get(key.id)) for key in keys]))


@routes("POST", "/api-keys", body=NewApiKey, answers=IssuedApiKey, status=201, errors=(409,))
def make_api_key(call: Call, body: NewApiKey) -> Reply:
    """Make a key of one's own.

    The answer is the only one that shows it: imageapi keeps its SHA-256, and nobody can read the key from that. A key
    cannot make a key, unless it is an admin's with the scope `admin`.
    """
    if call.user is None:
        raise Unauthenticated("sign in first")
    user_id, secret = call.user.id, secrets.token_bytes(SECRET_BYTES)
    expires_at = None if body.expires_at is None else round(body.expires_at.timestamp() * 1_000_000)

    def issue(uow: Transaction) -> int:
        now = time.time_ns() // 1000
        return issue_key(
            uow, user_id, body.name, body.scope, secret_hash=hash_of(secret), now=now, expires_at=expires_at
        )

    return write(call, issue, lambda uow, key_id: _issued(known_key(uow, key_id), secret), status=201)


@routes("DELETE", "/api-keys/{id}", answers=Done, errors=(404, 409))
def revoke_api_key(call: Call, id: int) -> Reply:
    """Revoke a key of one's own, as an admin anyone's: at once, and for good."""
    return write(call, lambda uow: revoke_key(uow, id))


def _issued(key: ApiKey, secret: bytes) -> IssuedApiKey:
    row = _row(key, "", None)
    return IssuedApiKey(
        key=key_text(key.id, secret),
        id=row.id,
        name=row.name,
        scope=row.scope,
        made_at=row.made_at,
        expires_at=row.expires_at,
    )


def _row(key: ApiKey, username: str, used_at: int | None) -> ApiKeyRow:
    return ApiKeyRow(
        id=key.id,
        name=key.name,
        scope=key.scope,
        user_id=key.user_id,
        username=username,
        made_at=moment(key.made_at),
        expires_at=None if key.expires_at is None else moment(key.expires_at),
        used_at=None if used_at is None else moment(used_at),
    )
