"""Passwords: the rule for new ones, their Argon2id hashes, and checking them without telling who exists."""

from __future__ import annotations

import logging
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from domain.base.errors import RuleViolation, Unavailable
from domain.base.names import name_key

SHORTEST: Final = 8
"""NIST SP 800-63B section 5.1.1.2: at least eight characters, and no rule about which ones."""
LONGEST: Final = 1024
"""Characters; far above any passphrase, and bounds the work that a request can ask for."""

HASHER: Final = PasswordHasher(
    time_cost=2, memory_cost=46 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)
"""Argon2id, 46 MiB and two passes: one more than the least of OWASP's Password Storage Cheat Sheet."""

_log = logging.getLogger(__name__)


class Passwords:
    """Hashes and checks passwords, a few at once; every call takes about 50 ms of one core, in the caller's thread."""

    def __init__(self, *, at_once: int = 2, waiting: int = 16, hasher: PasswordHasher = HASHER) -> None:
        """At most `at_once` calls compute (46 MiB each), and at most `waiting` more wait for their turn."""
        self._hasher = hasher
        self._running = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(at_once + waiting)
        self._nobody = hasher.hash(secrets.token_hex(16))

    def hash(self, password: str, *, user_name: str = "") -> str:
        """The hash to store for a new password, in the PHC format with its parameters and a salt of its own.

        Raises:
            RuleViolation: it has fewer than 8 or more than 1024 characters, or is the name of the user.
            Unavailable: too many others are waiting.
        """
        if len(password) > LONGEST:
            raise RuleViolation(f"a password has at most {LONGEST} characters", "password")
        normal = _normal(password)
        if len(normal) < SHORTEST:
            raise RuleViolation(f"a password has at least {SHORTEST} characters; a few words are best", "password")
        if user_name and name_key(normal) == name_key(user_name):
            raise RuleViolation("the password is the name of the user; choose another one", "password")
        with self._turn():
            return self._hasher.hash(_bytes(normal))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one that `stored` was made from.

        `stored` is None where there is no such user or they have no password: the answer is False and takes as long
        as any other, so that the time does not tell which names exist.

        Raises:
            Unavailable: too many others are waiting.
        """
        tried = _bytes(_normal(password)) if len(password) <= LONGEST else b""
        with self._turn():
            try:
                self._hasher.verify(self._nobody if stored is None else stored, tried)
            except VerifyMismatchError:
                return False
            except (InvalidHashError, VerificationError) as error:
                _log.error("a stored password hash cannot be checked (%s); set that user's password anew", error)
                return False
        return stored is not None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One of the places to compute in."""
        if not self._admitted.acquire(blocking=False):
            raise Unavailable("too many people are signing in at this moment; try again in a few seconds")
        try:
            with self._running:
                yield
        finally:
            self._admitted.release()


def _normal(password: str) -> str:
    """The password as it is hashed: NFKC, so that each keyboard writes the same one (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    """UTF-8, in which a lone surrogate that JSON can carry has a place too."""
    return password.encode("utf-8", "surrogatepass")
