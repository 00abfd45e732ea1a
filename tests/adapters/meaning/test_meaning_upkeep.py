"""The background work of search by meaning: many photos at once, interruptions, erasures, and how it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.background.jobs import Job, JobBoard
from adapters.meaning.meaning_upkeep import TOLD_AT_ONCE, KeepsMeaning
from adapters.meaning.semantic_search import Asker, PhotoSearch
from adapters.meaning.store import Assigned, MeaningStore
from adapters.meaning.vector_index import ONE, UNKNOWN, MeaningIndex
from adapters.store.ledger import Ledger
from domain.base.actor import CLI
from domain.commands.persons import create_person
from domain.commands.tags import rename_tag, tag_contents
from domain.events.erasure import PersonErased
from projections.queries.photo_filter import PhotoFilter
from tests.adapters.meaning.conftest import Drawn, add_photos, content, word

MANY = 1_000


class Kept:
    """The parts, over one file."""

    def __init__(self, ledger: Ledger, file: Path, embedder: Drawn) -> None:
        self.board, self.index, self.store = JobBoard(), MeaningIndex(), MeaningStore(file)
        self.keeps = KeepsMeaning(ledger, self.store, self.index, embedder, self.board, lambda *_: "")
        self.search = PhotoSearch(self.index, Asker(embedder))

    def through(self) -> int:
        """Go on until nothing is left to do; the steps that it took."""
        steps = 1
        while self.keeps.step():
            steps += 1
        return steps

    def job(self) -> Job:
        """The newest job."""
        return next(job for job in self.board.progress() if job.kind == "meaning")


def tag_all(ledger: Ledger, name: str) -> None:
    """Tag every photo."""
    with ledger.transaction(CLI) as uow:
        tag_contents(uow, [content(n) for n in range(MANY)], name)


def test_a_common_tag_that_is_renamed_is_followed_in_small_steps_that_are_shown(
    ledger: Ledger, tmp_path: Path, embedder: Drawn
) -> None:
    add_photos(ledger, MANY)
    tag_all(ledger, "summer")
    kept = Kept(ledger, tmp_path / "meaning.db", embedder)
    kept.through()
    assert len(embedder.seen) == MANY + 1
    assert embedder.seen.count("Photo.") == 1
    embedder.seen.clear()
    with ledger.reading(CLI) as tables:
        tag = tables.tags.named("summer")
    assert tag is not None
    with ledger.transaction(CLI) as uow:
        rename_tag(uow, tag.id, "winter")
    assert kept.keeps.step()
    assert len(embedder.seen) == TOLD_AT_ONCE
    assert (kept.job().state, kept.job().done, kept.job().total) == ("running", TOLD_AT_ONCE, MANY)
    kept.through()
    assert len(embedder.seen) == MANY
    assert all(text.startswith("winter.") for text in embedder.seen)
    assert (kept.job().state, kept.job().done) == ("done", MANY)
    kept.store.close()


def test_what_is_interrupted_goes_on_where_it_was(ledger: Ledger, tmp_path: Path, embedder: Drawn) -> None:
    add_photos(ledger, MANY)
    first = Kept(ledger, tmp_path / "meaning.db", embedder)
    for _ in range(3):
        first.keeps.step()
    first.store.close()
    begun = len(embedder.seen)
    assert 0 < begun < MANY
    second = Kept(ledger, tmp_path / "meaning.db", embedder)
    second.through()
    assert len([text for text in embedder.seen if text != "Photo."]) == MANY
    assert second.store.counts("drawn") == (MANY, 0)
    second.store.close()


def test_a_photo_is_found_by_its_own_text_among_many(ledger: Ledger, tmp_path: Path, embedder: Drawn) -> None:
    ids = add_photos(ledger, MANY)
    kept = Kept(ledger, tmp_path / "meaning.db", embedder)
    kept.through()
    with ledger.reading(CLI) as tables:
        question = kept.search.question(f"{word(500)}.")
        found = kept.search.find(tables, PhotoFilter(), question)
        assert found[0].place.media_id == ids[500]
        assert len(found) == 500
        narrowed = kept.search.find(tables, PhotoFilter(kind="video"), question)
    assert narrowed == []
    kept.store.close()


@pytest.mark.parametrize("model", ["drawn", "another since"])
def test_an_erasure_of_another_host_takes_the_vectors_before_anything_is_embedded(
    ledger: Ledger, tmp_path: Path, embedder: Drawn, model: str
) -> None:
    add_photos(ledger, 3)
    with ledger.transaction(CLI) as uow:
        person = create_person(uow, "Zoë Quimby")
        tag_contents(uow, [content(1)], "Zoë Quimby")
    kept = Kept(ledger, tmp_path / "meaning.db", embedder)
    kept.through()
    (gone,) = [vector for media_id, vector in vectors(kept) if media_id == 2]
    with ledger.transaction(CLI) as uow:
        uow.begin("erase", "erased")
        tag = uow.tags.named("Zoë Quimby")
        assert tag is not None
        rename_tag(uow, tag.id, "erased person 1")
        uow.next_operation()
        uow.begin("erase", "erased")
        uow.append(PersonErased(person))

    def away(*_: object) -> list[bytes]:
        raise AssertionError("nothing is embedded before")

    embedder.embed = away  # type: ignore[method-assign, assignment]  # for this step alone
    kept.keeps._follow(model)
    assert gone not in b"".join(path.read_bytes() for path in tmp_path.glob("meaning.db*"))
    assert kept.store.counts("drawn")[0] == 2
    kept.store.close()


def vectors(kept: Kept) -> list[tuple[int, bytes]]:
    """Each photo's vector as the file holds it."""
    view = kept.index.view
    return [
        (int(media_id), view.vectors[row].tobytes()) for media_id, row in zip(view.media_ids, view.rows, strict=True)
    ]


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
