"""Libraries: named root folders whose files stay where they are."""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as


class Library(msgspec.Struct, frozen=True):
    """A library as it stands; `root` is the escaped text of the folder's bytes, `keywords_as_tags` says whether the
    keywords that stand in its files become tags."""

    id: int
    name: str
    root: str
    removed: bool
    version: int
    keywords_as_tags: bool = False


@recorded_as("LibraryAdded", "library", "library_id", opens=True)
class LibraryAdded(Event, frozen=True, omit_defaults=True):
    """A folder was made a library."""

    library_id: int
    name: str
    root: str


@recorded_as("LibraryRenamed", "library", "library_id")
class LibraryRenamed(Event, frozen=True, omit_defaults=True):
    """A library got another name."""

    library_id: int
    name: str
    was: str


@recorded_as("LibraryRelocated", "library", "library_id")
class LibraryRelocated(Event, frozen=True, omit_defaults=True):
    """A library's files are found under another root now."""

    library_id: int
    root: str
    was: str


@recorded_as("LibraryRemoved", "library", "library_id")
class LibraryRemoved(Event, frozen=True, omit_defaults=True):
    """A library is no longer shown; its files, and all that was decided about them, stay."""

    library_id: int


@recorded_as("LibraryRestored", "library", "library_id")
class LibraryRestored(Event, frozen=True, omit_defaults=True):
    """A removed library is shown again."""

    library_id: int


@recorded_as("LibraryKeywordsChosen", "library", "library_id")
class LibraryKeywordsChosen(Event, frozen=True, omit_defaults=True):
    """Whether the keywords that stand in a library's files become tags was decided."""

    library_id: int
    as_tags: bool
    was: bool
