"""Who acts: the name that the log records, the role, and the libraries that the actor may see."""

from __future__ import annotations

import msgspec

from domain.errors import Forbidden

ROLES = ("viewer", "editor", "admin")


class Actor(msgspec.Struct, frozen=True):
    """A user or a part of the server; `libraries` are the ids granted, None for all of them."""

    name: str
    role: str
    libraries: frozenset[int] | None = None
    user_id: int | None = None

    def require(self, role: str) -> None:
        """Raises `Forbidden` unless this actor's role is `role` or a higher one."""
        if ROLES.index(self.role) < ROLES.index(role):
            raise Forbidden(f"this needs the role {role}; {self.name} has the role {self.role}")

    @property
    def is_admin(self) -> bool:
        """Whether this actor may touch what lies outside the granted libraries."""
        return self.role == "admin"


def system(name: str) -> Actor:
    """A part of the server that acts by itself: `watcher`, `autobind`, `cli` or `insight`; it sees everything."""
    return Actor(name, "admin")


WATCHER = system("watcher")
AUTOBIND = system("autobind")
CLI = system("cli")
INSIGHT = system("insight")
