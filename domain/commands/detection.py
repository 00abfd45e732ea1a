"""What the server records of a detection: new faces, the same faces again, and markers. A human decision outlives all
of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from domain.base.geometry import Box
from domain.commands.carrying import Found, carry_over_look, followers
from domain.events.erasure import FaceErased
from domain.events.event import Event
from domain.events.face import (
    AUTO,
    DELETED,
    DETECTED,
    FAILED,
    NO_FACES,
    ContentMarked,
    Face,
    FaceDetected,
    FaceEmbedded,
    FaceFollowed,
    FaceRedetected,
    FaceRetracted,
    MarkerLifted,
)
from domain.ports.face_engine import DetectedFace, Detection, Embedding, Resemblance
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.carry_over import Carrying, Look, carrying, is_first_look
from domain.rules.face_pairing import paired


def box_is_human(face: Face) -> bool:
    """Whether a person drew or decided about this face, so that its box is not the engine's to change."""
    return face.source != AUTO or face.touched


class FaceSighting(msgspec.Struct, frozen=True):
    """Where an engine last saw a face, and how surely."""

    box: Box
    confidence: float | None


def last_sighting(uow: UnitOfWork, face_id: int) -> FaceSighting | None:
    """What the engine that looked last found of a face; None where it did not find it, or none looked."""
    for recorded in reversed(uow.later_in(f"face-{face_id}", 0)):
        event = recorded.event
        if isinstance(event, FaceEmbedded):
            return None if event.found is None else FaceSighting(event.found, event.confidence)
        if isinstance(event, FaceFollowed) and (event.found is not None or event.box != event.was_box):
            return None if event.found is None else FaceSighting(event.found, event.confidence)
        if isinstance(event, (FaceDetected, FaceRedetected)):
            return FaceSighting(event.box, event.confidence)
    return None


def wants_embedding(faces: Iterable[Face], detection: Detection) -> list[Face]:
    """Old faces that the detection did not find again but that stay, and have no embedding of this model yet: embed
    their own boxes before the facts are recorded."""
    pairing = paired(list(faces), detection.faces, model_version=detection.model_version)
    return [
        face
        for face in pairing.gone
        if face.status == DETECTED and face.model_version != detection.model_version and _stays(face)
    ]


def record_detection(
    uow: UnitOfWork,
    content_hash: bytes,
    detection: Detection,
    resemblance: Resemblance,
    embedded: Mapping[int, Embedding] | None = None,
) -> int:
    """Record what an engine found on one content; the number of new faces.

    A found box that overlaps an old face keeps its id and person; a deleted face keeps the box from coming back; a box
    drawn or touched by a person stays where it is. Faces that nobody decided about and that are no longer found are
    retracted. Decisions about a content that this one replaced are carried over to the faces that may be the same by
    `resemblance`, and so are the places of faces that an erasure took from it. `embedded` holds embeddings of this
    model for old faces that were not found again.
    """
    old = uow.faces.on_content(content_hash)
    pairing = paired(old, detection.faces, model_version=detection.model_version)
    model = detection.model_version
    standing = [(face, found) for face, found in pairing.same if face.status == DETECTED]
    again = [(face, found) for face, found in standing if _tells_something(uow, face, model)]
    # A deletion may be taken back when the model that the face has its vector of is long gone.
    again += [(face, found) for face, found in pairing.same if _is_deleted_with_vector(face, model)]
    kept = [(face, (embedded or {})[face.id]) for face in pairing.gone if face.id in (embedded or {})]
    carried = Carrying()
    if is_first_look(old):
        saw = {face.id: found.vector for face, found in standing} | {face.id: one.vector for face, one in kept}
        carried = carrying(uow, content_hash, old, Look(model, pairing.new, saw, resemblance))
    found_new = [found for found in pairing.new if found not in carried.erased]
    followed = followers(uow, carried)
    vectors = [Embedding(model, found.vector) for found in (*(found for _, found in again), *found_new)]
    ids = iter(uow.attach([*vectors, *(embedding for _, embedding in kept)]))
    face_ids = iter(_face_ids(uow, len(found_new) - len(followed)))
    events: list[Event] = []
    if found_new or again or kept:
        markers = uow.faces.markers(content_hash)
        events += [MarkerLifted(id_, content_hash) for id_, _, of_model in markers if of_model == model]
    events += [_redetected(face, found, model, next(ids)) for face, found in again]
    found = [Found(face, next(ids), None if id(face) in followed else next(face_ids)) for face in found_new]
    events += [
        FaceDetected(
            one.face_id,
            content_hash,
            one.face.box,
            one.face.confidence,
            model_version=model,
            embedding_id=one.embedding_id,
            quality=one.face.quality,
        )
        for one in found
        if one.face_id is not None
    ]
    events += [
        FaceEmbedded(face.id, embedding.model_version, next(ids), quality=embedding.quality) for face, embedding in kept
    ]
    places = zip(_face_ids(uow, len(carried.erased)), carried.erased, strict=True)
    events += [FaceErased(face_id, content_hash, found.box, model, AUTO) for face_id, found in places]
    events += [FaceRetracted(face.id) for face in pairing.gone if face.status == DETECTED and not _stays(face)]
    uow.append(*events)
    if not any(placed.found is not None or placed.face.model_version == model for placed in carried.placed):
        _mark(uow, content_hash, NO_FACES, model)
    carry_over_look(uow, content_hash, carried, model, found)
    return len(found)


def mark_failed(uow: UnitOfWork, content_hash: bytes, model_version: str, reason: str) -> None:
    """Record that this model can never use this content, so that it is not asked again."""
    _mark(uow, content_hash, FAILED, model_version, reason)


def _stays(face: Face) -> bool:
    return face.touched or face.person_id is not None or face.status == DELETED


def _is_deleted_with_vector(face: Face, model: str) -> bool:
    """Whether a deleted face has a vector, as none that was erased does, and it is of another model."""
    return face.status == DELETED and face.embedding_id is not None and face.model_version != model


def _tells_something(uow: UnitOfWork, face: Face, model: str) -> bool:
    """Whether it is news that this model finds a face: its vectors are wanted, or a person drew it and no engine found
    it yet, so that it would be lost if the drawing were taken back."""
    if face.model_version != model or face.embedding_id is None:
        return True
    return face.source != AUTO and last_sighting(uow, face.id) is None


def _face_ids(uow: UnitOfWork, count: int) -> Iterable[int]:
    return uow.new_ids("face", count) if count else ()


def _redetected(face: Face, found: DetectedFace, model: str, embedding_id: int) -> Event:
    if box_is_human(face):
        return FaceEmbedded(face.id, model, embedding_id, found.box, found.confidence, quality=found.quality)
    return FaceRedetected(face.id, found.box, found.confidence, model, embedding_id, quality=found.quality)


def _mark(uow: UnitOfWork, content_hash: bytes, status: str, model_version: str, reason: str | None = None) -> None:
    if not uow.faces.has_rows(content_hash, model_version):
        uow.append(ContentMarked(uow.new_id("face"), content_hash, status, model_version, reason))
