"""Taking back what was decided about faces."""

from __future__ import annotations

from collections.abc import Iterable

from domain.base.errors import Conflict, Forbidden, InTheWay
from domain.base.face_quality import FaceQuality
from domain.commands.detection import last_sighting
from domain.events.event import Event, Recorded
from domain.events.face import (
    DELETED,
    DETECTED,
    WITHDRAWN,
    Face,
    FaceAssigned,
    FaceConfirmationWithdrawn,
    FaceConfirmed,
    FaceDeleted,
    FaceDetected,
    FaceDrawn,
    FaceFollowed,
    FaceIgnored,
    FaceMoved,
    FaceNoticed,
    FaceReinstated,
    FaceRejected,
    FaceRejectionWithdrawn,
    FaceRestored,
    FaceUnassigned,
    FaceWithdrawn,
    Why,
)
from domain.events.person import PersonCoverChosen, PersonDeleted
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_photo_in_sight
from domain.rules.carry_over import CARRIED
from domain.rules.face_pairing import is_same_face
from domain.undo.heirs import was_carried
from domain.undo.inverses import blocked, require_last_write, require_none_since, was_erased
from domain.undo.undoable import takes_back


def _face(uow: UnitOfWork, face_id: int, recorded: Recorded, status: str = DETECTED) -> Face:
    face = uow.faces.get(face_id)
    if face is None:
        raise Conflict(f"face {face_id} is not there any more: detection no longer finds it")
    if face.status != status:
        raise _other_status(uow, face, recorded)
    try:
        require_photo_in_sight(uow, face.content_hash, "a face")
    except Forbidden:
        if uow.media.of_contents([face.content_hash]) or not was_carried(uow, face_id):
            raise
    return face


def _other_status(uow: UnitOfWork, face: Face, recorded: Recorded) -> Conflict:
    """The conflict with what deleted or restored the face: by itself, or with the person that it was deleted with."""
    kinds = (FaceDeleted, FaceRestored, FaceWithdrawn, FaceReinstated)
    refusal = blocked(uow, recorded, f"face-{face.id}", kinds, "deleted or restored the face")
    person = None if face.person_id is None else uow.persons.get(face.person_id)
    while person is not None and person.merged_into is not None:
        person = uow.persons.get(person.merged_into)
    if isinstance(refusal, InTheWay) or person is None or not person.deleted:
        return refusal
    return blocked(uow, recorded, f"person-{person.id}", (PersonDeleted,), f"deleted {person.name} with the face")


def _why(uow: UnitOfWork, recorded: Recorded, person_id: int) -> Why:
    """The reason for which the face was last assigned to a person before `recorded`; that it was carried, where only
    the face that it was carried from was ever theirs."""
    before = [r.event for r in uow.later_in(recorded.stream, 0) if r.position < recorded.position]
    reasons = [past.why for past in before if isinstance(past, FaceAssigned) and past.person_id == person_id]
    return reasons[-1] if reasons else CARRIED


@takes_back(FaceAssigned)
def _assigned(uow: UnitOfWork, recorded: Recorded, event: FaceAssigned) -> Iterable[Event]:
    face = _face(uow, event.face_id, recorded)
    stands = face.person_id == event.person_id
    require_last_write(uow, recorded, (FaceAssigned, FaceUnassigned), "assigned the face anew", stands=stands)
    _require_no_cover(uow, recorded, face)
    if event.was is None or was_erased(uow, f"person-{event.was}"):
        yield FaceUnassigned(event.face_id, event.person_id)
    else:
        yield FaceAssigned(event.face_id, event.was, _why(uow, recorded, event.was), event.person_id)


def _require_no_cover(uow: UnitOfWork, recorded: Recorded, face: Face) -> None:
    """Who chose the face as a cover since did so because it was the person's."""
    person = None if face.person_id is None else uow.persons.get(face.person_id)
    while person is not None:
        if person.cover_face_id == face.id:
            what = f"chose the face as the cover of {person.name}"
            require_none_since(uow, recorded, f"person-{person.id}", (PersonCoverChosen,), what)
        person = None if person.merged_into is None else uow.persons.get(person.merged_into)


@takes_back(FaceUnassigned)
def _unassigned(uow: UnitOfWork, recorded: Recorded, event: FaceUnassigned) -> Iterable[Event]:
    face = _face(uow, event.face_id, recorded)
    stands = face.person_id is None
    require_last_write(uow, recorded, (FaceAssigned, FaceUnassigned), "assigned the face", stands=stands)
    yield FaceAssigned(event.face_id, event.was, _why(uow, recorded, event.was))


@takes_back(FaceIgnored, FaceNoticed)
def _ignored(uow: UnitOfWork, recorded: Recorded, event: FaceIgnored | FaceNoticed) -> Iterable[Event]:
    face = _face(uow, event.face_id, recorded)
    put_aside = isinstance(event, FaceIgnored)
    kinds = (FaceIgnored, FaceNoticed)
    require_last_write(uow, recorded, kinds, "decided about the stranger", stands=face.ignored == put_aside)
    yield FaceNoticed(event.face_id) if put_aside else FaceIgnored(event.face_id)


@takes_back(FaceDeleted)
def _deleted(uow: UnitOfWork, recorded: Recorded, event: FaceDeleted) -> Iterable[Event]:
    _face(uow, event.face_id, recorded, DELETED)
    yield FaceRestored(event.face_id)


@takes_back(FaceRestored)
def _restored(uow: UnitOfWork, recorded: Recorded, event: FaceRestored) -> Iterable[Event]:
    _face(uow, event.face_id, recorded)
    yield FaceDeleted(event.face_id)


@takes_back(FaceDrawn, FaceReinstated)
def _drawn(uow: UnitOfWork, recorded: Recorded, event: FaceDrawn | FaceReinstated) -> Iterable[Event]:
    face = _face(uow, event.face_id, recorded)
    decisions = (FaceAssigned, FaceMoved, FaceIgnored, FaceRejected)
    require_last_write(uow, recorded, decisions, "decided about the face that was drawn", stands=True)
    finding = last_sighting(uow, face.id)
    if finding is None or face.embedding_id is None:
        yield FaceWithdrawn(face.id)
    else:
        yield FaceWithdrawn(face.id, finding.box, finding.confidence, face.box)


@takes_back(FaceWithdrawn)
def _withdrawn(uow: UnitOfWork, recorded: Recorded, event: FaceWithdrawn) -> Iterable[Event]:
    face = _face(uow, event.face_id, recorded, WITHDRAWN if event.found is None else DETECTED)
    if event.found is None:
        _require_none_found(uow, recorded, face)
    else:
        require_none_since(uow, recorded, recorded.stream, (FaceMoved,), "moved the box")
    yield FaceReinstated(event.face_id, event.was)


def _require_none_found(uow: UnitOfWork, recorded: Recorded, face: Face) -> None:
    for other in uow.faces.on_content(face.content_hash):
        since = uow.later_in(f"face-{other.id}", recorded.position) if is_same_face(face, other.box) else []
        if since and isinstance(since[0].event, FaceDetected):
            raise Conflict(
                f"face {face.id} cannot be drawn again: face {other.id} was found in its place meanwhile; decide about "
                "that one"
            )


def _went_along(uow: UnitOfWork, recorded: Recorded) -> bool:
    return any(isinstance(later.event, FaceFollowed) for later in uow.later_in(recorded.stream, recorded.position))


@takes_back(FaceMoved)
def _moved(uow: UnitOfWork, recorded: Recorded, event: FaceMoved) -> Iterable[Event]:
    face = _face(uow, event.face_id, recorded)
    if face.box != event.box and _went_along(uow, recorded):
        return  # the box on the photo that was saved anew is another one
    require_last_write(uow, recorded, (FaceMoved,), "moved the box", stands=face.box == event.box)
    yield FaceMoved(
        event.face_id,
        event.was,
        was=event.box,
        model_version=event.was_model_version,
        embedding_id=event.was_embedding_id,
        was_embedding_id=face.embedding_id,
        was_model_version=face.model_version,
        quality=_measured_before(uow, recorded),
    )


def _measured_before(uow: UnitOfWork, recorded: Recorded) -> FaceQuality | None:
    """The quality of the face as it was measured last before `recorded`: at the place that it goes back to."""
    before = [r.event for r in uow.later_in(recorded.stream, 0) if r.position < recorded.position]
    measured: list[FaceQuality | None] = [getattr(past, "quality", None) for past in before]
    return next((quality for quality in reversed(measured) if quality is not None), None)


@takes_back(FaceRejected)
def _rejected(uow: UnitOfWork, recorded: Recorded, event: FaceRejected) -> Iterable[Event]:
    _face(uow, event.face_id, recorded)
    if event.person_id in uow.faces.rejections(event.face_id):
        yield FaceRejectionWithdrawn(event.face_id, event.person_id)


@takes_back(FaceRejectionWithdrawn)
def _rejection_withdrawn(uow: UnitOfWork, recorded: Recorded, event: FaceRejectionWithdrawn) -> Iterable[Event]:
    _face(uow, event.face_id, recorded)
    if event.person_id not in uow.faces.rejections(event.face_id):
        yield FaceRejected(event.face_id, event.person_id)


@takes_back(FaceConfirmed)
def _confirmed(uow: UnitOfWork, recorded: Recorded, event: FaceConfirmed) -> Iterable[Event]:
    _face(uow, event.face_id, recorded)
    if event.person_id in uow.faces.confirmations(event.face_id):
        yield FaceConfirmationWithdrawn(event.face_id, event.person_id)


@takes_back(FaceConfirmationWithdrawn)
def _confirmation_withdrawn(uow: UnitOfWork, recorded: Recorded, event: FaceConfirmationWithdrawn) -> Iterable[Event]:
    _face(uow, event.face_id, recorded)
    if event.person_id not in uow.faces.confirmations(event.face_id):
        yield FaceConfirmed(event.face_id, event.person_id)
