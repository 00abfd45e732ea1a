"""Answer times of the lists over 100,000 media and 300,000 faces, each route as the application answers it.

    python -m bench.queries [--postgres] [--keep FILE] [--seconds S] [WORD]

A log is filled with media of twenty years in two libraries, a fifth of them behind another one in a stack, with faces,
persons and tags, as a large family's would be. Then each route is asked again and again, one request at a time, through
the whole application but its socket: as somebody who sees everything and as somebody who is granted one library.
`--keep` leaves the SQLite database at FILE and takes it from there the next time; WORD measures the routes alone that
hold it. Beside the time on the clock stands that of a core, since other work may take turns on it; on a core that two
programs share by threads it is longer too. So each list begins with a yardstick: a look at every file's entry in the
index of the timeline for a word that none holds.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
from starlette.types import ASGIApp

from adapters.http.asgi import create_http_app
from adapters.http.web.dependencies import Dependencies
from adapters.settings import Settings
from adapters.store.database import Database
from adapters.store.ledger import Ledger
from app import Application
from bench.ledger import database
from domain.base.actor import CLI, WATCHER
from domain.base.geometry import Box
from domain.commands.accounts import add_user
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.commands.persons import create_person, merge_persons
from domain.events.event import Event
from domain.events.face import BY_USER, FaceAssigned, FaceDetected
from domain.events.media import FileFacts
from domain.events.tag import MediaTagged, TagCreated
from domain.ports.face_engine import Embedding
from projections.queries.photo_filter import PhotoFilter

MEDIA, FACES, ASSIGNED, PERSONS, TAGS, BATCH = 100_000, 300_000, 80_000, 500, 300, 1000
FIRST, DAYS = datetime(2005, 1, 1, tzinfo=UTC), 20 * 365
CAMERAS = (
    ("Apple", "iPhone 12", None),
    ("Apple", "iPhone 15 Pro", None),
    ("Canon", "EOS R6", "RF24-105mm F4 L IS USM"),
    ("NIKON CORPORATION", "NIKON D90", "AF-S Nikkor 18-105mm f/3.5-5.6G"),
    ("samsung", "SM-G991B", None),
    ("FUJIFILM", "X100V", "23mm F2"),
)
PLACES = ("Zürich", "Rome", "Lago Maggiore", "Garden", "Birthday", "Ski", "København", "Beach", "School", "Camera Roll")
FIRST_NAMES = (
    *("Anna", "Ben", "Clara", "David", "Élise", "Felix", "Greta", "Hugo", "Ida", "Jan", "Karin", "Louis", "Maya"),
    *("Noah", "Olga", "Paul", "Ruth", "Sara", "Tom", "Urs", "Vera", "Willi", "Xenia", "Yann", "Zoë"),
)
SURNAMES = (
    *("Ammann", "Bauer", "Cohen", "Dupont", "Egger", "Favre", "Gómez", "Huber", "Iten", "Jensen", "Keller", "Lang"),
    *("Meier", "Novak", "Okafor", "Perret", "Rossi", "Sato", "Tanner", "Ulrich"),
)


def tag_name(number: int) -> str:
    """A word of three syllables, another one for each number below 1,000."""
    syllables = ("ba", "du", "fe", "gi", "ko", "la", "mo", "ni", "ru", "so")
    return "".join(syllables[number // step % 10] for step in (1, 10, 100)).capitalize()


FILTERS: dict[str, dict[str, Any]] = {
    "/photos": {},
    "/photos library": {"library": "2"},
    "/photos path": {"path": "2015"},
    "/photos path, one folder": {"path": "2015/07 Lago Maggiore", "recursive": "false"},
    "/photos kind": {"kind": "video"},
    "/photos tags, one": {"tags": tag_name(0)},
    "/photos tags, rare": {"tags": tag_name(250)},
    "/photos tags, any of three": {"tags": [tag_name(1), tag_name(7), tag_name(30)]},
    "/photos tags, all of two": {"tags": [tag_name(0), tag_name(1)], "tag_mode": "all"},
    "/photos exclude_tags": {"exclude_tags": [tag_name(0), tag_name(1)]},
    "/photos persons, one": {"persons": "1"},
    "/photos persons, rare": {"persons": "450"},
    "/photos persons, any of three": {"persons": ["2", "9", "50"]},
    "/photos persons, all of two": {"persons": ["1", "2"], "person_mode": "all"},
    "/photos from, to": {"from": "2015-07-01", "to": "2015-08-31"},
    "/photos camera": {"camera": "fujifilm"},
    "/photos camera, none such": {"camera": "leica"},
    "/photos lens": {"lens": "nikkor"},
    "/photos has_gps": {"has_gps": "true"},
    "/photos no gps": {"has_gps": "false"},
    "/photos within": {"within": "47.2,8.4,47.5,8.7"},
    "/photos q, in names": {"q": "IMG_00512"},
    "/photos q, in folders": {"q": "maggiore"},
    "/photos q, a person's two names": {"q": "Elise Ammann"},
    "/photos q, a tag": {"q": tag_name(25)},
    "/photos q, a camera": {"q": "nikon"},
    "/photos q, a family": {"q": "huber"},
    "/photos q, two letters": {"q": "go"},
    "/photos q, nothing such": {"q": "xylophone"},
    "/photos q, several words": {"q": "zurich keller"},
    "/photos by name": {"sort": "name"},
    "/photos by discovered": {"sort": "discovered"},
    "/photos by name, tags": {"sort": "name", "tags": tag_name(3)},
    "/photos by name, persons": {"sort": "name", "persons": "1"},
    "/photos by name, camera": {"sort": "name", "camera": "nikon"},
    "/photos by name, library": {"sort": "name", "library": "2"},
    "/photos by discovered, within": {"sort": "discovered", "within": "47.2,8.4,47.5,8.7"},
    "/photos by discovered, q": {"sort": "discovered", "q": "maggiore"},
    "/photos persons, tags": {"persons": "1", "tags": tag_name(0)},
    "/photos persons, tags, from": {"persons": "1", "tags": tag_name(2), "from": "2010-01-01"},
    "/photos persons, exclude_tags": {"persons": "1", "exclude_tags": tag_name(0)},
    "/photos path, kind": {"path": "2015", "kind": "photo"},
    "/photos path, tags": {"path": "2015", "tags": tag_name(0)},
    "/photos not stacked": {"stacked": "false"},
}
DEEP: dict[str, dict[str, Any]] = {
    "/photos, 20,000 down": {},
    "/photos by name, 20,000 down": {"sort": "name"},
    "/photos camera, 20,000 down": {"camera": "iphone"},
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "/folders": ("/folders", {}),
    "/memories": ("/memories", {"date": "2026-07-14"}),
    "/memories of a week": ("/memories", {"date": "2026-07-14", "span": "week"}),
    "/memories of a month": ("/memories", {"date": "2026-07-14", "span": "month"}),
    "/image/tags/all": ("/image/tags/all", {}),
    "/persons": ("/persons", {}),
    "/persons by faces": ("/persons", {"sort": "faces"}),
    "/persons q": ("/persons", {"q": "ell"}),
    "/persons library": ("/persons", {"library": "1", "sort": "faces"}),
    "/persons/1": ("/persons/1", {}),
    "/faces/stats": ("/faces/stats", {}),
    "/operations": ("/operations", {}),
    "/operations kind": ("/operations", {"kind": "person.merge"}),
    "/operations actor": ("/operations", {"actor": "watcher"}),
    "/operations person": ("/operations", {"person": "10"}),
}


class Figures(NamedTuple):
    """Milliseconds that a route took: the median, the longest but one in a hundred, the least, and the median of those
    that it kept a core busy."""

    median: float
    worst: float
    least: float
    busy: float


class Collection:
    """What a family collected in twenty years; the same each time that it is made."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._random = random.Random(20)
        self._contents = [hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(MEDIA + 2)]

    def fill(self) -> None:
        """Into an empty log."""
        for turn_of in (self._media, self._tags, self._persons, self._faces, self._users):
            turn_of()

    def _media(self) -> None:
        with self._ledger.transaction(CLI) as uow:
            family = add_library(uow, "/photos/family", "Family")
        with self._ledger.transaction(CLI) as uow:
            other = add_library(uow, "/photos/other", "Other")
        files: list[ReadFile] = []
        while len(files) < MEDIA:
            files += self._pressed(len(files))
        for library, first, last in ((family, 0, MEDIA * 9 // 10), (other, MEDIA * 9 // 10, MEDIA)):
            for start in range(first, last, BATCH):
                with self._ledger.transaction(WATCHER) as uow:
                    uow.begin("scan", "scanned")
                    record_files(uow, library, files[start : min(start + BATCH, last)])

    def _pressed(self, number: int) -> list[ReadFile]:
        """The files of one press of the shutter. One in fifty is a video; three in ten photos of a telephone are live,
        with a short clip, and a quarter of the cameras' have a RAW; one in twenty of the second library is a copy from
        the first."""
        chance = self._random
        day = FIRST + timedelta(seconds=chance.randrange(DAYS * 86_400))
        make, model, lens = CAMERAS[chance.choices(range(6), (30, 20, 20, 15, 10, 5))[0]]
        place = chance.random() < 0.4
        folder = f"{day:%Y}/{day:%m} {PLACES[(day.month + day.year) % len(PLACES)]}"
        facts = FileFacts(
            size=4_000_000 + number,
            mtime_ns=int(day.timestamp()) * 10**9,
            kind="photo",
            format="jpeg",
            width=4000,
            height=3000,
            taken_at=int(day.timestamp()) * 10**6,
            taken_offset=60,
            taken_source="exif" if chance.random() < 0.9 else "mtime",
            make=make,
            model=model,
            lens=lens,
            latitude=47.37 + chance.gauss(0, 3) if place else None,
            longitude=8.54 + chance.gauss(0, 3) if place else None,
            placeholder="1QcSHQRnh493V4dIh4eXh1h4kJUI",
        )
        clip = msgspec.structs.replace(facts, kind="video", format="mp4", duration=3.0, lens=None)
        if chance.random() < 0.02:
            return [self._file(f"{folder}/VID_{number:06}.mp4", number, msgspec.structs.replace(clip, duration=60.0))]
        name = f"{folder}/IMG_{number:06}"
        pressed = [self._file(f"{name}.jpg", number, facts)]
        if make == "Apple" and chance.random() < 0.3:
            pressed.append(self._file(f"{name}.mov", number + 1, clip))
        if lens is not None and chance.random() < 0.25:
            pressed.append(self._file(f"{name}.nef", number + 1, msgspec.structs.replace(facts, format="nef")))
        return pressed

    def _file(self, path: str, number: int, facts: FileFacts) -> ReadFile:
        copied = MEDIA * 9 // 10 <= number < MEDIA and self._random.random() < 0.05
        return ReadFile(path, self._contents[number % 90_000 if copied else number], facts)

    def _tags(self) -> None:
        """Some 60,000 tags on media, the first ones on most."""
        for tag_id in self._appended("tag", [TagCreated(0, tag_name(number)) for number in range(TAGS)]):
            weight = 0.15 / (tag_id - self._first_tag + 1) ** 0.9 if tag_id > self._first_tag else 0.15
            chosen = self._random.sample(self._contents, int(MEDIA * weight) + 3)
            self._append([MediaTagged(content, tag_id) for content in chosen])

    def _appended(self, counter: str, tags: Sequence[TagCreated]) -> range:
        with self._ledger.transaction(CLI) as uow:
            uow.begin("tag.add", "tagged")
            ids = uow.new_ids(counter, len(tags))
            uow.append(*(TagCreated(id_, tag.name) for id_, tag in zip(ids, tags, strict=True)))
        self._first_tag = ids[0]
        return ids

    def _append(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), BATCH):
            with self._ledger.transaction(CLI) as uow:
                uow.begin("bench", "decided")
                uow.append(*events[start : start + BATCH])

    def _persons(self) -> None:
        for number in range(PERSONS):
            with self._ledger.transaction(CLI) as uow:
                create_person(uow, f"{FIRST_NAMES[number % 25]} {SURNAMES[number // 25]}")

    def _faces(self) -> None:
        """On two of three media; 80,000 of them are somebody's, most of the first persons; twenty were merged."""
        shown = self._contents[: MEDIA * 2 // 3]
        with self._ledger.transaction(CLI) as uow:
            uow.begin("bench", "looked for faces")
            (embedding,) = uow.attach([Embedding("bench", bytes(2048))])
        weights = [1 / (number + 1) ** 0.8 for number in range(PERSONS)]
        for _ in range(0, FACES, BATCH):
            with self._ledger.transaction(WATCHER) as uow:
                uow.begin("detect", "looked for faces")
                ids = uow.new_ids("face", BATCH)
                uow.append(*(self._face(face, self._random.choice(shown), embedding) for face in ids))
        faces = self._random.sample(range(1, FACES + 1), ASSIGNED)
        whose = self._random.choices(range(1, PERSONS + 1), weights, k=ASSIGNED)
        self._append([FaceAssigned(face, person, BY_USER) for face, person in zip(faces, whose, strict=True)])
        for number in range(20):
            with self._ledger.transaction(CLI) as uow:
                merge_persons(uow, 100 + number, 10 + number)

    def _face(self, face_id: int, content: bytes, embedding: int) -> FaceDetected:
        chance = self._random
        side = chance.uniform(0.02, 0.3)
        box = Box(chance.uniform(0, 0.7), chance.uniform(0, 0.7), side, side)
        return FaceDetected(face_id, content, box, chance.uniform(0.6, 1), "bench", embedding)

    def _users(self) -> None:
        for name, libraries in (("all", None), ("some", (1,))):
            with self._ledger.transaction(CLI) as uow:
                add_user(uow, name, "admin" if libraries is None else "viewer", "no password at all", libraries)


@contextmanager
def application_at(url: str) -> Iterator[Application]:
    """Everything but the background work, over a database."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = {"IMAGEAPI_DATA": folder, "DATABASE_URL": url, "FACE_ENGINE": "off", "LOG_LEVEL": "off"}
        made = Application(Settings.load(environment, Path(folder)))
        with closing(made):
            yield made


async def ask(dependencies: Dependencies, seconds: float, word: str) -> None:
    """Print what each route takes, each as soon as it is known."""
    wanted = {title: ("/photos", query) for title, query in (FILTERS | DEEP).items()} | OTHERS
    application = create_http_app(dependencies)
    async with (
        client_of(application, dependencies, "all") as all_,
        client_of(application, dependencies, "some") as some,
    ):
        for title, (path, query) in wanted.items():
            if word not in title:
                continue
            told, rows = "", 0
            for client in (all_, some):
                asked = await down(client, query) if title in DEEP else query
                answer = await client.get(path, params=asked)
                if answer.status_code == 404 and client is some:
                    continue
                rows = rows or len(answer.raise_for_status().json().get("items", ["one"]))
                figures = await measured(client, path, asked, seconds)
                told += "".join(f"{figure:8.1f}" for figure in figures) + " "
            print(f"  {title:34} {told:66} {rows:6}", flush=True)


def client_of(application: ASGIApp, dependencies: Dependencies, name: str) -> httpx.AsyncClient:
    """A client of the application, signed in as one user."""
    with dependencies.ledger.reading(CLI) as tables:
        user = tables.users.named(name)
    assert user is not None
    token = dependencies.accounts.tokens.issue(user.id, user.epoch).token
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1", headers=headers)


async def measured(client: httpx.AsyncClient, path: str, query: dict[str, Any], seconds: float) -> Figures:
    """A hundred rounds, or as many as fit into so many seconds."""
    taken: list[float] = []
    used: list[float] = []
    end = time.monotonic() + seconds
    while len(taken) < 20 or (len(taken) < 100 and time.monotonic() < end):
        began, worked = time.perf_counter(), time.process_time()
        await client.get(path, params=query)
        taken.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - worked) * 1000)
    worst = statistics.quantiles(taken, n=100, method="inclusive")[98]
    return Figures(statistics.median(taken), worst, min(taken), statistics.median(used))


async def down(client: httpx.AsyncClient, query: dict[str, Any]) -> dict[str, Any]:
    """The same query after twenty pages of a thousand."""
    cursor: dict[str, str] = {}
    for _ in range(20):
        page = (await client.get("/photos", params=query | cursor | {"limit": 1000})).raise_for_status().json()
        cursor = {"cursor": page["next_cursor"]}
    return query | cursor


def yardstick(dependencies: Dependencies) -> float:
    """The least milliseconds of a core that it takes to look at each file's entry in the timeline for a word."""
    taken = []
    for _ in range(20):
        with dependencies.ledger.reading(CLI) as tables:
            began = time.process_time()
            assert not tables.timeline.page(PhotoFilter(lens="xylophone"), sort="taken_at", after=None, limit=1)
            taken.append((time.process_time() - began) * 1000)
    return min(taken)


@contextmanager
def filled(postgres: bool, keep: Path | None) -> Iterator[str]:
    """The URL of a database with the collection in it."""
    if keep is not None and keep.exists():
        yield f"sqlite:///{keep}"
        return
    with database(postgres) as url:
        ledger = Ledger(Database(url))
        began = time.perf_counter()
        Collection(ledger).fill()
        print(f"filled with {ledger.head()} events in {time.perf_counter() - began:.0f} s", flush=True)
        ledger.close()
        if keep is not None:
            shutil.copyfile(url.removeprefix("sqlite:///"), keep)
        yield url


def main(words: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--postgres", action="store_true", help="measure on PostgreSQL")
    parser.add_argument("--keep", type=Path, help="a SQLite file to leave the database at, or to take it from")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each route and user; at least 20 rounds")
    parser.add_argument("word", nargs="?", default="")
    given = parser.parse_args(words)
    print(f"lists of {MEDIA} media and {FACES} faces on", "PostgreSQL" if given.postgres else "SQLite", flush=True)
    with filled(given.postgres, given.keep) as url, application_at(url) as made:
        dependencies = made.dependencies
        print(f"  yardstick: {yardstick(dependencies):.1f} ms of a core")
        print(f"  {'ms: median, p99, least, of a core':34} {'sees everything':>32} {'granted one library':>32}    rows")
        asyncio.run(ask(dependencies, given.seconds, given.word))
        print(f"  yardstick: {yardstick(dependencies):.1f} ms of a core")


if __name__ == "__main__":
    main(sys.argv[1:])
