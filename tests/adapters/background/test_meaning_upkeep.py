"""The background work of search by meaning: many photos at once, interruptions, erasures, and how it is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from adapters.background.jobs import Job, JobBoard
from adapters.background.meaning_upkeep import FILES_AT_ONCE, KeepsMeaning
from adapters.meaning.semantic_search import Asker, PhotoSearch
from adapters.meaning.vector_file import MeaningStore
from adapters.meaning.vector_index import MeaningIndex
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from domain.base.actor import CLI, WATCHER
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import create_person
from domain.commands.tags import change_tag, tag_contents
from domain.events.erasure import PersonErased
from domain.events.media import FileFacts
from domain.ports.text_embedder import EmbeddedAs
from projections.queries.photo_filter import PhotoFilter

MANY = 1_000


class Drawn:
    """A text embedder whose vectors are drawn by the text; `seen` is what it embedded."""

    def __init__(self, model: str = "drawn", length: int = 32) -> None:
        self.model = model
        self.seen: list[str] = []
        self._length = length

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """A vector for each."""
        self.seen += texts
        vectors = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            vector = np.random.default_rng(seed).standard_normal(self._length)
            vectors.append((vector / np.linalg.norm(vector)).astype("<f4").tobytes())
        return vectors

    def close(self) -> None:
        """Nothing is held."""


def content(number: int) -> bytes:
    """The hash of a photo's bytes."""
    return hashlib.sha256(b"%d" % number).digest()


def word(number: int) -> str:
    """A word of its own for each number."""
    return "".join("bcdfghjklm"[int(digit)] + "a" for digit in f"{number:04}")


def add_photos(ledger: Ledger, count: int) -> list[int]:
    """Photos 0 to `count` in a library, each named by its `word`; their ids."""
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos", "Photos")
    files = [
        ReadFile(f"{word(n)}.jpg", content(n), FileFacts(n, n, "photo", taken_source="mtime")) for n in range(count)
    ]
    with ledger.transaction(WATCHER) as uow:
        uow.begin("scan", "found")
        record_files(uow, library, files)
        return [media.id for media in uow.media.of_contents([content(n) for n in range(count)])]


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    fresh = f"sqlite:///{tmp_path}/imageapi.db"
    ledger = Ledger(Database(fresh if request.param == "sqlite" else request.getfixturevalue("fresh_postgres_url")))
    yield ledger
    ledger.close()


@pytest.fixture
def embedder() -> Drawn:
    """A text embedder that costs nothing."""
    return Drawn()


class Kept:
    """The parts, over one file."""

    def __init__(self, ledger: Ledger, file: Path, embedder: Drawn) -> None:
        self.board, self.index, self.store = JobBoard(), MeaningIndex(), MeaningStore(file)
        self.keeps = KeepsMeaning(ledger, self.store, self.index, embedder, jobs=self.board, placed=lambda *_: "")
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
        change_tag(uow, tag.id, name="winter")
    assert kept.keeps.step()
    assert len(embedder.seen) == FILES_AT_ONCE
    assert (kept.job().state, kept.job().done, kept.job().total) == ("running", FILES_AT_ONCE, MANY)
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
        change_tag(uow, tag.id, name="erased person 1")
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
