"""Codes that stand for a right by being known: one-time links and API keys. Only their digests are ever stored.

A digest needs no salt and no slow hash, because a code is 256 random bits and cannot be guessed from it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

CODE_BYTES: Final = 32


def new_code() -> str:
    """A code of 256 random bits, as 43 characters that are safe in a URL."""
    return secrets.token_urlsafe(CODE_BYTES)


def digest(code: str) -> str:
    """What is stored of a code: its SHA-256 as 64 hexadecimal digits; any text has one."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
