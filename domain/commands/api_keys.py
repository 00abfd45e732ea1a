"""What users do with the keys that their programs show in place of them.

Issuing and revoking cannot be undone: a key that was shown cannot be taken out of a program by an undo, only revoked,
and one that was revoked, because it may have been stolen, never comes back.
"""

from __future__ import annotations

from msgspec.structs import replace

from domain.base.actor import ROLES, Actor
from domain.base.errors import Conflict, Forbidden, NotFound, RuleViolation
from domain.base.names import clean_name
from domain.commands.accounts import actor_of, open_account
from domain.events.account import User
from domain.events.api_key import SCOPES, ApiKey, ApiKeyIssued, ApiKeyRevoked, role_within
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.unique_names import require_free_key_name

MOST_KEYS = 100
"""Of one user; nobody looks through more."""


def issue_key(
    uow: UnitOfWork, user_id: int, name: str, scope: str, secret_hash: bytes, now: int, expires_at: int | None = None
) -> int:
    """Give a user a key; its id. `now` and `expires_at` are microseconds since 1970 UTC.

    Raises:
        NotFound: there is no such user.
        Forbidden: it is another user's, or asked for with a key that is no admin's.
        NameTaken: the user has a key of that name.
        Conflict: the user has too many.
        RuleViolation: no such scope, one above the user's role, or a time that has passed.
    """
    _require_own(uow.actor, user_id)
    user = open_account(uow, user_id)
    cleaned = clean_name(name)
    if scope not in SCOPES:
        raise RuleViolation(f"a scope is one of {', '.join(SCOPES)}; {scope!r} is none", "scope")
    if SCOPES.index(scope) > ROLES.index(user.role):
        raise RuleViolation(f"{user.name} is {user.role}: a key cannot have the scope {scope}", "scope")
    if expires_at is not None and expires_at <= now:
        raise RuleViolation("this time has passed: name a later one, or none", "expires_at")
    require_free_key_name(uow, user, cleaned)
    if len(uow.api_keys.of(user_id)) >= MOST_KEYS:
        raise Conflict(f"{user.name} has {MOST_KEYS} keys: revoke those that nobody uses")
    uow.begin("user.key", f"gave {user.name} the key {cleaned} ({scope})")
    key_id = uow.new_id("key")
    uow.append(ApiKeyIssued(key_id, user_id, cleaned, scope, secret_hash=secret_hash, expires_at=expires_at))
    return key_id


def revoke_key(uow: UnitOfWork, key_id: int) -> None:
    """Revoke a key: from now on it opens nothing, in any process.

    Raises:
        NotFound: there is no such key, or it is another user's and the actor is no admin.
        Forbidden: it is asked for with a key that is no admin's.
    """
    key = known_key(uow, key_id)
    _require_own(uow.actor, key.user_id)
    user = open_account(uow, key.user_id)
    uow.begin("user.key.revoke", f"revoked the key {key.name} of {user.name}")
    uow.append(ApiKeyRevoked(key_id))


def known_key(uow: UnitOfWork, key_id: int) -> ApiKey:
    """A key that the actor may know of, their own or as an admin anyone's; raises `NotFound`."""
    key = uow.api_keys.get(key_id)
    if key is None or not (uow.actor.is_admin or uow.actor.user_id == key.user_id):
        raise NotFound(f"there is no key {key_id}")
    return key


def actor_by_key(user: User, key: ApiKey) -> Actor:
    """Who acts when this user's key does: the user as they stand now, with no more than the key's scope gives."""
    return replace(actor_of(user), role=role_within(user.role, key.scope), key=key.name)


def require_more_than_a_key(actor: Actor) -> None:
    """Raises `Forbidden` for whoever acts by a key that is no admin's: a program that was given a key to read or write
    with must not be able to make itself another, or to keep its user out."""
    if actor.key is not None and not actor.is_admin:
        raise Forbidden("only a key of an admin with the scope admin may do this: sign in with a password")


def _require_own(actor: Actor, user_id: int) -> None:
    require_more_than_a_key(actor)
    if actor.user_id != user_id:
        actor.require("admin")
