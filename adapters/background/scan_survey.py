"""The first walk of a scan: how much there is to read, and which files are no longer where they were."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from adapters.background.scan_news import LibraryWalk, News, StrayMedia
from adapters.files.scan_report import Report, ScanReport
from adapters.files.walk import FoundFile, WalkProblem
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import Held
from domain.base.paths import shown
from domain.events.library import Library
from domain.events.media import Media
from domain.ports.watching import Noticed

log = logging.getLogger(__name__)

MANY_GONE: Final = 20
"""So many files, if they are more than half of a library, are not taken for deleted where another disk stands there."""
_SAY_SO: Final = (
    "is its disk mounted? Nothing was marked as removed. If they were really deleted, say so under Status, or by "
    "`imageapi scan --accept-missing`"
)
MOST_PROBLEMS: Final = 1000
"""Of one scan that are told of: a folder of somebody's cache may hold any number of pictures without names."""


class Survey:
    """One first walk; `gone` are the ids of files that are not where they were, `changing` of those that are to be read
    since they changed, `touched` the folders that any left, or in a full scan all."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        noticed: Noticed,
        walk: LibraryWalk,
        news: News,
        *,
        full: bool,
        another_folder: bool = False,
        accept_missing: bool = False,
    ) -> None:
        """`another_folder` says that not the one stands at the root that did; with `accept_missing` files are believed
        to be deleted however many they are."""
        self._another_folder, self._accept_missing = another_folder, accept_missing
        self._ledger, self._library, self._noticed = ledger, library, noticed
        self._walk, self._news, self._full = walk, news, full
        self.gone: set[int] = set()
        self.changing: set[int] = set()
        self.touched: set[str] = set()
        self._met: set[str] = set()
        self._unknown: list[str] = []

    def run(
        self,
        done: ScanReport,
        report: Report,
        try_again: Callable[[Media], bool],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Count into `done`, and `report` it after each folder; `try_again` says what a full scan is to read all the
        same. Nothing is known to be gone where it is `stopping` before the end.

        Raises:
            Unavailable: the root is missing.
            Held: it is empty where files are known, or shows so little of them that another disk stands there.
        """
        for folder, found in self._walk.folders():
            if stopping():
                self.gone = set()
                return
            if isinstance(found, WalkProblem):
                self._unknown.append(found.path)
                done.problems.append(found)
                log.warning("%s: %s", shown(os.path.join(self._library.root, found.path)), found.reason)
                continue
            if isinstance(found, StrayMedia):
                if len(done.problems) < MOST_PROBLEMS:
                    done.problems.append(WalkProblem(found.path, found.reason))
                continue
            known = self._walk.known(folder)
            self._news.try_again(known.values(), try_again)
            self._count(folder, found, known, done)
            report(done)
        self._look_for_folders(self._walk.remembered(found_any=bool(done.found)), done)
        again = self._news.to_reread(done.outdated)
        done.to_read, done.outdated = done.to_read + again, done.outdated - again
        self.gone = self._without_unknown()
        if self.gone and not self._accept_missing:
            self._require_believable(done.found)

    def _count(self, folder: str, found: Sequence[FoundFile], known: Mapping[str, Media], done: ScanReport) -> None:
        self._met.add(folder)
        done.found += len(found)
        news = [file.path for file in found if self._news.is_news(file, known.get(file.path))]
        done.to_read += len(news)
        self.changing |= {known[path].id for path in news if path in known and known[path].present}
        done.outdated += sum(self._news.is_outdated(file, known.get(file.path)) for file in found)
        here = {file.path for file in found}
        went = {media.id for media in known.values() if media.present and media.path not in here}
        self.gone |= went
        if went or self._full:
            self.touched.add(folder)

    def _look_for_folders(self, remembered: Sequence[str], done: ScanReport) -> None:
        """Take all files of those folders for gone that were to be looked at and not met."""
        if not self._accept_missing and not done.found and remembered and self._is_bare(remembered):
            raise Held(f"the folder {shown(self._library.root)} is empty, though files are known in it: {_SAY_SO}")
        for folder in remembered:
            if folder not in self._met and self._noticed.concerns(folder):
                self.gone.update(media.id for media in self._walk.known(folder).values() if media.present)

    def _require_believable(self, found: int) -> None:
        """Raises `Held` where what is gone looks rather like another disk, or none, in the place of the library's.

        Of a library whose files are all gone at once at least half as many have to stand there under other names: fewer
        are strays in an empty mount point.
        """
        with self._ledger.reading(WATCHER) as tables:
            known = tables.media.count_present(self._library.id)
        gone = len(self.gone)
        nothing_left = gone >= known and (self._another_folder or 2 * found < gone)
        if nothing_left or (self._another_folder and gone >= MANY_GONE and 2 * gone > known):
            where = " and another folder or disk stands there" if self._another_folder else ""
            raise Held(
                f"{gone} of the {known} files of {self._library.name} are gone at once from "
                f"{shown(self._library.root)}{where}: {_SAY_SO}"
            )

    def _is_bare(self, remembered: Sequence[str]) -> bool:
        return self._noticed.everything or self._walk.is_empty_elsewhere(remembered)

    def _without_unknown(self) -> set[int]:
        """What is gone without the files at or below places that could not be looked at: those may be there."""
        if not self._unknown or not self.gone:
            return self.gone
        with self._ledger.reading(WATCHER) as tables:
            files = {id_: tables.media.find(id_) for id_ in self.gone}
        hidden = tuple(f"{path}/" for path in self._unknown)

        def may_be_there(media: Media | None) -> bool:
            if media is None or "" in self._unknown:
                return True
            return media.path in self._unknown or media.path.startswith(hidden)

        return {id_ for id_, media in files.items() if not may_be_there(media)}
