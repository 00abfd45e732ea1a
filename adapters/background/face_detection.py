"""Finds the faces on the photos that the current model has not looked at, some at a time, the whole backlog as one
operation.

Which photos those are, the tables say: no checkpoint is kept, and a step may be repeated, since what it found is
checked again inside the write transaction. Photos that no model looked at come first, then those that an earlier one
did, of both the last taken first: when the model changes, all are looked at again while new ones pass them by. A photo
whose file is not to be had now is left for a later pass, with the vectors that its faces have; one of which there can
never be a picture is marked as failed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from adapters.background.detection_passes import DetectionPass
from adapters.background.jobs import JobBoard
from adapters.media.gallery import Gallery
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import NotFound, Unavailable, Unreadable
from domain.base.paths import shown
from domain.commands.detection import mark_failed, record_detection, wants_embedding
from domain.commands.earlier_vectors import take_up_vectors
from domain.events.face import FaceWithdrawn
from domain.events.library import LibraryRestored
from domain.events.media import Media, MediaChanged, MediaDiscovered, MediaMoved, MediaReturned
from domain.ports.face_engine import Detection, Embedding, FaceEngine, Likeness, Resemblance
from projections.queries.detection_backlog import BacklogPlace
from projections.queries.reading import Lookups

log = logging.getLogger(__name__)
DETECTION_BATCH: Final = 32
COUNT_SECONDS: Final = 10.0
"""How often the backlog is counted anew for the progress that is shown: a scan may add to it."""
COUNTING_SHARE: Final = 50
"""And never for more than one in so many seconds: of a million photos it takes some."""
NEW_FIRST: Final = "new photos come first"
OF_ONE_FILE: Final = (MediaDiscovered, MediaChanged, MediaMoved, MediaReturned)
"""Events that tell of a file that may wait."""
MOST_NEWS: Final = 5000
"""Events beyond which all photos are asked for."""
RETRY_SECONDS: Final = 30.0
"""After so long a file that was not to be had is asked for again."""


class LookAtPhoto(msgspec.Struct, frozen=True):
    """What a look at one photo gave: the `detection`, or why there can never be one; and of the old faces that stay
    without being found, who was `tried`, and the vectors of those that the model could use."""

    detection: Detection | str
    tried: Collection[int] = ()
    embedded: Mapping[int, Embedding] = {}


class DetectsFaces:
    """Finds the faces on every photo that the current model has not looked at yet."""

    TOPICS = tuple(e.topic for e in (*OF_ONE_FILE, LibraryRestored, FaceWithdrawn))

    def __init__(
        self,
        ledger: Ledger,
        engine: FaceEngine,
        gallery: Gallery,
        jobs: JobBoard,
        *,
        at_once: int,
        likeness: Likeness,
        away: Callable[[], Collection[int]] = tuple,
        retry_seconds: float = RETRY_SECONDS,
        batch: int = DETECTION_BATCH,
    ) -> None:
        """`at_once` photos are looked at by the engine at a time, and `batch` are taken at once; `away` tells the
        libraries whose folders are not to be had now."""
        self._ledger, self._engine, self._gallery, self._jobs = ledger, engine, gallery, jobs
        self._likeness, self._away, self._retry_seconds, self._batch = likeness, away, retry_seconds, batch
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="detect")
        self._stopping = threading.Event()
        self._fresh, self._again = (DetectionPass(ledger, jobs, again=again) for again in (False, True))
        self._left: dict[int, float] = {}
        """The files that were not to be had, and when each is asked for again."""
        self._known_away: set[int] = set()
        """Those among the files that were not to be had when they were last asked for: no news for whoever watches."""
        self._looked_at = -1
        self._model = ""
        self._were_away: frozenset[int] = frozenset()
        self._former: bool | None = None
        """Whether the model is one of before, to which somebody goes back; None where that was not asked yet."""

    def step(self) -> bool:
        """Detect on some photos; whether there may be more. What one pass records is one operation.

        Raises:
            Unavailable: the engine cannot answer now; nothing was marked.
        """
        try:
            model = self._engine.model_version
        except Unavailable as error:
            self._wait(str(error))
            raise
        self._hear_news(model)
        for way in (self._fresh, self._again):
            if way.is_over:
                continue
            photos, reached = self._next(way, model)
            if photos:
                self._detect(way, model, photos)
                way.reached = reached
                return True
            way.come_to_the_end(len(self._left))
            if not way.is_over:
                return True
        return False

    def _hear_news(self, model: str) -> None:
        """Tell the passes where files came, some are due again, or the model changed."""
        head, now, away = self._ledger.head(), time.monotonic(), frozenset(self._away())
        due = {media for media, until in self._left.items() if until <= now}
        for media in due:
            del self._left[media]
        files = None if self._were_away - away else self._files_of_news(due)
        for way in (self._fresh, self._again):
            if model != self._model:
                way.begin_anew()
            elif files is None or files:
                way.hear_of(files)
        if model != self._model:
            self._left.clear()
            self._known_away.clear()
            self._former = None
        self._looked_at, self._model, self._were_away = head, model, away

    def _files_of_news(self, due: Collection[int]) -> frozenset[int] | None:
        """The files that are `due`, and those that the events since the last step tell of; None where these are too
        many to name, or may be about any."""
        news = [recorded.event for recorded in self._ledger.events(self._looked_at, MOST_NEWS, self.TOPICS)]
        of_files = [event.media_id for event in news if isinstance(event, OF_ONE_FILE)]
        if len(news) == MOST_NEWS or len(of_files) < len(news):
            return None
        return frozenset({*due, *of_files})

    def _next(self, way: DetectionPass, model: str) -> tuple[Sequence[Sequence[Media]], BacklogPlace | None]:
        """Photos that come next on this way, each with all of its files among them, and the place that is then
        reached."""
        reached, away = way.reached, self._away()
        with self._ledger.reading(WATCHER) as tables:
            while True:
                waiting = tables.detection_backlog.waiting(
                    model, self._batch, again=way.again, after=reached, away=away, among=way.among
                )
                by_content: dict[bytes, list[Media]] = {}
                for _, media in waiting:
                    if media.id not in self._left:
                        by_content.setdefault(media.content_hash or b"", []).append(media)
                if waiting:
                    reached, _ = waiting[-1]
                if by_content or not waiting:
                    break
            is_news = any(media.id not in self._known_away for files in by_content.values() for media in files)
            if (is_news or way.is_shown) and time.monotonic() >= way.count_at:
                self._count(way, tables, model, away)
        return list(by_content.values()), reached

    def _count(self, way: DetectionPass, tables: Lookups, model: str, away: Collection[int]) -> None:
        """Show how much is due: what waits, and what a scan that goes on has still to read, videos among it."""
        began = time.monotonic()
        waiting = tables.detection_backlog.counts(model, away, way.among)
        way.count_at = time.monotonic() + max(COUNT_SECONDS, COUNTING_SHARE * (time.monotonic() - began))
        if way.again:
            way.count(waiting.again)
            return
        scans = [job for job in self._jobs.progress() if job.kind == "scan" and job.state != "done"]
        way.count(waiting.fresh + sum((job.total or job.done) - job.done for job in scans))
        if way.among is not None:
            self._again.wait(NEW_FIRST)
        elif waiting.again:
            self._again.count(waiting.again, NEW_FIRST)

    def ask_to_stop(self) -> None:
        """End the step under way: the engine gives up the photos that are being looked at, however slow it is; they
        are looked at again after the next start."""
        self._stopping.set()
        self._engine.close()

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _detect(self, way: DetectionPass, model: str, photos: Sequence[Sequence[Media]]) -> None:
        """Detect on photos, `at_once` at a time, and record each as it comes; the first trouble of the engine ends the
        batch."""
        trouble: Unavailable | None = None
        if way.again and self._was_here(model):
            photos = [files for files in photos if not self._take_up(way, files[0], model)]
        looks = [(files, self._threads.submit(self._look, files)) for files in photos]
        for files, look in looks:
            if (trouble is not None or self._stopping.is_set()) and look.cancel():
                continue
            try:
                found = look.result()
                if found is None:
                    self._leave(files)
                    continue
                self._known_away -= {media.id for media in files}
                lacking = self._record(way, files[0], model, found)
                way.recorded()
                if not lacking <= {*found.tried} and (again := self._look(files)) is not None:
                    self._record(way, files[0], model, again)
            except Unavailable as error:
                trouble = trouble or error
        if trouble is not None:
            self._wait(str(trouble))
            raise trouble

    def _was_here(self, model: str) -> bool:
        """Whether this model looked at photos before another one did, as far as the log has vectors of it."""
        if self._former is None:
            with self._ledger.reading(WATCHER) as tables:
                self._former = tables.faces.knows_model(model)
        return self._former

    def _take_up(self, way: DetectionPass, media: Media, model: str) -> bool:
        """Give the faces of a photo the vectors that this model once made of them; whether there is one for each."""
        with self._ledger.transaction(WATCHER, operation_id=way.operation_id) as uow:
            way.operation_id = uow.begin(way.words.kind, way.words.text)
            is_taken_up = take_up_vectors(uow, media.content_hash or b"", model)
        if is_taken_up:
            way.recorded()
        return is_taken_up

    def _leave(self, files: Sequence[Media]) -> None:
        """Ask for these files again later."""
        ids = [media.id for media in files]
        self._left |= dict.fromkeys(ids, time.monotonic() + self._retry_seconds)
        self._known_away.update(ids)

    def _look(self, files: Sequence[Media]) -> LookAtPhoto | None:
        """The engine's part, outside of any transaction: what is on the photo that one of these files holds, and
        embeddings for old faces that stay; None where none of the files is to be had now."""
        try:
            picture = self._preview(files)
            if picture is None:
                return None
            detection = self._engine.detect(picture)
        except Unreadable as error:
            return LookAtPhoto(str(error))
        with self._ledger.reading(WATCHER) as tables:
            faces = tables.faces.on_content(files[0].content_hash or b"")
        wanting, embedded = wants_embedding(faces, detection), dict[int, Embedding]()
        for face in wanting:
            try:
                embedded[face.id] = self._engine.embed(picture, face.box)
            except Unreadable as error:
                log.info("face %s has no embedding of %s: %s", face.id, detection.model_version, error)
        return LookAtPhoto(detection, {face.id for face in wanting}, embedded)

    def _preview(self, files: Sequence[Media]) -> bytes | None:
        for media in files:
            try:
                return self._gallery.preview(media)
            except (NotFound, Unavailable) as error:
                log.info("%s is left for later: %s", shown(media.path), error)
        return None

    @property
    def _resemblance(self) -> Resemblance:
        return Resemblance.of(self._likeness, self._engine.thresholds)

    def _record(self, way: DetectionPass, media: Media, model: str, look: LookAtPhoto) -> set[int]:
        """Record a look at a photo; the faces that stand there now without a vector of this model, since it could not
        use them, or they were drawn again just now."""
        detection, content = look.detection, media.content_hash or b""
        with self._ledger.transaction(WATCHER, operation_id=way.operation_id) as uow:
            way.operation_id = uow.begin(way.words.kind, way.words.text)
            if isinstance(detection, str):
                log.warning("no faces can be looked for on %s: %s", shown(media.path), detection)
                mark_failed(uow, content, model, detection)
                return set()
            way.faces += record_detection(uow, content, detection, self._resemblance, look.embedded)
            return {face.id for face in wants_embedding(uow.faces.on_content(content), detection)}

    def _wait(self, reason: str) -> None:
        for way in (self._fresh, self._again):
            way.wait(reason)
