"""Who may be one and who may be two, among two thousand persons with a hundred thousand faces: what is found of what is
known to be wrong, and how long it takes.

Synthetic faces as in bench/clusters.py: strangers' cosines have a deviation of 0.15, a person's faces lie around 0.55.
Some persons are parted in two, some have faces of another, who is called something else or has no name.

    python -m bench.person_suggestions [--persons 2000] [--faces 50]
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from adapters.store.database import Database
from adapters.store.ledger import Ledger
from adapters.vectors.alike_persons import LikelyAnothers, LikelyOne, PersonSuggestions
from adapters.vectors.similarity import Similarity
from bench.clusters import MODEL, Labels, Matrix, record_faces
from bench.recognition_made import FACENET, directions
from domain.base.actor import CLI, WATCHER
from domain.commands.faces import change_faces
from domain.commands.libraries import add_library
from domain.commands.media import ReadFile, record_files
from domain.events.media import FileFacts
from domain.ports.face_engine import Thresholds

THRESHOLDS = Thresholds(autobind=0.5, offer=0.42, preselect=0.5, cluster=0.5)  # FaceNet's
MEAN, DEVIATION = 0.55, 0.12
PARTED, MIXED = 100, 100
"""Persons that are two, and persons with faces of another."""


def faces_of(persons: int, each: int, chance: np.random.Generator) -> tuple[Matrix, Labels]:
    """Faces in the order of their persons, and whose each is."""
    true = np.repeat(np.arange(persons), each)
    own = np.sqrt(np.clip(chance.normal(MEAN, DEVIATION, len(true)), 0.1, 0.97)).astype(np.float32)[:, None]
    mixed = own * directions(persons, FACENET, chance)[true] + np.sqrt(1 - own * own) * directions(
        len(true), FACENET, chance
    )
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True), true


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.person_suggestions")
    parser.add_argument("--persons", type=int, default=2000)
    parser.add_argument("--faces", type=int, default=50, help="of each person")
    chosen = parser.parse_args(arguments)
    chance = np.random.default_rng(11)
    faces, true = faces_of(chosen.persons, chosen.faces, chance)
    named = true.copy()
    for person in range(PARTED):
        theirs = np.flatnonzero(true == person)
        named[chance.choice(theirs, chance.integers(1, len(theirs) // 2), replace=False)] = chosen.persons + person
    wrong = set[int]()
    for person in range(PARTED, PARTED + MIXED):
        taken = chance.choice(np.flatnonzero(true == person + MIXED), chance.integers(1, 13), replace=False)
        named[taken] = person
        wrong.update(taken.tolist())
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Database(f"sqlite:///{Path(folder) / 'log.db'}"))
        _photos(ledger, len(faces))
        record_faces(ledger, faces, named)
        similarity = Similarity()
        began = time.perf_counter()
        with ledger.reading(CLI) as tables:
            similarity.catch_up(tables, MODEL)
        print(f"vectors read as a server does when it starts: {time.perf_counter() - began:.2f} s")
        suggestions = PersonSuggestions(similarity.space)
        one, anothers = _timed(ledger, suggestions, "first")
        _timed(ledger, suggestions, "again")
        with ledger.transaction(CLI) as uow:
            change_faces(uow, [1, 2], "assign", chosen.persons)
        _timed(ledger, suggestions, "after two faces changed")
        ledger.close()
    parted = [{person + 1, chosen.persons + person + 1} for person in range(PARTED)]
    right = [each for each in one if {each.person, each.into} in parted]
    print(f"of {PARTED} persons in two {len(right)} are suggested, and {len(one) - len(right)} others")
    suggested = {face - 1 for each in anothers for face in each.face_ids}
    print(
        f"of {len(wrong)} faces at the wrong person {len(wrong & suggested)} are suggested, and "
        f"{len(suggested - wrong)} of {len(faces) - len(wrong):,} others"
    )


def _photos(ledger: Ledger, count: int) -> None:
    with ledger.transaction(CLI) as uow:
        library = add_library(uow, "/photos")
    for start in range(1, count + 1, 2000):
        with ledger.transaction(WATCHER) as uow:
            uow.begin("scan", "scanned")
            numbers = range(start, min(start + 2000, count + 1))
            facts = FileFacts(1, 1, "photo", width=100, height=100)
            record_files(
                uow, library, [ReadFile(f"{n}.jpg", hashlib.sha256(str(n).encode()).digest(), facts) for n in numbers]
            )


def _timed(ledger: Ledger, suggestions: PersonSuggestions, what: str) -> tuple[list[LikelyOne], list[LikelyAnothers]]:
    began = time.perf_counter()
    with ledger.reading(CLI) as tables:
        standing = suggestions.of(tables, MODEL, THRESHOLDS)
        one, anothers = standing.likely_one(), standing.likely_anothers()
        nearest = [standing.nearest(each) for each in anothers[:20]]
    took = time.perf_counter() - began
    print(
        f"{what}: {took:.2f} s, {len(one)} pairs may be one, {len(anothers)} groups of faces another's, "
        f"{len([each for each in nearest if each])} of the first 20 like another person"
    )
    return one, anothers


if __name__ == "__main__":
    main()
