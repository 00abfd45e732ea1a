"""Photos by what is asked for: the likest texts, together with those that hold the very words.

The two lists are fused by reciprocal rank with k = 60 (Cormack, Clarke and Büttcher, "Reciprocal rank fusion
outperforms Condorcet and individual rank learning methods", SIGIR 2009). A search for words does not rank: all that it
finds shares the first rank. So whatever holds all the words comes before what is only alike, and among either the
likest comes first.
Cosines rank and never decide: those of small models lie close together, whatever the texts are about.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec
import numpy as np

from adapters.meaning.vector_index import UNKNOWN, IndexView, MeaningIndex, Numbers
from domain.base.errors import RuleViolation, Unavailable, Unreadable
from domain.ports.text_embedder import TextEmbedder
from projections.queries.photo_filter import PhotoFilter
from projections.queries.reading import Lookups

RANK_CONSTANT: Final = 60
"""The k of the fusion, as in the paper."""
DEPTH: Final = 500
"""How many photos a search finds by meaning: beyond them, likeness tells nothing."""
FEW: Final = 5_000
"""Up to so many photos that fit the filters are compared one by one; of more, the likest are looked at until enough
fit."""
_FIRST_LOOK = 2 * DEPTH
_REMEMBERED = 256


class ResultPlace(NamedTuple):
    """Where a photo stands among those that were found: by the words, by its likeness in millionths, by its id; the
    greatest comes first."""

    by_words: bool
    likeness: int
    media_id: int


class FoundPhoto(NamedTuple):
    """A photo that was found, with the reciprocal ranks that it has in both lists, added up."""

    place: ResultPlace
    score: float


class Question(NamedTuple):
    """What is searched for: its words, and their vector as `domain.ports.text_embedder` has it."""

    words: str
    vector: bytes


class Asker:
    """Embeds what is searched for; what was asked lately is remembered, so that the next page costs nothing. `hint`
    says what to do where the embedder is not there."""

    def __init__(self, embedder: TextEmbedder, hint: str = "") -> None:
        self._embedder, self._hint = embedder, hint
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def vector(self, words: str) -> bytes:
        """The vector of a query; raises as `TextEmbedder.embed`, and `RuleViolation` for one that has none."""
        key = (self._embedder.model, words)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        try:
            (vector,) = self._embedder.embed([words], "query")
        except Unavailable as error:
            raise Unavailable(f"{self._hint}{error}") from error
        except Unreadable as error:
            raise RuleViolation(f"this cannot be looked for: {error}", "q") from error
        with self._lock:
            self._known[key] = vector
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return vector


class PhotoSearch:
    """Finds photos by meaning and words, for whoever may see them."""

    def __init__(self, index: MeaningIndex, asker: Asker, trouble: Callable[[], str | None] = lambda: None) -> None:
        self._index, self._asker, self._trouble = index, asker, trouble

    @property
    def trouble(self) -> str | None:
        """Why it cannot be used now, as far as is known."""
        if not self._index.model:
            return "what is known of the photos was not read yet"
        return self._trouble()

    def question(self, words: str) -> Question:
        """What is searched for, embedded; ask it before a connection is held, for it may take long.

        Raises:
            Unavailable: it cannot be embedded now.
            Rejected, RuleViolation: it never can.
        """
        return Question(words, self._asker.vector(words))

    def find(self, tables: Lookups, narrowed: PhotoFilter, question: Question) -> list[FoundPhoto]:
        """The photos of `tables` that fit `narrowed`, the best first: up to `DEPTH` by meaning, and up to `FEW` by
        their words.

        Raises:
            Unavailable: the question's vector is of another length than the photos'.
        """
        vector = np.frombuffer(question.vector, dtype="<f4")
        view = self._index.view
        if view.dimensions not in {0, len(vector)}:
            raise Unavailable(
                f"the vectors of the photos have {view.dimensions} numbers, that of the query {len(vector)}: another "
                "model answers under the same name; stop the server and delete meaning.db in its data folder"
            )
        likeness = view.likeness(vector)
        alike = self._likest(tables, narrowed, view, likeness)
        holding = self._holding(tables, msgspec.structs.replace(narrowed, q=question.words), view, likeness)
        return _fused(alike, holding)

    def embedded(self, libraries: frozenset[int]) -> int:
        """How many photos of these libraries can be found by meaning."""
        return self._index.view.embedded(libraries)

    def _likest(
        self, tables: Lookups, narrowed: PhotoFilter, view: IndexView, likeness: Numbers
    ) -> list[tuple[int, int]]:
        """The likest photos that fit, with their likeness; at most `DEPTH`."""
        if narrowed != PhotoFilter(stacked=narrowed.stacked) and (few := _few(tables, narrowed)) is not None:
            return [(photo, alike) for photo, alike in _placed(few, view, likeness) if alike > UNKNOWN][:DEPTH]
        found: list[tuple[int, int]] = []
        for candidates in _in_order(view, likeness, tables.visible):
            fitting = tables.timeline.among(narrowed, [media_id for media_id, _ in candidates])
            found += [(media_id, alike) for media_id, alike in candidates if media_id in fitting]
            if len(found) >= DEPTH:
                break
        return found[:DEPTH]

    def _holding(
        self, tables: Lookups, narrowed: PhotoFilter, view: IndexView, likeness: Numbers
    ) -> list[tuple[int, int]]:
        """The photos that hold the words: all where they are few, else the likest of them."""
        few = _few(tables, narrowed)
        return self._likest(tables, narrowed, view, likeness) if few is None else _placed(few, view, likeness)


def _few(tables: Lookups, narrowed: PhotoFilter) -> list[int] | None:
    """The photos that fit, None where they are many."""
    found = tables.timeline.few(narrowed, FEW + 1)
    return None if len(found) > FEW else found


def _placed(media_ids: list[int], view: IndexView, likeness: Numbers) -> list[tuple[int, int]]:
    """These photos with their likeness, the likest first; those without a vector at the end."""
    ids = np.array(media_ids, dtype=np.int64)
    at = view.places(ids)
    alike = np.full(len(ids), UNKNOWN, dtype=np.int64)
    alike[at >= 0] = likeness[at[at >= 0]]
    order = np.lexsort((-ids, -alike))
    return list(zip(ids[order].tolist(), alike[order].tolist(), strict=True))


def _in_order(view: IndexView, likeness: Numbers, libraries: frozenset[int]) -> Iterator[list[tuple[int, int]]]:
    """All photos of these libraries that have a vector, the likest first, in pieces of growing size."""
    left = np.flatnonzero((likeness > UNKNOWN) & np.isin(view.libraries, tuple(libraries)))
    size = _FIRST_LOOK
    while len(left):
        if len(left) > size:
            alike = likeness[left]
            # What is as like as the last one comes along, so that the order does not depend on where it is cut.
            is_next = alike >= np.partition(alike, len(left) - size)[len(left) - size]
            piece, left = left[is_next], left[~is_next]
        else:
            piece, left = left, left[:0]
        placed = _placed(view.media_ids[piece].tolist(), view, likeness)
        for start in range(0, len(placed), FEW):
            yield placed[start : start + FEW]
        size *= 4


def _fused(alike: list[tuple[int, int]], by_words: list[tuple[int, int]]) -> list[FoundPhoto]:
    """Both lists as one."""
    ranks = {media_id: rank for rank, (media_id, _) in enumerate(alike, 1)}
    holding = {media_id for media_id, _ in by_words}
    everything = {**dict(alike), **dict(by_words)}
    found = []
    for media_id, likeness in everything.items():
        words_score = 1 / (RANK_CONSTANT + 1) if media_id in holding else 0.0
        meaning_score = 1 / (RANK_CONSTANT + ranks[media_id]) if media_id in ranks else 0.0
        found.append(FoundPhoto(ResultPlace(media_id in holding, likeness, media_id), words_score + meaning_score))
    return sorted(found, key=lambda each: each.place, reverse=True)
