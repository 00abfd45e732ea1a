"""The scan of one library: what is new, changed, moved, missing or back, found by looking and recorded in batches.

A scan walks twice. The first walk (`scan_survey`) compares names, sizes and times with the tables, folder by folder,
and learns how much there is to read and which files are gone; the second (`scan_reading`) reads. Memory stays flat, the
progress has a total, and a moved file is known to have left its old place before its new one is recorded
(`scan_recording`). Nothing is kept between the walks but ids of files that are gone or to be tried again, so an
interrupted scan goes on with the next one.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from adapters.background.scan_likeness import Likenesses, Places, nothing_is_alike
from adapters.background.scan_news import LibraryWalk, News
from adapters.background.scan_reading import Reading, ReadMedia
from adapters.background.scan_recording import BATCH_FILES, EDITED_FILES, ScanRecording
from adapters.background.scan_survey import Survey
from adapters.files.known_roots import KnownRoots
from adapters.files.recently_read import RecentlyRead
from adapters.files.scan_report import Report, ScanReport
from adapters.files.unknown_files import UnknownFiles
from adapters.media.magic import format_of_stray
from adapters.store.ledger import Ledger
from domain.events.library import Library
from domain.events.media import Media
from domain.ports.watching import Noticed

SETTLE_SECONDS: Final = 2.0
"""A file that was written more recently than this may be half of itself: it is read at the end of the scan, if by then
it has stood still that long, and otherwise by the next one."""
NOTICED_SETTLE_SECONDS: Final = 0.5
"""The same where each end of writing is noticed: what is read too early is read again."""
OUTDATED_FILES: Final = 1000
"""Files of which more can be known since an update that a quick scan reads again: what is new does not wait for all."""
EVERYTHING: Final = Noticed(everything=True)


def _is_ffprobe_here() -> bool:
    return shutil.which("ffprobe") is not None


class Scanner:
    """Scans libraries; one scan of a library at a time is the caller's promise. Blocking."""

    def __init__(
        self,
        ledger: Ledger,
        read: ReadMedia,
        excluded: Sequence[Path],
        *,
        settle_seconds: float = SETTLE_SECONDS,
        try_again: Callable[[Media], bool] = lambda _: False,
        most_outdated: int = OUTDATED_FILES,
        recent: RecentlyRead | None = None,
        roots: KnownRoots | None = None,
        has_ffprobe: Callable[[], bool] = _is_ffprobe_here,
        unknown: UnknownFiles | None = None,
        places: Places = nothing_is_alike,
        faces_follow: bool = True,
        batch_files: int = BATCH_FILES,
        edited_files: int = EDITED_FILES,
    ) -> None:
        """`try_again` says, once, of a file that has no picture whether a full scan is to read it all the same;
        `most_outdated` files of which more can be known are read again by a quick scan. `roots` knows which folder
        stood at the root of each library, `unknown` tells pictures and videos under other names. `places` says how a
        picture shows an older one; with `faces_follow` what is new is looked at for faces later. `batch_files` are
        recorded at once, and `edited_files` of those that were saved anew."""
        self._roots = KnownRoots() if roots is None else roots
        self._ledger, self._read, self._excluded = ledger, read, tuple(excluded)
        self._settle_seconds, self._try_again, self._most_outdated = settle_seconds, try_again, most_outdated
        self._recent = RecentlyRead() if recent is None else recent
        self._has_ffprobe = has_ffprobe
        self._likenesses, self._faces_follow = Likenesses(ledger, places), faces_follow
        self._batch_files, self._edited_files = batch_files, edited_files
        self._unknown = UnknownFiles(format_of_stray) if unknown is None else unknown

    def scan(
        self,
        library: Library,
        *,
        full: bool = False,
        noticed: Noticed | None = None,
        report: Report | None = None,
        stopping: Callable[[], bool] = lambda: False,
        accept_missing: bool = False,
        operation_id: int | None = None,
    ) -> ScanReport:
        """Bring the tables up to what is on the disk; a `full` scan also tries again what could not be read before.

        Only what was `noticed` is looked at, where that is given, and its written files are read whatever their size
        and time say. With `accept_missing` what is gone is believed to be deleted, be it everything.
        `report` is called as numbers change, `stopping` says when to leave off after the current batch. What is found
        is added to the operation that asked for the scan, where one did, or else begins one.

        Raises:
            Unavailable: the root is missing: nothing is marked as removed.
            Held: it is empty where files are known, or shows so little of them that it is rather another disk.
        """
        noticed, report = noticed or EVERYTHING, report or (lambda _: None)
        done = ScanReport(problems=[], operation_id=operation_id)
        with ScanRecording(
            self._ledger,
            library,
            self._likenesses,
            done,
            report,
            written=noticed.written,
            faces_follow=self._faces_follow,
            batch_files=self._batch_files,
            edited_files=self._edited_files,
        ) as recording:
            walk = LibraryWalk(self._ledger, library, noticed, self._excluded, self._unknown)
            news = self._news(library, noticed, full=full)
            another = self._roots.is_another(library)
            survey = Survey(
                self._ledger,
                library,
                noticed,
                walk,
                news,
                full=full,
                another_folder=another,
                accept_missing=accept_missing,
            )
            began = time.monotonic()
            survey.run(done, report, self._try_again, stopping)
            done.surveyed = True
            report(done)
            done.looked = time.monotonic() - began
            recording.expect(survey.gone, survey.changing, survey.touched)
            if done.to_read:
                settle = self._settle_seconds_of(noticed)
                reading = Reading(
                    self._read, self._recent, library, noticed, recording, settle_seconds=settle, stopping=stopping
                )
                reading.run(walk, news, done)
                if not stopping():  # else those that changed places are met again by the next scan
                    recording.record_held()
            if survey.gone and not stopping():
                recording.record_missing()
            recording.zone_videos(stopping, full=full)
            recording.link_bursts(stopping)
        if noticed.everything and not stopping():
            self._roots.remember(library)
        return done

    def _news(self, library: Library, noticed: Noticed, *, full: bool) -> News:
        has_ffprobe, most_outdated = self._has_ffprobe(), self._most_outdated
        return News(library.id, noticed, self._recent, full=full, ffprobe=has_ffprobe, most_outdated=most_outdated)

    def _settle_seconds_of(self, noticed: Noticed) -> float:
        if noticed.everything:
            return self._settle_seconds
        return min(self._settle_seconds, NOTICED_SETTLE_SECONDS)
