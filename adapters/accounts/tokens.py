"""Sign-in tokens: JWTs that this server signed for itself, of one algorithm and one shape.

A token names a user and the user's session epoch. The epoch rises with each new password and with removal, so the
caller compares `Claims.epoch` with the user's row and refuses a token of an earlier one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import jwt
import msgspec

from domain.base.errors import ImageApiError, RuleViolation

ALGORITHM: Final = "HS256"
ISSUER: Final = "imageapi"
AUDIENCE: Final = "imageapi"
LIFETIME: Final = timedelta(days=30)
LONGEST_TOKEN: Final = 1024
SHORTEST_KEY: Final = 32
"""RFC 7518 section 3.2: an HS256 key has at least the 256 bits of its hash."""
_CLAIMS: Final = ("exp", "iat", "sub", "jti", "iss", "aud", "epoch")
_LONGEST_ID: Final = 18


class Flaw(StrEnum):
    """What is wrong with a token."""

    EXPIRED = "expired"
    MALFORMED = "malformed"
    NOT_OURS = "not ours"


class InvalidToken(ImageApiError):
    """The bearer of this token is not known by it; `flaw` says why, the text says to sign in again."""

    def __init__(self, message: str, flaw: Flaw) -> None:
        super().__init__(message)
        self.flaw = flaw


class Claims(msgspec.Struct, frozen=True):
    """What a valid token says: `jti` names the token, `epoch` is the user's session epoch when it was issued."""

    user_id: int
    epoch: int
    jti: str
    issued_at: datetime
    expires_at: datetime


class IssuedToken(NamedTuple):
    """A token and the moment, in UTC, from which it is refused."""

    token: str
    expires_at: datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """Issues and verifies tokens with one key; safe to use from any thread."""

    def __init__(self, key: str, *, now: Callable[[], datetime] = _utc_now) -> None:
        """`key` has at least 32 bytes; `now` answers an aware time.

        Raises:
            RuleViolation: the key is shorter.
        """
        if len(key.encode()) < SHORTEST_KEY:
            raise RuleViolation(f"a signing key has at least {SHORTEST_KEY} bytes", "SECRET_KEY")
        self._key = key
        self._now = now

    def issue(self, user_id: int, epoch: int, lifetime: timedelta = LIFETIME) -> IssuedToken:
        """A new token for a user; times in it are whole seconds, so it may end up to one second early."""
        now = int(self._now().timestamp())
        expires = now + int(lifetime.total_seconds())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "iat": now,
            "exp": expires,
            "jti": secrets.token_urlsafe(16),
            "epoch": epoch,
        }
        token = jwt.encode(claims, self._key, algorithm=ALGORITHM)
        return IssuedToken(token, datetime.fromtimestamp(expires, UTC))

    def verify(self, token: str) -> Claims:
        """The claims of a token that this server issued and that has not expired; the epoch is for the caller.

        Raises:
            InvalidToken: it has expired, is no token, or was not issued by this server with this key.
        """
        claims = _claims(self._verified(token))
        if self._now() >= claims.expires_at:
            raise InvalidToken("the sign-in has expired: sign in again", Flaw.EXPIRED)
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        """The payload of a token with a good signature, issuer and audience; expiry is not looked at."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _malformed()
        try:
            return jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": list(_CLAIMS),
                    "strict_aud": True,
                    "verify_exp": False,  # against the clock given to this object, in `verify`
                    "verify_iat": False,  # hosts that share a key may differ by a second
                },
            )
        except (
            jwt.InvalidSignatureError,
            jwt.InvalidAlgorithmError,
            jwt.InvalidIssuerError,
            jwt.InvalidAudienceError,
        ) as error:
            raise InvalidToken("this sign-in is not from this server: sign in again", Flaw.NOT_OURS) from error
        except jwt.InvalidTokenError as error:
            raise _malformed() from error


def _malformed() -> InvalidToken:
    return InvalidToken("this is no sign-in token: sign in again", Flaw.MALFORMED)


def _claims(payload: dict[str, Any]) -> Claims:
    """The typed claims of a payload, each of exactly the type that `issue` writes.

    Raises:
        InvalidToken: one of them has another type or a value that `issue` never writes.
    """
    subject, jti = payload["sub"], payload["jti"]
    issued, expires, epoch = payload["iat"], payload["exp"], payload["epoch"]
    numbers = all(type(number) is int and number >= 0 for number in (issued, expires, epoch))
    if not (numbers and type(subject) is str and type(jti) is str):
        raise _malformed()
    if not (subject.isascii() and subject.isdigit() and len(subject) <= _LONGEST_ID):
        raise _malformed()
    try:
        at, until = datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise _malformed() from error
    return Claims(int(subject), epoch, jti, at, until)
