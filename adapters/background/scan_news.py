"""What a scan looks at: the media files of a library folder by folder, what the tables know of them, and which are to
be read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import filterfalse
from pathlib import Path

import msgspec

from adapters.files.recently_read import RecentlyRead
from adapters.files.sidecars import with_sidecars
from adapters.files.unknown_files import UnknownFiles, reason_of_name
from adapters.files.walk import FoundFile, WalkProblem, is_shared_name, is_sidecar, kind_of, walk
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import NotFound, Unavailable
from domain.base.paths import bytes_of, folder_of
from domain.events.library import Library
from domain.events.media import NEEDS_FFMPEG, NOT_IN_TIME, Media
from domain.ports.watching import Noticed


class StrayMedia(msgspec.Struct, frozen=True):
    """A picture or video whose name does not say so: its path text, and why it is not taken."""

    path: str
    reason: str


class LibraryWalk:
    """The media files of one library, at the places that were noticed; it may be walked again and again."""

    def __init__(
        self, ledger: Ledger, library: Library, noticed: Noticed, excluded: Iterable[Path], unknown: UnknownFiles
    ) -> None:
        self._unknown = unknown
        self._ledger, self._library, self._noticed = ledger, library, noticed
        self._excluded = tuple(excluded)
        self._root = bytes_of(library.root)

    def folders(self) -> Iterator[tuple[str, list[FoundFile] | WalkProblem | StrayMedia]]:
        """The media files by their folders, as the walk meets these, what could not be looked at, and pictures and
        videos under other names.

        Raises:
            Unavailable: the root is not there.
        """
        for folder, group in itertools.groupby(self._entries(), key=lambda entry: folder_of(entry.path)):
            files: list[FoundFile] = []
            others: list[FoundFile] = []
            for entry in group:
                if isinstance(entry, WalkProblem):
                    yield folder, entry
                else:
                    is_wanted = _is_plain_media(entry) or is_sidecar(entry.path)
                    (files if is_wanted else others).append(entry)
            formats = self._formats(folder, others)
            files += [file for file in others if _is_of_its_name(file.path, formats)]
            for path, name in formats.items():
                if not _is_of_its_name(path, formats):
                    yield folder, StrayMedia(path, reason_of_name(path, name))
            if media := with_sidecars(files):
                yield folder, media

    def _formats(self, folder: str, others: Sequence[FoundFile]) -> Mapping[str, str]:
        return self._unknown.formats(self._library.id, self._root, folder, others) if others else {}

    def _entries(self) -> Iterator[FoundFile | WalkProblem]:
        """What the walk meets, of the places that were noticed."""
        if self._noticed.everything:
            yield from walk(self._root, self._excluded)
            return
        walk(self._root, self._excluded, deep=False)  # the root must be there, else everything looks gone
        folders, trees = self._noticed.places()
        for place, deep in [*((folder, False) for folder in folders), *((tree, True) for tree in trees)]:
            try:
                yield from walk(self._root, self._excluded, place, deep=deep)
            except NotFound:
                continue  # it went, with all that was in it
            except Unavailable as error:
                yield WalkProblem(place, str(error))

    def known(self, folder: str) -> Mapping[str, Media]:
        """The files of a folder that the tables know, missing ones too, by path."""
        with self._ledger.reading(WATCHER) as tables:
            return tables.media.in_folder(self._library.id, folder)

    def remembered(self, *, found_any: bool) -> Sequence[str]:
        """The folders in which files are known, at least all that were to be looked at; of the whole library where
        the walk `found_any` no file."""
        if found_any and not (self._noticed.everything or self._noticed.trees):
            return sorted(self._noticed.folders)
        with self._ledger.reading(WATCHER) as tables:
            return tables.media.folders_with_files(self._library.id)

    def is_empty_elsewhere(self, remembered: Iterable[str]) -> bool:
        """Whether nothing is left of a library of which a part was looked at: no other folder that is known has a
        media file."""
        others = (folder for folder in remembered if not self._noticed.concerns(folder))
        return not any(self._has_media(folder) for folder in others)

    def _has_media(self, folder: str) -> bool:
        try:
            found = walk(self._root, self._excluded, folder, deep=False)
        except (NotFound, Unavailable):
            return False
        files = [entry for entry in found if isinstance(entry, FoundFile)]
        if any(map(_is_plain_media, files)):
            return True
        formats = self._formats(folder, [*filterfalse(_is_plain_media, files)])
        return any(_is_of_its_name(path, formats) for path in formats)


def _is_plain_media(file: FoundFile) -> bool:
    """Whether a file's name alone says that it is a photo or video."""
    return kind_of(file.path) is not None and not is_shared_name(file.path)


def _is_of_its_name(path: str, formats: Mapping[str, str]) -> bool:
    """Whether a file is the video that its name says, though other programs' files have such names too."""
    return is_shared_name(path) and formats.get(path) == "mpegts"


class News:
    """Which files of one library are to be read, and how many that are merely outdated may be."""

    def __init__(
        self, library_id: int, noticed: Noticed, recent: RecentlyRead, *, full: bool, ffprobe: bool, most_outdated: int
    ) -> None:
        """`full` tries again what could not be read before, videos too where there is `ffprobe` by now; else at most
        `most_outdated` files are read for nothing but what more can be known of them."""
        self._library_id, self._noticed, self._recent = library_id, noticed, recent
        self._full, self._has_ffprobe = full, ffprobe
        self._again: set[int] = set()
        self._may_reread: float = math.inf if full else most_outdated

    def try_again(self, files: Iterable[Media], wanted: Callable[[Media], bool]) -> None:
        """Have read all the same those present files that are `wanted`: of all where the scan is full, else of those
        that were not decoded in time."""
        asked = (media for media in files if media.present and (self._full or media.problem == NOT_IN_TIME))
        self._again |= {media.id for media in asked if wanted(media)}

    def is_news(self, file: FoundFile, known: Media | None) -> bool:
        """Whether a file that was met, or a sidecar of it, is another one than is known."""
        if file.path in self._noticed.unfinished:
            return False
        if known is None or not known.present:
            return True
        if file.path in self._noticed.written and not self._recent.has(self._library_id, file):
            return True
        if known.id in self._again or (self._full and known.content_hash is None):
            return True
        if self._full and known.problem == NEEDS_FFMPEG and self._has_ffprobe:
            return True
        return (known.size, known.mtime_ns) != (file.size, file.mtime_ns) or _has_other_sidecars(file, known)

    def is_outdated(self, file: FoundFile, known: Media | None) -> bool:
        """Whether there is no news of a file, but more to be known than was when it was read."""
        wanted = self._noticed.everything and known is not None and known.is_outdated
        return wanted and not self.is_news(file, known)

    def to_reread(self, outdated: int) -> int:
        """How many of so many outdated files this scan reads."""
        return int(min(outdated, self._may_reread))

    def takes(self, file: FoundFile, known: Media | None) -> bool:
        """Whether a file is to be read now; an outdated one is, as long as the scan may read any, and then counts."""
        if self.is_news(file, known):
            return True
        if self._may_reread <= 0 or not self.is_outdated(file, known):
            return False
        self._may_reread -= 1
        return True


def _has_other_sidecars(file: FoundFile, known: Media) -> bool:
    """Whether the sidecars of a file are not as they were when it was read with them."""
    was_read_with_them = known.content_hash is not None and not known.is_outdated
    return was_read_with_them and known.sidecar != file.sidecar_state
