"""Real faces through the real engine: who is nobody's falls into clusters, and grows with what is new."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.background.face_detection import DetectsFaces
from adapters.background.jobs import JobBoard
from adapters.background.vector_upkeep import KeepsVectors
from adapters.face_engines.absent import AbsentEngine
from adapters.face_engines.embedded import EmbeddedEngine
from adapters.vectors.similarity import Similarity, likeness
from domain.base.actor import CLI
from domain.base.errors import Unavailable
from domain.commands.review import accept_cluster
from domain.events.face import Face
from domain.undo.operations import undo
from projections.queries.reading import Lookups
from tests.scenarios.conftest import Place


def look_at(place: Place, engine: EmbeddedEngine, photos: Path, *names: str) -> None:
    """Put photos into the library, scan it and find their faces."""
    for name in names:
        shutil.copy(photos / name, place.root / name)
    place.scan()
    detects = DetectsFaces(place.ledger, engine, place.gallery, JobBoard(), at_once=1, likeness=likeness)
    try:
        while detects.step():
            pass
    finally:
        detects.close()


def shown(tables: Lookups, engine: EmbeddedEngine, similarity: Similarity) -> list[tuple[list[str], Sequence[int]]]:
    """The photos and faces of each cluster."""
    found = similarity.clusters(tables, engine.model_version, engine.thresholds.cluster)
    return [(sorted(view.path for view in tables.faces.views(each.face_ids)), each.face_ids) for each in found]


def test_the_vectors_are_read_before_somebody_asks_and_wait_for_an_engine_that_is_away(
    place: Place, engine: EmbeddedEngine, sample_photos: Path
) -> None:
    similarity = Similarity()
    look_at(place, engine, sample_photos, "obama.jpg", "biden.jpg")
    assert KeepsVectors(place.ledger, engine, similarity).step() is False
    assert similarity.known(engine.model_version) == 2
    with pytest.raises(Unavailable, match="away"):
        KeepsVectors(place.ledger, AbsentEngine("away"), similarity).step()


def test_three_portraits_of_one_person_are_a_cluster_to_accept_and_the_fourth_is_suggested_for_it(
    place: Place, engine: EmbeddedEngine, sample_photos: Path
) -> None:
    similarity = Similarity()
    look_at(place, engine, sample_photos, "obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png")
    with place.ledger.reading(CLI) as tables:
        ((paths, _),) = shown(tables, engine, similarity)
    assert paths == ["obama.jpg", "obama2.jpg"]
    look_at(place, engine, sample_photos, "obama3.jpg")
    with place.ledger.reading(CLI) as tables:
        ((paths, faces),) = shown(tables, engine, similarity)
    assert paths == ["obama.jpg", "obama2.jpg", "obama3.jpg"]
    with place.ledger.transaction(CLI) as uow:
        outcomes = accept_cluster(uow, faces[1:], name="Barack Obama")
        operation = uow.operation_id
    assert [outcome.ok for outcome in outcomes] == [True, True]
    with place.ledger.reading(CLI) as tables:
        assert shown(tables, engine, similarity) == []
        left = tables.faces.get(faces[0])
        assert isinstance(left, Face)
        ((person, alike),) = similarity.suggest(tables, left, 5, engine.thresholds).items()
        named = tables.persons.get(person)
        assert named is not None
        assert named.name == "Barack Obama"
        assert alike.similarity >= engine.thresholds.cluster
    with place.ledger.transaction(CLI) as uow:
        undo(uow, operation or 0)
    with place.ledger.reading(CLI) as tables:
        assert [sorted(ids) for _, ids in shown(tables, engine, similarity)] == [sorted(faces)]
