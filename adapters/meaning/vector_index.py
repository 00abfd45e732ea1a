"""The vectors of photos' texts in memory: two bytes a number, and compared with a query in blocks that fit a cache.

A text that many photos share has one vector. What is searched is a view that nobody changes, while the next one is
made beside it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from adapters.meaning.vector_file import MeaningStore, PhotoRow

Numbers = npt.NDArray[np.int64]
ONE: Final = 32_767
"""1.0 of a vector's numbers; the rounding moves a cosine by less than 0.00002."""
MILLION: Final = 1_000_000
UNKNOWN: Final = -2 * MILLION
"""Stands for the likeness of a photo without a vector; below any."""
_BLOCK = 512
"""Vectors at a time: as float32 they stay in a core's cache, which makes 16 bits as quick as 32 in memory."""
_AT_ONCE = 5_000
_SLACK = 1_000
"""Vectors that may be left of texts that changed, beside as many as are in use, before all are read anew."""


@dataclass(frozen=True)
class IndexView:
    """Photos in the order of their ids, `media_ids` and `libraries`; `rows` says which of the first `count` vectors is
    a photo's, -1 where it has none."""

    vectors: npt.NDArray[np.int16]
    count: int
    media_ids: Numbers
    libraries: Numbers
    rows: Numbers

    @property
    def dimensions(self) -> int:
        """The length of the vectors, 0 where there are none."""
        return self.vectors.shape[1] if self.count else 0

    def likeness(self, query: npt.NDArray[np.float32]) -> Numbers:
        """The cosine of each photo to a query in millionths, `UNKNOWN` where it has no vector."""
        if not self.dimensions:
            return np.full(len(self.rows), UNKNOWN, dtype=np.int64)
        cosines = np.empty(self.count, dtype=np.float32)
        wide = np.empty((_BLOCK, len(query)), dtype=np.float32)
        for start in range(0, self.count, _BLOCK):
            stop = min(start + _BLOCK, self.count)
            block = wide[: stop - start]
            np.copyto(block, self.vectors[start:stop])
            np.matmul(block, query, out=cosines[start:stop])
        millionths = np.rint(cosines * (MILLION / ONE)).astype(np.int64)
        return np.where(self.rows >= 0, millionths[self.rows], UNKNOWN)

    def places(self, media_ids: Numbers) -> Numbers:
        """Where these photos stand in the order of ids, -1 where they do not."""
        at = np.searchsorted(self.media_ids, media_ids)
        is_there = at < len(self.media_ids)
        is_there[is_there] = self.media_ids[at[is_there]] == media_ids[is_there]
        return np.where(is_there, at, -1)

    def embedded(self, libraries: frozenset[int]) -> int:
        """How many photos of these libraries have a vector."""
        return int(np.count_nonzero((self.rows >= 0) & np.isin(self.libraries, tuple(libraries))))


_NONE: Final = np.empty(0, dtype=np.int64)
NOTHING: Final = IndexView(np.empty((0, 0), dtype=np.int16), 0, _NONE, _NONE, _NONE)


class MeaningIndex:
    """The vectors of one model; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of = ("", 0)
        self._gathered = _Gathered()
        self.view = NOTHING

    @property
    def model(self) -> str:
        """Whose vectors these are."""
        return self._of[0]

    def catch_up(self, store: MeaningStore, model: str) -> None:
        """Read what changed since the last call; everything where the model or the file is another."""
        with self._lock:
            of = (model, store.identity())
            if of != self._of:
                self._of, self._gathered, self.view = of, _Gathered(), NOTHING
            if not self._gathered.read(store, model):
                return
            self.view = self._gathered.view()
            if self.view.count > 2 * len(np.unique(self.view.rows)) + _SLACK:
                self._gathered = _Gathered()
                self._gathered.read(store, model)
                self.view = self._gathered.view()


class _Gathered:
    """What was read so far."""

    def __init__(self) -> None:
        self._changed = self._last_text = 0
        self._photos = np.empty((3, 0), dtype=np.int64)
        self._text_ids = _NONE
        self._vectors = NOTHING.vectors

    def read(self, store: MeaningStore, model: str) -> bool:
        """Read on; whether there was anything. Photos come first: the texts that they name are there by then."""
        before = self._changed
        while rows := store.rows_since(self._changed, _AT_ONCE):
            self._take(rows)
        if self._changed == before:
            return False
        while found := store.vectors_since(model, self._last_text, _AT_ONCE):
            self._append(found)
        return True

    def _take(self, rows: list[PhotoRow]) -> None:
        new = np.array([(row.media_id, row.library_id, row.text_id) for row in rows], dtype=np.int64).T
        both = np.concatenate([self._photos, new], axis=1)
        # Of a photo that is there twice the later one counts, which is the first from the end.
        _, from_the_end = np.unique(both[0, ::-1], return_index=True)
        self._photos = both[:, both.shape[1] - 1 - from_the_end]
        self._changed = rows[-1].changed

    def _append(self, found: list[tuple[int, bytes]]) -> None:
        count = len(self._text_ids)
        wanted = count + len(found)
        before = self._vectors.shape[1]
        length = before or max(len(vector) for _, vector in found) // 2
        if wanted > len(self._vectors) or length > before:
            larger = np.zeros((wanted + wanted // 4, length), dtype=np.int16)
            if before:  # there is none where no text so far could be embedded
                larger[:count] = self._vectors[:count]
            self._vectors = larger
        for row, (_, vector) in enumerate(found, count):
            # One of another length is of no use beside the others: its photo is found by its words alone.
            if len(vector) == 2 * self._vectors.shape[1]:
                self._vectors[row] = np.frombuffer(vector, dtype="<i2")
        self._text_ids = np.concatenate([self._text_ids, np.array([text_id for text_id, _ in found], dtype=np.int64)])
        self._last_text = int(self._text_ids[-1])

    def view(self) -> IndexView:
        """What there is now."""
        media_ids, libraries, texts = self._photos
        at = np.searchsorted(self._text_ids, texts)
        is_there = at < len(self._text_ids)
        is_there[is_there] = self._text_ids[at[is_there]] == texts[is_there]
        return IndexView(self._vectors, len(self._text_ids), media_ids, libraries, np.where(is_there, at, -1))
