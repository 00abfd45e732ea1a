"""Taking back what was carried over to a photo that was saved anew."""

from __future__ import annotations

from collections.abc import Iterable

from domain.base.errors import Conflict
from domain.events.event import Event, Recorded
from domain.events.face import (
    DETECTED,
    ContentCarried,
    FaceCarried,
    FaceDetected,
    FaceFollowed,
    FaceRetracted,
    FaceSettled,
    FaceUnmatched,
)
from domain.events.insight import InsightFollowed
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_photo_in_sight
from domain.rules.carry_over import is_decided
from domain.undo.inverses import blocked, require_none_since
from domain.undo.undoable import takes_back


@takes_back(FaceCarried, ContentCarried)
def _carried(uow: UnitOfWork, recorded: Recorded, event: FaceCarried | ContentCarried) -> Iterable[Event]:
    """That it was carried stays true, so that it is not carried once more; what was said there is taken back by itself,
    event by event."""
    return ()


@takes_back(FaceFollowed)
def _followed(uow: UnitOfWork, recorded: Recorded, event: FaceFollowed) -> Iterable[Event]:
    face = uow.faces.get(event.face_id)
    if face is None:
        raise Conflict(f"face {event.face_id} is not there any more")
    require_photo_in_sight(uow, event.content_hash, "a face")
    if face.content_hash != event.content_hash:
        raise blocked(uow, recorded, recorded.stream, (FaceFollowed,), "carried the face on")
    if event.found is not None and event.embedding_id is not None and event.confidence is not None:
        yield FaceDetected(
            uow.new_id("face"),
            event.content_hash,
            event.found,
            event.confidence,
            model_version=event.model_version,
            embedding_id=event.embedding_id,
            quality=event.quality,
        )
    yield FaceFollowed(
        face.id,
        event.was,
        event.content_hash,
        box=event.was_box,
        was_box=face.box,
        confidence=event.was_confidence,
        was_confidence=face.confidence,
        model_version=event.was_model_version,
        was_model_version=face.model_version,
        embedding_id=event.was_embedding_id,
        was_embedding_id=face.embedding_id,
    )


@takes_back(FaceDetected)
def _detected(uow: UnitOfWork, recorded: Recorded, event: FaceDetected) -> Iterable[Event]:
    """Of a face that was left in the place of one that went back."""
    face = uow.faces.get(event.face_id)
    if face is None:
        return
    if face.status != DETECTED or is_decided(face):
        raise Conflict(f"face {face.id} was decided about since: take that back first")
    yield FaceRetracted(event.face_id)


@takes_back(FaceUnmatched)
def _unmatched(uow: UnitOfWork, recorded: Recorded, event: FaceUnmatched) -> Iterable[Event]:
    if event.face_id in uow.faces.unmatched_on(event.content_hash):
        yield FaceSettled(event.face_id, event.content_hash)


@takes_back(FaceSettled)
def _settled(uow: UnitOfWork, recorded: Recorded, event: FaceSettled) -> Iterable[Event]:
    if event.face_id not in uow.faces.unmatched_on(event.content_hash):
        yield FaceUnmatched(event.face_id, event.content_hash)


@takes_back(InsightFollowed)
def _insight_followed(uow: UnitOfWork, recorded: Recorded, event: InsightFollowed) -> Iterable[Event]:
    require_none_since(uow, recorded, recorded.stream, (InsightFollowed,), "carried the insight on")
    yield InsightFollowed(event.insight_id, event.was, event.content_hash)
