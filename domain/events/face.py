"""Faces: what detection found or a person drew on a content, and the markers that say a content was looked at."""

from __future__ import annotations

import msgspec

from domain.base.face_quality import FaceQuality
from domain.base.geometry import Box
from domain.events.event import Event, recorded_as

DETECTED, DELETED, WITHDRAWN = "detected", "deleted", "withdrawn"
NO_FACES, FAILED = "no_faces", "failed"
AUTO, MANUAL = "auto", "manual"
SAME_FACE_IOU = 0.5
"""Two boxes that overlap by more than this are one face (SPEC: detecting again)."""


def faces_in_words(count: int) -> str:
    """A number of faces in words."""
    return "1 face" if count == 1 else f"{count} faces"


def names_in_words(count: int) -> str:
    """A number of names in words."""
    return "1 name" if count == 1 else f"{count} names"


class Face(msgspec.Struct, frozen=True):
    """A face row as a command sees it. `person_id` is the person assigned, before merges are followed; `touched` says
    that a person decided something about it (drew, assigned, moved, ignored or deleted it)."""

    id: int
    content_hash: bytes
    status: str
    box: Box
    confidence: float | None
    source: str
    model_version: str
    embedding_id: int | None
    person_id: int | None
    ignored: bool
    touched: bool
    version: int


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """The reason for an assignment: the `rule` (`user`, `tag`, `only-face`, `carried`, `xmp`), and where a model was
    asked its version, the cosine `similarity` and the `threshold` that it passed."""

    rule: str
    model_version: str | None = None
    similarity: float | None = None
    threshold: float | None = None


BY_USER = Why("user")


@recorded_as("FaceDetected", "face", "face_id", opens=True)
class FaceDetected(Event, frozen=True, omit_defaults=True):
    """An engine found a face, of the `quality` that it measured; an engine of before measured none."""

    face_id: int
    content_hash: bytes
    box: Box
    confidence: float
    model_version: str
    embedding_id: int
    quality: FaceQuality | None = None


@recorded_as("FaceDrawn", "face", "face_id", opens=True)
class FaceDrawn(Event, frozen=True, omit_defaults=True):
    """A person drew a face; without `embedding_id` the model could not use the crop, and the face waits for one."""

    face_id: int
    content_hash: bytes
    box: Box
    model_version: str
    embedding_id: int | None = None
    quality: FaceQuality | None = None


@recorded_as("FaceRedetected", "face", "face_id")
class FaceRedetected(Event, frozen=True, omit_defaults=True):
    """A later detection found the same face: id, person and decisions stay; box and embedding are the engine's
    newest."""

    face_id: int
    box: Box
    confidence: float | None
    model_version: str
    embedding_id: int
    quality: FaceQuality | None = None


@recorded_as("FaceEmbedded", "face", "face_id")
class FaceEmbedded(Event, frozen=True, omit_defaults=True):
    """A face that a person drew, or whose model changed, got an embedding; its box stays. `found` is where the engine
    found it, with its `confidence`; None where it did not, and embedded the box that it was given."""

    face_id: int
    model_version: str
    embedding_id: int
    found: Box | None = None
    confidence: float | None = None
    quality: FaceQuality | None = None


@recorded_as("FaceRetracted", "face", "face_id")
class FaceRetracted(Event, frozen=True, omit_defaults=True):
    """A later detection no longer finds this face, and no person ever decided anything about it."""

    face_id: int


@recorded_as("FaceMoved", "face", "face_id")
class FaceMoved(Event, frozen=True, omit_defaults=True):
    """A person moved the box; the old embedding stays in the log for undo."""

    face_id: int
    box: Box
    was: Box
    model_version: str
    embedding_id: int | None = None
    was_embedding_id: int | None = None
    was_model_version: str = ""
    quality: FaceQuality | None = None


@recorded_as("FaceAssigned", "face", "face_id")
class FaceAssigned(Event, frozen=True, omit_defaults=True):
    """A face was said to be a person; `was` is the person it was assigned to before."""

    face_id: int
    person_id: int
    why: Why
    was: int | None = None


@recorded_as("FaceUnassigned", "face", "face_id")
class FaceUnassigned(Event, frozen=True, omit_defaults=True):
    """A face belongs to nobody any more."""

    face_id: int
    was: int


@recorded_as("FaceIgnored", "face", "face_id")
class FaceIgnored(Event, frozen=True, omit_defaults=True):
    """A stranger: left out of every suggestion, cluster and count of unassigned faces."""

    face_id: int


@recorded_as("FaceNoticed", "face", "face_id")
class FaceNoticed(Event, frozen=True, omit_defaults=True):
    """A face that was put aside as a stranger's is no longer."""

    face_id: int


@recorded_as("FaceDeleted", "face", "face_id")
class FaceDeleted(Event, frozen=True, omit_defaults=True):
    """'Not a face': stays deleted through every later detection."""

    face_id: int


@recorded_as("FaceRestored", "face", "face_id")
class FaceRestored(Event, frozen=True, omit_defaults=True):
    """A deletion was taken back."""

    face_id: int


@recorded_as("FaceWithdrawn", "face", "face_id")
class FaceWithdrawn(Event, frozen=True, omit_defaults=True):
    """The drawing of a face was taken back: it is as if it had never been drawn, and detection may find one there.
    Where an engine found it meanwhile, it is left as `found` with its `confidence`; `was` is the box that was drawn."""

    face_id: int
    found: Box | None = None
    confidence: float | None = None
    was: Box | None = None


@recorded_as("FaceReinstated", "face", "face_id")
class FaceReinstated(Event, frozen=True, omit_defaults=True):
    """A face whose drawing had been taken back stands again, in the `box` that was drawn where an engine's took its
    place."""

    face_id: int
    box: Box | None = None


@recorded_as("FaceRejected", "face", "face_id")
class FaceRejected(Event, frozen=True, omit_defaults=True):
    """'Not this person': never suggested or bound to that person again."""

    face_id: int
    person_id: int


@recorded_as("FaceRejectionWithdrawn", "face", "face_id")
class FaceRejectionWithdrawn(Event, frozen=True, omit_defaults=True):
    """'Not this person' was taken back."""

    face_id: int
    person_id: int


@recorded_as("FaceConfirmed", "face", "face_id")
class FaceConfirmed(Event, frozen=True, omit_defaults=True):
    """A face that is unlike the others of its person was said to be that person's all the same: it is never suggested
    again that it is another's."""

    face_id: int
    person_id: int


@recorded_as("FaceConfirmationWithdrawn", "face", "face_id")
class FaceConfirmationWithdrawn(Event, frozen=True, omit_defaults=True):
    """That a face is its person's all the same was taken back."""

    face_id: int
    person_id: int


@recorded_as("FaceCarried", "face", "face_id")
class FaceCarried(Event, frozen=True, omit_defaults=True):
    """The photo was saved anew, and what was decided about this face was repeated of its `heir` on the new content:
    taking such a decision back takes it back there too."""

    face_id: int
    heir: int


@recorded_as("FaceFollowed", "face", "face_id")
class FaceFollowed(Event, frozen=True, omit_defaults=True):
    """The photo was saved anew, and no file holds the content `was` any more: the face went along to the new one, with
    all that was decided about it, and lies in `box` there, which was `was_box`. Where an engine found it there, at
    `found`, the `confidence`, model and embedding are the engine's; otherwise they stay."""

    face_id: int
    content_hash: bytes
    was: bytes
    box: Box
    was_box: Box
    confidence: float | None
    was_confidence: float | None
    model_version: str
    was_model_version: str
    embedding_id: int | None
    was_embedding_id: int | None
    found: Box | None = None
    quality: FaceQuality | None = None


@recorded_as("FaceUnmatched", "face", "face_id")
class FaceUnmatched(Event, frozen=True, omit_defaults=True):
    """What was decided about this face could not be carried over to the content that took the place of its own: nothing
    there is like it."""

    face_id: int
    content_hash: bytes


@recorded_as("FaceSettled", "face", "face_id")
class FaceSettled(Event, frozen=True, omit_defaults=True):
    """Nobody asks any more where this face, which was unmatched on a content, is to be found there."""

    face_id: int
    content_hash: bytes


@recorded_as("ContentMarked", "content", "content_hash")
class ContentMarked(Event, frozen=True, omit_defaults=True):
    """A content was looked at by a model and has no face row: `status` is `no_faces` or `failed`; `reason` for the
    latter."""

    marker_id: int
    content_hash: bytes
    status: str
    model_version: str
    reason: str | None = None


@recorded_as("ContentCarried", "content", "content_hash")
class ContentCarried(Event, frozen=True, omit_defaults=True):
    """What was decided about a content went along to its `heir`, the same picture saved anew: taking back what was
    decided before takes it back there too."""

    content_hash: bytes
    heir: bytes


@recorded_as("MarkerLifted", "content", "content_hash")
class MarkerLifted(Event, frozen=True, omit_defaults=True):
    """A marker no longer holds: a face was found or drawn on that content after all."""

    marker_id: int
    content_hash: bytes
