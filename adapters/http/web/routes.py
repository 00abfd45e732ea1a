"""How a route is declared: once, with the Structs that validate it and from which OpenAPI is made.

```python
routes = Routes("Persons")

@routes("PATCH", "/persons/{id}", body=PersonPatch, answers=PersonView, role="editor", versioned=True, rehearses=True)
def change_person(call: Call, id: int, body: PersonPatch) -> Reply: ...
```

A route is a plain function that may block: it runs in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import anyio
import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp

from adapters.http.web.dependencies import Dependencies
from domain.base.actor import Actor
from domain.events.account import User


@dataclass(frozen=True)
class Reply:
    """What a route answers: `content` (a Struct or plain values) becomes JSON; a ready `response` goes out as it is."""

    content: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    response: Response | None = None


@dataclass(frozen=True)
class Call:
    """One request as a route sees it. `actor` is who asks (nobody on open routes), `user` the row behind it;
    `expected` the version that `If-Match` names, `dry_run` whether nothing shall change."""

    dependencies: Dependencies
    headers: Headers
    method: str
    address: str
    is_secure: bool
    actor: Actor
    user: User | None = None
    expected: int | None = None
    dry_run: bool = False


MakeStream = Callable[[Dependencies, anyio.CapacityLimiter], ASGIApp]
"""Makes what streams at a path, with the threads that it may use."""
Run = Callable[..., Reply]
R = TypeVar("R", bound=Run)
S = TypeVar("S", bound=MakeStream)


@dataclass(frozen=True)
class DeclaredRoute:
    """A route as it was declared.

    `role` is the least role, None for open routes (which may still know who asks). `answers` is the shape of a
    success, and of the statuses `also`, None where `media_types` says what else comes back. `versioned` routes heed
    If-Match, `rehearses` ones take `dry_run`, `records` ones are operations, which the header `Operation-Id` names.
    `errors` are statuses beside those that follow from the rest.
    """

    method: str
    path: str
    run: Run
    subject: str
    role: str | None
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    answers: Any
    status: int
    errors: tuple[int, ...]
    versioned: bool
    rehearses: bool
    records: bool
    media_types: tuple[str, ...]
    also: tuple[int, ...]

    @cached_property
    def summary(self) -> str:
        """The first sentence of the function's docstring."""
        return (self.run.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")

    @cached_property
    def description(self) -> str:
        """The rest of the docstring."""
        paragraphs = (self.run.__doc__ or "").strip().split("\n\n")[1:]
        return "\n\n".join(" ".join(each.split()) for each in paragraphs)

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status of a problem that the route may answer."""
        found = set(self.errors) | {400, 422, 503}
        if self.role is not None:
            found |= {401, 429}
        if self.role in {"editor", "admin"} or self.method not in {"GET", "HEAD"}:
            found |= {403}
        if self.body is not None:
            found |= {400, 413, 415, 422}
        if self.versioned:
            found |= {400, 412}
        return tuple(sorted(found))


@dataclass(frozen=True)
class DeclaredStream:
    """An endless route as it was declared: `make` says in its docstring what is heard."""

    path: str
    make: MakeStream
    subject: str
    query: type[msgspec.Struct] | None

    @property
    def summary(self) -> str:
        """The docstring without the address that it begins with."""
        text = " ".join((self.make.__doc__ or "").split())
        said = text.partition("`: ")[2] or text
        return said[:1].upper() + said[1:]

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status of a problem that may come instead."""
        return (400, 401, 422, 429, 500, 503)


class Routes:
    """The routes of one subject; calling it declares one. `streams` are its endless ones by path."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.streams: dict[str, DeclaredStream] = {}
        self._declared: list[DeclaredRoute] = []

    def __iter__(self) -> Iterator[DeclaredRoute]:
        return iter(self._declared)

    def __call__(
        self,
        method: str,
        path: str,
        *,
        role: str | None = "viewer",
        body: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] | None = None,
        answers: Any = None,
        status: int = 200,
        errors: Iterable[int] = (),
        versioned: bool = False,
        rehearses: bool = False,
        records: bool | None = None,
        media_types: Iterable[str] = (),
        also: Iterable[int] = (),
    ) -> Callable[[R], R]:
        """Declare the decorated function as the route of `method` and `path`; see `DeclaredRoute`. What is no read
        `records` unless it says otherwise."""

        def declare(run: R) -> R:
            self._declared.append(
                DeclaredRoute(
                    method=method,
                    path=path,
                    run=run,
                    subject=self.subject,
                    role=role,
                    body=body,
                    query=query,
                    answers=answers,
                    status=status,
                    errors=tuple(errors),
                    versioned=versioned,
                    rehearses=rehearses,
                    records=method not in {"GET", "HEAD"} if records is None else records,
                    media_types=tuple(media_types),
                    also=tuple(also),
                )
            )
            return run

        return declare

    def stream(self, path: str, query: type[msgspec.Struct] | None = None) -> Callable[[S], S]:
        """Declare the decorated class as what streams to who gets `path`; `query` is what it reads, for the documents:
        it reads that itself."""

        def declare(make: S) -> S:
            self.streams[path] = DeclaredStream(path, make, self.subject, query)
            return make

        return declare
