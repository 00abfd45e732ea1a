"""What a person decided about the faces of a photo outlives a rewrite of its file.

An editor that writes a rating into the file, or saves it anew, makes other bytes and so another content. When the new
content is looked at for the first time, decisions about the content that stood in its place before are carried over to
the faces that are found in the same spots. Where another file still has that content, its decisions stay there as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.erasure import FaceErased
from domain.event import Event
from domain.faces import (
    AUTO,
    DELETED,
    DETECTED,
    Face,
    FaceAssigned,
    FaceDeleted,
    FaceDrawn,
    FaceIgnored,
    FaceRejected,
    Why,
)
from domain.media import MediaChanged
from domain.pairing import paired
from domain.ports import DetectedFace, Turn

CARRIED = Why("carried")


class NewFace(msgspec.Struct, frozen=True):
    """A face just recorded on the new content."""

    id: int
    found: DetectedFace


def carry_over(turn: Turn, content_hash: bytes, new: Sequence[NewFace]) -> list[Event]:
    """The decisions to repeat on a content that nobody decided anything about yet; none where it replaced no other.

    Faces that a person drew are drawn again only where the picture still shows the others in their places, since a
    cropped or turned picture has them elsewhere.
    """
    stood = _stood_before(turn, content_hash)
    old = [f for f in stood if (f.touched or f.person_id is not None) and not _was_erased(turn, f)]
    if not old:
        return []
    pairing = paired(old, [face.found for face in new])
    ids = {id(face.found): face.id for face in new}
    events: list[Event] = []
    for face, found in pairing.same:
        events += _repeated(turn, face, ids[id(found)])
    same_picture = bool(pairing.same) or not any(face.source == AUTO for face in old)
    drawn = [face for face in pairing.gone if face.source != AUTO and face.status == DETECTED]
    for face in drawn if same_picture else ():
        face_id = turn.new_id("face")
        events.append(FaceDrawn(face_id, content_hash, face.box, face.model_version, face.embedding_id))
        events += _repeated(turn, face, face_id)
    return events


def erased_before(turn: Turn, content_hash: bytes, found: Sequence[DetectedFace]) -> list[DetectedFace]:
    """Those of `found` that stand where an erasure took a face from the content that this one took the place of: they
    are not to be recorded again."""
    erased = [face for face in _stood_before(turn, content_hash) if _was_erased(turn, face)]
    return [box for _, box in paired(erased, found).same]


def _was_erased(turn: Turn, face: Face) -> bool:
    if face.status != DELETED or face.embedding_id is not None:
        return False
    return isinstance(turn.later_in(f"face-{face.id}", 0)[0].event, FaceErased)


def _repeated(turn: Turn, face: Face, face_id: int) -> list[Event]:
    if face.status == DELETED:
        return [FaceDeleted(face_id)]
    events: list[Event] = []
    if face.person_id is not None:
        events.append(FaceAssigned(face_id, face.person_id, CARRIED))
    if face.ignored:
        events.append(FaceIgnored(face_id))
    return events + [FaceRejected(face_id, person_id) for person_id in sorted(turn.faces.rejections(face.id))]


def _stood_before(turn: Turn, content_hash: bytes) -> list[Face]:
    """The faces of the content that this one took the place of in a file: of the last one that has any, since a file
    may be saved anew more than once before it is looked at."""
    for media in turn.media.of_contents([content_hash]):
        for before in _replaced(turn, media.id, content_hash):
            faces = turn.faces.on_content(before)
            if faces:
                return faces
    return []


def _replaced(turn: Turn, media_id: int, content_hash: bytes) -> list[bytes]:
    """The contents that a file had before this one, the last first."""
    events = [recorded.event for recorded in turn.later_in(f"media-{media_id}", 0)]
    changes = [event for event in events if isinstance(event, MediaChanged)]
    while changes and changes[-1].content_hash != content_hash:
        changes.pop()
    before = [change.was for change in reversed(changes) if change.was is not None and change.was != content_hash]
    return list(dict.fromkeys(before))
