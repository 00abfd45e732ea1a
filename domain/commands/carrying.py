"""Carries what was decided about a content over to the one that took its place, by an operation of its own.

Tags and insights go as soon as it is known to be the same picture; faces when the new one is looked at for the first
time, or at once where nothing but the words in the file changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from domain.base.errors import NotFound
from domain.base.geometry import Box, Placement
from domain.events.event import Event
from domain.events.face import (
    ContentCarried,
    ContentMarked,
    Face,
    FaceAssigned,
    FaceDrawn,
    FaceFollowed,
    FaceMoved,
    FaceSettled,
    FaceUnmatched,
    MarkerLifted,
    names_in_words,
)
from domain.events.insight import InsightFollowed
from domain.events.media import MediaChanged
from domain.events.tag import MediaTagged
from domain.ports.face_engine import DetectedFace
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.carry_over import Carrying, Placed, is_bare, is_decided, repeated
from domain.rules.succession import Replacement, is_alone, links_of_file

CARRY: Final = "media.carry"


class Found(msgspec.Struct, frozen=True):
    """What a model found, with the id of its attached embedding; `face_id` where it was recorded as a new face."""

    face: DetectedFace
    embedding_id: int
    face_id: int | None


def carry_over_changes(
    uow: UnitOfWork, changes: Sequence[tuple[int, MediaChanged]], *, faces_follow: bool = True
) -> None:
    """Carry over what belongs to the contents that `changes`, events with their positions, replaced. What only faces
    can tell is left to the first look at the new content, where there is to be one (`faces_follow`)."""
    events: list[Event] = []
    position = None
    for at, change in changes:
        if change.content_hash in {None, change.was}:
            continue  # it was read again, and is what it was
        links = links_of_file(uow, change.media_id)
        if not links or links[-1].position != at:
            continue
        position = at if position is None else position
        events += _carried(uow, links, faces_follow=faces_follow)
    _record(uow, events, position)


def _carried(uow: UnitOfWork, links: Sequence[Replacement], *, faces_follow: bool) -> list[Event]:
    link = links[-1]
    if link.is_fresh and (earlier := _earlier(links)) is not None:
        placement = None if earlier.same is None else earlier.same.placement
        return [*_labels(uow, link), *_given_back(uow, link, placement)]
    if link.same is not None:
        placement = link.same.placement
        is_at_once = link.same.is_untouched or (not faces_follow and placement is not None)
        faces = _faces_at_once(uow, link, placement) if is_at_once and placement is not None else []
        return [*_labels(uow, link), *faces]
    if link.is_fresh and not faces_follow and uow.faces.on_content(link.older):
        return _labels(uow, link)
    return []


def carry_over_look(
    uow: UnitOfWork, content_hash: bytes, carrying: Carrying, model: str, found: Sequence[Found]
) -> None:
    """Carry over what a first look by a model at a content told, of what was `found` on it."""
    by_face = {id(one.face): one for one in found}
    events: list[Event] = []
    merely: list[Event] = []
    for predecessor in carrying.predecessors:
        link = Replacement(
            predecessor.content_hash, content_hash, predecessor.position, predecessor.same, is_fresh=True
        )
        events += _labels(uow, link)
    for placed in carrying.placed:
        seen = by_face.get(id(placed.found)) if placed.found is not None else None
        if is_decided(placed.face):
            events += _heir(uow, content_hash, placed, model, seen)
        elif seen is not None and seen.face_id is None:
            merely.append(_followed(content_hash, placed, model, seen))
    known = uow.faces.unmatched_on(content_hash)
    events += [FaceUnmatched(face.id, content_hash) for face in carrying.unmatched if face.id not in known]
    uow.append(*merely)
    _record(uow, events, carrying.predecessors[0].position if carrying.predecessors else None)


def settle_unmatched(uow: UnitOfWork, face_id: int) -> None:
    """Say that a face that could not be carried over is not to be looked for on the photo any more.

    Raises:
        NotFound: no such face waits for that on a photo that the actor sees.
    """
    uow.actor.require("editor")
    contents = [content for content in uow.faces.unmatched_contents(face_id) if uow.media.shows_content(content)]
    face = uow.faces.get(face_id)
    if face is None or not contents:
        raise NotFound(f"nothing is to be found of face {face_id}")
    person = None if face.person_id is None else uow.persons.get(face.person_id)
    named = person if person is None or person.canonical_id is None else uow.persons.get(person.canonical_id)
    uow.begin("face.settle", f"said that {named.name if named else 'a drawn face'} is not on a photo any more")
    uow.append(*(FaceSettled(face_id, content) for content in contents))


def goes_along(uow: UnitOfWork, placed: Placed) -> bool:
    """Whether the face itself goes to the newer content, with its id: nobody drew one there, and no file holds the
    older content any more."""
    return placed.stands is None and is_alone(uow, placed.face.content_hash)


def _record(uow: UnitOfWork, carried: Sequence[Event], caused_by: int | None) -> None:
    events = list(dict.fromkeys(carried))  # copies that were rewritten alike carry the same
    if all(isinstance(event, ContentCarried) for event in events):
        uow.append(*events)
        return
    uow.next_operation(caused_by=caused_by)
    uow.begin(CARRY, _in_words(uow, events))
    uow.append(*events)


def _in_words(uow: UnitOfWork, events: Sequence[Event]) -> str:
    """What was carried over, and what was not."""
    named = {event.face_id for event in events if isinstance(event, FaceAssigned)}
    for event in events:
        face = uow.faces.get(event.face_id) if isinstance(event, FaceFollowed) else None
        if face is not None and face.person_id is not None:
            named.add(face.id)
    faces = {event.face_id for event in events if isinstance(event, (FaceFollowed, FaceDrawn))}
    tags = sum(isinstance(event, MediaTagged) for event in events)
    insights = sum(isinstance(event, InsightFollowed) for event in events)
    unmatched = sum(isinstance(event, FaceUnmatched) for event in events)
    parts = [names_in_words(len(named))] if named else []
    parts += [_counted(len(faces - named), "face")] if faces - named and not named else []
    parts += [_counted(tags, "tag")] if tags else []
    parts += [_counted(insights, "insight")] if insights else []
    text = f"carried {_listed(parts)} over to what was saved in place of a photo" if parts else ""
    left = f"{names_in_words(unmatched)} could not be carried over" if unmatched else ""
    return "; ".join(part for part in (text, left) if part) or "carried decisions over to a photo that was saved anew"


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def _labels(uow: UnitOfWork, link: Replacement) -> list[Event]:
    """The tags that the newer content lacks; and the insights, where no file holds the older one any more."""
    has = uow.tagged.ids_of_content(link.newer)
    tags = [tag.id for tag in uow.tagged.of_content(link.older) if tag.id not in has]
    events: list[Event] = [MediaTagged(link.newer, tag_id) for tag_id in tags]
    insights = uow.insights.ids_of_content(link.older)
    if insights and is_alone(uow, link.older):
        events += [InsightFollowed(insight_id, link.newer, link.older) for insight_id in insights]
    is_said = any(
        isinstance(recorded.event, ContentCarried) and recorded.event.heir == link.newer
        for recorded in uow.later_in(f"content-{link.older.hex()}", 0)
    )
    return events if is_said else [ContentCarried(link.older, link.newer), *events]


def _faces_at_once(uow: UnitOfWork, link: Replacement, placement: Placement) -> list[Event]:
    """All faces of the older content, which go to the newer one as they are, and the markers that say that it was
    looked at; none where a file still holds the older one, or somebody decided about faces of the newer one before."""
    if uow.faces.on_content(link.newer) or not is_alone(uow, link.older):
        return []
    if placement == Placement():
        marked = {model for _, _, model in uow.faces.markers(link.newer)}
        uow.append(
            *(
                ContentMarked(uow.new_id("face"), link.newer, status, model)
                for _, status, model in uow.faces.markers(link.older)
                if model not in marked
            )
        )
    boxes = [(face, placement.of(face.box)) for face in uow.faces.on_content(link.older)]
    return [_as_it_was(face, link.newer, box) for face, box in boxes if box is not None]


def _as_it_was(face: Face, content_hash: bytes, box: Box) -> FaceFollowed:
    """A face that goes to another content as it is, but for its box."""
    return FaceFollowed(
        face.id,
        content_hash,
        face.content_hash,
        box=box,
        was_box=face.box,
        confidence=face.confidence,
        was_confidence=face.confidence,
        model_version=face.model_version,
        was_model_version=face.model_version,
        embedding_id=face.embedding_id,
        was_embedding_id=face.embedding_id,
    )


def _followed(content_hash: bytes, placed: Placed, model: str, seen: Found | None) -> FaceFollowed:
    """A face that goes to another content, where a model may have `seen` it."""
    event = _as_it_was(placed.face, content_hash, placed.box)
    if seen is None:
        return event
    return msgspec.structs.replace(
        event,
        confidence=seen.face.confidence,
        model_version=model,
        embedding_id=seen.embedding_id,
        found=seen.face.box,
        quality=seen.face.quality,
    )


def _heir(uow: UnitOfWork, content_hash: bytes, placed: Placed, model: str, seen: Found | None) -> list[Event]:
    """The face that goes along with all that was decided, or the heir of which that is repeated."""
    face = placed.face
    if placed.stands is not None:
        return repeated(uow, face, placed.stands.id) if is_bare(uow, placed.stands) else []
    if goes_along(uow, placed):
        return [_followed(content_hash, placed, model, seen)]
    if seen is not None and seen.face_id is not None:
        return repeated(uow, face, seen.face_id)
    heir = uow.new_id("face")
    markers = uow.faces.markers(content_hash)
    lifted = [MarkerLifted(id_, content_hash) for id_, _, of_model in markers if of_model == model]
    drawn = FaceDrawn(heir, content_hash, placed.box, face.model_version, face.embedding_id)
    return [*lifted, drawn, *repeated(uow, face, heir)]


def _earlier(links: Sequence[Replacement]) -> Replacement | None:
    """The link by which the content that is replaced now once took the place of the one that returns, as the same
    picture."""
    now = links[-1]
    for link in reversed(links[:-1]):
        if (link.older, link.newer) == (now.newer, now.older):
            return link if link.carries else None
    return None


def _given_back(uow: UnitOfWork, link: Replacement, placement: Placement | None) -> list[Event]:
    """The faces that went from the content that returns to the one that is replaced, and those that were decided there
    since."""
    if not is_alone(uow, link.older):
        return []
    events: list[Event] = []
    for face in uow.faces.on_content(link.older):
        came = [
            recorded
            for recorded in uow.later_in(f"face-{face.id}", 0)
            if isinstance(recorded.event, FaceFollowed) and recorded.event.content_hash == link.older
        ]
        came_from = came[-1].event if came else None
        if isinstance(came_from, FaceFollowed) and came_from.was == link.newer:
            events.append(_back(uow, face, came_from, came[-1].position, placement))
        elif is_decided(face):
            box = face.box if placement is None else placement.inverse.of(face.box)
            events += [] if box is None else [_as_it_was(face, link.newer, box)]
    return events


def _back(uow: UnitOfWork, face: Face, came: FaceFollowed, position: int, placement: Placement | None) -> FaceFollowed:
    """A face goes back to where it came from: to the box that it had there, but where somebody moved it since."""
    is_moved = any(isinstance(later.event, FaceMoved) for later in uow.later_in(f"face-{face.id}", position))
    moved = None if placement is None or not is_moved else placement.inverse.of(face.box)
    if moved is not None:
        return _as_it_was(face, came.was, moved)
    return msgspec.structs.replace(
        _as_it_was(face, came.was, came.was_box),
        confidence=came.was_confidence,
        model_version=came.was_model_version,
        embedding_id=came.was_embedding_id,
    )


def followers(uow: UnitOfWork, carrying: Carrying) -> Collection[int]:
    """`id()` of what was found of faces that go along themselves, so that no new face is recorded of it."""
    return {id(placed.found) for placed in carrying.placed if placed.found is not None and goes_along(uow, placed)}
