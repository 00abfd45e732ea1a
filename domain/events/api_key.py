"""API keys: what a program shows in place of its user. None of these events leaves through the feed.

A key is `imageapi_<id>_<secret>`: the prefix lets secret scanners find one that was published, the id is where to look,
and the secret are 256 random bits, so that one pass of SHA-256 keeps it: what Argon2 makes slow is trying what people
choose, and nobody tries 2^256 of anything.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

import msgspec

from domain.base.actor import ROLES
from domain.events.event import Event, recorded_as

PREFIX: Final = "imageapi_"
SECRET_BYTES: Final = 32
SCOPES: Final = ("read", "write", "admin")
"""In the order of `ROLES`: each gives what that role may do, and never more than the user's own role does now."""
_KEY: Final = re.compile(rf"{PREFIX}([1-9][0-9]{{0,15}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")


class ApiKey(msgspec.Struct, frozen=True):
    """A key's row: `secret_hash` is the SHA-256 of the secret; times are in microseconds since 1970 UTC, `expires_at`
    None for a key that stays until it is revoked."""

    id: int
    user_id: int
    name: str
    scope: str
    secret_hash: bytes
    made_at: int
    expires_at: int | None

    def is_opened_by(self, secret: bytes, now: int) -> bool:
        """Whether this is the key's secret and the key has not expired; takes as long for every secret."""
        matches = hmac.compare_digest(self.secret_hash, hash_of(secret))
        return matches and (self.expires_at is None or now < self.expires_at)


@recorded_as("ApiKeyIssued", "key", "key_id", opens=True, private=True)
class ApiKeyIssued(Event, frozen=True, omit_defaults=True):
    """A user got a key, which was shown once."""

    key_id: int
    user_id: int
    name: str
    scope: str
    secret_hash: bytes
    expires_at: int | None = None


@recorded_as("ApiKeyRevoked", "key", "key_id", private=True)
class ApiKeyRevoked(Event, frozen=True, omit_defaults=True):
    """A key opens nothing any more."""

    key_id: int


def hash_of(secret: bytes) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret).digest()


def key_text(key_id: int, secret: bytes) -> str:
    """A key as it is shown, once."""
    return f"{PREFIX}{key_id}_{secret.hex()}"


def read_key(text: str) -> tuple[int, bytes] | None:
    """The id and secret of a key, None where the text is none."""
    match = _KEY.fullmatch(text)
    return None if match is None else (int(match[1]), bytes.fromhex(match[2]))


def role_within(role: str, scope: str) -> str:
    """What a key of this scope may do for a user of this role: the lesser of the two."""
    return ROLES[min(ROLES.index(role), SCOPES.index(scope))]
