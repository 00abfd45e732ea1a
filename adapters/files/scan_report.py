"""What one scan of a library did."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from adapters.files.walk import WalkProblem


class ScanReport(msgspec.Struct):
    """What one scan did, in numbers; `looked` is how many seconds it took to find what there is to read, `problems` are
    folders and files that could not be looked at, with the reason; `trouble` is why files were left for the next scan,
    where that is not that they are still being written; `surveyed` says that `to_read` is all that there is to read;
    `outdated` says how many files are left to be read because more can be known of them than an earlier version did."""

    looked: float = 0.0
    found: int = 0
    to_read: int = 0
    read: int = 0
    discovered: int = 0
    changed: int = 0
    again: int = 0
    moved: int = 0
    missing: int = 0
    in_bursts: int = 0
    outdated: int = 0
    deferred: int = 0
    problems: list[WalkProblem] = []
    trouble: str | None = None
    surveyed: bool = False
    operation_id: int | None = None

    def text(self, library: str) -> str:
        """The scan in one line of plain words."""
        parts = [("new", self.discovered), ("changed", self.changed), ("moved", self.moved), ("missing", self.missing)]
        parts += [("read again", self.again), ("in bursts", self.in_bursts)]
        counts = ", ".join(f"{count} {word}" for word, count in parts if count) or "nothing changed"
        return f"scanned {library}: {counts}"


Report = Callable[[ScanReport], None]
