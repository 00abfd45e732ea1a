"""The signing key that imageapi makes for itself where SECRET_KEY is unset."""

from __future__ import annotations

import logging
import secrets
import stat
from pathlib import Path
from typing import Final

from adapters.accounts import private_files
from adapters.accounts.tokens import SHORTEST_KEY
from domain.base.errors import Unavailable

KEY_BYTES: Final = 48

_log = logging.getLogger(__name__)


def signing_key(file: Path) -> str:
    """The key kept in `file`, made on the first call: 48 random bytes as 64 URL-safe characters, mode 0600.

    Processes that start together get the same key. Where others may read the file, their access is taken away.

    Raises:
        Unavailable: the file cannot be read or made, or holds no key.
    """
    found = private_files.read(file)
    if found is None:
        with private_files.locked(file):
            found = private_files.read(file)
            if found is None:
                found = secrets.token_urlsafe(KEY_BYTES).encode()
                private_files.write(file, found)
    _keep_private(file)
    key = found.strip()
    if len(key) < SHORTEST_KEY or not key.isascii():
        raise Unavailable(
            f"{file} is damaged: it should hold the key that signs sign-in tokens. "
            "Restore it, or delete it to get a new one, which signs everyone out."
        )
    return key.decode("ascii")


def _keep_private(file: Path) -> None:
    """Take away from others the right to read the key, or say in the log that this file system keeps it open."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & 0o077:
        return
    try:
        file.chmod(private_files.PRIVATE)
    except OSError as error:
        _log.warning("others on this machine may read %s (mode %o): %s", file, mode, error.strerror)
        return
    _log.warning("%s could be read by others (mode %o); it is private again", file, mode)
