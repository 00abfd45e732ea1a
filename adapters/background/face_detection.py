"""Finds the faces on the photos that the current model has not looked at, some at a time, the whole backlog as one
operation.

Which photos those are, the tables say: no checkpoint is kept, and a step may be repeated, since what it found is
checked again inside the write transaction. A photo whose file is not to be had now is left for the next pass; one of
which there can never be a picture is marked as failed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.background.jobs import JobBoard, JobProgress
from adapters.media.gallery import Gallery
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.base.paths import shown
from domain.commands.detection import mark_failed, record_detection, wants_embedding
from domain.events.library import LibraryRestored
from domain.events.media import Media, MediaChanged, MediaDiscovered, MediaMoved, MediaReturned
from domain.ports.face_engine import Detection, Embedding, FaceEngine, Likeness, Resemblance

log = logging.getLogger(__name__)
DETECTION_BATCH = 32
COUNT_SECONDS = 10.0
"""How often the backlog is counted anew for the progress that is shown: a scan may add to it."""

Found = tuple[Detection | str, dict[int, Embedding]]
"""What a look at one photo gave: the detection, or why there can never be one; and embeddings for faces that stay."""


class DetectsFaces:
    """Finds the faces on every photo that the current model has not looked at yet."""

    TOPICS = tuple(e.topic for e in (MediaDiscovered, MediaChanged, MediaMoved, MediaReturned, LibraryRestored))

    def __init__(
        self, ledger: Ledger, engine: FaceEngine, gallery: Gallery, jobs: JobBoard, *, at_once: int, likeness: Likeness
    ) -> None:
        """`at_once` photos are looked at by the engine at a time."""
        self._ledger, self._engine, self._gallery, self._jobs = ledger, engine, gallery, jobs
        self._likeness = likeness
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="detect")
        self._at_once = at_once
        self._stopping = threading.Event()
        self._after = 0
        self._recorded = 0
        self._looked_at = -1
        self._deferred = True
        self._model = ""
        self._job: JobProgress | None = None
        self._counted_at = 0.0
        self._operation_id: int | None = None
        self._photos = self._faces = 0

    def step(self) -> bool:
        """Detect on some photos; whether there may be more. The whole backlog is one operation.

        Raises:
            Unavailable: the engine cannot answer now; nothing was marked.
        """
        try:
            model = self._engine.model_version
        except Unavailable as error:
            self._wait(str(error))
            raise
        if self._after == 0 and not self._has_news(model):
            self._end()
            return False
        with self._ledger.reading(WATCHER) as tables:
            waiting = tables.detection_backlog.waiting(model, self._after, DETECTION_BATCH)
            if waiting and time.monotonic() - self._counted_at > COUNT_SECONDS:
                self._count(tables.faces.stats(model).pending)
        if not waiting:
            again = self._recorded > 0
            self._after = self._recorded = 0
            if not again:
                self._end()
            return again
        self._detect(model, list({media.content_hash: media for media in waiting}.values()))
        self._after = waiting[-1].id
        return True

    def _has_news(self, model: str) -> bool:
        """Whether files came, some were deferred, or the model changed since the last pass over all photos began."""
        head = self._ledger.head()
        news = self._deferred or model != self._model or bool(self._ledger.events(self._looked_at, 1, self.TOPICS))
        self._looked_at, self._deferred, self._model = head, False, model
        return news

    def ask_to_stop(self) -> None:
        """End the step under way: the engine gives up the photos that are being looked at, however slow it is; they
        are looked at again after the next start."""
        self._stopping.set()
        self._engine.close()

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _detect(self, model: str, photos: Sequence[Media]) -> None:
        """Detect on photos, `at_once` at a time, and record each as it comes; the first trouble of the engine ends the
        batch."""
        trouble: Unavailable | None = None
        looks = [(media, self._threads.submit(self._look, media)) for media in photos]
        for media, look in looks:
            if (trouble is not None or self._stopping.is_set()) and look.cancel():
                self._deferred = True
                continue
            try:
                found = look.result()
                if found is None:
                    self._deferred = True
                    continue
                lacks_vectors = self._record(media, model, found)
                self._tell()
                if lacks_vectors and (again := self._look(media)) is not None:
                    self._record(media, model, again)
            except Unavailable as error:
                trouble = trouble or error
        if trouble is not None:
            self._deferred = True
            self._wait(str(trouble))
            raise trouble

    def _look(self, media: Media) -> Found | None:
        """The engine's part, outside of any transaction: what is on the photo, and embeddings for old faces that stay;
        None where the file is not to be had now."""
        try:
            picture = self._gallery.preview(media)
        except Unreadable as error:
            return str(error), {}
        except (NotFound, Unavailable) as error:
            log.info("%s is left for later: %s", shown(media.path), error)
            return None
        try:
            detection = self._engine.detect(picture)
        except Unreadable as error:
            return str(error), {}
        with self._ledger.reading(WATCHER) as tables:
            faces = tables.faces.on_content(media.content_hash or b"")
        embedded = {}
        for face in wants_embedding(faces, detection):
            try:
                embedded[face.id] = self._engine.embed(picture, face.box)
            except Unreadable as error:
                log.info("face %s has no embedding of %s: %s", face.id, detection.model_version, error)
        return detection, embedded

    @property
    def _resemblance(self) -> Resemblance:
        return Resemblance.of(self._likeness, self._engine.thresholds)

    def _record(self, media: Media, model: str, found: Found) -> bool:
        """Record a look at a photo; whether faces stand there now that have no vector of this model, since they were
        drawn again just now."""
        detection, embedded = found
        content = media.content_hash or b""
        with self._ledger.transaction(WATCHER, operation_id=self._operation_id) as uow:
            self._operation_id = uow.begin("detect", "looked for faces")
            if isinstance(detection, str):
                log.warning("no faces can be looked for on %s: %s", shown(media.path), detection)
                mark_failed(uow, content, model, detection)
                return False
            self._faces += record_detection(uow, content, detection, self._resemblance, embedded)
            return bool(wants_embedding(uow.faces.on_content(content), detection))

    def _tell(self) -> None:
        self._recorded += 1
        self._photos += 1
        if self._job is not None:
            total = self._job.job.total
            self._job.at(self._photos, None if total is None or total < self._photos else total)

    def _count(self, pending: int) -> None:
        """Show how much is due: what waits, and what a scan that goes on has still to read, videos among it."""
        self._counted_at = time.monotonic()
        scans = [job for job in self._jobs.progress() if job.kind == "scan" and job.state != "done"]
        due = pending + sum((job.total or job.done) - job.done for job in scans)
        if self._job is None:
            self._job = self._jobs.begin("detect", "recognising faces", due)
        self._job.at(self._photos, self._photos + due)

    def _wait(self, reason: str) -> None:
        if self._job is not None:
            self._job.at(self._photos, self._job.job.total, reason, waiting=True)

    def _end(self) -> None:
        if self._job is None:
            return
        text = f"found {self._faces} faces on {self._photos} photos"
        if self._operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=self._operation_id) as uow:
                uow.end(text)
        self._job.end(text)
        self._job = self._operation_id = None
        self._counted_at = 0.0
        self._photos = self._faces = 0
