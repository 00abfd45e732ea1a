"""`imageapi library`, how a command names a library, and which libraries the folders of a command are."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.background.moved_libraries import former_library
from adapters.cli.application import ApplicationParts
from adapters.files.confinement import reason_of
from domain.base.actor import CLI
from domain.base.errors import Conflict, NotFound, Unavailable
from domain.base.paths import bytes_of, shown, text_of
from domain.commands.libraries import add_library, change_library, remove_library
from domain.events.library import Library
from projections.queries.reading import Lookups


class MadeLibraries(NamedTuple):
    """The libraries of the folders that a command named, and what is to be said of them."""

    libraries: list[Library]
    said: list[str]


def library_named(tables: Lookups, name: str | None) -> int | None:
    """The id of a library by its name or number, None for all.

    Raises:
        NotFound: there is none of that name, or none at all.
    """
    known = tables.libraries.shown()
    if not known:
        raise NotFound("there is no library yet: `imageapi scan DIR` makes one")
    if name is None:
        return None
    for library in known:
        if name in (library.name, str(library.id)):
            return library.id
    raise NotFound(f"there is no library {name}; there are: {', '.join(library.name for library in known)}")


def known_at(tables: Lookups, root: Path) -> Library | None:
    """The library whose folder is `root`, links followed or not."""
    texts = {text_of(os.fsencode(path)) for path in (root, root.resolve())}
    return next((library for library in tables.libraries.shown() if library.root in texts), None)


def trouble_of(library: Library, files: int) -> str | None:
    """What is wrong with the folder of a library that holds so many files, in words; None where nothing is."""
    try:
        with os.scandir(bytes_of(library.root)) as entries:
            empty = next(entries, None) is None
    except OSError as error:
        return f"its folder cannot be read ({reason_of(error)}): is its disk mounted?"
    return "its folder is empty: is its disk mounted?" if empty and files else None


def make_libraries(application: ApplicationParts, roots: Sequence[Path], *, is_base: bool = False) -> MadeLibraries:
    """The libraries of these folders, made where there is none yet: one that holds nearly all of a library whose own
    folder is gone is that library, moved. `is_base` says that the first is what BASE_PATH names."""
    made = MadeLibraries([], [])
    for number, root in enumerate(roots):
        with application.ledger.reading(CLI) as tables:
            library = known_at(tables, root)
            settled = library is not None and tables.media.has_any(library.id)
            others = [each for each in tables.libraries.shown() if not _is_at(each, roots)]
        if library is None or not settled:
            moved = _moved(application, root, made.said) if root.is_dir() else None
            if library is None and moved is None and number == 0 and is_base:
                made.said.extend(_still_served(each) for each in others)
            library = moved or library or _added(application, root)
        made.libraries.append(library)
    return made


def _is_at(library: Library, roots: Sequence[Path]) -> bool:
    return any(library.root == text_of(os.fsencode(root)) for root in roots)


def _still_served(library: Library) -> str:
    return (
        f"BASE_PATH names a new folder, and the library {library.name} ({shown(library.root)}) is still served: "
        f"`imageapi library remove {library.id}` ends that, `imageapi library move {library.id} DIR` says where it is"
    )


def _moved(application: ApplicationParts, root: Path, said: list[str]) -> Library | None:
    """The library that was found to have moved to the folder `root`, None where none has."""
    text = text_of(os.fsencode(root))
    former = former_library(application.ledger, text, application.settings.own_folders)
    if former is None:
        return None
    if not former.is_moved:
        said.append(
            f"{former.in_words(text)}. It waits until you say which it is: `imageapi library move {former.library.id} "
            f"{shown(text)}` that the library was moved there, `imageapi scan --as-new {shown(text)}` that it is one "
            "of its own"
        )
        return None
    with application.ledger.transaction(CLI) as uow:
        change_library(uow, former.library.id, root=text)
        operation = uow.operation_id
        library = uow.libraries.get(former.library.id)
    said.append(
        f"{former.in_words(text)}: that library is served from there now. `imageapi undo {operation}` takes that back"
    )
    return library


def _added(application: ApplicationParts, root: Path) -> Library:
    """A library made of the folder `root`, or the one that another process made of it just now."""
    text = text_of(os.fsencode(root))
    try:
        with application.ledger.transaction(CLI) as uow:
            library_id = add_library(uow, text)
            library = uow.libraries.get(library_id)
    except Conflict:
        with application.ledger.reading(CLI) as tables:
            library = known_at(tables, root)
        if library is None:
            raise
    if library is None:
        raise NotFound(f"the library of {shown(text)} was removed meanwhile")
    return library


# The command


def listing(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Every library with its folder, its counts, and what is wrong with it."""
    with application.ledger.reading(CLI) as tables:
        counts = tables.media.counts()
        for library in tables.libraries.shown():
            print(line_of(library, counts.get(library.id, (0, 0, 0))))
    return 0


def line_of(library: Library, counts: tuple[int, int, int]) -> str:
    """A library in one line."""
    photos, videos, problems = counts
    held = f"{photos} photos, {videos} videos, {problems} problems"
    trouble = trouble_of(library, photos + videos)
    return f"library {library.id} {library.name} ({shown(library.root)}): {held}" + (f"; {trouble}" if trouble else "")


def rename(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Give a library another name."""
    return _changed(application, words.library, name=words.name)


def move(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Say where the files of a library are now."""
    root = words.folder.expanduser().resolve()
    if not root.is_dir():
        raise NotFound(f"there is no folder {root}: move the files first, then say where they are")
    return _changed(application, words.library, root=text_of(os.fsencode(root)))


def remove(application: ApplicationParts, words: argparse.Namespace) -> int:
    """Stop showing a library; its files are never touched."""
    with application.ledger.transaction(CLI) as uow:
        remove_library(uow, _id_named(uow, words.library))
        print(f"operation {uow.operation_id}: {uow.text}; its files stay where they are, and undo brings it back")
    return 0


def _changed(application: ApplicationParts, named: str, *, name: str | None = None, root: str | None = None) -> int:
    with application.ledger.transaction(CLI) as uow:
        change_library(uow, _id_named(uow, named), name=name, root=root)
        print(f"operation {uow.operation_id}: {uow.text}" if uow.operation_id else "that is so already")
    return 0


def _id_named(tables: Lookups, named: str) -> int:
    found = library_named(tables, named)
    if found is None:
        raise Unavailable("a library has to be named")
    return found
