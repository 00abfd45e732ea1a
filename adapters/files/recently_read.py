"""Which files were read a moment ago, so that what is noticed late is not read twice."""

from __future__ import annotations

import time
from typing import Final

from adapters.files.walk import FoundFile
from domain.commands.media import ReadFile
from domain.events.media import Media

MOST: Final = 20_000
"""Files that are remembered, some 5 MB; of one that is forgotten the only cost is a second reading."""
TICK_NS: Final = 50_000_000
"""A file that changed later than this before it was met may change again within the same tick of its file system's
clock, which is 4 to 10 ms long: of such a one nothing is concluded."""


class RecentlyRead:
    """The state, as inode and time of change of the inode, in which files were met before they were read last."""

    def __init__(self, most: int = MOST, tick_ns: int = TICK_NS) -> None:
        self._most, self._tick_ns = most, tick_ns
        self._states: dict[tuple[int, str], tuple[int, int]] = {}

    def remember(self, library_id: int, file: FoundFile) -> None:
        """This file was met just now and is read next."""
        key = (library_id, file.path)
        self.forget(library_id, file)
        if time.time_ns() - file.ctime_ns > self._tick_ns:
            self._states[key] = (file.inode, file.ctime_ns)
        if len(self._states) > self._most:
            del self._states[next(iter(self._states))]

    def forget(self, library_id: int, file: FoundFile) -> None:
        """Reading it did not succeed."""
        self._states.pop((library_id, file.path), None)

    def has(self, library_id: int, file: FoundFile) -> bool:
        """Whether the file was read since it was written, renamed or changed in any way."""
        return self._states.get((library_id, file.path)) == (file.inode, file.ctime_ns)


def tells_nothing(read: ReadFile, known: Media) -> bool:
    """Whether a file was read as it is known already."""
    facts = read.facts
    now = (read.content_hash, facts.size, facts.mtime_ns, facts.problem, facts.sidecar, True)
    was = (known.content_hash, known.size, known.mtime_ns, known.problem, known.sidecar, known.present)
    return now == was and facts.reading <= known.reading
