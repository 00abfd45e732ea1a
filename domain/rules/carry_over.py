"""What a person decided about the faces of a photo outlives a rewrite of its file.

An editor that writes a rating into the file, or saves it anew, makes other bytes and so another content. When the new
content is looked at for the first time, decisions about the content that stood in its place before are carried over to
the faces that are found in the same spots, unless they are plainly other faces: a camera that counts from 1 again, or
somebody who saves one photo over another, puts a different photo in that place. Where another file still has that
content, its decisions stay there as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from domain.events.erasure import FaceErased
from domain.events.event import Event
from domain.events.face import (
    AUTO,
    DELETED,
    DETECTED,
    Face,
    FaceAssigned,
    FaceCarried,
    FaceDeleted,
    FaceDrawn,
    FaceIgnored,
    FaceRejected,
    MarkerLifted,
    Why,
)
from domain.events.media import MediaChanged
from domain.ports.face_engine import DetectedFace, Resemblance
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.face_pairing import is_same_face, paired

CARRIED = Why("carried")


class NewFace(msgspec.Struct, frozen=True):
    """A face just recorded on the new content."""

    id: int
    found: DetectedFace


class FirstLook(msgspec.Struct, frozen=True):
    """What a model found on a content that it had not seen: the `new` faces, and the vectors of those that stood there
    already and that it `saw`, by their ids. Two faces may be the same as `resemblance` says."""

    model_version: str
    new: Sequence[NewFace]
    saw: Mapping[int, bytes]
    resemblance: Resemblance


def is_first_look(standing: Sequence[Face]) -> bool:
    """Whether no engine found any of the faces that stand on a content: whoever drew on it looked at it by himself."""
    return all(face.source != AUTO for face in standing)


def carry_over(uow: UnitOfWork, content_hash: bytes, standing: Sequence[Face], look: FirstLook) -> list[Event]:
    """The decisions to repeat on a content that is looked at for the first time; none where it replaced no other.

    They go to the faces that were found there just now, and to those that a person drew there before
    (`standing`) and said nothing else about. Faces that a person drew are drawn again only where the picture still
    shows the others in their places, since a cropped or turned picture has them elsewhere, and where no face stands.
    Faces whose vectors are less alike than one person's are not the same; where the old one has no vector of the model
    that looks, its place alone tells.
    """
    stood = _stood_before(uow, content_hash)
    old = [face for face in stood if _is_to_carry(uow, face, content_hash)]
    if not old:
        return []
    found = paired(old, [face.found for face in look.new])
    drawn = paired(found.gone, standing, drawn=True)
    known = _vectors(uow, old, look.model_version)

    def may_be(face: Face, vector: bytes | None) -> bool:
        return face.id not in known or vector is None or look.resemblance.is_possible(known[face.id], vector)

    ids = {id(face.found): face.id for face in look.new}
    same = [(face, ids[id(place)]) for face, place in found.same if may_be(face, place.vector)]
    same_drawn = [(face, stands) for face, stands in drawn.same if may_be(face, look.saw.get(stands.id))]
    events: list[Event] = []
    for face, heir in same:
        events += _repeated(uow, face, heir)
    for face, stands in same_drawn:
        if _is_bare(uow, stands) and face.status == DETECTED:
            events += _repeated(uow, face, stands.id)
    if same or same_drawn or not any(face.source == AUTO for face in old):
        places = [face.box for face in standing]
        again = [face for face in drawn.gone if not any(is_same_face(face, box) for box in places)]
        events += _drawn_again(uow, content_hash, again, look.model_version)
    return events


def _vectors(uow: UnitOfWork, faces: Sequence[Face], model_version: str) -> dict[int, bytes]:
    """The vectors of this model, by the ids of those faces that have one."""
    known = {face.id: face.embedding_id for face in faces if face.model_version == model_version and face.embedding_id}
    vectors = uow.faces.vectors(known.values())
    return {face_id: vectors[embedding_id] for face_id, embedding_id in known.items()}


def _drawn_again(uow: UnitOfWork, content_hash: bytes, old: Sequence[Face], model_version: str) -> list[Event]:
    drawn = [face for face in old if face.source != AUTO]
    markers = uow.faces.markers(content_hash) if drawn else []
    events: list[Event] = [MarkerLifted(id_, content_hash) for id_, _, model in markers if model == model_version]
    for face in drawn:
        face_id = uow.new_id("face")
        events.append(FaceDrawn(face_id, content_hash, face.box, face.model_version, face.embedding_id))
        events += _repeated(uow, face, face_id)
    return events


def erased_before(uow: UnitOfWork, content_hash: bytes, found: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Those of `found` that stand where an erasure took a face from the content that this one took the place of: they
    are not to be recorded again."""
    erased = [face for face in _stood_before(uow, content_hash) if _was_erased(uow, face)]
    return [box for _, box in paired(erased, found).same]


def _is_to_carry(uow: UnitOfWork, face: Face, content_hash: bytes) -> bool:
    """Whether something was decided about a face, and not carried to this content at an earlier look."""
    if not (face.touched or face.person_id is not None) or _was_erased(uow, face):
        return False
    events = [recorded.event for recorded in uow.later_in(f"face-{face.id}", 0)]
    heirs = [uow.faces.get(event.heir) for event in events if isinstance(event, FaceCarried)]
    return all(heir is None or heir.content_hash != content_hash for heir in heirs)


def _is_bare(uow: UnitOfWork, face: Face) -> bool:
    """Whether nothing was said about a face but that it is one."""
    is_decided = face.person_id is not None or face.ignored or bool(uow.faces.rejections(face.id))
    return face.status == DETECTED and not is_decided


def _was_erased(uow: UnitOfWork, face: Face) -> bool:
    if face.status != DELETED or face.embedding_id is not None:
        return False
    return isinstance(uow.later_in(f"face-{face.id}", 0)[0].event, FaceErased)


def _repeated(uow: UnitOfWork, face: Face, face_id: int) -> list[Event]:
    events: list[Event] = []
    if face.person_id is not None:
        events.append(FaceAssigned(face_id, face.person_id, CARRIED))
    if face.ignored:
        events.append(FaceIgnored(face_id))
    events += [FaceRejected(face_id, person_id) for person_id in sorted(uow.faces.rejections(face.id))]
    if face.status == DELETED:
        events.append(FaceDeleted(face_id))
    return [*events, FaceCarried(face.id, face_id)]


def _stood_before(uow: UnitOfWork, content_hash: bytes) -> list[Face]:
    """The faces of the content that this one took the place of in a file: of the last one that an engine found any on,
    since a file may be saved anew more than once before it is looked at, with those drawn on the ones in between."""
    stood: list[Face] = []
    for media in uow.media.of_contents([content_hash]):
        for before in _replaced(uow, media.id, content_hash):
            faces = uow.faces.on_content(before)
            stood += [face for face in faces if not any(is_same_face(later, face.box) for later in stood)]
            if not is_first_look(faces):
                return stood
    return stood


def _replaced(uow: UnitOfWork, media_id: int, content_hash: bytes) -> list[bytes]:
    """The contents that a file had before this one, the last first."""
    events = [recorded.event for recorded in uow.later_in(f"media-{media_id}", 0)]
    changes = [event for event in events if isinstance(event, MediaChanged)]
    while changes and changes[-1].content_hash != content_hash:
        changes.pop()
    before = [change.was for change in reversed(changes) if change.was is not None and change.was != content_hash]
    return list(dict.fromkeys(before))
