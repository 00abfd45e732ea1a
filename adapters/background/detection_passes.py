"""The ways through the photos that wait for face detection, each with its job and its operation."""

from __future__ import annotations

from typing import Final

import msgspec

from adapters.background.jobs import JobBoard, JobProgress
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.events.face import faces_in_words
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
    at, otherwise those that none did. What it records is one operation, which ends when the way does.

    The first way is through all of them; later ones are `among` the files of which there is news, since to ask which of
    a million photos wait takes seconds.
    """

    def __init__(self, ledger: Ledger, jobs: JobBoard, *, again: bool) -> None:
        self._ledger, self._jobs = ledger, jobs
        self.again = again
        self.words = AGAIN if again else FRESH
        self.reached: BacklogPlace | None = None
        """The photos before this place were looked at, or left, on this way."""
        self.is_over = False
        self.operation_id: int | None = None
        self.faces = 0
        self.count_at = 0.0
        """When the backlog is counted anew for the progress."""
        self.among: frozenset[int] | None = None
        """The files through which it goes; None means all."""
        self._heard: frozenset[int] | None = frozenset()
        """Files of which there came news meanwhile; None means all."""
        self._photos = 0
        self._job: JobProgress | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is a job."""
        return self._job is not None

    def begin_anew(self, among: frozenset[int] | None = None) -> None:
        """Go from the top again, through all photos or `among` these files."""
        self.reached, self.is_over, self.among = None, False, among
        self._heard = frozenset()

    def hear_of(self, files: frozenset[int] | None) -> None:
        """These files may wait, or any where None: go through them, at once where the way is over."""
        if self.is_over:
            self.begin_anew(files)
        else:
            self._heard = None if files is None or self._heard is None else self._heard | files

    def come_to_the_end(self, left: int) -> None:
        """Nothing more waits below: go through what there was news of meanwhile; else the way is over, and `left`
        photos wait for their files."""
        if self._heard is None or self._heard:
            self.begin_anew(self._heard)
            return
        self.is_over = True
        self._end(left)

    def recorded(self) -> None:
        """One photo more was looked at."""
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
        photos = f"{self._photos} photo{'' if self._photos == 1 else 's'}"
        text = f"found {faces_in_words(self.faces)} on {photos}"
        if self.again:
            text = f"{self.words.text}: {photos}, with {self.faces} new face{'' if self.faces == 1 else 's'}"
        if self.operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=self.operation_id) as uow:
                uow.end(text)
        if self._job is not None:
            waiting = "1 waits for its file" if left == 1 else f"{left} wait for their files"
            self._job.end(f"{text}; {waiting}" if left else text)
        self._job = self.operation_id = None
        self.count_at, self._photos, self.faces = 0.0, 0, 0
