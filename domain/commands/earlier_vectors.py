"""Takes up the vectors that the log still has of a model to which one goes back, so that few photos need be looked at
again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from domain.base.face_quality import FaceQuality
from domain.commands.detection import last_sighting
from domain.events.event import Event
from domain.events.face import (
    DETECTED,
    Face,
    FaceDetected,
    FaceDrawn,
    FaceEmbedded,
    FaceFollowed,
    FaceMoved,
    FaceRedetected,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.face_pairing import is_same_face

_MEASURED: Final = (FaceDetected, FaceDrawn, FaceEmbedded, FaceFollowed, FaceMoved, FaceRedetected)


def take_up_vectors(uow: UnitOfWork, content_hash: bytes, model_version: str) -> bool:
    """Give the faces of a content the vectors that this model once made of them, where it made one of each that stands;
    whether it did. Otherwise nothing is recorded, and the content is to be looked at."""
    faces = [face for face in uow.faces.on_content(content_hash) if face.model_version != model_version]
    streams = {face.id: [recorded.event for recorded in uow.later_in(f"face-{face.id}", 0)] for face in faces}
    known = {face.id: _earlier_vector(face, streams[face.id], model_version) for face in faces}
    found = {face_id: vector for face_id, vector in known.items() if vector is not None}
    is_complete = all(face.id in found for face in faces if face.status == DETECTED)
    if not found or not is_complete or len(uow.faces.vectors(found.values())) < len(set(found.values())):
        return False
    uow.append(*(_embedded(uow, id_, streams[id_], model_version, found[id_]) for id_ in found))
    return True


def last_quality(stream: Iterable[Event]) -> FaceQuality | None:
    """How well a face was seen when that was last measured in these events of it; None where it never was."""
    measured = [event.quality for event in stream if isinstance(event, _MEASURED)]
    return next((quality for quality in reversed(measured) if quality is not None), None)


def _embedded(
    uow: UnitOfWork, face_id: int, stream: Sequence[Event], model_version: str, embedding_id: int
) -> FaceEmbedded:
    """The face with a vector of before: where it was last seen, and how well, no embedder changes."""
    sighting = last_sighting(uow, face_id)
    box, confidence = (None, None) if sighting is None else (sighting.box, sighting.confidence)
    return FaceEmbedded(face_id, model_version, embedding_id, box, confidence, quality=last_quality(stream))


def _earlier_vector(face: Face, stream: Sequence[Event], model_version: str) -> int | None:
    """The id of the last vector that this model made of a face where it lies now; None where it made none."""
    for event in reversed(stream):
        if isinstance(event, (FaceMoved, FaceFollowed)):
            return event.embedding_id if event.model_version == model_version else None
        if isinstance(event, (FaceDrawn, FaceEmbedded)) and event.model_version == model_version:
            return event.embedding_id
        if isinstance(event, (FaceDetected, FaceRedetected)) and event.model_version == model_version:
            return event.embedding_id if is_same_face(face, event.box) else None
    return None
