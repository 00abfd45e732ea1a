"""Taking back what was done to libraries."""

from __future__ import annotations

from collections.abc import Iterable

from domain.commands.libraries import overlapping
from domain.events.event import Event, Recorded
from domain.events.library import (
    LibraryAdded,
    LibraryKeywordsChosen,
    LibraryRelocated,
    LibraryRemoved,
    LibraryRenamed,
    LibraryRestored,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.undo.inverses import Kinds, blocked, require_last_write
from domain.undo.undoable import takes_back


def _require_place(uow: UnitOfWork, recorded: Recorded, library_id: int, name: str, root: str) -> None:
    """Raises where another library took the name meanwhile, or a folder that holds this one's or lies in it."""
    holder = uow.libraries.named(name)
    if holder is not None and holder.id != library_id:
        takes: Kinds = (LibraryAdded, LibraryRenamed, LibraryRestored)
        raise blocked(uow, recorded, f"library-{holder.id}", takes, f"gave the name {name} to library {holder.id}")
    other = overlapping(uow, root, library_id)
    if other is not None:
        takes = (LibraryAdded, LibraryRelocated, LibraryRestored)
        what = f"put library {other.id} at {other.root}, where files would be twice"
        raise blocked(uow, recorded, f"library-{other.id}", takes, what)


@takes_back(LibraryRenamed)
def _renamed(uow: UnitOfWork, recorded: Recorded, event: LibraryRenamed) -> Iterable[Event]:
    library = uow.libraries.get(event.library_id)
    stands = library is not None and library.name == event.name
    require_last_write(uow, recorded, (LibraryRenamed,), "renamed the library", stands=stands)
    if library is not None and not library.removed:
        _require_place(uow, recorded, library.id, event.was, library.root)
    yield LibraryRenamed(event.library_id, event.was, event.name)


@takes_back(LibraryRelocated)
def _relocated(uow: UnitOfWork, recorded: Recorded, event: LibraryRelocated) -> Iterable[Event]:
    library = uow.libraries.get(event.library_id)
    stands = library is not None and library.root == event.root
    require_last_write(uow, recorded, (LibraryRelocated,), "moved the library", stands=stands)
    if library is not None and not library.removed:
        _require_place(uow, recorded, library.id, library.name, event.was)
    yield LibraryRelocated(event.library_id, event.was, event.root)


@takes_back(LibraryKeywordsChosen)
def _keywords_chosen(uow: UnitOfWork, recorded: Recorded, event: LibraryKeywordsChosen) -> Iterable[Event]:
    library = uow.libraries.get(event.library_id)
    stands = library is not None and library.keywords_as_tags == event.as_tags
    require_last_write(uow, recorded, (LibraryKeywordsChosen,), "said what becomes of keywords", stands=stands)
    yield LibraryKeywordsChosen(event.library_id, event.was, event.as_tags)


@takes_back(LibraryRemoved)
def _removed(uow: UnitOfWork, recorded: Recorded, event: LibraryRemoved) -> Iterable[Event]:
    library = uow.libraries.get(event.library_id)
    if library is not None and library.removed:
        _require_place(uow, recorded, library.id, library.name, library.root)
        yield LibraryRestored(event.library_id)


@takes_back(LibraryRestored)
def _restored(uow: UnitOfWork, recorded: Recorded, event: LibraryRestored) -> Iterable[Event]:
    library = uow.libraries.get(event.library_id)
    if library is not None and not library.removed:
        yield LibraryRemoved(event.library_id)
