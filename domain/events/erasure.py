"""What an erasure leaves in the log: written over the events of a face, or appended to say whom it took."""

from __future__ import annotations

from domain.base.geometry import Box
from domain.events.event import Event, recorded_as


@recorded_as("FaceErased", "face", "face_id", opens=True)
class FaceErased(Event, frozen=True, omit_defaults=True):
    """Here was a face that an erasure took: written over the event that began it, it leaves a deleted face without a
    vector, whose place detection keeps free."""

    face_id: int
    content_hash: bytes
    box: Box
    model_version: str
    source: str


@recorded_as("FaceFactErased", "face", "face_id")
class FaceFactErased(Event, frozen=True, omit_defaults=True):
    """Here was something about a face that an erasure took: written over each later event of that face."""

    face_id: int


@recorded_as("PersonErased", "person", "person_id")
class PersonErased(Event, frozen=True, omit_defaults=True):
    """A person was erased: its name and notes were masked in every earlier event, its faces' vectors deleted."""

    person_id: int


@recorded_as("ContentErased", "content", "content_hash")
class ContentErased(Event, frozen=True, omit_defaults=True):
    """The faces of a content were erased: their vectors were deleted, their places stay deleted."""

    content_hash: bytes
