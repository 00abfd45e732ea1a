"""Faces on the photos of a library: found by an engine, and asked for by the photo's path."""

from __future__ import annotations

from adapters.background.face_detection import DetectsFaces
from adapters.background.jobs import JobBoard
from adapters.vectors.similarity import likeness
from domain.base.actor import CLI
from domain.ports.face_engine import FaceEngine
from projections.queries.faces import FaceView
from tests.scenarios.conftest import Place


def detect(place: Place, engine: FaceEngine) -> None:
    """Let detection run until it has nothing more to do."""
    detects = DetectsFaces(place.ledger, engine, place.gallery, JobBoard(), at_once=1, likeness=likeness)
    try:
        while detects.step():
            pass
    finally:
        detects.close()


def faces_on(place: Place, path: str) -> list[FaceView]:
    """The faces that are shown on a photo."""
    with place.ledger.reading(CLI) as tables:
        media = tables.media.shown_at(path)
        assert media is not None
        assert media.content_hash is not None
        return tables.faces.shown_on(media.content_hash)


def content_of(place: Place, path: str) -> bytes:
    """The hash of a photo's bytes."""
    content = place.files()[path].content_hash
    assert content is not None
    return content
