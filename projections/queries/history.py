"""What happened to one person, face or photo, and why a face is whose: read from the tables and a thing's events."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from domain.events.event import Recorded
from domain.events.face import FaceAssigned, FaceDetected, FaceDrawn, FaceRedetected, FaceUnassigned
from domain.events.media import Media
from domain.events.person import Person
from projections.queries.reading import Lookups


class FaceAssignmentReason(msgspec.Struct, frozen=True):
    """Why a face was given a person: the `rule` and who followed it, at (microseconds since 1970 UTC) and in which
    operation; where a model was asked, the cosine `similarity` and the `threshold` that it passed. `person` is who was
    named then and `now` who that is today, None where deleted; `superseded` says that it holds no longer."""

    person_id: int
    person: Person | None
    now: Person | None
    rule: str
    actor: str
    at: int
    operation_id: int
    model_version: str | None
    similarity: float | None
    threshold: float | None
    superseded: bool


def everyone_behind(tables: Lookups, person_id: int) -> set[int]:
    """The ids whose operations are a person's history: its own, and of everyone merged into whom it is today."""
    person = tables.persons.get(person_id)
    canonical = None if person is None else person.canonical_id
    return {person_id, *tables.persons.behind(person_id if canonical is None else canonical)}


def streams_of_photo(tables: Lookups, media: Media) -> list[str]:
    """The streams whose events are a photo's history: its content with its tags, its faces and insights, and
    its copies, of these those that the actor may see."""
    content = media.content_hash
    if content is None:
        return [f"media-{media.id}"]
    streams = [f"content-{content.hex()}"]
    everything = tables.actor.libraries is None
    copies = tables.media.of_contents([content])
    streams += [f"media-{copy.id}" for copy in copies if everything or copy.library_id in tables.visible]
    streams += [f"face-{face.id}" for face in tables.faces.on_content(content)]
    streams += [f"insight-{insight_id}" for insight_id in tables.insights.ids_of_content(content)]
    return streams


def found_by(events: Sequence[Recorded]) -> str:
    """The engine that found a face, or who drew it; `events` are the face's, the oldest first."""
    for recorded in reversed(events):
        event = recorded.event
        if isinstance(event, (FaceDetected, FaceRedetected)):
            return event.model_version
        if isinstance(event, FaceDrawn):
            return recorded.actor
    return "unknown"


def reasons(tables: Lookups, events: Sequence[Recorded]) -> list[FaceAssignmentReason]:
    """Every reason that a face was ever given a person, the newest first; `events` are the face's, the oldest first."""
    found: list[FaceAssignmentReason] = []
    holds = True
    for recorded in reversed(events):
        event = recorded.event
        if isinstance(event, FaceAssigned):
            found.append(_reason(tables, recorded, event, superseded=not holds))
        if isinstance(event, (FaceAssigned, FaceUnassigned)):
            holds = False
    return found


def _reason(tables: Lookups, recorded: Recorded, event: FaceAssigned, *, superseded: bool) -> FaceAssignmentReason:
    person = tables.persons.get(event.person_id)
    canonical = None if person is None else person.canonical_id
    return FaceAssignmentReason(
        person_id=event.person_id,
        person=person,
        now=None if canonical is None else tables.persons.get(canonical),
        rule=event.why.rule,
        actor=recorded.actor,
        at=recorded.recorded_at,
        operation_id=recorded.operation_id,
        model_version=event.why.model_version,
        similarity=event.why.similarity,
        threshold=event.why.threshold,
        superseded=superseded,
    )
