"""Search by meaning: how well it finds what words do not, and how long it takes over 100,000 photos.

    python -m bench.meaning [--keep FILE] [--rounds N]

First the scenes of `bench/scenes.py` are put into an empty library, among as many photos of which only day and place
are known, embedded by the bundled model, and asked for in words that none of their texts holds. Then the 100,000 media
of `bench/queries.py` get vectors by chance, each its own, and searches are timed without the query's own embedding.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from adapters.background.jobs import JobBoard
from adapters.background.meaning_upkeep import KeepsMeaning, blended
from adapters.meaning.semantic_search import Asker, PhotoSearch, Question
from adapters.meaning.vector_file import Assigned, MeaningStore
from adapters.meaning.vector_index import MeaningIndex
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.text_embedding.bundled import BundledEmbedder, prepare
from adapters.workers.pool import WorkerPool
from bench.places import milliseconds, resident_megabytes
from bench.queries import filled, tag_name
from bench.scenes import ELSEWHERE, NAMES, SCENES, SPOTS
from domain.base.actor import CLI, WATCHER, Actor
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.events.insight import InsightWritten
from domain.events.media import FileFacts
from domain.events.tag import MediaTagged, TagCreated
from domain.ports.text_embedder import EmbeddedAs
from projections.queries.photo_filter import PhotoFilter

DIMENSIONS = 384
BARE = 200
"""Photos of which nothing is known but when and where they were taken."""


class Chance:
    """An embedder whose vectors are drawn by the text, and are near each other as those of small models are."""

    model = "by chance"

    def embed(self, texts: Sequence[str], purpose: EmbeddedAs = "document") -> list[bytes]:
        """A vector for each text."""
        vectors = []
        for text in texts:
            drawn = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
            vector = 1.8 + drawn.standard_normal(DIMENSIONS)
            vectors.append((vector / np.linalg.norm(vector)).astype("<f4").tobytes())
        return vectors

    def close(self) -> None:
        """Nothing is held."""


class Album:
    """The scenes as photos of a library."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._chance = random.Random(1)
        self._places: list[str] = []
        self.targets: dict[int, int] = {}
        """Which scene (or from 1,000 on, which spot) a photo shows."""

    def place(self, latitude: float, longitude: float) -> str:
        """The name of a position: its longitude counts the names."""
        return self._places[round(longitude)]

    def fill(self) -> None:
        """Into an empty log."""
        with self._ledger.transaction(CLI) as uow:
            self._library = add_library(uow, "/photos", "Photos")
        for number, scene in enumerate(SCENES):
            for caption in (scene.caption, scene.beschreibung):
                self._add(number, self._chance.choice(ELSEWHERE), caption=caption)
            for tags in (scene.tags, scene.stichworte):
                self._add(number, self._chance.choice(ELSEWHERE), tags=tags.split(", "))
        for number, spot in enumerate(SPOTS):
            for _ in range(3):
                self._add(1000 + number, spot.place)
        for _ in range(BARE):
            self._add(None, self._chance.choice(ELSEWHERE))

    def _add(self, target: int | None, place: str, caption: str = "", tags: Sequence[str] = ()) -> None:
        chance = self._chance
        if place not in self._places:
            self._places.append(place)
        number = chance.randrange(10**6)
        content = hashlib.sha256(chance.randbytes(8)).digest()
        facts = FileFacts(
            number,
            0,
            "photo",
            taken_at=chance.randrange(1_262_304_000, 1_735_689_600) * 10**6,
            taken_source="exif",
            latitude=48.0 if place else None,
            longitude=float(self._places.index(place)) if place else None,
        )
        people = chance.sample(NAMES, chance.choice((0, 0, 1, 2)))
        with self._ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "found")
            record_files(uow, self._library, [ReadFile(f"camera/IMG_{number:06}.jpg", content, facts)])
            uow.next_operation()
            uow.begin("tag.add", "told")
            for name in (*tags, *people):
                tag = uow.tags.named(name)
                tag_id = tag.id if tag is not None else uow.new_id("tag")
                if tag is None:
                    uow.append(TagCreated(tag_id, name))
                uow.append(MediaTagged(content, tag_id))
            if caption:
                uow.append(InsightWritten(uow.new_id("insight"), content, caption, "", "bench", "local"))
            (media,) = uow.media.of_contents([content])
        if target is not None:
            self.targets[media.id] = target


def hits(found: Callable[[str], Sequence[int]], queries: Iterable[tuple[str, int]], targets: dict[int, int]) -> str:
    """Of how many queries the first photo, and one of the first five, is of the scene that is meant."""
    asked = list(queries)
    firsts = [[targets.get(media_id) for media_id in found(query)[:5]] for query, _ in asked]
    at_1 = sum(first[:1] == [wanted] for first, (_, wanted) in zip(firsts, asked, strict=True))
    at_5 = sum(wanted in first for first, (_, wanted) in zip(firsts, asked, strict=True))
    return f"hit@1 {at_1 / len(asked):.2f}, hit@5 {at_5 / len(asked):.2f}"


def quality(folder: Path) -> None:
    """Print how well the bundled model finds the scenes."""
    ledger = Ledger(Database(f"sqlite:///{folder}/album.db"))
    album = Album(ledger)
    album.fill()
    embedder = BundledEmbedder(WorkerPool(1, initializer=prepare))
    store, index = MeaningStore(folder / "album-meaning.db"), MeaningIndex()
    keeps = KeepsMeaning(ledger, store, index, embedder, jobs=JobBoard(), placed=album.place)
    began = time.perf_counter()
    while keeps.step():
        pass
    photos = len(index.view.media_ids)
    print(f"meaning: {photos} photos embedded, {(time.perf_counter() - began) / photos * 1000:.0f} ms each")
    search = PhotoSearch(index, Asker(embedder))
    scenes = list(enumerate(SCENES))
    sets = {
        "English": [(scene.query, number) for number, scene in scenes],
        "German": [(scene.suche, number) for number, scene in scenes],
        "places": [(query, 1000 + n) for n, spot in enumerate(SPOTS) for query in (spot.query, spot.suche)],
    }
    with ledger.reading(CLI) as tables:

        def by_meaning(query: str) -> list[int]:
            return [each.place.media_id for each in search.find(tables, PhotoFilter(), search.question(query))]

        def by_words(query: str) -> list[int]:
            rows = tables.timeline.page(PhotoFilter(q=query), sort="taken_at", after=None, limit=5)
            return [row["id"] for row in rows]

        for title, queries in sets.items():
            told = hits(by_meaning, queries, album.targets), hits(by_words, queries, album.targets)
            print(f"  {len(queries)} queries, {title}: by meaning {told[0]}; by words {told[1]}")
        for name in NAMES[:2]:
            first = {each.place.media_id for each in search.find(tables, PhotoFilter(), search.question(name))[:10]}
            held = first & set(tables.timeline.few(PhotoFilter(q=name), 1000))
            print(f"  {name}: {len(held)} of the first {len(first)} hold the name")
    embedder.close()
    store.close()
    ledger.close()


def speed(folder: Path, keep: Path | None, rounds: int) -> None:
    """Print what searching 100,000 photos takes."""
    with filled(False, keep) as url:
        ledger = Ledger(Database(url))
        store, index = MeaningStore(folder / "told.db"), MeaningIndex()
        keeps = KeepsMeaning(ledger, store, index, Chance(), jobs=JobBoard(), placed=lambda *_: "")
        began = time.perf_counter()
        while keeps.step():
            pass
        each = (time.perf_counter() - began) / len(index.view.media_ids) * 1000
        store.close()
        print(
            f"  {index.view.count} texts of {len(index.view.media_ids)} photos, {each:.2f} ms a photo without a model"
        )
        store = MeaningStore(folder / "meaning.db")
        chance = Chance()
        for some in np.array_split(index.view.media_ids, 200):
            made = (Assigned(n, 1 if n <= 90_000 else 2, str(n).encode(), _drawn(chance, n)) for n in some.tolist())
            store.assign(Chance.model, list(made))
        fresh, before = MeaningIndex(), resident_megabytes()
        (read,) = milliseconds([lambda: fresh.catch_up(store, Chance.model)])
        size = (folder / "meaning.db").stat().st_size / 2**20
        print(
            f"  read at the start in {read:.0f} ms: {resident_megabytes() - before:.0f} MB; the file is {size:.0f} MB"
        )
        asker = Asker(Chance())
        search = PhotoSearch(fresh, asker)
        few = Actor("some", "viewer", libraries=frozenset({2}))
        for title, actor, narrowed, words in (
            ("all", CLI, PhotoFilter(stacked=True), "xylophone"),
            ("granted a tenth", few, PhotoFilter(stacked=True), "xylophone"),
            ("videos", CLI, PhotoFilter(stacked=True, kind="video"), "xylophone"),
            ("a common tag", CLI, PhotoFilter(stacked=True, tags=(tag_name(0),)), "xylophone"),
            ("a rare tag", CLI, PhotoFilter(stacked=True, tags=(tag_name(250),)), "xylophone"),
            ("ten years", CLI, PhotoFilter(stacked=True, taken_from=0, taken_to=1_420_000_000 * 10**6), "xylophone"),
            ("words of many", CLI, PhotoFilter(stacked=True), "maggiore"),
        ):
            question = search.question(words)

            def ask(actor: Actor = actor, narrowed: PhotoFilter = narrowed, question: Question = question) -> None:
                with ledger.reading(actor) as tables:
                    found = search.find(tables, narrowed, question)
                    tables.timeline.rows([each.place.media_id for each in found[:100]])

            ask()
            times = milliseconds([ask] * rounds)
            busy = time.process_time()
            ask()
            busy = (time.process_time() - busy) * 1000
            told = f"median {statistics.median(times):6.1f} ms, 95 % under {times[int(0.95 * rounds)]:6.1f} ms"
            print(f"  {title:16} {told}, {busy:6.1f} ms of a core")
        print(f"  {resident_megabytes() - before:.0f} MB after {7 * rounds} searches")
        store.close()
        ledger.close()


def _drawn(chance: Chance, number: int) -> bytes:
    """A photo's own vector."""
    what, when = chance.embed([str(number), str(number % 5_000 - 5_000)])
    return blended(what, when)


def main(words: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--keep", type=Path, help="a SQLite file to leave the 100,000 media at, or to take them from")
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        quality(Path(folder))
        speed(Path(folder), given.keep, given.rounds)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
