"""One-time links: who made the first admin, who signs in from the terminal, who was invited. Each works once.

The book is one JSON file in the data folder. It holds the SHA-256 of each code and never a code, so that reading it
opens nothing. It is replaced whole under a lock that every process takes, which is what makes a link work once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from adapters.accounts import private_files
from adapters.accounts.codes import digest, new_code
from domain.base.actor import ROLES
from domain.base.errors import NotFound, RuleViolation, Unavailable
from domain.events.account import User

LIFETIME: Final = timedelta(hours=1)
INVITATION_LIFETIME: Final = timedelta(days=7)
"""How long an invitation can be taken up; any other link for an hour."""
MOST_OPEN: Final = 1000


class LinkPurpose(StrEnum):
    """What a link is for."""

    FIRST_ADMIN = "first-admin"
    SIGN_IN = "sign-in"
    INVITATION = "invitation"


class InvalidLink(NotFound):
    """No open link has this code: it never did, was used, was withdrawn or has expired."""


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """One open link. `user_id` is set for sign-in, `role` and `libraries` (None for all) for invitations."""

    purpose: LinkPurpose
    expires_at: datetime
    user_id: int | None = None
    role: str | None = None
    libraries: tuple[int, ...] | None = None


class _Book(msgspec.Struct, forbid_unknown_fields=True):
    """The file: open links by the digest of their code."""

    links: dict[str, Link]
    version: int = 1


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LinkBook:
    """The open links of one data folder; safe to use from any thread of any process on this machine."""

    def __init__(self, file: Path, *, now: Callable[[], datetime] = _utc_now) -> None:
        """`file` is made with the first link; `now` answers an aware time."""
        self._file = file
        self._now = now

    def issue(
        self,
        purpose: LinkPurpose,
        *,
        lifetime: timedelta = LIFETIME,
        user_id: int | None = None,
        role: str | None = None,
        libraries: tuple[int, ...] | None = None,
    ) -> str:
        """Open a link and answer its code, 43 characters that are safe in a URL and are not to be had again.

        Raises:
            RuleViolation: a sign-in link names no user, an invitation no role, or 1000 links are open.
            Unavailable: the file is damaged or cannot be written.
        """
        if purpose is LinkPurpose.SIGN_IN and user_id is None:
            raise RuleViolation("a sign-in link is for one user", "user_id")
        if purpose is LinkPurpose.INVITATION and role not in ROLES:
            raise RuleViolation(f"an invitation gives one of the roles {', '.join(ROLES)}", "role")
        code = new_code()
        with private_files.locked(self._file):
            links = self._open_links()
            if len(links) >= MOST_OPEN:
                raise RuleViolation(f"{MOST_OPEN} links are open; withdraw some or let them expire")
            links[digest(code)] = Link(purpose, self._now() + lifetime, user_id, role, libraries)
            self._write(links)
        return code

    def invite(self, role: str, libraries: tuple[int, ...] | None) -> str:
        """Open an invitation to a role and these libraries (None for all) and answer its code; raises as `issue`."""
        return self.issue(LinkPurpose.INVITATION, lifetime=INVITATION_LIFETIME, role=role, libraries=libraries)

    def at_start(self, base_url: str, admin: User | None, *, on_terminal: bool) -> str | None:
        """What a server that begins at `base_url` prints: the link for the first admin where there is no `admin` yet,
        else on a terminal one to sign in with. Raises as `issue`."""
        if admin is None:
            self.withdraw(LinkPurpose.FIRST_ADMIN)
            code = self.issue(LinkPurpose.FIRST_ADMIN)
            return f"Open this link within the hour to choose your name and password: {base_url}/welcome?code={code}"
        if not on_terminal:
            return None
        code = self.issue(LinkPurpose.SIGN_IN, user_id=admin.id)
        return f"Sign in as {admin.name} with this link, within the hour: {base_url}/welcome?code={code}"

    def peek(self, code: str) -> Link:
        """The open link with this code, which stays open.

        Raises:
            InvalidLink: there is none.
            Unavailable: the file is damaged.
        """
        return _found(self._open_links(), code)

    @contextmanager
    def consuming(self, code: str) -> Iterator[Link]:
        """Close the link with this code; of any number of callers at once, one gets it. It opens again where the block
        raises, so that a name already taken costs nobody their invitation. A process that dies inside the block has
        used the link up. The whole book waits for the block, which must therefore call nothing else of it.

        Raises:
            InvalidLink: there is none.
            Unavailable: the file is damaged or cannot be written.
        """
        with private_files.locked(self._file):
            links = self._open_links()
            link = _found(links, code)
            self._write({key: other for key, other in links.items() if key != digest(code)})
            try:
                yield link
            except BaseException:
                self._write(links)
                raise

    def withdraw(self, purpose: LinkPurpose, *, user_id: int | None = None) -> int:
        """Close every link of one purpose, or of one purpose and user, and answer how many there were.

        Raises:
            Unavailable: the file is damaged or cannot be written.
        """
        with private_files.locked(self._file):
            links = self._open_links()
            kept = {
                key: link
                for key, link in links.items()
                if link.purpose is not purpose or (user_id is not None and link.user_id != user_id)
            }
            if len(kept) < len(links):
                self._write(kept)
            return len(links) - len(kept)

    def _open_links(self) -> dict[str, Link]:
        """The links that have not expired, by the digest of their code."""
        content = private_files.read(self._file)
        if content is None:
            return {}
        try:
            book = msgspec.json.decode(content, type=_Book)
            if book.version != 1:
                raise msgspec.ValidationError(f"its version is {book.version}, and this imageapi knows version 1")
            now = self._now()
            return {key: link for key, link in book.links.items() if link.expires_at > now}
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            raise Unavailable(
                f"the file of one-time links {self._file} is damaged ({error}). "
                "Delete it: the links in it stop working, and new ones can be made."
            ) from error

    def _write(self, links: dict[str, Link]) -> None:
        private_files.write(self._file, msgspec.json.encode(_Book(links)))


def _found(links: dict[str, Link], code: str) -> Link:
    link = links.get(digest(code))
    if link is None:
        raise InvalidLink("this link was used already or has expired; ask for a new one")
    return link
