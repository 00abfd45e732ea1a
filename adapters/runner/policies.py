"""The server's own work after a commit: thumbnails, detection and autobind, each at its own pace and on its own
checkpoint.

Nothing here runs during a replay. Every step may be repeated: what was done is seen in the tables or on the disk, and
checked again inside the write transaction. Work that fails for now is tried again later, with growing pauses, and says
so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from adapters.runner.jobs import JobBoard, Progress
from domain.actor import AUTOBIND, WATCHER
from domain.commands.detection import mark_failed, record_detection, wants_embedding
from domain.errors import NotFound, Unavailable, Unreadable
from domain.event import Recorded
from domain.faces import FaceDetected, FaceEmbedded, FaceRedetected
from domain.library import LibraryRestored
from domain.media import Media, MediaChanged, MediaDiscovered, MediaMissing, MediaMoved, MediaReturned
from domain.paths import shown
from domain.policies import bind_by_tag
from domain.ports import Detection, Embedding, FaceEngine, Likeness, Resemblance
from domain.tag import MediaTagged
from projections.lookups import Ledger, Lookups

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LOG_BATCH = 500
FORGOTTEN_AT_MOST = 1000
"""Events that a policy may read again after a restart because none of them concerned it: a checkpoint is a write."""
DETECTION_BATCH = 32
COUNT_SECONDS = 10.0
"""How often the backlog is counted anew for the progress that is shown: a scan may add to it."""


Found = tuple[Detection | str, dict[int, Embedding]]
"""What a look at one photo gave: the detection, or why there can never be one; and embeddings for faces that stay."""


class Previews(Protocol):
    """The upright pictures that detection looks at."""

    def preview(self, media: Media) -> bytes:
        """The preview of a photo, made where it is missing.

        Raises:
            Unreadable: this content has no picture, and never will.
            NotFound, Unavailable: its file is not to be had now.
        """


class Mirror(Protocol):
    """The tree of thumbnails that mirrors the libraries."""

    def put(self, media: Media) -> None:
        """Put a file's thumbnail at its place, or the mark that there can be none."""

    def remove(self, library_id: int, path: str) -> None:
        """Take away what stands at a place."""


class Loop:
    """A thread that does steps until it is stopped: at once while there is work, when woken, and now and then."""

    def __init__(
        self, name: str, step: Callable[[], bool], *, idle_seconds: float, on_stop: Callable[[], None] = lambda: None
    ) -> None:
        """`step` returns whether there may be more to do at once; `Unavailable` makes it wait and try again. `on_stop`
        is called when the loop is asked to stop, for a step that takes long."""
        self.name = name
        self._step = step
        self._idle_seconds = idle_seconds
        self._on_stop = on_stop
        self._woken = threading.Event()
        self.stopping = threading.Event()
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, _position: int = 0) -> None:
        """There may be work."""
        self._woken.set()

    def ask_to_stop(self) -> None:
        """End after the current step, without waiting for that."""
        self.stopping.set()
        self._on_stop()
        self._woken.set()

    def stop(self) -> None:
        """End after the current step, and wait for that."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self.stopping.is_set():
            self._woken.clear()
            try:
                more = self._step()
                pause, self.trouble = FIRST_PAUSE_SECONDS, None
            except Unavailable as error:
                if self.stopping.is_set():
                    return
                self._say(str(error))
                self.stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            except Exception:  # a bug in one policy must not end the server's other work; it is logged whole
                log.exception("%s failed", self.name)
                self.trouble = f"{self.name} failed; the log of the server says why"
                self.stopping.wait(LONGEST_PAUSE_SECONDS)
                continue
            if not more:
                self._woken.wait(self._idle_seconds)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("%s waits: %s", self.name, trouble)
        self.trouble = trouble


class FollowsLog:
    """A policy that reads the log from its checkpoint on, in batches."""

    def __init__(
        self, ledger: Ledger, name: str, topics: Sequence[str], answer: Callable[[list[Recorded]], None]
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._topics = tuple(topics)
        self._answer = answer
        self._position = self._kept = ledger.checkpoint(name)

    @property
    def reached(self) -> tuple[str, int]:
        """The policy's name, and the last event that it looked at; its checkpoint may be behind that."""
        return self._name, self._position

    def step(self) -> bool:
        """Answer the next batch of events; whether there may be more."""
        head = self._ledger.head()
        if head <= self._position:
            return False
        events = self._ledger.events(self._position, LOG_BATCH, self._topics)
        if events:
            self._answer(events)
        reached = events[-1].position if len(events) == LOG_BATCH else head
        if events or reached - self._kept >= FORGOTTEN_AT_MOST:
            self._ledger.set_checkpoint(self._name, reached)
            self._kept = reached
        self._position = reached
        return len(events) == LOG_BATCH


class MirrorsThumbnails:
    """Keeps the tree of thumbnails as the libraries are."""

    TOPICS = tuple(e.topic for e in (MediaDiscovered, MediaChanged, MediaMoved, MediaMissing, MediaReturned))

    def __init__(self, ledger: Ledger, mirror: Mirror) -> None:
        self._ledger = ledger
        self._mirror = mirror

    def answer(self, events: list[Recorded]) -> None:
        """Put thumbnails where files appeared, and take them away where files went."""
        with self._ledger.reading(WATCHER) as tables:
            for recorded in events:
                event = recorded.event
                if isinstance(event, MediaMoved):
                    self._mirror.remove(event.was_library_id, event.was_path)
                media_id = getattr(event, "media_id", 0)
                media = tables.media.find(media_id)
                if media is None:
                    continue
                if media.present:
                    self._mirror.put(media)
                else:
                    self._mirror.remove(media.library_id, media.path)


class BindsByTag:
    """Binds new faces, and faces on newly tagged photos, to the persons whose names are tags there."""

    TOPICS = tuple(e.topic for e in (FaceDetected, FaceRedetected, FaceEmbedded, MediaTagged))

    def __init__(self, ledger: Ledger, engine: FaceEngine, least: float | None, likeness: Likeness) -> None:
        self._ledger = ledger
        self._engine = engine
        self._least = least
        self._likeness = likeness

    def answer(self, events: list[Recorded]) -> None:
        """Look once at each content that the events are about; what is bound is one operation."""
        with self._ledger.reading(WATCHER) as tables:
            contents: dict[bytes, int] = {}
            for recorded in events:
                event = recorded.event
                if isinstance(event, (FaceDetected, MediaTagged)):
                    contents[event.content_hash] = recorded.position
                elif isinstance(event, (FaceRedetected, FaceEmbedded)):
                    face = tables.faces.get(event.face_id)
                    if face is not None:
                        contents[face.content_hash] = recorded.position
            tagged = [content for content in contents if tables.tagged.of_content(content)]
        if not tagged:
            return
        model = self._engine.model_version
        least = self._least if self._least is not None else self._engine.thresholds.autobind
        operation_id, names, photos = None, set(), 0
        for content in tagged:
            with self._ledger.transaction(AUTOBIND, operation_id=operation_id, causation=contents[content]) as turn:
                bound = bind_by_tag(turn, content, least, model, self._likeness)
                operation_id = turn.operation_id
            for each in bound:
                log.info("bound face %s to %s (%s)", each.face_id, each.person.name, each.why.rule)
            names |= {each.person.name for each in bound}
            photos += bool(bound)
        if operation_id is not None and photos > 1:
            with self._ledger.transaction(AUTOBIND, operation_id=operation_id) as turn:
                turn.end(f"recognised {', '.join(sorted(names))} on {photos} photos with their tags")


class Vectors(Protocol):
    """Vectors in memory; `adapters.vectors.similarity.Similarity`."""

    def catch_up(self, lookups: Lookups, model: str) -> None:
        """Read the vectors of a model that are not known yet."""


class KeepsVectors:
    """Keeps the vectors of the current model in memory, so that nobody who asks for suggestions waits while they are
    read: a million take half a minute."""

    def __init__(self, ledger: Ledger, engine: FaceEngine, vectors: Vectors) -> None:
        self._ledger, self._engine, self._vectors = ledger, engine, vectors

    def step(self) -> bool:
        """Read what came since; there is never more to do at once.

        Raises:
            Unavailable: the engine has not said yet which model it is.
        """
        model = self._engine.model_version
        with self._ledger.reading(WATCHER) as tables:
            self._vectors.catch_up(tables, model)
        return False


class DetectsFaces:
    """Finds the faces on every photo that the current model has not looked at yet."""

    TOPICS = tuple(e.topic for e in (MediaDiscovered, MediaChanged, MediaMoved, MediaReturned, LibraryRestored))

    def __init__(
        self,
        ledger: Ledger,
        engine: FaceEngine,
        previews: Previews,
        jobs: JobBoard,
        at_once: int,
        likeness: Likeness,
    ) -> None:
        self._ledger, self._engine, self._previews, self._jobs = ledger, engine, previews, jobs
        self._likeness = likeness
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="detect")
        self._at_once = at_once
        self._stopping = threading.Event()
        self._after = 0
        self._recorded = 0
        self._looked_at = -1
        self._deferred = True
        self._model = ""
        self._job: Progress | None = None
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
            waiting = tables.media.waiting_for_detection(tables.tables.faces.table, model, self._after, DETECTION_BATCH)
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
            picture = self._previews.preview(media)
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
        return Resemblance(self._likeness, self._engine.thresholds.suggest)

    def _record(self, media: Media, model: str, found: Found) -> bool:
        """Record a look at a photo; whether faces stand there now that have no vector of this model, since they were
        drawn again just now."""
        detection, embedded = found
        content = media.content_hash or b""
        with self._ledger.transaction(WATCHER, operation_id=self._operation_id) as turn:
            self._operation_id = turn.begin("detect", "looked for faces")
            if isinstance(detection, str):
                log.warning("no faces can be looked for on %s: %s", shown(media.path), detection)
                mark_failed(turn, content, model, detection)
                return False
            self._faces += record_detection(turn, content, detection, self._resemblance, embedded)
            return bool(wants_embedding(turn.faces.on_content(content), detection))

    def _tell(self) -> None:
        self._recorded += 1
        self._photos += 1
        if self._job is not None:
            total = self._job.job.total
            self._job.at(self._photos, None if total is None or total < self._photos else total)

    def _count(self, pending: int) -> None:
        self._counted_at = time.monotonic()
        if self._job is None:
            self._job = self._jobs.begin("detect", "recognising faces")
        self._job.at(self._photos, self._photos + pending)

    def _wait(self, reason: str) -> None:
        if self._job is not None:
            self._job.at(self._photos, self._job.job.total, reason, waiting=True)

    def _end(self) -> None:
        if self._job is None:
            return
        text = f"found {self._faces} faces on {self._photos} photos"
        if self._operation_id is not None:
            with self._ledger.transaction(WATCHER, operation_id=self._operation_id) as turn:
                turn.end(text)
        self._job.end(text)
        self._job = self._operation_id = None
        self._counted_at = 0.0
        self._photos = self._faces = 0
