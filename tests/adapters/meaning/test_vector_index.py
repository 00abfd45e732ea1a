"""The vectors in memory: what changes again and again, vectors of several lengths, and texts without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adapters.meaning.vector_file import Assigned, MeaningStore
from adapters.meaning.vector_index import ONE, UNKNOWN, MeaningIndex


def test_what_is_in_memory_stays_small_when_texts_change_again_and_again(tmp_path: Path) -> None:
    store, index = MeaningStore(tmp_path / "meaning.db"), MeaningIndex()
    chance = np.random.default_rng(0)
    for round_ in range(30):
        vectors = chance.standard_normal((200, 16))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = [np.rint(vector * ONE).astype("<i2").tobytes() for vector in vectors]
        store.assign("m", [Assigned(n, 1, b"%d %d" % (round_, n), row) for n, row in enumerate(rows)])
        index.catch_up(store, "m")
        assert index.view.count <= 3 * 200 + 1_000
        assert int(np.argmax(index.view.likeness(vectors[7].astype(np.float32)))) == 7
    store.close()


def test_vectors_of_another_length_and_photos_without_one_are_never_compared(tmp_path: Path) -> None:
    store, index = MeaningStore(tmp_path / "meaning.db"), MeaningIndex()
    one = np.full(4, 16_000, dtype="<i2").tobytes()
    store.assign("m", [Assigned(1, 1, b"a", one), Assigned(2, 1, None)])
    store.assign("other", [Assigned(3, 1, b"a", one)])
    index.catch_up(store, "m")
    likeness = index.view.likeness(np.full(4, 0.5, dtype=np.float32))
    assert (likeness[0] > 0, likeness[1], likeness[2]) == (True, UNKNOWN, UNKNOWN)
    store.close()


def test_a_text_that_has_no_vector_may_be_the_first_one(tmp_path: Path) -> None:
    store, index = MeaningStore(tmp_path / "meaning.db"), MeaningIndex()
    one = np.full(4, 16_000, dtype="<i2").tobytes()
    for photo in range(1, 9):
        store.assign("m", [Assigned(photo, 1, bytes([photo]), b"" if photo < 3 else one)])
        index.catch_up(store, "m")
        assert len(index.view.likeness(np.full(4, 0.5, dtype=np.float32))) == photo
    likeness = index.view.likeness(np.full(4, 0.5, dtype=np.float32))
    assert (likeness > 500_000).tolist() == [False, False, *[True] * 6]
    store.close()
