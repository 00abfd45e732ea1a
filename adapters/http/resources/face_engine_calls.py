"""The engine's part of a request about faces: always before the write transaction, so that nobody waits for a model."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from adapters.http.web.dependencies import Dependencies
from domain.base.errors import RuleViolation, Unavailable, Unreadable
from domain.base.geometry import Box
from domain.commands.detection import wants_embedding
from domain.events.face import Face
from domain.events.media import Media
from domain.ports.face_engine import Detection, Embedding, FaceEngine

log = logging.getLogger(__name__)


class EmbeddedFace(msgspec.Struct, frozen=True):
    """What came of embedding a drawn face: without `embedding`, `model_version` could not use the crop."""

    embedding: Embedding | None
    model_version: str


def embedded(dependencies: Dependencies, media: Media, box: Box) -> EmbeddedFace:
    """Embed one face of a photo from its upright preview.

    Raises:
        Unavailable: no engine is configured, or it cannot answer now.
        RuleViolation: the file has no picture that a face could be on.
    """
    engine = _engine(dependencies)
    picture = preview_of(dependencies, media)
    try:
        found = engine.embed(picture, box)
    except Unreadable as error:
        log.info("a face drawn on %s has no embedding: %s", media.path, error)
        return EmbeddedFace(None, engine.model_version)
    return EmbeddedFace(found, found.model_version)


def looked_for(
    dependencies: Dependencies, media: Media, faces: Sequence[Face]
) -> tuple[Detection, dict[int, Embedding]]:
    """What the engine finds on a photo, and embeddings for those of its old `faces` that stay without being found.

    Raises:
        Unavailable, RuleViolation: as `embedded`; RuleViolation also where the engine can never use the picture.
    """
    engine = _engine(dependencies)
    picture = preview_of(dependencies, media)
    try:
        detection = engine.detect(picture)
    except Unreadable as error:
        raise RuleViolation(f"no faces can be looked for on this photo: {error}", "path") from error
    again = {}
    for face in wants_embedding(faces, detection):
        try:
            again[face.id] = engine.embed(picture, face.box)
        except Unreadable as error:
            log.info("face %s has no embedding of %s: %s", face.id, detection.model_version, error)
    return detection, again


def preview_of(dependencies: Dependencies, media: Media) -> bytes:
    """The upright preview on which boxes are drawn.

    Raises:
        RuleViolation: there can be none.
        NotFound, Unavailable: the file is not to be had now.
    """
    if media.kind != "photo":
        raise RuleViolation("faces are looked for on photos, not on videos", "path")
    try:
        return dependencies.pictures.preview(media)
    except Unreadable as error:
        raise RuleViolation(f"this photo cannot be shown: {error}", "path") from error


def _engine(dependencies: Dependencies) -> FaceEngine:
    if dependencies.engine is None:
        raise Unavailable(dependencies.engine_absent)
    return dependencies.engine
