"""The ways through the photos that wait for face detection, each with its job and its operation."""

from __future__ import annotations

from typing import Final

import msgspec

from adapters.background.jobs import JobBoard, JobProgress
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.events.operation import LOOKED_AGAIN
from projections.queries.detection_backlog import BacklogPlace


class PassWords(msgspec.Struct, frozen=True):
    """What is said of a pass: the `title` of its job, the `text` of its operation, and the `kind` of both."""

    title: str
    kind: str
    text: str


FRESH: Final = PassWords("recognising faces", "detect", "looked for faces")
AGAIN: Final = PassWords(
    "looking at all photos again: the face model changed",
    LOOKED_AGAIN,
    "looked at all photos again, since the face model changed",
)


class DetectionPass:
    """One way through the photos that wait, the last taken first: with `again` those that an earlier model looked
    at, otherwise those that none did. What it records is one operation, which ends when the way does."""

    def __init__(self, ledger: Ledger, jobs: JobBoard, *, again: bool) -> None:
        self._ledger, self._jobs = ledger, jobs
        self.again = again
        self.words = AGAIN if again else FRESH
        self.reached: BacklogPlace | None = None
        """The photos before this place were looked at, or left, on this way."""
        self.is_over = False
        self.operation_id: int | None = None
        self.faces = 0
        self.counted_at: float | None = None
        """When the backlog was last counted for the progress; None where it is to be counted now."""
        self._photos = 0
        self._has_recorded = self._is_stale = False
        self._job: JobProgress | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is a job."""
        return self._job is not None

    def begin_anew(self) -> None:
        """Go from the top again."""
        self.reached, self.is_over = None, False
        self._has_recorded = self._is_stale = False

    def hear_news(self) -> None:
        """More may wait than was seen on this way: go it once more, at once where it is over."""
        if self.is_over:
            self.begin_anew()
        else:
            self._is_stale = True

    def come_to_the_end(self, left: int) -> None:
        """Nothing more waits below: go once more where anything was recorded or came meanwhile; else the way is over,
        and `left` photos wait for their files."""
        if self._has_recorded or self._is_stale:
            self.begin_anew()
            return
        self.is_over = True
        self._end(left)

    def recorded(self) -> None:
        """One photo more was looked at."""
        self._has_recorded = True
        self._photos += 1
        if self._job is None:
            self._job = self._jobs.begin(self.words.kind, self.words.title, self._photos)
        total = self._job.job.total
        self._job.at(self._photos, None if total is None or total < self._photos else total)

    def count(self, due: int, note: str | None = None) -> None:
        """Show how much is still due; `note` says why it does not go on now."""
        if self._job is None:
            self._job = self._jobs.begin(self.words.kind, self.words.title, due)
        self._job.at(self._photos, self._photos + due, note, waiting=note is not None)

    def wait(self, reason: str) -> None:
        """Say why it does not go on."""
        if self._job is not None:
            self._job.at(self._photos, self._job.job.total, reason, waiting=True)

    def _end(self, left: int) -> None:
        text = f"found {self.faces} faces on {self._photos} photos"
        if self.again:
            text = f"{self.words.text}: {self._photos} photos, with {self.faces} new faces"
        if self.operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=self.operation_id) as uow:
                uow.end(text)
        if self._job is not None:
            self._job.end(f"{text}; {left} wait for their files" if left else text)
        self._job = self.operation_id = self.counted_at = None
        self._photos = self.faces = 0
