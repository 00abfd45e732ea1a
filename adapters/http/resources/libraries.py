"""Libraries: the named root folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from adapters.background.moved_libraries import FormerLibrary
from adapters.background.work import Work
from adapters.http.web import USUAL_LIMIT, Call, Done, Limit, Name, Page, Reply, Routes, library_id, within, write
from domain.base.errors import RuleViolation
from domain.base.paths import bytes_of, text_of
from domain.commands.libraries import add_library, ask_for_scan, change_library, remove_library
from domain.events.library import Library
from domain.ports.watching import Watching, WatchMode
from projections.queries.reading import Lookups

routes = Routes("Libraries")

State = Literal["scanned", "offline", "held", "waiting"]

_NOT_YET = Watching("polling", "its watch is being set")
_WHY: Final[Mapping[State, str]] = {
    "scanned": "",
    "offline": "its folder cannot be reached",
    "held": "so much of it is gone at once that its disk is rather away: nothing was marked as removed",
    "waiting": "it may be another library that was moved: an admin says which it is",
}
"""The reason without any path, for who is no admin."""


class MovedFrom(msgspec.Struct):
    """The library that a waiting one may be: its folder is gone, and of its `files` so many stand `here`."""

    id: int
    name: str
    files: int
    here: int


class LibraryView(msgspec.Struct):
    """A library with its counts; `problems` counts files that are not, or not wholly, shown, and folders that cannot be
    read. `root` is told to admins. `state` is `scanned` where all is well; `offline` where its folder cannot be
    reached; `held` where so much is gone at once that its disk is rather away: nothing is marked as removed before
    `POST /libraries/{id}/scan?accept_missing=true` says that it was deleted; `waiting` where it was never scanned,
    since files of a library whose folder is gone stand in it (`moved_from`): `PATCH /libraries/{moved_from.id}` with
    this `root` says that it was moved here, `POST /libraries/{id}/scan` that this is a library of its own. `offline` is
    true in each but the first, and `reason` says why. `watched` says how changes are noticed: `native`, the system
    tells of each at once; `polling`, by looking every few seconds, `watched_reason` says why; `off`, when asked."""

    id: int
    name: str
    root: str | None
    photos: int
    videos: int
    problems: int
    state: State
    offline: bool
    reason: str | None
    moved_from: MovedFrom | None
    watched: WatchMode
    watched_reason: str | None
    keywords_as_tags: bool
    version: int


class NewLibrary(msgspec.Struct):
    """A folder to make a library: `root` is its absolute path on the server; it is named after the folder unless
    told."""

    root: str
    name: Name | None = None


class LibraryPatch(msgspec.Struct):
    """What to change: the name, the folder under which the files are found now, or whether the keywords that stand in
    the files and their sidecars become tags, those of the future too. A tag that somebody took off stays off, and none
    goes where this is ended."""

    name: Name | None = None
    root: str | None = None
    keywords_as_tags: bool | None = None


class ProblemsQuery(msgspec.Struct):
    """How many."""

    limit: Limit = USUAL_LIMIT


class FileProblem(msgspec.Struct):
    """A file that is not, or not wholly, shown, and why; or a folder or file that cannot be looked at, which has no
    `id`: what lies in it is unknown, and not taken for removed."""

    id: int | None
    library_id: int
    path: str
    problem: str


class ScanQuery(msgspec.Struct):
    """`accept_missing` says that the files that are gone were deleted, however many they are."""

    accept_missing: bool = False


class ScanRequested(msgspec.Struct):
    """The scan that was asked for runs in the background; `GET /jobs` says how far it is, and its operation what came
    of it."""

    library_id: int
    operation_id: int | None


@routes("GET", "/libraries", answers=Page[LibraryView])
def list_libraries(call: Call) -> Reply:
    """The libraries that the user may see, by id."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        return Reply(Page(_views(call, tables)))


@routes("POST", "/libraries", body=NewLibrary, answers=LibraryView, status=201, role="admin", errors=(409,))
def make_library(call: Call, body: NewLibrary) -> Reply:
    """Make a folder of the server a library; its files stay where they are."""
    root = _folder(body.root)
    answer = write(
        call, lambda uow: add_library(uow, root, body.name), lambda uow, made: _view(call, uow, made), status=201
    )
    call.dependencies.work.scan(answer.content.id)
    return answer


@routes(
    "PATCH", "/libraries/{id}", body=LibraryPatch, answers=LibraryView, role="admin", errors=(404, 409), versioned=True
)
def patch_library(call: Call, id: int, body: LibraryPatch) -> Reply:
    """Rename a library, say where its files are now, or what becomes of the keywords in them."""
    root = None if body.root is None else _folder(body.root)
    answer = write(
        call,
        lambda uow: change_library(
            uow, id, name=body.name, root=root, keywords_as_tags=body.keywords_as_tags, expected=call.expected
        ),
        lambda uow, _: _view(call, uow, id),
    )
    if root is not None:
        call.dependencies.work.scan(id)
    return answer


@routes("DELETE", "/libraries/{id}", answers=Done, role="admin", errors=(404,), versioned=True)
def forget_library(call: Call, id: int) -> Reply:
    """Stop showing a library; its files are never touched, and undo brings it back with all that was decided."""
    return write(call, lambda uow: remove_library(uow, id, call.expected))


@routes(
    "POST", "/libraries/{id}/scan", query=ScanQuery, answers=ScanRequested, status=202, role="editor", errors=(404,)
)
def scan_library(call: Call, id: int, query: ScanQuery) -> Reply:
    """Look through a library now, in the background, also at what could not be read before; one that waits is said to
    be a library of its own by that."""
    answer = write(
        call,
        lambda uow: ask_for_scan(uow, library_id(uow, id)),
        lambda uow, operation_id: ScanRequested(id, operation_id),
        status=202,
    )
    asked = answer.content.operation_id
    call.dependencies.work.scan(id, asked, accept_missing=query.accept_missing, as_new=True)
    return answer


@routes("GET", "/libraries/{id}/problems", query=ProblemsQuery, answers=Page[FileProblem], errors=(404,))
def list_problems(call: Call, id: int, query: ProblemsQuery) -> Reply:
    """The folders of a library that cannot be read, and the files that are not, or not wholly, shown; each with the
    reason."""
    with call.dependencies.ledger.reading(call.actor) as tables:
        rows = within(tables, id).media.problems(query.limit)
    unreadable = [FileProblem(None, id, each.path, each.reason) for each in call.dependencies.work.unreadable(id)]
    return Reply(Page([*unreadable, *(FileProblem(**row) for row in rows)][: query.limit]))


def _folder(text: str) -> str:
    """The text of an existing folder of the server, links followed.

    Raises:
        RuleViolation: it is no absolute path of a folder that can be read.
    """
    name = bytes_of(text)
    if not os.path.isabs(name):
        raise RuleViolation("name the folder by its absolute path on the server", "root")
    real = os.path.realpath(name)
    if not os.path.isdir(real) or not os.access(real, os.R_OK | os.X_OK):
        raise RuleViolation(f"there is no folder {text} on the server that imageapi can read", "root")
    return text_of(real)


def _views(call: Call, lookups: Lookups) -> list[LibraryView]:
    counts = lookups.media.counts()
    watching = call.dependencies.work.watching()
    shown = [library for library in lookups.libraries.shown() if library.id in lookups.visible]
    return [
        _view_of(call, library, counts.get(library.id, (0, 0, 0)), watching.get(library.id, _NOT_YET))
        for library in shown
    ]


def _view(call: Call, lookups: Lookups, wanted: int) -> LibraryView:
    fresh = Lookups(lookups.connection, lookups.tables, lookups.actor)
    return next(view for view in _views(call, fresh) if view.id == wanted)


def _view_of(call: Call, library: Library, counts: tuple[int, int, int], watching: Watching) -> LibraryView:
    is_admin, work = call.actor.is_admin, call.dependencies.work
    missing = work.missing_roots().get(library.id)
    photos, videos, problems = counts
    state = _state(work, library.id)
    former = work.waiting().get(library.id) if is_admin else None
    return LibraryView(
        id=library.id,
        name=library.name,
        root=library.root if is_admin else None,
        photos=photos,
        videos=videos,
        problems=problems + len(work.unreadable(library.id)),
        state=state,
        offline=missing is not None,
        reason=missing if is_admin or missing is None else _WHY[state],
        moved_from=None if former is None else _moved_from(former),
        watched=watching.mode,
        watched_reason=watching.reason if is_admin else None,
        keywords_as_tags=library.keywords_as_tags,
        version=library.version,
    )


def _state(work: Work, library_id: int) -> State:
    if library_id in work.waiting():
        return "waiting"
    if library_id in work.held():
        return "held"
    return "offline" if library_id in work.missing_roots() else "scanned"


def _moved_from(former: FormerLibrary) -> MovedFrom:
    return MovedFrom(former.library.id, former.library.name, former.files, former.here)
