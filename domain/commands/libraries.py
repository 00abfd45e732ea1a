"""What an admin does with libraries: add, rename, relocate, remove."""

from __future__ import annotations

from domain.base.errors import Conflict, NotFound
from domain.commands.persons import check_version
from domain.events.event import Event
from domain.events.library import (
    Library,
    LibraryAdded,
    LibraryKeywordsChosen,
    LibraryRelocated,
    LibraryRemoved,
    LibraryRenamed,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.unique_names import free_library_name, library_name_of


def add_library(uow: UnitOfWork, root: str, name: str | None = None) -> int:
    """Make a folder a library (`root` is the escaped text of its absolute path); its id.

    Raises:
        NameTaken: another library has the name.
        Conflict: the folder is a library already, or lies in one, or holds one: its files would be listed twice.
    """
    uow.actor.require("admin")
    _require_apart(uow, root)
    called = free_library_name(uow, name) if name else library_name_of(uow, root)
    uow.begin("library.add", f"added the library {called}")
    library_id = uow.new_id("library")
    uow.append(LibraryAdded(library_id, called, root))
    return library_id


def change_library(
    uow: UnitOfWork,
    library_id: int,
    *,
    name: str | None = None,
    root: str | None = None,
    keywords_as_tags: bool | None = None,
    expected: int | None = None,
) -> None:
    """Rename a library, say that its files are under another root now, or whether their keywords become tags.

    A library of that folder that never held a file gives way, in the same operation, to one that holds some: it was not
    scanned because it was thought to be this one.

    Raises:
        NotFound: there is no such library.
        NameTaken: another library has the name.
        Conflict: the folder lies in another library, or holds one.
        Stale: the library changed since the client read it.
    """
    uow.actor.require("admin")
    library = shown_library(uow, library_id, expected)
    events: list[Event] = []
    done = []
    called = library.name if name is None else free_library_name(uow, name, besides=library_id)
    if called != library.name:
        events.append(LibraryRenamed(library_id, called, library.name))
        done.append(f"renamed the library {library.name} to {called}")
    if root is not None and root != library.root:
        waiting = _waiting_at(uow, root, library_id)
        if waiting is not None:
            events.append(LibraryRemoved(waiting.id))
        _require_apart(uow, root, library_id, *([] if waiting is None else [waiting.id]))
        events.append(LibraryRelocated(library_id, root, library.root))
        done.append(f"moved the library {library.name} to another folder")
    if keywords_as_tags is not None and keywords_as_tags != library.keywords_as_tags:
        events.append(LibraryKeywordsChosen(library_id, keywords_as_tags, library.keywords_as_tags))
        become = "become" if keywords_as_tags else "no longer become"
        done.append(f"said that keywords in the files of {library.name} {become} tags")
    if events:
        uow.begin("library.change", ", ".join(done))
        uow.append(*events)


def remove_library(uow: UnitOfWork, library_id: int, expected: int | None = None) -> None:
    """Stop showing a library; its files are never touched, and what was decided about them stays.

    Raises:
        NotFound: there is no such library.
        Stale: the library changed since the client read it.
    """
    uow.actor.require("admin")
    library = shown_library(uow, library_id, expected)
    uow.begin("library.remove", f"removed the library {library.name}")
    uow.append(LibraryRemoved(library_id))


def ask_for_scan(uow: UnitOfWork, library_id: int) -> int:
    """Begin the scan of a library that a user asks for; the id of the operation, to which the scan adds what it finds.

    Raises:
        NotFound: there is no such library.
    """
    uow.actor.require("editor")
    library = shown_library(uow, library_id)
    return uow.begin("scan", f"asked for a scan of {library.name}")


def shown_library(uow: UnitOfWork, library_id: int, expected: int | None = None) -> Library:
    """The library that a command is about; raises `NotFound` or `Stale`."""
    library = uow.libraries.get(library_id)
    if library is None or library.removed:
        raise NotFound(f"there is no library {library_id}")
    check_version("library", library.version, expected)
    return library


def overlapping(uow: UnitOfWork, root: str, *besides: int) -> Library | None:
    """A shown library (besides these) whose folder is `root`, lies in it or holds it."""
    folder = f"{root.rstrip('/')}/"
    for library in uow.libraries.shown():
        other = f"{library.root.rstrip('/')}/"
        if library.id not in besides and (other.startswith(folder) or folder.startswith(other)):
            return library
    return None


def _waiting_at(uow: UnitOfWork, root: str, besides: int) -> Library | None:
    """The shown library (besides this one, which holds some) whose folder is `root` and that never held a file."""
    if not uow.media.has_any(besides):
        return None
    for library in uow.libraries.shown():
        if library.id != besides and library.root.rstrip("/") == root.rstrip("/") and not uow.media.has_any(library.id):
            return library
    return None


def _require_apart(uow: UnitOfWork, root: str, *besides: int) -> None:
    other = overlapping(uow, root, *besides)
    if other is None:
        return
    if other.root.rstrip("/") == root.rstrip("/"):
        raise Conflict(f"{root} is library {other.id} ({other.name}) already")
    raise Conflict(f"{root} and library {other.id} ({other.root}) lie in one another: files would be twice")
