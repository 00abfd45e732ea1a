"""Keeps the vectors of photos' texts as the library is: follows the log, embeds what changed, forgets what was erased.

The log and the read tables are only read, and nothing here runs during a replay. How far it is stands in the store's
file and not in the database, since each host has vectors of its own.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from adapters.background.jobs import JobBoard, JobProgress
from adapters.meaning.vector_file import Assigned, MeaningStore, State
from adapters.meaning.vector_index import ONE, MeaningIndex
from adapters.store.ledger import Ledger
from domain.base.actor import WATCHER
from domain.base.errors import Rejected, Unavailable, Unreadable
from domain.events.erasure import ContentErased, PersonErased
from domain.events.event import Event, Recorded
from domain.events.face import FaceRetracted
from domain.ports.text_embedder import TextEmbedder
from domain.rules.photo_text import EDITION, PhotoText, text_of_photo
from projections.queries.photo_texts import FOLLOWED, PhotoTexts, Placed

log = logging.getLogger(__name__)

LOG_BATCH: Final = 500
LISTED_AT_ONCE: Final = 5_000
FILES_AT_ONCE: Final = 256
"""Files whose texts are made together."""
KEPT_AT_ONCE: Final = 32
"""Texts that are embedded before their vectors are kept and progress is shown: what a stop may lose."""
WHEN_WEIGHT: Final = 0.5
"""How much the date counts beside what a photo shows, as `bench/meaning.py` measured it."""
_DAYS_REMEMBERED: Final = 1_000
QUIET_SECONDS: Final = 300.0
"""How long an embedder that nobody asked for, and that is not there, is left alone."""
_ERASURES: Final[tuple[type[Event], ...]] = (PersonErased, ContentErased)
_OF_ERASURES: Final = tuple(kind.topic for kind in _ERASURES)
TOPICS: Final = (*(kind.topic for kind in FOLLOWED), *_OF_ERASURES)


class KeepsMeaning:
    """The background work of search by meaning, one step at a time, and what it knows of how far it is.

    `is_configured` says whether somebody set or installed the embedder: one that is merely hoped for, and away, is no
    trouble. `places` names where `placed` gets its names from.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: MeaningStore,
        index: MeaningIndex,
        embedder: TextEmbedder,
        *,
        jobs: JobBoard,
        placed: Placed,
        places: str = "",
        is_configured: bool = True,
    ) -> None:
        self._ledger, self._store, self._index, self._embedder = ledger, store, index, embedder
        self._jobs, self._placed = jobs, placed
        self._made_by = f"{EDITION}/{places}"
        self._is_configured = is_configured
        self._days: OrderedDict[str, bytes] = OrderedDict()
        self._looked_at = -1
        self._again_at = 0.0
        self._job: JobProgress | None = None
        self._done = 0
        self.reason: str | None = None
        """Why nothing is embedded now."""

    def step(self) -> bool:
        """Follow the log a little, embed some texts, and show them; whether there may be more to do at once.

        Raises:
            Unavailable: the embedder cannot answer now; what is due stays due.
        """
        model = self._embedder.model
        self._index.catch_up(self._store, model)
        if not self._store.is_writer():
            return False
        follows = self._follow(model)
        if time.monotonic() < self._again_at:
            return follows
        try:
            embeds = self._embed_some(model)
        except Rejected as error:
            raise self._waiting(Unavailable(str(error))) from error
        except Unavailable as error:
            self._waiting(error)
            if self._is_configured:
                raise
            self._again_at = time.monotonic() + QUIET_SECONDS
            return follows
        self.reason = None
        return follows or embeds

    def clean(self) -> None:
        """Take away every vector whose text is not, letter by letter, the text of a file now, and what is left of it in
        the store's file; for erasures. Nothing is embedded.

        Raises:
            Unavailable: the file cannot be written anew now.
        """
        after = 0
        while pairs := self._store.keys(after, FILES_AT_ONCE):
            after, _ = pairs[-1]
            now = {each.media_id: each.key for each, _ in self._texts([media_id for media_id, _ in pairs])}
            wrong = [media_id for media_id, key in pairs if now.get(media_id) != key]
            if wrong:
                self._store.forget(wrong)
        self._store.drop_unused()
        self._store.scrub()

    # The log

    def _follow(self, model: str) -> bool:
        """Make due what the next events of the log are about; whether there is more to follow."""
        state = self._store.state()
        head = self._ledger.head()
        if head == self._looked_at and state.listed is None and state.model == model:
            return False
        state = self._rooted(state, model, head)
        if state.listed is not None:
            return self._list(state, state.listed)
        events = self._ledger.events(state.position, LOG_BATCH, TOPICS)
        is_all = len(events) < LOG_BATCH
        reached = head if is_all else events[-1].position
        if reached > state.position:
            if any(isinstance(recorded.event, _ERASURES) for recorded in events):
                self.clean()
            with self._texts_of() as texts:
                changed = texts.changed_by([recorded.event for recorded in self._with_beginnings(events)])
            marked = msgspec.structs.replace(state, position=reached, mark=self._mark(reached))
            self._store.add_due(changed, marked)
        self._looked_at = head if is_all else -1
        return not is_all

    def _rooted(self, state: State, model: str, head: int) -> State:
        """The state, begun anew where it is of another log, another model, or texts that were made otherwise; what was
        erased since goes at once even so."""
        is_same_log = state.position <= head and state.log == self._mark(1) and state.mark == self._mark(state.position)
        if is_same_log and (state.model, state.made_by) == (model, self._made_by):
            return state
        if is_same_log and self._ledger.events(state.position, 1, _OF_ERASURES):
            self.clean()
        self._days.clear()
        state = State(self._mark(1), head, self._mark(head), model, self._made_by)
        self._store.begin(state, is_same_log=is_same_log)
        return state

    def _mark(self, position: int) -> str:
        """What stands at a position of the log, in a word; empty where nothing does."""
        events = self._ledger.events(position - 1, 1) if position > 0 else ()
        return "".join(f"{each.position} {each.recorded_at} {each.stream}" for each in events)

    def _list(self, state: State, after: int) -> bool:
        """Make the next files due, of all that there are."""
        with self._texts_of() as texts:
            ids = texts.ids(after, LISTED_AT_ONCE)
        listed = ids[-1] if len(ids) == LISTED_AT_ONCE else None
        self._store.add_due(ids, msgspec.structs.replace(state, listed=listed))
        return True

    def _with_beginnings(self, events: Sequence[Recorded]) -> list[Recorded]:
        """The events, and all of those faces of which nothing but the log knows where they were."""
        gone = sorted({recorded.stream for recorded in events if isinstance(recorded.event, FaceRetracted)})
        return [*events, *(self._ledger.history(gone, 20 * len(gone)) if gone else ())]

    # Texts

    @contextmanager
    def _texts_of(self) -> Iterator[PhotoTexts]:
        with self._ledger.reading(WATCHER) as tables:
            yield PhotoTexts(tables.connection, tables.tables)

    def _texts(self, media_ids: Sequence[int]) -> list[tuple[Assigned, PhotoText]]:
        """The texts of those of these files that have one."""
        with self._texts_of() as texts:
            known = texts.described(media_ids, self._placed)
        made = ((each, text_of_photo(each.facts)) for each in known)
        return [(Assigned(each.media_id, each.library_id, key_of(text)), text) for each, text in made]

    def _embed_some(self, model: str) -> bool:
        """Embed some of what is due; whether there may be more."""
        due = self._store.due(FILES_AT_ONCE)
        if not due:
            self._end()
            return False
        made = self._texts(due)
        known = self._store.known(model, list({each.key for each, _ in made if each.key}))
        there = {each.media_id for each, _ in made}
        ready = [Assigned(media_id, 0, None) for media_id in due if media_id not in there]
        ready += [each for each, _ in made if each.key in known]
        if ready:
            self._store.assign(model, ready)
            self._count(len(ready))
        texts: dict[bytes, PhotoText] = {each.key: text for each, text in made if each.key and each.key not in known}
        for start in range(0, len(texts), KEPT_AT_ONCE):
            keys = list(texts)[start : start + KEPT_AT_ONCE]
            vectors = dict(zip(keys, self._vectors([texts[key] for key in keys]), strict=True))
            fresh = [each._replace(vector=vectors[each.key]) for each, _ in made if each.key in vectors]
            self._store.assign(model, fresh)
            self._count(len(fresh))
        self._index.catch_up(self._store, model)
        return True

    def _vectors(self, texts: Sequence[PhotoText]) -> list[bytes]:
        """The vectors of photos as the store keeps them, an empty one where nothing of it can be embedded."""
        days = list(dict.fromkeys(text.when for text in texts if text.when not in self._days))
        found = self._embedded([*days, *(text.what for text in texts)])
        self._days.update(zip(days, found, strict=False))
        vectors = [blended(what, self._days[text.when]) for what, text in zip(found[len(days) :], texts, strict=True)]
        while len(self._days) > _DAYS_REMEMBERED:
            self._days.popitem(last=False)
        return vectors

    def _embedded(self, texts: Sequence[str]) -> list[bytes]:
        """The vectors of texts, an empty one for a text that cannot be embedded."""
        try:
            return list(self._embedder.embed(texts)) if texts else []
        except Unreadable as error:
            if len(texts) > 1:
                return [vector for text in texts for vector in self._embedded([text])]
            log.warning("a photo is not found by meaning, since its text cannot be embedded: %s", error)
            return [b""]

    # What is shown of it

    def _count(self, done: int) -> None:
        self._done += done
        left = self._store.due_count()
        if self._job is None and left:
            self._job = self._jobs.begin("meaning", "embedding what is known of the photos", done + left)
        if self._job is not None:
            self._job.at(self._done, self._done + left)

    def _waiting(self, error: Unavailable) -> Unavailable:
        self.reason = str(error)
        if self._is_configured:
            self._count(0)
        if self._job is not None:
            self._job.at(self._done, self._done + self._store.due_count(), str(error), waiting=True)
        return error

    def _end(self) -> None:
        if self._job is not None:
            self._job.end(f"{self._done} photos are found by meaning")
        self._job, self._done = None, 0


def key_of(text: PhotoText) -> bytes:
    """Under which a photo's vector is kept: the SHA-256 of its texts."""
    return hashlib.sha256(f"{text.what}\n{text.when}".encode("utf-8", "replace")).digest()


def blended(what: bytes, when: bytes) -> bytes:
    """The vectors of both texts (little-endian float32, or empty) as one of L2 norm 1, in little-endian int16, `ONE`
    for 1.0; empty where one is."""
    if not (what and when):
        return b""
    whole = np.frombuffer(what, "<f4").astype(np.float64) + WHEN_WEIGHT * np.frombuffer(when, "<f4")
    rounded: npt.NDArray[np.int16] = np.rint(whole / np.linalg.norm(whole) * ONE).astype("<i2")
    return rounded.tobytes()
