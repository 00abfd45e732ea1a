"""Taking back what was said of persons: names, notes, covers, merges and deletions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from domain.base.errors import Conflict
from domain.events.entity import EntityDeleted
from domain.events.event import Event, Recorded
from domain.events.face import DELETED, DETECTED, FaceAssigned, FaceDeleted
from domain.events.person import (
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
    PersonsTellingApartWithdrawn,
    PersonsToldApart,
    PersonUnmerged,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import require_faces_in_sight
from domain.undo.heirs import of_heirs
from domain.undo.inverses import blocked, chain_of, inverse_of, later_write, require_last_write, require_none_since
from domain.undo.undoable import takes_back


def _person(uow: UnitOfWork, person_id: int, recorded: Recorded) -> Person:
    person = uow.persons.get(person_id)
    if person is None:
        raise Conflict(f"person {person_id} is not there any more")
    if person.deleted and not isinstance(recorded.event, (PersonDeleted, PersonCreated)):
        raise blocked(uow, recorded, f"person-{person_id}", (PersonDeleted,), f"deleted {person.name}")
    return person


def _require_free_name(uow: UnitOfWork, person: Person, name: str, recorded: Recorded) -> None:
    holder = uow.persons.named(name)
    if holder is not None and holder.id != person.id:
        takes = (PersonCreated, PersonRenamed, PersonUnmerged, PersonRestored)
        what = f"gave the name {name} to person {holder.id}"
        raise blocked(uow, recorded, f"person-{holder.id}", takes, what)


@takes_back(PersonRenamed)
def _renamed(uow: UnitOfWork, recorded: Recorded, event: PersonRenamed) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    stands = person.name == event.name
    require_last_write(uow, recorded, (PersonRenamed,), f"renamed {person.name}", stands=stands)
    if person.merged_into is None:
        _require_free_name(uow, person, event.was, recorded)
    yield PersonRenamed(event.person_id, event.was, event.name)


@takes_back(PersonNoted)
def _noted(uow: UnitOfWork, recorded: Recorded, event: PersonNoted) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    stands = person.notes == event.notes
    if _came_with_a_merge(uow, recorded):
        if not stands or later_write(uow, recorded, recorded.stream, (PersonNoted,)) is not None:
            return
    else:
        require_last_write(uow, recorded, (PersonNoted,), f"wrote the notes of {person.name}", stands=stands)
    yield PersonNoted(event.person_id, event.was, event.notes)


def _came_with_a_merge(uow: UnitOfWork, recorded: Recorded) -> bool:
    """Notes that a merge copied go back only where they are unchanged since; they never hold up its undo."""
    merges = (PersonMerged, PersonUnmerged)
    return any(isinstance(other.event, merges) for other in uow.events_of(recorded.operation_id))


@takes_back(PersonCoverChosen)
def _cover(uow: UnitOfWork, recorded: Recorded, event: PersonCoverChosen) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    stands = person.cover_face_id == event.face_id
    require_last_write(uow, recorded, (PersonCoverChosen,), "chose another cover", stands=stands)
    before = None if event.was is None else uow.faces.get(event.was)
    is_still_theirs = before is not None and before.person_id in uow.persons.behind(person.id)
    yield PersonCoverChosen(event.person_id, event.was if is_still_theirs else None, event.face_id)


@takes_back(PersonBirthDateSet)
def _birth_date(uow: UnitOfWork, recorded: Recorded, event: PersonBirthDateSet) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    stands = person.birth_date == event.birth_date
    require_last_write(uow, recorded, (PersonBirthDateSet,), "set the birth date", stands=stands)
    yield PersonBirthDateSet(event.person_id, event.was, event.birth_date)


@takes_back(PersonHidden, PersonShown)
def _hidden(uow: UnitOfWork, recorded: Recorded, event: PersonHidden | PersonShown) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    hid = isinstance(event, PersonHidden)
    kinds = (PersonHidden, PersonShown)
    require_last_write(uow, recorded, kinds, "showed or hid the person", stands=person.hidden == hid)
    yield PersonShown(event.person_id) if hid else PersonHidden(event.person_id)


@takes_back(PersonBridged)
def _bridged(uow: UnitOfWork, recorded: Recorded, event: PersonBridged) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    stands = person.entity_id == event.entity_id
    require_last_write(uow, recorded, (PersonBridged,), "changed the bridge", stands=stands)
    entity = None if event.was is None else uow.entities.get(event.was)
    if entity is not None and entity.deleted:
        require_none_since(uow, recorded, f"entity-{entity.id}", (EntityDeleted,), f"deleted {entity.name}")
    yield PersonBridged(event.person_id, event.was, event.entity_id)


@takes_back(PersonMerged)
def _merged(uow: UnitOfWork, recorded: Recorded, event: PersonMerged) -> Iterable[Event]:
    person = uow.persons.get(event.person_id)
    if person is None or person.merged_into != event.into:
        raise blocked(uow, recorded, recorded.stream, (PersonMerged, PersonUnmerged), "changed the merge")
    chain = chain_of(uow.persons.get, event.into)
    if person.canonical_id is None:
        end = chain[-1]
        raise blocked(uow, recorded, f"person-{end.id}", (PersonDeleted,), f"deleted {end.name}")
    behind = uow.persons.behind(event.person_id)
    require_faces_in_sight(uow, [*behind, *uow.persons.behind(event.into)])
    _require_free_name(uow, person, person.name, recorded)
    for survivor in chain:
        cover = None if survivor.cover_face_id is None else uow.faces.get(survivor.cover_face_id)
        if cover is not None and cover.person_id in behind:
            what = f"chose a face of {person.name} as the cover of {survivor.name}"
            require_none_since(uow, recorded, f"person-{survivor.id}", (PersonCoverChosen,), what)
    yield PersonUnmerged(event.person_id, event.into)


@takes_back(PersonUnmerged)
def _unmerged(uow: UnitOfWork, recorded: Recorded, event: PersonUnmerged) -> Iterable[Event]:
    person, chain = _person(uow, event.person_id, recorded), chain_of(uow.persons.get, event.was)
    if person.merged_into is not None:
        raise blocked(uow, recorded, recorded.stream, (PersonMerged,), f"merged {person.name} again")
    if not chain or chain[-1].deleted:
        end = chain[-1].id if chain else event.was
        raise blocked(uow, recorded, f"person-{end}", (PersonDeleted,), "deleted the other person")
    if chain[-1].id == person.id:
        streams = [f"person-{link.id}" for link in chain[:-1]]
        later = [stream for stream in streams if later_write(uow, recorded, stream, (PersonMerged,)) is not None]
        raise blocked(uow, recorded, (later or streams)[0], (PersonMerged,), "merged the two the other way round")
    require_faces_in_sight(uow, [*uow.persons.behind(event.person_id), *uow.persons.behind(event.was)])
    yield PersonMerged(event.person_id, event.was)


@takes_back(PersonsToldApart)
def _told_apart(uow: UnitOfWork, recorded: Recorded, event: PersonsToldApart) -> Iterable[Event]:
    if event.other in uow.persons.told_apart_from(event.person_id):
        yield PersonsTellingApartWithdrawn(event.person_id, event.other)


@takes_back(PersonsTellingApartWithdrawn)
def _telling_apart_withdrawn(
    uow: UnitOfWork, recorded: Recorded, event: PersonsTellingApartWithdrawn
) -> Iterable[Event]:
    if event.other not in uow.persons.told_apart_from(event.person_id):
        yield PersonsToldApart(event.person_id, event.other)


@takes_back(PersonCreated)
def _created(uow: UnitOfWork, recorded: Recorded, event: PersonCreated) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    if person.deleted:
        raise blocked(uow, recorded, recorded.stream, (PersonDeleted,), f"deleted {person.name}")
    if person.merged_into is not None:
        raise blocked(uow, recorded, recorded.stream, (PersonMerged,), f"merged {person.name}")
    for other in uow.persons.behind(person.id):
        if _is_merged_into(uow, other, person):
            what = f"merged another into {person.name}"
            raise blocked(uow, recorded, f"person-{other}", (PersonMerged,), what)
    for face in uow.faces.some_of([person.id], 1):
        what = f"assigned a face to {person.name}"
        raise blocked(uow, recorded, f"face-{face.id}", (FaceAssigned,), what)
    yield PersonDeleted(person.id, (person.id,))


def _is_merged_into(uow: UnitOfWork, person_id: int, survivor: Person) -> bool:
    person = uow.persons.get(person_id)
    return person is not None and person.merged_into == survivor.id


@takes_back(PersonDeleted)
def _deleted(uow: UnitOfWork, recorded: Recorded, event: PersonDeleted) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    if not person.deleted:
        raise blocked(uow, recorded, recorded.stream, (PersonRestored,), f"restored {person.name}")
    require_faces_in_sight(uow, uow.persons.behind(event.person_id), DELETED if event.with_faces else DETECTED)
    _require_free_name(uow, person, person.name, recorded)
    yield PersonRestored(event.person_id)
    for face_id in uow.faces.deleted_with(event.person_id, event.persons):
        deleted = FaceDeleted(face_id)
        for inherited in of_heirs(uow, replace(recorded, stream=deleted.stream, event=deleted)):
            yield from inverse_of(uow, inherited)


@takes_back(PersonRestored)
def _restored(uow: UnitOfWork, recorded: Recorded, event: PersonRestored) -> Iterable[Event]:
    person = _person(uow, event.person_id, recorded)
    if person.merged_into is not None:
        raise blocked(uow, recorded, recorded.stream, (PersonMerged,), f"merged {person.name}")
    behind = uow.persons.behind(event.person_id)
    require_faces_in_sight(uow, behind)
    earlier = [r.event for r in uow.later_in(recorded.stream, 0) if r.position < recorded.position]
    deletions = [past for past in earlier if isinstance(past, PersonDeleted)]
    with_faces = bool(deletions) and deletions[-1].with_faces
    yield PersonDeleted(event.person_id, tuple(sorted(behind)), with_faces)
