"""`imageapi key`: keys for programs, from the terminal of whoever may read the data folder."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from datetime import UTC, datetime

from adapters.cli.application import ApplicationParts
from adapters.cli.users import named_user
from domain.base.actor import CLI
from domain.base.errors import NotFound
from domain.commands.api_keys import issue_key, revoke_key
from domain.events.api_key import SECRET_BYTES, hash_of, key_text


def add(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Make a key; it alone goes to standard output."""
    user = named_user(application, words.user)
    secret = secrets.token_bytes(SECRET_BYTES)
    expires_at = None if words.expires is None else round(words.expires.timestamp() * 1_000_000)
    now = time.time_ns() // 1000
    with application.ledger.transaction(CLI) as uow:
        key_id = issue_key(
            uow,
            user.id,
            name=words.name,
            scope=words.scope,
            secret_hash=hash_of(secret),
            now=now,
            expires_at=expires_at,
        )
        text = uow.text
    print(f"{text}; it is shown this once:", file=sys.stderr)
    print(key_text(key_id, secret))
    return 0


def listing(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Every key with its user, scope and end."""
    with application.ledger.reading(CLI) as tables:
        names = {user.id: user.name for user in tables.users.all()}
        keys = tables.api_keys.of(None)
    for key in keys:
        ends = "stays" if key.expires_at is None else f"until {_time(key.expires_at)}"
        print(f"{key.name}\t{names.get(key.user_id, '')}\t{key.scope}\t{ends}")
    return 0


def remove(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Revoke a key."""
    user = named_user(application, words.user)
    with application.ledger.transaction(CLI) as uow:
        key = uow.api_keys.named(user.id, words.name)
        if key is None:
            raise NotFound(f"{user.name} has no key {words.name}; `imageapi key list` tells which there are")
        revoke_key(uow, key.id)
        print(uow.text)
    return 0


def moment(word: str) -> datetime:
    """A day or a time of this machine's clock, or of the offset that it names; argparse tells of any other word."""
    return datetime.fromisoformat(word).astimezone()


def _time(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
