"""What tokens are signed with."""

from __future__ import annotations

from adapters.accounts.signing_key import signing_key
from adapters.accounts.tokens import Tokens
from adapters.settings import Settings


def build_tokens(settings: Settings) -> Tokens:
    """Tokens signed with the key that is set, or with one that is made once and kept in the data folder."""
    return Tokens(settings.secret_key or signing_key(settings.secret_key_file))
