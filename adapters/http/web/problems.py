"""Problem details (RFC 9457): the one place where an error becomes an HTTP status and a body."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from domain.base.errors import (
    AdapterError,
    AlreadyMerged,
    Busy,
    Conflict,
    Forbidden,
    ImageApiError,
    InTheWay,
    LaterOperation,
    NameTaken,
    NotFound,
    Rejected,
    RuleViolation,
    Stale,
    Unavailable,
    Unreadable,
)

RETRY_SECONDS: Final = 10
"""What `Retry-After` says where something is unavailable and nobody knows for how long."""


class FieldError(msgspec.Struct, frozen=True):
    """One offending input: `field` is its path, such as `box.x`, `ids[3]` or a parameter's name."""

    field: str
    message: str


class OperationInTheWay(msgspec.Struct, frozen=True):
    """A later operation that would have to be taken back first, in plain words."""

    id: int
    kind: str
    text: str
    actor: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong: `type` leads to its description in the docs, `detail` says what to do. `operation_id` names the
    operation in the way of an undo, `operations` all that `with_later=true` would take back first; `id` whose a taken
    name is, null where that is out of sight."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    operation_id: int | None = None
    operations: tuple[OperationInTheWay, ...] = ()
    id: int | UnsetType | None = UNSET


class BadRequest(ImageApiError):
    """The request is no proper HTTP or JSON."""


class Invalid(ImageApiError):
    """Some inputs cannot be; `errors` names every one of them."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors[:3]))
        self.errors = errors


class WrongMediaType(ImageApiError):
    """The body is of a type that the route does not take."""


class TooLarge(ImageApiError):
    """The body is larger than the route takes."""


class Unauthenticated(ImageApiError):
    """Nobody is signed in; `flaw` is for clients: `invalid_token` where a token was sent, else None."""

    def __init__(self, message: str, flaw: str | None = None) -> None:
        super().__init__(message)
        self.flaw = flaw


class TooManyRequests(ImageApiError):
    """The same request is let through in `retry_after` whole seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


KINDS: Final[tuple[tuple[type[ImageApiError], int, str, str], ...]] = (
    (BadRequest, 400, "Bad request", "The request is no proper HTTP or JSON."),
    (Unauthenticated, 401, "Not signed in", "No valid token or cookie came with the request: sign in first."),
    (Forbidden, 403, "Not allowed", "The user's role or granted libraries do not reach this far."),
    (NotFound, 404, "Not found", "There is no such thing, or none that this user may see."),
    (Unreadable, 404, "No picture", "No picture can be made of this file; the detail says why."),
    (NameTaken, 409, "Name taken", "Another one has this name, without regard to case."),
    (AlreadyMerged, 409, "Already merged", "It was merged into another one before."),
    (InTheWay, 409, "In the way", "A later operation, named by operation_id, stands in the way of the undo."),
    (Stale, 412, "Changed since", "It has another version than If-Match named: read it again and decide anew."),
    (Conflict, 409, "Conflict", "What is recorded contradicts the request."),
    (TooLarge, 413, "Too large", "The body is larger than this server takes."),
    (WrongMediaType, 415, "Wrong media type", "Send the body as application/json."),
    (Invalid, 422, "Invalid input", "Some inputs cannot be; errors names every one of them."),
    (RuleViolation, 422, "Rule violated", "The request breaks a rule; errors names the input where there is one."),
    (TooManyRequests, 429, "Too many attempts", "Wait for as many seconds as Retry-After says."),
    (Rejected, 502, "Refused elsewhere", "Another server answered, and will say the same again."),
    (Unavailable, 503, "Unavailable", "Something is not configured or not answering; the same request may work later."),
    (AdapterError, 503, "Unavailable", "Something outside did not do its part."),
    (ImageApiError, 400, "Bad request", "The request cannot be done; the detail says why."),
)
"""Each kind of error with its status, title and description; the first that fits counts."""

STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    405: ("Method not allowed", "This address does not take that method; Allow lists those that it takes."),
    416: ("Range not satisfiable", "The file has no bytes in that range."),
    500: ("Internal error", "Something is wrong in imageapi; its log has the details."),
}
"""Problems that are no errors of the domain."""


def problem_of(error: ImageApiError) -> Problem:
    """The problem that a client is told for `error`."""
    kind, status, title = next((kind, status, title) for kind, status, title, _ in KINDS if isinstance(error, kind))
    errors: tuple[FieldError, ...] = ()
    if isinstance(error, Invalid):
        errors = error.errors
    elif isinstance(error, RuleViolation) and error.field is not None:
        errors = (FieldError(error.field, str(error)),)
    operation_id: int | None = None
    operations: tuple[OperationInTheWay, ...] = ()
    if isinstance(error, InTheWay):
        operation_id, operations = error.operation_id, tuple(_in_the_way(each) for each in error.operations)
    return Problem(
        type=f"/docs#{anchor(kind)}",
        title=title,
        status=status,
        detail=str(error),
        errors=errors,
        operation_id=operation_id,
        operations=operations,
        id=error.holder_id if isinstance(error, NameTaken) else UNSET,
    )


def _in_the_way(later: LaterOperation) -> OperationInTheWay:
    return OperationInTheWay(later.id, later.kind, later.text, later.actor)


def anchor(kind: type[ImageApiError]) -> str:
    """The name of a kind of problem in addresses: `NameTaken` is `name-taken`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def plain_problem(status: int, detail: str) -> Problem:
    """The problem of a status of `STATUSES`, or of any other by its number."""
    if status == 404:
        return problem_of(NotFound(detail))
    title = STATUSES.get(status, (f"HTTP {status}", ""))[0]
    return Problem(f"/docs#http-{status}" if status in STATUSES else "about:blank", title, status, detail)


def answer_of(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as a response."""
    body = msgspec.json.encode(problem)
    given = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, problem.status, given, media_type="application/problem+json")


def refusal(error: ImageApiError) -> Response:
    """The response to a request that ended in `error`."""
    headers = {}
    if isinstance(error, Unauthenticated):
        flaw = f', error="{error.flaw}"' if error.flaw else ""
        headers["WWW-Authenticate"] = f'Bearer realm="imageapi"{flaw}'
    elif isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unavailable):
        seconds = error.retry_after if isinstance(error, Busy) else None
        headers["Retry-After"] = str(RETRY_SECONDS if seconds is None else math.ceil(seconds))
    return answer_of(problem_of(error), headers)
