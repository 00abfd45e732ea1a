"""Who acts: the name that the log records, the role, and the libraries that the actor may see."""

from __future__ import annotations

import msgspec

from domain.base.errors import Forbidden

ROLES = ("viewer", "editor", "admin")
_BY_KEY = " by key "


class Actor(msgspec.Struct, frozen=True):
    """A user or a part of the server; `libraries` are the ids granted, None for all of them, `key` is the name of the
    user's key by which a program acts."""

    name: str
    role: str
    libraries: frozenset[int] | None = None
    user_id: int | None = None
    key: str | None = None

    @property
    def signature(self) -> str:
        """Who acts, as the log records it: `anna`, or `anna by key phone`."""
        return self.name if self.key is None else f"{self.name}{_BY_KEY}{self.key}"

    def signed(self, signature: str) -> bool:
        """Whether this user did what was recorded under `signature`, by whichever key."""
        return signature == self.name or signature.startswith(signature_by_key(self.name))

    def require(self, role: str) -> None:
        """Raises `Forbidden` unless this actor's role is `role` or a higher one."""
        if ROLES.index(self.role) < ROLES.index(role):
            raise Forbidden(f"this needs the role {role}; {self.signature} has the role {self.role}")

    @property
    def is_restricted(self) -> bool:
        """Whether this actor sees some libraries only."""
        return self.libraries is not None

    @property
    def is_admin(self) -> bool:
        """Whether this actor may touch what lies outside the granted libraries."""
        return self.role == "admin"


def signature_by_key(name: str) -> str:
    """How the signatures begin of what a user's keys did."""
    return f"{name}{_BY_KEY}"


def system(name: str) -> Actor:
    """A part of the server that acts by itself: `watcher`, `autobind`, `cli` or `insight`; it sees everything."""
    return Actor(name, "admin")


WATCHER = system("watcher")
AUTOBIND = system("autobind")
CLI = system("cli")
INSIGHT = system("insight")
