"""What a user does with persons: name, describe, merge, delete."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from domain.base.errors import AlreadyMerged, RuleViolation, Stale
from domain.events.event import Event
from domain.events.face import BY_USER, DETECTED, FaceAssigned, faces_in_words
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
    PersonShown,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.rules.access import known_person, require_faces_in_sight
from domain.rules.unique_names import free_person_name

LONGEST_NOTES = 20_000


class PersonChanges(msgspec.Struct, frozen=True):
    """What to write about a person; what is left unset stays as it is."""

    name: str | UnsetType = UNSET
    notes: str | UnsetType = UNSET
    entity_id: int | UnsetType | None = UNSET
    cover_face_id: int | UnsetType | None = UNSET
    birth_date: str | UnsetType | None = UNSET
    hidden: bool | UnsetType = UNSET


def live_person(uow: UnitOfWork, person_id: int, expected: int | None = None) -> Person:
    """The person that a command is about.

    Raises:
        NotFound: no such person, it was deleted, or the actor may not know of it.
        AlreadyMerged: it was merged; the text names the survivor.
        Stale: its version is not `expected`.
    """
    person = known_person(uow, person_id)
    if person.merged_into is not None:
        raise AlreadyMerged(f"person {person_id} ({person.name}) was merged into person {person.canonical_id}")
    check_version("person", person.version, expected)
    return person


def check_version(what: str, version: int, expected: int | None) -> None:
    """Raises `Stale` where a client named another version than the one that stands."""
    if expected is not None and expected != version:
        raise Stale(f"this {what} has version {version} now, not {expected}: read it again and decide anew")


def create_person(
    uow: UnitOfWork,
    name: str,
    *,
    notes: str = "",
    birth_date: str | None = None,
    hidden: bool = False,
    entity_id: int | None = None,
    cover_face_id: int | None = None,
) -> int:
    """Name a new person; its id. The cover becomes a face of the person, bridged to the entity.

    Raises:
        NameTaken: a live person has this name in any case.
        RuleViolation: the name, notes or date cannot be, the cover is no face of nobody's, or there is no such entity.
    """
    uow.actor.require("editor")
    cleaned = free_person_name(uow, name)
    uow.begin("person.create", f"created {cleaned}")
    person_id = uow.new_id("person")
    birth = None if birth_date is None else _birth_date(birth_date)
    uow.append(PersonCreated(person_id, cleaned, _notes(notes), birth, hidden))
    person = live_person(uow, person_id)
    if cover_face_id is not None:
        uow.append(*_first_face(uow, person, cover_face_id))
    if entity_id is not None:
        uow.append(_bridge(uow, person, entity_id))
    return person_id


def change_person(uow: UnitOfWork, person_id: int, changes: PersonChanges, expected: int | None = None) -> None:
    """Write what is known of a person; what already stands so appends nothing.

    Raises:
        NotFound: no such person, face or entity.
        NameTaken: another live person has the new name.
        RuleViolation: a value cannot be; `field` names it.
        Forbidden: faces of the person lie in libraries that the actor may not see.
        Stale: the person changed since the client read it.
    """
    uow.actor.require("editor")
    person = live_person(uow, person_id, expected)
    events: list[Event] = []
    done: list[str] = []
    name = person.name if changes.name is UNSET else free_person_name(uow, changes.name, besides=person_id)
    if name != person.name:
        events.append(PersonRenamed(person_id, name, person.name))
        done.append(f"renamed {person.name} to {name}")
    if changes.notes is not UNSET and changes.notes != person.notes:
        events.append(PersonNoted(person_id, _notes(changes.notes), person.notes))
        done.append(f"wrote notes on {person.name}")
    if changes.birth_date is not UNSET and changes.birth_date != person.birth_date:
        birth = None if changes.birth_date is None else _birth_date(changes.birth_date)
        events.append(PersonBirthDateSet(person_id, birth, person.birth_date))
        done.append(f"set the birth date of {person.name}")
    if changes.hidden is not UNSET and changes.hidden != person.hidden:
        events.append(PersonHidden(person_id) if changes.hidden else PersonShown(person_id))
        done.append(f"{'hid' if changes.hidden else 'showed'} {person.name}")
    if changes.cover_face_id is not UNSET and changes.cover_face_id != person.cover_face_id:
        events.append(_cover(uow, person, changes.cover_face_id))
        done.append(f"chose a cover for {person.name}")
    if changes.entity_id is not UNSET and changes.entity_id != person.entity_id:
        events.append(_bridge(uow, person, changes.entity_id))
        done.append(f"bridged {person.name} to an entity" if changes.entity_id else f"took the bridge of {person.name}")
    if events:
        require_faces_in_sight(uow, uow.persons.behind(person_id))
        uow.begin("person.change", ", ".join(done))
        uow.append(*events)


def merge_persons(uow: UnitOfWork, person_id: int, into: int, expected: int | None = None) -> None:
    """Say that two persons are one: `person_id` is retired and points to `into`, whose empty notes take over its notes.

    The cost does not depend on the number of faces: each keeps saying the person it was assigned to.

    Raises:
        NotFound: there is no such person, or the actor may not know of one of the two.
        RuleViolation: a person cannot be merged into itself.
        AlreadyMerged: one of the two was merged before.
        Forbidden: faces lie in libraries that the actor may not see.
    """
    uow.actor.require("editor")
    known_person(uow, person_id)
    known_person(uow, into)
    if person_id == into:
        raise RuleViolation("a person cannot be merged into itself: name another one", "into")
    person, survivor = live_person(uow, person_id, expected), live_person(uow, into)
    behind = uow.persons.behind(person_id)
    require_faces_in_sight(uow, [*behind, *uow.persons.behind(into)])
    count = uow.faces.count_of(behind)
    uow.begin("person.merge", f"merged {person.name} ({faces_in_words(count)}) into {survivor.name}")
    uow.append(PersonMerged(person_id, into))
    if person.notes and not survivor.notes:
        uow.append(PersonNoted(into, person.notes, survivor.notes))


def delete_person(uow: UnitOfWork, person_id: int, *, with_faces: bool = False, expected: int | None = None) -> None:
    """Delete a person and everyone merged into it: its faces become nobody's, or deleted faces where `with_faces`.

    Raises:
        NotFound: there is no such person.
        AlreadyMerged: it was merged; delete the survivor, or undo the merge first.
        Forbidden: faces lie in libraries that the actor may not see.
        Stale: the person changed since the client read it.
    """
    uow.actor.require("editor")
    person = live_person(uow, person_id, expected)
    behind = uow.persons.behind(person_id)
    require_faces_in_sight(uow, behind)
    count = uow.faces.count_of(behind)
    fate = "deleted with it" if with_faces else f"{'is' if count == 1 else 'are'} nobody's now"
    uow.begin("person.delete", f"deleted {person.name} ({faces_in_words(count)} {fate})")
    uow.append(PersonDeleted(person_id, tuple(sorted(behind)), with_faces))


def _notes(notes: str) -> str:
    if len(notes) > LONGEST_NOTES:
        raise RuleViolation(f"notes have at most {LONGEST_NOTES} characters; these have {len(notes)}", "notes")
    if "\0" in notes:
        raise RuleViolation("notes cannot hold NUL characters", "notes")
    return notes


def _birth_date(text: str) -> str:
    refusal = RuleViolation(f"a birth date is written YYYY-MM-DD; {text!r} is not one", "birth_date")
    try:
        written = date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise refusal from error
    if written != text:
        raise refusal
    return text


def _cover(uow: UnitOfWork, person: Person, face_id: int | None) -> PersonCoverChosen:
    if face_id is not None:
        face = uow.faces.get(face_id)
        is_seen = face is not None and face.status == DETECTED and uow.media.shows_content(face.content_hash)
        if face is None or not is_seen or face.person_id not in uow.persons.behind(person.id):
            raise RuleViolation(f"face {face_id} is not a face of {person.name}", "cover_face_id")
    return PersonCoverChosen(person.id, face_id, person.cover_face_id)


def _first_face(uow: UnitOfWork, person: Person, face_id: int) -> tuple[Event, ...]:
    """A new person is known by this face, which was nobody's."""
    face = uow.faces.get(face_id)
    is_seen = face is not None and face.status == DETECTED and uow.media.shows_content(face.content_hash)
    if face is None or not is_seen:
        raise RuleViolation(f"there is no face {face_id}", "cover_face_id")
    if face.person_id is not None:
        raise RuleViolation(f"face {face_id} is somebody's: make the person first, then assign it", "cover_face_id")
    return FaceAssigned(face_id, person.id, BY_USER), PersonCoverChosen(person.id, face_id, None)


def _bridge(uow: UnitOfWork, person: Person, entity_id: int | None) -> PersonBridged:
    entity = None if entity_id is None else uow.entities.get(entity_id)
    if entity_id is not None and (entity is None or not uow.entities.sees(entity_id)):
        raise RuleViolation(f"there is no entity {entity_id}", "entity_id")
    if entity is not None and entity.merged_into is not None:
        raise RuleViolation(f"entity {entity_id} was merged into entity {entity.canonical_id}", "entity_id")
    return PersonBridged(person.id, entity_id, person.entity_id)
