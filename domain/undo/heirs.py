"""What was decided about a face and then carried over to one on the same photo, saved anew, is taken back of both."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from domain.events.erasure import FaceErased
from domain.events.event import Recorded
from domain.events.face import ContentCarried, FaceCarried, FaceDrawn, FaceMoved, FaceReinstated, FaceWithdrawn
from domain.ports.unit_of_work import UnitOfWork

DRAWINGS = (FaceDrawn, FaceMoved, FaceReinstated, FaceWithdrawn)
"""What is about the box, which is carried only where a face was drawn again."""


def of_heirs(uow: UnitOfWork, recorded: Recorded) -> Iterator[Recorded]:
    """What `recorded` says of a face, as the carrying said it of each heir that has it since: in the heir's stream, at
    the position where the face was carried, so that what was decided about the heir later stands in the way."""
    for later in uow.later_in(recorded.stream, recorded.position):
        if not isinstance(later.event, FaceCarried):
            continue
        carried_by = uow.operations.get(later.operation_id)
        if carried_by is not None and carried_by.undone_by is not None:
            continue
        heir = later.event.heir
        began = uow.later_in(f"face-{heir}", 0)[0]
        is_gone = uow.faces.get(heir) is None or isinstance(began.event, FaceErased)
        is_drawn_again = isinstance(began.event, FaceDrawn) and began.operation_id == later.operation_id
        if is_gone or (isinstance(recorded.event, DRAWINGS) and not is_drawn_again):
            continue
        event = replace(recorded.event, face_id=heir)
        yield replace(recorded, position=later.position, stream=event.stream, event=event)


def was_carried(uow: UnitOfWork, face_id: int) -> bool:
    """Whether a face has an heir."""
    return any(isinstance(recorded.event, FaceCarried) for recorded in uow.later_in(f"face-{face_id}", 0))


def content_heirs(uow: UnitOfWork, recorded: Recorded, content_hash: bytes) -> Iterator[bytes]:
    """The contents to which what `recorded` says of a content went along since."""
    for later in uow.later_in(f"content-{content_hash.hex()}", recorded.position):
        operation = uow.operations.get(later.operation_id)
        if isinstance(later.event, ContentCarried) and (operation is None or operation.undone_by is None):
            yield later.event.heir
            yield from content_heirs(uow, later, later.event.heir)
