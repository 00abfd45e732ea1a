"""Taking events back: for each kind of event, the event that restores what stood before, and what may stand in the way.

A later operation stands in the way where it wrote the same thing, and is not undone itself: the state then no longer
says what this event wrote. What was only built beside it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from domain.commands.people import require_sight
from domain.errors import Conflict, Forbidden, InTheWay, RuleViolation
from domain.event import Event, Recorded
from domain.faces import (
    DELETED,
    DETECTED,
    Face,
    FaceAssigned,
    FaceDeleted,
    FaceDrawn,
    FaceIgnored,
    FaceMoved,
    FaceNoticed,
    FaceRejected,
    FaceRejectionWithdrawn,
    FaceRestored,
    FaceUnassigned,
    MarkerLifted,
)
from domain.library import LibraryRelocated, LibraryRemoved, LibraryRenamed, LibraryRestored
from domain.operation import Operation, OperationBegan, OperationEnded
from domain.person import (
    Person,
    PersonBirthDateSet,
    PersonBridged,
    PersonCoverChosen,
    PersonCreated,
    PersonDeleted,
    PersonHidden,
    PersonMerged,
    PersonNoted,
    PersonRenamed,
    PersonRestored,
    PersonShown,
    PersonUnmerged,
)
from domain.ports import Turn
from domain.tag import (
    MediaTagged,
    MediaUntagged,
    TagCreated,
    TagDeleted,
    TagRenamed,
    TagRestored,
)

Inverse = Callable[[Turn, Recorded, Any], Iterable[Event]]
_INVERSES: dict[type[Event], Inverse] = {}


def _takes_back(*kinds: type[Event]) -> Callable[[Inverse], Inverse]:
    def register(inverse: Inverse) -> Inverse:
        for kind in kinds:
            _INVERSES[kind] = inverse
        return inverse

    return register


def inverse_of(turn: Turn, recorded: Recorded) -> list[Event]:
    """The events that take `recorded` back, as the tables stand now; none where nothing is left to take back.

    Raises:
        InTheWay: a later operation wrote the same thing.
        Conflict: something else does not allow it.
        RuleViolation: this kind of event cannot be taken back.
    """
    event = recorded.event
    if isinstance(event, (OperationBegan, OperationEnded, MarkerLifted)):
        return []
    inverse = _INVERSES.get(type(event))
    if inverse is None:
        raise RuleViolation(
            f"what {recorded.actor} did there cannot be undone: it records what was found, not a decision"
        )
    return list(inverse(turn, recorded, event))


def _blocked(turn: Turn, stream: str, after: int, kinds: tuple[type[Event], ...], what: str) -> Conflict:
    """The conflict to raise: it names the newest later operation that wrote one of `kinds` and still stands."""
    for later in reversed(turn.later_in(stream, after)):
        operation = turn.operations.get(later.operation_id)
        if isinstance(later.event, kinds) and operation is not None and _stands(turn, operation, after):
            return InTheWay(
                f"operation {operation.id} ({operation.text}) came later and {what}: undo that one first", operation.id
            )
    return Conflict(f"this can no longer be undone: something else {what}")


def _stands(turn: Turn, operation: Operation, after: int) -> bool:
    """Whether an operation still has its effect: it is not undone, and is not itself the undo of one that came after
    `after`, which together with it comes to nothing."""
    if operation.undone_by is not None:
        return False
    undone = None if operation.undoes is None else turn.operations.get(operation.undoes)
    return undone is None or undone.position <= after


# Persons


def _person(turn: Turn, person_id: int, recorded: Recorded) -> Person:
    person = turn.persons.get(person_id)
    if person is None:
        raise Conflict(f"person {person_id} is not there any more")
    if person.deleted and not isinstance(recorded.event, (PersonDeleted, PersonCreated)):
        raise _blocked(turn, f"person-{person_id}", recorded.position, (PersonDeleted,), f"deleted {person.name}")
    return person


def _require_free_name(turn: Turn, person: Person, name: str, recorded: Recorded) -> None:
    holder = turn.persons.named(name)
    if holder is not None and holder.id != person.id:
        takes = (PersonCreated, PersonRenamed, PersonUnmerged, PersonRestored)
        raise _blocked(
            turn, f"person-{holder.id}", recorded.position, takes, f"gave the name {name} to person {holder.id}"
        )


@_takes_back(PersonRenamed)
def _renamed(turn: Turn, recorded: Recorded, event: PersonRenamed) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.name != event.name:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonRenamed,), f"renamed {person.name}")
    if person.merged_into is None:
        _require_free_name(turn, person, event.was, recorded)
    yield PersonRenamed(event.person_id, event.was, event.name)


@_takes_back(PersonNoted)
def _noted(turn: Turn, recorded: Recorded, event: PersonNoted) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.notes != event.notes:
        if _came_with_a_merge(turn, recorded):
            return
        raise _blocked(turn, recorded.stream, recorded.position, (PersonNoted,), f"wrote the notes of {person.name}")
    yield PersonNoted(event.person_id, event.was, event.notes)


def _came_with_a_merge(turn: Turn, recorded: Recorded) -> bool:
    """Notes that a merge copied go back only where they are unchanged since; they never hold up its undo."""
    merges = (PersonMerged, PersonUnmerged)
    return any(isinstance(other.event, merges) for other in turn.events_of(recorded.operation_id))


@_takes_back(PersonCoverChosen)
def _cover(turn: Turn, recorded: Recorded, event: PersonCoverChosen) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.cover_face_id != event.face_id:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonCoverChosen,), "chose another cover")
    yield PersonCoverChosen(event.person_id, event.was, event.face_id)


@_takes_back(PersonBirthDateSet)
def _birth_date(turn: Turn, recorded: Recorded, event: PersonBirthDateSet) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.birth_date != event.birth_date:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonBirthDateSet,), "set the birth date")
    yield PersonBirthDateSet(event.person_id, event.was, event.birth_date)


@_takes_back(PersonHidden, PersonShown)
def _hidden(turn: Turn, recorded: Recorded, event: PersonHidden | PersonShown) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    hid = isinstance(event, PersonHidden)
    if person.hidden != hid:
        raise _blocked(
            turn, recorded.stream, recorded.position, (PersonHidden, PersonShown), "showed or hid the person"
        )
    yield PersonShown(event.person_id) if hid else PersonHidden(event.person_id)


@_takes_back(PersonBridged)
def _bridged(turn: Turn, recorded: Recorded, event: PersonBridged) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.entity_id != event.entity_id:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonBridged,), "changed the bridge")
    yield PersonBridged(event.person_id, event.was, event.entity_id)


@_takes_back(PersonMerged)
def _merged(turn: Turn, recorded: Recorded, event: PersonMerged) -> Iterable[Event]:
    person = turn.persons.get(event.person_id)
    if person is None or person.merged_into != event.into:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonMerged, PersonUnmerged), "changed the merge")
    if person.canonical_id is None:
        end = _end_of_chain(turn, person)
        raise _blocked(turn, f"person-{end.id}", recorded.position, (PersonDeleted,), f"deleted {end.name}")
    require_sight(turn, [*turn.persons.behind(event.person_id), *turn.persons.behind(event.into)])
    _require_free_name(turn, person, person.name, recorded)
    yield PersonUnmerged(event.person_id, event.into)


@_takes_back(PersonUnmerged)
def _unmerged(turn: Turn, recorded: Recorded, event: PersonUnmerged) -> Iterable[Event]:
    person, survivor = _person(turn, event.person_id, recorded), turn.persons.get(event.was)
    if person.merged_into is not None:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonMerged,), f"merged {person.name} again")
    if survivor is None or survivor.canonical_id is None:
        raise _blocked(turn, f"person-{event.was}", recorded.position, (PersonDeleted,), "deleted the other person")
    if survivor.canonical_id == person.id:
        raise _blocked(
            turn, f"person-{event.was}", recorded.position, (PersonMerged,), "merged the two the other way round"
        )
    require_sight(turn, [*turn.persons.behind(event.person_id), *turn.persons.behind(event.was)])
    yield PersonMerged(event.person_id, event.was)


def _end_of_chain(turn: Turn, person: Person) -> Person:
    while person.merged_into is not None:
        following = turn.persons.get(person.merged_into)
        if following is None:
            break
        person = following
    return person


@_takes_back(PersonCreated)
def _created(turn: Turn, recorded: Recorded, event: PersonCreated) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.deleted:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonDeleted,), f"deleted {person.name}")
    if person.merged_into is not None:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonMerged,), f"merged {person.name}")
    behind = turn.persons.behind(person.id)
    for other in behind:
        if other != person.id:
            raise _blocked(
                turn, f"person-{other}", recorded.position, (PersonMerged,), f"merged another into {person.name}"
            )
    for face in turn.faces.some_of([person.id], 1):
        raise _blocked(turn, f"face-{face.id}", recorded.position, (FaceAssigned,), f"assigned a face to {person.name}")
    yield PersonDeleted(person.id, (person.id,))


@_takes_back(PersonDeleted)
def _deleted(turn: Turn, recorded: Recorded, event: PersonDeleted) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if not person.deleted:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonRestored,), f"restored {person.name}")
    require_sight(turn, turn.persons.behind(event.person_id))
    _require_free_name(turn, person, person.name, recorded)
    yield PersonRestored(event.person_id)


@_takes_back(PersonRestored)
def _restored(turn: Turn, recorded: Recorded, event: PersonRestored) -> Iterable[Event]:
    person = _person(turn, event.person_id, recorded)
    if person.merged_into is not None:
        raise _blocked(turn, recorded.stream, recorded.position, (PersonMerged,), f"merged {person.name}")
    earlier = [r.event for r in turn.later_in(recorded.stream, 0) if r.position < recorded.position]
    deletions = [past for past in earlier if isinstance(past, PersonDeleted)]
    with_faces = bool(deletions) and deletions[-1].with_faces
    yield PersonDeleted(event.person_id, tuple(sorted(turn.persons.behind(event.person_id))), with_faces)


# Faces


def _face(turn: Turn, face_id: int, recorded: Recorded, status: str = DETECTED) -> Face:
    face = turn.faces.get(face_id)
    if face is None:
        raise Conflict(f"face {face_id} is not there any more: detection no longer finds it")
    if face.status != status:
        raise _blocked(
            turn, f"face-{face_id}", recorded.position, (FaceDeleted, FaceRestored), "deleted or restored the face"
        )
    if turn.actor.libraries is not None and not turn.actor.is_admin and not turn.media.shows_content(face.content_hash):
        raise Forbidden(f"this touches a face that {turn.actor.name} may not see: ask an admin")
    return face


@_takes_back(FaceAssigned)
def _assigned(turn: Turn, recorded: Recorded, event: FaceAssigned) -> Iterable[Event]:
    face = _face(turn, event.face_id, recorded)
    if face.person_id != event.person_id:
        raise _blocked(
            turn, recorded.stream, recorded.position, (FaceAssigned, FaceUnassigned), "assigned the face anew"
        )
    if event.was is None:
        yield FaceUnassigned(event.face_id, event.person_id)
    else:
        yield FaceAssigned(event.face_id, event.was, event.why, event.person_id)


@_takes_back(FaceUnassigned)
def _unassigned(turn: Turn, recorded: Recorded, event: FaceUnassigned) -> Iterable[Event]:
    face = _face(turn, event.face_id, recorded)
    if face.person_id is not None:
        raise _blocked(turn, recorded.stream, recorded.position, (FaceAssigned,), "assigned the face")
    before = [r.event for r in turn.later_in(recorded.stream, 0) if r.position < recorded.position]
    reasons = [past.why for past in before if isinstance(past, FaceAssigned)]
    yield FaceAssigned(event.face_id, event.was, reasons[-1])


@_takes_back(FaceIgnored, FaceNoticed)
def _ignored(turn: Turn, recorded: Recorded, event: FaceIgnored | FaceNoticed) -> Iterable[Event]:
    face = _face(turn, event.face_id, recorded)
    put_aside = isinstance(event, FaceIgnored)
    if face.ignored != put_aside:
        raise _blocked(
            turn, recorded.stream, recorded.position, (FaceIgnored, FaceNoticed), "decided about the stranger"
        )
    yield FaceNoticed(event.face_id) if put_aside else FaceIgnored(event.face_id)


@_takes_back(FaceDeleted)
def _face_deleted(turn: Turn, recorded: Recorded, event: FaceDeleted) -> Iterable[Event]:
    _face(turn, event.face_id, recorded, DELETED)
    yield FaceRestored(event.face_id)


@_takes_back(FaceRestored, FaceDrawn)
def _face_restored(turn: Turn, recorded: Recorded, event: FaceRestored | FaceDrawn) -> Iterable[Event]:
    _face(turn, event.face_id, recorded)
    yield FaceDeleted(event.face_id)


@_takes_back(FaceMoved)
def _moved(turn: Turn, recorded: Recorded, event: FaceMoved) -> Iterable[Event]:
    face = _face(turn, event.face_id, recorded)
    if face.box != event.box:
        raise _blocked(turn, recorded.stream, recorded.position, (FaceMoved,), "moved the box")
    yield FaceMoved(
        event.face_id,
        event.was,
        event.box,
        event.was_model_version,
        event.was_embedding_id,
        face.embedding_id,
        face.model_version,
    )


@_takes_back(FaceRejected)
def _rejected(turn: Turn, recorded: Recorded, event: FaceRejected) -> Iterable[Event]:
    _face(turn, event.face_id, recorded)
    if event.person_id in turn.faces.rejections(event.face_id):
        yield FaceRejectionWithdrawn(event.face_id, event.person_id)


@_takes_back(FaceRejectionWithdrawn)
def _rejection_withdrawn(turn: Turn, recorded: Recorded, event: FaceRejectionWithdrawn) -> Iterable[Event]:
    _face(turn, event.face_id, recorded)
    if event.person_id not in turn.faces.rejections(event.face_id):
        yield FaceRejected(event.face_id, event.person_id)


# Tags and libraries


@_takes_back(MediaTagged)
def _tagged(turn: Turn, recorded: Recorded, event: MediaTagged) -> Iterable[Event]:
    if event.tag_id in turn.tagged.ids_of_content(event.content_hash):
        yield MediaUntagged(event.content_hash, event.tag_id)


@_takes_back(MediaUntagged)
def _untagged(turn: Turn, recorded: Recorded, event: MediaUntagged) -> Iterable[Event]:
    if event.tag_id not in turn.tagged.ids_of_content(event.content_hash):
        yield MediaTagged(event.content_hash, event.tag_id)


@_takes_back(TagRenamed)
def _tag_renamed(turn: Turn, recorded: Recorded, event: TagRenamed) -> Iterable[Event]:
    tag = turn.tags.get(event.tag_id)
    if tag is None or tag.name != event.name:
        raise _blocked(turn, recorded.stream, recorded.position, (TagRenamed, TagDeleted), "changed the tag")
    holder = turn.tags.named(event.was)
    if holder is not None and holder.id != event.tag_id:
        takes = (TagCreated, TagRenamed, TagRestored)
        raise _blocked(turn, f"tag-{holder.id}", recorded.position, takes, f"took the name {event.was}")
    yield TagRenamed(event.tag_id, event.was, event.name)


@_takes_back(TagCreated)
def _tag_created(turn: Turn, recorded: Recorded, event: TagCreated) -> Iterable[Event]:
    if turn.tags.get(event.tag_id) is None:
        raise _blocked(turn, recorded.stream, recorded.position, (TagDeleted,), "deleted the tag")
    if not turn.tagged.uses(event.tag_id):
        yield TagDeleted(event.tag_id)


@_takes_back(TagDeleted)
def _tag_deleted(turn: Turn, recorded: Recorded, event: TagDeleted) -> Iterable[Event]:
    name = turn.tags.name_of(event.tag_id)
    holder = turn.tags.named(name)
    if holder is not None and holder.id != event.tag_id:
        takes = (TagCreated, TagRenamed, TagRestored)
        raise _blocked(turn, f"tag-{holder.id}", recorded.position, takes, f"took the name {name}")
    if turn.tags.get(event.tag_id) is None:
        yield TagRestored(event.tag_id)


@_takes_back(TagRestored)
def _tag_restored(turn: Turn, recorded: Recorded, event: TagRestored) -> Iterable[Event]:
    if turn.tags.get(event.tag_id) is not None:
        yield TagDeleted(event.tag_id)


@_takes_back(LibraryRenamed)
def _library_renamed(turn: Turn, recorded: Recorded, event: LibraryRenamed) -> Iterable[Event]:
    library = turn.libraries.get(event.library_id)
    if library is None or library.name != event.name:
        raise _blocked(turn, recorded.stream, recorded.position, (LibraryRenamed,), "renamed the library")
    yield LibraryRenamed(event.library_id, event.was, event.name)


@_takes_back(LibraryRelocated)
def _library_relocated(turn: Turn, recorded: Recorded, event: LibraryRelocated) -> Iterable[Event]:
    library = turn.libraries.get(event.library_id)
    if library is None or library.root != event.root:
        raise _blocked(turn, recorded.stream, recorded.position, (LibraryRelocated,), "moved the library")
    yield LibraryRelocated(event.library_id, event.was, event.root)


@_takes_back(LibraryRemoved)
def _library_removed(turn: Turn, recorded: Recorded, event: LibraryRemoved) -> Iterable[Event]:
    library = turn.libraries.get(event.library_id)
    if library is not None and library.removed:
        yield LibraryRestored(event.library_id)


@_takes_back(LibraryRestored)
def _library_restored(turn: Turn, recorded: Recorded, event: LibraryRestored) -> Iterable[Event]:
    library = turn.libraries.get(event.library_id)
    if library is not None and not library.removed:
        yield LibraryRemoved(event.library_id)
