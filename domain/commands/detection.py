"""What the server records of a detection: new faces, the same faces again, and markers. A human decision outlives all
of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from domain.event import Event
from domain.faces import (
    AUTO,
    DELETED,
    DETECTED,
    FAILED,
    NO_FACES,
    SAME_FACE_IOU,
    ContentMarked,
    Face,
    FaceDetected,
    FaceEmbedded,
    FaceRedetected,
    FaceRetracted,
    MarkerLifted,
)
from domain.geometry import Box, intersection_over_union
from domain.ports import DetectedFace, Detection, Embedding, Turn


class Pairing(msgspec.Struct, frozen=True):
    """How a detection meets what stands: `same` pairs of old and found, `new` without an old one, `gone` old ones not
    found."""

    same: tuple[tuple[Face, DetectedFace], ...]
    new: tuple[DetectedFace, ...]
    gone: tuple[Face, ...]


def paired(old: Sequence[Face], found: Sequence[DetectedFace]) -> Pairing:
    """Pair old and found boxes, the best overlap first, one to one, where they overlap by more than `SAME_FACE_IOU`."""
    overlaps = sorted(
        (
            (intersection_over_union(face.box, box.box), -face.id, -place)
            for face in old
            for place, box in enumerate(found)
        ),
        reverse=True,
    )
    by_id = {face.id: face for face in old}
    partner: dict[int, int] = {}
    for overlap, negative_id, negative_place in overlaps:
        if overlap <= SAME_FACE_IOU:
            break
        if -negative_id not in partner and -negative_place not in partner.values():
            partner[-negative_id] = -negative_place
    taken = set(partner.values())
    return Pairing(
        tuple((by_id[id_], found[place]) for id_, place in sorted(partner.items())),
        tuple(box for place, box in enumerate(found) if place not in taken),
        tuple(face for face in old if face.id not in partner),
    )


def box_is_human(face: Face) -> bool:
    """Whether a person drew or decided about this face, so that its box is not the engine's to change."""
    return face.source != AUTO or face.touched


def wants_embedding(faces: Iterable[Face], detection: Detection) -> list[Face]:
    """Old faces that the detection did not find again but that stay, and have no embedding of this model yet: embed
    their own boxes before the facts are recorded."""
    pairing = paired(list(faces), detection.faces)
    return [
        face
        for face in pairing.gone
        if face.status == DETECTED and face.model_version != detection.model_version and _stays(face)
    ]


def record_detection(
    turn: Turn, content_hash: bytes, detection: Detection, embedded: Mapping[int, Embedding] | None = None
) -> int:
    """Record what an engine found on one content; the number of new faces.

    A found box that overlaps an old face keeps its id and person; a deleted face keeps the box from coming back; a box
    drawn or touched by a person stays where it is. Faces that nobody decided about and that are no longer found are
    retracted. `embedded` holds embeddings of this model for old faces that were not found again.
    """
    old = turn.faces.on_content(content_hash)
    pairing = paired(old, detection.faces)
    model = detection.model_version
    again = [(face, found) for face, found in pairing.same if face.status == DETECTED and face.model_version != model]
    again += [(face, found) for face, found in pairing.same if _lacks_embedding(face, model)]
    events: list[Event] = []
    if pairing.new or again:
        events += [
            MarkerLifted(id_, content_hash)
            for id_, _, of_model in turn.faces.markers(content_hash)
            if of_model == model
        ]
    vectors = [Embedding(model, found.vector) for _, found in again] + [Embedding(model, f.vector) for f in pairing.new]
    kept = [(face, (embedded or {})[face.id]) for face in pairing.gone if face.id in (embedded or {})]
    ids = iter(turn.attach([*vectors, *(embedding for _, embedding in kept)]))
    events += [_redetected(face, found, model, next(ids)) for face, found in again]
    for face_id, found in zip(turn.new_ids("face", len(pairing.new)) if pairing.new else (), pairing.new, strict=True):
        events.append(FaceDetected(face_id, content_hash, found.box, found.confidence, model, next(ids)))
    events += [FaceEmbedded(face.id, embedding.model_version, next(ids)) for face, embedding in kept]
    events += [FaceRetracted(face.id) for face in pairing.gone if face.status == DETECTED and not _stays(face)]
    if events:
        turn.append(*events)
    _mark(turn, content_hash, NO_FACES, model)
    return len(pairing.new)


def mark_failed(turn: Turn, content_hash: bytes, model_version: str, reason: str) -> None:
    """Record that this model can never use this content, so that it is not asked again."""
    _mark(turn, content_hash, FAILED, model_version, reason)


def record_embedding(turn: Turn, face_id: int, embedding: Embedding) -> None:
    """Give a face that waited for it an embedding of the current model."""
    face = turn.faces.get(face_id)
    if face is not None and face.status == DETECTED and face.model_version != embedding.model_version:
        turn.append(FaceEmbedded(face_id, embedding.model_version, turn.attach([embedding])[0]))


def _stays(face: Face) -> bool:
    return face.touched or face.person_id is not None or face.status == DELETED


def _lacks_embedding(face: Face, model: str) -> bool:
    return face.status == DETECTED and face.model_version == model and face.embedding_id is None


def _redetected(face: Face, found: DetectedFace, model: str, embedding_id: int) -> Event:
    if box_is_human(face):
        return FaceEmbedded(face.id, model, embedding_id)
    box: Box = found.box
    return FaceRedetected(face.id, box, found.confidence, model, embedding_id)


def _mark(turn: Turn, content_hash: bytes, status: str, model_version: str, reason: str | None = None) -> None:
    if not turn.faces.has_rows(content_hash, model_version):
        turn.append(ContentMarked(turn.new_id("face"), content_hash, status, model_version, reason))
