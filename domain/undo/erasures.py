"""What an erasure left in the log has no way back."""

from __future__ import annotations

from collections.abc import Iterable

from domain.events.erasure import ContentErased, FaceErased, FaceFactErased, PersonErased
from domain.events.event import Event, Recorded
from domain.ports.unit_of_work import UnitOfWork
from domain.undo.undoable import takes_back


@takes_back(FaceErased, FaceFactErased, PersonErased, ContentErased)
def _erased(uow: UnitOfWork, recorded: Recorded, event: Event) -> Iterable[Event]:
    return ()
