"""The error tree: what can go wrong, in the words a user is told.

```
ImageApiError
├── LibraryError                 the request, as against what is recorded
│   ├── NotFound                 404  no such thing, or not visible to this user
│   ├── Forbidden                403  the user's role or grants do not reach it
│   ├── Conflict                 409  the record says otherwise
│   │   ├── NameTaken            409  another live person, tag, library or user has the name
│   │   ├── AlreadyMerged        409  the person or entity was merged before
│   │   ├── InTheWay             409  a later operation stands in the way of an undo
│   │   └── Stale                412  the thing changed since the client read it
│   └── RuleViolation            422  the request breaks a rule of the domain
│       └── Erased               422  an erasure took what the request is about
└── AdapterError                 the world outside
    ├── Unavailable              503  nothing configured, refused, timed out: try again later
    │   ├── StillChanging        503  the file is being written: try again soon
    │   ├── Held                 503  what a disk shows is not believed until somebody says that it is so
    │   ├── NotInTime            503  waited for too long on a busy machine: try again when it is idle
    │   └── Busy                 503  asked too often, or overloaded: the other side may say when to come again
    ├── Rejected                 502  the other side answered and will say the same again
    └── Unreadable               ---  this content cannot be read; becomes a fact, never a failure
```

The mapping to HTTP stands in one place, `adapters/http/web/problems.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import UNSET, UnsetType


class ImageApiError(Exception):
    """Root of every error that imageapi raises on purpose; its text says what to do."""


class LibraryError(ImageApiError):
    """The request cannot be done as the record stands."""


class NotFound(LibraryError):
    """No such thing, or none that this user may see."""


class Forbidden(LibraryError):
    """The user's role or granted libraries do not reach this far."""


class Conflict(LibraryError):
    """What is recorded contradicts the request."""


class NameTaken(Conflict):
    """Another live row has this name, without regard to case. `holder_id` is the id of the person, tag or entity that
    has it, None where the actor may not know of it, and unset of anything else."""

    def __init__(self, message: str, holder_id: int | UnsetType | None = UNSET) -> None:
        super().__init__(message)
        self.holder_id = holder_id


class AlreadyMerged(Conflict):
    """The person or entity was merged into another one before."""


class LaterOperation(NamedTuple):
    """An operation in the way of an undo, in words for who asked."""

    id: int
    kind: str
    text: str
    actor: str


class InTheWay(Conflict):
    """A later operation, named by `operation_id`, stands in the way of an undo. `operations` are all that would be
    taken back with the one asked for, the last first; none where that is not possible."""

    def __init__(self, message: str, operation_id: int, operations: tuple[LaterOperation, ...] = ()) -> None:
        super().__init__(message)
        self.operation_id = operation_id
        self.operations = operations


class Stale(Conflict):
    """The thing has a newer version than the one the client named in If-Match."""


class RuleViolation(LibraryError):
    """The request breaks a rule; `field` names the offending input where there is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Erased(RuleViolation):
    """What an undo would bring back was erased, or was said of what was."""


class AdapterError(ImageApiError):
    """Something outside imageapi did not do its part."""


class Unavailable(AdapterError):
    """Not configured, refused, timed out or failing for now: the same call may work later."""


class StillChanging(Unavailable):
    """A file was written while it was read: its turn comes again when it stands still."""


class Held(Unavailable):
    """So much of a library is gone at once that its disk is rather away than its files deleted: nothing is recorded
    until somebody says that it is so."""


class NotInTime(Unavailable):
    """Something was not over when it was waited for no longer, though it did not compute for long: the machine may have
    had too much to do."""


class Busy(Unavailable):
    """The other side has too much to do; `retry_after` is in seconds, None where it does not say when to come again."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(AdapterError):
    """The other side answered, and will answer the same again."""


class Unreadable(AdapterError):
    """This content cannot be decoded; the text is the reason shown to the user."""
